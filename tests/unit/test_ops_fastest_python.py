"""Which Python makes the environments."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ops import fastest_python
from ops.fastest_python import Timed, builds, fastest, timed

OWN = Timed(1.0, "/own/python3.11")


def executable(file: Path, text: str = "") -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


def test_given_a_clearly_faster_build_then_it_is_chosen() -> None:
    fast, faster = Timed(0.8, "/fast"), Timed(0.6, "/faster")
    assert fastest(OWN, [fast, faster]) is faster


@pytest.mark.parametrize("seconds", [0.9, 1.0, 1.5])
def test_given_builds_that_are_hardly_faster_then_the_own_one_stays(seconds: float) -> None:
    assert fastest(OWN, [Timed(seconds, "/other")]) is OWN


def test_given_no_other_build_then_the_own_one_stays() -> None:
    assert fastest(OWN, []) is OWN


def test_this_python_is_timed_and_says_where_it_is() -> None:
    found = timed(sys.executable)
    assert found is not None
    assert found.seconds > 0
    assert Path(found.path).samefile(sys.executable)


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 1\n", "#!/no/such/interpreter\n"])
def test_given_a_python_that_cannot_make_environments_then_it_is_left_out(tmp_path: Path, script: str) -> None:
    assert timed(str(executable(tmp_path / "python3.11", script))) is None


def test_only_executables_of_the_same_version_are_looked_at_and_each_once(tmp_path: Path) -> None:
    mine = executable(tmp_path / "a" / "python3.11")
    executable(tmp_path / "a" / "python3.12")
    (tmp_path / "linked").symlink_to(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "python3.11").write_text("not executable")
    folders = [str(tmp_path / name) for name in ("a", "linked", "b", "absent")]
    assert builds("3.11", folders) == [str(mine)]


def test_given_a_faster_build_on_the_path_then_its_path_is_printed_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    other = str(executable(tmp_path / f"python{version}"))
    found = {sys.executable: Timed(0.3, sys.executable), other: Timed(0.2, other)}
    monkeypatch.setattr(fastest_python, "timed", found.get)
    monkeypatch.setenv("PATH", os.pathsep.join(["/no/such/folder", str(tmp_path)]))
    fastest_python.main()
    said = capsys.readouterr()
    assert said.out == f"{other}\n"
    assert said.err == (
        f"{other} is 1.5 times as fast as python3 ({sys.executable}) and is used; PYTHON=python3 uses python3.\n"
    )


def test_given_another_name_of_python3_that_seems_faster_then_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    shim = str(executable(tmp_path / f"python{version}"))
    found = {sys.executable: Timed(0.3, sys.executable), shim: Timed(0.2, sys.executable)}
    monkeypatch.setattr(fastest_python, "timed", found.get)
    monkeypatch.setenv("PATH", str(tmp_path))
    fastest_python.main()
    said = capsys.readouterr()
    assert (said.out, said.err) == (f"{sys.executable}\n", "")


def test_given_a_python_without_venv_then_it_is_printed_for_make_to_fail_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fastest_python, "timed", lambda _: None)
    fastest_python.main()
    assert capsys.readouterr().out == f"{sys.executable}\n"
