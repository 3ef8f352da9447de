"""Days of ad accounts are scored from what their loads found, how levels add up, and the platform's own totals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from unittest.mock import Mock

import boto3
import pytest

from adweir.model import limits
from adweir.model.errors import NotReady
from adweir.model.flows import StageKind
from adweir.model.invoices import DocumentKind, Invoice, InvoiceLine, InvoiceLineKind
from adweir.model.messages import TaskMessage
from adweir.model.metrics import Level
from adweir.model.tasks import AccountTask, TaskState
from adweir.platforms import REGISTRY
from adweir.quality.days import DayScorer
from adweir.reporting.invoices import MonthlyBills
from adweir.store.findings.day_scores import KEEP, ScoreItem
from support.api import Call
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.crash import Killed
from support.functions import loaded
from support.machine import Invocation
from support.scored_world import GOOGLE, M, ScoredWorld, compared

KEY = f"{GOOGLE}#1"


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> ScoredWorld:
    return ScoredWorld(clock)


def test_a_day_that_adds_up_is_right_although_performance_max_has_no_ads(world: ScoredWorld) -> None:
    world.pull_all()

    assert world.score() == 1

    day = world.scored()
    assert (day["score"], day["gates"], day["missing"]) == (1.0, [], [])
    assert day["dimensions"] == dict.fromkeys(day["dimensions"], 1.0)
    total = compared(day, "campaign")
    assert (total["platform"], total["ours"], total["difference"], total["why"]) == (27 * M, 27 * M, 0, [])
    groups = compared(day, "ad_group")
    assert (groups["above"], groups["difference"], groups["unexplained"]) == ("campaign", 20 * M, 0)
    assert groups["why"] == [{"reason": "campaigns_without_ads", "amount": 20 * M}]
    assert {each["level"] for each in day["reconciliation"]} == {"campaign", "ad_group"}, "ads are as their groups"


def test_ads_that_are_missing_beside_a_lawful_gap_break_the_consistency(world: ScoredWorld) -> None:
    world.pull_all(ads=4)
    world.score()
    day = world.scored()
    assert compared(day, "ad_group")["unexplained"] == 3 * M
    assert day["dimensions"]["consistency"] < 1
    assert day["dimensions"]["accuracy"] == 1.0


def test_campaigns_that_differ_from_the_platforms_total_make_the_day_inaccurate(world: ScoredWorld) -> None:
    world.pull_all()
    world.clock.advance(60)
    world.pull(Level.ACCOUNT, {"1": 40})
    world.score()
    day = world.scored()
    assert compared(day, "campaign") == {
        "level": "campaign", "above": "account", "metric": "spend", "platform": 40 * M, "ours": 27 * M,
        "difference": 13 * M, "why": [], "unexplained": 13 * M,
    }  # fmt: skip
    assert day["dimensions"]["accuracy"] == 0.4  # of conversions and revenue there are none on either side
    assert (day["score"], day["gates"]) == (0.59, ["accuracy < 0.6"])


@pytest.mark.parametrize("reason", ["absent", "older", "refused"])
def test_without_a_total_to_compare_with_there_is_no_accuracy(world: ScoredWorld, reason: str) -> None:
    if reason == "older":
        world.pull(Level.ACCOUNT, {"1": 99})
        world.clock.advance(60)
    world.pull(Level.CAMPAIGN, {"1": 7})
    if reason == "refused":
        world.clock.advance(60)
        world.pull(Level.ACCOUNT, {"1": 9}, impressions=-1)
    world.score()
    day = world.scored()
    assert day["dimensions"]["accuracy"] is None
    assert day["reconciliation"] == []


def test_levels_that_were_pulled_far_apart_are_not_compared(world: ScoredWorld) -> None:
    world.pull(Level.CAMPAIGN, {"1": 9})
    world.clock.advance(7 * 3600)
    world.pull(Level.AD_GROUP, {"5": 7})
    world.score()
    assert world.scored()["reconciliation"] == []


def test_rows_that_are_kept_explain_what_is_more_than_the_total(world: ScoredWorld) -> None:
    # given a campaign that a later pull no longer brings, and a total that still has it
    world.pull_all()
    world.clock.advance(3600)
    world.pull(Level.CAMPAIGN, {"2": 20})
    world.clock.advance(60)
    world.pull(Level.ACCOUNT, {"1": 25})
    world.score()
    found = compared(world.scored(), "campaign")
    assert (found["ours"], found["why"], found["unexplained"]) == (27 * M, [{"reason": "kept", "amount": -2 * M}], 0)


def test_refused_rows_name_their_columns_and_cap_the_score(world: ScoredWorld) -> None:
    world.pull(Level.CAMPAIGN, {"1": 7, "2": 20}, impressions=-1)
    world.score()
    day = world.scored()
    assert day["worst"][0] == {"rule": "negative", "field": "campaign.impressions", "rows": 2}
    assert (day["dimensions"]["validity"] < 1, day["gates"][0], day["score"]) == (True, "negative", 0.59)


def test_numbers_that_some_rows_lack_count_and_those_that_none_has_do_not(world: ScoredWorld) -> None:
    world.pull(Level.CAMPAIGN, {"1": 7, "2": 20}, revenue=None)
    world.score()
    assert (world.scored()["dimensions"]["completeness"], world.scored()["worst"]) == (1.0, [])

    world.clock.advance(60)
    world.pull(Level.CAMPAIGN, {"1": 7, "2": None}, revenue=None)
    world.score()
    assert world.scored()["dimensions"]["completeness"] == 0.75  # the id of two rows, and the spend of one of them


def test_a_level_that_is_not_pulled_gets_late_and_the_day_is_scored_again(world: ScoredWorld) -> None:
    world.pull(Level.CAMPAIGN, {"1": 7})
    world.score()
    day, fresh = world.yesterday, world.scored()
    assert "ad all" in fresh["missing"]
    assert fresh["dimensions"]["timeliness"] == 1.0  # it was over half a day ago

    world.clock.advance(3 * 86_400)
    assert world.score() == 4  # the day, and three of which nothing was pulled
    late = world.scored(day)
    assert late["dimensions"]["timeliness"] == pytest.approx(1 / 5)
    assert world.scored()["gates"] == []
    assert world.scored(day + timedelta(days=1))["dimensions"]["timeliness"] == pytest.approx(0.25)


def test_a_day_is_scored_again_only_when_what_it_is_made_of_changed(world: ScoredWorld) -> None:
    world.pull_all()
    assert (world.score(), world.score()) == (1, 0)
    world.clock.advance(3600)
    world.pull(Level.CAMPAIGN, {"1": 7, "2": 20}, impressions=-1)
    assert (world.score(), world.score()) == (1, 0)
    world.pull(Level.CAMPAIGN, {"1": 7, "2": 20}, load=1)  # the same pull, with its rows as they should be
    assert (world.score(), world.score(), world.scored()["gates"]) == (1, 0, [])


def test_scoring_that_runs_out_of_time_goes_on_with_older_months(world: ScoredWorld) -> None:
    days = [date(2026, 11, 19), date(2026, 10, 31)]
    for day in days:
        world.pull_all(day)
    left = iter([100.0, 100.0, 1.0])
    scorer = DayScorer(
        world.catalog, world.metrics, world.findings, REGISTRY, world.clock, MonthlyBills(world.catalog, world.queries)
    )
    with pytest.raises(NotReady):
        scorer.score(world.account_id, lambda: next(left), 30.0)
    assert world.scored(days[0])["score"] is not None
    with pytest.raises(ValueError, match="unpack"):
        world.scored(days[1])
    assert world.score() == 1
    assert world.scored(days[1])["score"] == 1.0


def test_scoring_reads_the_campaigns_and_the_bills_of_an_ad_account_once(
    world: ScoredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (date(2026, 11, 19), date(2026, 10, 31)):
        world.pull_all(day)
    world.catalog.put_invoices([bill(line(KINDS.SPEND, 27 * M))], "2026-11-02T00:00:00.000000Z")
    objects = Mock(wraps=world.catalog.objects)
    invoices = Mock(wraps=world.catalog.invoices)
    monkeypatch.setattr(world.catalog, "objects", objects)
    monkeypatch.setattr(world.catalog, "invoices", invoices)

    world.score()

    assert (objects.call_count, invoices.call_count) == (1, 1)


def test_scoring_that_is_killed_within_a_batch_goes_on_with_the_days_that_were_not_stored(
    world: ScoredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [date(2026, 11, day) for day in (17, 18, 19)]
    for day in days:
        world.pull_all(day)
    put_batch = ScoreItem.put_batch

    for stored, left in ((0, 3), (1, 3), (1, 2)):

        def dies(items: Sequence[ScoreItem], stored: int = stored, left: int = left) -> list[ScoreItem]:
            assert len(items) == left
            if stored:
                put_batch(items[:stored])
            raise Killed

        monkeypatch.setattr(ScoreItem, "put_batch", dies)
        with pytest.raises(Killed):
            world.score()
    monkeypatch.setattr(ScoreItem, "put_batch", put_batch)

    assert world.score() == 1
    assert [world.scored(day)["score"] for day in days] == [1.0, 1.0, 1.0]


@at_the_bound("MAX_SCORED_DAYS", as_if=3)
def test_so_many_days_are_scored(size: int, fits: bool, world: ScoredWorld) -> None:
    oldest = world.clock.now().date() - timedelta(days=size)
    world.pull(Level.CAMPAIGN, {"1": 7}, oldest)
    world.score()
    found = world.findings.scores.days(KEY, oldest.isoformat(), oldest.isoformat())
    assert bool(found) == fits


def test_scores_expire(world: ScoredWorld) -> None:
    world.pull_all()
    world.score()
    day = world.yesterday.isoformat()
    world.clock.advance(KEEP.total_seconds())
    assert world.findings.scores.days(KEY, day, day) == []


def bill(*lines: InvoiceLine, document: DocumentKind = DocumentKind.INVOICE, number: str = "i1") -> Invoice:
    return Invoice(
        platform=GOOGLE, profile_id="1", invoice_id=number, month="2026-10", currency="USD", lines=lines,
        document=document,
    )  # fmt: skip


def line(kind: InvoiceLineKind, amount: int, tax: int = 0, number: str = "") -> InvoiceLine:
    return InvoiceLine(line=number or kind.value, kind=kind, amount=amount, tax=tax)


def measured(world: ScoredWorld) -> None:
    for number in range(1, 32):
        world.pull(Level.ACCOUNT, {"1": 10}, date(2026, 10, number))


def checked(world: ScoredWorld) -> dict[str, Any]:
    world.score()
    (found,) = world.findings.scores.bills(KEY, "2026-10", "2026-10")
    return found


KINDS = InvoiceLineKind


def test_a_bill_is_explained_by_its_lines(world: ScoredWorld) -> None:
    measured(world)
    lines = [line(KINDS.SPEND, 310 * M, 59 * M), line(KINDS.CREDIT, -20 * M), line(KINDS.ADJUSTMENT, 3 * M),
             line(KINDS.INVALID_TRAFFIC, -4 * M, -1 * M), line(KINDS.TAX, 0, 2 * M)]  # fmt: skip
    world.catalog.put_invoices([bill(*lines)], "2026-11-02T00:00:00.000000Z")

    found = checked(world)

    assert found["state"] == "explained"
    assert found["explained"] == {"adjustment": "3", "credit": "-20", "invalid_traffic": "-4", "tax": "60"}
    assert (found["total"], found["measured"], found["unexplained"]) == ("349", "310", "0")


@pytest.mark.parametrize(("spend", "state"), [(310_010_000, "explained"), (310_010_001, "unexplained")])
def test_more_than_a_hundredth_that_no_line_explains_is_a_finding(world: ScoredWorld, spend: int, state: str) -> None:
    measured(world)
    world.catalog.put_invoices([bill(line(KINDS.SPEND, spend))], "2026-11-02T00:00:00.000000Z")
    assert checked(world)["state"] == state


def test_a_memo_that_corrects_the_bill_clears_the_finding(world: ScoredWorld) -> None:
    measured(world)
    world.catalog.put_invoices([bill(line(KINDS.SPEND, 340 * M))], "2026-11-02T00:00:00.000000Z")
    assert checked(world)["unexplained"] == "30"
    memo = bill(line(KINDS.SPEND, -30 * M), document=DocumentKind.CREDIT_MEMO, number="i2")
    world.catalog.put_invoices([memo], "2026-11-03T00:00:00.000000Z")
    assert checked(world)["state"] == "explained"


def test_what_is_given_back_explains_nothing_where_the_platform_restated_its_reports_too(world: ScoredWorld) -> None:
    measured(world)
    lines = [line(KINDS.SPEND, 340 * M), line(KINDS.INVALID_TRAFFIC, -30 * M), line(KINDS.CREDIT, -5 * M)]
    world.catalog.put_invoices([bill(*lines)], "2026-11-02T00:00:00.000000Z")
    found = checked(world)
    assert (found["state"], found["explained"], found["unexplained"]) == ("explained", {"credit": "-5"}, "0")


def test_what_a_later_bill_corrects_explains_the_month_and_not_its_own(world: ScoredWorld) -> None:
    # given a month of which more was billed than its reports show by now, and a bill that gives it back
    measured(world)
    for number in range(1, 20):
        world.pull(Level.ACCOUNT, {"1": 1}, date(2026, 11, number))
    world.catalog.put_invoices([bill(line(KINDS.SPEND, 340 * M))], "2026-11-02T00:00:00.000000Z")
    assert checked(world)["state"] == "unexplained"
    correction = line(KINDS.ADJUSTMENT, -30 * M).model_copy(update={"about_month": "2026-10"})
    later = bill(line(KINDS.SPEND, 19 * M), correction, number="i2").model_copy(update={"month": "2026-11"})
    world.catalog.put_invoices([later], "2026-12-02T00:00:00.000000Z")

    found = checked(world)

    assert (found["state"], found["explained"]) == ("explained", {"corrected_later": "30"})
    (november,) = world.findings.scores.bills(KEY, "2026-11", "2026-11")
    assert (november["explained"], november["unexplained"]) == ({"adjustment": "-30"}, "0")


def test_a_month_that_was_not_pulled_whole_is_not_judged(world: ScoredWorld) -> None:
    world.pull(Level.ACCOUNT, {"1": 10}, date(2026, 10, 1))
    world.catalog.put_invoices([bill(line(KINDS.SPEND, 310 * M))], "2026-11-02T00:00:00.000000Z")
    assert (checked(world)["state"], checked(world)["days_pulled"]) == ("incomplete", 1)


def test_a_bill_of_a_month_in_which_nothing_was_delivered_is_a_finding(world: ScoredWorld) -> None:
    for number in range(1, 32):
        world.pull(Level.ACCOUNT, {}, date(2026, 10, number))
    world.catalog.put_invoices([bill(line(KINDS.SPEND, 5 * M))], "2026-11-02T00:00:00.000000Z")
    assert (checked(world)["state"], checked(world)["measured"]) == ("unexplained", "0")


@at_the_bound("MAX_CHECKED_BILL_MONTHS")
def test_bills_of_so_many_months_are_looked_at(size: int, fits: bool, world: ScoredWorld) -> None:
    month = f"2026-{11 - size:02}"
    old = bill(line(KINDS.SPEND, M)).model_copy(update={"month": month})
    world.catalog.put_invoices([old], "2026-11-02T00:00:00.000000Z")
    world.score()
    assert bool(world.findings.scores.bills(KEY, month, month)) == fits


def test_the_api_serves_days_with_their_trend_and_bills(call: Call, clock: FrozenClock) -> None:
    world = ScoredWorld(clock)
    for number in range(14):
        world.pull_all(world.clock.now().date() - timedelta(days=number + 1))
    measured(world)
    world.catalog.put_invoices([bill(line(KINDS.SPEND, 340 * M))], "2026-11-02T00:00:00.000000Z")
    world.score()

    found = call("GET", "/api/v1/quality", platform="google", profile_id="1", start="2026-10-01")

    assert [day["date"] for day in found["days"]][-1] == world.yesterday.isoformat()
    assert found["trend"]["direction"] == "steady"
    groups = compared(found["days"][-1], "ad_group")
    assert (groups["platform"], groups["difference"]) == (27, 20)
    assert groups["why"][0]["says"].startswith("Performance Max")
    assert (found["bills"][0]["state"], found["bills"][0]["unexplained"]) == ("unexplained", 30)
    assert found["reports"]
    following = call("GET", "/api/v1/quality", platform="google", profile_id="1", limit="1", next_token=_token(call))
    assert (following["days"], following["trend"]) == ([], None)
    call("GET", "/api/v1/quality", platform="google", profile_id="1", start="2026-11-02", end="2026-11-01", expect=422)


def _token(call: Call) -> str:
    return str(call("GET", "/api/v1/quality", platform="google", profile_id="1", limit="1")["next_token"])


def test_a_range_of_days_has_a_bound(call: Call) -> None:
    asked = {"platform": "google", "profile_id": "1", "end": "2026-11-01"}
    first = date(2026, 11, 1) - timedelta(days=limits.MAX_SCORED_DAYS)
    call("GET", "/api/v1/quality", **asked, start=first.isoformat())
    call("GET", "/api/v1/quality", **asked, start=(first - timedelta(days=1)).isoformat(), expect=422)


def test_a_task_of_a_run_scores_the_days_of_its_client(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, clock: FrozenClock
) -> None:
    urls = {name: boto3.client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in ("etl", "runs")}
    names = {f"{name.upper()}_QUEUE_URL": url for name, url in urls.items()} | {"FUNCTION_TIMEOUT_SECONDS": "20"}
    world = ScoredWorld(clock)
    world.pull_all()
    with loaded("etl", environment | names, monkeypatch) as function:
        function.app.clock = clock
        task = AccountTask("r", "reconcile", world.account_id, StageKind.RECONCILE, 2_000_000_000)
        function.app.ledger.plan(task)

        body = {"body": TaskMessage.of(task).model_dump_json(), "eventSourceARN": "arn:aws:sqs:us-east-1:1:etl"}
        assert not function.handler({"Records": [{"messageId": "1", **body}]}, Invocation())["batchItemFailures"]
        ended = function.app.ledger.get_task("r", task.id)
    assert (ended.state, ended.counts["days_scored"], world.scored()["score"]) == (TaskState.LOADED, 1, 1.0)
