"""Files as other tools export them, dropped: the receipt, what is stored, the same file again, an older one too late.

The client's ad accounts and campaigns are listed, as a pull leaves them.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from adweir.model.data_types import DATA_TYPES, StoredAs
from adweir.model.entities import AdCampaign, ProfileStatus
from adweir.model.metrics import Grain, Level, Series
from adweir.model.platforms import Platform
from adweir.model.times import Window, iso
from sandbox.exports import Export, ad_exports, fivetran, shop_exports
from sandbox.outside import Outside
from sandbox.platforms import everyone, population
from sandbox.world import Company
from support.clock import FrozenClock
from support.load_world import META, LoadWorld

ANCHOR = date(2026, 11, 21)
DAYS = Window(ANCHOR - timedelta(days=4), ANCHOR - timedelta(days=3))


class _Files(NamedTuple):
    company: Company
    exports: Mapping[str, Export]


@pytest.fixture(scope="module")
def files() -> _Files:
    world = Outside(anchor=ANCHOR, population=population(everyone())).world
    of = (world, world.companies[0], DAYS.start, DAYS.end)
    exports = {each.key: each for each in (*ad_exports(*of), *shop_exports(*of))}
    return _Files(of[1], exports)


@pytest.fixture
def client(tables: None, files: _Files) -> LoadWorld:
    """The client `acme` has the company's ad accounts with their campaigns, and Google's time zone."""
    world = LoadWorld(FrozenClock(datetime(2026, 11, 21, 12, tzinfo=UTC)), "adweir-data")
    world.catalog.mark_profile(META, "1", ProfileStatus.REMOVED)
    world.catalog.update_account("acme", timezone=files.company.on("google_ads")[0].timezone, currency="USD")
    for profile in files.company.profiles:
        platform = Platform(profile.platform)
        world.add_profile(
            profile.id, platform=platform, name=profile.name, currency=profile.currency, timezone=profile.timezone
        )
        campaigns = [
            AdCampaign(platform=platform, profile_id=profile.id, id=one.id, campaign_id=one.id, name=one.name)
            for one in profile.campaigns
        ]
        world.catalog.put_objects(campaigns, iso(world.clock.now()))
    return world


def receipts_of(world: LoadWorld, key: str) -> list[dict[str, Any]]:
    """The receipts of a file, whatever its version."""
    found = world.raw.list(f"receipts/drops/acme/{key}.")
    return [json.loads(world.raw.get_bytes(each.key)) for each in found]


def platforms_of(export: Export) -> set[str]:
    """Whose numbers the file has."""
    return {"fivetran": set(fivetran.PLATFORMS), "adweir/metrics": {"google_ads"}}.get(
        export.source if export.source == "fivetran" else f"{export.source}/{export.data_type}", {export.source}
    )


def stored(world: LoadWorld, export: Export) -> dict[date, list[int]]:
    """Per day: impressions, clicks, spend, conversions and revenue at the export's level; what is unknown is 0."""
    level = DATA_TYPES[export.data_type].level or Level.CAMPAIGN
    about = {row.entity for row in export.truth} if DATA_TYPES[export.data_type].stored_as is StoredAs.ADS else None
    sums: dict[date, list[int]] = {}
    for profile in world.catalog.profiles("acme"):
        if str(profile.platform) not in platforms_of(export):
            continue
        for row in world.metrics.read(Series(profile.platform, profile.profile_id, level, Grain.DAY), DAYS):
            if about is not None and row.entity_id not in about:
                continue
            impressions, clicks, conversions, spend, revenue = row.slot
            numbers = sums.setdefault(date.fromisoformat(str(row.day)), [0] * 5)
            for place, value in enumerate((impressions, clicks, spend, conversions, revenue)):
                numbers[place] += value or 0
    return sums


def true(export: Export) -> dict[date, list[int]]:
    """The same of the export's truth."""
    sums: dict[date, list[int]] = {}
    for row in export.truth:
        numbers = sums.setdefault(row.day, [0] * 5)
        for place, value in enumerate((row.impressions, row.clicks, row.spend, row.conversions, row.revenue)):
            numbers[place] += value or 0
    return sums


def named(key: str, prefix: str) -> str:
    """The same place, another name."""
    folder, _, name = key.rpartition("/")
    return f"{folder}/{prefix}-{name}"


def everything(world: LoadWorld, files: _Files) -> list[dict[date, list[int]]]:
    """What is stored of every source and level, once."""
    one_of_each = {(export.source, export.data_type): export for export in files.exports.values()}
    return [stored(world, export) for export in one_of_each.values()]


def test_given_each_tools_file_when_it_is_dropped_twice_then_its_truth_is_stored_once_and_receipts_say_so(
    client: LoadWorld, files: _Files
) -> None:
    for key, export in files.exports.items():
        # when
        client.arrive(f"drops/acme/{key}", export.body)

        # then
        (receipt,) = receipts_of(client, key)
        assert (receipt["state"], receipt["rows_quarantined"]) == ("loaded", 0), key
        assert receipt["rows_stored"] > 0
        assert stored(client, export) == true(export), key

    # given
    before = everything(client, files)

    # when
    for key, export in files.exports.items():
        client.arrive(f"drops/acme/{named(key, 'again')}", export.body)

    # then
    assert {receipts_of(client, named(key, "again"))[0]["state"] for key in files.exports} == {"duplicate"}
    assert everything(client, files) == before


@pytest.mark.parametrize(
    "key",
    [
        "google_ads/campaign_performance/Kampagnenbericht.csv",
        "twitter_ads/campaign_performance/campaign_report.csv",
        "shopify/orders/orders_export_1.csv",
    ],
)
def test_given_an_older_export_of_the_same_days_when_it_is_loaded_after_the_newer_one_then_the_newer_one_stays(
    client: LoadWorld, files: _Files, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    # given a bucket that says when each object was written: the older export first
    export = files.exports[key]
    mark = "\n".encode("utf-16-le" if export.body.startswith(b"\xff\xfe") else "utf-8")
    lines = export.body.split(mark)
    older = mark.join([*lines[: len(lines) * 2 // 3], b""])
    written = {f"drops/acme/{named(key, 'older')}": 0, f"drops/acme/{key}": 3600}
    head = client.raw.head
    began = client.clock.now()

    def at(name: str, *version: Any) -> Any:
        return head(name, *version)._replace(last_modified=began + timedelta(seconds=written[name]))

    monkeypatch.setattr(client.raw, "head", at)

    # when they are loaded in the other order
    client.arrive(f"drops/acme/{key}", export.body)
    client.arrive(f"drops/acme/{named(key, 'older')}", older)

    # then
    assert receipts_of(client, named(key, "older"))[0]["state"] == "loaded"
    assert stored(client, export) == true(export)


def test_given_orders_of_people_when_they_are_loaded_then_nothing_that_is_kept_names_one(
    client: LoadWorld, files: _Files
) -> None:
    export = files.exports["shopify/orders/orders_export_1.csv"]
    spoilt = export.body.replace(b"2026-11-18 ", b"2026-13-18 ")
    client.arrive(f"drops/acme/{export.key}", spoilt)
    (receipt,) = receipts_of(client, export.key)
    assert receipt["rows_quarantined"] > 0
    kept = [info.key for info in client.raw.list("") if not info.key.startswith("drops/")]
    assert any(key.startswith("quarantine/") for key in kept)
    for key in kept:
        data = client.raw.get_bytes(key)
        text = gzip.decompress(data) if key.endswith(".gz") else data
        assert b"@example.com" not in text, key
        assert b"Example Road" not in text, key
