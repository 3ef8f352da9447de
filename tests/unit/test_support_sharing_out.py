"""Which tests go to one process together."""

from __future__ import annotations

import sys
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from _pytest.assertion import rewrite

from support.sharing_out import APART, STORIES, SaysLess, StoriesFirst, rewrite_share, scope_of


@pytest.mark.parametrize(
    ("test", "scope"),
    [
        ("tests/e2e/test_e2e_3_doors.py::test_a", STORIES),
        ("tests/e2e/test_e2e_4_ctrl_c.py::test_a", APART),
        ("tests/template/test_template_loops.py::test_a[x::y]", "tests/template/test_template_loops.py"),
        # its fixture of the module is a whole sandbox
        ("tests/integration/test_sandbox_lifecycle.py::test_a", "tests/integration/test_sandbox_lifecycle.py"),
        ("tests/unit/test_model_ids.py::test_a[x::y]", "tests/unit/test_model_ids.py::test_a[x::y]"),
    ],
)
def test_tests_that_share_what_takes_long_to_make_go_together(test: str, scope: str) -> None:
    assert scope_of(test) == scope


def test_each_process_rewrites_a_share_of_the_files_which_pytest_finds(
    pytestconfig: pytest.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    files = [tmp_path / f"test_{number}.py" for number in range(5)]
    for file in files:
        file.write_text("def test_a():\n    assert 1 == 1\n")

    def share(worker: str) -> list[str]:
        about = {"workerid": worker, "workercount": 2}
        config: Any = SimpleNamespace(workerinput=about, stash=pytestconfig.stash, getini=pytestconfig.getini)
        before = set(tmp_path.rglob("*.pyc"))
        rewrite_share(config, files)
        return sorted(kept.name.partition(".")[0] for kept in {*tmp_path.rglob("*.pyc")} - before)

    assert [share("gw0"), share("gw1"), share("gw0")] == [["test_0", "test_2", "test_4"], ["test_1", "test_3"], []]
    for file in files:
        assert rewrite._read_pyc(file, rewrite.get_cache_dir(file) / f"{file.stem}{rewrite.PYC_TAIL}") is not None


class Process:
    """What xdist knows of a process; `given` are the places of its tests."""

    shutting_down = False

    def __init__(self) -> None:
        self.given: list[int] = []

    def send_runtest_some(self, places: list[int]) -> None:
        self.given += places

    def shutdown(self) -> None:
        self.shutting_down = True


def test_the_stories_are_given_first_and_each_test_once_by_its_place() -> None:
    tests = ["tests/unit/test_a.py::test_b", "tests/unit/test_a.py::test_a", "tests/e2e/test_c.py::test_d"]
    tests.append("tests/e2e/test_e2e_0_docs.py::test_e")
    config = SimpleNamespace(option=SimpleNamespace(loadscopereorder=True))
    process, sharing = Process(), StoriesFirst.__new__(StoriesFirst)
    sharing.__dict__.update(numnodes=1, collection=None, assigned_work={}, registered_collections={})
    sharing.__dict__.update(workqueue=OrderedDict(), log=lambda *_: None, config=config)

    sharing.add_node(process)
    sharing.add_node_collection(process, tests)
    sharing.schedule()
    for place in (2, 3, 0):
        sharing.mark_test_complete(process, place)

    assert process.given == [2, 3, 0, 1]


def test_what_a_test_said_and_what_failed_is_sent_and_nothing_else() -> None:
    sent: list[tuple[str, Any]] = []
    sender: Any = SimpleNamespace(sendevent=lambda name, **about: sent.append((name, about.get("data"))))
    config: Any = SimpleNamespace(pluginmanager=SimpleNamespace(get_plugins=lambda: [object(), sender]))
    less = SaysLess(config)

    sender.sendevent("logstart", nodeid="a")
    for when, passed in (("setup", True), ("call", True), ("teardown", True), ("setup", False), ("teardown", False)):
        packed = less.pytest_report_to_serializable(SimpleNamespace(when=when, passed=passed))
        sender.sendevent("testreport", data={when: passed} if packed is None else packed)
    sender.sendevent("logfinish", nodeid="a")

    reports = [("testreport", {"call": True}), ("testreport", {"setup": False}), ("testreport", {"teardown": False})]
    assert sent == [*reports, ("logfinish", None)]
