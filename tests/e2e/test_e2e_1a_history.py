"""History survives what happens on the platforms: every level sums to the platform's own totals, whatever was lost.

The clients of these stories are the awkward ones, which no other story touches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from support.river import PLATFORMS, Client, River, Stored, until

LEVELS = ("ad", "ad_group", "campaign", "account")


@dataclass(frozen=True)
class Before:
    """The awkward clients, synced once, and what was stored then of each ad account."""

    clients: dict[str, Client]
    stored: dict[str, Stored]


@dataclass(frozen=True)
class After:
    """What happened: an ad (group, id) of Kestrel's was deleted, one of Lumen's lost its traffic until a day.

    `empty` is the run of Lumen's that was answered with nothing, `held` what was stored after it.
    """

    deleted: tuple[str, str]
    credited: str
    until: str
    empty: dict[str, Any]
    held: Stored


@pytest.fixture(scope="module")
def span(river: River) -> tuple[str, str]:
    """Days that are over in every time zone: the first hours of a day in UTC are yesterday's in the Americas."""
    return river.day(21), river.day(2)


@pytest.fixture(scope="module")
def before(river: River, span: tuple[str, str]) -> Before:
    """Lumen counts leads, which it says only after its days are stored: they are counted again from what was stored."""
    river.register("kestrel", "lumen")
    clients = {key: river.clients[key] for key in ("kestrel", "lumen")}
    for run_id in [river.begin_sync(client) for client in clients.values()]:
        river.ended(run_id, "succeeded")
    lumen = clients["lumen"].meta
    asked = river.requests()
    purchases = river.stored(lumen, *span)
    change = {"options": {"conversions": ["leads"]}, "replay": True}
    replay = river.api.patch(f"/api/v1/profiles/meta_ads/{lumen}", change)["replay"]["replay_id"]
    until(lambda: river.api.get(f"/api/v1/replays/{replay}")["state"] == "ended", "leads instead of purchases")
    assert not any(row.conversions for row in purchases.values())
    assert river.requests() == asked, "a replay asks the platforms nothing"
    ids = [client.description["profile_ids"] for client in clients.values()]
    profiles = [one for of_client in ids for platform in PLATFORMS for one in of_client.get(platform, ())]
    return Before(clients, {profile_id: river.stored(profile_id, *span) for profile_id in profiles})


@pytest.fixture(scope="module")
def after(river: River, span: tuple[str, str], before: Before) -> After:
    """On Kestrel's Meta account an ad is deleted for good. Lumen's loses traffic, and is once answered with nothing."""
    kestrel, lumen = before.clients["kestrel"], before.clients["lumen"]
    group, ad = most_spent(before.stored[kestrel.meta])[0].split("~")
    river.world.post("delete", {"profile_id": kestrel.meta, "ad_id": ad, "forget": True})
    of_kestrel = river.begin_sync(kestrel)
    credited, until = most_spent(before.stored[lumen.meta])[0], river.day(10)
    of = {"profile_id": lumen.meta, "ad_id": credited.split("~")[1]}
    river.world.post("credit", of | {"start": span[0], "end": until, "keep": 0})
    with river.misbehaving("empty", platform="meta_ads", profile_id=lumen.meta):
        empty = river.sync(lumen, "partial")
        held = river.stored(lumen.meta, *span)
    river.sync(lumen)
    river.ended(of_kestrel, "succeeded")
    return After((group, ad), credited, until, empty, held)


def most_spent(stored: Stored) -> list[str]:
    """Ads by their spend."""
    spent: dict[str, int] = {}
    for (ad, _), row in stored.items():
        spent[ad] = spent.get(ad, 0) + row.spend
    return sorted(spent, key=lambda ad: (-spent[ad], ad))


def rest(river: River, profile_id: str, span: tuple[str, str], name: str) -> list[dict[str, Any]]:
    """The ad rows that carry this flag."""
    filters = {"profile_id": profile_id, "date_range": dict(zip(("start", "end"), span, strict=True))}
    return [row for row in river.api.records("ad_performance", filters) if row.get(name)]


def test_given_deleted_ads_and_spend_without_ads_when_pulled_first_then_every_level_sums_to_the_platforms_totals(
    river: River, span: tuple[str, str], before: Before
) -> None:
    for profile_id in before.stored:
        expected = river.totals(profile_id, *span)
        assert expected
        for level in LEVELS:
            assert river.summed(profile_id, level, *span) == expected, (profile_id, level)
    assert rest(river, before.clients["kestrel"].meta, span, "unattributed")


def test_given_an_ad_that_is_deleted_when_pulled_again_then_its_days_are_kept_and_the_totals_hold(
    river: River, span: tuple[str, str], before: Before, after: After
) -> None:
    meta = before.clients["kestrel"].meta
    kept = {(row["ad_group_id"], row["ad_id"]) for row in rest(river, meta, span, "kept")}
    assert kept == {after.deleted}
    name = "~".join(after.deleted)
    was = {day: row for (ad, day), row in before.stored[meta].items() if ad == name}
    now = {day: row for (ad, day), row in river.stored(meta, *span).items() if ad == name}
    assert now == was != {}
    for level in LEVELS:
        assert river.summed(meta, level, *span) == river.totals(meta, *span), level


def test_given_empty_answers_when_pulled_again_then_nothing_stored_is_lost_and_the_run_says_so(
    river: River, span: tuple[str, str], before: Before, after: After
) -> None:
    lumen = before.clients["lumen"]
    assert {task["error"]["code"] for task in after.empty["failed_tasks"]} == {"mass_vanish"}
    assert after.held == before.stored[lumen.meta]
    for level in LEVELS:
        assert river.summed(lumen.meta, level, *span) == river.totals(lumen.meta, *span), level


def test_given_invalid_traffic_that_is_taken_back_when_pulled_again_then_the_numbers_are_gone(
    river: River, span: tuple[str, str], before: Before, after: After
) -> None:
    """The totals lost it too, so it is a restatement and no deletion."""
    meta = before.clients["lumen"].meta
    assert [day for (ad, day) in before.stored[meta] if ad == after.credited and day <= after.until]
    stored = river.stored(meta, *span)
    assert not [day for (ad, day) in stored if ad == after.credited and day <= after.until]
    assert [day for (ad, day) in stored if ad == after.credited and day > after.until]
    assert not rest(river, meta, span, "kept")


def test_given_a_lost_permission_then_the_profile_says_so_and_its_history_stays(
    river: River, span: tuple[str, str], before: Before
) -> None:
    lumen = before.clients["lumen"]
    stored = river.stored(lumen.meta, *span)
    with river.misbehaving("access_denied", platform="meta_ads", profile_id=lumen.meta):
        river.sync(lumen, "failed")
        assert status(river, lumen.meta) == "denied"
        assert river.stored(lumen.meta, *span) == stored != {}
    river.sync(lumen)
    assert status(river, lumen.meta) == "active"


def status(river: River, profile_id: str) -> str:
    profiles = river.api.get("/api/v1/profiles")["profiles"]
    (found,) = [profile["status"] for profile in profiles if profile["profile_id"] == profile_id]
    return str(found)
