"""Jobs: `jobs` / `<name>`. They are the deployment's, and may concern several client accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adweir.model.errors import NotFound
from adweir.store.catalog.items import Item, Items

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

    from adweir.model.jobs import ScheduledJob

_PK = "jobs"


class StoredJobs(Items):
    """Jobs by name. Who changes one hands in what was read."""

    def job(self, name: str) -> ScheduledJob:
        """A job. Raises NotFound, UnreadableItem."""
        item = self._fetch(_PK, name) if name else None
        if item is None:
            raise NotFound(f"there is no job {name[:64]!r}", [{"field": "name", "message": "is unknown"}])
        return self._entity(_model(), item)

    def jobs(self) -> list[ScheduledJob]:
        """All of them, by name."""
        return list(self._entities(_model(), self._query(_PK)))

    def put_job(self, job: ScheduledJob, read: ScheduledJob | None) -> bool:
        """Store a job in place of the one that was `read`, None for a new one. False when another is stored by now."""
        as_read = Item.pk.does_not_exist() if read is None else _is(read)
        item = Item(_PK, job.name, state=job.job_id, version=job.version, body=job.model_dump(mode="json"))
        return self._put(item, as_read)

    def drop_job(self, job: ScheduledJob) -> bool:
        """Forget a job. False when another is stored by now."""
        return self._drop(_PK, job.name, _is(job))


def _model() -> type[ScheduledJob]:
    from adweir.model.jobs import ScheduledJob  # noqa: PLC0415 - 14 ms of a cold start, and most functions read no job

    return ScheduledJob


def _is(job: ScheduledJob) -> Condition:
    """The item holds this version of this job."""
    same: Condition = (Item.state == job.job_id) & (Item.version == job.version)
    return same
