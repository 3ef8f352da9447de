"""Files as other tools export them, read by the built-in mappings: what is made of them is the world's truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

import pytest

from adweir.model.data_types import DATA_TYPES
from adweir.model.metrics import BadRow
from adweir.model.platforms import Platform
from adweir.platforms import REGISTRY
from adweir.platforms.files import builtin
from adweir.platforms.files.data_types import rows_of
from adweir.platforms.files.file_rows import FileContext, NamedObject
from adweir.platforms.files.normalize import DropRow, Target
from adweir.platforms.files.reading import FileReader, own_metrics
from sandbox.exports import Export, TrueRow, ad_exports, shop_exports
from sandbox.outside import Outside
from sandbox.platforms import everyone, population
from sandbox.world import Company, WorldCampaign, WorldProfile
from support import dropped
from support.platform_server import ANCHOR

START, END = ANCHOR - timedelta(days=4), ANCHOR - timedelta(days=3)
KEYS = (
    "adweir/metrics/own.csv",
    "adweir/orders/orders.csv",
    "fivetran/campaign_performance/ad_reporting__campaign_report.csv",
    "google_ads/campaign_performance/Campaign report.csv",
    "google_ads/campaign_performance/Kampagnenbericht.csv",
    "meta_ads/campaign_performance/Ads-Manager-Campaigns.csv",
    "meta_ads/campaign_performance/Werbeanzeigenmanager-Kampagnen.csv",
    "microsoft_ads/campaign_performance/Campaigns.csv",
    "amazon_ads/campaign_performance/Gesponserte Produkte Beworbenes Produkt Bericht.csv",
    "microsoft_ads/campaign_performance/campaign_performance_daily_report.csv",
    "linkedin_ads/ad_group_performance/ad_analytics_by_campaign.csv",
    "pinterest_ads/campaign_performance/campaign_report.csv",
    "snapchat_ads/campaign_performance/campaign_hourly_report.csv",
    "reddit_ads/campaign_performance/campaign_report.csv",
    "twitter_ads/campaign_performance/campaign_report.csv",
    "apple_search_ads/campaign_performance/campaign_report.csv",
    "shopify/orders/orders_export_1.csv",
    f"hubspot/deals/hubspot-crm-exports-all-deals-{END}.csv",
    "salesforce/deals/opportunities.csv",
    "salesforce/deals/report.csv",
    "ga4/web_analytics/Traffic_acquisition_Session_campaign.csv",
)


class _Exported(NamedTuple):
    company: Company
    files: Mapping[str, Export]


@pytest.fixture(scope="module", params=[0, 1], ids=["halden", "mori"])
def exported(request: pytest.FixtureRequest) -> _Exported:
    world = Outside(anchor=ANCHOR, population=population(everyone())).world
    of = (world, world.companies[request.param], START, END)
    return _Exported(of[1], {each.key: each for each in (*ad_exports(*of), *shop_exports(*of))})


class Listed:
    """What is stored of a company that was synchronized: its ad accounts and their campaigns."""

    def __init__(self, company: Company) -> None:
        self._company = company

    def only_profile(self, platform: Platform, named: str = "") -> str:
        found = [one for one in self._company.on(platform) if named in ("", one.id, one.name)]
        return found[0].id if len(found) == 1 else ""

    def timezone(self, target: Target) -> str:
        return next((one.timezone for one in self._company.profiles if one.id == target.profile_id), "")

    def currency(self, target: Target) -> str:
        return next((one.currency for one in self._company.profiles if one.id == target.profile_id), "")

    def campaign(self, text: str, platform: str = "") -> NamedObject | None:
        found = [one for one in self._campaigns() if text in (one[1].name, one[1].id)]
        return NamedObject(Platform(found[0][0].platform), found[0][1].id) if len(found) == 1 else None

    def object_id(self, target: Target, parent: str, name: str) -> str:
        del parent
        found = [c.id for profile, c in self._campaigns() if profile.id == target.profile_id and c.name == name]
        return found[0] if len(found) == 1 else ""

    def ad_group(self, target: Target, own_id: str) -> str:
        del target, own_id
        return ""

    def _campaigns(self) -> Iterator[tuple[WorldProfile, WorldCampaign]]:
        return ((profile, campaign) for profile in self._company.profiles for campaign in profile.campaigns)


def read(company: Company, export: Export) -> list[DropRow | BadRow]:
    """What the file becomes when it is dropped by the client, with its time zone that of its shop."""
    if export.data_type == "metrics":
        reader = own_metrics(REGISTRY.parse)
    else:
        mapping = builtin.find(export.source, export.data_type)
        assert mapping is not None
        known = {str(name) for name in REGISTRY}
        context = FileContext(
            Platform(export.source),
            "direct~acc_1",
            company.on("google_ads")[0].timezone,
            REGISTRY.parse,
            known.__contains__,
            Listed(company),
        )
        data_type = DATA_TYPES[export.data_type]
        reader = FileReader.mapped(
            mapping, lambda: rows_of(data_type, context, adds_up=mapping.adds_up), personal=data_type.personal
        )
    return dropped.rows_of(export.body, reader)


def by_day(rows: list[TrueRow]) -> dict[object, list[int | None]]:
    """The five numbers per day, added up."""
    sums: dict[object, list[int | None]] = {}
    for row in rows:
        numbers = sums.setdefault(row.day, [None] * 5)
        for place, value in enumerate(row[2:7]):
            if isinstance(value, int):
                numbers[place] = (numbers[place] or 0) + value
    return sums


def as_true(found: DropRow) -> TrueRow:
    row = found.row
    return TrueRow(
        date.fromisoformat(row.day), row.entity_id, row.impressions, row.clicks, row.spend, row.conversions, row.revenue
    )


@pytest.mark.parametrize("key", KEYS)
def test_what_a_file_becomes_is_the_truth_of_each_day(exported: _Exported, key: str) -> None:
    # given
    export = exported.files[key]

    # when
    found = read(exported.company, export)

    # then
    rows = [each for each in found if isinstance(each, DropRow)]
    assert not [each for each in found if isinstance(each, BadRow)][:2]
    assert by_day([as_true(each) for each in rows]) == by_day(list(export.truth))
    if export.data_type.startswith(("campaign", "ad_group", "metrics")):
        assert {(as_true(each)) for each in rows} == set(export.truth)


def test_every_export_is_read(exported: _Exported) -> None:
    assert set(KEYS) == set(exported.files)


def test_given_orders_of_people_when_a_row_cannot_be_stored_then_nobody_is_named_in_what_is_kept_of_it(
    exported: _Exported,
) -> None:
    # given
    export = exported.files["shopify/orders/orders_export_1.csv"]
    spoilt = replace(export, body=export.body.replace(b"2026-11-17 ", b"2026-13-17 "))

    # when
    bad = [each for each in read(exported.company, spoilt) if isinstance(each, BadRow)]

    # then
    assert bad
    assert not any(b"@" in str(each).encode() or "Example Road" in str(each) for each in bad)
