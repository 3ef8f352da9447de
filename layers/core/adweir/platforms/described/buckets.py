"""A described feed in a bucket of S3: objects below a prefix, read only.

A request's path is a key below the spec's prefix or, with a slash at its end, a prefix of its own. What is not there
yet is waited for; days whose objects never came are not applicable.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Protocol

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.errors import NotApplicable, NotReady, RequestRejected, TooMuchData
from adweir.model.tasks import Task
from adweir.model.times import local_date
from adweir.platforms.connector import Connector, Mode, Page, Wiring
from adweir.platforms.described import paging, templates
from adweir.platforms.described.calls import MAX_FILE_BYTES, opened
from adweir.platforms.described.connector import described_of, values_of
from adweir.platforms.described.language import Described, Spec
from adweir.platforms.described.objects import named_accounts

LATE_DAYS = 3
"""An object that has not come so many days after its day is not waited for any more."""
_AGAIN_SECONDS = 900


class FeedObjects(Protocol):
    """Objects of the buckets that a deployment lets specs read (`store.raw.feeds`)."""

    def keys(self, bucket: str, prefix: str, most: int) -> list[str]:
        """The keys that begin so, in order, at most so many."""
        ...

    def read(self, bucket: str, key: str, most: int) -> Iterator[bytes]:
        """An object of at most so many bytes, piece by piece."""
        ...


class BucketConnector(Connector):
    """Implements `platforms.connector.Connector`; the route is the spec's name."""

    def __init__(self, name: str, spec: Spec, wiring: Wiring) -> None:
        self.route = name
        self._spec = spec
        self._clock = wiring.clock
        if wiring.feeds is None:
            raise RequestRejected("buckets are read by a deployment only")
        self._feeds: FeedObjects = wiring.feeds

    def profiles(self) -> Iterator[Page]:
        """The accounts that the spec names."""
        yield named_accounts(self._spec)

    def mode(self, task: Task) -> Mode:
        """Raises NotApplicable for a dataset that the spec does not describe."""
        if task.dataset is not Dataset.PROFILES:
            described_of(self._spec, self.route, task)
        return Mode.PAGES

    def pages(self, task: Task, resume: str = "") -> Iterator[Page]:
        """Each object as a page; `resume` is the key of the last one that was kept."""
        described = described_of(self._spec, self.route, task)
        found = self._keys(described, task)
        # A key that is gone, or of another prefix because the spec was replaced, is no place to go on at.
        keys = found[found.index(resume) + 1 :] if resume in found else found
        if not keys:
            yield Page(b"", "", 200, last=True, label=paging.NOTHING)
        for number, key in enumerate(keys, 1):
            chunks = opened(self._feeds.read(self._spec.bucket, key, MAX_FILE_BYTES), described.form.packed)
            page = paging.file_page(described, chunks, f"s3://{self._spec.bucket}/{key}")
            last = number == len(keys)
            yield page._replace(last=last, resume="" if last else key)

    def _keys(self, described: Described, task: Task) -> list[str]:
        path = described.request.path if described.request else ""
        key = f"{self._spec.prefix}{templates.fill(path, values_of(task), task.timezone)}".lstrip("/")
        if key.endswith("/"):
            found = self._below(key)
        else:  # of all keys that begin so, the key itself is the first
            found = [each for each in self._feeds.keys(self._spec.bucket, key, 1) if each == key]
        if not found:
            raise self._missing(task, key)
        return found

    def _below(self, prefix: str) -> list[str]:
        """The files of a prefix. Raises TooMuchData for more keys than are listed, among which files could be."""
        most = limits.MAX_FEED_OBJECTS
        keys = self._feeds.keys(self._spec.bucket, prefix, most + 1)
        if len(keys) > most:
            raise TooMuchData(f"more than {most} objects are below {prefix}")
        return [each for each in keys if not _is_hidden(each.removeprefix(prefix))]

    def _missing(self, task: Task, key: str) -> NotReady | NotApplicable:
        oldest = local_date(self._clock.now(), task.timezone) - timedelta(days=LATE_DAYS)
        if task.window is not None and task.window.end < oldest:
            return NotApplicable(f"nothing has come to s3://{self._spec.bucket}/{key}")
        return NotReady(f"nothing is at s3://{self._spec.bucket}/{key} yet", after=_AGAIN_SECONDS)


def _is_hidden(name: str) -> bool:
    """Whether a key is none of a job's files: a folder's marker, `_SUCCESS`, what lies in `_temporary/`.

    Athena and Spark leave out the same names: files that are still being written would count twice.
    """
    return name[-1:] in {"", "/"} or any(part.startswith(("_", ".")) for part in name.split("/"))
