"""Loads a media-mix dataset as PyMC-Marketing's users do: `python pymc_loads.py MANIFEST OUT`.

A model is built of each table, from CSV and from Parquet, and the tidy layer goes through the reader of Fivetran's
columns. OUT gets what the models hold.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from pymc_marketing.data.fivetran import process_fivetran_ad_reporting
from pymc_marketing.mmm import GeometricAdstock, LogisticSaturation
from pymc_marketing.mmm.multidimensional import MMM

READERS = {"csv": pd.read_csv, "parquet": pd.read_parquet}


def built(frame: pd.DataFrame, table: Mapping[str, Any]) -> dict[str, Any]:
    """What a model of the table holds."""
    spends = [f"{name}_spend" for name in table["channels"]]
    made = MMM(
        date_column="time",
        target_column=table["target"],
        channel_columns=spends,
        control_columns=table["controls"],
        dims=("geo",) if table["geos"] else None,
        adstock=GeometricAdstock(l_max=8),
        saturation=LogisticSaturation(),
    )
    frame = frame.assign(time=pd.to_datetime(frame["time"]))
    made.build_model(X=frame.drop(columns=[table["target"]]), y=frame[table["target"]])
    held = made.xarray_dataset
    return {
        "periods": held.sizes["date"],
        "geos": held.sizes.get("geo", 0),
        "kpi": float(held["_target"].sum()),
        "spend": float(held["_channel"].sum()),
    }


def tidy(frame: pd.DataFrame, platforms: list[str]) -> dict[str, Any]:
    """What the reader of Fivetran's tables makes of the tidy layer: a row per day."""
    found = process_fivetran_ad_reporting(frame, value_columns=["impressions", "spend"])
    return {"periods": len(found), "spend": float(found[[f"{name}_spend" for name in platforms]].to_numpy().sum())}


def loaded(folder: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for form, read in READERS.items():
        for name, table in manifest["tables"].items():
            yield f"{name}, {form}", built(read(folder / table["files"][form]["key"]), table)
        yield f"tidy, {form}", tidy(read(folder / manifest["files"]["ad_reporting"][form]["key"]), manifest["paid"])


if __name__ == "__main__":
    told = Path(sys.argv[1])
    Path(sys.argv[2]).write_text(json.dumps(dict(loaded(told.parent, json.loads(told.read_text())))))
