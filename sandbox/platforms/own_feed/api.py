"""The feed over HTTP: a CSV for days behind a password, a JSON document per day behind a key."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import date

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.base import PlatformApi
from sandbox.platforms.own_feed.owner import PLATFORM
from sandbox.platforms.own_feed.rows import document, own_columns
from sandbox.web import PlatformRequest, json_answer
from sandbox.world import WorldProfile

PATHS = re.compile(r"/own-feed/")
_DAY = re.compile(r"/own-feed/placements/(\d{4}-\d\d-\d\d)\.json")
_MOST_DAYS = 62
_SPOILING = ("empty", "missing_column", "bad_row")


class _FeedRefusal(Exception):
    """An error answer: status, text, headers."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.answer = json_answer({"error": text}, status, headers)


class OwnFeedApi(PlatformApi):
    """Answers as the advertisers' own server does."""

    def __init__(self, outside: Outside) -> None:
        super().__init__(outside)
        self._owners = [
            (company.elsewhere.credentials[PLATFORM], company.on(PLATFORM)[0])
            for company in outside.world.companies
            if PLATFORM in company.elsewhere.credentials
        ]

    def profile_id(self, request: PlatformRequest) -> str:
        """That of the owner whose secret the request has; empty for nobody's."""
        profile = self._owner(request)
        return profile.id if profile else ""

    def handle(self, request: PlatformRequest) -> Response:
        """Refuse, or tell."""
        try:
            return self._told(request, self._admitted(request))
        except _FeedRefusal as refusal:
            return refusal.answer

    def _admitted(self, request: PlatformRequest) -> WorldProfile:
        profile, take = self._owner(request), self.outside.switches.take
        about = profile.id if profile else ""
        throttled = take("throttle", PLATFORM, about)
        if throttled is not None:
            raise _FeedRefusal(429, "too many requests", {"Retry-After": str(throttled.get("retry_after", 1))})
        broken = take("server_error", PLATFORM, about)
        if broken is not None:
            raise _FeedRefusal(int(broken.get("status", 503)), "the warehouse is being loaded")
        if profile is None or take("expired_token", PLATFORM, about) is not None:
            raise _FeedRefusal(401, "who are you?", {"WWW-Authenticate": 'Basic realm="feed"'})
        return profile

    def _told(self, request: PlatformRequest, profile: WorldProfile) -> Response:
        page = self.outside.switches.take("html", PLATFORM, profile.id)
        if page is not None:
            text = "<!DOCTYPE html><html><title>Sign in</title><form>Name</form></html>"
            return Response(text, int(page.get("status", 200)), content_type="text/html; charset=utf-8")
        if request.method != "GET":
            raise _FeedRefusal(405, "the feed is read only")
        taken = {kind: self.outside.switches.take(kind, PLATFORM, profile.id) for kind in _SPOILING}
        spoilt = {kind: options for kind, options in taken.items() if options is not None}
        world, found = self.outside.world, _DAY.fullmatch(request.path)
        if found:
            return json_answer(document(world, profile, _date(found[1]), spoilt))
        if request.path != "/own-feed/channels.csv":
            raise _FeedRefusal(404, "there is channels.csv, and placements/<day>.json")
        start, end = _date(request.args.get("from", "")), _date(request.args.get("to", ""))
        if not 0 <= (end - start).days < _MOST_DAYS:
            raise _FeedRefusal(400, f"from and to are at most {_MOST_DAYS} days")
        return Response(own_columns(world, profile, start, end, spoilt), content_type="text/csv; charset=utf-8")

    def _owner(self, request: PlatformRequest) -> WorldProfile | None:
        """The CSV is opened by name and password, the documents by the key."""
        given = request.authorization
        for secrets, profile in self._owners:
            if request.path.endswith(".csv"):
                name, password = (given.username or "", given.password or "") if given else ("", "")
                opened = name == secrets["username"] and _same(password, secrets["password"])
            else:
                opened = _same(request.headers.get("X-Api-Key", ""), secrets["key"])
            if opened:
                return profile
        return None


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(), secret.encode())


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _FeedRefusal(400, f"{text!r} is no day: 2026-11-21") from None
