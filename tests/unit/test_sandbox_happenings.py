"""Things that happen to ad accounts: deletions, credits, moves, changed currencies, lost products."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.outside import Outside
from sandbox.platforms import population
from sandbox.world import Reading, World, WorldAd, WorldProfile
from support.amazon_caller import AmazonCaller
from support.platform_server import running

ANCHOR = date(2026, 11, 21)
FIRST = ANCHOR - timedelta(days=59)
NUMBERS = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")


def meta_of(world: World, key: str) -> WorldProfile:
    return next(c for c in world.companies if c.key == key).on("meta_ads")[0]


def sums(rows: Iterable[dict[str, Any]]) -> list[int]:
    listed = list(rows)
    return [sum(row[name] for row in listed) for name in NUMBERS]


@pytest.fixture
def outside() -> Outside:
    return Outside(seed=7, anchor=ANCHOR, today=ANCHOR, population=population())


def running_ad(profile: WorldProfile) -> WorldAd:
    return next(ad for _, _, ad in profile.ads() if ad.status == "ACTIVE" and ad.flight == (0, 1_000_000))


@pytest.mark.parametrize("forget", [False, True])
def test_a_deleted_ad_s_past_stays_in_its_parents(outside: Outside, forget: bool) -> None:
    # given
    world, profile = outside.world, meta_of(outside.world, "halden")
    ad, last = running_ad(profile), ANCHOR - timedelta(days=1)
    before = {level: sums(world.truth(profile, FIRST, last, level)) for level in ("ad", "campaign", "account")}

    # when
    outside.happen("delete", {"profile_id": f"act_{profile.id}", "ad_id": ad.id, "forget": forget})

    # then
    assert sums(world.truth(profile, FIRST, last, "account")) == before["account"]
    assert sums(world.truth(profile, FIRST, last, "campaign")) == before["campaign"]
    assert (sums(world.truth(profile, FIRST, last)) == before["ad"]) is not forget
    assert sums(world.truth(profile, FIRST, last, reading=Reading(forgotten=True))) == before["ad"]
    shown = [each for _, _, each in profile.ads() if each.id == ad.id]
    assert [each.status for each in shown] == ([] if forget else ["DELETED"])
    outside.move(timedelta(days=3))
    later = world.truth(
        profile, ANCHOR + timedelta(days=1), ANCHOR + timedelta(days=3), reading=Reading(forgotten=True)
    )
    assert ad.id not in {row["ad_id"] for row in later}


@pytest.mark.parametrize("keep", [0, 400])
def test_credited_traffic_is_gone_at_every_level(outside: Outside, keep: int) -> None:
    # given
    world, profile = outside.world, meta_of(outside.world, "halden")
    ad, first, last = running_ad(profile), ANCHOR - timedelta(days=9), ANCHOR - timedelta(days=5)
    levels = ("ad", "ad_group", "campaign", "account")
    before = {level: sums(world.truth(profile, first, last, level)) for level in levels}
    own = sums(row for row in world.truth(profile, first, last) if row["ad_id"] == ad.id)
    elsewhere = sums(world.truth(profile, FIRST, first - timedelta(days=1)))

    # when
    span = {"start": first.isoformat(), "end": last.isoformat()}
    outside.happen("credit", {"profile_id": profile.id, "ad_id": ad.id, "keep": keep, **span})

    # then
    left = sums(row for row in world.truth(profile, first, last) if row["ad_id"] == ad.id)
    assert all(now == 0 if keep == 0 else now < then for now, then in zip(left, own, strict=True))
    assert left[0] == pytest.approx(own[0] * keep / 1000, abs=20)
    for level in levels:
        changed = [
            then - now for then, now in zip(before[level], sums(world.truth(profile, first, last, level)), strict=True)
        ]
        assert changed == [then - now for then, now in zip(own, left, strict=True)]
    assert sums(world.truth(profile, FIRST, first - timedelta(days=1))) == elsewhere


def test_a_moved_ad_appears_under_its_new_group_alone(outside: Outside) -> None:
    # given
    world, profile = outside.world, meta_of(outside.world, "halden")
    ad, target = running_ad(profile), profile.campaigns[3].groups[2]
    before = sums(world.truth(profile, FIRST, ANCHOR))

    # when
    outside.happen("move", {"profile_id": profile.id, "ad_id": ad.id, "ad_group_id": target.id})

    # then
    rows = [row for row in world.truth(profile, FIRST, ANCHOR) if row["ad_id"] == ad.id]
    assert {row["entity_id"] for row in rows} == {f"{target.id}~{ad.id}"}
    assert {row["campaign_id"] for row in rows} == {profile.campaigns[3].id}
    assert sums(world.truth(profile, FIRST, ANCHOR)) == before


def test_a_currency_and_a_product_can_change(outside: Outside) -> None:
    # given
    world = outside.world
    profile = next(p for p in world.profiles if p.platform == "amazon_ads" and p.currency == "USD")
    today = sums(world.truth(profile, ANCHOR - timedelta(days=1), ANCHOR - timedelta(days=1), "campaign"))

    # when
    outside.happen("currency", {"profile_id": profile.id, "currency": "EUR"})
    outside.happen("product", {"profile_id": profile.id, "product": "sd", "authorized": False})
    outside.happen("product", {"profile_id": profile.id, "product": "sb", "paused": True})

    # then
    rows = list(world.truth(profile, ANCHOR - timedelta(days=1), ANCHOR - timedelta(days=1), "campaign"))
    assert ({row["currency"] for row in rows}, sums(rows)) == ({"EUR"}, today)
    assert profile.lacking == {"sd"}
    outside.move(timedelta(days=2))
    later = list(world.truth(profile, ANCHOR + timedelta(days=1), ANCHOR + timedelta(days=1), "campaign"))
    assert {row["ad_product"] for row in later} == {"sp", "sd"}
    outside.happen("product", {"profile_id": profile.id, "product": "sd", "authorized": True})
    assert not profile.lacking


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("delete", {"ad_id": "nobody"}),
        ("credit", {"ad_id": "nobody", "start": "2026-11-01", "end": "2026-11-02"}),
        ("credit", {"start": "2026-11-01", "end": "2026-11-02", "keep": 1001}),
        ("credit", {"start": "2026-11-01"}),
        ("move", {"ad_group_id": "nobody"}),
        ("currency", {"currency": "XXX"}),
        ("earthquake", {}),
    ],
)
def test_what_cannot_happen_does_not(outside: Outside, kind: str, body: dict[str, Any]) -> None:
    profile = meta_of(outside.world, "halden")
    with pytest.raises((ValueError, KeyError)):
        outside.happen(kind, {"profile_id": profile.id, "ad_id": profile.ads()[0][2].id} | body)
    with pytest.raises(ValueError, match="no ad account"):
        outside.happen("delete", {"profile_id": "nobody", "ad_id": "1"})
    assert outside.state.happenings == []


def test_what_happened_and_who_moved_in_survive_a_restart(tmp_path: Path) -> None:
    # given
    path = tmp_path / "world.json"
    first = Outside(seed=7, anchor=ANCHOR, today=ANCHOR, state_path=path, population=population(awkward=True))
    profile = meta_of(first.world, "kestrel")
    ad = running_ad(profile)
    first.happen("delete", {"profile_id": profile.id, "ad_id": ad.id, "forget": True})
    told = sums(first.world.truth(profile, FIRST, ANCHOR))

    # when
    second = Outside(seed=7, anchor=ANCHOR, today=ANCHOR, state_path=path, population=population())

    # then
    again = meta_of(second.world, "kestrel")
    assert sums(second.world.truth(again, FIRST, ANCHOR)) == told
    assert ad.id not in {each.id for _, _, each in again.ads()}


def test_an_ad_s_spend_may_be_written_with_more_than_six_decimals() -> None:
    with running() as server:
        # given
        caller = AmazonCaller(server, "halden")
        first = caller.profile.ads()[0][2]
        columns = ["date", "adId", "cost"]

        def costs() -> dict[tuple[str, int], Decimal]:
            rows = caller.report("spAdvertisedProduct", ["advertiser"], columns)
            return {(row["date"], row["adId"]): row["cost"] for row in rows}

        # when
        before = costs()
        server.outside.happen("decimals", {"profile_id": caller.profile.id})
        after = costs()

        # then
        changed = {key for key in before if before[key] != after[key]}
        assert {ad_id for _, ad_id in changed} == {int(first.id)}
        assert all(round(after[key], 6) == before[key] for key in before)


def test_an_anomaly_is_planted_in_an_ad_account_or_in_one_campaign(tmp_path: Path) -> None:
    """Given two plants, then the numbers of their days are moved at every level, and stay so when demand changes."""
    state = tmp_path / "state.json"
    outside = Outside(state_path=state, seed=7, anchor=ANCHOR, today=ANCHOR, population=population())
    profile = meta_of(outside.world, "halden")
    day, other = ANCHOR - timedelta(days=20), ANCHOR - timedelta(days=10)
    campaign = next(row["entity_id"] for row in outside.world.truth(profile, other, other, "campaign"))
    spans = {name: {"start": one.isoformat(), "end": one.isoformat()} for name, one in (("a", day), ("b", other))}
    before = [sums(outside.world.truth(profile, one, one, "account")) for one in (day, other)]
    ours = [row for row in outside.world.truth(profile, other, other, "campaign") if row["entity_id"] == campaign]

    body = {"profile_id": profile.id, "per_mille": 3000}
    outside.happen("anomaly", {**body, "metric": "clicks", **spans["a"]})
    outside.happen("anomaly", {**body, "metric": "spend", "per_mille": 0, "campaign_id": campaign, **spans["b"]})
    outside.drive(0)

    again = Outside(state_path=state, seed=7, anchor=ANCHOR, today=ANCHOR, population=population())
    for world in (outside.world, again.world):
        mine = meta_of(world, "halden")
        after = [sums(world.truth(mine, one, one, "account")) for one in (day, other)]
        assert after[0][1] > 2.8 * before[0][1]
        assert (after[0][0], after[0][3]) == (before[0][0], before[0][3])
        assert after[1][3] == before[1][3] - sums(ours)[3] < before[1][3]
        assert world.plan(mine).anomalies[-1].campaign_id == campaign


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"metric": "revenue"}, "metric is one of spend, clicks, impressions, conversions"),
        ({"per_mille": -1}, "per_mille is 0 to 100000"),
        ({"start": "2026-11-02"}, "start first"),
        ({"campaign_id": "none"}, "has no campaign 'none'"),
    ],
)
def test_an_anomaly_that_cannot_be_is_refused(outside: Outside, wrong: dict[str, Any], says: str) -> None:
    good = {"metric": "spend", "start": "2026-11-01", "end": "2026-11-01", "per_mille": 0}
    profile = meta_of(outside.world, "halden")

    with pytest.raises(ValueError, match=says):
        outside.happen("anomaly", {"profile_id": profile.id, **good, **wrong})
    assert outside.state.happenings == []
