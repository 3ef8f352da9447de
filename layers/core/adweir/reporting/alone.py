"""The metrics that arms of cross-platform campaigns have by themselves: pushed to arms that are bound to nothing.

They are hours of the client's own profile, at a level that no total of ads sums, and answer by day as their sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from adweir.model.campaigns import Arm, Binding, Campaign, Claim
from adweir.model.entities import own_profile_id
from adweir.model.metrics import Level
from adweir.model.platforms import Platform
from adweir.reporting.reading import DayCoverage, ProfileReader, ReadRow
from adweir.reporting.totals import UNATTRIBUTED
from adweir.store.metrics.store import Adjustment

_REST = frozenset({UNATTRIBUTED})
_Found = Mapping[Platform, Mapping[str, Claim]]


def by_platform(arms: Iterable[tuple[Campaign, Arm]], account_id: str) -> _Found:
    """The arms of a client by their platforms and ids."""
    found: dict[Platform, dict[str, Claim]] = {}
    for campaign, arm in arms:
        if campaign.account_id == account_id:
            binding = Binding(platform=arm.platform, profile_id=own_profile_id(account_id))
            found.setdefault(arm.platform, {})[arm.arm_id] = Claim(campaign.campaign_id, arm.arm_id, binding)
    return found


class AloneReader:
    """Reads them as `ProfileReader` does an ad account. `below`: rows are shown by campaigns or ads, of which these are
    none."""

    def __init__(self, reader: ProfileReader, arms: Mapping[str, Claim], *, below: bool) -> None:
        self._reader = reader
        self._arms = arms
        self._more = _REST if below else frozenset[str]()

    def rows(self) -> Iterator[ReadRow]:
        """The rows, each with its claim. Raises Unavailable."""
        for read in self._reader.rows():
            claim = self._arms.get(read.row.entity_id)
            if claim is not None:
                row = read.row._replace(entity_id="", campaign_id="", ad_group_id="")
                yield ReadRow(row, Level.ACCOUNT, read.marks | self._more, claim)

    def coverage(self) -> dict[date, DayCoverage]:
        """Pushes cover no day."""
        return {}

    def adjustments(self) -> Iterator[tuple[Level, Adjustment]]:
        """How the rows differ from what was sent. Raises Unavailable."""
        return ((level, each) for level, each in self._reader.adjustments() if each.entity_id in self._arms)
