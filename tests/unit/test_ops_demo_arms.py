"""The demonstration compares what is known of arms with reports of the same days."""

from __future__ import annotations

from typing import Any

from ops.client import Api
from ops.demo.arms import arms_learned, create_arms
from ops.demo.verdict import Verdict

PROFILES = [
    {"account_id": "acc_a", "platform": "trade_desk", "profile_id": "1"},
    {"account_id": "acc_a", "platform": "amazon_ads", "profile_id": "2"},
    {"account_id": "acc_b", "platform": "trade_desk", "profile_id": "3"},
]


_ENDS = {"last": "2026-11-18", "through": "2026-11-19"}


def state(arm_id: str, **changes: Any) -> dict[str, Any]:
    numbers = {"impressions": 100, "trials": 10, "rewards": 1.5, "spending": 2.25, "allocation": 0.5}
    return {"arm_id": arm_id, "days": 3, "first": "2026-11-01", **_ENDS, **numbers, **changes}


def row(arm_id: str, **changes: Any) -> dict[str, Any]:
    numbers = {"impressions": 100, "clicks": 10, "conversions": 1.5, "spend": 2.25}
    return {"arm": arm_id, "date": "2026-11-18", **numbers, **changes}


class ArmsApi(Api):
    """Answers states and a report from lists, and keeps what was posted."""

    def __init__(self, states: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
        super().__init__("http://127.0.0.1", "key")
        self.states, self.rows = states, rows
        self.posted: list[tuple[str, Any]] = []

    def get(self, path: str, **params: Any) -> Any:
        return {"agents": self.states, "arms": [{"arm_id": "arm_1"}, {"arm_id": "arm_2"}]}

    def post(self, path: str, body: Any = None) -> Any:
        self.posted.append((path, body))
        return {"campaign_id": "cmp_a", "data": self.rows}


def test_the_ad_accounts_of_a_platform_of_the_client_are_an_arm_each() -> None:
    api = ArmsApi([], [])

    assert create_arms(api, {"account_id": "acc_a"}, PROFILES) == "cmp_a"

    assert [path for path, _ in api.posted] == ["/api/v1/campaigns", "/api/v1/campaigns/cmp_a/arms"]
    assert api.posted[1][1]["bindings"] == [{"profile_id": "1"}]


def test_states_that_say_what_reports_say_are_right() -> None:
    """Given a day that is over for one ad account alone, then it counts for neither side of the other."""
    rows = [row("arm_1"), row("arm_1", date="2026-11-19"), row("arm_2")]
    api = ArmsApi([state("arm_1"), state("arm_2", first="2026-10-01")], rows)

    found = arms_learned(api, "cmp_a")

    assert found.text == "Arms: 8 numbers of 2 arms equal those of reports."
    assert api.posted[0][1]["time_range"] == {"start_date": "2026-10-01", "end_date": "2026-11-19"}


def test_numbers_that_differ_and_arms_that_were_not_learned_are_named_and_the_verdict_is_wrong() -> None:
    different = ArmsApi([state("arm_1", trials=9), state("arm_2")], [row("arm_1"), row("arm_2")])
    found = arms_learned(different, "cmp_a")
    assert found.wrong == ("arm arm_1: trials 9, and a report says 10",)
    verdict = Verdict([], 1.0, arms=found)
    assert not verdict.right
    assert found.text in verdict.text
    assert found.wrong[0] in verdict.wrong_lines

    absent = ArmsApi([state("arm_1")], [])
    assert arms_learned(absent, "cmp_a").wrong == ("arm arm_2 was not learned",)

    shares = ArmsApi([state("arm_1", allocation=0.4), state("arm_2")], [row("arm_1"), row("arm_2")])
    assert "add up to 0.9" in arms_learned(shares, "cmp_a").wrong[0]
