"""The Trade Desk's connector and normalizer over the sandbox: each level is the truth, each fault has its class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from adweir.model.conversion_columns import continued
from adweir.model.datasets import Dataset
from adweir.model.entities import AdCampaign
from adweir.model.errors import (
    AccessDenied,
    AdweirError,
    AuthExpired,
    BadInput,
    NotApplicable,
    ReportFailed,
    RequestRejected,
    Throttled,
    ThrottleScope,
    Transient,
)
from adweir.model.metrics import MetricRow
from adweir.platforms.connector import ReportState
from adweir.platforms.trade_desk import SPEC
from sandbox.platforms.trade_desk import STAND_IN
from sandbox.server import PlatformServer
from support.desk_puller import TRADE_DESK, WINDOW, DeskPuller
from support.platform_server import running, truth

COMPANIES = [("halden", 0), ("halden", 1), ("mori", 0), ("mori", 1), ("kestrel", 0), ("kestrel", 1), ("lumen", 0)]
DAILY = [dataset for dataset in SPEC.datasets if dataset.grain]


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with running([STAND_IN], awkward=True) as started:
        yield started


@pytest.fixture(scope="module")
def shared() -> Iterator[PlatformServer]:
    with running([STAND_IN], awkward=True) as started:
        yield started


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


@pytest.fixture
def desk(server: PlatformServer, session: requests.Session) -> DeskPuller:
    return DeskPuller(server, session)


def expected(server: PlatformServer, puller: DeskPuller, level: str) -> dict[Any, Any]:
    names = ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros")
    found = truth(server, puller.seat, *WINDOW, level).items()
    return {key: tuple(row[name] for name in names) for key, row in found}


def summed(rows: list[MetricRow], dataset: Dataset) -> dict[Any, Any]:
    """Numbers by entity and day, the values of a breakdown added up; no key comes twice."""
    found: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 5)
    assert len({(row.entity_id, row.day) for row in rows}) == len(rows)
    for row in rows:
        key = row.entity_id.rpartition("~")[0] if dataset.breakdown else row.entity_id
        found[key, row.day] = [one + (other or 0) for one, other in zip(found[key, row.day], row.slot, strict=True)]
    return {key: tuple(slot) for key, slot in found.items()}


def switched(server: PlatformServer, kind: str, **options: Any) -> None:
    server.outside.switches.turn_on({"kind": kind, "platform": TRADE_DESK, **options})


# -- truth ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("company", "place"), COMPANIES)
def test_every_level_and_the_account_s_sum_are_the_truth(
    shared: PlatformServer, session: requests.Session, company: str, place: int
) -> None:
    # given one file of the partner, which serves all its advertisers and all levels
    puller = DeskPuller(shared, session, company, place)
    pages = puller.file(Dataset.AD_DAILY)

    # then
    for dataset in (Dataset.AD_DAILY, Dataset.AD_GROUP_DAILY, Dataset.CAMPAIGN_DAILY):
        assert summed(puller.rows(pages, dataset), dataset) == expected(shared, puller, dataset.level) != {}
    days: defaultdict[str, list[int]] = defaultdict(lambda: [0] * 5)
    for (_, day), slot in summed(puller.rows(pages, Dataset.AD_DAILY), Dataset.AD_DAILY).items():
        days[day] = [one + other for one, other in zip(days[day], slot, strict=True)]
    account = expected(shared, puller, "account")
    assert {(puller.seat.id, day): tuple(slot) for day, slot in days.items()} == account


@pytest.mark.parametrize("dataset", [dataset for dataset in DAILY if dataset.breakdown])
def test_a_breakdown_sums_to_its_level(shared: PlatformServer, session: requests.Session, dataset: Dataset) -> None:
    puller = DeskPuller(shared, session)
    rows = puller.rows(puller.file(dataset), dataset)
    assert summed(rows, dataset) == expected(shared, puller, dataset.level)
    assert len({row.entity_id.rpartition("~")[2] for row in rows}) > 1


def test_one_report_of_a_partner_serves_its_advertisers(server: PlatformServer, session: requests.Session) -> None:
    first, second = DeskPuller(server, session), DeskPuller(server, session, place=1)
    connector = first.connector(first.route)
    assert connector.report_key(first.task(Dataset.AD_DAILY)) == connector.report_key(
        second.task(Dataset.CAMPAIGN_DAILY)
    )
    # when both download the one report that was made
    report = connector.create_report(first.task(Dataset.AD_DAILY))
    landed = {puller: puller.landed(Dataset.AD_DAILY, report.id) for puller in (first, second)}
    # then each has its own rows, and none of the other's: what is stored is one file
    for puller, other in ((first, second), (second, first)):
        rows = puller.rows(landed[puller], Dataset.AD_DAILY)
        assert summed(rows, Dataset.AD_DAILY) == expected(server, puller, "ad") != {}
        assert puller.rows(landed[other], Dataset.AD_DAILY) == []


def test_an_advertiser_s_own_report_is_the_truth_too(server: PlatformServer, session: requests.Session) -> None:
    puller = DeskPuller(server, session, reports="advertiser")
    assert puller.connector(puller.route).report_key(puller.task(Dataset.AD_DAILY)) == ""
    rows = puller.rows(puller.file(Dataset.AD_DAILY), Dataset.AD_DAILY)
    assert summed(rows, Dataset.AD_DAILY) == expected(server, puller, "ad")


@pytest.mark.parametrize("template", ["168005", "168008"])
def test_rows_that_a_template_splits_further_are_added_up(
    server: PlatformServer, session: requests.Session, template: str
) -> None:
    puller = DeskPuller(server, session, template=template)
    pages = puller.file(Dataset.AD_DAILY)
    rows = puller.rows(pages, Dataset.AD_DAILY)
    assert pages[0].content().count(b"\n") > 2 * len(rows)
    assert summed(rows, Dataset.AD_DAILY) == expected(server, puller, "ad")


@pytest.mark.parametrize("template", ["168006", "168007"])
def test_columns_that_are_named_by_pixel_are_chosen_by_the_tag(
    server: PlatformServer, session: requests.Session, template: str
) -> None:
    puller = DeskPuller(server, session, template=template)
    rows = puller.rows(puller.file(Dataset.AD_DAILY), Dataset.AD_DAILY, conversions=["Purchase page"])
    wanted = {key: (*slot[:4], None) for key, slot in expected(server, puller, "ad").items()}
    assert {(row.entity_id, row.day): row.slot for row in rows} == wanted


def test_another_column_or_basis_is_another_reading_of_the_same_bytes(desk: DeskPuller) -> None:
    pages = desk.file(Dataset.AD_DAILY)

    def total(**options: Any) -> int:
        return sum(row.conversions or 0 for row in desk.rows(pages, Dataset.AD_DAILY, **options))

    assert total(basis="click") + total(basis="view") == total() > 0
    assert total(conversions=["02"]) not in (0, total())
    assert {row.conversions for row in desk.rows(pages, Dataset.AD_DAILY, conversions=["19"])} == {None}


@pytest.mark.parametrize(("company", "place"), COMPANIES)
def test_lists_have_everything_archived_or_not(
    shared: PlatformServer, session: requests.Session, company: str, place: int
) -> None:
    puller = DeskPuller(shared, session, company, place)
    seat = puller.seat
    assert {one.id for one in puller.objects(Dataset.CAMPAIGNS)} == {campaign.id for campaign in seat.campaigns}
    groups = {group.id for campaign in seat.campaigns for group in campaign.groups}
    assert {one.id for one in puller.objects(Dataset.AD_GROUPS)} == groups
    assert {one.id for one in puller.objects(Dataset.CREATIVES)} == {ad.id for _, _, ad in seat.ads()}
    shown = {(g.id, ad.id) for _, g, ad in seat.ads() if ad.status not in ("ARCHIVED", "DELETED")}
    ads = puller.objects(Dataset.ADS)
    assert {(ad.ad_group_id, ad.id) for ad in ads} == shown
    assert all(ad.landing_page_url and ad.headline and ad.start_date for ad in ads)
    (found,) = (profile for profile in puller.profiles() if profile.profile_id == seat.id)
    # 30 days after a click are its longer window
    assert (found.currency, found.restated_days) == (seat.currency, 33)


def test_pages_that_are_short_are_read_to_the_end(server: PlatformServer, session: requests.Session) -> None:
    switched(server, "short_pages", rows=2)
    puller = DeskPuller(server, session)
    assert len(puller.objects(Dataset.AD_GROUPS)) == 6
    assert len(puller.objects(Dataset.ADS)) == len(puller.seat.ads())


def test_a_pixel_s_conversions_are_the_truth_although_its_column_changed(
    server: PlatformServer, session: requests.Session
) -> None:
    # given campaigns whose columns 01 and 02 were exchanged in the middle of the window, as two lists have said
    puller, changed = DeskPuller(server, session), "2026-11-11"
    before = {one.id: one for one in puller.objects(Dataset.CAMPAIGNS)}
    switched(server, "swapped_columns", profile_id=puller.seat.id, **{"from": changed})
    listed = []
    for one in puller.objects(Dataset.CAMPAIGNS):
        told = [each.model_dump() for each in one.conversion_columns]
        history = continued(told, [each.model_dump() for each in before[one.id].conversion_columns], changed)
        listed.append(AdCampaign.model_validate(one.model_dump() | {"conversion_columns": history}))
    puller.context = puller.context._replace(objects=lambda _: listed)
    pages, model = puller.file(Dataset.AD_DAILY), "IdentityAlliance"
    # when conversions are chosen by the number, then from the change on they are another pixel's
    by_number = summed(puller.rows(pages, Dataset.AD_DAILY), Dataset.AD_DAILY)
    wanted = expected(server, puller, "ad")
    assert {day for (key, day), slot in by_number.items() if slot != wanted[key, day]} == {
        day for _, day in wanted if day >= changed
    }
    # and by the pixel, every day is the truth
    rows = puller.rows(pages, Dataset.AD_DAILY, conversions=["Purchase page"], cross_device=model)
    assert summed(rows, Dataset.AD_DAILY) == wanted


# -- reports ----------------------------------------------------------------------------------------------------------


def test_a_schedule_is_gone_when_its_report_was_stored(desk: DeskPuller) -> None:
    connector, task = desk.connector(desk.route), desk.task(Dataset.AD_DAILY)
    report = connector.create_report(task)
    again = connector.create_report(task)
    assert (again.id, again.adopted) == (report.id, True)
    connector.discard_report(task, report.id)
    connector.discard_report(task, report.id)
    assert connector.report(task, report.id).state is ReportState.PENDING
    assert not desk.server.outside.reports(TRADE_DESK)


def test_what_a_killed_run_has_left_is_gone_when_the_next_report_is_asked_for(desk: DeskPuller) -> None:
    # given a run whose report nobody came back for, and a schedule of the customer's
    connector, task = desk.connector(desk.route), desk.task(Dataset.AD_DAILY)
    left = connector.create_report(task)
    theirs = desk.connector(desk.route).create_report(desk.task(Dataset.AD_DAILY, run_id="r2"))
    desk.server.outside.reports(TRADE_DESK)[theirs.id]["body"]["ReportScheduleName"] = "Monday's report"
    # when the next run asks on the same day, then what it has left stays: somebody may be waiting
    assert left.id in desk.server.outside.reports(TRADE_DESK)
    connector.create_report(desk.task(Dataset.AD_DAILY, run_id="r3"))
    assert left.id in desk.server.outside.reports(TRADE_DESK)
    # and when it asks three days later, then that is gone and the customer's is not
    desk.clock.advance(3 * 86_400)
    made = desk.connector(desk.route).create_report(desk.task(Dataset.AD_DAILY, run_id="r4"))
    assert set(desk.server.outside.reports(TRADE_DESK)) == {theirs.id, made.id}


def test_a_report_that_failed_is_asked_for_anew(server: PlatformServer, desk: DeskPuller) -> None:
    switched(server, "broken_report", times=1, reason="too many rows")
    connector, task = desk.connector(desk.route), desk.task(Dataset.AD_DAILY)
    report = connector.create_report(task)
    while (found := connector.report(task, report.id)).state is ReportState.PENDING:
        pass
    assert (found.state, found.reason) == (ReportState.FAILED, "too many rows")
    failed = desk.task(Dataset.AD_DAILY, report_id=report.id)
    assert connector.create_report(failed).id != report.id


@pytest.mark.parametrize("mode", ["bom", "redirect"])
def test_an_odd_file_is_the_same_report(server: PlatformServer, desk: DeskPuller, mode: str) -> None:
    switched(server, "odd_file", mode=mode)
    rows = desk.rows(desk.file(Dataset.AD_DAILY), Dataset.AD_DAILY)
    assert summed(rows, Dataset.AD_DAILY) == expected(server, desk, "ad")


def test_a_date_with_a_time_is_that_day(server: PlatformServer, desk: DeskPuller) -> None:
    switched(server, "date_text")
    rows = desk.rows(desk.file(Dataset.AD_DAILY), Dataset.AD_DAILY)
    assert summed(rows, Dataset.AD_DAILY) == expected(server, desk, "ad")


@pytest.mark.parametrize("options", [{}, {"header": True}])
def test_an_empty_report_has_no_rows(server: PlatformServer, desk: DeskPuller, options: dict[str, Any]) -> None:
    switched(server, "empty", **options)
    pages = desk.file(Dataset.AD_DAILY)
    assert [page.last for page in pages] == [True]
    assert desk.rows(pages, Dataset.AD_DAILY) == []


@pytest.mark.parametrize(("mode", "kind"), [("html", Transient), ("excel", RequestRejected)])
def test_a_download_that_is_no_report_has_its_class(
    server: PlatformServer, desk: DeskPuller, mode: str, kind: type[AdweirError]
) -> None:
    switched(server, "odd_file", mode=mode)
    with pytest.raises(kind):
        desk.file(Dataset.AD_DAILY)


def test_a_link_that_has_expired_is_asked_for_anew_once(server: PlatformServer, desk: DeskPuller) -> None:
    server.outside.url_seconds = -60
    with pytest.raises(ReportFailed):
        desk.file(Dataset.AD_DAILY)


def test_a_report_without_its_cost_is_refused(server: PlatformServer, desk: DeskPuller) -> None:
    switched(server, "missing_column")
    pages = desk.file(Dataset.AD_DAILY)
    with pytest.raises(BadInput, match=r"Advertiser Cost \(Adv Currency\) is missing"):
        desk.rows(pages, Dataset.AD_DAILY)


def test_a_template_that_does_not_exist_is_named(server: PlatformServer, session: requests.Session) -> None:
    puller = DeskPuller(server, session, template="mine")
    with pytest.raises(RequestRejected, match="no report template is called 'mine'"):
        puller.file(Dataset.AD_DAILY)
    with pytest.raises(NotApplicable, match="'mine by country'"):
        puller.file(Dataset.AD_BY_COUNTRY_DAILY)


# -- faults -----------------------------------------------------------------------------------------------------------


def test_a_login_whose_token_ends_is_renewed_and_a_page_s_token_is_not(
    server: PlatformServer, session: requests.Session
) -> None:
    login, page = DeskPuller(server, session), DeskPuller(server, session, "kestrel")
    assert login.profiles()
    assert page.profiles()
    requests.post(f"{server.url}/_world/switches", json={"kind": "expired_token", "platform": TRADE_DESK}, timeout=5)
    assert login.profiles()
    with pytest.raises(AuthExpired):
        page.profiles()


def test_a_revoked_credential_is_dead(server: PlatformServer, desk: DeskPuller) -> None:
    switched(server, "revoked_credential")
    with pytest.raises(AuthExpired):
        desk.profiles()


@pytest.mark.parametrize(
    ("options", "seconds", "guessed"),
    [({"retry_after": 7}, 7, False), ({}, 60, True), ({"status": 503, "retry_after": 9}, 9, False)],
)
def test_a_throttle_is_the_user_s(
    server: PlatformServer, desk: DeskPuller, options: dict[str, Any], seconds: int, guessed: bool
) -> None:
    switched(server, "throttle", **options)
    with pytest.raises(Throttled) as caught:
        desk.profiles()
    assert (caught.value.retry_after, caught.value.guessed) == (seconds, guessed)
    assert caught.value.scope is ThrottleScope.CREDENTIAL


def test_a_lost_permission_is_one_advertiser_s(server: PlatformServer, session: requests.Session) -> None:
    lost, other = DeskPuller(server, session), DeskPuller(server, session, place=1)
    switched(server, "access_denied", profile_id=lost.seat.id)
    with pytest.raises(AccessDenied):
        lost.objects(Dataset.CAMPAIGNS)
    assert other.objects(Dataset.CAMPAIGNS)


def test_a_retired_endpoint_is_rejected_and_a_broken_server_passes(server: PlatformServer, desk: DeskPuller) -> None:
    switched(server, "gone", path="campaign/query")
    with pytest.raises(RequestRejected, match="retired"):
        desk.objects(Dataset.CAMPAIGNS)
    switched(server, "server_error", times=1)
    assert desk.objects(Dataset.AD_GROUPS)
