"""Loads the tables of a media-mix dataset as Meridian's users do: `python meridian_loads.py MANIFEST OUT`.

Each table goes through the data frame builder, from CSV and from Parquet; the daily one by region also through the CSV
loader and into a model. OUT gets what Meridian has then: rows, regions, sums.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from meridian.data import data_frame_input_data_builder as builder
from meridian.data import load
from meridian.model import model, spec

READERS = {"csv": pd.read_csv, "parquet": pd.read_parquet}


def built(frame: pd.DataFrame, table: Mapping[str, Any]) -> Any:
    """The builder's input data."""
    media, reach = table["media"], table["reach"]
    found = (
        builder.DataFrameInputDataBuilder(
            kpi_type="non_revenue",
            default_kpi_column=table["target"],
            default_revenue_per_kpi_column="revenue_per_conversion",
        )
        .with_kpi(frame)
        .with_revenue_per_kpi(frame)
        .with_controls(frame, control_cols=table["controls"])
        .with_media(
            frame,
            media_cols=list(media.values()),
            media_spend_cols=[f"{name}_spend" for name in media],
            media_channels=list(media),
        )
    )
    if reach:
        found = found.with_reach(
            frame,
            reach_cols=[f"{name}_reach" for name in reach],
            frequency_cols=[f"{name}_frequency" for name in reach],
            rf_spend_cols=[f"{name}_spend" for name in reach],
            rf_channels=reach,
        )
    if table["organic"]:
        columns = [f"organic_{name}_impressions" for name in table["organic"]]
        found = found.with_organic_media(frame, organic_media_cols=columns, organic_media_channels=table["organic"])
    return (found.with_population(frame) if table["geos"] else found).build()


def modelled(path: Path, table: Mapping[str, Any]) -> Any:
    """The CSV loader's input data, in a model with fewer knots than days: a control is the same in all regions."""
    media, reach = table["media"], table["reach"]
    columns = load.CoordToColumns(
        time="time",
        geo="geo",
        kpi=table["target"],
        revenue_per_kpi="revenue_per_conversion",
        population="population",
        controls=table["controls"],
        media=list(media.values()),
        media_spend=[f"{name}_spend" for name in media],
        reach=[f"{name}_reach" for name in reach],
        frequency=[f"{name}_frequency" for name in reach],
        rf_spend=[f"{name}_spend" for name in reach],
    )
    loader = load.CsvDataLoader(
        str(path),
        columns,
        kpi_type="non_revenue",
        media_to_channel={column: name for name, column in media.items()},
        media_spend_to_channel={f"{name}_spend": name for name in media},
        reach_to_channel={f"{name}_reach": name for name in reach},
        frequency_to_channel={f"{name}_frequency": name for name in reach},
        rf_spend_to_channel={f"{name}_spend": name for name in reach},
    )
    return model.Meridian(loader.load(), spec.ModelSpec(knots=6, max_lag=8)).input_data


def said(data: Any) -> dict[str, Any]:
    """What Meridian holds; a national table is one region to it."""
    spends = [spend for spend in (data.media_spend, data.rf_spend) if spend is not None]
    geos, times = data.kpi.shape
    return {
        "periods": times,
        "geos": 0 if geos == 1 else geos,
        "kpi": float(data.kpi.sum()),
        "spend": float(sum(spend.sum() for spend in spends)),
    }


def loaded(folder: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, table in manifest["tables"].items():
        for form, read in READERS.items():
            yield f"{name}, {form}", said(built(read(folder / table["files"][form]["key"]), table))
        if name == "geo_daily":
            yield f"{name}, a model", said(modelled(folder / table["files"]["csv"]["key"], table))


if __name__ == "__main__":
    told = Path(sys.argv[1])
    Path(sys.argv[2]).write_text(json.dumps(dict(loaded(told.parent, json.loads(told.read_text())))))
