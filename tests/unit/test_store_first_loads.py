"""Entities that are stored for the first time, many at once, end as if each was merged and written alone."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import decode

from adweir.model.metrics import Grain, Level, MetricRow, Slot, Source
from adweir.model.platforms import Platform
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import SLOT_HOURS, Window
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.buckets import Bucket, encoded, partitions
from adweir.store.metrics.coverage import Coverage, SliceAnswer
from adweir.store.metrics.job import Job

WINDOW = Window(date(2026, 10, 30), date(2026, 11, 3))
DAYS = [day.isoformat() for day in WINDOW.days()]
OLDER, STAMP = (Stamp(f"2026-11-2{day}T00:00:00.000000Z", f"t{day}") for day in (0, 1))
NUMBERS = st.none() | st.integers(-3, 5) | st.sampled_from([10**6, 2**50, 2**63, -(2**70)])


@st.composite
def jobs(draw: st.DrawFn) -> tuple[Job, Coverage]:
    """A pull of some rows, some of them quarantined, and the coverage that it finds."""
    usual = st.tuples(*[st.integers(0, 5)] * 5)
    numbers: st.SearchStrategy[Slot] = draw(st.sampled_from([usual, st.tuples(*[NUMBERS] * 5)]))
    grain, level = draw(st.sampled_from(Grain)), draw(st.sampled_from([Level.AD, Level.CAMPAIGN]))
    rows = PullRows()
    for entity in draw(st.lists(st.sampled_from(["a1", "a2", "g~a", "é", 'q"%s', "z"]), unique=True)):
        product = draw(st.sampled_from(["sp", "sp", "sb", ""]))
        for day in draw(st.lists(st.sampled_from(DAYS), unique=True)):
            hour = draw(st.sampled_from(SLOT_HOURS)) if grain is Grain.HOUR else -1
            slot = draw(numbers)
            rows.offer(MetricRow(entity, day, *slot, "c1", "g", hour=hour, currency="EUR", ad_product=product))
    for day in draw(st.lists(st.sampled_from(DAYS), max_size=2)):
        rows.quarantined("a1", day)
    covered = draw(st.just(list[str]()) | st.lists(st.sampled_from(DAYS)))
    pull = Pull(
        Platform("amazon_ads"),
        "p1",
        level,
        grain,
        Source.PULL,
        draw(st.sampled_from(["all", "sp", "campaign=c1", "campaign=c2"])),
        WINDOW,
        STAMP,
        complete=draw(st.booleans()),
        has_totals=draw(st.booleans()),
    )
    return Job.of(pull, rows), Coverage({day: {"all": SliceAnswer(OLDER, {})} for day in covered})


@given(jobs())
def test_merged_together_and_one_by_one(given_job: tuple[Job, Coverage]) -> None:
    job, coverage = given_job
    for partition in partitions(job.pull.series, Source.PULL, WINDOW):
        goal = job.goal(partition, coverage)
        together, alone = (job.merger(partition, coverage, goal) for _ in range(2))
        found = [(each.entity_id, each.merged) for each in job.walk(together, ())]

        slots = job.rows.reader(key for key, _ in partition.names.values())
        expected = [alone.merge(name, None, slots(name), job.rows.parents(name)) for name in job.entities]
        assert [name for name, _ in found] == job.entities
        for (_, merged), other in zip(found, expected, strict=True):
            assert merged.bucket == other.bucket
            assert list(merged.changes) == other.changes
            assert (merged.dirty, merged.unchanged) == (other.dirty, other.unchanged)
        assert (together.sums and vars(together.sums)) == (alone.sums and vars(alone.sums))


@given(jobs())
def test_written_together_and_one_by_one(given_job: tuple[Job, Coverage]) -> None:
    job, coverage = given_job
    for partition in partitions(job.pull.series, Source.PULL, WINDOW):
        merger = job.merger(partition, coverage, job.goal(partition, coverage))
        buckets = [bucket for each in job.walk(merger, ()) if (bucket := each.merged.bucket)]
        items = [decode(item) for item in encoded("pk", buckets)]

        alone = [Bucket(bucket.entity_id, bucket.parents, dict(bucket.slots)) for bucket in buckets]
        assert items == [decode(bucket.encode("pk")) for bucket in alone]
        assert list(map(Bucket.decode, items)) == alone
