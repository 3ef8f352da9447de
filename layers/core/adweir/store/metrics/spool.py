"""Where a load keeps what it will write: in memory while it is small, else in a temporary file.

The changes file has to be complete in S3 before the first item is written, so a load decides everything first.
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, Self, cast

import msgspec

from adweir.model.metrics import Slot
from adweir.model.tasks import Stamp
from adweir.store.metrics.brought import Parents
from adweir.store.metrics.buckets import Bucket, Raw, StoredSlot
from adweir.store.metrics.merge import SlotChange

_IN_MEMORY = 16 << 20
_LENGTH = 4


class _Packed(msgspec.Struct, array_like=True, gc=False):
    entity_id: str
    parents: Parents | None
    slots: dict[str, tuple[Slot, str, str, str]]


class WriteSpool:
    """Buckets to write (`put`, `remove`; read back by `items`) and the changes file. A context manager."""

    def __init__(self) -> None:
        self._items = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  closed in __exit__
        self._changes = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  the same
        self._lines = gzip.GzipFile(
            filename="", fileobj=cast("BinaryIO", self._changes), mode="wb", compresslevel=1, mtime=0
        )
        self._encoder = msgspec.msgpack.Encoder()
        self.writes = 0
        self.changes = 0

    def put(self, bucket: Bucket) -> None:
        """This bucket is to be stored."""
        slots = {
            name: (slot.numbers, str(slot.stamp or ""), slot.currency, slot.definition)
            for name, slot in bucket.slots.items()
        }
        self._add(_Packed(bucket.entity_id, bucket.parents, slots))

    def remove(self, entity_id: str) -> None:
        """This entity's bucket is to be deleted."""
        self._add(_Packed(entity_id, None, {}))

    def items(self, pk: str) -> Iterator[Raw]:
        """What was put, in order, as DynamoDB takes it; of a removed one only the keys."""
        decoder = msgspec.msgpack.Decoder(_Packed)
        self._items.seek(0)
        while length := self._items.read(_LENGTH):
            packed = decoder.decode(self._items.read(int.from_bytes(length, "big")))
            if packed.parents is None:
                yield {"pk": {"S": pk}, "sk": {"S": packed.entity_id}}
                continue
            slots = {
                name: StoredSlot(numbers, Stamp.parse(stamp) if stamp else None, currency, definition)
                for name, (numbers, stamp, currency, definition) in packed.slots.items()
            }
            yield Bucket(packed.entity_id, packed.parents, slots).encode(pk)

    def change(self, entity_id: str, change: SlotChange, lag: int) -> None:
        """One line of the changes file: numbers before and after, and how many days after its day the pull began."""
        line = {
            "entity_id": entity_id,
            "day": change.day,
            "hour": None if change.hour < 0 else change.hour,
            "old": change.old,
            "new": change.new,
            "lag": lag,
        }
        self._lines.write(msgspec.json.encode(line) + b"\n")
        self.changes += 1

    def changes_file(self) -> BinaryIO:
        """The finished changes file (gzip, one JSON object per line), at its beginning."""
        self._lines.close()
        self._changes.seek(0)
        return cast("BinaryIO", self._changes)

    def _add(self, packed: _Packed) -> None:
        data = self._encoder.encode(packed)
        self._items.write(len(data).to_bytes(_LENGTH, "big"))
        self._items.write(data)
        self.writes += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()
        self._changes.close()
        self._items.close()
