"""What the readers of data types share: whose file it is, and what they give."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

from adweir.model.metrics import BadRow
from adweir.model.platforms import Platform
from adweir.model.ports import PlatformParser, platform_named
from adweir.platforms.files.batches import DropBatch
from adweir.platforms.files.lines import LineFault, Record
from adweir.platforms.files.mapped_columns import CanonicalRows, Convert
from adweir.platforms.files.normalize import DropRow, Target
from adweir.store.register_shards import EntityAbout, Stated


class NamedObject(NamedTuple):
    """An object of a platform."""

    platform: Platform
    id: str


class ClientObjects(Protocol):
    """What is stored of the client whose file it is."""

    def only_profile(self, platform: Platform, named: str = "") -> str:
        """The client's only ad account on a platform, or its only one with this name or id, however the id is written
        (`123-456-7890`); "" where there is none, or several."""
        ...

    def timezone(self, target: Target) -> str:
        """The time zone of the target's ad account; "" where none is known."""
        ...

    def currency(self, target: Target) -> str:
        """The currency of the target's ad account; "" where none is known."""
        ...

    def campaign(self, text: str, platform: str = "") -> NamedObject | None:
        """The client's only campaign with this name or id, on a platform ("" for any); None where there is none, or
        several."""
        ...

    def ad_group(self, target: Target, own_id: str) -> str:
        """The ad group of the target's only ad or keyword with this id; "" where there is none, or several."""
        ...

    def object_id(self, target: Target, parent: str, name: str) -> str:
        """The id of the target's only object with this name in its parent ("" for any); "" where there is not one."""
        ...


class Statements(NamedTuple):
    """What a file says of each record, by the record's id (`store.folds.counted_once`), and of the entities it names.

    `about` by entity; `target` is that of the rows, in the account's currency.
    """

    target: Target
    stated: dict[bytes, Stated]
    about: dict[str, EntityAbout]


@dataclass(frozen=True, slots=True)
class FileContext:
    """Whose file it is.

    `source` is that of its key: a platform's name, or a name of the user's; `own` the id of the account's own profile,
    `timezone` and `currency` the account's ("" where nobody knows). `is_listed`: whether the ad accounts of a platform
    are listed by its API.
    """

    source: Platform
    own: str
    timezone: str
    parse_platform: PlatformParser
    is_listed: Callable[[str], bool]
    objects: ClientObjects
    currency: str = ""

    def platform(self, text: str) -> Platform:
        """The platform that a cell names: by any known name, or one that is not known here. Raises LineFault."""
        try:
            return platform_named(text, self.parse_platform)
        except ValueError:
            raise LineFault("platform", "format", "must be a name of lower-case letters, digits and _") from None


class IdRange(NamedTuple):
    """The records whose ids' hashes (`store.folds.counted_once`) begin with a number from `start` to before `end`."""

    start: int = 0
    end: int = 1 << 32

    def has(self, record: bytes) -> bool:
        """Whether it is one of these records."""
        return self.start <= int.from_bytes(record[:4], "big") < self.end

    def part(self, number: int, parts: int) -> IdRange:
        """One of so many equal parts."""
        size = self.end - self.start
        return IdRange(self.start + size * number // parts, self.start + size * (number + 1) // parts)


ALL_IDS = IdRange()


class FileRows(ABC):
    """Reads the records of one file. `left_out` counts records that say nothing, by reason. `adds_up`: rows of one
    entity and day are parts of its number."""

    converts: ClassVar[Mapping[str, Convert]]
    """The numbers that are read, and how."""
    by_column = True
    """Whether many rows may be read at once: not where each one is remembered, or has an hour."""
    by_id = False
    """Whether each record has an id that is remembered."""
    ids = ALL_IDS
    """The records that are read, if they have such ids. What has none, or a line at fault, is of the first."""
    held = 0
    """About how many bytes of memory it takes until the file is over."""

    def __init__(self, context: FileContext, *, adds_up: bool) -> None:
        self._context = context
        self.adds_up = adds_up
        self.left_out: Counter[str] = Counter()

    @property
    def statements(self) -> Statements | None:
        """What the file says of each record that later files may state again; None where rows state their days."""
        return None

    def read(self, record: Record) -> DropRow | BadRow | None:
        """A record as a row; None where it is left out."""
        if not record.counts:
            self.leave_out(record)
            return None
        try:
            return self._row(record)
        except LineFault as fault:
            return record.bad(fault)

    def leave_out(self, record: Record) -> None:  # noqa: B027  most files say nothing by it
        """Take note of a record that does not meet the mapping's filters."""

    @abstractmethod
    def batches(self, made: CanonicalRows) -> list[DropBatch]:
        """The same of many rows at once, none of them at fault. Raises Unusual, LineFault, AdweirError for others,
        which have to be read one by one: then nothing was taken in.
        """

    @abstractmethod
    def _row(self, record: Record) -> DropRow | None:
        """The row of a record, None where it says nothing. Raises LineFault."""
