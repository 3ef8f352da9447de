"""What insights requests ask for, by dataset and level (Marketing API, Ad Account Insights)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.errors import RequestRejected
from adweir.model.metrics import Grain, Level
from adweir.model.times import Window
from adweir.platforms.meta import wire
from adweir.platforms.meta.options import AttributionWindow

Render = Callable[[Sequence[str]], str]
"""How a list is written: separated by commas in a query, as JSON in a form (as the official SDK has it)."""


def encode(value: Any) -> str:
    """A parameter as JSON text."""
    return msgspec.json.encode(value).decode()


_EVERY_WINDOW = encode([str(window) for window in AttributionWindow])
_LEVELS: Mapping[str, str] = {
    Level.ACCOUNT: "account",
    Level.CAMPAIGN: "campaign",
    Level.AD_GROUP: "adset",
    Level.AD: "ad",
}


def _insights(level: str, window: Window, render: Render) -> dict[str, str]:
    """The parameters of a request for a level, one row per entity and day.

    Below the account, rows of archived and deleted objects come only when the filter names their status; the account's
    own row includes all of its children (Marketing API, "Manage Your Ad Object's Status").
    """
    question = {
        "level": level,
        "time_range": encode({"since": window.start.isoformat(), "until": window.end.isoformat()}),
        "time_increment": "1",
        "fields": render((*wire.INSIGHTS_IDS[level], *wire.INSIGHTS_METRICS)),
    }
    if level in wire.STATUSES:
        every = {"field": f"{level}.effective_status", "operator": "IN", "value": wire.STATUSES[level]}
        question["filtering"] = encode([every])
    return question


def of_dataset(dataset: Dataset, window: Window, render: Render = ",".join) -> dict[str, str]:
    """The parameters of a metric dataset's request. Raises RequestRejected for a dataset that Meta does not have.

    Every window is asked for, so that a replay can count by another one. `default` is not: Meta returns the number by
    the ad set's setting beside them, and leaves off-Meta actions of several settings out where it is named (Ads Action
    Stats).
    """
    level, breakdowns = _LEVELS.get(dataset.level), wire.BREAKDOWNS.get(dataset.breakdown, ())
    if dataset.grain is Grain.HOUR:
        breakdowns = (wire.HOURLY,)
    if level is None or (dataset.breakdown and not breakdowns):
        raise RequestRejected(f"Meta has no {dataset}")
    question = _insights(level, window, render) | {"action_attribution_windows": _EVERY_WINDOW}
    return question | {"breakdowns": render(breakdowns)} if breakdowns else question
