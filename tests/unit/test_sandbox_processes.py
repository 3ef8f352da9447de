"""Processes and packages of the sandbox."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import psutil
import pytest

from sandbox import lifecycle, processes
from sandbox.home import Home
from sandbox.package import package
from sandbox.processes import Running, SandboxError


def sleeper(folder: Path) -> Running:
    return processes.start(
        "sleeper",
        [sys.executable, "-c", "import time; time.sleep(60)"],
        environment={},
        log=folder / "log",
        directory=folder,
    )


def test_a_pid_that_now_belongs_to_somebody_else_is_never_touched() -> None:
    myself = psutil.Process()
    impostor = Running("ministack", myself.pid, myself.create_time() - 1)
    assert not impostor.alive()
    assert not processes.stop(impostor)
    assert myself.is_running()


def test_a_stopped_process_is_gone_with_its_children(tmp_path: Path) -> None:
    code = "import subprocess, sys, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"
    parent = processes.start(
        "parent",
        [sys.executable, "-c", code],
        environment={"PATH": os.defpath},
        log=tmp_path / "log",
        directory=tmp_path,
    )
    deadline = time.monotonic() + 10
    while not (children := psutil.Process(parent.pid).children()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert processes.stop(parent)
    assert not parent.alive()
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)


def test_what_a_stopped_process_leaves_is_asked_to_end_before_it_is_killed(tmp_path: Path) -> None:
    # given: a child that says that it was asked
    ready, asked = tmp_path / "ready", tmp_path / "asked"
    child = (
        "import pathlib, signal, sys, time\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path({str(asked)!r}).touch(), sys.exit()))\n"
        f"pathlib.Path({str(ready)!r}).touch()\n"
        "time.sleep(60)\n"
    )
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    parent = processes.start(
        "parent", [sys.executable, "-c", code], environment={}, log=tmp_path / "log", directory=tmp_path
    )
    processes.wait_until(ready.exists, parent, tmp_path / "log")

    assert processes.stop(parent)

    assert asked.exists()


@pytest.mark.parametrize("how", ["forget", "abandon"])
def test_a_sandbox_whose_state_nobody_needs_is_down_at_once(tmp_path: Path, how: str) -> None:
    # given: a process that takes its time when it is asked to end
    home, ready = Home(tmp_path / "home"), tmp_path / "ready"
    home.path.mkdir()
    code = f"import signal, time; signal.signal(15, lambda *_: None); open({str(ready)!r}, 'w'); time.sleep(60)"
    slow = processes.start(
        "slow", [sys.executable, "-c", code], environment={}, log=tmp_path / "log", directory=tmp_path
    )
    processes.save(home.running, [slow])
    processes.wait_until(ready.exists, slow, tmp_path / "log")
    began = time.monotonic()

    assert lifecycle.down(home, **{how: True}) == ["slow"]

    assert not slow.alive()
    assert time.monotonic() - began < processes.STOP_SECONDS / 2
    assert home.path.exists() == (how == "abandon")


def test_what_a_process_starts_while_it_is_stopped_is_stopped_too(tmp_path: Path) -> None:
    # given: a process that starts a last child when it is asked to end
    script, begun = tmp_path / "parent.py", tmp_path / "begun"
    script.write_text(
        "import pathlib, signal, subprocess, sys, time\n"
        "def last(*_):\n"
        "    child = subprocess.Popen(['sleep', '60'])\n"
        f"    pathlib.Path({str(begun)!r}).write_text(str(child.pid))\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, last)\n"
        f"pathlib.Path({str(begun)!r}).touch()\n"
        "time.sleep(60)\n"
    )
    parent = processes.start(
        "parent",
        [sys.executable, str(script)],
        environment={"PATH": os.defpath},
        log=tmp_path / "log",
        directory=tmp_path,
    )
    deadline = time.monotonic() + 10
    while not begun.exists() and time.monotonic() < deadline:
        time.sleep(0.02)

    # when
    assert processes.stop(parent)

    # then
    child = int(begun.read_text())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_stopping_does_not_wait_for_a_parent_that_never_reaps() -> None:
    # given: a process whose parent is another one than ours and sleeps
    code = "import subprocess, time; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); time.sleep(60)"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:  # noqa: S603  our own interpreter
        assert parent.stdout
        orphan = psutil.Process(int(parent.stdout.readline()))
        begin = time.monotonic()
        try:
            # when
            stopped = processes.stop(Running("orphan", orphan.pid, orphan.create_time()))

            # then
            assert stopped
            assert time.monotonic() - begin < 3
            assert orphan.status() == psutil.STATUS_ZOMBIE
        finally:
            parent.kill()


def test_what_runs_is_remembered(tmp_path: Path) -> None:
    running = sleeper(tmp_path)
    try:
        processes.save(tmp_path / "processes.json", [running])
        assert processes.load(tmp_path / "processes.json") == [running]
        assert running.alive()
    finally:
        processes.stop(running)


def test_a_reader_never_finds_half_a_record(tmp_path: Path) -> None:
    # given
    path, done = tmp_path / "processes.json", threading.Event()
    many = [Running(f"process {number}", number, 1.0) for number in range(500)]
    processes.save(path, many)

    def write() -> None:
        while not done.is_set():
            processes.save(path, many)

    # when
    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = {len(processes.load(path)) for _ in range(300)}
    finally:
        done.set()
        writer.join()

    # then
    assert seen == {500}
    assert path.stat().st_mode & 0o077 == 0


def test_a_process_that_dies_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    running = processes.start(
        "broken",
        [sys.executable, "-c", "raise SystemExit('no such disk')"],
        environment={},
        log=log,
        directory=tmp_path,
    )
    with pytest.raises(SandboxError, match="no such disk"):
        processes.wait_until(lambda: False, running, log)


def test_an_interrupt_while_waiting_stops_what_was_started(tmp_path: Path) -> None:
    running = sleeper(tmp_path)

    def interrupted() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        processes.wait_until(interrupted, running, tmp_path / "log")
    assert not running.alive()


def test_a_remembered_port_is_taken_again_when_free() -> None:
    port = processes.choose_port(None)
    assert processes.choose_port(port) == port


def test_the_same_sources_are_the_same_package_and_other_sources_another(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("a = 1\n")
    (tmp_path / "Makefile").write_text("not code\n")
    first, again = package(tmp_path), package(tmp_path)
    (tmp_path / "app.py").write_text("a = 2\n")
    other = package(tmp_path)
    assert first == again
    assert other.key != first.key
    names = zipfile.ZipFile(io.BytesIO(first.body)).namelist()
    assert names[0] == "app.py"
    assert names[1].startswith("__pycache__/app.cpython-")
    assert len(names) == 2


def test_a_layer_without_code_is_still_a_package(tmp_path: Path) -> None:
    assert zipfile.ZipFile(io.BytesIO(package(tmp_path, "python/").body)).namelist() == ["python/EMPTY"]
