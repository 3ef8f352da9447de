"""MiniStack's DynamoDB, which reads quicker: requests, pages, projections and its state are what they were before."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox import aws_reads

PATCHED = ("_paginate_evaluated_items", "_project_item", "json", "get_state")
VALUES: tuple[Any, ...] = (
    {"S": ""},
    {"S": "größer\n"},
    {"N": "5"},
    {"N": "-1.5e-7"},
    {"N": "99999999999999999999999999999999999999"},
    {"B": "AQID"},
    {"BOOL": True},
    {"NULL": True},
    {"SS": ["a", "ä"]},
    {"NS": ["1", "-2"]},
    {"BS": ["AQID"]},
    {"L": []},
    {"L": [{"N": "1"}, {"S": ""}, {"L": [{"N": "3"}]}, {"M": {}}]},
    {"M": {"ä": {"N": "1"}, "list": {"L": [{"M": {"deep": {"N": "1e9"}}}]}}},
)
INDEX = {"IndexName": "by_b", "KeySchema": [{"AttributeName": "b"}], "Projection": {"ProjectionType": "KEYS_ONLY"}}
TABLE = {"pk_name": "a", "sk_name": None, "GlobalSecondaryIndexes": [INDEX]}
NAMES = {"#a": "a", "#b.c": "b.c", "#x": "none", "#dotted": "b.c"}


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """MiniStack's DynamoDB, as it was before when the test is over."""
    from ministack.services import dynamodb

    with monkeypatch.context() as patch:
        for name in PATCHED:
            patch.setattr(dynamodb, name, getattr(dynamodb, name))
        yield dynamodb


def items(count: int, size: int) -> list[dict[str, Any]]:
    return [{"a": {"S": f"{place:04}"}, "b": {"N": "1"}, "c": {"S": "x" * size}} for place in range(count)]


@pytest.mark.parametrize("limit", [None, 1, 3, "3", 4, 1000])
@pytest.mark.parametrize("index", [None, "by_b"])
@pytest.mark.parametrize(
    "given", [items(0, 0), items(3, 10), items(4, 300_000), items(150, 6_900), items(150, 7_100), items(1, 2_000_000)]
)
def test_a_page_ends_where_it_ended(dynamodb: Any, given: list[Any], index: str | None, limit: Any) -> None:
    # given
    before = dynamodb._paginate_evaluated_items(given, limit, TABLE, index)

    # when
    aws_reads.mend(dynamodb)
    found = dynamodb._paginate_evaluated_items(given, limit, TABLE, index)

    # then
    assert found == before


@pytest.mark.parametrize("value", VALUES)
def test_of_no_value_dynamodb_counts_more_than_its_json_has(dynamodb: Any, value: Any) -> None:
    for item in ({"n": value}, {"ä": {"L": [value, value]}}, {"ä": {"M": {"k": value}}}):
        # when
        size = dynamodb._item_size_bytes(item)

        # then
        assert not aws_reads.Lengths().are_below([item], size)


def test_a_page_that_fits_is_not_measured(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    aws_reads.mend(dynamodb)
    monkeypatch.setattr(dynamodb, "_item_size_bytes", lambda _: pytest.fail("measured"))

    # when
    page, is_cut = dynamodb._paginate_evaluated_items(items(20, 100), 10, TABLE)

    # then
    assert (len(page), is_cut) == (10, True)


def test_an_item_in_the_place_of_another_is_measured_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    lengths, table = aws_reads.Lengths(), {"key": items(1, 10)[0]}
    monkeypatch.setattr(aws_reads, "_ITEMS", 3)
    assert lengths.are_below([table["key"]], 100)

    # when, then
    for size in range(200, 220):
        table["key"] = items(1, size)[0]
        assert not lengths.are_below([table["key"]], size)
    assert lengths.are_below([items(1, 1)[0] for _ in range(4)], 400)


@pytest.mark.parametrize(
    "expression",
    ["a", "#a, b", "#a,#x", "#dotted, a", "m.k", "l[0], a", "a, a", "#a, a", "name", "", None, "a, m.k, m.z"],
)
def test_a_projection_shows_and_refuses_the_same_the_first_and_the_second_time(dynamodb: Any, expression: Any) -> None:
    # given
    item = {"a": {"N": "1"}, "b": {"L": [{"N": "2"}]}, "b.c": {"S": "dotted"}, "m": {"M": {"k": {"S": "v"}}}}
    item |= {"l": {"L": [{"S": "first"}, {"S": "second"}]}}
    given = [(shown, names) for shown in (item, {"b": {"S": "other"}}, {}) for names in (NAMES, {"#a": "b"}, {}, None)]

    def outcomes() -> list[Any]:
        found: list[Any] = []
        for shown, names in given:
            try:
                found.append(dynamodb._project_item(copy.deepcopy(shown), expression, names))
            except ValueError as refused:
                found.append(str(refused))
        return found

    before = outcomes()

    # when
    aws_reads.mend(dynamodb)
    first, second = outcomes(), outcomes()

    # then
    assert first == second == before


@pytest.mark.parametrize(
    "text",
    [
        b'{"Item": {"a": {"S": "gr\xc3\xb6\xc3\x9fer"}}, "Limit": 1.0, "n": 36893488147419103232}',
        '{"a": [true, null, "\\ud83d\\ude00"]}',
        b'{"a": NaN, "b": -Infinity}',
        b'{"a": 1, "a": 2}',
        b'"\\ud800"',
        '{"a": "utf-16"}'.encode("utf-16"),
        b"{",
        b"",
        b"\xff",
        b'"\x01"',
        "[" * 100_000,
    ],
)
def test_a_request_is_read_as_before(dynamodb: Any, text: Any) -> None:
    def outcome() -> tuple[str, str]:
        try:
            return "read", repr(dynamodb.json.loads(text))
        except (ValueError, RecursionError) as refused:
            return type(refused).__name__, str(refused)

    # given
    before = outcome()

    # when
    aws_reads.mend(dynamodb)

    # then
    assert outcome() == before


def test_the_state_is_told_without_a_copy(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    from ministack.core import persistence
    from ministack.core.responses import AccountRegionScopedDict

    tables = AccountRegionScopedDict()
    tables.set_scoped("000000000000", "eu-west-1", "one", {"items": {"p": {"s": items(1, 5)[0]}}, "pk_name": "a"})
    monkeypatch.setattr(dynamodb, "_tables", tables)
    before = json.dumps(dynamodb.get_state(), default=persistence._json_default)

    # when
    aws_reads.mend(dynamodb)
    monkeypatch.setattr(copy, "deepcopy", lambda _: pytest.fail("copied"))
    state = dynamodb.get_state()

    # then
    assert json.dumps(state, default=persistence._json_default) == before
