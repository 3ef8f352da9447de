"""Which of a row's actions are its conversions, by the profile's options."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adweir.model.datasets import Dataset
from adweir.model.metrics import Grain
from adweir.platforms.meta import wire
from adweir.platforms.meta.numbers import micros
from adweir.platforms.meta.options import AttributionWindow, MetaOptions
from adweir.platforms.rounding import CONVERSIONS, REVENUE, Rounding

Count = Callable[[wire.InsightsRow], tuple[int | None, int | None]]
"""A row → its conversions and revenue in millionths, None where Meta does not report them."""

_Amount = Callable[[wire.Action, int], int | None]
_ON_META = "onsite_conversion."
_KEYS = {
    AttributionWindow.CLICK_1D: "click_1d",
    AttributionWindow.CLICK_7D: "click_7d",
    AttributionWindow.CLICK_28D: "click_28d",
    AttributionWindow.VIEW_1D: "view_1d",
    AttributionWindow.ENGAGED_VIEW_1D: "engaged_view_1d",
}


def counter(options: MetaOptions, dataset: Dataset, rounding: Rounding) -> Count:
    """The function that counts a row of the dataset.

    Meta leaves out actions that are zero, so an absent one is 0. But rows by hour and by region have no off-Meta
    actions at all (Insights API Breakdowns, "Restrictions for off-Meta action metrics"): there everything is unknown,
    unless all counted action types happen on Meta.
    """
    types = options.action_types
    on_meta_only = dataset.grain is Grain.HOUR or dataset.breakdown == "region"
    if on_meta_only and not all(kind.startswith(_ON_META) for kind in types):
        return _unknown
    windows = options.counted_windows
    amount = _by_windows(windows, rounding) if windows else _by_setting(rounding)
    ranks = {kind: rank for rank, kind in enumerate(types)}
    none = len(ranks)
    rank_of = ranks.get

    def count(row: wire.InsightsRow) -> tuple[int | None, int | None]:
        actions, values = row.actions, row.action_values
        if row.conversions or row.conversion_values:
            actions, values = actions + row.conversions, values + row.conversion_values
        if not actions and not values:
            return 0, 0
        best, action = none, None
        for candidate in actions:
            rank = rank_of(candidate.action_type, none)
            if rank < best:
                best, action = rank, candidate
        conversions = 0 if action is None else amount(action, CONVERSIONS)
        if action is None:
            best = min((rank_of(candidate.action_type, none) for candidate in values), default=none)
        for candidate in values:
            if rank_of(candidate.action_type) == best:
                return conversions, amount(candidate, REVENUE)
        return conversions, 0

    return count


def _unknown(_row: wire.InsightsRow) -> tuple[None, None]:
    return None, None


def _by_setting(rounding: Rounding) -> _Amount:
    """By the ad set's attribution setting. Meta leaves `value` out where ad sets with different ones are summed."""

    def amount(action: wire.Action, place: int) -> int | None:
        return micros(action.value, place, rounding) if action.value else None

    return amount


def _by_windows(windows: Sequence[AttributionWindow], rounding: Rounding) -> _Amount:
    """The sum of some windows. A window that is zero is absent; all are where the request did not name them."""
    wanted, every = [_KEYS[window] for window in windows], tuple(_KEYS.values())

    def amount(action: wire.Action, place: int) -> int | None:
        if not any(getattr(action, key) for key in every):
            return None
        return sum(micros(text, place, rounding) for key in wanted if (text := getattr(action, key)))

    return amount
