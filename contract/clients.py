"""The clients: what is installed, which driver runs it, and the streams that it has to answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from sandbox.world import WorldProfile

HERE = Path(__file__).parent
META, AMAZON, GOOGLE = "meta_ads", "amazon_ads", "google_ads"
_LEVELS = ("campaign", "ad_group", "ad")
_LISTS = ("creatives", *(f"{what}s" for what in _LEVELS), *(f"every {what}" for what in _LEVELS))
_LATER = tuple(f"every {what} since" for what in _LEVELS)
HOURLY, AGE_GENDER = "insights ad hourly", "insights ad age gender"
_PARTS = (HOURLY, AGE_GENDER)
USUAL_DAYS = 14
DAYS = {HOURLY: 3, AGE_GENDER: 5}
"""How many days are read, the last of them today."""
_SP_LISTS = ("sp campaigns", "sp ad_groups", "sp ads", "sp keywords", "sp targets")
_SD_LISTS = ("sd campaigns", "sd ad_groups", "sd ads", "sd targets")
_SP_REPORTS = tuple(f"sp report {what}" for what in (*_LEVELS, "keyword", "target"))
_INSIGHTS = ("insights account", *(f"insights {what}" for what in _LEVELS))


@dataclass(frozen=True)
class Client:
    """One released client. `package`: its name in the index, and of its file of pinned versions.

    `streams`: what it reads of each ad account (`truth.STREAMS`); one that it does not answer is a difference.
    `guesses_hours`: it takes an hour that the platform does not name for midnight's, so patchy hours differ.
    `asks_for_the_gone`: without that, Meta's insights leave out what is archived or deleted.
    `days`: how many days it reads of a stream, where that is not the usual number.
    """

    package: str
    platform: str
    driver: str
    streams: tuple[str, ...]
    guesses_hours: bool = False
    asks_for_the_gone: bool = True
    days: Mapping[str, int] = field(default_factory=dict)
    extras: str = ""
    alone: bool = False

    def start(self, stream: str, end: date) -> date:
        """The first day that the client reads of a stream."""
        return end - timedelta(days=self.days.get(stream, DAYS.get(stream, USUAL_DAYS)) - 1)

    def answers(self, profile: WorldProfile) -> list[str]:
        """The streams that an ad account has, and of which the client does not make something else itself."""
        lacks = tuple(f"{product} " for product in profile.lacking)
        return [
            stream
            for stream in self.streams
            if not (stream.startswith(lacks) or (self.guesses_hours and profile.patchy and stream == HOURLY))
        ]

    @property
    def constraints(self) -> Path:
        """The versions of the package and of all that it needs."""
        return HERE / "constraints" / f"{self.package}.txt"

    @property
    def script(self) -> Path:
        """The driver."""
        return HERE / "drivers" / self.driver

    @property
    def version(self) -> str:
        """The pinned version of the package itself."""
        pins = (line.split("==") for line in self.constraints.read_text().splitlines())
        return next(version for name, version in pins if name.replace("_", "-") == self.package)


CLIENTS = (
    Client(
        "facebook-business",
        META,
        "facebook_business_sdk.py",
        ("accounts", *_INSIGHTS, "insights ad async", *_PARTS, *_LISTS, *_LATER),
    ),
    Client(
        "airbyte-source-facebook-marketing",
        META,
        "airbyte_facebook_marketing.py",
        (*_INSIGHTS, "insights campaign hourly", AGE_GENDER, *_LISTS, *_LATER),
        # It takes up to 50 ms per record, and seconds to start.
        days={"insights campaign hourly": 1, AGE_GENDER: 1, **dict.fromkeys(_INSIGHTS, 5)},
    ),
    Client(
        "tap-facebook",
        META,
        "tap_facebook_singer.py",
        ("insights ad", *_PARTS, *_LISTS, *_LATER),
        guesses_hours=True,
        asks_for_the_gone=False,
    ),
    Client("dlt", META, "dlt_rest_api.py", (*_INSIGHTS, *_LISTS, *_LATER)),
    Client(
        "airbyte-source-amazon-ads",
        AMAZON,
        "airbyte_amazon_ads.py",
        (
            "profiles",
            *_SP_LISTS,
            "sb campaigns",
            "sb ad_groups",
            "sb keywords",
            *_SD_LISTS,
            *_SP_REPORTS,
            "sd report campaign",
            "sd report ad_group",
            "sd report ad",
            "sd report target",
        ),
    ),
    Client(
        "python-amazon-ad-api",
        AMAZON,
        "amazon_ad_api.py",
        (
            "profiles",
            *_SP_LISTS,
            "sb campaigns",
            "sb ad_groups",
            "sb ads",
            "sb keywords",
            "sb targets",
            *_SD_LISTS,
            *_SP_REPORTS,
            "sb report campaign",
            "sb report ad",
            "sb report keyword",
            "sd report campaign",
            "sd report ad",
            "sd report target",
        ),
    ),
    Client(
        "google-ads",
        GOOGLE,
        "google_ads_classes.py",
        (
            "accounts",
            *_INSIGHTS,
            "insights keyword",
            "insights campaign hourly",
            "every campaign",
            "every ad_group",
            "every ad",
        ),
    ),
    Client(
        "google-ads-api-report-fetcher",
        GOOGLE,
        "gaarf_reports.py",
        (*_INSIGHTS, "every campaign"),
    ),
)
