"""The features of a national media-mix table: columns per period, and facts per channel and of the KPI."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from adweir.insight.mmm.features import measures
from adweir.insight.mmm.features import transforms as made
from adweir.insight.mmm.features.transforms import Array
from adweir.insight.mmm.wide import Cadence, Wide

LAGS: Mapping[Cadence, tuple[int, ...]] = {Cadence.DAILY: (1, 7, 28), Cadence.WEEKLY: (1, 4, 13)}
"""Periods back."""
MEANS: Mapping[Cadence, tuple[int, ...]] = {Cadence.DAILY: (7, 28), Cadence.WEEKLY: (4, 13)}
"""Periods that a rolling mean is of."""
WEEK: Mapping[Cadence, int] = {Cadence.DAILY: 7, Cadence.WEEKLY: 1}
"""How many periods ago a week is."""
THETAS = (0.1, 0.3, 0.5, 0.7)
"""What of a period's effect is left in the next one, per period of the table."""
HALF, ALPHA, STEEPNESS = 0.5, 1.0, 2.0
"""Saturation of spend: Hill with its half at half of the largest period, concave; logistic of this steepness."""
_DIGITS = 10
_YEAR = 365.25
_YEARLY_FROM = 365


@dataclass(frozen=True)
class Features:
    """`columns[name]` has a value per time; NaN where there is none. `facts` is what a manifest says of the series."""

    times: list[str]
    columns: dict[str, Array]
    facts: dict[str, Any]

    def write(self, target: Path) -> dict[str, str]:
        """Write them as CSV, empty where there is no value; column → type."""
        with target.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(self._rows())
        return {"time": "VARCHAR"} | dict.fromkeys(self.columns, "DOUBLE")

    def _rows(self) -> Iterator[list[str]]:
        yield ["time", *self.columns]
        columns = [[_text(float(value)) for value in values] for values in self.columns.values()]
        for time, *values in zip(self.times, *columns, strict=True):
            yield [time, *values]


def features(wide: Wide) -> Features:
    """The features of a table without regions that has at least one period."""
    days = [date.fromisoformat(text) for text in wide.times]
    series = {name: np.array([float(value) for value in values]) for name, values in wide.columns.items()}
    spends = {channel: series[f"{channel}_spend"] for channel in wide.channels}
    total = np.sum(list(spends.values()), axis=0) if spends else np.zeros(len(days))
    columns: dict[str, Array] = {}
    for channel, spend in spends.items():
        columns |= {f"{channel}_{name}": values for name, values in _of_spend(spend, total, wide.cadence).items()}
    columns |= {f"{wide.target}_{name}": values for name, values in _of_past(series[wide.target], wide.cadence).items()}
    columns |= _calendar(days, wide.cadence)
    facts: dict[str, Any] = {"channels": {}, "kpi": _facts(series[wide.target], days[0], wide.cadence)}
    for channel in wide.channels:
        of = {"spend": f"{channel}_spend", "exposure": wide.media.get(channel, f"{channel}_reach")}
        facts["channels"][channel] = {
            "share_of_spend": _rounded(float(spends[channel].sum() / total.sum())),
            **{name: _facts(series[column], days[0], wide.cadence) for name, column in of.items()},
        }
    return Features(list(wide.times), columns, facts)


def definitions(cadence: Cadence) -> dict[str, Any]:
    """What the columns are made with, as the manifest says it."""
    return {
        "lags": list(LAGS[cadence]),
        "rolling_means": list(MEANS[cadence]),
        "adstock": {"type": "geometric", "normalize": False, "thetas_per_period": list(THETAS)},
        "saturation": {
            "hill": {"alpha": ALPHA, "gamma": HALF, "scale": "max"},
            "logistic": {"lam": STEEPNESS, "scale": "max"},
        },
        "seasonal_from": measures.SEASONAL_FROM,
    }


def _of_past(values: Array, cadence: Cadence) -> dict[str, Array]:
    found = {f"lag_{periods}": made.lag(values, periods) for periods in LAGS[cadence]}
    found |= {f"mean_{periods}": made.rolling_mean(values, periods) for periods in MEANS[cadence]}
    return found | {"change_week": made.change(values, WEEK[cadence])}


def _of_spend(spend: Array, total: Array, cadence: Cadence) -> dict[str, Array]:
    found = {f"spend_{name}": values for name, values in _of_past(spend, cadence).items()}
    found |= {f"adstock_{round(100 * theta)}": made.adstock(spend, theta) for theta in THETAS}
    found |= {"hill": made.hill(spend, ALPHA, HALF), "logistic": made.logistic(spend, STEEPNESS)}
    return found | {"share": made.share(spend, total), "since_launch": made.since_first(spend)}


def _calendar(days: list[date], cadence: Cadence) -> dict[str, Array]:
    found: dict[str, Array] = {}
    if cadence is Cadence.DAILY:
        weekday = np.array([float(day.weekday()) for day in days])
        found |= {f"weekday_{name}": values for name, values in made.waves(weekday, 7, 3).items()}
    if (days[-1] - days[0]).days >= _YEARLY_FROM:
        place = np.array([float(day.timetuple().tm_yday) for day in days])
        found |= {f"year_{name}": values for name, values in made.waves(place, _YEAR, 2).items()}
    return found


def _facts(values: Array, first: date, cadence: Cadence) -> dict[str, Any]:
    """Seasonality, trend and variation of a series."""
    weekday = first.weekday()
    season = measures.seasonality(values, weekday) if cadence is Cadence.DAILY else None
    trend = measures.trend(measures.without(values, season, weekday))
    return {
        "seasonality": _plain(season),
        "trend": _plain(trend),
        "variation": _plain(measures.variation(values, season, weekday)),
    }


def _plain(found: Any) -> dict[str, Any] | None:
    if found is None:
        return None
    return {name: _rounded(value) for name, value in asdict(found).items()}


def _rounded(value: Any) -> Any:
    """Ten digits: what is behind them differs between processors, and the same inputs give the same bytes."""
    if isinstance(value, tuple | list):
        return [_rounded(each) for each in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _text(value: float) -> str:
    return "" if np.isnan(value) else repr(_rounded(value))
