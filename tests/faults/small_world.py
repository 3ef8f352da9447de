"""A small outside world of one platform: three ad accounts with one campaign each, two of them under one credential."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter
from werkzeug.test import EnvironBuilder

from sandbox.on_the_way import delivered
from sandbox.outside import Outside
from sandbox.platforms import population, stand_ins
from sandbox.platforms.base import StandIn
from sandbox.web import PlatformRequest
from sandbox.world import Company, WorldProfile
from sandbox.world.catalog import Advertiser, Holdings
from support.platform_server import ANCHOR

ORIGIN = "http://platform.example"
_ALLOWED = {"tiktok_ads": {"async_reports": "allowed"}}
"""What Halden says of itself beside its secrets: TikTok lets its application make asynchronous reports."""


class Asked(NamedTuple):
    """A request to the platform, and the status of its answer. `profile_id`: on whose behalf, `at`: Unix seconds."""

    at: float
    path: str
    status: int
    profile_id: str


@cache
def stand_in(platform: str) -> StandIn:
    """The platform's stand-in, whose companies have little: Halden two ad accounts, Mori one."""
    whole = next(each for each in stand_ins() if each.platform == platform)

    def holdings(seed: int, advertiser: Advertiser) -> Holdings:
        held = whole.holdings(seed, advertiser)
        first, *others = sorted(held.profiles, key=lambda profile: profile.id)
        if advertiser.key == "mori":
            return replace(held, profiles=(_with_campaign(first, 0),))
        second = others[0] if others else replace(first, id=f"{first.id[:-1]}{(int(first.id[-1]) + 1) % 10}")
        credentials = {name: {**body, **_ALLOWED.get(platform, {})} for name, body in held.credentials.items()}
        return Holdings((_with_campaign(first, 0), _with_campaign(second, 1)), credentials)

    return replace(whole, holdings=holdings)


def _with_campaign(profile: WorldProfile, place: int) -> WorldProfile:
    return replace(profile, campaigns=profile.campaigns[place : place + 1])


@cache
def outside_of(platform: str) -> Outside:
    """The platform's world; what it has computed stays from one test to the next."""
    return Outside(anchor=ANCHOR, report_seconds=30.0, population=population([stand_in(platform)]))


class SmallWorld:
    """A platform as connectors reach it, in this process: `session` takes requests to it, `asked` has them all.

    What was issued, switched on or reported in another test is gone.
    """

    def __init__(self, platform: str, now: Callable[[], float], on_behalf_of: Callable[[], str]) -> None:
        """`on_behalf_of`: the ad account that is being worked on."""
        self.platform = platform
        self.outside = outside_of(platform)
        self.outside.switches.clear()
        self.outside.state.reports.clear()
        self.outside.report_seconds, self.outside.url_seconds = 30.0, 3600
        self.urls = {platform: stand_in(platform).base_urls(ORIGIN)}
        self.asked: list[Asked] = []
        self._api = stand_in(platform).api(self.outside)
        self._now = now
        self._on_behalf_of = on_behalf_of
        self.reports: list[Asked] = []
        """The requests that made a report."""
        self._made = self.outside.state.report_number
        self._later: list[tuple[tuple[str, int], Mapping[str, Any]]] = []

    @contextmanager
    def _its_time(self) -> Iterator[None]:
        """The platform's clock: a request takes it a millisecond."""
        seconds = self._now() + len(self.asked) / 1000
        with (
            mock.patch("time.time", return_value=seconds),
            mock.patch("time.time_ns", return_value=int(seconds * 1e9)),
        ):
            yield

    @property
    def companies(self) -> list[Company]:
        """Those with ad accounts: Halden with two, Mori with one."""
        return [company for company in self.outside.world.companies if company.profiles]

    @property
    def profiles(self) -> list[WorldProfile]:
        """The ad accounts: the first, its neighbour under the same credential, and another client's."""
        return [profile for company in self.companies for profile in company.profiles]

    def turn_on(self, switch: Mapping[str, Any], before: tuple[str, int] | None = None) -> None:
        """Let the platform misbehave, at once or before the n-th request on behalf of an ad account."""
        if before:
            self._later.append((before, switch))
            return
        read = self.outside.switches.read({"platform": self.platform, **switch})
        with self._its_time():
            if not self._api.act_at_once(read):
                self.outside.switches.turn_on(read)

    def answer(self, request: PlatformRequest) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers and body, which may be shorter than the headers say."""
        profile_id = self._on_behalf_of()
        moment = profile_id, 1 + sum(each.profile_id == profile_id for each in self.asked)
        for when, switch in self._later:
            if when == moment:
                self.turn_on(switch)
        with self._its_time():
            found, _ = delivered(self.outside, self.platform, self._api, request)
        self.asked.append(Asked(self._now(), request.path, found.status_code, profile_id))
        self.reports += self.asked[-1:] * (self.outside.state.report_number - self._made)
        self._made = self.outside.state.report_number
        return found.status_code, list(found.headers.items()), found.get_data()


class ToSmallWorld(BaseAdapter):
    """Takes a session's requests to a small world. An answer that is shorter than it says ends with a reset."""

    def __init__(self, world: SmallWorld) -> None:
        super().__init__()
        self._world = world

    def send(self, request: requests.PreparedRequest, *_args: Any, **_how: Any) -> requests.Response:
        url = urlsplit(str(request.url))
        builder = EnvironBuilder(
            path=url.path,
            base_url=f"{url.scheme}://{url.netloc}",
            query_string=url.query,
            method=str(request.method),
            headers=list(request.headers.items()),
            data=request.body if isinstance(request.body, bytes) else (request.body or "").encode(),
        )
        status, headers, body = self._world.answer(PlatformRequest(builder.get_environ()))
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = status, str(request.url), request
        answer.headers.update(headers)
        length = int(answer.headers.setdefault("Content-Length", str(len(body))))
        wire = _Resetting(body) if length > len(body) else io.BytesIO(body)
        answer.raw = urllib3.HTTPResponse(wire, headers=answer.headers, status=status, preload_content=False)
        return answer

    def close(self) -> None:
        """There is nothing to close."""


class _Resetting(io.BytesIO):
    """A body whose connection is reset where it ends."""

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        if not found:
            raise ConnectionResetError(104, "Connection reset by peer")
        return found
