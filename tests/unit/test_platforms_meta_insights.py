"""What Meta's insights are asked for, and how the answers of each level, hour and breakdown are read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.adsinsights import AdsInsights
from facebook_business.adobjects.campaign import Campaign

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.metrics import BadRow, MetricRow
from adweir.model.platforms import Platform
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.connector import Connector, Mode
from adweir.platforms.meta import client as meta
from adweir.platforms.meta import wire
from adweir.platforms.meta.normalize import NORMALIZER
from support.meta_wire import context, insight, page, stored
from support.platforms import META_ADS, wiring
from support.stub_http import Answer, StubServer, serving

HOUR = "hourly_stats_aggregated_by_advertiser_time_zone"
CREDENTIAL = Credential(account_id="acme", platform=Platform("meta_ads"), secret_id="s")
METRICS = [dataset for dataset in REGISTRY.datasets(META_ADS) if dataset.grain]
BREAKDOWNS = [dataset for dataset in METRICS if dataset.breakdown]


def task(dataset: Dataset, window: str = "2026-11-01..2026-11-07") -> Task:
    return Task("r", "s", "acme", META_ADS, "1234567890", dataset, "all", Window.parse(window), deadline=0)


@pytest.fixture
def server() -> Iterator[StubServer]:
    with serving() as stub:
        stub.route = lambda call: Answer(200, {"report_run_id": "6"} if call.method == "POST" else page([]))
        yield stub


@pytest.fixture
def connector(server: StubServer, clock: Any) -> Iterator[Connector]:
    with requests.Session() as session:
        wired = wiring(META_ADS, session, clock, urls={"api": server.url})
        yield meta.connect(credential=CREDENTIAL, secret={"access_token": "EAAG"}, wiring=wired)


def read(dataset: Dataset, *rows: dict[str, Any]) -> tuple[list[MetricRow], list[BadRow]]:
    (batch,) = NORMALIZER.metric_batches(stored(page(rows)), context(dataset))
    return list(batch.rows), batch.bad


def test_every_level_is_pulled_because_none_sums_to_its_parent() -> None:
    specs = REGISTRY.datasets(META_ADS)
    assert {Dataset.ACCOUNT_DAILY, Dataset.CAMPAIGN_DAILY, Dataset.AD_GROUP_DAILY, Dataset.AD_DAILY} <= set(specs)
    assert not any(spec.sums_to_parent for spec in specs.values())
    assert [dataset for dataset, spec in specs.items() if spec.on_request] == BREAKDOWNS


@pytest.mark.parametrize("dataset", METRICS)
def test_rows_of_deleted_and_archived_objects_are_asked_for(
    connector: Connector, server: StubServer, dataset: Dataset
) -> None:
    # when a dataset is asked for as pages and as a job
    list(connector.pages(task(dataset)))
    connector.create_report(task(dataset))
    asked, job = server.calls[0].query, server.calls[1].form
    # then the filter names the status field of its own level, and every status; the account has no filter
    level = {"ad_group": "adset"}.get(dataset.level, str(dataset.level))
    assert asked["level"] == job["level"] == level
    if level == "account":
        assert "filtering" not in asked | job
        return
    (filtering,) = json.loads(asked["filtering"])
    assert job["filtering"] == asked["filtering"]
    assert (filtering["field"], filtering["operator"]) == (f"{level}.effective_status", "IN")
    assert {"DELETED", "ARCHIVED", "ACTIVE", "PAUSED"} <= set(filtering["value"])


def test_the_statuses_are_those_of_the_official_sdk() -> None:
    for level, kind in (("campaign", Campaign), ("adset", AdSet), ("ad", Ad)):
        known = {name for name in vars(kind.EffectiveStatus).values() if str(name).isupper()}
        assert set(wire.STATUSES[level]) == known
        assert set(wire.listed_statuses(level)) == known - {"DELETED"}


@pytest.mark.parametrize("dataset", BREAKDOWNS)
def test_a_breakdown_is_asked_for_by_meta_s_names(connector: Connector, server: StubServer, dataset: Dataset) -> None:
    list(connector.pages(task(dataset)))
    connector.create_report(task(dataset))
    names = server.calls[0].query["breakdowns"].split(",")
    assert json.loads(server.calls[1].form["breakdowns"]) == names
    assert set(names) <= set(vars(AdsInsights.Breakdowns).values())


def test_breakdowns_of_several_days_are_jobs_and_account_days_never(connector: Connector) -> None:
    one, month = "2026-11-01..2026-11-01", "2026-11-01..2026-11-28"
    assert connector.mode(task(Dataset.ACCOUNT_DAILY, month)) is Mode.PAGES
    assert connector.mode(task(Dataset.CAMPAIGN_DAILY, month)) is Mode.REPORT
    assert connector.mode(task(Dataset.AD_BY_COUNTRY_DAILY)) is Mode.REPORT
    assert connector.mode(task(Dataset.AD_BY_COUNTRY_DAILY, one)) is Mode.PAGES


@pytest.mark.parametrize(
    ("dataset", "values", "entity"),
    [
        (Dataset.AD_BY_AGE_GENDER_DAILY, {"age": "25-34", "gender": "female"}, "222~333~25-34/female"),
        (Dataset.AD_BY_COUNTRY_DAILY, {"country": "US"}, "222~333~US"),
        (Dataset.AD_BY_REGION_DAILY, {"region": "Île-de-France"}, "222~333~Île-de-France"),
        (Dataset.AD_BY_DEVICE_DAILY, {"device_platform": "mobile_app"}, "222~333~mobile_app"),
        (
            Dataset.AD_BY_PLACEMENT_DAILY,
            {"publisher_platform": "instagram", "platform_position": "instagram_stories"},
            "222~333~instagram/instagram_stories",
        ),
    ],
)
def test_a_breakdown_s_entity_is_its_ad_and_its_value(dataset: Dataset, values: dict[str, str], entity: str) -> None:
    wrong = insight(spend="x", **values)
    (row,), (bad,) = read(dataset, insight(**values), wrong)
    assert (row.entity_id, row.campaign_id, row.ad_group_id) == (entity, "111", "222")
    assert (bad.entity_id, bad.day) == (entity, "2026-11-01")
    assert (bad.campaign_id, bad.ad_group_id) == ("111", "222")


def test_a_campaign_s_region_has_no_ad_group_and_no_conversions_off_meta() -> None:
    row = insight(region="Île-de-France", actions=[{"action_type": "omni_purchase", "value": "3"}])
    del row["adset_id"], row["ad_id"]
    (found,), _ = read(Dataset.CAMPAIGN_BY_REGION_DAILY, row)
    assert (found.entity_id, found.campaign_id, found.ad_group_id) == ("111~Île-de-France", "111", "")
    assert (found.conversions, found.revenue) == (None, None)


@pytest.mark.parametrize(
    ("dataset", "key"),
    [(Dataset.CAMPAIGN_HOURLY, {HOUR: "13:00:00 - 13:59:59"}), (Dataset.AD_BY_REGION_DAILY, {"region": "Ohio"})],
)
def test_hours_and_regions_have_no_off_meta_actions_so_conversions_are_unknown(
    dataset: Dataset, key: dict[str, str]
) -> None:
    (silent, spoken), _ = read(
        dataset, insight(actions=None, action_values=None, **key), insight(campaign_id="112", ad_id="334", **key)
    )
    assert silent.slot == spoken.slot == (1200, 34, None, 45_670_000, None)


@pytest.mark.parametrize("dataset", [Dataset.CAMPAIGN_HOURLY, Dataset.AD_BY_COUNTRY_DAILY])
def test_a_row_without_its_hour_or_value_counts_only_where_it_delivered(dataset: Dataset) -> None:
    # given rows that do not say which hour or country: one of an entity that did not deliver, one with delivery
    idle = insight(impressions="0", clicks="0", spend="0", actions=None, action_values=None)
    rows, bad = read(dataset, idle, insight(), insight(spend="0.00", impressions=None, clicks=None))
    # then the first is nothing, and the second is held back, so that no hour of that day becomes zero
    assert rows == []
    assert [(b.line, b.errors[0]["message"]) for b in bad] == [(2, "is missing")]
    assert bad[0].entity_id == ("111" if dataset.grain == "hour" else "")
    # and also where the page has a row that is read by itself
    rows, bad = read(dataset, idle, insight(spend=1))
    assert (rows, [b.line for b in bad]) == ([], [2])
