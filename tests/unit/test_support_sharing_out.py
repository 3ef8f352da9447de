"""Which tests go to one process together."""

from __future__ import annotations

from collections import OrderedDict
from types import SimpleNamespace

import pytest

from support.sharing_out import STORIES, StoriesFirst, scope_of


@pytest.mark.parametrize(
    ("test", "scope"),
    [
        ("tests/e2e/test_e2e_4_ctrl_c.py::test_a", STORIES),
        ("tests/template/test_template_loops.py::test_a[x::y]", "tests/template/test_template_loops.py"),
        # its fixture of the module is a whole sandbox
        ("tests/integration/test_sandbox_lifecycle.py::test_a", "tests/integration/test_sandbox_lifecycle.py"),
        ("tests/unit/test_model_ids.py::test_a[x::y]", "tests/unit/test_model_ids.py::test_a[x::y]"),
    ],
)
def test_tests_that_share_what_takes_long_to_make_go_together(test: str, scope: str) -> None:
    assert scope_of(test) == scope


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
    config = SimpleNamespace(option=SimpleNamespace(loadscopereorder=True))
    process, sharing = Process(), StoriesFirst.__new__(StoriesFirst)
    sharing.__dict__.update(numnodes=1, collection=None, assigned_work={}, registered_collections={})
    sharing.__dict__.update(workqueue=OrderedDict(), log=lambda *_: None, config=config)

    sharing.add_node(process)
    sharing.add_node_collection(process, tests)
    sharing.schedule()
    for place in (2, 0):
        sharing.mark_test_complete(process, place)

    assert process.given == [2, 0, 1]
