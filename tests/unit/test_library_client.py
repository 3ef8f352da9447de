"""The verbs of `adweir.client`, over a made-up platform."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adweir
from adweir.library.dates import DateRange, parsed, window_of
from adweir.library.lone import Workshop
from adweir.library.waiting import Waiting
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.errors import (
    BadInput,
    NotApplicable,
    NotFound,
    TooLarge,
    Unprocessable,
)
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms.base import DatasetSpec
from adweir.platforms.connector import Page
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.lone import (
    ADS,
    OBJECTS,
    ROWS,
    WEEK,
    Paper,
    PaperConnector,
    a_profile,
    paper_spec,
    profile_row,
    usual,
)
from support.stub_http import Answer, serving


def test_given_ads_when_they_are_read_then_they_have_exact_sums_and_the_dates_of_their_flights() -> None:
    paper = Paper(PaperConnector(usual))

    one, two = paper.client.get_ads("7", ("2026-11-01", date(2026, 11, 7)))

    assert (one["ad_id"], one["spend"], one["impressions"]) == ("1", Decimal("1.75"), 15)
    assert (one["ctr"], one["roas"], one["currency"]) == (Decimal("0.133333"), Decimal(0), "EUR")
    assert (two["headline"], two["spend"], two["ctr"]) == ("Two", 0, None)
    assert isinstance(one["spend"], Decimal)
    assert "client_account_id" not in one


def test_given_the_dates_of_a_campaign_and_a_group_when_ads_are_read_then_they_have_them() -> None:
    ads = [{"id": "1", "ad_group_id": "g", "campaign_id": "c1"}]
    paper = Paper(PaperConnector(lambda task, _: [ads] if task.dataset is Dataset.ADS else usual(task, "")))

    (ad,) = paper.client.get_ads("7", WEEK, ["start_date", "end_date", "status", "spend"])

    assert ad["start_date"] == date(2026, 10, 1)
    assert (ad["end_date"], ad["status"]) == (date(2026, 11, 10), "ended")


def test_given_an_ad_that_is_in_no_list_any_more_when_ads_are_read_then_its_numbers_are_not_lost() -> None:
    paper = Paper(PaperConnector(lambda task, _: [[]] if task.dataset is Dataset.ADS else usual(task, "")))

    (row,) = paper.client.get_ads("7", WEEK)

    assert (row["ad_id"], row["ad_group_id"], row["campaign_id"]) == ("1", "g", "c1")
    assert (row["status"], row["spend"]) == ("removed", Decimal("1.75"))


def test_given_fields_by_name_or_group_when_ads_are_read_then_only_what_they_need_is_pulled() -> None:
    paper = Paper(PaperConnector(usual))

    (first,) = paper.client.get_ads("7", WEEK, ["ad_id", "creative"], limit=1)

    groups = ("headline", "description", "cta", "image_url", "video_url", "landing_page_url")
    assert tuple(first) == ("ad_id", *groups)
    assert {task.dataset for task in paper.connector.asked} == {Dataset.ADS}
    (measured,) = paper.client.get_ads("7", WEEK, ["insights"], limit=1)
    assert {"spend", "roas", "impressions"} <= set(measured) <= {*measured} - {"ad_id"}
    assert Dataset.CAMPAIGNS not in {task.dataset for task in paper.connector.asked}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"fields": ["colour"]}, "colour.*known.*headline.*groups: creative, insights"),
        ({"fields": []}, "no field at all"),
        ({"limit": 0}, "limit is 1 or more"),
        ({"date_range": ("2026-11-01",) * 3}, "date_range is"),
        ({"date_range": "yesterday"}, "dates, YYYY-MM-DD"),
        ({"date_range": ("2026-11-07", "2026-11-01")}, "must not end before"),
    ],
)
def test_given_a_wrong_argument_when_a_verb_is_called_then_it_says_so_at_once(wrong: Any, said: str) -> None:
    paper = Paper(PaperConnector(usual))

    with pytest.raises(Unprocessable, match=said):
        paper.client.get_ads("7", **wrong)

    assert paper.connector.asked == []


def test_given_no_account_totals_when_days_are_read_then_the_campaigns_add_up_to_them() -> None:
    def answer(task: Task, resume: str) -> Sequence[Any]:
        rows: dict[Any, list[Any]] = {
            (Dataset.CAMPAIGN_DAILY, "left"): [["c1", "2026-11-02", 10, 1_000_000]],
            (Dataset.CAMPAIGN_DAILY, "right"): [["c2", "2026-11-02", 4, 500_000], ["c2", "2026-11-01", 1, 0]],
        }
        return [rows.get((task.dataset, task.slice), [])] if task.dataset.grain else usual(task, resume)

    paper = Paper(PaperConnector(answer))

    first, second = paper.client.get_account_stats("7", WEEK)

    assert (first["date"], second["date"]) == (date(2026, 11, 1), date(2026, 11, 2))
    assert (second["daily_spend"], second["daily_impressions"], second["account_name"]) == (
        Decimal("1.5"),
        14,
        "Shop 7",
    )
    assert (second["campaign_count"], second["ad_count"]) == (1, 0)
    assert len(second) == 14


def test_given_campaigns_that_are_pulled_on_request_when_days_are_read_then_the_ads_add_up_to_them() -> None:
    spec = paper_spec(DatasetSpec(Dataset.CAMPAIGN_DAILY, ("left", "right"), sums_to_parent=True, on_request=True))
    paper = Paper(PaperConnector(usual), spec)

    first, second = paper.client.get_account_stats("7", WEEK)

    assert (first["daily_spend"], second["daily_spend"]) == (Decimal("1.5"), Decimal("0.25"))
    assert (first["campaign_count"], first["ad_count"]) == (1, 1)
    assert {task.dataset for task in paper.connector.asked} == {Dataset.AD_DAILY}


def test_given_some_metrics_when_days_are_read_then_the_ads_are_not_pulled() -> None:
    paper = Paper(PaperConnector(usual))

    (row, _) = paper.client.get_account_stats("7", WEEK, ["spend", "cpm"])

    assert row["spend"] == Decimal("1.5")
    assert row["cpm"] == Decimal("150.000000")
    assert Dataset.AD_DAILY not in {task.dataset for task in paper.connector.asked}


def test_given_no_profile_when_a_verb_is_called_then_every_active_one_is_read() -> None:
    paper = Paper(PaperConnector(usual))

    assert {row["account_id"] for row in paper.client.get_campaigns()} == {"7"}
    assert [row["status"] for row in paper.client.get_profiles()] == ["active", "denied"]


@pytest.mark.parametrize("written", ["1234567890", "act_1234567890", "123-456-7890", 1234567890])
def test_given_an_id_as_the_platform_shows_it_when_a_verb_is_called_then_it_is_found(written: str | int) -> None:
    profiles = [{"profile_id": "5"}, {"profile_id": "1234567890"}]
    paper = Paper(PaperConnector(lambda task, _: [profiles] if not task.profile_id else usual(task, "")))

    (row,) = paper.client.get_campaigns(written)

    assert (row["account_id"], row["budget"], row["start_date"]) == ("1234567890", Decimal("2.5"), date(2026, 10, 1))


def test_given_an_id_that_is_not_listed_when_a_verb_is_called_then_the_error_names_those_that_are() -> None:
    paper = Paper(PaperConnector(usual))

    with pytest.raises(NotFound, match=r"lists no ad account '99'.*it lists: 7, 8"):
        list(paper.client.get_campaigns("99"))


def test_given_an_ad_account_of_another_platform_when_a_verb_is_called_then_it_is_refused() -> None:
    with pytest.raises(Unprocessable, match="one of meta_ads, not of paper_ads"):
        list(Paper(PaperConnector(usual)).client.get_campaigns(profile_row() | {"platform": "meta_ads"}))


def test_given_what_a_platform_lacks_when_its_verb_is_called_then_it_yields_nothing_and_asks_nothing() -> None:
    paper = Paper(PaperConnector(usual))

    assert list(paper.client.get_keywords("7", "c1")) == list(paper.client.get_keywords(raw=True)) == []
    assert paper.connector.asked == []


def test_given_keywords_when_they_are_filtered_then_states_and_match_types_go_by_any_case() -> None:
    words = [
        {"id": "1", "campaign_id": "c1", "ad_group_id": "g", "match_type": "EXACT", "status_raw": "ENABLED", "bid": 1},
        {"id": "2", "campaign_id": "c1", "ad_group_id": "h", "match_type": "broad", "status": "paused"},
        {"id": "3", "campaign_id": "c2", "ad_group_id": "g", "match_type": "exact", "status_raw": "ENABLED"},
    ]
    answer: dict[Dataset, Sequence[Any]] = {Dataset.KEYWORDS: [words], Dataset.PROFILES: [OBJECTS[Dataset.PROFILES]]}
    spec = paper_spec(DatasetSpec(Dataset.KEYWORDS))
    client = Paper(PaperConnector(lambda task, _: answer[task.dataset]), spec).client

    def found(*filters: Any) -> list[str]:
        return [row["id"] for row in client.get_keywords("7", *filters)]

    assert found() == ["1", "2", "3"]
    assert found("c1") == ["1", "2"]
    assert found("c1", "g") == ["1"]
    assert found(None, None, "enabled", "exact") == ["1", "3"]
    assert found(None, None, "PAUSED") == ["2"]
    (first, *_) = client.get_keywords("7")
    assert first["bid"] == Decimal("0.000001")


def test_given_invoices_when_they_are_read_then_each_line_has_its_document_and_exact_money() -> None:
    # given: October's bill, a late memo about July, and one of November
    lines = [
        {"line": "1", "kind": "spend", "amount": 10_000_001, "tax": 1_900_000, "campaign_id": "c1"},
        {"line": "2", "kind": "credit", "amount": -500_000},
    ]
    october = {"invoice_id": "A", "month": "2026-10", "issued_on": "2026-11-02", "lines": lines}
    memo = {"invoice_id": "M", "month": "2026-07", "document": "credit_memo", "lines": lines[1:]}
    november = {"invoice_id": "B", "month": "2026-11", "lines": lines[:1]}
    paper = invoicing([[october, memo], [november]])

    # when
    first, second = paper.client.get_invoices("7", ("2026-10-05", "2026-10-06"))
    every = [(row["invoice_id"], row["line"]) for row in paper.client.get_invoices("7")]

    # then
    assert (first["amount"], first["tax"], first["total"]) == (
        Decimal("10.000001"),
        Decimal("1.9"),
        Decimal("11.900001"),
    )
    assert (first["campaign_id"], first["issued_on"], first["currency"]) == ("c1", date(2026, 11, 2), "EUR")
    assert (second["kind"], second["amount"], second["account_id"]) == ("credit", Decimal("-0.5"), "7")
    assert "client_account_id" not in first
    assert every == [("A", "1"), ("A", "2"), ("M", "2"), ("B", "1")]
    windows = [str(task.window) for task in paper.connector.asked if task.dataset is Dataset.INVOICES]
    assert windows == ["2026-10-01..2026-11-20", "2026-09-01..2026-11-20"]
    assert len(list(paper.client.get_invoices("7", raw=True))) == 2
    assert list(paper.client.get_invoices("7", "2027-01-01")) == []


def invoicing(pages: Sequence[Any]) -> Paper:
    """A client of a platform whose invoices are these pages."""
    answer = {Dataset.INVOICES: pages, Dataset.PROFILES: [OBJECTS[Dataset.PROFILES]]}
    spec = paper_spec(DatasetSpec(Dataset.INVOICES, lookback_months=2))
    return Paper(PaperConnector(lambda task, _: answer[task.dataset]), spec)


def test_given_an_invoice_that_cannot_be_read_when_they_are_read_then_it_is_an_error() -> None:
    with pytest.raises(BadInput, match="invoices"):
        list(invoicing([["bad"]]).client.get_invoices("7"))


def test_given_an_account_that_is_not_invoiced_when_its_invoices_are_read_then_there_are_none() -> None:
    assert list(invoicing([NotApplicable("pays by card")]).client.get_invoices("7")) == []
    assert list(Paper(PaperConnector(usual)).client.get_invoices("7")) == []


def test_given_raw_when_a_verb_is_called_then_the_platform_s_answers_come_as_they_are() -> None:
    paper = Paper(PaperConnector(usual))

    assert list(paper.client.get_profiles(raw=True)) == [OBJECTS[Dataset.PROFILES]]
    assert list(paper.client.get_ads("7", WEEK, raw=True)) == [ADS, ROWS["left"], []]
    assert list(paper.client.get_account_stats("7", WEEK, ["spend"], raw=True)) == [ROWS["left"], []]


def test_given_a_raw_answer_of_chunks_when_it_is_text_then_it_is_text_and_too_much_of_it_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def csv(_task: Task, _resume: str) -> Sequence[Any]:
        return [Page(iter([b"a,b\n", b"1,2\n"]), "u", 200, last=True, media="csv")]

    paper = Paper(PaperConnector(csv))
    assert list(paper.client.get_campaigns(profile_row(), raw=True)) == ["a,b\n1,2\n"]
    monkeypatch.setattr(limits, "MAX_RESPONSE_BYTES", 7)
    with pytest.raises(TooLarge, match="without raw=True"):
        list(paper.client.get_campaigns(profile_row(), raw=True))


@at_the_bound("MAX_CLIENT_PROFILES", as_if=3)
def test_how_many_profiles_are_remembered(size: int, fits: bool) -> None:
    listings: list[int] = []

    def answer(task: Task, resume: str) -> Sequence[Any]:
        if task.dataset is not Dataset.PROFILES:
            return usual(task, resume)
        listings.append(1)
        return [[{"profile_id": str(number)} for number in range(size)]]

    client = Paper(PaperConnector(answer)).client
    list(client.get_profiles())
    list(client.get_campaigns("0"))

    assert (len(listings) == 1) is fits


# --- the composition


def test_given_a_client_when_it_is_made_then_no_request_is_sent_and_no_secret_is_shown() -> None:
    client = adweir.client("meta", access_token="EAAB-secret-value-1234567890", urls={"api": "http://127.0.0.1:9"})

    assert repr(client) == "adweir.client('meta_ads', …)"
    assert client.platform == "meta_ads"


@pytest.mark.parametrize(
    ("platform", "secret", "said"),
    [
        ("nowhere", {}, "unknown platform 'nowhere'; known: .*meta_ads"),
        ("meta", {}, "credential of meta_ads is refused: access_token is required"),
        ("meta", {"access_token": "x" * 40, "token": "hush-hush-hush"}, "token is unknown; known: access_token"),
        ("amazon", {"client_id": "amzn1.a", "client_secret": None, "refresh_token": "r"}, "client_secret is required"),
        ("meta", {"access_token": "short"}, "access_token needs at least"),
    ],
)
def test_given_wrong_secrets_when_a_client_is_made_then_each_is_named_and_none_is_shown(
    platform: str, secret: Any, said: str
) -> None:
    with pytest.raises(Unprocessable, match=said) as caught:
        adweir.client(platform, **secret)

    assert not any(value and value in str(caught.value) for value in secret.values() if value != "r")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"options": {"colour": "red"}}, "options.colour"),
        ({"urls": {"home": "http://x"}}, "has no URL home; it has: api"),
        ({"requests_per_minute": 0}, "a number above 0"),
    ],
)
def test_given_wrong_settings_when_a_client_is_made_then_they_are_named(settings: Any, said: str) -> None:
    with pytest.raises(Unprocessable, match=said):
        adweir.client("meta", access_token="x" * 40, **settings)


def test_given_the_package_when_it_is_imported_then_nothing_else_is_and_the_library_needs_no_aws() -> None:
    code = (
        "import sys; before = set(sys.modules); import adweir; new = set(sys.modules) - before;"
        "assert new <= {'adweir', 'importlib', 'importlib._abc', 'warnings', 'types', '__future__'}, new;"
        "adweir.client('meta', access_token='x' * 40); adweir.combine([]); adweir.retry_with_backoff();"
        "adweir.normalize([], 'meta');"
        "print(sorted({'boto3', 'botocore', 'pynamodb', 'aws_lambda_powertools'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  ours

    assert done.stdout == "[]\n"


def test_given_a_name_that_the_package_lacks_then_it_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'quantity'"):
        adweir.quantity  # noqa: B018
    assert {"client", "combine", "normalize", "retry_with_backoff"} <= set(dir(adweir))


def test_given_requests_per_minute_when_requests_are_sent_then_they_are_spaced() -> None:
    clock, slept = FrozenClock(), list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)

    with serving() as stub:
        stub.route = lambda _: Answer(200, {"data": []})
        workshop = Workshop(Waiting(0, clock, sleep))
        client = workshop.client("meta", {"access_token": "x" * 40}, requests_per_minute=30, urls={"api": stub.url})

        assert list(client.get_profiles()) == []
        clock.advance(1.5)
        assert list(client.get_profiles()) == []

    assert slept == [0.5]


# --- ranges of dates

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "window"),
    [
        (("2026-11-01", "2026-11-07"), "2026-11-01..2026-11-07"),
        ([date(2026, 11, 1), date(2026, 11, 7)], "2026-11-01..2026-11-07"),
        ("2026-11-01..2026-11-07", "2026-11-01..2026-11-07"),
        ("2026-11-01", "2026-11-01"),
        (WEEK, "2026-11-01..2026-11-07"),
        ((datetime(2026, 11, 1, 23, 30, tzinfo=UTC), "2026-11-07"), "2026-11-02..2026-11-07"),
        (("2026-11-19", "2027-01-01"), "2026-11-19..2026-11-20"),
        (None, "2026-10-21..2026-11-19"),
    ],
)
def test_given_a_range_in_any_form_then_it_is_days_of_the_profile_up_to_its_today(given: Any, window: str) -> None:
    clock = FrozenClock(NOON)

    assert window_of(parsed(given, clock), a_profile(), clock) == Window.parse(window)


@settings(max_examples=40)
@given(st.dates(date(2024, 1, 1), date(2026, 11, 20)), st.integers(0, 900))
def test_given_any_two_days_then_tuples_and_text_mean_the_same(end: date, days: int) -> None:
    start = date.fromordinal(end.toordinal() - days)
    clock = FrozenClock(NOON)

    forms: list[DateRange] = [(start, end), (start.isoformat(), end.isoformat()), f"{start}..{end}"]

    assert {window_of(parsed(form, clock), a_profile(), clock) for form in forms} == {Window(start, end)}


def test_given_a_range_in_the_future_then_nothing_is_asked_for() -> None:
    paper = Paper(PaperConnector(usual))

    assert list(paper.client.get_account_stats("7", ("2027-01-01", "2027-01-02"))) == []
    assert paper.connector.asked == []
