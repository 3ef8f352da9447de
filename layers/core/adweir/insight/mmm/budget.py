"""Where a budget brings the most, by the response curves of a fit. It needs no numpy: `api` runs it.

A curve says what spending more or less over the fitted window, spread as it was, would have brought; a draw is one
model that the data allow, of one family of saturations. The budget is dealt out in steps, by dynamic programming, so
that curves may be S-shaped, and by the mean over the draws of the chosen family. Each draw then says what that would
gain; the interval is the envelope of the families'.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from statistics import fmean
from typing import Any, NamedTuple

from adweir.model import limits
from adweir.model.errors import Unprocessable

STEPS = 200
"""Parts of what is left of a budget after the least of each channel: half a percent each."""
_LEAST, _MOST = Decimal("0.5"), Decimal("1.5")
"""Of what a channel spends: its bounds where the caller gives none."""
_CENT = Decimal("0.01")
_LOW, _HIGH = 0.05, 0.95


class SpendResponse(NamedTuple):
    """A channel's curve: `spends` over the window ascending from 0, and by family (the chosen one first) and draw what
    each of them brings."""

    channel: str
    spend: Decimal
    spends: Sequence[float]
    drawn: Sequence[Sequence[Sequence[float]]]


class SpendBounds(NamedTuple):
    """The least and the most of a channel, over the days that are planned; None: half and one and a half of now."""

    least: Decimal | None = None
    most: Decimal | None = None


class SpendMove(NamedTuple):
    """A channel's part: what it spends now, over as many days, what it would spend, and between which bounds."""

    channel: str
    now: Decimal
    proposed: Decimal
    least: Decimal
    most: Decimal


class BudgetPlan(NamedTuple):
    """A budget for so many days. `gain`: of the KPI over these days, beside what is spent now; mean, low and high."""

    budget: Decimal
    days: int
    moves: tuple[SpendMove, ...]
    gain: tuple[float, float, float]


def plan(
    responses: Sequence[SpendResponse],
    window_days: int,
    days: int,
    budget: Decimal | None = None,
    bounds: Mapping[str, SpendBounds] | None = None,
) -> BudgetPlan:
    """The best distribution of a budget over `days` days; None: of what is spent now. Raises Unprocessable."""
    given = bounds or {}
    _check_given(days, max(window_days, limits.MAX_PLANNED_DAYS), budget, given)
    share = Decimal(days) / window_days
    now = {each.channel: (each.spend * share).quantize(_CENT) for each in responses}
    total = sum(now.values(), Decimal(0)) if budget is None else budget.quantize(_CENT, ROUND_HALF_EVEN)
    if unknown := sorted(set(given) - now.keys()):
        raise _refused("bounds", f"{unknown[0]!r} is no channel of this fit: {', '.join(now)}")
    allowed = [_allowed(each, now[each.channel], given.get(each.channel, SpendBounds()), share) for each in responses]
    _check(total, allowed, sum((_end(each, share) for each in responses), Decimal(0)))
    rest = total - sum((low for low, _ in allowed), Decimal(0))
    step = rest / STEPS
    worth = [_worths(each, low, high, step, share) for each, (low, high) in zip(responses, allowed, strict=True)]
    steps = _dealt(worth)
    proposed = [min(low + step * count, high) for count, (low, high) in zip(steps, allowed, strict=True)]
    exact = _to_cents(proposed, allowed, total)
    found = _planned(responses, exact, now, allowed, share)
    if found[1][0] < 0 and total == sum(now.values()) and all(m.least <= m.now <= m.most for m in found[0]):
        found = _planned(responses, [*now.values()], now, allowed, share)  # steps are too coarse to do better
    return BudgetPlan(total, days, *found)


def _planned(
    responses: Sequence[SpendResponse],
    amounts: Sequence[Decimal],
    now: Mapping[str, Decimal],
    allowed: Sequence[tuple[Decimal, Decimal]],
    share: Decimal,
) -> tuple[tuple[SpendMove, ...], tuple[float, float, float]]:
    moves = tuple(
        SpendMove(each.channel, now[each.channel], amount, low, high)
        for each, amount, (low, high) in zip(responses, amounts, allowed, strict=True)
    )
    return moves, _gain(responses, moves, share)


def _refused(field: str, message: str) -> Unprocessable:
    return Unprocessable(f"{field}: {message}", [{"field": field, "message": message}])


def _allowed(response: SpendResponse, now: Decimal, given: SpendBounds, share: Decimal) -> tuple[Decimal, Decimal]:
    """A channel's bounds, within its curve: nobody knows what lies beyond its end."""
    end = _end(response, share)
    least = (now * _LEAST).quantize(_CENT) if given.least is None else given.least.quantize(_CENT)
    most = min((now * _MOST).quantize(_CENT), end) if given.most is None else given.most.quantize(_CENT)
    if given.most is None:
        most = max(most, least)
    elif given.least is None:
        least = min(least, most)
    field = f"bounds.{response.channel}"
    if least > most:
        raise _refused(field, f"the least, {least:,}, is more than the most, {most:,}")
    if most > end:
        raise _refused(field, f"the data say nothing of more than {end:,}: that is where the channel's curve ends")
    return least, most


def _end(response: SpendResponse, share: Decimal) -> Decimal:
    """Where a channel's curve ends."""
    return (Decimal(repr(response.spends[-1])) * share).quantize(_CENT)


def _check_given(days: int, most_days: int, budget: Decimal | None, bounds: Mapping[str, SpendBounds]) -> None:
    """What the caller says, before anything is reckoned with it: Decimal's own errors name no field."""
    if not 1 <= days <= most_days:
        raise _refused("days", f"a plan is of 1 to {most_days:,} days, not of {days:,}")
    given = [(f"bounds.{name}", each) for name, pair in bounds.items() for each in pair]
    for field, amount in [("budget", budget), *given]:
        if amount is not None and not (amount.is_finite() and 0 <= amount <= limits.MAX_PLANNED_AMOUNT):
            raise _refused(field, f"{amount} is no amount from 0 to {limits.MAX_PLANNED_AMOUNT:,}")


def _check(total: Decimal, allowed: Sequence[tuple[Decimal, Decimal]], end: Decimal) -> None:
    low = sum((least for least, _ in allowed), Decimal(0))
    high = sum((most for _, most in allowed), Decimal(0))
    if not allowed:
        raise _refused("channels", "the fit has none")
    if total > end:
        raise _refused("budget", f"the data say nothing of more than {end:,}: that is where the curves end")
    if not low <= total <= high:
        raise _refused(
            "budget",
            f"{total:,} does not lie between {low:,} and {high:,}, which the bounds of all channels leave: "
            "change it, or widen the bounds",
        )


def _worths(response: SpendResponse, low: Decimal, high: Decimal, step: Decimal, share: Decimal) -> list[float]:
    """What a channel brings over the window, in the mean of the draws, by the steps that it gets above its least."""
    found, mean = [], [fmean(column) for column in zip(*response.drawn[0], strict=True)]
    for count in range(STEPS + 1):
        amount = low + step * count
        found.append(_at(response.spends, mean, float(min(amount, high) / share)))
        if amount > high:
            break
    return found


def _at(spends: Sequence[float], brought: Sequence[float], spend: float) -> float:
    """A point of a curve, between its points by a line."""
    place = min(max(bisect_right(spends, spend), 1), len(spends) - 1)
    left, right = spends[place - 1], spends[place]
    part = min(max((spend - left) / (right - left), 0.0), 1.0)
    return brought[place - 1] + part * (brought[place] - brought[place - 1])


def _dealt(worth: Sequence[Sequence[float]]) -> list[int]:
    """The steps of each channel that bring the most together. Steps that no channel may take are left."""
    best, chosen = [0.0] * (STEPS + 1), []
    for values in worth:
        fresh, taken = [], []
        for left in range(STEPS + 1):
            value, count = max((values[n] + best[left - n], -n) for n in range(min(left, len(values) - 1) + 1))
            fresh.append(value)
            taken.append(-count)
        best = fresh
        chosen.append(taken)
    steps, left = [], STEPS
    for taken in reversed(chosen):
        steps.append(taken[left])
        left -= taken[left]
    return steps[::-1]


def _to_cents(amounts: Sequence[Decimal], allowed: Sequence[tuple[Decimal, Decimal]], total: Decimal) -> list[Decimal]:
    """The amounts in cents, which add up to the budget exactly, within the bounds."""
    found = [amount.quantize(_CENT) for amount in amounts]
    left = total - sum(found, Decimal(0))
    for place, (least, most) in enumerate(allowed):
        moved = min(max(left, least - found[place]), most - found[place])
        found[place] += moved
        left -= moved
    return found


def _gain(responses: Sequence[SpendResponse], moves: Sequence[SpendMove], share: Decimal) -> tuple[float, float, float]:
    """What the moves gain: the mean of the chosen family's draws, and the lowest and highest end of all families'."""
    pairs = [(float(each.spend), float(move.proposed / share)) for each, move in zip(responses, moves, strict=True)]
    families = [
        sorted(
            sum(
                _at(each.spends, drawn, then) - _at(each.spends, drawn, now)
                for each, drawn, (now, then) in zip(responses, draw, pairs, strict=True)
            )
            * float(share)
            for draw in zip(*of_family, strict=True)
        )
        for of_family in zip(*(each.drawn for each in responses), strict=True)
    ]
    low = min(_quantile(gains, _LOW) for gains in families)
    return fmean(families[0]), low, max(_quantile(gains, _HIGH) for gains in families)


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    left = int(place)
    right = min(left + 1, len(ordered) - 1)
    return ordered[left] + (place - left) * (ordered[right] - ordered[left])


def responses_of(stored: Any) -> list[SpendResponse]:
    """The curves as a fit was stored with them (`store.findings.coefficients`)."""
    return [SpendResponse(one["channel"], Decimal(one["spend"]), one["spends"], one["drawn"]) for one in stored]


def stored_responses(responses: Sequence[SpendResponse]) -> list[dict[str, Any]]:
    """What `responses_of` reads, with six digits: at most MAX_MIX_DRAWS draws of a family."""
    return [
        {
            "channel": each.channel,
            "spend": str(each.spend),
            "spends": [_short(spend) for spend in each.spends],
            "drawn": [
                [[_short(value) for value in draw] for draw in family[: limits.MAX_MIX_DRAWS]] for family in each.drawn
            ],
        }
        for each in responses
    ]


def _short(value: float) -> float:
    return float(f"{value:.6g}")
