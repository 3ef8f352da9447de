"""Where a load keeps what it will write: in memory while it is small, else in a temporary file.

The changes file has to be complete in S3 before the first item is written, so a load decides everything first. Whether
missing rows are gone is decided when all rows of their day are known, so their lines wait until then.
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from itertools import groupby
from typing import BinaryIO, cast

import msgspec

from adweir.model.closing import Closing
from adweir.model.metrics import Slot
from adweir.model.tasks import Stamp
from adweir.store.metrics.brought import Parents
from adweir.store.metrics.buckets import Bucket, PlainSlots, StoredSlot, ToWrite, encoded
from adweir.store.metrics.changes import ChangedSlot, ChangesHeader, ItemImage
from adweir.store.metrics.merge import SlotChange

_IN_MEMORY = 16 << 20
_LENGTH = 4


class _Packed(msgspec.Struct, array_like=True, gc=False):
    """An item to write; one to delete has no parents. `plain` has slots of one currency, stamp and definition."""

    entity_id: str
    parents: Parents | None = None
    currency: str = ""
    plain: dict[str, Slot] = {}
    slots: dict[str, tuple[Slot, str, str, str]] = {}
    stamp: str = ""
    definition: str = ""

    def bucket(self, parents: Parents) -> Bucket:
        if self.plain:
            stamp = Stamp.parse(self.stamp) if self.stamp else None
            numbers = list(self.plain.values())
            plain = PlainSlots(tuple(self.plain), numbers, self.currency, stamp, self.definition)
            return Bucket(self.entity_id, parents, plain)
        slots = {
            name: StoredSlot(numbers, Stamp.parse(stamp) if stamp else None, currency, definition)
            for name, (numbers, stamp, currency, definition) in self.slots.items()
        }
        return Bucket(self.entity_id, parents, slots)


class _Waiting(msgspec.Struct, array_like=True, gc=False):
    entity_id: str
    parents: Parents
    change: SlotChange


class _Records:
    """Records of one type, in the order in which they were added."""

    def __init__(self, kind: type[msgspec.Struct]) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  closed by the spool
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(kind)
        self.count = 0

    def add(self, record: msgspec.Struct) -> None:
        data = self._encoder.encode(record)
        self._file.write(len(data).to_bytes(_LENGTH, "big"))
        self._file.write(data)
        self.count += 1

    def __iter__(self) -> Iterator[msgspec.Struct]:
        self._file.seek(0)
        while length := self._file.read(_LENGTH):
            yield self._decoder.decode(self._file.read(int.from_bytes(length, "big")))

    def close(self) -> None:
        self._file.close()


class WriteSpool(Closing):
    """Buckets to write (`put`, `remove`; read back by `items`) and the changes file. A context manager."""

    def __init__(self) -> None:
        self._items = _Records(_Packed)
        self._waiting = _Records(_Waiting)
        self._changes = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  closed by `close`
        self._lines = gzip.GzipFile(
            filename="", fileobj=cast("BinaryIO", self._changes), mode="wb", compresslevel=1, mtime=0
        )
        self._json = msgspec.json.Encoder()

    @property
    def writes(self) -> int:
        """How many buckets are to be written or deleted."""
        return self._items.count

    def put(self, bucket: Bucket) -> None:
        """This bucket is to be stored."""
        slots, about = bucket.slots, (bucket.entity_id, bucket.parents)
        if isinstance(slots, PlainSlots):
            plain, stamp = dict(zip(slots.names, slots.numbers, strict=True)), str(slots.stamp or "")
            self._items.add(_Packed(*about, slots.currency, plain, stamp=stamp, definition=slots.definition))
            return
        packed = {
            name: (slot.numbers, str(slot.stamp or ""), slot.currency, slot.definition) for name, slot in slots.items()
        }
        self._items.add(_Packed(*about, slots=packed))

    def remove(self, entity_id: str) -> None:
        """This entity's bucket is to be deleted."""
        self._items.add(_Packed(entity_id))

    def items(self, pk: str) -> Iterator[ToWrite]:
        """What was put, in order, as DynamoDB takes it; of a removed one only the keys."""
        for written, together in groupby(
            cast("Iterator[_Packed]", iter(self._items)), lambda each: each.parents is not None
        ):
            if written:
                yield from encoded(pk, (each.bucket(each.parents) for each in together if each.parents is not None))
            else:
                yield from ({"pk": {"S": pk}, "sk": {"S": each.entity_id}} for each in together)

    def wait(self, entity_id: str, parents: Parents, change: SlotChange) -> None:
        """Keep a missing slot until the verdict of its day is known."""
        self._waiting.add(_Waiting(entity_id, parents, change))

    def waiting(self) -> Iterator[tuple[str, Parents, SlotChange]]:
        """The missing slots that were kept."""
        for each in cast("Iterator[_Waiting]", iter(self._waiting)):
            yield each.entity_id, each.parents, each.change

    def line(self, line: ChangesHeader | ChangedSlot | ItemImage) -> None:
        """The next line of the changes file."""
        self._lines.write(self._json.encode(line) + b"\n")

    def changes_file(self) -> BinaryIO:
        """The finished changes file, at its beginning."""
        self._lines.close()
        self._changes.seek(0)
        return cast("BinaryIO", self._changes)

    def close(self) -> None:
        """See `Closing`."""
        self._lines.close()
        self._changes.close()
        self._items.close()
        self._waiting.close()
