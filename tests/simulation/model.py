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

from adweir.model.times import Window
from simulation.aws.s3 import S3
from simulation.platform import SLICES
from simulation.world import Numbers, Rows, World

_ANSWER = re.compile(rb'"answer": (\d+)')


@dataclass(frozen=True)
class Landed:
    """A pull that is in the bucket. Its stamp orders it among others."""

    stamp: tuple[str, str]
    slice: str
    days: frozenset[str]
    rows: Rows
    whole: bool
    applicable: bool


class Answers(NamedTuple):
    """Which whole pull answers for a day and slice, and where none does because the slice is not applicable."""

    by: dict[tuple[str, str], tuple[str, str]]
    not_applicable: frozenset[tuple[str, str]]


def landed(s3: S3, world: World) -> list[Landed]:
    """The pulls of metrics that are in the bucket."""
    return [
        _landed(s3, world, key, stored.metadata)
        for key, stored in sorted(s3.objects.items())
        if key.startswith("raw/") and stored.metadata["window"]
    ]


def _landed(s3: S3, world: World, key: str, about: Mapping[str, str]) -> Landed:
    task, generation = about["task-id"], about["generation"]
    parts = [f"parts/{task}.{generation}/{part}.gz" for part in about.get("parts", "").split()]
    pages = b"".join(_unpacked(s3.objects[name].body) for name in (*parts, key))
    answers = [world.answers[int(number)] for number in _ANSWER.findall(pages)]
    rows: Rows = {}
    for answer in answers:
        rows |= answer.rows
    return Landed(
        stamp=(about["as-of"], task),
        slice=about["slice"],
        days=frozenset(map(date.isoformat, Window.parse(about["window"]).days())),
        rows=rows,
        whole=bool(answers) and answers[-1].last,
        applicable=about["not-applicable"] == "false",
    )


def _unpacked(packed: bytes) -> bytes:
    found = b""
    while packed:
        member = zlib.decompressobj(31)
        found += member.decompress(packed)
        packed = member.unused_data
    return found


def numbers(pulls: list[Landed]) -> Rows:
    """What readers see."""
    seen: dict[tuple[str, str], tuple[tuple[str, str], Numbers | None]] = {}
    campaigns = {campaign for pull in pulls for _, campaign in pull.rows}
    for pull in sorted(pulls, key=lambda pull: pull.stamp):
        if not pull.applicable:
            continue
        for day in pull.days:
            for campaign in campaigns:
                row = pull.rows.get((day, campaign))
                if row or (pull.whole and campaign.startswith(pull.slice)):
                    seen[day, campaign] = pull.stamp, row
    return {key: row for key, (_, row) in seen.items() if row}


def answers(pulls: list[Landed]) -> Answers:
    """What coverage says."""
    by: dict[tuple[str, str], tuple[str, str]] = {}
    refused = {(day, pull.slice) for pull in pulls if not pull.applicable for day in pull.days}
    for pull in sorted(pulls, key=lambda pull: pull.stamp):
        if pull.applicable and pull.whole:
            by |= {(day, pull.slice): pull.stamp for day in pull.days}
    assert {slice_ for _, slice_ in by} <= set(SLICES)
    return Answers(by, frozenset(refused - by.keys()))
