"""adweir's own connectors and normalizers over the sandbox: what they would store is the world's truth."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.metrics import MetricRow
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import Window, iso
from adweir.platforms import REGISTRY
from adweir.platforms.connector import Connector, Mode, Page, PullContext, ReportState, Wiring
from sandbox.server import PlatformServer
from sandbox.world import WorldProfile
from support.clock import FrozenClock
from support.platform_server import owner, running, truth

WINDOW = Window(date(2026, 11, 1), date(2026, 11, 20))


class Tokens:
    """A token cache of one process."""

    def get(self, key: str, refresh: Callable[[], tuple[str, int]]) -> str:
        return refresh()[0]

    def forget(self, key: str) -> None:
        """Nothing is kept."""


@dataclass
class Raw:
    number: int
    stream: io.BytesIO
    label: str = ""
    media: str = "json"


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with running() as started:
        yield started


def connector(
    server: PlatformServer, platform: Platform, place: int, clock: FrozenClock
) -> tuple[Connector, WorldProfile]:
    company, profile = owner(server, platform, place)
    secret = company.credentials[platform]
    urls = {"api": server.url, "token": f"{server.url}/auth/o2/token"}
    credential = Credential(account_id=company.key, platform=platform, secret_id="s")
    session = requests.Session()
    wiring = Wiring(lambda name, _route: urls[name], session, clock, random.Random(1), Tokens())
    return REGISTRY.connect(credential, secret, wiring), profile


def pull(server: PlatformServer, made: Connector, task: Task) -> list[Page]:
    if made.mode(task) is Mode.PAGES:
        return list(made.pages(task))
    report = made.create_report(task)
    while made.report(task, report.id).state is ReportState.PENDING:
        time.sleep(0.01)
    return list(made.report_pages(task, report.id))


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    ("platform", "slice_"),
    [
        (Platform("meta_ads"), ALL),
        (Platform("amazon_ads"), "sp"),
        (Platform("amazon_ads"), "sb"),
        (Platform("amazon_ads"), "sd"),
    ],
)
def test_what_a_pull_brings_is_the_truth(
    server: PlatformServer, clock: FrozenClock, platform: Platform, slice_: str, place: int
) -> None:
    # given
    made, profile = connector(server, platform, place, clock)
    task = Task(
        run_id="r",
        stage="metrics",
        account_id="a",
        platform=platform,
        profile_id=profile.id,
        dataset=Dataset.AD_DAILY,
        slice=slice_,
        window=WINDOW,
        deadline=0,
        timezone=profile.timezone,
        currency=profile.currency,
    )
    context = PullContext(
        "a",
        profile.id,
        Dataset.AD_DAILY,
        slice_,
        WINDOW,
        iso(clock.now()),
        profile.currency,
        profile.timezone,
        profile.kind,
    )

    # when
    pages = pull(server, made, task)
    rows: list[MetricRow] = []
    for number, page in enumerate(pages):
        for batch in REGISTRY.normalizer(platform).metric_batches(Raw(number, io.BytesIO(page.content())), context):
            assert not batch.bad
            rows += batch.rows

    # then
    expected = {
        key: (r["impressions"], r["clicks"], r["conversions_micros"], r["spend_micros"], r["revenue_micros"])
        for key, r in truth(server, profile, *WINDOW).items()
        if slice_ in (ALL, r["ad_product"])
    }
    assert pages[-1].last
    assert {(r.entity_id, r.day): r.slot for r in rows} == expected
    assert len(rows) == len(expected) > 0


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("platform", [Platform("meta_ads"), Platform("amazon_ads")])
@pytest.mark.parametrize("dataset", [Dataset.CAMPAIGNS, Dataset.AD_GROUPS, Dataset.ADS])
def test_entity_pulls_bring_every_object(
    server: PlatformServer, clock: FrozenClock, platform: Platform, dataset: Dataset, place: int
) -> None:
    # given
    made, profile = connector(server, platform, place, clock)
    found: list[str] = []

    # when
    for slice_ in [ALL] if platform == Platform("meta_ads") else ["sp", "sb", "sd"]:
        task = Task("r", "entities", "a", platform, profile.id, dataset, slice_, None, 0)
        context = PullContext(
            "a", profile.id, dataset, slice_, None, iso(clock.now()), profile.currency, profile.timezone, profile.kind
        )
        for number, page in enumerate(made.pages(task)):
            for batch in REGISTRY.normalizer(platform).object_batches(Raw(number, io.BytesIO(page.content())), context):
                assert not batch.bad
                found += [str(item.model_dump()["id"]) for item in batch.objects]

    # then
    expected = {
        Dataset.CAMPAIGNS: [c.id for c in profile.campaigns],
        Dataset.AD_GROUPS: [g.id for c in profile.campaigns for g in c.groups],
        # A deleted ad is in no listing: what a complete pull does not bring becomes `removed`.
        Dataset.ADS: [a.id for _, _, a in profile.ads() if a.status != "DELETED"],
    }[dataset]
    assert sorted(i.rpartition("~")[2] for i in found) == sorted(expected)


@pytest.mark.parametrize("dataset", [Dataset.CAMPAIGNS, Dataset.AD_GROUPS, Dataset.ADS])
def test_a_campaign_s_slice_brings_its_own_objects_only(
    server: PlatformServer, clock: FrozenClock, dataset: Dataset
) -> None:
    made, profile = connector(server, Platform("meta_ads"), 0, clock)
    campaign = profile.campaigns[1]
    slice_ = f"campaign={campaign.id}"
    task = Task("r", "pulls", "a", Platform("meta_ads"), profile.id, dataset, slice_, None, 0)
    context = PullContext("a", profile.id, dataset, slice_, None, iso(clock.now()), profile.currency, profile.timezone)

    found = [
        item.model_dump()["id"]
        for number, page in enumerate(made.pages(task))
        for batch in REGISTRY.normalizer(Platform("meta_ads")).object_batches(
            Raw(number, io.BytesIO(page.content())), context
        )
        for item in batch.objects
    ]

    expected = {
        Dataset.CAMPAIGNS: [campaign.id],
        Dataset.AD_GROUPS: [group.id for group in campaign.groups],
        Dataset.ADS: [ad.id for parent, _, ad in profile.ads() if parent.id == campaign.id],
    }[dataset]
    assert sorted(found) == sorted(expected)
    assert found


@pytest.mark.parametrize("place", [0, 1])
def test_hourly_pulls_are_the_truth(server: PlatformServer, clock: FrozenClock, place: int) -> None:
    # given
    made, profile = connector(server, Platform("meta_ads"), place, clock)
    window = Window(date(2026, 11, 20), date(2026, 11, 21))
    task = Task("r", "m", "a", Platform("meta_ads"), profile.id, Dataset.AD_HOURLY, ALL, window, 0)
    context = PullContext(
        "a", profile.id, Dataset.AD_HOURLY, ALL, window, iso(clock.now()), profile.currency, profile.timezone
    )

    # when
    rows = [
        row
        for number, page in enumerate(pull(server, made, task))
        for batch in REGISTRY.normalizer(Platform("meta_ads")).metric_batches(
            Raw(number, io.BytesIO(page.content())), context
        )
        for row in batch.rows
    ]

    # then conversions and revenue are unknown: Meta reports no off-Meta actions by hour
    expected = {
        (r["entity_id"], r["date"], r["hour"]): (r["impressions"], r["clicks"], None, r["spend_micros"], None)
        for r in server.outside.world.truth(profile, *window, hourly=True)
    }
    assert {(r.entity_id, r.day, r.hour): r.slot for r in rows} == expected
