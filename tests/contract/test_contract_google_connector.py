"""Everything that Google's SPEC names is pulled from the sandbox and read, and each level is the world's truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import ProfileStatus, Status
from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    RequestRejected,
    Throttled,
    ThrottleScope,
    TooMuchData,
    Transient,
)
from adweir.model.metrics import MetricRow, Slot
from adweir.model.times import Window
from adweir.platforms.google_ads import SPEC
from adweir.platforms.google_ads.rows import ASSET_GROUP
from sandbox.platforms.google_ads.geography import REGIONS
from sandbox.server import PlatformServer
from sandbox.world.located import located_truth
from support.google_wire import GOOGLE_ADS
from support.platform_server import running, truth
from support.puller import Puller

WEEKS = Window(date(2026, 11, 7), date(2026, 11, 20))
LEVELS = (
    Dataset.ACCOUNT_DAILY,
    Dataset.CAMPAIGN_DAILY,
    Dataset.AD_GROUP_DAILY,
    Dataset.AD_DAILY,
    Dataset.KEYWORD_DAILY,
)
NUMBERS = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with running() as started:
        yield started


@pytest.fixture(params=[0, 1], ids=["through a manager", "directly"])
def puller(server: PlatformServer, request: pytest.FixtureRequest) -> Iterator[Puller]:
    with requests.Session() as session:
        yield Puller(server, GOOGLE_ADS, request.param, session, WEEKS)


@pytest.fixture
def direct(server: PlatformServer) -> Iterator[Puller]:
    with requests.Session() as session:
        yield Puller(server, GOOGLE_ADS, 1, session, WEEKS)


def expected(server: PlatformServer, puller: Puller, level: str) -> dict[tuple[str, str], Slot]:
    found = truth(server, puller.profile, *WEEKS, level).items()
    return {key: tuple(row[name] for name in NUMBERS) for key, row in found}


def sums(rows: list[MetricRow], named: Any) -> dict[Any, list[int]]:
    """Impressions, clicks and spend by what `named` makes of a row."""
    found: defaultdict[Any, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        numbers = (row.impressions or 0, row.clicks or 0, row.spend or 0)
        found[named(row)] = [one + other for one, other in zip(found[named(row)], numbers, strict=True)]
    return dict(found)


@pytest.mark.parametrize("dataset", LEVELS)
def test_each_level_is_the_truth(server: PlatformServer, puller: Puller, dataset: Dataset) -> None:
    pulled = puller.pull(dataset)
    found = {(row.entity_id, row.day): row.slot for row in pulled.rows() if not row.entity_id.startswith(ASSET_GROUP)}
    assert found == expected(server, puller, dataset.level) != {}
    assert [last for _, _, last in pulled.pages] == [False] * (len(pulled.pages) - 1) + [True]


def test_performance_max_spends_in_campaigns_and_asset_groups_and_in_no_ad(puller: Puller) -> None:
    campaigns = {one.id for one in puller.pull(Dataset.CAMPAIGNS).objects() if one.objective == "performance_max"}
    groups = puller.pull(Dataset.AD_GROUP_DAILY).rows()
    of_assets = [row for row in groups if row.entity_id.startswith(ASSET_GROUP)]
    listed = {one.id for one in puller.pull(Dataset.AD_GROUPS).objects()}
    assert campaigns == {row.campaign_id for row in of_assets} != set()
    assert {row.entity_id for row in of_assets} <= listed
    assert not campaigns & {row.campaign_id for row in puller.pull(Dataset.AD_DAILY).rows()}
    assert not campaigns & {row.campaign_id for row in groups if row not in of_assets}
    own = sums(puller.pull(Dataset.CAMPAIGN_DAILY).rows(), lambda row: row.campaign_id)
    for campaign, parts in sums(of_assets, lambda row: row.campaign_id).items():
        assert all(0 < part <= whole for part, whole in zip(parts, own[campaign], strict=True))


@pytest.mark.parametrize("dataset", [Dataset.CAMPAIGN_BY_DEVICE_DAILY, Dataset.CAMPAIGN_BY_PLACEMENT_DAILY])
def test_segments_of_a_campaign_add_up_to_it(puller: Puller, dataset: Dataset) -> None:
    def of_campaign(row: MetricRow) -> tuple[str, str]:
        return row.campaign_id, row.day

    whole = sums(puller.pull(Dataset.CAMPAIGN_DAILY).rows(), of_campaign)
    assert sums(puller.pull(dataset).rows(), of_campaign) == whole


def test_terms_by_campaign_are_those_of_ad_groups_and_performance_max_s(puller: Puller) -> None:
    def named(row: MetricRow) -> tuple[str, str, str]:
        return row.campaign_id, row.entity_id.partition("~")[2], row.day

    pmax = {one.id for one in puller.pull(Dataset.CAMPAIGNS).objects() if one.objective == "performance_max"}
    of_groups = sums(puller.pull(Dataset.AD_GROUP_BY_SEARCH_TERM_DAILY).rows(), named)
    rows = puller.pull(Dataset.CAMPAIGN_BY_SEARCH_TERM_DAILY).rows()
    assert sums([row for row in rows if row.campaign_id not in pmax], named) == of_groups != {}
    assert {row.campaign_id for row in rows} & pmax == pmax != set()


@pytest.mark.parametrize("dataset", [spec for spec in SPEC.datasets if spec.grain])
def test_every_dataset_of_metrics_brings_rows_of_distinct_keys(puller: Puller, dataset: Dataset) -> None:
    rows = puller.pull(dataset).rows()
    keys = [(row.entity_id, row.day, row.hour) for row in rows]
    assert len(keys) == len(set(keys)) > 0
    assert all(row.currency == puller.profile.currency for row in rows)
    if not dataset.breakdown:
        assert {row.spend is None for row in rows} == {False}


def test_hours_add_up_to_the_day(puller: Puller) -> None:
    def of_day(row: MetricRow) -> tuple[str, str]:
        return row.entity_id, row.day

    for hourly, daily in (
        (Dataset.ACCOUNT_HOURLY, Dataset.ACCOUNT_DAILY),
        (Dataset.CAMPAIGN_HOURLY, Dataset.CAMPAIGN_DAILY),
    ):
        assert sums(puller.pull(hourly).rows(), of_day) == sums(puller.pull(daily).rows(), of_day)


def test_conversions_of_all_actions_are_another_reading_of_the_same_bytes(puller: Puller) -> None:
    pulled = puller.pull(Dataset.CAMPAIGN_DAILY)
    own, every = pulled.rows(), pulled.rows(conversions="all_conversions")
    pairs = [(one.conversions or 0, other.conversions or 0) for one, other in zip(own, every, strict=True)]
    assert all(one <= other for one, other in pairs)
    assert sum(one for one, _ in pairs) < sum(other for _, other in pairs)
    assert [row.spend for row in own] == [row.spend for row in every]


def test_regions_are_named_and_leave_the_campaign_what_has_none(puller: Puller) -> None:
    def of_campaign(row: MetricRow) -> tuple[str, str]:
        return row.campaign_id, row.day

    rows = puller.pull(Dataset.CAMPAIGN_BY_REGION_DAILY).rows()
    names = {row.entity_id.partition("~")[2] for row in rows}
    assert not any(name.isdecimal() for name in names)
    assert len(names) > 1
    whole = sums(puller.pull(Dataset.CAMPAIGN_DAILY).rows(), of_campaign)
    parts = sums(rows, of_campaign)
    assert all(0 <= part <= all_ for key, of in parts.items() for part, all_ in zip(of, whole[key], strict=True))
    assert 0 < sum(of[2] for of in parts.values()) < sum(of[2] for of in whole.values())


@pytest.mark.parametrize("dataset", LEVELS)
def test_conversions_of_every_action_are_the_column(direct: Puller, dataset: Dataset) -> None:
    of_actions = direct.pull(Dataset.CAMPAIGN_BY_CONVERSION_ACTION_DAILY).rows(conversions="all_conversions")
    actions = sorted({row.entity_id.partition("~")[2].partition("/")[0] for row in of_actions})
    assert len(actions) > 1
    chosen: dict[str, Any] = {"conversions": "all_conversions", "actions": actions}
    plain = direct.pull(dataset).rows(conversions="all_conversions")
    found = {(row.entity_id, row.day): row.slot for row in direct.pull(dataset, **chosen).rows(**chosen)}
    assert {(row.entity_id, row.day): row.slot for row in plain}.items() <= found.items()


def test_another_action_is_another_reading_of_the_same_bytes(puller: Puller) -> None:
    of_actions: defaultdict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    for row in puller.pull(Dataset.CAMPAIGN_BY_CONVERSION_ACTION_DAILY).rows():
        of_actions[row.entity_id.partition("/")[2]][row.campaign_id, row.day] = row.conversions or 0
    pulled = puller.pull(Dataset.CAMPAIGN_DAILY, actions=["any"])
    for name, expected_of in of_actions.items():
        found = {(row.entity_id, row.day): row.conversions for row in pulled.rows(actions=[name])}
        assert {key: number for key, number in found.items() if number} == {k: n for k, n in expected_of.items() if n}
    whole = {(row.entity_id, row.day): row.slot for row in puller.pull(Dataset.CAMPAIGN_DAILY).rows()}
    assert {(row.entity_id, row.day): row.slot for row in pulled.rows()} == whole


def test_by_the_day_of_the_conversion_all_conversions_come_on_other_days(puller: Puller) -> None:
    pulled = puller.pull(Dataset.CAMPAIGN_DAILY, clock="conversion")
    own, dated = pulled.rows(), pulled.rows(clock="conversion")
    spent = [sums([row for row in rows if row.impressions], lambda row: row.campaign_id) for rows in (own, dated)]
    assert spent[0] == spent[1] != {}
    by_day = [{(row.entity_id, row.day): row.conversions for row in rows} for rows in (own, dated)]
    assert by_day[0] != by_day[1]
    assert all(row.conversions is not None for row in dated)


OBJECTS = [each for each in SPEC.datasets if not each.grain and each is not Dataset.INVOICES]


@pytest.mark.parametrize("dataset", OBJECTS)
def test_every_dataset_of_objects_brings_some(puller: Puller, dataset: Dataset) -> None:
    found = puller.pull(dataset).objects()
    assert found or dataset is Dataset.CHANGES
    assert not any(getattr(one, "status", None) is Status.UNKNOWN for one in found if dataset is not Dataset.CHANGES)


def test_ads_show_what_their_kind_has(puller: Puller) -> None:
    ads = puller.pull(Dataset.ADS).objects()
    listed, with_ads = {f"{ad.ad_group_id}~{ad.id}" for ad in ads}, {ad.campaign_id for ad in ads}
    assert listed == {f"{group.id}~{ad.id}" for campaign, group, ad in puller.profile.ads() if campaign.id in with_ads}
    # Google makes the text and the page of dynamic search ads and shopping ads itself
    assert all(ad.landing_page_url or not ad.headline for ad in ads)
    assert all(any(getattr(ad, name) for ad in ads) for name in ("headline", "description", "cta", "relevance_score"))
    assert any(ad.image_url and ad.image_url.startswith("http") for ad in ads)
    assert any(ad.video_url and ad.video_url.startswith("https://www.youtube.com/watch?v=") for ad in ads)


def test_what_asset_groups_show_and_the_account_s_images_and_videos_are_its_creatives(puller: Puller) -> None:
    found = puller.pull(Dataset.CREATIVES).objects()
    groups = {one.id for one in puller.pull(Dataset.AD_GROUPS).objects() if one.id.startswith(ASSET_GROUP)}
    shown = [one for one in found if one.kind == "asset_group"]
    assert {one.id for one in shown} == groups != set()
    assert all(one.headline and one.description and one.landing_page_url for one in shown)
    assert all(one.image_url.startswith("http") and "youtube.com" in one.video_url for one in shown)
    assert {one.kind for one in found} == {"asset_group", "image", "youtube_video"}
    assert all(bool(one.image_url) != bool(one.video_url) for one in found if one not in shown)


def test_accounts_below_managers_are_listed_once_each_with_a_way(puller: Puller) -> None:
    listed = puller.pull(Dataset.PROFILES).objects()
    own = {each.profile_id: each for each in listed}
    assert own[puller.profile.id].status is ProfileStatus.ACTIVE
    assert own[puller.profile.id].currency == puller.profile.currency
    assert own[puller.profile.id].timezone == puller.profile.timezone
    assert {each.status for each in listed if each.status_raw == "CANCELED"} <= {ProfileStatus.REMOVED}


def test_a_removed_ad_keeps_its_rows(server: PlatformServer, puller: Puller) -> None:
    before = expected(server, puller, "ad")
    gone = min(before)[0]
    server.outside.happen("delete", {"profile_id": puller.profile.id, "ad_id": gone.partition("~")[2]})
    rows = puller.pull(Dataset.AD_DAILY).rows()
    assert {(row.entity_id, row.day): row.slot for row in rows} == expected(server, puller, "ad")
    assert gone in {row.entity_id for row in rows}
    listed = {f"{ad.ad_group_id}~{ad.id}": ad.status for ad in puller.pull(Dataset.ADS).objects()}
    assert listed.get(gone, Status.REMOVED) is Status.REMOVED


def test_what_happened_to_an_ad_lately_names_its_campaign(server: PlatformServer, puller: Puller) -> None:
    campaign, _, ad = next(iter(puller.profile.ads()))
    server.outside.happen("delete", {"profile_id": puller.profile.id, "ad_id": ad.id})
    puller._clock.advance((server.outside.world.now - puller._clock.now()).total_seconds())
    assert {one.id for one in puller.pull(Dataset.CHANGES).objects()} & {campaign.id, ""}


def test_regions_are_the_truth(server: PlatformServer, direct: Puller) -> None:
    world = server.outside.world
    expected_of = {
        (f"{row['entity_id']}~{REGIONS[row['region']].name}", row["date"]): tuple(row[name] for name in NUMBERS)
        for row in located_truth(world, direct.profile, *WEEKS, "campaign")
        if row["region"]
    }
    found = {(row.entity_id, row.day): row.slot for row in direct.pull(Dataset.CAMPAIGN_BY_REGION_DAILY).rows()}
    assert found == expected_of != {}


class TestFaults:
    """The connector's answer to each thing that the stand-in can do."""

    @pytest.mark.parametrize(
        ("switch", "error"),
        [
            ({"kind": "throttle", "retry_after": 7}, Throttled),
            ({"kind": "revoked_credential"}, AuthExpired),
            ({"kind": "access_denied"}, AccessDenied),
            ({"kind": "access_denied", "code": "CUSTOMER_NOT_ENABLED"}, AccessDenied),
            ({"kind": "server_error"}, Transient),
            ({"kind": "data_limit", "rows": 10}, TooMuchData),
            ({"kind": "stream_error"}, (Transient, Throttled, TooMuchData)),
            ({"kind": "html"}, Transient),
            ({"kind": "html", "status": 200}, Transient),
            ({"kind": "html", "status": 404}, RequestRejected),
            ({"kind": "truncated_paging"}, Transient),
        ],
    )
    def test_a_fault_has_its_class(
        self, server: PlatformServer, direct: Puller, switch: dict[str, Any], error: type[AdweirError]
    ) -> None:
        server.outside.switches.turn_on(switch | {"platform": str(GOOGLE_ADS)})
        with pytest.raises(error):
            direct.pull(Dataset.AD_DAILY)

    @pytest.mark.parametrize(("scope", "ours"), [("DEVELOPER", ThrottleScope.APP), ("ACCOUNT", ThrottleScope.PROFILE)])
    def test_a_quota_names_its_scope_and_its_delay(
        self, server: PlatformServer, direct: Puller, scope: str, ours: ThrottleScope
    ) -> None:
        server.outside.switches.turn_on({"kind": "throttle", "retry_after": 7, "scope": scope})
        with pytest.raises(Throttled) as caught:
            direct.pull(Dataset.CAMPAIGNS)
        assert (caught.value.retry_after, caught.value.scope) == (7, ours)

    def test_a_token_that_expires_amid_a_run_is_renewed(self, server: PlatformServer, direct: Puller) -> None:
        for dataset in (Dataset.AD_DAILY, Dataset.CAMPAIGNS):
            requests.post(
                f"{server.url}/_world/switches", json={"kind": "expired_token", "platform": "google_ads"}, timeout=5
            )
            assert direct.pull(dataset).pages

    def test_a_new_enum_value_is_a_value(self, server: PlatformServer, direct: Puller) -> None:
        server.outside.switches.turn_on({"kind": "new_value", "platform": "google_ads", "times": 1})
        found = direct.pull(Dataset.CAMPAIGNS).objects()
        assert len(found) == len(direct.pull(Dataset.CAMPAIGNS).objects())

    def test_a_metric_that_is_missing_is_unknown(self, server: PlatformServer, direct: Puller) -> None:
        switch = {"kind": "missing_column", "platform": "google_ads", "field": "metrics.conversions"}
        server.outside.switches.turn_on(switch)
        rows = direct.pull(Dataset.AD_DAILY).rows()
        assert {row.conversions for row in rows} == {None}
        assert {row.spend is None for row in rows} == {False}

    def test_an_empty_answer_is_an_answer(self, server: PlatformServer, direct: Puller) -> None:
        server.outside.switches.turn_on({"kind": "empty", "platform": "google_ads"})
        pulled = direct.pull(Dataset.AD_DAILY)
        assert pulled.rows() == []
        assert pulled.pages[-1][2]
