"""Schemas of Cerberus mean here what its documentation says (docs.python-cerberus.org, 1.3), but for a list of cases.

The verdicts were taken from Cerberus 1.3.8 itself with `allow_unknown`; it is not installed here.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from adweir.model.errors import Unprocessable
from adweir.quality import schema

DAY, MOMENT = date(2026, 11, 1), datetime(2026, 11, 1, 12)  # noqa: DTZ001  as Cerberus compares them
NAN = float("nan")

SAME: list[tuple[dict[str, Any], list[Any], list[Any]]] = [
    # rules, values that are valid, values that are not
    ({"type": "string"}, ["", "a", "5"], [5, None, ["a"], DAY]),
    ({"type": "integer"}, [5, 0, -5], [5.5, 5.0, "5", None]),
    ({"type": "float"}, [5.5, 5, -1], ["5.5", None]),
    ({"type": "number"}, [5, 5.5], [True, False, "5", None]),
    ({"type": "boolean"}, [True, False], [0, 1, "true", None]),
    ({"type": "date"}, [DAY], [5, None, "soon"]),
    ({"type": "datetime"}, [MOMENT], [DAY, 5, None, "soon"]),
    ({"type": "list"}, [[], [1]], ["ab", {}, 5]),
    ({"type": "dict"}, [{}, {"a": 1}], [[], "ab", 5]),
    ({"nullable": True}, [None, 1], []),
    ({"type": "string", "nullable": True}, [None, "a"], [1]),
    ({"required": True, "nullable": False}, [0, ""], [None]),
    ({"type": "string", "empty": False}, ["a"], [""]),
    ({"type": "list", "empty": False}, [[0]], [[]]),
    ({"allowed": ["a", "b", 3]}, ["a", "b", 3], ["c", 4, "ab"]),
    ({"type": "list", "allowed": ["a", "b"]}, [["a"], ["a", "b"], []], [["a", "c"]]),
    ({"forbidden": ["a", 3]}, ["b", 4], ["a", 3]),
    ({"type": "list", "forbidden": ["a"]}, [["b"], []], [["a", "b"]]),
    ({"type": "integer", "min": 10}, [10, 11], [9]),
    ({"type": "integer", "max": 10}, [10, 9], [11]),
    ({"type": "float", "min": 0.1, "max": 0.9}, [0.1, 0.5, 0.9], [0.0, 1.0]),
    ({"type": "date", "min": DAY, "max": DAY}, [DAY], [date(2026, 10, 31), date(2026, 11, 2)]),
    ({"type": "string", "minlength": 2}, ["ab", "abc"], ["a", ""]),
    ({"type": "string", "maxlength": 2}, ["ab", ""], ["abc"]),
    ({"type": "list", "minlength": 1, "maxlength": 2}, [[1], [1, 2]], [[], [1, 2, 3]]),
    ({"type": "string", "regex": "[a-z]+"}, ["abc"], ["abc1", "1abc", "ABC"]),
]
DIFFERENT: list[tuple[dict[str, Any], Any, bool]] = [
    # rules, a value, whether it is valid here; Cerberus says the opposite
    ({"type": "date"}, "2026-11-01", True),
    ({"type": "datetime"}, "2026-11-01T12:00:00Z", True),
    ({"type": "float"}, Decimal("5.5"), True),
    ({"type": "integer"}, Decimal(5), True),
    ({"type": "integer"}, True, False),
    ({"type": "float"}, True, False),
    ({"type": "float"}, NAN, False),
    ({"type": "float", "min": 0, "max": 1}, NAN, False),
    ({"type": "float"}, float("inf"), False),
    ({"type": "string"}, None, True),
    ({"allowed": [1]}, True, False),
]


def valid(rules: dict[str, Any], value: Any) -> bool:
    return bool(schema.validate([{"field": value}], {"field": rules}, datetime.now(UTC))["valid"])


@pytest.mark.parametrize(("rules", "good", "bad"), SAME)
def test_a_rule_means_what_cerberus_says(rules: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    strict = {"nullable": False} | rules  # there null is a value, here it is one where the schema says so

    assert [value for value in good if not valid(strict, value)] == []
    assert [value for value in bad if valid(strict, value)] == []


@pytest.mark.parametrize(("rules", "value", "here"), DIFFERENT)
def test_a_rule_differs_where_rows_of_ads_need_it(rules: dict[str, Any], value: Any, here: bool) -> None:
    assert valid(rules, value) is here


def test_a_missing_field_is_a_fault_where_it_is_required() -> None:
    assert not schema.validate([{}], {"field": {"required": True}}, datetime.now(UTC))["valid"]
    assert schema.validate([{}], {"field": {"type": "string"}}, datetime.now(UTC))["valid"]


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(Unprocessable):
        schema.compile({"field": {"no_such_rule": 1}})
