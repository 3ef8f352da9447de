"""Platforms that accept each credential and list no ad account, for tests in which credentials are only stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.platforms import platform_urls
from support.stub_http import Answer, Call, serving


def _agree(call: Call) -> Answer:
    if call.method == "POST":
        return Answer(200, {"access_token": "Atza|agreed", "token_type": "bearer", "expires_in": 3600})
    return Answer(200, [] if "profiles" in call.path else {"data": []})


@contextmanager
def agreeable() -> Iterator[dict[str, dict[str, str]]]:
    """The setting PLATFORM_URLS while such platforms run."""
    with serving() as stub:
        stub.route = _agree
        yield platform_urls(stub.url)
