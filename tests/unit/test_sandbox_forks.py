"""Workers that are forks: what a function sees there is what it sees in a worker of its own interpreter."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from sandbox import forks

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers start as MiniStack starts them")

CODE = """
import logging, os, signal, sys

IMPORTED = {"pynamodb.models", "pydantic.main"} <= set(sys.modules)

def handler(asked, _):
    if asked == "imported":
        return IMPORTED
    if asked == "die":
        os._exit(7)
    if asked == "hang":
        signal.pause()
    catchable = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
    return {
        "variables": dict(os.environ),
        "folder": os.getcwd(),
        "arguments": sys.argv,
        "path": sys.path,
        "main": sys.modules["__main__"].__dict__["__file__"],
        "pipes": [[each.encoding, each.errors, each.line_buffering] for each in (sys.stdin, sys.stdout, sys.stderr)],
        "open": sorted(os.listdir("/proc/self/fd")),
        "signals": {int(each): str(signal.getsignal(each)) for each in catchable},
        "blocked": [int(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
        "group": os.getpgrp(),
        "limit": os.nice(0),
        "loggers": [str(each) for each in logging.root.handlers],
        "own": sorted(name for name in sys.modules if name.split(".")[0] in {"adweir", "sandbox", "ministack"}),
    }
"""
ARN = "arn:aws:lambda:us-east-1:000000000000:function:adweir-poll-reports"


@pytest.fixture(scope="module")
def forking() -> Iterator[forks.Forks]:
    found = forks.Forks()
    yield found
    found._socket.close()
    assert found._process.wait(5) == 0


@pytest.fixture
def workers() -> Iterator[Callable[..., Any]]:
    """Makes workers of MiniStack, with variables of their function; at the end they are gone."""
    from ministack.core import lambda_runtime

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        package.writestr("app.py", CODE)
    made: list[Any] = []
    processes: list[Any] = []

    class Watched(lambda_runtime.Worker):  # type: ignore[misc]
        def _spawn(self) -> None:
            super()._spawn()
            processes.append(self._proc)

    def make(seconds: int = 30, **variables: str) -> Any:
        config = {
            "FunctionName": "adweir-poll-reports",
            "FunctionArn": ARN,
            "Handler": "app.handler",
            "Runtime": "python3.13",
            "Timeout": seconds,
            "Environment": {"Variables": {"OF_THE_FUNCTION": "1", "AWS_LAMBDA_LOG_STREAM_NAME": "x", **variables}},
        }
        made.append(Watched("adweir-poll-reports", config, packed.getvalue()))
        return made[-1]

    yield make
    lambda_runtime.kill_workers(made)
    for process in processes:
        for pipe in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


@pytest.fixture
def forked(forking: forks.Forks, monkeypatch: pytest.MonkeyPatch) -> None:
    from ministack.core import lambda_runtime

    monkeypatch.setattr(forks, "Forks", lambda: forking)
    monkeypatch.setattr(lambda_runtime, "subprocess", subprocess)
    forks.mend(lambda_runtime)


def seen(worker: Any) -> str:
    """What the function sees, with `TMP` for the folder that each worker has for itself."""
    answer = worker.invoke("look", "request")
    assert answer["status"] == "ok", answer
    own = {"AWS_LAMBDA_LOG_STREAM_NAME", "_X_AMZN_TRACE_ID"}
    found = answer["result"]
    found["variables"] = {name: value for name, value in found["variables"].items() if name not in own}
    return json.dumps(found, indent=1, sort_keys=True).replace(worker._tmpdir, "TMP")


def test_a_fork_sees_what_a_worker_of_its_own_interpreter_sees(
    workers: Callable[..., Any], request: pytest.FixtureRequest
) -> None:
    plain = workers()
    expected = seen(plain)
    assert isinstance(plain._proc, subprocess.Popen)
    assert not plain.invoke("imported", "request")["result"]

    request.getfixturevalue("forked")
    fork = workers()

    assert seen(fork) == expected
    assert isinstance(fork._proc, forks.ForkedWorker)
    assert fork.invoke("imported", "request")["result"]
    assert psutil.Process(fork._proc.pid).name() == "adweir-poll-rep"


@pytest.mark.usefixtures("forked")
def test_a_fork_that_hangs_or_dies_is_replaced(workers: Callable[..., Any]) -> None:
    worker = workers(seconds=1)
    worker.invoke("imported", "request")
    first = worker._proc
    assert first.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        first.wait(0.01)

    assert "timed out" in worker.invoke("hang", "request")["error"]
    assert first.wait(5) is not None
    assert not psutil.pid_exists(first.pid)
    first.kill()  # nothing is there any more

    assert worker.invoke("die", "request")["error"] == "Worker process died"
    assert worker.invoke("imported", "request")["result"]


@pytest.mark.usefixtures("forked")
def test_what_an_interpreter_reads_when_it_starts_has_its_own_interpreter(workers: Callable[..., Any]) -> None:
    worker = workers(PYTHONUTF8="1", PYTHONWARNINGS="ignore")

    assert not worker.invoke("imported", "request")["result"]
    assert isinstance(worker._proc, subprocess.Popen)


def test_workers_start_when_what_forks_them_has_ended(
    workers: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ministack.core import lambda_runtime

    ended = forks.Forks()
    ended._process.kill()
    ended._process.wait(5)
    monkeypatch.setattr(forks, "Forks", lambda: ended)
    monkeypatch.setattr(lambda_runtime, "subprocess", subprocess)
    forks.mend(lambda_runtime)
    worker = workers()

    assert worker.invoke("imported", "request")["status"] == "ok"
    assert isinstance(worker._proc, subprocess.Popen)
    ended._socket.close()
