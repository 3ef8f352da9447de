"""What a run of the curator asks of the stores: no more than it needs to know what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest

from adweir.model.metrics import SOURCE_ORDER, Grain
from adweir.store.metrics import read
from adweir.store.metrics.ahead import Asked
from adweir.store.metrics.partitions import ItemKey
from adweir.store.metrics.slots import StoredBucket
from adweir.store.raw.store import ObjectInfo
from support.curated_world import CuratedWorld, a_campaign, one_month, three_months
from support.reading_world import ACCOUNT, AD, CAMPAIGN, ONE, account, ad, campaign


def test_whether_anything_changed_is_asked_of_all_series_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world, requests = three_months(), list[int]()
    world.curate()
    get_many = world.stored.table.get_many

    def noted(keys: Iterable[ItemKey]) -> list[Any]:
        listed = list(keys)
        requests.append(len(listed))
        return get_many(listed)

    monkeypatch.setattr(world.stored.table, "get_many", noted)

    world.curate()

    assert requests == [2 * 3 * len(SOURCE_ORDER)]  # levels, months


def test_hours_are_not_looked_for_where_a_breakdown_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    world, looked = one_month(), list[str]()
    world.pull(CAMPAIGN, campaign("c1~US", 4), breakdown="country")
    folders = world.stored.objects.folders

    def noted(prefix: str) -> Iterator[str]:
        looked.append(prefix.rpartition("p1/")[2])
        return folders(prefix)

    monkeypatch.setattr(world.stored.objects, "folders", noted)

    world.curate()

    of_profile = [folder for folder in looked if "direct" not in folder]
    assert of_profile == ["", "account/day/", "account/hour/", "campaign_by_country/day/"]


def test_a_table_of_changes_without_a_new_changes_file_is_looked_for_and_not_read() -> None:
    """Given a month whose object was renamed, then its changes are what they were."""
    world = three_months()
    world.curate()
    before, asked = world.content, len(world.bucket.requests)

    world.listed[0] = a_campaign("c1", "Spring sale")
    world.curate()

    of_changes = [each for each in world.bucket.requests[asked:] if "/changes/" in each]
    assert {each.split()[0] for each in of_changes} == {"HEAD"}
    assert len(of_changes) == 2  # of the campaigns of that month, and of the account
    assert {key for key in world.keys if "/changes/" in key and world.content[key] == before[key]} == {
        key for key in before if "/changes/" in key
    }


def test_changes_of_hours_are_looked_for_on_days_that_have_some(monkeypatch: pytest.MonkeyPatch) -> None:
    world, listed = CuratedWorld(ONE), list[str]()
    hours = ("2026-11-03", "2026-11-10", "2026-11-17")
    for day in hours:
        world.pull(ACCOUNT, account(4, day, hour=9), days=(day, day), grain=Grain.HOUR)
    found = world.stored.objects.list

    def noted(prefix: str, start_after: str = "") -> Iterator[ObjectInfo]:
        listed.append(prefix.rpartition("/hour/")[2])
        return found(prefix, start_after)

    monkeypatch.setattr(world.stored.objects, "list", noted)

    world.curate()

    assert listed == [f"{day}/" for day in hours]
    assert [row["date"].isoformat() for row in world.ask("SELECT date FROM changes ORDER BY date")] == [*hours]


def partitions_read(monkeypatch: pytest.MonkeyPatch) -> tuple[CuratedWorld, Counter[tuple[str, frozenset[str]]]]:
    """A month whose levels have one object each, and how often the buckets of each partition were asked for."""
    world, asked = one_month(), Counter[tuple[str, frozenset[str]]]()
    world.pull(CAMPAIGN, campaign("c1", 4))
    world.pull(AD, ad("a1", 3))
    buckets = world.stored.table.buckets

    def noted(of: Sequence[Asked]) -> Iterator[Iterator[StoredBucket]]:
        asked.update((each.pk, frozenset(each.names)) for each in of)
        return buckets(of)

    monkeypatch.setattr(world.stored.table, "buckets", noted)
    world.curate()
    return world, asked


def test_what_several_levels_of_a_month_rest_on_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    _, asked = partitions_read(monkeypatch)

    assert {key.split("#")[2] for key, _ in asked} == {"account", "campaign", "ad"}
    assert set(asked.values()) == {1}


def test_of_so_many_objects_what_several_levels_rest_on_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given that no bucket is kept, then the tables are the same."""
    world, _ = partitions_read(monkeypatch)
    monkeypatch.setattr(read, "_KEPT_BUCKETS", 0)

    other, asked = partitions_read(monkeypatch)

    assert max(asked.values()) > 1
    assert other.content == world.content
