"""A folder in which the doubles keep what they have: items, messages and the objects' names in SQLite, bodies in files.

Each call is one transaction, so that a process that dies leaves all of a call or nothing. One process at a time has the
folder: it holds a lock that ends with it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from sandbox.aws.refusals import Refused
from sandbox.aws.s3 import etag_of
from sandbox.aws.shelves import KeySpan, StoredItem
from sandbox.aws.sqs import SentMessage
from sandbox.aws.values import Item

_VERSION = 1
_DATABASE, _LOCK, _OBJECTS = "adweir.sqlite3", "lock", "objects"
_CHUNK = 1 << 20
_SCHEMA = (
    "CREATE TABLE items (of TEXT, pk TEXT, sk BLOB, body BLOB, PRIMARY KEY (of, pk, sk)) WITHOUT ROWID",
    """CREATE TABLE objects
        (key BLOB PRIMARY KEY, file TEXT, size INTEGER, at TEXT, etag TEXT, metadata TEXT) WITHOUT ROWID""",
    """CREATE TABLE messages
        (queue TEXT, id TEXT, body TEXT, grp TEXT, sent_at REAL, visible_at REAL, receives INTEGER, dead INTEGER,
        PRIMARY KEY (queue, id)) WITHOUT ROWID""",
)
_AFTER_ALL = b"\xff\xff"
"""Behind every key: no text in UTF-8 has such bytes."""


class FolderRefused(Exception):
    """The folder cannot be opened; the text says why and what to do."""


class FolderInUse(FolderRefused):
    """Somebody has it open."""


class Disk:
    """A folder that is open. `items`, `objects` and `messages` are for the doubles. Raises FolderRefused."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with ExitStack() as opened:
            opened.enter_context(_held(folder))
            path = folder / _DATABASE
            try:
                self._database = opened.enter_context(
                    closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False))
                )
                _prepare(self._database, path)
                self._made: list[Path] = []
                self._replaced: list[Path] = []
                self.items = _DiskItems(self._database)
                self.messages = _DiskMessages(self._database)
                self.objects = _DiskObjects(self._database, folder / _OBJECTS, self._made, self._replaced)
                self.objects.tidy()
            except (sqlite3.Error, OSError) as error:
                raise FolderRefused(f"{folder} cannot be used: {error}") from error
            self._opened = opened.pop_all()

    @contextmanager
    def call(self) -> Iterator[None]:
        """What the block does happens as a whole or not at all. Raises Refused where the folder cannot be written.

        An interrupt may come between any two steps. A file is removed only where it is certain that no object has it:
        what else is left over goes when the folder is opened again.
        """
        try:
            self._begin()
            try:
                yield
                self._database.execute("COMMIT")
            finally:
                self._undo()
            _remove(self._replaced)
        except (sqlite3.Error, OSError) as error:
            raise Refused("InternalServerError", f"{self.folder} cannot be used: {error}", 500) from error

    def _begin(self) -> None:
        self._undo()  # a call whose own end was interrupted
        self._made.clear()
        self._replaced.clear()
        self._database.execute("BEGIN IMMEDIATE")

    def _undo(self) -> None:
        """Undo what was not committed."""
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")
            _remove(self._made)

    def close(self) -> None:
        """Let others have the folder."""
        self._opened.close()


class _DiskItems:
    """`ItemShelf` in the folder."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def find(self, table: str, pk: str, sk: str) -> StoredItem | None:
        asked = "SELECT body FROM items WHERE of = ? AND pk = ? AND sk = ?"
        row = self._database.execute(asked, (table, pk, sk.encode())).fetchone()
        return None if row is None else StoredItem.read(row[0])

    def put(self, table: str, pk: str, sk: str, item: Item | None) -> tuple[StoredItem | None, StoredItem | None]:
        old, new = self.find(table, pk, sk), None if item is None else StoredItem(item)
        key = (table, pk, sk.encode())
        if new is not None:
            self._database.execute("REPLACE INTO items VALUES (?, ?, ?, ?)", (*key, new.packed))
        elif old is not None:
            self._database.execute("DELETE FROM items WHERE of = ? AND pk = ? AND sk = ?", key)
        return old, new

    def partition(self, table: str, pk: str, span: KeySpan, *, forward: bool = True) -> Iterator[StoredItem]:
        asked = "SELECT body FROM items WHERE of = ? AND pk = ? AND sk BETWEEN ? AND ? ORDER BY sk"
        last = _AFTER_ALL if span.last is None else span.last
        rows = self._database.execute(asked + ("" if forward else " DESC"), (table, pk, span.first, last))
        return (StoredItem.read(body) for (body,) in rows)

    def every(self, table: str) -> Iterator[StoredItem]:
        rows = self._database.execute("SELECT body FROM items WHERE of = ? ORDER BY pk, sk", (table,))
        return (StoredItem.read(body) for (body,) in rows)

    def drop(self, table: str) -> None:
        self._database.execute("DELETE FROM items WHERE of = ?", (table,))

    def partitions(self, table: str, prefix: str) -> list[str]:
        """The hash keys with a prefix."""
        asked = "SELECT DISTINCT pk FROM items WHERE of = ? AND pk BETWEEN ? AND ?"
        return [pk for (pk,) in self._database.execute(asked, (table, prefix, prefix + "\U0010ffff"))]


class _DiskMessages:
    """`MessageShelf` in the folder. A message that somebody works on is kept as it was before: it was not received
    where that process dies."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def kept(self, queue: str) -> Iterator[tuple[SentMessage, bool]]:
        asked = "SELECT id, body, grp, sent_at, visible_at, receives, dead FROM messages WHERE queue = ?"
        for *about, dead in self._database.execute(asked, (queue,)):
            yield SentMessage(*about), bool(dead)

    def keep(self, queue: str, sent: SentMessage, *, dead: bool) -> None:
        row = (queue, sent.id, sent.body, sent.group, sent.sent_at, sent.visible_at, sent.receives, int(dead))
        self._database.execute("REPLACE INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def forget(self, queue: str, sent: SentMessage) -> None:
        self._database.execute("DELETE FROM messages WHERE queue = ? AND id = ?", (queue, sent.id))


@dataclass(frozen=True, slots=True)
class _KeptObject:
    """An object whose bytes are a file."""

    path: Path
    size: int
    at: datetime
    etag: str
    metadata: Mapping[str, str]

    def open(self) -> Any:
        return _KeptBody(self.path.open("rb"), self.size)


class _KeptBody:
    """A file as an answer of S3: it is let go when it was read to its end, as a connection is."""

    def __init__(self, file: BinaryIO, left: int) -> None:
        self._file = file
        self._left = left
        if not left:
            file.close()

    def read(self, amount: int | None = None) -> bytes:
        """So many bytes, or all that are left."""
        if self._file.closed:
            return b""
        data = self._file.read(self._left if amount is None or amount < 0 else amount)
        self._left -= len(data)
        if self._left <= 0 or (not data and amount != 0):
            self._file.close()
        return data

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; how many bytes that were."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Let it go."""
        self._file.close()

    def __del__(self) -> None:
        """A body that nobody reads is let go, too."""
        self._file.close()


class _Written(NamedTuple):
    """A file that is no object yet."""

    path: Path
    size: int
    sha256: bytes


class _DiskObjects:
    """`ObjectShelf` in the folder: a file per object, under a name of its own."""

    def __init__(self, database: sqlite3.Connection, folder: Path, made: list[Path], replaced: list[Path]) -> None:
        self._database = database
        self._folder = folder
        self._made = made
        self._replaced = replaced
        folder.mkdir(mode=0o700, exist_ok=True)

    def tidy(self) -> None:
        """Remove the files of calls that were never done."""
        known = {name for (name,) in self._database.execute("SELECT file FROM objects")}
        _remove([path for path in self._folder.iterdir() if path.name not in known])

    def take_in(self, body: bytes | BinaryIO) -> _Written:
        path, digest, size = self._folder / secrets.token_hex(16), hashlib.sha256(), 0
        self._made.append(path)
        with path.open("xb") as file:
            for chunk in (body,) if isinstance(body, bytes) else iter(lambda: body.read(_CHUNK), b""):
                digest.update(chunk)
                size += file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        return _Written(path, size, digest.digest())

    def keep(self, key: str, incoming: _Written, metadata: Mapping[str, str], at: datetime) -> _KeptObject:
        old, etag = self.find(key), etag_of(incoming.sha256)
        row = (key.encode(), incoming.path.name, incoming.size, at.isoformat(), etag, json.dumps(dict(metadata)))
        self._database.execute("REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)", row)
        if old is not None:
            self._replaced.append(old.path)
        return _KeptObject(incoming.path, incoming.size, at, etag, metadata)

    def find(self, key: str) -> _KeptObject | None:
        asked = "SELECT file, size, at, etag, metadata FROM objects WHERE key = ?"
        row = self._database.execute(asked, (key.encode(),)).fetchone()
        if row is None:
            return None
        return _KeptObject(self._folder / row[0], row[1], datetime.fromisoformat(row[2]), row[3], json.loads(row[4]))

    def forget(self, key: str) -> None:
        old = self.find(key)
        if old is not None:
            self._database.execute("DELETE FROM objects WHERE key = ?", (key.encode(),))
            self._replaced.append(old.path)

    def names(self, prefix: str, after: str) -> Iterator[str]:
        asked = "SELECT key FROM objects WHERE key > ? AND key BETWEEN ? AND ? ORDER BY key"
        given = (after.encode(), prefix.encode(), prefix.encode() + _AFTER_ALL)
        return (key.decode() for (key,) in self._database.execute(asked, given))


def _held(folder: Path) -> BinaryIO:
    """The lock of a folder, which is made where there is none. Raises FolderRefused."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = folder / _LOCK
        strange = not (folder / _DATABASE).exists() and any(each != lock for each in folder.iterdir())
        if strange:
            raise FolderRefused(f"{folder} has other files in it: name an empty folder, or one that does not exist")
        held = lock.open("ab")
    except OSError as error:
        raise FolderRefused(f"{folder} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise FolderInUse(
            f"{folder} is open already: close the system that has it, or end its process, or name another folder"
        ) from None
    return held


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    """Make the tables where there are none. Raises FolderRefused for those of another version."""
    path.chmod(0o600)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version == 0:
        database.execute("BEGIN IMMEDIATE")
        for statement in (*_SCHEMA, f"PRAGMA user_version = {_VERSION}"):
            database.execute(statement)
        database.execute("COMMIT")
    elif version != _VERSION:
        raise FolderRefused(f"{path} was written by another version of adweir: open it with that one")


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
