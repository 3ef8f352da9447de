"""Ctrl-C leaves nothing running."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from sandbox import processes
from sandbox.home import Home
from support.river import PATIENCE, alive, command_environment, until, works_for
from support.template import ROOT


def test_given_adweir_up_when_ctrl_c_comes_while_it_deploys_then_no_process_is_left(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    child = command(home, "up")
    until(lambda: len(processes.load(home.running)) == 2 or child.poll() is not None, "both servers", pause=0.02)
    assert child.poll() is None
    os.killpg(child.pid, signal.SIGINT)
    said, _ = child.communicate(timeout=PATIENCE)
    assert child.returncode == 130, said
    assert not alive(home.path)


def test_given_adweir_demo_when_ctrl_c_comes_while_workers_pull_then_no_process_is_left(tmp_path: Path) -> None:
    child = command(Home(tmp_path / "home"), "demo")
    until(lambda: pulls(child) or child.poll() is not None, "workers that pull", pause=0.1)
    assert child.poll() is None
    os.killpg(child.pid, signal.SIGINT)
    said, _ = child.communicate(timeout=PATIENCE)
    assert child.returncode == 130, said
    assert not alive(tmp_path)


def command(home: Home, name: str) -> subprocess.Popen[str]:
    """The command line in a process group of its own, as a terminal gives it one."""
    line = [sys.executable, "-m", "ops.cli", "--home", str(home.path), name]
    return subprocess.Popen(  # noqa: S603  our own command
        line, cwd=ROOT, env=command_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True,
    )  # fmt: skip


def pulls(command: subprocess.Popen[str]) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return any(works_for(each, "collect") for each in psutil.Process(command.pid).children(recursive=True))
    return False
