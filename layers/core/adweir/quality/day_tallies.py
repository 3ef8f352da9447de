"""A load's counts by day: what of its rows the score of each day is made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from adweir.model.metrics import AD_LEVELS, Grain, Source
from adweir.model.slices import campaign_of
from adweir.model.tasks import Pull
from adweir.model.times import iso
from adweir.quality.rules import REPEATED, Tally
from adweir.quality.score import nulls
from adweir.store.findings.tallies import DayTally
from adweir.store.metrics.brought import PullRows

_NONE: Mapping[str, int] = {}
ABSENT = "absent"
"""A metric that no row of a load has: as a rule its source does not report it, so it is no failure and no part of a
score. Where earlier loads had it, the monitoring says that it is gone (`quality.data_looks`)."""


def counts_by_day(pull: Pull) -> bool:
    """Whether the days of a load are counted: those of an ad account's levels by day, as pulls and files bring them.

    Not the days of a single campaign: they are a part of what another load answers for.
    """
    is_kind = pull.grain is Grain.DAY and pull.level in AD_LEVELS and not pull.breakdown
    return is_kind and pull.source in {Source.PULL, Source.FILE} and not campaign_of(pull.slice)


def day_tallies(pull: Pull, rows: PullRows, tally: Tally, now: datetime) -> dict[str, DayTally]:
    """Day (ISO) → its counts: each day of a complete pull, else those of which a row came."""
    sizes, sparse, absent = rows.sizes(), tally.sparse, tally.absent
    unknown = rows.unknown() if sparse else {}
    came = sizes.keys() | tally.left_out.keys() - {""}  # a row that repeats another is of a day of that one
    days = (day.isoformat() for day in pull.window.days()) if pull.complete else sorted(came)
    stamp, stored_at, found = str(pull.stamp), iso(now), dict[str, DayTally]()
    for day in days:
        of_day = unknown.get(day, _NONE)
        counts = {**tally.by_day.get(day, {}), **nulls({name: of_day[name] for name in sparse if of_day.get(name)})}
        if sizes[day]:
            counts |= {(ABSENT, name): sizes[day] for name in absent}
        repeats = tally.repeats[day]
        counts |= {(REPEATED, ""): repeats} if repeats else {}
        found[day] = DayTally(stamp, stored_at, sizes[day] + tally.left_out[day] + repeats, _nested(counts))
    return found


def _nested(counts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (rule, column), rows in sorted(counts.items()):
        found.setdefault(rule, {})[column] = rows
    return found
