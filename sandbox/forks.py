"""Workers of functions that begin with their packages imported. Run by aws_server.py, beside which it lies.

MiniStack starts an interpreter for each worker, and each imports the same packages: 0.2 s of CPU, fifty times in a
demonstration. Here one process imports the packages, and no code of a function, and a worker is a fork of it with the
variables, folder, arguments and pipes that the interpreter would have had.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

PACKAGES = (
    "aws_lambda_powertools",
    "botocore.httpsession",
    "botocore.session",
    "msgspec",
    "pydantic.fields",
    "pydantic.main",
    "pydantic.plugin._schema_validator",
    "pydantic.type_adapter",
    "pynamodb.models",
    "pynamodb.transactions",
    "re2",
    "requests",
    "zoneinfo",
)
"""What the functions import. MiniStack runs them with its own interpreter, whose packages these are."""
_AT_THE_START = ("PYTHON", "LD_", "PYNAMODB_", "BOTO_", "LC_", "LANG")
"""How variables begin that an interpreter or a package reads when it starts, and no more."""
_REQUEST_BYTES = 128 * 1024
_OBJECTS = (50_000, 20, 50)
"""As `gc.set_threshold` takes it, and as functions set it once they are loaded: what is loaded until then stays."""
NAME_CHARS = 15
"""What Linux keeps of the name of a process."""
_ENDED = -1
_start = subprocess.Popen


class ForkedWorker:
    """What MiniStack uses of a `Popen`, for a process that is no child of this one. How it ended is not known."""

    def __init__(self, pid: int, handle: int, pipes: Sequence[int]) -> None:
        """`handle`: a pidfd, which stands for the process when another has its pid. `pipes`: to its 0, from 1 and 2."""
        self.pid = pid
        self.stdin = os.fdopen(pipes[0], "w", buffering=1)
        self.stdout, self.stderr = (os.fdopen(pipe) for pipe in pipes[1:])
        self._handle = handle
        weakref.finalize(self, os.close, handle)

    def poll(self) -> int | None:
        """None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended, at most so many seconds. Raises subprocess.TimeoutExpired."""
        ended = self._ended(None if timeout is None else timeout * 1000)
        if ended is None:
            raise subprocess.TimeoutExpired(f"worker {self.pid}", timeout or 0)
        return ended

    def _ended(self, milliseconds: float | None) -> int | None:
        ends = select.poll()
        ends.register(self._handle, select.POLLIN)
        return _ENDED if ends.poll(milliseconds) else None

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)


class Forks:
    """Starts workers: forks of a process that it starts at once. It ends with this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            command = [sys.executable, "-P", __file__, str(other.fileno())]
            self._process = _start(command, stdin=subprocess.DEVNULL, pass_fds=[other.fileno()])

    def popen(self, command: Sequence[str], **how: Any) -> Any:
        """`subprocess.Popen` as MiniStack calls it; anything but one of its Python workers is started as before."""
        variables: Mapping[str, str] = how.get("env") or {}
        is_worker = len(command) == 2 and command[0] == sys.executable and command[1].endswith("_worker.py")
        if is_worker and _at_the_start(variables) == _at_the_start(os.environ):
            with suppress(OSError):  # it was ended: workers start as before
                return self._forked(command[1], variables, how["cwd"])
        return _start(command, **how)

    def _forked(self, script: str, variables: Mapping[str, str], folder: str) -> ForkedWorker:
        pipes = [os.pipe() for _ in range(3)]
        own, given = [pipes[0][1], pipes[1][0], pipes[2][0]], [pipes[0][0], pipes[1][1], pipes[2][1]]
        asked = json.dumps({"script": script, "variables": dict(variables), "folder": folder}).encode()
        try:
            with self._lock:
                socket.send_fds(self._socket, [asked], given)
                answer, handles, *_ = socket.recv_fds(self._socket, _REQUEST_BYTES, 1)
            if not handles:
                raise ConnectionResetError("the process that forks workers has ended")
        except OSError:
            for pipe in own:
                os.close(pipe)
            raise
        finally:
            for pipe in given:
                os.close(pipe)
        return ForkedWorker(int(answer), handles[0], own)


def _at_the_start(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name.startswith(_AT_THE_START)}


def mend(runtime: Any) -> None:
    """Have MiniStack's workers, which `runtime` (a module) starts, be forks. Only Linux has handles of processes."""
    if sys.platform == "linux":
        runtime.subprocess = SimpleNamespace(**vars(subprocess) | {"Popen": Forks().popen})


def serve(control: socket.socket) -> None:
    """Import the packages, then fork for each request until the other end is closed. Returns in a worker, too."""
    for name in PACKAGES:
        importlib.import_module(name)
    runpy.run_path(str(Path(__file__).with_name("quick_calls.py")))["mend"]()
    gc.collect()
    gc.freeze()  # a look of the garbage collector would copy what the workers share
    gc.set_threshold(*_OBJECTS)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the workers here: they leave no zombies
    while True:
        request, pipes, *_ = socket.recv_fds(control, _REQUEST_BYTES, 3)
        if not request:
            return
        pid = os.fork()
        if pid == 0:
            control.detach()
            _become(json.loads(request), pipes)
            return
        handle = os.pidfd_open(pid)  # it is there: it waits for its first line
        for pipe in pipes:
            os.close(pipe)
        socket.send_fds(control, [str(pid).encode()], [handle])
        os.close(handle)


def _become(worker: Mapping[str, Any], pipes: Sequence[int]) -> None:
    """Be what `python script` with these variables in this folder would be, and run it to its end."""
    for number, pipe in enumerate(pipes):
        os.dup2(pipe, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(worker["variables"])
    time.tzset()
    os.chdir(worker["folder"])
    # Its command line is that of this program: what it works for is its name.
    Path("/proc/self/comm").write_text(worker["variables"].get("AWS_LAMBDA_FUNCTION_NAME", "")[:NAME_CHARS])
    sys.path.insert(0, str(Path(worker["script"]).parent))
    sys.argv = [worker["script"]]
    runpy.run_path(worker["script"], run_name="__main__")


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
