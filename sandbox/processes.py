"""Start and stop the sandbox's own processes, each in a process group of its own and recorded with its start time.

A recorded pid counts only when the process that has it now started at the recorded moment: the system may have given
the pid to another process, which must not be touched.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from sandbox.files import replace_text
from sandbox.interrupts import heed_interrupt

STOP_SECONDS = 20.0
_ZOMBIE_CHECK_SECONDS = 0.1
_children: dict[int, subprocess.Popen[bytes]] = {}
"""This process's own children, to reap them. Other processes have only the record on disk."""


class SandboxError(Exception):
    """The sandbox cannot do what was asked; the message is for the person at the terminal."""


_UNBLOCKED = (
    "import os, signal, sys;"
    "signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM});"
    "os.execv(sys.argv[1], sys.argv[1:])"
)
"""A child inherits the blocked signals; this unblocks them before it becomes the command."""


@dataclass(frozen=True)
class Running:
    """A process that we started."""

    name: str
    pid: int
    started: float

    def alive(self) -> bool:
        """Whether it is still this process, and neither a zombie nor another process under the same pid."""
        try:
            process = psutil.Process(self.pid)
            return process.create_time() == self.started and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def arguments_of(process: Running) -> list[str]:
    """What a process was started with; [] when it is gone."""
    try:
        return psutil.Process(process.pid).cmdline()
    except psutil.NoSuchProcess:
        return []


def start(name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path, directory: Path) -> Running:
    """Start a command in a process group of its own, so that Ctrl-C at the terminal is ours to handle."""
    log.parent.mkdir(parents=True, exist_ok=True)
    # A Ctrl-C between the fork and the record would leave an unrecorded process behind: it waits for the record.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        with log.open("ab") as out:
            child = subprocess.Popen(  # noqa: S603  our own interpreter and modules
                [sys.executable, "-c", _UNBLOCKED, *command],
                env=dict(environment),
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _children[child.pid] = child
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return Running(name, child.pid, psutil.Process(child.pid).create_time())


def stop_children() -> None:
    """Stop every process that this one started and has not stopped."""
    for pid in reversed(list(_children)):
        with contextlib.suppress(psutil.NoSuchProcess):
            stop(Running("child", pid, psutil.Process(pid).create_time()))


def stop(running: Running, seconds: float = STOP_SECONDS) -> bool:
    """Ask the process to end; after `seconds`, kill it. What it started is asked then, and has a second. True when it
    was alive.
    """
    if not running.alive():
        _reap(running)
        return False
    process = psutil.Process(running.pid)
    children = process.children(recursive=True)
    leads = os.getsid(running.pid) == running.pid
    os.kill(running.pid, signal.SIGTERM)
    _kill(_wait([process], seconds))
    # Only now is nothing started any more: what was, since we looked, is still in the session that it led.
    left = [*children, *(_session(running.pid) if leads else ())]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _kill(_wait(left, 1.0))
    _reap(running)
    return True


def _kill(family: Sequence[psutil.Process]) -> None:
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    _wait(family, 5.0)


def _session(leader: int) -> list[psutil.Process]:
    """The processes of a session but its leader."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if process.pid not in (0, leader) and os.getsid(process.pid) == leader:
                found.append(process)
    return found


def _wait(family: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until these have ended; returns those that have not.

    A zombie has ended, though psutil waits for it: its parent, or the machine's first process, may never reap it.
    """
    deadline = time.monotonic() + seconds
    while (left := [process for process in family if _runs(process)]) and time.monotonic() < deadline:
        psutil.wait_procs(left, timeout=_ZOMBIE_CHECK_SECONDS)
    return left


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _reap(running: Running) -> None:
    child = _children.pop(running.pid, None)
    if child is not None:
        child.wait(timeout=5.0)


def wait_until(ready: Callable[[], bool], running: Running, log: Path, seconds: float = 30.0) -> None:
    """Wait until `ready()`; raises SandboxError with the end of the log when the process dies or takes too long.

    Whatever ends the wait early, Ctrl-C included, stops the process: it is not recorded yet.
    """
    deadline = time.monotonic() + seconds
    try:
        while running.alive() and time.monotonic() < deadline:
            heed_interrupt()
            if ready():
                return
            time.sleep(0.05)
    except BaseException:
        stop(running)
        raise
    stop(running)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise SandboxError(f"{running.name} did not start; the end of {log}:\n{tail}")


def choose_port(remembered: int | None) -> int:
    """The remembered port if it is free, else another free one."""
    for wanted in (remembered or 0, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SandboxError("no free port on 127.0.0.1")


def save(path: Path, processes: Sequence[Running]) -> None:
    """Record what runs."""
    replace_text(path, json.dumps([asdict(process) for process in processes], indent=2) + "\n")


def load(path: Path) -> list[Running]:
    """What was recorded; empty without a record."""
    if not path.exists():
        return []
    return [Running(**entry) for entry in json.loads(path.read_text())]
