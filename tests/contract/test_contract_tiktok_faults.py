"""What TikTok's stand-in does when it is switched to misbehave, and what the connector makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential, Status
from adweir.model.errors import (
    AccessDenied,
    AuthExpired,
    RequestRejected,
    Throttled,
    ThrottleScope,
    TooMuchData,
    Transient,
)
from adweir.model.metrics import BadRow
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.connector import Connector, Mode, Page, PageInHand, PullContext, ReportState
from sandbox.server import PlatformServer
from support.clock import FrozenClock
from support.platform_server import owner, running, truth
from support.platforms import TIKTOK_ADS, wiring
from support.puller import Puller

WEEK = Window(date(2026, 11, 14), date(2026, 11, 20))
HALDEN, MORI = 0, 1


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    with running() as started:
        yield started


@pytest.fixture(autouse=True)
def _well_behaved(server: PlatformServer) -> Iterator[None]:
    yield
    server.outside.switches.clear()


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


@pytest.fixture
def puller(server: PlatformServer, session: requests.Session) -> Puller:
    return Puller(server, TIKTOK_ADS, HALDEN, session, WEEK)


def switch(server: PlatformServer, kind: str, **options: Any) -> None:
    server.outside.switches.turn_on({"kind": kind, "platform": "tiktok_ads", **options})


@pytest.mark.parametrize(
    ("kind", "options", "error"),
    [
        ("throttle", {}, Throttled),
        ("throttle", {"code": 40133}, Throttled),
        ("throttle", {"code": 61000}, Throttled),
        ("expired_token", {}, AuthExpired),
        ("revoked_credential", {}, AuthExpired),
        ("access_denied", {}, AccessDenied),
        ("access_denied", {"code": 40301}, AccessDenied),
        ("server_error", {}, Throttled),
        ("server_error", {"code": 50000}, Transient),
        ("server_error", {"code": 60001}, Throttled),
        ("server_error", {"code": 51010}, TooMuchData),
        ("html", {}, Transient),
        ("html", {"status": 403}, AccessDenied),
        ("data_limit", {"rows": 3}, TooMuchData),
    ],
)
def test_each_fault_is_its_error_and_the_next_pull_is_whole(
    server: PlatformServer, puller: Puller, kind: str, options: dict[str, Any], error: type[Exception]
) -> None:
    # given
    switch(server, kind, **options)

    # when
    with pytest.raises(error):
        puller.pull(Dataset.AD_DAILY)
    server.outside.switches.clear()

    # then
    assert len(puller.pull(Dataset.AD_DAILY).rows()) == len(truth(server, puller.profile, *WEEK))


def test_who_has_to_wait_is_the_app_or_the_advertiser(server: PlatformServer, puller: Puller) -> None:
    for code, scope in ((40100, ThrottleScope.APP), (40133, ThrottleScope.PROFILE)):
        switch(server, "throttle", code=code, times=1)
        with pytest.raises(Throttled) as caught:
            puller.pull(Dataset.ACCOUNT_DAILY)
        assert caught.value.scope is scope


def test_one_advertiser_s_fault_leaves_the_others_alone(
    server: PlatformServer, session: requests.Session, puller: Puller
) -> None:
    switch(server, "access_denied", profile_id=puller.profile.id)
    with pytest.raises(AccessDenied):
        puller.pull(Dataset.AD_DAILY)
    assert Puller(server, TIKTOK_ADS, MORI, session, WEEK).pull(Dataset.AD_DAILY).rows()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("drifting_pages", {}),
        ("drifting_pages", {"mode": "total"}),
        ("truncated_paging", {}),
        ("truncated_paging", {"mode": "cut"}),
    ],
)
def test_pages_that_do_not_fit_together_are_no_pull(
    server: PlatformServer, puller: Puller, kind: str, options: dict[str, Any]
) -> None:
    assert len(puller.pull(Dataset.AD_BY_AGE_GENDER_DAILY).pages) > 1
    switch(server, kind, **options)
    with pytest.raises(Transient):
        puller.pull(Dataset.AD_BY_AGE_GENDER_DAILY)


def test_a_partial_answer_is_read_and_does_not_end_the_pull(server: PlatformServer, puller: Puller) -> None:
    switch(server, "partial")
    pulled = puller.pull(Dataset.AD_DAILY)
    usual, *alone = (last for _, _, last in pulled.pages)
    assert (usual, set(alone)) == (False, {False})
    assert pulled.rows()
    assert not any(last for _, _, last in puller.pull(Dataset.ADS).pages)


def test_a_status_that_nobody_knows_is_unknown(server: PlatformServer, puller: Puller) -> None:
    switch(server, "new_value", times=1)
    found = {one.status_raw: one.status for one in puller.pull(Dataset.AD_GROUPS).objects()}
    assert found["AD_STATUS_NEVER_HEARD_OF"] is Status.UNKNOWN


@pytest.mark.parametrize("mode", ["text", "comma", "no_key", "no_metric"])
def test_a_malformed_row_costs_itself_only(server: PlatformServer, puller: Puller, mode: str) -> None:
    switch(server, "bad_row", mode=mode)
    pulled = puller.pull(Dataset.AD_DAILY)
    rows, bad = batches(pulled.pages, pulled.context)
    assert len(bad) == 1
    assert len(rows) + 1 == len(truth(server, puller.profile, *WEEK))


def batches(pages: list[tuple[str, bytes, bool]], context: PullContext) -> tuple[list[Any], list[BadRow]]:
    rows: list[Any] = []
    bad: list[BadRow] = []
    for number, (label, body, last) in enumerate(pages, 1):
        page = PageInHand.of(Page(body, "", 200, last, label), number)
        for batch in REGISTRY.normalizer(TIKTOK_ADS).metric_batches(page, context):
            rows += batch.rows
            bad += batch.bad
    return rows, bad


# -- accounts with more ads than a report covers ----------------------------------------------------------------------


@pytest.mark.parametrize("dataset", [Dataset.AD_DAILY, Dataset.AD_GROUP_DAILY])
def test_a_report_of_the_newest_ads_only_becomes_several_of_some_campaigns(
    server: PlatformServer, puller: Puller, dataset: Dataset
) -> None:
    # given
    switch(server, "silent_cut", ids=1)

    # when
    pulled = puller.pull(dataset)

    # then
    assert pulled.pages[-1][2]
    assert {(r.entity_id, r.day) for r in pulled.rows()} == set(truth(server, puller.profile, *WEEK, dataset.level))


def test_an_asynchronous_task_brings_the_same_numbers_as_a_file(
    server: PlatformServer, session: requests.Session
) -> None:
    # given
    company, profile = owner(server, "tiktok_ads", HALDEN)
    wired = wiring(TIKTOK_ADS, session, FrozenClock(), urls={"api": server.url})
    credential = Credential(account_id=company.key, platform=TIKTOK_ADS, secret_id="s")
    made: Connector = REGISTRY.connect(credential, company.credentials["tiktok_ads"], wired)
    task = Task("r", "m", "a", TIKTOK_ADS, profile.id, Dataset.AD_DAILY, "all", WEEK, 0, mode=Mode.REPORT)

    # when
    report = made.create_report(task)
    while (found := made.report(task, report.id)).state is ReportState.PENDING:
        pass
    (page,) = made.report_pages(task, report.id)

    # then
    context = PullContext("a", profile.id, Dataset.AD_DAILY, "all", WEEK, "", profile.currency, profile.timezone)
    whole = Puller(server, TIKTOK_ADS, HALDEN, session, WEEK).pull(Dataset.AD_DAILY).rows()
    rows = [
        row
        for batch in REGISTRY.normalizer(TIKTOK_ADS).metric_batches(PageInHand.of(page, 1), context)
        for row in batch.rows
    ]
    assert found.state is ReportState.READY
    assert {(r.entity_id, r.day): r.slot for r in rows} == {(r.entity_id, r.day): r.slot for r in whole}


def test_an_app_that_is_not_on_the_allow_list_makes_no_task(server: PlatformServer, session: requests.Session) -> None:
    company, profile = owner(server, "tiktok_ads", MORI)
    wired = wiring(TIKTOK_ADS, session, FrozenClock(), urls={"api": server.url})
    credential = Credential(account_id=company.key, platform=TIKTOK_ADS, secret_id="s")
    made: Connector = REGISTRY.connect(credential, company.credentials["tiktok_ads"], wired)
    task = Task("r", "m", "a", TIKTOK_ADS, profile.id, Dataset.AD_DAILY, "all", WEEK, 0, mode=Mode.REPORT)
    with pytest.raises(RequestRejected):
        made.create_report(task)
