"""Amazon's regions and their hosts (Amazon Ads API, API endpoints)."""

from __future__ import annotations

_API_HOSTS = {
    "advertising-api.amazon.com": "NA",
    "advertising-api-eu.amazon.com": "EU",
    "advertising-api-fe.amazon.com": "FE",
}
_TOKEN_HOSTS = ("api.amazon.com", "api.amazon.co.uk", "api.amazon.co.jp")
_SNS_HOSTS = tuple(f"sns.{region}.amazonaws.com" for region in ("us-east-1", "eu-west-1", "us-west-2"))
SNS_PATH = "/sns"
"""Where Amazon's topics are confirmed when the request has no host of theirs."""
HOSTS = (*_API_HOSTS, *_TOKEN_HOSTS, *_SNS_HOSTS)
REGIONS = {"US": "NA", "JP": "FE", "DE": "EU"}
"""By country."""


def split_region(host: str, path: str) -> tuple[str, str]:
    """The region that a request addresses, and its path below it.

    A path may begin with /na, /eu or /fe to stand for one region's host; without it, and on any other host, every
    region answers. SNS, which has a path of its own here, has no region.
    """
    if host.partition(":")[0] in _SNS_HOSTS or path.rstrip("/") == SNS_PATH:
        return "", SNS_PATH
    head, _, rest = path.lstrip("/").partition("/")
    if head.upper() in _API_HOSTS.values():
        return head.upper(), f"/{rest}"
    return _API_HOSTS.get(host.partition(":")[0], ""), path
