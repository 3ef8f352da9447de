"""What Amazon's SPEC promises: the datasets of each ad product, and how far back they are asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from adweir.intake.collect.planner import Frame, Reach, profile_tasks
from adweir.model.datasets import Dataset
from adweir.model.entities import Profile
from adweir.model.messages import Scope
from adweir.platforms.amazon_ads import SPEC
from adweir.platforms.base import DatasetSpec
from support.platforms import AMAZON_ADS

TODAY = date(2026, 11, 20)
METRICS = [spec for spec in SPEC.datasets.values() if spec.dataset.grain]


def oldest(reach: Reach, dataset: Dataset, history_days: int = 400) -> dict[str, int]:
    """How many days before today the first requested day is, by slice."""
    frame = Frame("r", "m", datetime(2026, 11, 20, 12, tzinfo=UTC), Scope(), reach, history_days, 1_800_000_000)
    profile = Profile(
        account_id="acc-1", platform=AMAZON_ADS, profile_id="1", name="n", currency="EUR", timezone="Europe/Paris"
    )
    first: dict[str, int] = {}
    for task in profile_tasks(frame, profile, SPEC.datasets[dataset], {}):
        assert task.window is not None
        assert task.window.length <= 31
        first[task.slice] = max(first.get(task.slice, 0), (TODAY - task.window.start).days)
    return first


@pytest.mark.parametrize("reach", [Reach.FRESH, Reach.SETTLING, Reach.MISSING])
@pytest.mark.parametrize("spec", METRICS, ids=lambda spec: str(spec.dataset))
def test_no_day_is_asked_for_that_amazon_may_refuse_or_answer_empty(reach: Reach, spec: DatasetSpec) -> None:
    # Brands keeps 60 days and Display 65; Products has data of 65, though it takes reports of 95
    first = oldest(reach, spec.dataset)
    assert first == {slice_: {"sp": 64, "sb": 59, "sd": 64}[slice_] for slice_ in first}


def test_the_weekly_run_asks_for_all_that_may_be_restated_and_is_still_kept() -> None:
    assert oldest(Reach.SETTLING, Dataset.AD_DAILY, history_days=1) == {"sp": 60, "sb": 59, "sd": 60}


def test_only_campaigns_are_said_to_sum_to_their_parent_and_breakdowns_wait_for_a_request() -> None:
    assert [spec.dataset for spec in METRICS if spec.sums_to_parent] == [Dataset.CAMPAIGN_DAILY]
    assert {spec.dataset for spec in METRICS if spec.on_request} == {
        spec.dataset for spec in METRICS if spec.dataset.breakdown
    }


@pytest.mark.parametrize(
    ("dataset", "missing"),
    [
        (Dataset.CREATIVES, "sp"),
        (Dataset.KEYWORDS, "sd"),
        (Dataset.KEYWORD_BY_SEARCH_TERM_DAILY, "sd"),
        (Dataset.CAMPAIGN_BY_PLACEMENT_DAILY, "sd"),
    ],
)
def test_an_ad_product_without_such_a_thing_has_no_slice(dataset: Dataset, missing: str) -> None:
    assert {"sp", "sb", "sd"} - set(SPEC.datasets[dataset].slices) == {missing}
