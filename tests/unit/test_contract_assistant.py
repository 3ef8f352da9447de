"""The runner of `make contract-mcp` sees each answer that is not the platforms', and each sign of a wrong protocol."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contract.assistant import TOOLS, VERSIONS, wrong
from contract.questions import Question, Truth, questions

LAST = date(2026, 11, 20)


def rows(profile: str, level: str) -> list[dict[str, Any]]:
    """Two entities a day, of which the second has twice as much."""
    return [
        {
            "entity_id": f"{profile}{level}{part}", "campaign_id": f"c{part}", "ad_id": f"a{part}",
            "date": (LAST - timedelta(days=ago)).isoformat(), "impressions": 100 * part, "clicks": 10 * part + ago,
            "conversions_micros": 2_500_000 * part, "spend_micros": 1_230_000 * part, "revenue_micros": 4_000_000,
        }
        for ago in range(14)
        for part in (1, 2)
    ]  # fmt: skip


def test_given_a_truth_then_thirty_questions_have_an_answer_each() -> None:
    asked = questions(Truth("m", "a", LAST - timedelta(days=13), LAST, rows))

    assert len(asked) == len({each.text for each in asked}) == 30
    assert {each.tool for each in asked} == {*TOOLS}
    assert all(each.expected is not None and each.expected != {} for each in asked)
    by_text = {each.text: each.expected for each in asked}
    assert by_text["spend of Meta in all?"] == Decimal("51.66")
    assert by_text["Which campaign of Meta spent the most?"] == "c2"


ASKED = [Question("Two?", "query", {}, lambda answer: answer["totals"][0]["spend"], 2)]
SEEN: dict[str, Any] = {
    mode: {
        "version": version,
        "tools": dict.fromkeys(TOOLS, True),
        "refused": True,
        "unknown_tool": -32602,
        "bad_cursor": -32602,
        "structured": [True],
        "answers": [[json.dumps({"totals": [{"spend": 2}]})]],
    }
    for mode, version in VERSIONS.items()
}


def test_given_the_platforms_answers_then_nothing_is_wrong() -> None:
    assert list(wrong(SEEN, ASKED)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda seen: seen["auto"].update(answers=[['{"totals": [{"spend": 3}]}']]), "auto: Two? 3, not 2"),
        (lambda seen: seen["auto"].update(answers=[['{"totals": []}']]), "auto: Two? IndexError in"),
        (lambda seen: seen["auto"].update(answers=[]), "0 answers"),
        (lambda seen: seen["legacy"].update(version="2026-07-28"), "legacy: version is 2026-07-28"),
        (lambda seen: seen["auto"]["tools"].update(query=False), "auto: tools is"),
        (lambda seen: seen["auto"].update(structured=[False]), "auto: an answer has no value"),
        (lambda seen: seen["auto"].update(unknown_tool=0), "auto: unknown_tool is 0"),
    ],
)
def test_given_anything_else_then_it_is_named(change: Callable[[dict[str, Any]], object], said: str) -> None:
    seen = copy.deepcopy(SEEN)
    change(seen)

    (found,) = wrong(seen, ASKED)

    assert found.startswith(said)
