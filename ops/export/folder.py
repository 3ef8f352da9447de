"""A folder with a copy of `curated/`: what is in it of which object, and how it becomes what the bucket has now.

The folder remembers in `.adweir-export.json` which version of each object it has, and takes anew what changed. A file
is written beside its place and then put there: who reads meanwhile, or goes on after a kill, finds whole files.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from adweir.store.raw.store import ObjectInfo
from ops.errors import CommandFailed
from sandbox.files import replace_text

MANIFEST = ".adweir-export.json"
_FORM = 1
_PART = ".part"
_READ = 1 << 20
_THREADS = 8
_AT_ONCE = 2 * _THREADS
_NOTED_SECONDS = 2.0
"""What is copied is noted this often: so much is copied anew after a kill."""


class _Version(msgspec.Struct, frozen=True):
    """The version of an object that a file is of."""

    etag: str
    size: int


class _Manifest(msgspec.Struct):
    """What a folder has: file below it → version; and of which bucket."""

    form: int
    bucket: str
    files: dict[str, _Version] = {}


class ExportFolder:
    """A folder that `adweir export` fills, from one bucket. Raises CommandFailed for a folder of another one."""

    def __init__(self, path: Path, bucket: str) -> None:
        self.path = path
        self._noted = path / MANIFEST
        self._manifest = self._read(bucket)
        self._lock = threading.Lock()
        self._noted_at = 0.0

    def take(self, objects: Mapping[str, ObjectInfo], open_object: Callable[[str], BinaryIO]) -> tuple[int, int]:
        """Copy of these objects (file below the folder → object) what it does not have: how many, and their bytes.

        Raises CommandFailed where there is no room for them, NotFound, Unavailable.
        """
        wanted = {name: each for name, each in objects.items() if not self._has(name, each)}
        size = sum(each.size for each in wanted.values())
        self.path.mkdir(parents=True, exist_ok=True)
        if size > shutil.disk_usage(self.path).free:
            raise CommandFailed(
                f"{self.path} has no room for {size:,} bytes: take less with --from, --platform, --table"
            )
        try:
            with ThreadPoolExecutor(_THREADS) as pool:
                _run(pool, (partial(self._copy, name, each, open_object) for name, each in wanted.items()))
        finally:
            self._note()
        return len(wanted), size

    def gone(self, objects: Iterable[str], is_asked: Callable[[str], bool]) -> list[str]:
        """The files that are asked for and of which the bucket has no object any more."""
        return sorted(self._manifest.files.keys() - set(objects) - {n for n in self._manifest.files if not is_asked(n)})

    def remove(self, names: Iterable[str]) -> None:
        """Remove files that an export brought, and the folders that are empty then."""
        for name in names:
            path = self.path / name
            path.unlink(missing_ok=True)
            self._manifest.files.pop(name, None)
            for folder in path.parents:
                if folder == self.path or any(folder.iterdir()):
                    break
                folder.rmdir()
        self._note()

    def tables(self) -> set[str]:
        """The tables of which there are files."""
        return {name.partition("/")[0] for name in self._manifest.files}

    def _has(self, name: str, found: ObjectInfo) -> bool:
        path = self.path / name
        is_noted = self._manifest.files.get(name) == _Version(found.etag, found.size)
        return is_noted and path.is_file() and path.stat().st_size == found.size

    def _copy(self, name: str, found: ObjectInfo, open_object: Callable[[str], BinaryIO]) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + _PART)
        with open_object(found.key) as source, part.open("wb") as file:
            shutil.copyfileobj(source, file, _READ)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        with self._lock:
            self._manifest.files[name] = _Version(found.etag, found.size)
            if time.monotonic() - self._noted_at > _NOTED_SECONDS:
                self._note()

    def _note(self) -> None:
        replace_text(self._noted, msgspec.json.encode(self._manifest).decode())
        self._noted_at = time.monotonic()

    def _read(self, bucket: str) -> _Manifest:
        try:
            found = msgspec.json.decode(self._noted.read_bytes(), type=_Manifest)
        except FileNotFoundError:
            if self.path.is_dir() and any(self.path.iterdir()):
                raise CommandFailed(f"{self.path} has files of others: name an empty or a new folder") from None
            return _Manifest(_FORM, bucket)
        except msgspec.DecodeError as error:
            raise CommandFailed(f"{self._noted} cannot be read ({error}): remove the folder, or name another") from None
        if (found.form, found.bucket) != (_FORM, bucket):
            raise CommandFailed(f"{self.path} has an export of the bucket {found.bucket}: name another folder")
        return found


def _run(pool: ThreadPoolExecutor, jobs: Iterator[Callable[[], None]]) -> None:
    """Do all jobs, a few at a time. The first fault ends it, when those that run have ended."""
    running = {pool.submit(job) for job in islice(jobs, _AT_ONCE)}
    while running:
        done, left = wait(running, return_when=FIRST_COMPLETED)
        for each in done:
            each.result()
        running = left | {pool.submit(job) for job in islice(jobs, _AT_ONCE - len(left))}
