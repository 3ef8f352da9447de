"""`adweir map` on headers that no mapping is built in for (support/mapping_headers.py): nine columns in ten are right.

How it did before it had seen any of them is in docs/decisions.md. The last five were added after that: all columns of
those were right when they were first asked about.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ops.mapping.command import proposed
from support.mapping_headers import Answer, judged_headers, score


@pytest.fixture(scope="module")
def proposals() -> Mapping[str, Mapping[str, Answer]]:
    """What is proposed of each sample alone, as `adweir map FILE` does before it asks."""
    found = {}
    for header in judged_headers():
        proposal, _ = proposed(header.sample, "", "")
        found[header.name] = {each.column: each.field or None for each in proposal.columns}
    return found


def test_nine_columns_in_ten_are_right(proposals: Mapping[str, Mapping[str, Answer]]) -> None:
    found = score(proposals)
    assert len(proposals) == len(list(judged_headers())) >= 10
    assert found.of_all >= 0.9, found


def test_nine_in_ten_of_what_has_to_become_a_field_are_found(proposals: Mapping[str, Mapping[str, Answer]]) -> None:
    """Without what is to be left out, which is easily right."""
    found = score(proposals)
    assert found.of_stored >= 0.9, found
