"""The folder of the doubles: wherever an interrupt comes, a call does all or nothing; a refused folder is let go."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from sandbox.aws import disk as module
from sandbox.aws.disk import Disk, FolderRefused
from sandbox.aws.refusals import Refused
from sandbox.aws.s3 import S3
from sandbox.aws.sqs import Sqs
from support.clock import FrozenClock

CLOCK = FrozenClock()
MOST_STEPS = 5000


@contextmanager
def interrupted_at(step: int) -> Iterator[None]:
    """Ctrl-C at an instruction of the folder's code: the so-manieth that is executed."""
    steps = count(1)

    def look(frame: FrameType, event: str, _about: object) -> Any:
        if frame.f_code.co_filename != module.__file__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and next(steps) == step:
            raise KeyboardInterrupt
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield
    finally:
        sys.settrace(before)


class Kept:
    """An object of a folder that is open."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._s3 = S3("data", CLOCK.now, disk.objects)

    def put(self, body: bytes, **more: str) -> None:
        with self._disk.call():
            self._s3.call("PutObject", {"Bucket": "data", "Key": "k", "Body": body, **more})

    def read(self) -> bytes:
        with self._disk.call():
            found = self._s3.call("GetObject", {"Bucket": "data", "Key": "k"})
        return bytes(found["Body"].read())


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_given_an_interrupt_at_any_step_of_a_call_then_the_object_is_the_old_or_the_new_one_and_the_folder_works(
    tmp_path: Path,
) -> None:
    with closing(Disk(tmp_path)) as disk:
        kept, seen, stored = Kept(disk), set[str](), b"0"
        kept.put(stored)
        for step in range(1, MOST_STEPS):
            new = str(step).encode()
            try:
                with interrupted_at(step):
                    kept.put(new)
            except KeyboardInterrupt:
                with pytest.raises(Refused, match="PreconditionFailed"):
                    kept.put(b"other", IfNoneMatch="*")  # the next call, which is undone
                found = kept.read()
                seen.add("new" if found == new else "old" if found == stored else "lost")
                stored = found
            else:
                break
        assert kept.read() == new
    assert seen == {"old", "new"}
    with closing(Disk(tmp_path)) as again:
        assert Kept(again).read() == new
    assert len(list((tmp_path / "objects").iterdir())) == 1, "what was left over is gone"


def no_database(folder: Path) -> None:
    (folder / "adweir.sqlite3").write_bytes(b"something else" * 100)


def of_another_version(folder: Path) -> None:
    Disk(folder).close()
    with closing(sqlite3.connect(folder / "adweir.sqlite3")) as database:
        database.execute("PRAGMA user_version = 9")


def without_room_for_objects(folder: Path) -> None:
    Disk(folder).close()
    (folder / "objects").rmdir()
    (folder / "objects").write_text("")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (no_database, "not a database"),
        (of_another_version, "another version of adweir"),
        (without_room_for_objects, "cannot be used: .*objects"),
    ],
)
def test_given_a_folder_that_cannot_be_opened_then_the_error_says_why_each_time_and_it_is_not_in_use(
    spoil: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    spoil(tmp_path)

    for _ in range(2):
        with pytest.raises(FolderRefused, match=said):
            Disk(tmp_path)


def test_given_messages_and_dead_letters_when_the_folder_is_opened_again_then_they_are_as_they_were(
    tmp_path: Path,
) -> None:
    now = lambda: CLOCK.now().timestamp()  # noqa: E731  the double's form of a clock
    with closing(Disk(tmp_path)) as disk:
        before = Sqs(("work",), now, shelf=disk.messages)
        sent: list[dict[str, Any]] = [{"MessageBody": "a"}, {"MessageBody": "b", "DelaySeconds": 9}]
        for about in (*sent, {"MessageBody": "c", "MessageGroupId": "g"}):
            before.call("SendMessage", {"QueueUrl": "work", **about})
        before.bury("work", before.queues["work"].messages[0])

    with closing(Disk(tmp_path)) as disk:
        assert Sqs(("work",), now, shelf=disk.messages).queues == before.queues
