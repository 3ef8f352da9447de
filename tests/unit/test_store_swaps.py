"""What many workers replace: how often and after which waits one begins again."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from adweir.model.errors import Throttled
from adweir.store.swaps import Swaps


def test_what_nobody_was_quicker_at_is_done_without_a_wait() -> None:
    slept: list[float] = []

    assert Swaps(slept.append, random.Random(1)).until_done("k", lambda: "done") == "done"
    assert slept == []


def test_a_worker_begins_again_as_often_as_others_were_quicker() -> None:
    slept, answers = list[float](), [None, None, 0]

    assert Swaps(slept.append, random.Random(1)).until_done("k", lambda: answers.pop(0)) == 0
    assert len(slept) == 2


def test_six_tries_have_growing_waits_of_random_length_between_and_none_after() -> None:
    # given two workers
    waits = []
    for seed in (1, 2):
        slept, answers = list[float](), [None] * 6
        # when others are always quicker
        with pytest.raises(Throttled, match="folds/1 keeps changing"):
            Swaps(slept.append, random.Random(seed)).until_done("folds/1", answers.pop)
        waits.append(slept)
        # then each has waited before every try but the first
        assert (answers, len(slept)) == ([], 5)
        assert all(later > earlier / 3 for earlier, later in pairwise(slept))
        assert 0.7 < sum(slept) < 2.4
    # and not for the same times
    assert waits[0] != waits[1]
