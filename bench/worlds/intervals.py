"""How well a media-mix fit's 90 % intervals hold the truth.

Coverage is the share of channels whose true contribution lies in its interval. The interval score is Gneiting and
Raftery's (2007): the width, plus 2 / alpha times what the truth lies outside by; here per cent of the world's whole
KPI, so that worlds can be averaged. Less is better.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

ALPHA = 0.1
_BY_CHANCE = 0.01
LARGEST = 4


def least_held(count: int) -> int:
    """How many of `count` truths intervals of 90 % hold at least, but by a chance of 1 in 100 (binomial)."""
    chances = (math.comb(count, held) * (1 - ALPHA) ** held * ALPHA ** (count - held) for held in range(count + 1))
    return sum(below <= _BY_CHANCE for below in accumulate(chances))


def interval_score(low: float, high: float, truth: float) -> float:
    """Gneiting and Raftery's score of a 90 % interval."""
    return (high - low) + 2 / ALPHA * (max(low - truth, 0.0) + max(truth - high, 0.0))


@dataclass
class Judged:
    """Fits of some worlds, held against the truth. Lists have an entry per channel, or per world."""

    held: list[bool] = field(default_factory=list)
    told: list[bool] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    warned_worlds: list[bool] = field(default_factory=list)
    misses: list[dict[str, Any]] = field(default_factory=list)
    held_by_geo: list[bool] = field(default_factory=list)
    errors_by_geo: list[float] = field(default_factory=list)

    def add(self, kpi_total: float, truth: Mapping[str, float], answer: Mapping[str, Any]) -> None:
        """A world: its whole KPI, each channel's true contribution, and a fit's answer as `adweir mmm fit` writes it.

        ValueError: the channels are not the world's.
        """
        channels: Sequence[Mapping[str, Any]] = answer["channels"]
        if sorted(each["channel"] for each in channels) != sorted(truth):
            raise ValueError(f"channels {[each['channel'] for each in channels]} instead of {list(truth)}")
        largest = sorted(truth, key=lambda name: -truth[name])[:LARGEST]
        overall = bool(answer.get("warnings"))
        for each in channels:
            found, true = each["contribution"], truth[each["channel"]]
            held = found["low"] <= true <= found["high"]
            told = overall or bool(each.get("warnings"))
            score = 100 * interval_score(found["low"], found["high"], true) / kpi_total
            self.held.append(held)
            self.told.append(told)
            self.scores.append(score)
            if each["channel"] in largest:
                self.errors.append(abs(found["estimate"] - true) / true)
            if not held:
                self.misses.append({
                    "share_of_kpi": round(true / kpi_total, 4), "warned": told,
                    "low": round(found["low"] / true, 3), "high": round(found["high"] / true, 3),
                })  # fmt: skip
        self.warned_worlds.append(overall or any(each.get("warnings") for each in channels))

    def add_by_geo(self, truth: Mapping[str, Mapping[str, float]], answer: Mapping[str, Any]) -> None:
        """A world with regions: what each channel truly brought in each, and the fit's `geos` of each channel.

        ValueError: a channel's regions are not the world's.
        """
        for each in answer["channels"]:
            found = {place["geo"]: place["contribution"] for place in each["geos"]}
            if found.keys() != truth[each["channel"]].keys():
                raise ValueError(f"regions {list(found)} instead of {list(truth[each['channel']])}")
            for geo, true in truth[each["channel"]].items():
                self.held_by_geo.append(found[geo]["low"] <= true <= found[geo]["high"])
                self.errors_by_geo.append(abs(found[geo]["estimate"] - true) / true)

    def figures(self) -> dict[str, float]:
        """Coverage, median error of each world's four largest channels, mean score, and what warnings said; by region
        where worlds have regions.
        """
        by_geo = {
            "coverage_by_geo": round(statistics.mean(self.held_by_geo), 4),
            "median_error_by_geo": round(statistics.median(self.errors_by_geo), 4),
        } if self.held_by_geo else {}  # fmt: skip
        return {
            "worlds": len(self.warned_worlds),
            "coverage": round(statistics.mean(self.held), 4),
            "median_error": round(statistics.median(self.errors), 4),
            "interval_score": round(statistics.mean(self.scores), 4),
            "held_or_warned": round(statistics.mean(h or t for h, t in zip(self.held, self.told, strict=True)), 4),
            "channels_warned": round(statistics.mean(self.told), 4),
            "quiet_worlds": self.warned_worlds.count(False),
            **by_geo,
        }
