"""Reading the plain way: whole partitions, every item decoded, one row per slot. What faster reading has to equal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from adweir.model.metrics import SOURCE_ORDER, Mark, Series, Source
from adweir.model.times import HOURS_A_DAY, Window
from adweir.store.metrics.buckets import RESERVED, Bucket, Partition, partitions
from adweir.store.metrics.coverage import COVERAGE, Coverage
from adweir.store.metrics.members import Only
from adweir.store.metrics.read import Reader
from adweir.store.metrics.shelves import Bundle, StoredRow, SummedRows


class _Copy(NamedTuple):
    source: Source
    partition: Partition
    coverage: Coverage
    buckets: dict[str, Bucket]


class WholeReader(Reader):
    """Reads whole partitions, adds nothing up, and leaves it to its caller to choose entities."""

    def snapshot(self) -> WholeReader:
        return self

    def sums(
        self,
        series: Series,
        window: Window,
        bundle: Bundle,
        *,
        sources: Sequence[Source] = SOURCE_ORDER,
        only: Only | None = None,
        overridden: bool = False,
    ) -> Iterator[StoredRow | SummedRows]:
        whole = self._slices(series)
        for same in zip(*(partitions(series, source, window) for source in sources), strict=True):
            copies = [self._copy(source, part) for source, part in zip(sources, same, strict=True)]
            for entity_id in sorted({entity for copy in copies for entity in copy.buckets}):
                for row in _rows(entity_id, copies, series, whole):
                    if bundle(row.day) is not None and (overridden or row.mark is not Mark.OVERRIDDEN):
                        yield row

    def _copy(self, source: Source, partition: Partition) -> _Copy:
        items = {item["sk"]["S"]: item for item in self._table.query(partition.pk)}
        buckets = {key: Bucket.decode(item) for key, item in items.items() if not key.startswith(RESERVED)}
        known = COVERAGE in items
        return _Copy(source, partition, Coverage.decode(items.get(COVERAGE)), buckets if known else {})


def _rows(entity_id: str, copies: Sequence[_Copy], series: Series, whole: Collection[str]) -> list[StoredRow]:
    """An entity's rows: on each day the first source decides that has a slot, or answers that there is none."""
    any_bucket = next(copy.buckets[entity_id] for copy in copies if entity_id in copy.buckets)
    taken: set[str] = set()
    rows: list[StoredRow] = []
    for copy in copies:
        bucket, coverage = copy.buckets.get(entity_id), copy.coverage
        owner = bucket or any_bucket
        about = (series.level, entity_id, owner.parents)
        mine = set()
        for name, (_, day) in copy.partition.names.items():
            slot = bucket.slots.get(name) if bucket else None
            if slot is None:
                of_all = day in coverage.days and coverage.known(day).issuperset(whole)
                unknown_product = not (owner.parents.ad_product or bucket)
                if coverage.answered(day, *about) is not None or (unknown_product and of_all):
                    mine.add(day)
                continue
            mine.add(day)
            stamp, mark = coverage.shown(slot, day, *about)
            if mark is Mark.KEPT and day in coverage.gone:
                continue
            hour = int(name[1:]) % HOURS_A_DAY if name[0] == "h" else -1
            mark = Mark.OVERRIDDEN if day in taken else mark
            definition = slot.definition or (coverage.definitions.get(stamp, "") if stamp else "")
            as_of = stamp.as_of if stamp else None
            row = StoredRow(entity_id, *owner.parents, slot.currency, day, hour, slot.numbers, copy.source, as_of)
            rows.append(row._replace(mark=mark, definition=definition))
        taken |= mine
    return sorted(rows, key=lambda row: (row.day, row.hour))
