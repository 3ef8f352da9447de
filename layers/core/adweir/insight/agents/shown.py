"""A state as people and programs read it: exact numbers, all dimensions named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from adweir.insight.agents.sources import CONTEXTS
from adweir.store.findings.agents import AgentState

_EXACT = (
    "alpha",
    "beta",
    "rewards",
    "reward_mean",
    "reward_variance",
    "spending",
    "risk_score",
    "p_best",
    "allocation",
    "beyond_clicks",
    "effective_trials",
)


def shown_state(state: AgentState) -> dict[str, Any]:
    """Numbers as Decimals, None where a state has none; `spending_by_currency` and what is known after so many days of
    the delay as lists."""
    found = asdict(state)
    found |= {name: _exact(found[name]) for name in _EXACT}
    amounts = found["spending_by_currency"].items()
    found["spending_by_currency"] = [{"currency": name, "spending": _exact(each)} for name, each in amounts]
    found["prior"] = found["prior"] | {"mean": _exact(found["prior"]["mean"])}
    known = [{"after_days": int(lag), "share": _exact(share)} for lag, share in found["delay"]["known"].items()]
    found["delay"] = found["delay"] | {"known": known}
    context = found["contextual_state"]
    if context is not None:
        by_dimension = {name: _context(context.get(name)) for name in ("weekday", *CONTEXTS)}
        found["contextual_state"] = {"as_of": context["as_of"], **by_dimension}
    return found


def _context(values: Mapping[str, Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
    """By value; None of a dimension that is not pulled."""
    if values is None:
        return None
    return [
        {"value": value, **{name: each if name == "trials" else _exact(each) for name, each in known.items()}}
        for value, known in values.items()
    ]


def _exact(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
