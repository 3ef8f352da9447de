"""A geo experiment by meridian-geox: `geox_lifts.py design HISTORY OUT`, or `analyse DESIGN TABLE FIRST LAST OUT`.

Tables are long: date, location, conversions, spend. A design is a heavy-up of 28 days with one treated group, judged by
time-based regression; OUT is the library's own JSON of the best one. An analysis writes the lift and the return on the
extra spend with their 90 % intervals.

How many candidates are searched, for the design and for the placebos that the intervals come from, is the library's
choice (100,000 each). With fewer, the best design is more extreme than the placebos that it is compared with. What JAX
compiles is kept beside the environment: it is most of the time.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path

import jax
import meridian_geox as geox
import pandas as pd

DAYS = 28
jax.config.update("jax_compilation_cache_dir", str(Path(sys.prefix) / "compiled"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)


def read(path: str) -> pd.DataFrame:
    """A table, with its dates as pandas has them."""
    return pd.read_csv(path, parse_dates=["date"], dtype={"location": str, "conversions": float, "spend": float})


def design(history: str, out: str) -> None:
    """The best of the designs that the library finds."""
    config = geox.DesignConfig(
        experiment_duration=dt.timedelta(days=DAYS),
        experiment_types=geox.ExperimentType.HEAVY_UP,
        methodology=geox.Methodology.TBR,
        geo_assignment_rule=geox.GeoAssignmentRule.STRATIFIED_SAMPLING,
        design_output_count=1,
    )
    found = geox.run_design(read(history), config, geox.Constraints(budget_constraint=geox.Budget(budget_pct=1.0)))
    best = next(iter(found.designs.values()))
    Path(out).write_text(best.export_to_json())


def analyse(designed: str, table: str, first: str, last: str, out: str) -> None:
    """The lift of the treated group in the test, and what it returned."""
    config = geox.AnalysisConfig(
        design=geox.Design.load_from_json(Path(designed).read_text()),
        analysis_start_date=pd.Timestamp(first),
        analysis_end_date=pd.Timestamp(last),
        alpha=0.1,
    )
    metrics = next(iter(geox.analyze(read(table), config).results.values()))
    told = {
        name: {"estimate": float(each.point_estimate), "low": float(each.lower_bound), "high": float(each.upper_bound)}
        for name, each in (("lift", metrics.lift), ("roi", metrics.icpd))
        if each is not None
    }
    Path(out).write_text(json.dumps({**told, "version": geox.__version__}))


if __name__ == "__main__":
    if sys.argv[1] == "design":
        design(*sys.argv[2:])
    else:
        analyse(*sys.argv[2:])
