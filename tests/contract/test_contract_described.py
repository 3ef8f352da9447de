"""A platform that adweir does not know, pulled by the spec of docs/specs: its numbers are the world's truth."""

from __future__ import annotations

import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.errors import AccessDenied, AuthExpired, RequestRejected, Throttled, Transient
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.addresses import AllowedHosts, guarded_session
from adweir.platforms.connector import Connector, OwnTokens, Page, PageInHand, PullContext, Wiring
from sandbox.platforms import everyone
from sandbox.server import PlatformServer
from sandbox.switches import Switch
from support.clock import FrozenClock
from support.platform_server import ANCHOR, owner, running

GENERIC, PINTEREST = Platform("generic"), "pinterest_ads"
SPEC = Path(__file__).parents[2] / "docs/specs/pinterest.json"
DAYS = Window(ANCHOR - timedelta(days=6), ANCHOR - timedelta(days=1))


@pytest.fixture(scope="module")
def _server() -> Iterator[PlatformServer]:
    present = [one for one in everyone() if one.platform == PINTEREST]
    with running(present, awkward=True) as server:
        yield server


@pytest.fixture
def server(_server: PlatformServer) -> Iterator[PlatformServer]:
    yield _server
    _server.outside.switches.clear()


class Pinterest:
    """A company's credential for it, and the first of its ad accounts."""

    def __init__(self, server: PlatformServer, place: int) -> None:
        company, self.profile = owner(server, PINTEREST, place)
        self.server = server
        self.spec = SPEC.read_text().replace("https://api.pinterest.com", server.url)
        self.secret = company.elsewhere.credentials[PINTEREST]

    def connect(self) -> Connector:
        wiring = Wiring(
            urls=lambda *_: "",
            session=guarded_session(AllowedHosts("", [self.server.url])),
            clock=FrozenClock(),
            rng=random.Random(1),
            tokens=OwnTokens(FrozenClock()),
            spec=lambda _: self.spec,
            sleep=lambda _: None,
        )
        return REGISTRY.connect(
            Credential(account_id="a", platform=GENERIC, secret_id="s", label="pin"), self.secret, wiring
        )

    def context(self, dataset: Dataset) -> PullContext:
        return PullContext(
            "a", f"pin~{self.profile.id}", dataset, ALL, DAYS if dataset.grain else None, "2026-11-20T00:00:00Z",
            self.profile.currency, "UTC", route="pin", spec=lambda _: self.spec,
        )  # fmt: skip

    def pages(self, dataset: Dataset) -> list[Page]:
        context = self.context(dataset)
        task = Task(
            "r", "m", "a", GENERIC, context.profile_id, dataset, ALL, context.window, 0, currency=context.currency
        )
        made = self.connect()
        return list(made.profiles() if dataset is Dataset.PROFILES else made.pages(task))

    def rows(self, dataset: Dataset) -> list[Any]:
        found: list[Any] = []
        for number, page in enumerate(self.pages(dataset), 1):
            for batch in REGISTRY.normalizer(GENERIC).metric_batches(
                PageInHand.of(page, number), self.context(dataset)
            ):
                assert not batch.bad, batch.bad[:1]
                found += batch.rows
        return found

    def objects(self, dataset: Dataset) -> list[Any]:
        found: list[Any] = []
        for number, page in enumerate(self.pages(dataset), 1):
            for batch in REGISTRY.normalizer(GENERIC).object_batches(
                PageInHand.of(page, number), self.context(dataset)
            ):
                assert not batch.bad, batch.bad[:1]
                found += batch.objects
        return found


@pytest.fixture(params=[0, 2], ids=["halden", "kestrel"])
def pinterest(request: pytest.FixtureRequest, server: PlatformServer) -> Pinterest:
    return Pinterest(server, request.param)


def test_its_ad_accounts_carry_the_specs_name_and_what_it_serves(pinterest: Pinterest) -> None:
    listed = pinterest.objects(Dataset.PROFILES)

    assert next(each.profile_id for each in listed) == f"pin~{pinterest.profile.id}"
    assert (listed[0].currency, listed[0].timezone, listed[0].route) == (pinterest.profile.currency, "UTC", "pin")
    assert listed[0].serves["ad_daily"]["retention_days"] == 89


def test_its_lists_are_whole(pinterest: Pinterest) -> None:
    profile = pinterest.profile

    assert {one.id for one in pinterest.objects(Dataset.CAMPAIGNS)} == {each.id for each in profile.campaigns}
    ads = {(one.campaign_id, one.ad_group_id, one.id) for one in pinterest.objects(Dataset.ADS)}
    assert ads == {(campaign.id, group.id, ad.id) for campaign, group, ad in profile.ads()}
    assert len(ads) > 25, "more than a page"


@pytest.mark.parametrize("level", ["account", "campaign", "ad_group", "ad"])
def test_its_numbers_are_the_truth_to_the_millionth(pinterest: Pinterest, level: str) -> None:
    profile, world = pinterest.profile, pinterest.server.outside.world
    truth: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 3)
    for row in world.rows(profile, level, DAYS.start, DAYS.end, moment=world.moment(profile)):
        ids: dict[str, Any] = {"account": f"pin~{profile.id}", "campaign": row.campaign and row.campaign.id}
        ids |= {"ad_group": row.group and row.group.id, "ad": row.ad and row.group and f"{row.group.id}~{row.ad.id}"}
        held = truth[str(ids[level]), row.day.isoformat()]
        for place, number in enumerate((row.numbers.impressions, row.numbers.clicks, row.numbers.spend)):
            held[place] += number
    spent = {key: (held[0], held[1], held[2] * profile.minor_micros) for key, held in truth.items()}

    rows = pinterest.rows(Dataset(f"{level}_daily"))

    assert {(row.entity_id, row.day): (row.impressions, row.clicks, row.spend) for row in rows} == spent
    assert len(rows) == len(spent) > 0
    assert {row.currency for row in rows} == {profile.currency}
    assert any(row.conversions and row.revenue for row in rows)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("throttle", Throttled),
        ("server_error", Transient),
        ("html", Transient),
        ("access_denied", AccessDenied),
        ("expired_token", AuthExpired),
        ("revoked_credential", AuthExpired),
        ("looping_pages", RequestRejected),
    ],
)
def test_its_faults_have_their_classes(server: PlatformServer, kind: str, error: type[Exception]) -> None:
    halden = Pinterest(server, 0)
    server.outside.switches.turn_on(Switch(kind=kind, platform=PINTEREST, times=100))

    begin = time.monotonic()
    with pytest.raises(error):
        halden.pages(Dataset.ADS)
    assert time.monotonic() - begin < 20


def test_how_long_to_wait_is_what_its_header_says(server: PlatformServer) -> None:
    halden = Pinterest(server, 0)
    on: dict[str, Any] = {"platform": PINTEREST, "profile_id": halden.profile.id, "times": 100}
    server.outside.switches.turn_on(Switch(kind="throttle", options={"reset": 37}, **on))

    with pytest.raises(Throttled) as throttled:
        halden.pages(Dataset.ACCOUNT_DAILY)

    assert (throttled.value.retry_after, throttled.value.guessed) == (37, False)


def test_a_column_that_is_gone_is_no_zero(server: PlatformServer) -> None:
    halden = Pinterest(server, 0)
    server.outside.switches.turn_on(Switch(kind="missing_column", platform=PINTEREST, times=100))

    page = halden.pages(Dataset.ACCOUNT_DAILY)[0]
    context = halden.context(Dataset.ACCOUNT_DAILY)
    batch = next(REGISTRY.normalizer(GENERIC).metric_batches(PageInHand.of(page, 1), context))

    assert not batch.rows
    assert {bad.errors[0]["field"] for bad in batch.bad} == {"spend"}
    assert all(bad.entity_id and bad.day for bad in batch.bad), "the slot keeps its old value"


def test_the_spec_is_one_that_can_be_stored() -> None:
    from adweir.platforms.described.language import checked_spec

    spec = checked_spec(json.loads(SPEC.read_text()))
    assert spec.credential_fields() == ["client_id", "client_secret", "refresh_token"]
