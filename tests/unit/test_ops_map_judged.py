"""`adweir map` on headers that no mapping is built in for (support/mapping_headers.py): nearly all columns are right.

How it did on twelve of them before it had seen any is in docs/decisions.md. The last five were added after that: all
columns of those were right when they were first asked about.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ops.mapping.command import proposed
from ops.mapping.propose import Proposal
from support.mapping_headers import Answer, JudgedHeader, judged_headers, score

HEADERS = list(judged_headers())


@pytest.fixture(scope="module")
def proposals() -> Mapping[str, Proposal]:
    """What is proposed of each sample alone, as `adweir map FILE` does before it asks."""
    return {header.name: proposed(header.sample, "", "")[0] for header in HEADERS}


def _fields(proposal: Proposal) -> dict[str, Answer]:
    return {each.column: each.field or None for each in proposal.columns}


def test_nearly_all_columns_are_right(proposals: Mapping[str, Proposal]) -> None:
    """Also without those that are to be left out, which is easily right."""
    found = score({name: _fields(proposal) for name, proposal in proposals.items()})
    assert found.of_all >= 0.98, found
    assert found.of_stored >= 0.95, found


def test_every_data_type_is_right(proposals: Mapping[str, Proposal]) -> None:
    assert [header.name for header in HEADERS if proposals[header.name].data_type not in header.data_types] == []


def test_what_is_wrong_is_asked_about(proposals: Mapping[str, Proposal]) -> None:
    assert {header.name: _wrong_and_sure(header, proposals[header.name]) for header in HEADERS} == {
        header.name: set() for header in HEADERS
    }


def _wrong_and_sure(header: JudgedHeader, proposal: Proposal) -> set[str]:
    return header.wrong(_fields(proposal)).keys() - {each.column for each in proposal.unsure}
