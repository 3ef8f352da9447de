"""Which of Meta's actions count as conversions is the profile's choice, made when a page is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from facebook_business.adobjects.adsactionstats import AdsActionStats
from facebook_business.adobjects.adsinsights import AdsInsights
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adweir.model.datasets import Dataset
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.meta import questions, wire
from adweir.platforms.meta.normalize import NORMALIZER
from adweir.platforms.meta.options import GROUPS, AttributionWindow, MetaOptions
from support.meta_wire import context, insight, page, stored
from support.platforms import META_ADS

BOUGHT = {"value": "3", "1d_click": "1", "7d_click": "2", "28d_click": "4", "1d_view": "1", "1d_ev": "0.5"}
WORTH = {"value": "310.75", "1d_click": "100", "7d_click": "210.75", "28d_click": "400", "1d_view": "100"}
LEAD = {"value": "7", "7d_click": "6", "1d_view": "1"}


def actions(**by_type: dict[str, str]) -> list[dict[str, str]]:
    return [{"action_type": kind.replace("__", "."), **numbers} for kind, numbers in by_type.items()]


def counted(options: dict[str, Any], row: dict[str, Any] | None = None, dataset: Dataset = Dataset.AD_DAILY) -> Any:
    """Conversions and revenue of a row, in units, under a profile's options."""
    row = row or insight(
        actions=actions(link_click={"value": "21"}, purchase=BOUGHT | {"value": "9"}, omni_purchase=BOUGHT, lead=LEAD),
        action_values=actions(omni_purchase=WORTH),
    )
    chosen = context(dataset, options=MetaOptions.model_validate(options))
    (batch,) = NORMALIZER.metric_batches(stored(page([row])), chosen)
    (found,) = batch.rows
    return tuple(None if n is None else n / 1_000_000 for n in (found.conversions, found.revenue))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (3, 310.75)),
        ({"conversions": ["purchase", "omni_purchase"]}, (9, 0)),
        ({"conversions": ["leads"]}, (7, 0)),
        ({"conversions": ["offsite_conversion.custom.42", "lead"]}, (7, 0)),
        ({"conversions": ["offsite_conversion.custom.42"]}, (0, 0)),
        ({"basis": "click"}, (2, 210.75)),
        ({"basis": "click", "windows": ["1d_click"]}, (1, 100)),
        ({"basis": "click", "windows": ["28d_click", "1d_view"]}, (4, 400)),
        ({"basis": "view"}, (1, 100)),
        ({"basis": "view", "windows": ["1d_view", "1d_ev"]}, (1.5, 100)),
        ({"basis": "click_or_view"}, (3, 310.75)),
        ({"basis": "click_or_view", "windows": ["1d_click", "1d_view", "1d_ev"]}, (2.5, 200)),
        ({"basis": "click", "conversions": ["leads"], "windows": ["28d_click"]}, (0, 0)),
    ],
)
def test_the_profile_chooses_what_counts(options: dict[str, Any], expected: tuple[float, float]) -> None:
    assert counted(options) == expected


def test_events_that_only_the_conversions_list_has_can_be_chosen() -> None:
    row = insight(
        actions=actions(link_click={"value": "21"}),
        action_values=None,
        conversions=actions(schedule_total={"value": "5"}, offsite_conversion__fb_pixel_custom__Trial={"value": "2"}),
        conversion_values=actions(schedule_total={"value": "50.5"}),
    )
    assert counted({"conversions": ["schedule_total"]}, row) == (5, 50.5)
    assert counted({"conversions": ["offsite_conversion.fb_pixel_custom.Trial"]}, row) == (2, 0)


def test_what_was_not_reported_is_unknown_and_what_is_absent_is_zero() -> None:
    # given a page of before the windows were asked for, and one that sums ad sets with different settings
    old = insight(actions=actions(purchase={"value": "3"}), action_values=None)
    mixed = insight(actions=actions(purchase={"7d_click": "2"}), action_values=None)
    none = insight(actions=None, action_values=None)
    # then the numbers that are not there are unknown; an action that Meta leaves out did not happen
    assert counted({"basis": "click"}, old) == (None, 0)
    assert counted({}, mixed) == (None, 0)
    assert counted({"basis": "click"}, mixed) == (2, 0)
    assert counted({"basis": "view"}, mixed) == (0, 0)
    assert counted({}, none) == counted({"basis": "view"}, none) == (0, 0)


@pytest.mark.parametrize("dataset", [Dataset.CAMPAIGN_HOURLY, Dataset.AD_BY_REGION_DAILY])
def test_actions_on_meta_are_reported_by_hour_and_by_region(dataset: Dataset) -> None:
    row = insight(
        actions=actions(onsite_conversion__lead_grouped={"value": "4"}, lead={"value": "4"}),
        action_values=None,
        region="Ohio",
        hourly_stats_aggregated_by_advertiser_time_zone="07:00:00 - 07:59:59",
    )
    assert counted({"conversions": ["onsite_conversion.lead_grouped"]}, row, dataset) == (4, 0)
    assert counted({"conversions": ["leads"]}, row, dataset) == (None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"conversions": []},
        {"conversions": ["a b"]},
        {"conversions": ["x" * 101]},
        {"conversions": ["purchase"] * 21},
        {"basis": "last_touch"},
        {"windows": ["7d_view"]},
        {"windows": ["1d_click", "7d_click"]},
        {"windows": ["1d_view", "1d_view"]},
        {"basis": "view", "windows": ["7d_click"]},
        {"basis": "click", "windows": ["1d_view"]},
        {"basis": "click_or_view", "windows": ["7d_click"]},
        {"clock": "conversion"},
    ],
)
def test_a_choice_that_meta_cannot_answer_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MetaOptions.model_validate(wrong)


def test_the_definition_is_in_meta_s_words() -> None:
    assert MetaOptions().definition == "omni_purchase, purchase, offsite_conversion.fb_pixel_purchase: value"
    chosen = MetaOptions.model_validate({"conversions": ["leads", "lead", "x"], "basis": "click_or_view"})
    expected = "lead, onsite_conversion.lead_grouped, offsite_conversion.fb_pixel_lead, x: 7d_click + 1d_view"
    assert chosen.definition == expected
    assert REGISTRY.spec(META_ADS).options is MetaOptions


def test_every_request_asks_for_every_window_and_list_so_that_a_choice_needs_no_new_pull() -> None:
    known = set(vars(AdsInsights.ActionAttributionWindows).values())
    for dataset in REGISTRY.datasets(META_ADS):
        if not dataset.grain:
            continue
        asked = questions.of_dataset(dataset, Window.parse("2026-11-01..2026-11-07"))
        windows = json.loads(asked["action_attribution_windows"])
        assert windows == list(AttributionWindow)
        assert set(windows) <= known
        assert set(wire.ACTION_LISTS) <= set(asked["fields"].split(",")) & set(vars(AdsInsights.Field).values())
        assert "action_report_time" not in asked
    fields = wire.WindowedAction.__struct_encode_fields__
    assert set(fields) <= set(vars(AdsActionStats.Field).values())
    assert set(windows) < set(fields)


@given(
    st.lists(st.sampled_from([kind for group in GROUPS.values() for kind in group]), min_size=1, max_size=5),
    st.dictionaries(st.sampled_from([kind for group in GROUPS.values() for kind in group]), st.integers(0, 99)),
)
def test_types_are_never_summed(chosen: list[str], present: dict[str, int]) -> None:
    row = insight(actions=[{"action_type": kind, "value": str(n)} for kind, n in present.items()], action_values=None)
    first = next((present[kind] for kind in chosen if kind in present), 0)
    assert counted({"conversions": chosen}, row) == (first, 0)
