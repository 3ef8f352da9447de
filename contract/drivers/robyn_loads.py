"""Loads Robyn's files of a media-mix dataset with its Python port: `python robyn_loads.py MANIFEST OUT`.

The manifest's `robyn` names the columns as Robyn does; its five checks of the data have to pass.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from robyn.data.entities.enums import DependentVarType
from robyn.data.entities.mmmdata import MMMData
from robyn.data.validation.mmmdata_validation import MMMDataValidation


def checked(path: Path, columns: Mapping[str, Any]) -> dict[str, Any]:
    """What the port holds. Raises ValueError where one of its checks fails."""
    frame = pd.read_csv(path, parse_dates=["time"])
    told = {name: value for name, value in columns.items() if name not in ("files", "left_out")}
    told["dep_var_type"] = DependentVarType(columns["dep_var_type"])
    data = MMMData(frame, MMMData.MMMDataSpec(**told))
    failed = [result.error_message for result in MMMDataValidation(data).validate() if not result.status]
    if failed:
        raise ValueError("; ".join(map(str, failed)))
    held = data.data
    return {
        "periods": len(held),
        "kpi": float(held[columns["dep_var"]].sum()),
        "spend": float(held[columns["paid_media_spends"]].to_numpy().sum()),
    }


def loaded(folder: Path, manifest: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, table in manifest["tables"].items():
        if "robyn" in table:
            robyn = table["robyn"]
            yield f"{name}, csv", checked(folder / robyn["files"]["csv"]["key"], robyn)


if __name__ == "__main__":
    told = Path(sys.argv[1])
    Path(sys.argv[2]).write_text(json.dumps(dict(loaded(told.parent, json.loads(told.read_text())))))
