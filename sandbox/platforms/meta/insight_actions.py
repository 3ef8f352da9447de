"""The actions of an insights row: on Meta (clicks, views, instant forms) and off Meta (the pixel's)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from sandbox.world import Numbers
from sandbox.world.catalog import MINOR_DIGITS

if TYPE_CHECKING:
    from sandbox.platforms.meta.insight_facts import Facts

_PURCHASES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
"""One purchase appears under each of them."""
_CLICKS = {"1d_click": 1, "7d_click": 7, "28d_click": 30}
"""The world has no longer delay than 28 days, so its longest window is Meta's."""
_VIEWS = {"1d_view": 1}
_ENGAGED = "1d_ev"
_MOST_TEXTS = 4096
"""Counts whose text is kept."""
_ON_META_WINDOWS = ("1d_click", "7d_click", "28d_click")


class ActionCount(NamedTuple):
    """An action type with its count in halves, and the counts of the windows that were asked for."""

    name: str
    halves: int
    windows: dict[str, int]


@lru_cache(_MOST_TEXTS)
def half_text(halves: int) -> str:
    """Half conversions as text."""
    return str(halves // 2) + (".5" if halves % 2 else "")


def purchases(facts: Facts) -> int:
    """Half purchases, or half leads off Meta, under the default attribution setting."""
    return facts.n.conversions(7, 1) if facts.profile.traits.sells else _off_meta_leads(facts)(_by_default)


def action_list(facts: Facts) -> list[dict[str, str]] | None:
    """`actions`: entries that are not zero; None without any."""
    return [_entry(action, half_text) for action in _actions(facts)] or None


def cost_list(facts: Facts) -> list[dict[str, str]] | None:
    """`cost_per_action_type`."""
    found = []
    for name, halves, _ in _actions(facts):
        cost = round(Decimal(facts.cost * 2) / (halves * 1_000_000), 6)
        found.append({"action_type": name, "value": f"{cost:f}"})
    return found or None


def value_list(facts: Facts) -> list[dict[str, str]] | None:
    """`action_values`: what purchases were worth."""
    total = facts.n.value(7, 1)
    if not (total and facts.off_meta):
        return None
    windows = _windows(facts, lambda n, window: n.revenue[window], lambda n, window: n.view_revenue[window])
    digits = MINOR_DIGITS[facts.profile.currency]
    whole = _entry(ActionCount("", total, windows), lambda minor: f"{Decimal(minor).scaleb(-digits):f}")
    return [whole | {"action_type": name} for name in _PURCHASES]


def _entry(action: ActionCount, text: Callable[[int], str]) -> dict[str, str]:
    """Windows appear only when asked for, and those that are zero never."""
    windows = {window: text(count) for window, count in action.windows.items() if count}
    return {"action_type": action.name, "value": text(action.halves), **windows}


def _actions(facts: Facts) -> list[ActionCount]:
    on_meta = {
        "link_click": facts.links,
        "post_engagement": facts.n.clicks * 3 // 4,
        "page_engagement": facts.n.clicks * 3 // 4,
        "video_view": facts.video * 300 // 1000,
    }
    windows = [w for w in facts.windows if w in _ON_META_WINDOWS]
    found = [ActionCount(name, n * 2, dict.fromkeys(windows, n * 2)) for name, n in on_meta.items()]
    found += _sales(facts) if facts.profile.traits.sells else _leads(facts)
    return [action for action in found if action.halves]


def _sales(facts: Facts) -> list[ActionCount]:
    if not facts.off_meta:
        return []
    windows = _windows(facts, lambda n, window: n.halves[window], lambda n, window: n.views[window])
    return [ActionCount(name, facts.n.conversions(7, 1), windows) for name in _PURCHASES]


def _leads(facts: Facts) -> list[ActionCount]:
    """One lead in three comes by an instant form, on Meta; the others by the pixel. `lead` is both."""
    total = facts.n.conversions(7, 1)
    every = _windows(facts, lambda n, window: n.halves[window], lambda n, window: n.views[window])
    off_meta = _off_meta_leads(facts)
    off = ActionCount(
        "offsite_conversion.fb_pixel_lead",
        off_meta(_by_default),
        {w: off_meta(lambda n, w=w: _halves_in(n, w)) for w in every if w != _ENGAGED},  # type: ignore[misc]
    )
    forms = {w: count - off.windows.get(w, 0) for w, count in every.items() if w != _ENGAGED}
    on = ActionCount("onsite_conversion.lead_grouped", total - off.halves, forms)
    return [ActionCount("lead", total, every), on, off] if facts.off_meta else [on]


def _by_default(n: Numbers) -> int:
    return n.conversions(7, 1)


def _halves_in(n: Numbers, window: str) -> int:
    return n.halves[_CLICKS[window]] if window in _CLICKS else n.views[_VIEWS[window]]


def _off_meta_leads(facts: Facts) -> Callable[[Callable[[Numbers], int]], int]:
    """Sums part by part, so that levels and breakdowns agree."""
    return lambda pick: sum(n - n // 6 * 2 for n in (pick(row.numbers) for row in facts.parts))


def _windows(
    facts: Facts, after_click: Callable[[Numbers, int], int], after_view: Callable[[Numbers, int], int]
) -> dict[str, int]:
    """Counts by the windows that were asked for; those that Meta no longer fills are absent (7d_view, 28d_view).

    Engaged views are those of videos; they are in no default setting.
    """
    found: dict[str, int] = {}
    for window in facts.windows:
        if window in _CLICKS:
            found[window] = after_click(facts.n, _CLICKS[window])
        elif window in _VIEWS:
            found[window] = after_view(facts.n, _VIEWS[window])
        elif window == _ENGAGED:
            videos = [row.numbers for row in facts.parts if row.ad and "video_id" in row.ad.creative]
            found[window] = sum((after_view(n, 1) + 2) // 4 * 2 for n in videos)
    return found
