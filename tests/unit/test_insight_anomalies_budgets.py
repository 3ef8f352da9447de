"""What a changed budget explains is said: which campaign's, from what to what, and by which list."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from adweir.insight.anomalies.incidents import Causes, Incident, Watcher
from adweir.insight.anomalies.settings import ScoreBasis, Scored
from adweir.insight.anomalies.watched import Found, WatchedEntity
from adweir.insight.anomalies.wording import says
from adweir.model import limits
from adweir.model.budgets import ListedBudget, ReplacedBudget, changes_around, continued_budgets
from adweir.model.metrics import Level
from support.bounds import at_the_bound

DAY = date(2026, 10, 1)
ACCOUNT = WatchedEntity(Level.ACCOUNT, "1")
RAISED = ReplacedBudget("2026-10-02", 100_000_000, 300_500_000)


def campaign(number: int = 1) -> WatchedEntity:
    return WatchedEntity(Level.CAMPAIGN, f"c{number}", (ACCOUNT.key,))


def shows(entity: WatchedEntity, metric: str = "spend", z: float = 6.0) -> Found:
    return Found(entity, metric, DAY, Scored(0, 9.0, 1.0, z, 0.9, True, ScoreBasis.ROBUST, 3.5), 9.0)


def incident(*found: Found, changed: int = 1, change: ReplacedBudget = RAISED) -> Incident:
    together = Causes(Watcher("acc_1", "meta_ads", "1", "EUR"), [], "2026-11-01T00:00:00.000000Z")
    budgets = {campaign(number).key: [change] for number in range(1, changed + 1)}
    names = {campaign(number).key: "Summer" for number in range(1, changed + 1)}
    for _ in range(2):
        together.add(DAY, found, names, 0.0, budgets)
    (one,) = together.incidents.values()
    return one


def test_the_budget_of_a_campaign_whose_spend_rose_is_named() -> None:
    one = incident(shows(campaign()), shows(campaign(), "clicks"))

    assert one.budgets == [
        {"campaign_id": "c1", "name": "Summer", "listed": "2026-10-02", "before": "100", "after": "300.5"}
    ]
    assert says(one).endswith("Its budget was raised from 100.00 to 300.50 EUR, as first listed on 2026-10-02.")


def test_budgets_of_the_parts_of_an_ad_account_and_around_an_ad_are_named_with_their_campaign() -> None:
    said = "The budget of campaign c1 (Summer) was raised from 100.00 to 300.50 EUR, as first listed on 2026-10-02."
    ad = WatchedEntity(Level.AD, "g~a", (campaign().key, ACCOUNT.key))
    assert said in says(incident(shows(ACCOUNT), shows(campaign())))
    assert said in says(incident(shows(ad)))


@pytest.mark.parametrize(
    ("metric", "z", "change"),
    [("clicks", 6.0, RAISED), ("spend", -6.0, RAISED), ("spend", 6.0, ReplacedBudget("2026-10-02", 2, 1))],
)
def test_what_spend_did_not_follow_explains_nothing(metric: str, z: float, change: ReplacedBudget) -> None:
    assert incident(shows(campaign(), metric, z), change=change).budgets == []


@at_the_bound("MAX_ANOMALY_BUDGETS")
def test_budgets_are_named_up_to_a_number(size: int, fits: bool) -> None:
    one = incident(shows(ACCOUNT), *(shows(campaign(number)) for number in range(1, size + 1)), changed=size)
    assert (len(one.budgets) == size) is fits


# --- what lists said


def known(*budgets: tuple[int | None, str, str]) -> list[ListedBudget]:
    return [ListedBudget(amount=amount, kind=kind, since=since) for amount, kind, since in budgets]


@pytest.mark.parametrize(
    ("listed", "is_near"),
    [("2026-09-29", False), ("2026-09-30", True), ("2026-10-01", True), ("2026-10-03", True), ("2026-10-04", False)],
)
def test_a_change_is_listed_up_to_two_days_after_it(listed: str, is_near: bool) -> None:
    found = list(changes_around(known((100, "daily", ""), (300, "daily", listed)), DAY))
    assert found == ([ReplacedBudget(listed, 100, 300)] if is_near else [])


@pytest.mark.parametrize("after", [(300, "lifetime"), (None, "daily"), (0, "daily"), (100, "daily")])
def test_another_kind_of_budget_or_none_is_no_change_of_it(after: tuple[int | None, str]) -> None:
    budgets = known((100, "daily", ""), (*after, "2026-10-01"))
    assert list(changes_around(budgets, DAY)) == []


def test_budgets_are_kept_from_the_first_change_on() -> None:
    body: dict[str, Any] = {"budget": 100, "budget_type": "daily"}
    assert continued_budgets(body, dict(body), "2026-10-01") == []
    changed = body | {"budget": 300}
    first = continued_budgets(changed, body, "2026-10-02")
    assert first == [
        {"amount": 100, "kind": "daily", "since": ""},
        {"amount": 300, "kind": "daily", "since": "2026-10-02"},
    ]
    assert continued_budgets(changed, changed | {"budgets": first}, "2026-10-03") == first
    second = continued_budgets(body, changed | {"budgets": first}, "2026-10-04")
    assert [(each["amount"], each["since"]) for each in second] == [(100, ""), (300, "2026-10-02"), (100, "2026-10-04")]


@at_the_bound("MAX_KEPT_BUDGETS", as_if=4)
def test_the_last_budgets_are_kept(size: int, fits: bool) -> None:
    body: dict[str, Any] = {"budget": 1}
    for number in range(2, size + 1):
        day = (DAY + timedelta(days=number)).isoformat()
        fresh = {"budget": number}
        body = fresh | {"budgets": continued_budgets(fresh, body, day)}
    assert (body["budgets"][0]["since"] == "") is fits
    assert len(body["budgets"]) == limits.MAX_KEPT_BUDGETS
