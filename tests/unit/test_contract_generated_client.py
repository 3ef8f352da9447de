"""The runner of `make client` sees every number of the story that is not the platform's."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from contract import generated_client
from contract.generated_client import compared

ABOUT = {"platforms_url": "x", "accounts": [{"key": "halden", "profile_ids": {"meta_ads": ["7"]}}]}
SEEN: dict[str, Any] = {
    "run": "succeeded",
    "after_deletion": "not_found",
    "zones": {"7": "Asia/Tokyo"},
    "campaigns": [{"totals": {"last_7_days": {"spend": spend}}} for spend in (9, 4)],
    "report": {
        "time_range": {"zones": {"Asia/Tokyo": {"end_date": "2026-11-20"}, "UTC": {"end_date": "2026-11-19"}}},
        "totals": [],
        "data": [
            {"account": "7", "account_name": "Shop", "impressions": 20, "impressions_before": 17,
             "impressions_difference": 3, "spend": Decimal("2.5"), "spend_before": 2,
             "spend_difference": Decimal("0.5")}
        ],
    },
}  # fmt: skip
ROW: Callable[[dict[str, Any]], dict[str, Any]] = lambda seen: seen["report"]["data"][0]  # noqa: E731


@pytest.fixture(autouse=True)
def platform(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the days that end with the 20th it has 20 impressions for 2.50, on those before 17 for 2."""
    known = {date(2026, 11, 20): (20, "2.5"), date(2026, 11, 17): (17, "2")}

    def truth(_world: str, _profile: str, last: date) -> Counter[str]:
        impressions, spend = known[last]
        sums: Counter[Any] = Counter({"impressions": Decimal(impressions), "spend": Decimal(spend)})
        return sums

    monkeypatch.setattr(generated_client, "truth", truth)


def test_given_the_platforms_numbers_then_nothing_is_wrong() -> None:
    assert list(compared(SEEN, ABOUT)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda seen: ROW(seen).update(spend=Decimal("2.51")), "7: spend is 2.51, not 2.5"),
        (lambda seen: ROW(seen).update(impressions_before=0), "7: impressions_before is 0, not 17"),
        (lambda seen: ROW(seen).update(spend_difference=-1), "7: spend_difference is -1, not 0.5"),
        (lambda seen: ROW(seen).update(account_name=None), "7 has no name"),
        (lambda seen: seen["report"].update(data=[]), "ad accounts: [] in place of ['7']"),
        (lambda seen: seen["campaigns"].reverse(), "campaigns by spend: [4, 9]"),
        (lambda seen: seen.update(run="partial"), "the run is partial, the deleted account not_found"),
    ],
)
def test_given_anything_else_then_it_is_named(change: Callable[[dict[str, Any]], object], said: str) -> None:
    seen = copy.deepcopy(SEEN)
    change(seen)
    assert list(compared(seen, ABOUT)) == [said]
