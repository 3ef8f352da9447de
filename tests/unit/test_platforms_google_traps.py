"""What would make totals wrong on Google Ads, and is therefore never asked for (second reading of the reference, C)."""

from __future__ import annotations

import re

import pytest

from adweir.model.datasets import Dataset
from adweir.platforms.google_ads import SPEC, queries
from adweir.platforms.google_ads.queries import AskedFor
from support.google_wire import task

PARTS = ("by_action", "by_conversion_date", "by_action_by_conversion_date")
OWN = {dataset: queries.questions(dataset) for dataset in SPEC.datasets if dataset.grain}
BESIDE = [
    beside
    for dataset, asked in OWN.items()
    if dataset.grain == "day"
    for query in asked
    for part in PARTS
    if (beside := queries.beside(query, part))
]
EVERY = [*(query for asked in OWN.values() for query in asked), *BESIDE]


def metrics(query: AskedFor) -> set[str]:
    return {name for name in query.fields if name.startswith("metrics.")}


@pytest.mark.parametrize("segment", ["segments.keyword.", "segments.click_type"])
def test_segments_that_drop_rows_or_count_twice_are_never_selected(segment: str) -> None:
    assert not [query for query in EVERY if any(name.startswith(segment) for name in query.fields)]


def test_conversions_by_action_stand_without_cost_and_cost_without_actions() -> None:
    for query in EVERY:
        traffic = metrics(query) & {"metrics.cost_micros", "metrics.clicks", "metrics.impressions"}
        by_action = any(name.startswith("segments.conversion_action") for name in query.fields)
        assert bool(traffic) is not (by_action or query in BESIDE)


def test_rows_exist_by_the_metrics_so_each_question_has_all_that_may_differ_from_zero() -> None:
    for asked in OWN.values():
        for query in asked:
            if "metrics.cost_micros" in query.fields:
                assert {"metrics.impressions", "metrics.clicks", "metrics.conversions"} <= metrics(query)


def test_only_what_may_be_added_up_is_selected() -> None:
    averages = re.compile(r"average|ctr|rate|share|percentage|unique_users|historical|_per_|quality")
    assert not [name for query in EVERY for name in metrics(query) if averages.search(name)]


def test_a_date_that_is_filtered_is_selected_and_no_named_range_is_used() -> None:
    for dataset, asked in OWN.items():
        for query in asked:
            assert "segments.date" in query.fields
            text = queries.gaql(query, task(dataset))
            assert " BETWEEN '2026-11-01' AND '2026-11-07'" in text
            assert " OR " not in text
            assert " DURING " not in text


def test_hours_are_asked_for_at_the_levels_that_have_them() -> None:
    hourly = {dataset for dataset in OWN if dataset.grain == "hour"}
    assert hourly == {Dataset.ACCOUNT_HOURLY, Dataset.CAMPAIGN_HOURLY, Dataset.AD_GROUP_HOURLY}
    assert {query.resource for dataset in hourly for query in OWN[dataset]} == {"customer", "campaign", "ad_group"}


def test_numbers_by_day_keep_both_readings_of_conversions() -> None:
    both = {"metrics.conversions", "metrics.all_conversions"}
    for query in EVERY:
        if "segments.hour" not in query.fields and query not in BESIDE:
            assert both <= metrics(query)
