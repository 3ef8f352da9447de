"""`adweir.local` beside the deployment: both pull the same platforms, and their reports are equal, digit by digit."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ops.local.machine import settings
from ops.local.system import System
from sandbox.platforms import platform_urls
from support.clock import FrozenClock
from support.river import HISTORY_DAYS, River

METRICS = ["impressions", "clicks", "conversions", "spend", "revenue", "roas"]
DIMENSIONS = ["date", "campaign", "ad"]
_SOON = 0.05


def hurried(clock: FrozenClock) -> Callable[[float], None]:
    """Waits are short, but not nothing: the platforms make their reports in real time."""

    def sleep(seconds: float) -> None:
        clock.advance(seconds)
        time.sleep(min(seconds, _SOON))

    return sleep


def exact(value: Any) -> Any:
    """Numbers as decimals, however they were read."""
    return Decimal(str(value)) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else value


def test_given_the_deployments_platforms_when_a_script_pulls_them_too_then_both_reports_are_equal(
    river: River, days: tuple[str, str]
) -> None:
    # given
    client, clock = river.clients["halden"], FrozenClock(river.now)
    credential = {
        name: value for name, value in client.description["credentials"]["meta_ads"].items() if name != "platform"
    }
    segments = [{"name": "account", "values": [client.meta]}]

    # when
    given = settings(platform_urls(river.description["platforms_url"]), HISTORY_DAYS)
    with System.opened("memory", given, clock, hurried(clock)) as system:
        system.connect("meta_ads", **credential)
        run = system.sync()
        ours = system.report(METRICS, DIMENSIONS, days, segments=segments)

    # then
    asked = {
        "time_range": {"start_date": days[0], "end_date": days[1]},
        "metrics": [{"name": name} for name in METRICS],
        "dimensions": [{"name": name} for name in DIMENSIONS],
        "segments": segments,
    }
    theirs = river.api.post("/api/v1/reports", asked)
    assert run["state"] == "succeeded", run["failed_tasks"]
    assert theirs["data"]
    for part in ("totals", "data", "adjustments"):
        assert rows(ours[part]) == rows(theirs[part])


def rows(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: rows([value])[0] if isinstance(value, dict) else exact(value) for name, value in row.items()}
        for row in found
    ]
