"""How `pytest -n` shares the tests out: one process tells the stories of one sandbox, the others give way to it.

The second begins with the stories that start sandboxes of their own, then it runs what is left with the others.
"""

from __future__ import annotations

import os
import sys
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from _pytest.assertion import rewrite
from xdist.scheduler import LoadScopeScheduling

STORIES, APART = "stories", "stories apart"
_APART = ("tests/e2e/test_e2e_0_docs.py", "tests/e2e/test_e2e_4_ctrl_c.py")
"""Stories that start sandboxes of their own."""
_TOGETHER = ("tests/contract/", "tests/template/", "tests/unit/test_house.py", "tests/unit/test_sandbox_")
"""Where the tests of a file share a world behind a server, the expanded template, or every file's syntax tree."""
_SHARED = 'scope="module"'
"""What else says so: two processes would make such a fixture twice, a whole sandbox among them."""
_ROOT = Path(__file__).parents[2]
_NICE = 10


def scope_of(test: str) -> str:
    """What goes to one process together, by a test's id."""
    if test.startswith("tests/e2e/"):
        return APART if test.startswith(_APART) else STORIES
    file = test.partition("::")[0]
    return file if test.startswith(_TOGETHER) or _shares(file) else test


@cache
def _shares(file: str) -> bool:
    path = _ROOT / file
    return path.is_file() and _SHARED in path.read_text()


class _Numbered(list[str]):
    """The tests of a process, which know their places: xdist looks one up for each test, in a list of all of them."""

    def __init__(self, tests: Sequence[str]) -> None:
        super().__init__(tests)
        self._places = {test: place for place, test in enumerate(tests)}

    def index(self, test: str, *_: Any) -> int:
        """Its place."""
        return self._places[test]


class StoriesFirst(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types here
    """The first two processes begin with the stories, which take longest. Any other test goes to whichever is free, but
    those that share something that takes long to make: a whole file of them goes to one process.

    xdist's own `--dist loadgroup` writes the group into a test's id, which pytest 9.2 does not let it. After each test
    xdist counts through everything that the process was ever given: what is done is forgotten here.
    """

    workqueue: OrderedDict[str, dict[str, bool]]
    registered_collections: dict[Any, list[str]]

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        super().add_node_collection(node, collection)
        self.registered_collections = {each: _Numbered(tests) for each, tests in self.registered_collections.items()}

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        for first in (APART, STORIES):
            if first in self.workqueue:
                self.workqueue.move_to_end(first, last=False)
        super()._assign_work_unit(node)

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        super().mark_test_complete(node, item_index, duration)
        given, scope = self.assigned_work[node], scope_of(self.registered_collections[node][item_index])
        if all(given[scope].values()):
            del given[scope]


def rewrite_share(config: pytest.Config, files: Sequence[Path]) -> None:
    """In a process of `-n`: have pytest rewrite the assertions of every so many-th of these files, unless somebody did.

    All processes import all files of tests. The first time, each would rewrite all of them: eight seconds for each.
    """
    about, state = config.workerinput, config.stash[rewrite.assertstate_key]  # type: ignore[attr-defined]
    number = int(about["workerid"].removeprefix("gw"))
    for file in () if sys.dont_write_bytecode else files[number :: about["workercount"]]:
        folder = rewrite.get_cache_dir(file)
        kept = folder / f"{file.stem}{rewrite.PYC_TAIL}"
        if not kept.exists() and rewrite.try_makedirs(folder):
            source, code = rewrite._rewrite_test(file, config)
            rewrite._write_pyc(state, code, source, kept)


class GivesWay:
    """A plugin of a process that does not begin with the stories: it computes when the stories and their sandbox wait.

    There are more processes than processors, and stories have deadlines.
    """

    def __init__(self) -> None:
        self._has_begun = False

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Before its first test."""
        if not self._has_begun and scope_of(nodeid) != STORIES:
            os.nice(_NICE)
        self._has_begun = True


class SaysLess:
    """A plugin of a process of `-n`: of a test that passes it sends what `call` said, and not that it began, was set up
    and torn down. Nobody reads that, and packing, sending and unpacking it takes longer than most tests.
    """

    def __init__(self, config: pytest.Config) -> None:
        sender: Any = next(each for each in config.pluginmanager.get_plugins() if hasattr(each, "sendevent"))
        send = sender.sendevent

        def sendevent(name: str, **about: Any) -> None:
            if name != "logstart" and about.get("data") is not _UNREAD:
                send(name, **about)

        sender.sendevent = sendevent

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_to_serializable(self, report: Any) -> dict[str, Any] | None:
        """`_UNREAD` for what is not sent; None for what pytest packs itself."""
        is_read = report.when in {"call", "collect"} or not report.passed
        return None if is_read else _UNREAD


_UNREAD: dict[str, Any] = {}
