"""Least privilege: what the stories saw the functions do is what the template grants to them.

The sandbox of the stories holds functions to their roles (`adweir up --audit`) and writes down each kind of call. A
grant that no story used has to be in UNSEEN, with the reason why it is there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.grants import Unseen, called, denied, granted
from support.river import River

STORIES = Path(__file__).parent
UNSEEN: tuple[Unseen, ...] = ()


@pytest.fixture
def whole(request: pytest.FixtureRequest) -> None:
    """All stories are told in this session; of some of them alone nothing follows."""
    told = {item.path.name for item in request.session.items}
    if not {path.name for path in STORIES.glob("test_e2e_*.py")} <= told:
        pytest.skip("not all stories are told")


def test_given_all_stories_then_no_function_asked_for_what_its_role_does_not_allow(sandbox: River) -> None:
    calls = called(sandbox.home.path / "logs/calls.jsonl")

    assert denied(calls) == []
    assert {call.grant for call in calls} <= granted()


def test_given_all_stories_then_what_is_granted_was_used_or_has_a_reason(sandbox: River, whole: None) -> None:
    used = {call.grant for call in called(sandbox.home.path / "logs/calls.jsonl")}

    unused = sorted(grant for grant in granted() - used if not any(row.covers(grant) for row in UNSEEN))
    assert unused == []


def test_every_reason_is_about_something_that_is_granted() -> None:
    stale = [row for row in UNSEEN if not any(row.covers(grant) for grant in granted())]
    assert stale == []
