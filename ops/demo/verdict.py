"""The result of the whole comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ops.demo.anomalies import NONE, HeldAnomalies
from ops.demo.arms import NO_ARMS, HeldArms
from ops.demo.mix import NO_MIX, HeldMix
from ops.demo.truth import Compared, Figures
from ops.demo.ways import WayIn

_SHOWN = 20


@dataclass(frozen=True)
class Verdict:
    """All ad accounts compared, and how long the demonstration took."""

    results: Sequence[Compared]
    seconds: float
    empty: Sequence[str] = ()
    """Datasets of which nothing came, by platform."""
    bills: Sequence[str] = ()
    """Invoices that are not what a platform billed."""
    ways: Sequence[WayIn] = ()
    """What came in on other ways than pulls."""
    anomalies: HeldAnomalies = NONE
    """What was found of the planted anomalies, and what beside them."""
    mix: HeldMix = NO_MIX
    """What the media-mix coefficients say beside the truth."""
    arms: HeldArms = NO_ARMS
    """What is known of arms beside reports."""

    @property
    def rows(self) -> int:
        """Rows of the platforms' truth."""
        return sum(len(result.truth) for result in self.results)

    @property
    def wrong(self) -> int:
        """Rows and totals that differ, are missing or are too many."""
        return sum(len(result.differences) for result in self.results)

    @property
    def right(self) -> bool:
        """There are numbers, each one is the platforms' own or as sent, and so is each bill; no dataset is empty.

        Planted anomalies are found, and none is invented; the media mix has its truth in its intervals; arms have
        what reports say.
        """
        wrong = self.wrong or self.empty or self.bills or self.otherwise or self.arms.wrong
        return bool(self.rows) and not wrong and self.anomalies.right and self.mix.right

    @property
    def otherwise(self) -> list[str]:
        """What came in on other ways and is stored differently, one line each."""
        return [line for way in self.ways for line in way.wrong]

    @property
    def text(self) -> str:
        """The verdict in one line."""
        if self.right:
            return f"{self.rows:,} rows, {self.rows * len(Figures._fields):,} numbers: all equal the platforms' own."
        if not self.wrong and self.bills:
            return f"Every number is right, but not every invoice: {len(self.bills)} differ."
        if not self.wrong and self.otherwise:
            return f"Every pulled number is right, but {len(self.otherwise)} that came in on other ways are not."
        if not self.wrong and not self.empty:
            found = [each.text for each in (self.anomalies, self.mix) if not each.right]
            found += [self.arms.text] if self.arms.wrong else []
            return f"Every number is right, but not what was found in them. {' '.join(found)}"
        if not self.wrong:
            return f"Every number is right, but {len(self.empty)} datasets are empty."
        of = f"{self.rows + self.days:,} rows and daily totals"
        return f"{self.wrong:,} of {of} differ from what the platforms say."

    @property
    def days(self) -> int:
        """Daily totals of accounts that every level was compared with."""
        return sum(len(result.account) * len(result.levels) for result in self.results)

    @property
    def totals_text(self) -> str:
        """What the totals prove, in one line."""
        kept = sum(result.kept for result in self.results)
        levels = ", ".join(dict.fromkeys(level for result in self.results for level in result.levels))
        return (
            f"At every level ({levels}) the rows sum to the account's own total on each day: {self.days:,} totals."
            f" {kept:,} rows are kept that a platform no longer shows."
        )

    @property
    def ways_text(self) -> str:
        """What came in on other ways, in one line."""
        numbers = sum(way.numbers for way in self.ways)
        return f"On other ways: {', '.join(way.name for way in self.ways)}: {numbers:,} numbers equal what was sent."

    @property
    def wrong_lines(self) -> list[str]:
        """Empty datasets, wrong invoices, what other ways brought wrong, and the first differences, one line each."""
        lines = [f"nothing is stored of {name}" for name in self.empty]
        lines += [*self.bills, *self.otherwise, *self.anomalies.lines, *self.mix.lines, *self.arms.wrong]
        lines += [
            f"{one.platform} {one.profile_id} {found.name} {found.day}: stored {_text(found.stored)}, "
            f"platform {_text(found.truth)}"
            for one in self.results
            for found in one.differences
        ]
        return lines[:_SHOWN]


def _text(row: Figures | None) -> str:
    return "nothing" if row is None else " ".join(map(str, row))
