"""Whom a campaign's ads were clicked by: how often each age, gender and country clicks, beside all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from adweir.insight.enrichment.rates import Tries, wilson
from adweir.model.metrics import METRICS, Slot
from adweir.reporting.audience import DIMENSIONS, Campaign, campaign_values

if TYPE_CHECKING:
    from adweir.reporting.filters import Filters
    from adweir.reporting.query import Queries
    from adweir.reporting.ranges import TimeSpan

LEAST = 1000
"""Impressions that a segment needs to have an index."""
_DIGITS = 6
_IMPRESSIONS, _CLICKS = METRICS.index("impressions"), METRICS.index("clicks")


def segments(queries: Queries, span: TimeSpan, filters: Filters) -> dict[Campaign, dict[str, list[dict[str, Any]]]]:
    """Campaign → dimension → its values, those with the most impressions first, as far as breakdowns were pulled.

    `index`: the value's click rate as a part of that of all values together, with the interval in which 90 of 100 lie;
    null of a value with few impressions, or where nobody clicked. Raises TooLarge, Unavailable.
    """
    found: dict[Campaign, dict[str, list[dict[str, Any]]]] = {}
    for name in DIMENSIONS:
        for campaign, (values, _) in campaign_values(queries, span, name, filters).items():
            found.setdefault(campaign, {})[name] = _shown(values)
    return found


def _shown(values: Mapping[str, Slot]) -> list[dict[str, Any]]:
    known = {
        value: (slot[_CLICKS] or 0, slot[_IMPRESSIONS] or 0)
        for value, slot in values.items()
        if slot[_CLICKS] is not None and slot[_IMPRESSIONS] is not None
    }
    clicks, impressions = (sum(pair[at] for pair in known.values()) for at in (0, 1))
    order = sorted(known, key=lambda value: (-known[value][1], value))
    return [
        {"value": value, "impressions": known[value][1], "clicks": known[value][0]}
        | _index(known[value], clicks / impressions if impressions else 0.0)
        for value in order
    ]


def _index(pair: tuple[int, int], overall: float) -> dict[str, Decimal | None]:
    clicks, impressions = pair
    if impressions < LEAST or overall <= 0:
        return dict.fromkeys(("index", "low", "high"))
    low, high = wilson(Tries(min(clicks, impressions), impressions))
    numbers = {"index": clicks / impressions, "low": low, "high": high}
    return {name: round(Decimal(number / overall), _DIGITS) for name, number in numbers.items()}
