"""Loads the file of a media-mix dataset that is for GeoX, and has it checked: `python geox_loads.py MANIFEST OUT`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from meridian_geox import validation


def checked(path: Path) -> Mapping[str, Any]:
    """What GeoX holds. Raises ValueError with what its checks find."""
    kinds = {"location": str, "conversions": float, "spend": float}
    frame = pd.read_csv(path, parse_dates=["date"], dtype=kinds)
    if faults := validation.validate_general_checks(frame):
        raise ValueError("; ".join(faults))
    return {
        "periods": frame["date"].nunique(),
        "geos": frame["location"].nunique(),
        "kpi": float(frame["conversions"].sum()),
        "spend": float(frame["spend"].sum()),
    }


if __name__ == "__main__":
    told = Path(sys.argv[1])
    geox = json.loads(told.read_text())["tables"]["geo_daily"]["geox"]
    answer = {"geo_daily, csv": checked(told.parent / geox["files"]["csv"]["key"])}
    Path(sys.argv[2]).write_text(json.dumps(answer))
