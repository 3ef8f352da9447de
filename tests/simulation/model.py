"""What has to be stored in the end, worked out anew from what the platform sent and the bucket has.

For each day and campaign, the newest pull that answers decides. A whole pull (its last page had the platform's mark of
the end) answers for its slice on all its days, also for what it does not bring; another only for what it brings.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from adweir.model.metrics import METRICS
from adweir.model.slices import ALL
from adweir.model.times import Window
from sandbox.aws.s3 import S3
from simulation.world import Numbers, Rows, World

Stamp = tuple[str, str]
"""When a pull began, and its task."""
_NEVER: Stamp = ("", "")
_IMPRESSIONS, _SPEND = METRICS.index("impressions"), METRICS.index("spend")
_ANSWER = re.compile(rb'"answer": (\d+)')


@dataclass(frozen=True)
class Landed:
    """A pull that is in the bucket. Its stamp orders it among others."""

    dataset: str
    stamp: Stamp
    slice: str
    days: frozenset[str]
    rows: Rows
    whole: bool
    applicable: bool

    def answers_for(self, day: str, name: str) -> bool:
        """Whether what it does not bring of this campaign (or account) and day (or hour) is not there."""
        return day[:10] in self.days and (self.slice == ALL or name.startswith(self.slice))


class Answers(NamedTuple):
    """Which whole pull answers for a day and slice, and where none does because the slice is not applicable."""

    by: dict[tuple[str, str], Stamp]
    not_applicable: frozenset[tuple[str, str]]


def landed(s3: S3, world: World, task: str = "") -> list[Landed]:
    """The pulls of metrics that are in the bucket, or only those of a task."""
    return [
        _landed(s3, world, key, s3.objects[key].metadata)
        for key in sorted(key for key in s3.objects if key.startswith("raw/") and f"/{task}" in key)
        if s3.objects[key].metadata["window"]
    ]


def _landed(s3: S3, world: World, key: str, about: Mapping[str, str]) -> Landed:
    task, generation = about["task-id"], about["generation"]
    parts = [f"parts/{task}.{generation}/{part}.gz" for part in about.get("parts", "").split()]
    pages = b"".join(_unpacked(s3.objects[name].body) for name in (*parts, key))
    answers = [world.answers[int(number)] for number in _ANSWER.findall(pages)]
    rows: Rows = {}
    for answer in answers:
        rows |= answer.rows
    applicable = about["not-applicable"] == "false"
    return Landed(
        dataset=about["dataset"],
        stamp=(about["as-of"], task),
        slice=about["slice"],
        days=frozenset(map(date.isoformat, Window.parse(about["window"]).days())),
        rows=rows,
        whole=applicable and answers[-1].last,
        applicable=applicable,
    )


def _unpacked(packed: bytes) -> bytes:
    found = b""
    while packed:
        member = zlib.decompressobj(31)
        found += member.decompress(packed)
        packed = member.unused_data
    return found


def numbers(pulls: list[Landed]) -> Rows:
    """What readers see where no account total decides."""
    seen: dict[tuple[str, str], Numbers | None] = {}
    for pull in sorted(pulls, key=lambda pull: pull.stamp):
        if pull.whole:
            seen |= dict.fromkeys(key for key in seen if pull.answers_for(*key))
        seen |= pull.rows
    return {key: row for key, row in seen.items() if row}


def numbers_by_totals(pulls: list[Landed], totals: list[Landed]) -> Rows:
    """What readers see of campaigns where account totals decide.

    A row that the newest pull does not bring is kept, unless the day's total, which has to be as new, comes closer to
    the other rows without it: all such rows of a day are there, or gone, together.
    """
    brought: dict[tuple[str, str], tuple[Stamp, Numbers]] = {}
    newest: dict[tuple[str, str], Stamp] = {}
    for pull in sorted(pulls, key=lambda pull: pull.stamp):
        brought |= {key: (pull.stamp, row) for key, row in pull.rows.items()}
        if pull.whole:
            newest |= dict.fromkeys(((day, pull.slice) for day in pull.days), pull.stamp)
    missing = {
        (day, name): row
        for (day, name), (stamp, row) in brought.items()
        if stamp < newest.get((day, name.partition("-")[0]), _NEVER)
    }
    shown = {key: row for key, (_, row) in brought.items()}
    for day in {day for day, _ in missing}:
        lost = [row for (other, _), row in missing.items() if other == day]
        left = [row for key, row in shown.items() if key[0] == day and key not in missing]
        since = max(stamp for (other, _), stamp in newest.items() if other == day)
        if _are_gone(day, since, lost, left, totals):
            shown = {key: row for key, row in shown.items() if key[0] != day or key not in missing}
    return shown


def _are_gone(day: str, since: Stamp, lost: list[Numbers], left: list[Numbers], totals: list[Landed]) -> bool:
    """Whether the day's total, newer than the pulls, is no farther from the rows that are left than from all."""
    answering = [total for total in totals if total.whole and day in total.days]
    newest = max(answering, key=lambda total: total.stamp, default=None)
    if newest is None or newest.stamp < since:
        return False
    total = next((row for (other, _), row in newest.rows.items() if other == day), (0, 0, 0, 0, 0))
    for metric in (_SPEND, _IMPRESSIONS):
        without = sum(row[metric] for row in left)
        added = sum(row[metric] for row in lost)
        if abs(total[metric] - without) > abs(total[metric] - without - added):
            return False
    return True


def answers(pulls: list[Landed]) -> Answers:
    """What coverage says."""
    by: dict[tuple[str, str], Stamp] = {}
    for pull in sorted(pulls, key=lambda pull: pull.stamp):
        if pull.whole:
            by |= {(day, pull.slice): pull.stamp for day in pull.days}
    refused = {(day, pull.slice) for pull in pulls if not pull.applicable for day in pull.days}
    return Answers(by, frozenset(refused - by.keys()))
