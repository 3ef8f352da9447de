"""Loads what a platform says has changed: those campaigns are pulled again, and nothing is stored of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adweir.intake.load.commit import Committer, named_task
from adweir.intake.load.ends import TaskEnds
from adweir.intake.load.objects import FoundObjects, ObjectLists
from adweir.model.datasets import Dataset
from adweir.model.entities import ChangedCampaign
from adweir.model.ids import IdKind
from adweir.model.messages import Scope, StartRun
from adweir.model.slices import ALL, of_campaign
from adweir.model.times import parse_instant
from adweir.platforms import Platforms
from adweir.platforms.connector import ObjectBatch
from adweir.quality.quarantine import Quarantine
from adweir.store.raw.header import PullHeader

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog
    from adweir.store.raw.store import RawStore

_CHANGEABLE = (
    Dataset.CAMPAIGNS,
    Dataset.AD_GROUPS,
    Dataset.ADS,
    Dataset.KEYWORDS,
    Dataset.TARGETS,
    Dataset.NEGATIVES,
)
"""What follows from a change: objects. Numbers do not; those that are still restated come with the daily run."""


class AnnouncedChanges(ObjectLists):
    """Starts a run for each changed campaign, or for the ad account where the change has none."""

    def __init__(
        self, raw: RawStore, catalog: Catalog, committer: Committer, platforms: Platforms, ends: TaskEnds
    ) -> None:
        super().__init__(raw, catalog, committer)
        self._platforms = platforms
        self._ends = ends

    def _put(
        self, batch: ObjectBatch, header: PullHeader, found: FoundObjects, quarantine: Quarantine, page_number: int
    ) -> None:
        for change in batch.objects:
            if isinstance(change, ChangedCampaign):
                self._pull_again(change, header)
                found.unchanged += 1
        for bad in batch.bad:
            quarantine.add(bad, page_number)

    def _remove_missing(self, *_: object) -> int:
        return 0

    def _pull_again(self, change: ChangedCampaign, header: PullHeader) -> None:
        """One run per change: the platform tells of the same change again until it is too old."""
        identity = f"{header.profile_key}\x1f{change.id}\x1f{change.changed_at}"
        specs = self._platforms.datasets(header.platform)
        self._ends.start(
            StartRun(
                workflow="repull",
                scheduled_at=parse_instant(header.as_of),
                scope=Scope(
                    accounts=(header.account_id,),
                    platforms=(str(header.platform),),
                    profiles=(header.profile_id,),
                    datasets=tuple(one.value for one in _CHANGEABLE if one in specs and not specs[one].on_request),
                    slice=of_campaign(change.id) if change.id else ALL,
                ),
                run_id=IdKind.RUN.of(f"repull-{named_task(identity)}"),
                trigger="changes",
            ),
            group=header.profile_key,
        )
