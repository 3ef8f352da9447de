"""Do Meridian, PyMC-Marketing, Robyn and GeoX load the media-mix datasets? `python -m contract.media_mix [TOOL ...]`.

A dataset of four regions and 26 weeks is made up and written by the product: daily and weekly, national and by region,
with reach and frequency, organic media, a control per region and one that all share. Each library, unmodified and in an
environment of its own, loads each file with its own loaders, and has to hold the rows and the sums that were made up.
Ends with 1 when one does not, or cannot be installed.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from adweir.insight.mmm.beside import Beside, DaySeries
from adweir.insight.mmm.files import MixTable, TableFiles
from adweir.insight.mmm.gates import check
from adweir.insight.mmm.steps import MixSteps
from adweir.insight.mmm.tidy import COLUMNS
from adweir.insight.mmm.wide import Cadence, Sums, Wide, build
from adweir.model.times import Window
from contract.clients import HERE
from contract.environments import NotInstalled, Tool, interpreter

HOME = HERE.parent / ".contract"
SECONDS = 600
FIRST, DAYS = date(2026, 1, 5), 182
WINDOW = Window(FIRST, FIRST + timedelta(days=DAYS - 1))
REGIONS = ("DE-BE", "DE-BY", "DE-HH", "DE-NW")
PAID, ORGANIC, WITH_REACH = ("google_ads", "meta_ads", "tiktok_ads"), "trade_desk", "tiktok_ads"
_CLOSE = 1e-4
"""Some of the libraries hold numbers of 32 bits."""


class Loader(NamedTuple):
    """A library and the driver that loads a dataset with it."""

    tool: Tool
    driver: str


LOADERS: Mapping[str, Loader] = {
    "meridian": Loader(Tool("google-meridian", alone=True), "meridian_loads.py"),
    "pymc": Loader(Tool("pymc-marketing", alone=True), "pymc_loads.py"),
    "robyn": Loader(Tool("robynpy", alone=True), "robyn_loads.py"),
    "geox": Loader(Tool("meridian-geox"), "geox_loads.py"),
}


class _Folder:
    """Keeps files by their keys below a folder."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def put(self, key: str, body: BinaryIO, *, content_type: str) -> object:
        target = self._place / key
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            shutil.copyfileobj(body, file)
        return content_type


def made_up() -> dict[str, Sums]:
    """Rows by region, day and channel: impressions, clicks, conversions, spend, revenue (micros but for the first)."""
    found = {}
    for place, region in enumerate(REGIONS, 1):
        found[region] = Sums()
        for number in range(DAYS):
            day = FIRST + timedelta(days=number)
            for at, channel in enumerate(PAID, 2):
                wave = 1 + (number * (5 + at) + place * 3 + number // 7) % 11
                numbers = (900 * wave, 9 * wave, wave * 1_000_000, wave * at * 1_250_000, wave * 30_000_000)
                found[region].add(day, channel, numbers)
            found[region].add(day, ORGANIC, (70 + number % 13 + number // 7, 1, 0, 0, 0))
    return found


def beside(*, national: bool) -> Beside:
    """Controls, reach and people, by region or of the whole country."""
    days, places = list(WINDOW.days()), ("",) if national else REGIONS
    price = {geo: {day: Decimal(100 + (day.toordinal() * at) % 9) for day in days} for at, geo in enumerate(places, 2)}
    promotion = {"": {day: Decimal(1) for day in days if day.day in {4, 5, 20}}}
    reached = {geo: {day: Decimal(400 + (day.toordinal() * 7) % 50) for day in days} for geo in places}
    often = {geo: {day: Decimal(2) + Decimal(day.day) / 10 for day in days} for geo in places}
    people = {} if national else {geo: Decimal(1_000_000 * at) for at, geo in enumerate(REGIONS, 1)}
    return Beside(
        controls={"price": DaySeries(price), "promo": DaySeries(promotion)},
        reach={WITH_REACH: (DaySeries(reached), DaySeries(often))},
        population=people,
    )


def tables() -> Iterator[MixTable]:
    """All four tables. A week has no reach of its own, for that does not add up: weekly tables have impressions."""
    by_region, whole = made_up(), Sums()
    for sums in by_region.values():
        for day, channels in sums.days.items():
            for channel, slot in channels.items():
                whole.add(day, channel, slot)
    for prefix, places in (("", {"": whole}), ("geo_", by_region)):
        for cadence in Cadence:
            wide = build(places, WINDOW, (*PAID, ORGANIC), cadence, beside(national=not prefix))
            yield MixTable(f"{prefix}{cadence}", wide, check(wide, ()))


def tidy_rows() -> Iterator[tuple[str, ...]]:
    """The tidy layer of the same numbers, an ad per channel and region."""
    for region, sums in made_up().items():
        for day, channels in sums.days.items():
            for channel, (impressions, clicks, conversions, spend, revenue) in channels.items():
                if channel != ORGANIC:
                    numbers = (
                        clicks,
                        impressions,
                        *(Decimal(n or 0) / 1_000_000 for n in (spend, conversions, revenue)),
                    )
                    yield (
                        "pull", day.isoformat(), channel, "1", "An ad account", "c1", "A campaign", "g1", "A group",
                        region, region, *map(str, numbers), "EUR",
                    )  # fmt: skip


def write(place: Path) -> tuple[Path, dict[str, Any]]:
    """Write the dataset; its manifest, and what has to be loaded of it by table."""
    files = TableFiles(_Folder(place), place, MixSteps(time.monotonic))
    found = list(tables())
    tidy = place / "ad_reporting.csv"
    with tidy.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([tuple(COLUMNS), *tidy_rows()])
    manifest = place / "mmm_manifest.json"
    entries = {table.name: files.entry("mmm", table) for table in found}
    stored = files.store("mmm", tidy, dict(COLUMNS))
    manifest.write_text(json.dumps({"tables": entries, "files": {"ad_reporting": stored}, "paid": PAID}))
    truth = {table.name: _truth(table.wide) for table in found}
    return manifest, truth | {"tidy": {"periods": DAYS, "spend": truth["daily"]["spend"]}}


def _truth(wide: Wide) -> dict[str, Any]:
    columns = wide.columns
    spend = sum((sum(columns[f"{name}_spend"], Decimal(0)) for name in wide.channels), Decimal(0))
    kpi = {name: float(sum(columns[name], Decimal(0))) for name in (wide.target, "revenue")}
    return {"periods": len(wide.times), "geos": len(wide.geos), "kpi": kpi[wide.target], "spend": float(spend), **kpi}


def faults(answered: Mapping[str, Mapping[str, Any]], truth: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What a library holds that was not made up; Robyn is given the revenue to explain."""
    for place, held in answered.items():
        made = truth[place.partition(",")[0]]
        for name, value in held.items():
            allowed = [made[name], made["revenue"]] if name == "kpi" else [made[name]]
            if not any(math.isclose(value, one, rel_tol=_CLOSE) for one in allowed):
                yield f"{place}: {name} is {value}, not {made[name]}"


def ask(python: Path, driver: str, manifest: Path) -> dict[str, dict[str, Any]]:
    """What the library holds of each file. Raises RuntimeError with the end of what it said when it gives up."""
    out = manifest.with_name(f"{driver}.json")
    command = [str(python), str(HERE / "drivers" / driver), str(manifest), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-600:])
    answer: dict[str, dict[str, Any]] = json.loads(out.read_text())
    return answer


def loads(name: str, manifest: Path, truth: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a library loads all of it; says what it found."""
    loader = LOADERS[name]
    try:
        answered = ask(interpreter(loader.tool, HOME), loader.driver, manifest)
    except (NotInstalled, RuntimeError) as why:
        print(f"{name}: not loaded: {why}", flush=True)
        return False
    wrong = list(faults(answered, truth))
    for each in wrong:
        print(f"{name}: {each}")
    print(f"{name}: {len(answered)} loaded ({'; '.join(answered)}), {len(wrong)} differences", flush=True)
    return bool(answered) and not wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m contract.media_mix", description=__doc__)
    parser.add_argument("tool", nargs="*", help=f"of {', '.join(LOADERS)}; default: all")
    asked = parser.parse_args(arguments).tool
    if unknown := set(asked) - set(LOADERS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as place:
        manifest, truth = write(Path(place))
        results = [loads(name, manifest, truth) for name in asked or LOADERS]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
