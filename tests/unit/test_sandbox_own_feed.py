"""An advertiser's own feed: who may read it, and that both of its shapes tell the truth."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from sandbox.platforms import everyone
from sandbox.platforms.own_feed.owner import PLATFORM
from sandbox.platforms.own_feed.rows import objects
from sandbox.server import PlatformServer
from sandbox.world import WorldProfile
from support.platform_server import ANCHOR, owner, running

START, END = ANCHOR - timedelta(days=3), ANCHOR - timedelta(days=1)
MICRO = 1_000_000


@pytest.fixture(scope="module")
def _server() -> Iterator[PlatformServer]:
    present = [one for one in everyone() if one.platform == PLATFORM]
    with running(present) as server:
        yield server


@pytest.fixture
def server(_server: PlatformServer) -> Iterator[PlatformServer]:
    yield _server
    _server.outside.switches.clear()


class FeedReader:
    """Who has the feed's secrets."""

    def __init__(self, server: PlatformServer, place: int = 0) -> None:
        company, self.profile = owner(server, PLATFORM, place)
        self.secrets = dict(company.elsewhere.credentials[PLATFORM])
        self.url = f"{server.url}/own-feed"

    def channels(self, start: date = START, end: date = END) -> requests.Response:
        basic = (self.secrets["username"], self.secrets["password"])
        return requests.get(f"{self.url}/channels.csv", {"from": f"{start}", "to": f"{end}"}, auth=basic, timeout=5)

    def placements(self, day: date = END) -> requests.Response:
        headers = {"X-Api-Key": self.secrets["key"]}
        return requests.get(f"{self.url}/placements/{day}.json", headers=headers, timeout=5)


def truth(server: PlatformServer, profile: WorldProfile, level: str, start: date = START) -> list[dict[str, Any]]:
    return list(server.outside.world.truth(profile, start, END, level))


@pytest.mark.parametrize("place", [0, 1], ids=["halden", "mori"])
def test_channels_in_our_own_columns_are_the_truth(server: PlatformServer, place: int) -> None:
    reader = FeedReader(server, place)
    rows = list(csv.DictReader(io.StringIO(reader.channels().text)))
    told = {(r["campaign_id"], r["date"]): (int(r["clicks"]), Decimal(r["spend"]) * MICRO) for r in rows}
    true = {
        (r["campaign_id"], r["date"]): (r["clicks"], r["spend_micros"])
        for r in truth(server, reader.profile, "campaign")
    }
    assert told == true
    assert {(row["platform"], row["profile_id"]) for row in rows} == {("internal", reader.profile.id)}


def test_placements_in_their_own_words_are_the_truth(server: PlatformServer) -> None:
    reader = FeedReader(server)
    told = reader.placements().json()
    found = {
        one["id"]: (one["shown"], one["cost_cents"] * 10_000, one["orders"] * MICRO, one["turnover_cents"] * 10_000)
        for channel in told["channels"]
        for one in channel["placements"]
    }
    assert found == {
        row["ad_id"]: (row["impressions"], row["spend_micros"], row["conversions_micros"], row["revenue_micros"])
        for row in truth(server, reader.profile, "ad", END)
    }
    assert (told["day"], told["currency"]) == (END.isoformat(), "USD")


def test_the_nightly_objects_are_what_the_feed_tells(server: PlatformServer) -> None:
    reader = FeedReader(server)
    written = dict(objects(server.outside.world, reader.profile, START, END))
    assert len(written) == 6
    assert written[f"columns/{END}.csv"] == reader.channels(END).content
    packed = written[f"placements/dt={END}/part-0000.json.gz"]
    assert json.loads(gzip.decompress(packed)) == reader.placements().json()


def test_given_no_secret_or_that_of_the_other_door_when_asked_then_it_is_refused(server: PlatformServer) -> None:
    reader = FeedReader(server)
    reader.secrets |= {"password": reader.secrets["key"], "key": reader.secrets["password"]}
    assert (reader.channels().status_code, reader.placements().status_code) == (401, 401)
    reader.secrets["password"] = "schlüssel"
    assert reader.channels().status_code == 401


def test_given_days_that_are_none_or_too_many_when_asked_then_it_is_refused(server: PlatformServer) -> None:
    reader = FeedReader(server)
    assert reader.channels(END, START).status_code == 400
    assert reader.channels(END - timedelta(days=62)).status_code == 400
    assert requests.get(f"{reader.url}/channels.csv", timeout=5).status_code == 401


@pytest.mark.parametrize(
    ("kind", "status"), [("throttle", 429), ("server_error", 503), ("expired_token", 401), ("html", 200)]
)
def test_faults_answer_once(server: PlatformServer, kind: str, status: int) -> None:
    reader = FeedReader(server)
    server.outside.switches.turn_on({"kind": kind, "platform": PLATFORM, "times": 1})
    spoilt, whole = reader.channels(), reader.channels()
    assert (spoilt.status_code, whole.status_code) == (status, 200)
    assert ("platform" in spoilt.text) is False
    assert spoilt.headers.get("Retry-After") == ("1" if kind == "throttle" else None)


def test_rows_lack_what_they_cost_or_are_malformed_or_missing(server: PlatformServer) -> None:
    reader = FeedReader(server)

    def spoil(kind: str, **options: str) -> None:
        server.outside.switches.turn_on({"kind": kind, "platform": PLATFORM, "times": 1, **options})

    spoil("missing_column")
    assert "spend" not in reader.channels().text
    spoil("missing_column")
    assert "cost_cents" not in reader.placements().text
    spoil("bad_row", mode="text")
    assert ",many," in reader.channels().text
    spoil("bad_row", mode="no_key")
    assert reader.placements().json()["channels"][0]["placements"][0]["id"] == ""
    spoil("empty")
    assert len(reader.channels().text.splitlines()) == 1
    spoil("empty")
    assert reader.placements().json()["channels"] == []
