"""The same table in forms of their own: a slim national file for Robyn, one by region for GeoX."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from adweir.insight.mmm.wide import Cadence, Wide


def robyn_columns(wide: Wide) -> dict[str, Any]:
    """What Robyn's inputs are called, as `robyn_inputs` and `MMMDataSpec` have them, of a table without regions.

    It looks at the whole frame, and refuses a column that never changes: such columns are not in the file.
    """
    target = "revenue" if "revenue" in wide.columns else wide.target
    changing = {name for name, values in wide.columns.items() if len(set(values)) > 1}
    channels = [channel for channel in wide.channels if f"{channel}_spend" in changing]
    exposure = {channel: wide.media.get(channel, f"{channel}_reach") for channel in channels}
    is_daily = wide.cadence is Cadence.DAILY
    return {
        "date_var": "time",
        "dep_var": target,
        "dep_var_type": "revenue" if target == "revenue" else "conversion",
        "paid_media_spends": [f"{channel}_spend" for channel in channels],
        "paid_media_vars": [
            exposure[channel] if exposure[channel] in changing else f"{channel}_spend" for channel in channels
        ],
        "organic_vars": [f"organic_{each}_impressions" for each in wide.organic],
        "context_vars": list(wide.controls),
        "day_interval": 1 if is_daily else 7,
        "interval_type": "day" if is_daily else "week",
        "left_out": [channel for channel in wide.channels if channel not in channels],
    }


def robyn_rows(wide: Wide, columns: dict[str, Any]) -> Iterator[list[str]]:
    """A header, then the rows of the slim file: only what is used."""
    parts = ("paid_media_spends", "paid_media_vars", "organic_vars", "context_vars")
    used = dict.fromkeys([columns["dep_var"], *(name for part in parts for name in columns[part])])
    yield ["time", *used]
    for index, time in enumerate(wide.times):
        yield [time, *(f"{wide.columns[name][index]:f}" for name in used)]


def geox_rows(wide: Wide) -> Iterator[list[str]]:
    """A header, then a row per region and day, as Meridian GeoX reads them: `date`, `location`, `conversions`, `spend`.

    `conversions` is the table's target and `spend` that of all channels. Beside them each channel's own is there, for
    an experiment about one: it takes the place of `spend`.
    """
    spends = [f"{channel}_spend" for channel in wide.channels]
    yield ["date", "location", "conversions", "spend", *spends]
    for index in range(wide.size):
        geo, time = divmod(index, len(wide.times))
        own = [wide.columns[name][index] for name in spends]
        numbers = (wide.columns[wide.target][index], sum(own, Decimal(0)), *own)
        yield [wide.times[time], wide.geos[geo], *(f"{number:f}" for number in numbers)]
