"""A client whose sales are made of a base and of what two platforms bring, stored as metrics: its truth is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np

from adweir.insight.mmm.fit import estimate
from adweir.insight.mmm.fit.frame import MixFrame
from adweir.insight.mmm.fit.outcome import MixOutcome
from adweir.insight.mmm.fitting import FitTime
from adweir.model.entities import Profile
from adweir.model.metrics import MetricRow
from adweir.model.tasks import Stamp
from adweir.model.times import Window
from adweir.runtime.app import App
from adweir.store.metrics.store import PullRows
from support.clock import FrozenClock
from support.mmm_story import AMAZON, META, StoryCatalog, of_ads, publisher_of

LAST = date(2026, 11, 19)
PULLED = datetime(2026, 11, 20, 6, tzinfo=UTC)
DAYS = 190
_EFFECTS = {"meta_ads": (900.0, 60.0), "amazon_ads": (500.0, 40.0)}
PLENTY = FitTime(lambda: 600.0, 30.0, 600.0, 600.0)
_UNIT = 1_000_000


@cache
def sold(days: int = DAYS) -> Mapping[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """By platform its spend per day and what it brought (`meta_ads brought`); `base`: what sells without them."""
    draws = np.random.default_rng(11)
    found: dict[str, Any] = {"base": 2000 + 100 * np.sin(2 * np.pi * np.arange(days) / 7) + draws.normal(0, 10, days)}
    for platform, (most, half) in _EFFECTS.items():
        spend = np.round(np.exp(draws.normal(4, 0.8, days)), 2)
        stock = np.convolve(spend, 0.6 * 0.4 ** np.arange(36))[:days]
        found |= {platform: spend, f"{platform} brought": most * stock / (stock + half)}
    return found


def truth(days: int = DAYS) -> dict[str, float]:
    """What each channel brought over the days."""
    return {platform: float(sold(days)[f"{platform} brought"].sum()) for platform in _EFFECTS}


def store_sales(app: App, days: int = DAYS, *, more: int = 0) -> None:
    """Pull the days up to `LAST`. With `more` they are pulled later, and the last day sold so many dollars
    more."""
    numbers, window = sold(days), Window(LAST - timedelta(days=days - 1), LAST)
    rest = numbers["base"] + numbers["amazon_ads brought"]
    rest[-1] += more

    def rows(platform: str, revenue: Any) -> list[MetricRow]:
        return [
            MetricRow(
                "g1~a1", str(day), 1000 + n, 10, _UNIT * (n + 1),
                round(numbers[platform][n] * _UNIT), round(revenue[n] * _UNIT), "c1", "g1",
                ad_product="sp" if platform == "amazon_ads" else "",
            )
            for n, day in enumerate(window.days())
        ]  # fmt: skip

    def load(profile: Profile, slice_: str, found: list[MetricRow]) -> None:
        loaded = PullRows()
        for row in found:
            loaded.offer(row)
        stamp = Stamp.of(PULLED + timedelta(minutes=more), f"{profile.profile_id}{slice_}")
        app.metrics.load(replace(of_ads(profile, slice_, window), stamp=stamp), loaded)

    load(META, "all", rows("meta_ads", numbers["meta_ads brought"]))
    load(AMAZON, "sp", rows("amazon_ads", rest))
    load(AMAZON, "sb", [])
    load(AMAZON, "sd", [])


def published_sets(app: App, catalog: StoryCatalog | None = None) -> list[dict[str, Any]]:
    """The manifests of the client's datasets, made anew where something changed."""
    return publisher_of(app, catalog or StoryCatalog(META, AMAZON)).publish("acme")


def fit_all(app: App, run_id: str = "run_1", time: FitTime = PLENTY, catalog: Any = None) -> dict[str, int]:
    """What the stage `etl` does for the client."""
    return app.mix_fitter.fit(published_sets(app, catalog), time, run_id)


def later(app: App, **by: int) -> None:
    """Time passes."""
    clock = app.clock
    assert isinstance(clock, FrozenClock)
    clock.advance(timedelta(**by).total_seconds())


def remembered(real: Callable[[MixFrame], MixOutcome]) -> Callable[[MixFrame], MixOutcome]:
    """A fit that is made once per input, so that tests that only differ in what happens around it stay fast."""

    def fit(frame: MixFrame) -> MixOutcome:
        hashed = frame.hashed()
        if hashed not in _KNOWN:
            _KNOWN[hashed] = real(frame)
        return _KNOWN[hashed]

    return fit


_KNOWN: dict[str, MixOutcome] = {}
FIT = remembered(estimate.fit)
