"""Which of a row's actions are its conversions, by the profile's options."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adweir.model.datasets import Dataset
from adweir.model.metrics import Grain
from adweir.model.money import all_micros
from adweir.platforms.meta import wire
from adweir.platforms.meta.numbers import micros
from adweir.platforms.meta.options import AttributionWindow, MetaOptions
from adweir.platforms.rounding import CONVERSIONS, REVENUE, Rounding, Roundings

Count = Callable[[wire.InsightsRow], tuple[int | None, int | None]]
"""A row → its conversions and revenue in millionths, None where Meta does not report them."""

CountColumns = Callable[[Sequence[wire.InsightsRow]], tuple[Sequence[int | None], Sequence[int | None]]]
"""Rows → their conversions and their revenues."""

_Choose = Callable[[wire.InsightsRow], tuple[wire.Action | None, wire.Action | None]]
_NEITHER = (None, None)
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
    if not _are_reported(options, dataset):
        return _unknown
    choose, amount = _chooser(options), _amount(options, rounding)

    def count(row: wire.InsightsRow) -> tuple[int | None, int | None]:
        action, value = choose(row)
        conversions = 0 if action is None else amount(action, CONVERSIONS)
        return conversions, 0 if value is None else amount(value, REVENUE)

    return count


def column_counter(options: MetaOptions, dataset: Dataset, roundings: Roundings) -> CountColumns:
    """The function that counts all rows of a page, each as `counter` does."""
    if not _are_reported(options, dataset):
        return _all_unknown
    choose, amount = _chooser(options), _amount(options, roundings.row)
    by_setting = not options.counted_windows

    def read(chosen: Sequence[wire.Action | None], place: int) -> Sequence[int | None]:
        if by_setting:
            found = all_micros(["0" if action is None else action.value for action in chosen])
            if found is not None:
                return found
        return roundings.each(lambda action: 0 if action is None else amount(action, place), chosen)

    def count(rows: Sequence[wire.InsightsRow]) -> tuple[Sequence[int | None], Sequence[int | None]]:
        of_actions, of_values = zip(*map(choose, rows), strict=True)
        return read(of_actions, CONVERSIONS), read(of_values, REVENUE)

    return count


def _are_reported(options: MetaOptions, dataset: Dataset) -> bool:
    on_meta_only = dataset.grain is Grain.HOUR or dataset.breakdown == "region"
    return not on_meta_only or all(kind.startswith(_ON_META) for kind in options.action_types)


def _chooser(options: MetaOptions) -> _Choose:
    """The function that picks, of a row's actions and values, the first of the best type that is present."""
    ranks = {kind: rank for rank, kind in enumerate(options.action_types)}
    none = len(ranks)
    rank_of = ranks.get

    def choose(row: wire.InsightsRow) -> tuple[wire.Action | None, wire.Action | None]:
        actions, values = row.actions, row.action_values
        if row.conversions or row.conversion_values:
            actions, values = actions + row.conversions, values + row.conversion_values
        best, action = none, None
        for candidate in actions:
            rank = rank_of(candidate.action_type, none)
            if rank < best:
                best, action = rank, candidate
                if not rank:
                    break
        if action is None:
            if not values:
                return _NEITHER
            best = min([rank_of(candidate.action_type, none) for candidate in values])
        for candidate in values:
            if rank_of(candidate.action_type) == best:
                return action, candidate
        return action, None

    return choose


def _amount(options: MetaOptions, rounding: Rounding) -> _Amount:
    windows = options.counted_windows
    return _by_windows(windows, rounding) if windows else _by_setting(rounding)


def _all_unknown(rows: Sequence[wire.InsightsRow]) -> tuple[Sequence[None], Sequence[None]]:
    unknown = [None] * len(rows)
    return unknown, unknown


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
