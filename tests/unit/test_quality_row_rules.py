"""The rules about several fields of a row, as a schema names them, and the scan that passes what keeps all rules."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adweir.model import limits
from adweir.model.errors import TooLarge, Unprocessable
from adweir.model.metrics import METRICS
from adweir.model.times import latest_date
from adweir.platforms import REGISTRY
from adweir.quality import row_rules, schema
from adweir.quality.checking import CheckedRows
from adweir.quality.rules import WARNINGS
from support.bounds import at_the_bound, refuses

NOW = datetime(2026, 11, 20, 9, 59, tzinfo=UTC)
ACCOUNT = {"platform": "meta_ads", "account_id": "1"}


def broken(rows: list[Any], *rules: Any) -> list[tuple[int, str, str]]:
    """Row, field and severity of each issue."""
    answer = schema.validate(rows, {"rules": list(rules)}, NOW)
    found = [("error", issue) for issue in answer["errors"]] + [("warn", issue) for issue in answer["warnings"]]
    return sorted((issue["row"], issue["rule"], severity) for severity, issue in found)


@pytest.mark.parametrize(
    ("rule", "severity", "bad", "good"),
    [
        (
            "clicks_over_impressions",
            "warn",
            [{"clicks": 6, "impressions": 5}, {"clicks": 0.5, "impressions": Decimal(0)}],
            [{"clicks": 5, "impressions": 5}, {"clicks": 5}, {"clicks": True, "impressions": 0}],
        ),
        (
            "conversions_over_clicks",
            "warn",
            [{"conversions": Decimal("1.5"), "clicks": 1}],
            [{"conversions": Decimal("0.5"), "clicks": 1}, {"conversions": "2", "clicks": 1}],
        ),
        (
            "spend_without_impressions",
            "warn",
            [{"spend": Decimal("0.01"), "impressions": 0}, {"spend": 7.5, "impressions": 0}],
            [{"spend": 0, "impressions": 0}, {"spend": 9, "impressions": 1}, {"spend": 9, "impressions": None}],
        ),
        (
            "end_before_start",
            "error",
            [{"start_date": "2026-11-02", "end_date": "2026-11-01"}],
            [
                {"start_date": "2026-11-02", "end_date": date(2026, 11, 2)},
                {"start_date": "2026-11-02", "end_date": None},
                {"start_date": "later", "end_date": "2026-11-01"},
            ],
        ),
        (
            "ctr_differs",
            "error",
            [{"ctr": 0.5, "clicks": 49, "impressions": 100}, {"ctr": Decimal(3), "clicks": 3, "impressions": 100}],
            [
                {"ctr": 0.032, "clicks": 3, "impressions": 100},
                {"ctr": 0.5, "clicks": 0, "impressions": 0},
                {"ctr": 0.045, "clicks": 5, "impressions": 100},
                {"ctr": Decimal("0.06"), "clicks": Decimal(55), "impressions": 1000},
            ],
        ),
        (
            "future_day",
            "error",
            [{"date": "2026-11-21"}, {"date": date(2026, 11, 20), "timezone": "Pacific/Honolulu"}],
            [{"date": "2026-11-20"}, {"date": date(2026, 11, 19), "timezone": "Pacific/Honolulu"}, {"date": "soon"}],
        ),
        (
            "currency",
            "error",
            [ACCOUNT | {"currency": "EUR"}],
            [ACCOUNT | {"currency": "USD"}, {"account_id": "2", "currency": "EUR"}, {"currency": "EUR"}, ACCOUNT],
        ),
        (
            "timezone",
            "error",
            [ACCOUNT | {"timezone": "Asia/Tokyo"}],
            [ACCOUNT | {"timezone": "UTC"}, {"profile_id": 2, "timezone": "Asia/Tokyo"}, ACCOUNT | {"timezone": 5}],
        ),
    ],
)
def test_a_rule_is_broken_by_what_contradicts_it_and_by_nothing_else(
    rule: str, severity: str, bad: list[Any], good: list[Any]
) -> None:
    first = [ACCOUNT | {"currency": "USD", "timezone": "UTC"}]

    assert broken(first + good, rule) == []
    assert broken(first + bad, rule) == [(row, rule, severity) for row in range(1, len(bad) + 1)]


def test_every_rule_of_the_list_is_about_what_it_needs() -> None:
    for name, listed in row_rules.KNOWN_RULES.items():
        assert name == listed.rule.name
        assert listed.rule.field in listed.needs


def test_severity_tolerance_and_mostly_of_a_rule_are_the_schemas() -> None:
    rows = [{"clicks": 105, "impressions": 100, "ctr": 1.05}, {"clicks": 200, "impressions": 100, "ctr": 2.5}]

    assert broken(rows, {"rule": "clicks_over_impressions", "severity": "error", "tolerance": 0.05}) == [
        (1, "clicks_over_impressions", "error")
    ]
    assert broken(rows, {"rule": "ctr_differs", "tolerance": 0.5}) == []
    assert broken(rows, {"rule": "ctr_differs", "mostly": 0.5}) == [(1, "ctr_differs", "warn")]


@pytest.mark.parametrize(
    "rules",
    [
        ["no_such_rule"],
        [7],
        [{"rule": ["currency"]}],
        [{"rule": "currency", "because": 1}],
        [{"rule": "currency", "tolerance": 0.1}],
        [{"rule": "ctr_differs", "tolerance": 2}],
        [{"rule": "ctr_differs", "tolerance": True}],
        [{"rule": "ctr_differs", "severity": "loud"}],
        ["currency", {"rule": "currency"}],
    ],
)
def test_a_rule_that_is_not_on_the_list_is_unprocessable(rules: list[Any]) -> None:
    with pytest.raises(Unprocessable) as caught:
        schema.compile({"rules": rules})
    assert caught.value.details[0]["field"] == "rules"


def test_a_field_may_be_called_rules() -> None:
    assert not schema.validate([{}], {"rules": {"required": True}}, NOW)["valid"]


@given(st.lists(st.none() | st.integers(0, 3), min_size=5, max_size=5))
def test_loaded_numbers_and_rows_of_any_origin_break_the_same_rules(numbers: list[int | None]) -> None:
    """Given counts, and amounts in whole units, which loaded rows have in millionths."""
    slot: Any = tuple(
        number if name in {"impressions", "clicks"} or number is None else number * 10**6
        for name, number in zip(METRICS, numbers, strict=True)
    )
    names = [warning.rule.name for warning in WARNINGS]

    loaded = {warning.rule.name for warning in WARNINGS if warning.breaks(slot)}
    anywhere = {rule for _, rule, _ in broken([dict(zip(METRICS, numbers, strict=True))], *names)}

    assert loaded == anywhere


def test_the_day_is_latest_fourteen_hours_ahead_of_utc() -> None:
    assert latest_date(datetime(2026, 11, 20, 9, 59, tzinfo=UTC)) == date(2026, 11, 20)
    assert latest_date(datetime(2026, 11, 20, 10, tzinfo=UTC)) == date(2026, 11, 21)


@at_the_bound("MAX_COMPARED_ACCOUNTS", as_if=3)
def test_ad_accounts_that_are_compared(size: int, fits: bool) -> None:
    rows = [{"account_id": str(number), "currency": "USD"} for number in range(size)]

    with refuses(TooLarge, fits=fits):
        assert broken(rows * 2, "currency") == []


# --- the scan

VALUES = st.sampled_from([
    None, "", "a", "abc", "facebook", "meta", "2026-11-01", "2026-11-02", "2026-W45-1", "2026-13-01", "x" * 70,
    "\udc00",
    0, 1, -1, 3, 10**400, True, False, 0.0, -0.0, 0.5, 1.5, float("nan"), float("inf"), float("-inf"),
    Decimal(1), Decimal("0.5"), Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+999999"),
    date(2026, 11, 1), datetime(2026, 11, 1, tzinfo=UTC), "2026-11-01T00:00:00Z", [], [1], {}, {"a": 1},
])  # fmt: skip
BOUNDS = st.sampled_from([0, 1, 0.5, Decimal("0.5"), -1])
RULE_SETS = st.one_of(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "float", "number"])}, optional={"min": BOUNDS, "max": BOUNDS}
    ),
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={
            "min_length": st.integers(0, 3),
            "max_length": st.integers(0, 3),
            "empty": st.booleans(),
            "allowed": st.just(["facebook", "a", ""]),
            "forbidden": st.just(["a"]),
            "regex": st.just("[a-z]+"),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.just("date")}, optional={"min": st.just("2026-11-02"), "max": st.just("2026-11-01")}
    ),
    st.fixed_dictionaries({"type": st.sampled_from(["boolean", "list", "dict", "datetime"])}),
    st.fixed_dictionaries({}, optional={"allowed": st.just([1, "a"]), "min": BOUNDS}),
)  # fmt: skip
HOSTILE = [
    "platform",
    "a",
    "0); import os #",
    "'\"\\\n",
    "{name_0}",
    "look",
    "class",
    "ctr",
    "clicks",
    "impressions",
    "ü",
]


@st.composite
def fields(draw: st.DrawFn) -> dict[str, Any]:
    more = st.fixed_dictionaries({}, optional={"required": st.booleans(), "nullable": st.booleans()})
    names = draw(st.lists(st.sampled_from(HOSTILE), unique=True, min_size=1, max_size=5))
    return {name: draw(RULE_SETS) | draw(more) for name in names}


@example({"platform": {"type": "float", "min": Decimal("0.5")}}, [{"platform": float("nan")}], False)
@given(fields(), st.lists(st.dictionaries(st.sampled_from(HOSTILE), VALUES), max_size=4), st.booleans())
def test_the_scan_passes_only_what_the_checks_pass(rules: dict[str, Any], rows: list[Any], listed: bool) -> None:
    """Each row comes twice: what is known from the first time is passed the second time."""
    if listed:
        rules |= {"rules": [name for name in row_rules.KNOWN_RULES if name != "currency"]}
    compiled = schema.compile(rules, REGISTRY.parse)
    slow = CheckedRows(compiled, NOW)

    for row, record in enumerate(rows * 2):
        for place in range(len(compiled.fields) + len(compiled.compared)):
            slow._look(row, record, place)
    slow.rows = 2 * len(rows)

    assert repr(compiled.validate(rows * 2, NOW)) == repr(slow.answer())


IN_ORDER: list[tuple[dict[str, Any], list[Any]]] = [
    ({"type": "string"}, ["", "a"]),
    ({"type": "string", "min_length": 1, "max_length": 2}, ["a", "ab"]),
    ({"type": "string", "empty": False}, ["a"]),
    ({"type": "string", "max_length": 2}, ["", "ab"]),
    ({"type": "integer", "min": 0, "max": 9}, [0, 9]),
    ({"type": "integer", "min": 0}, [0]),
    ({"type": "number", "min": 0, "max": 1}, [0, 1, 0.5, Decimal("0.5"), Decimal(1)]),
    ({"type": "float"}, [0, -1.5, 10**300, Decimal("-1E+999")]),
    ({"type": "boolean"}, [True, False]),
    ({"type": "list"}, [[]]),
    ({"type": "dict"}, [{}]),
    ({}, [0, "", []]),
]


@pytest.mark.parametrize(("rules", "values"), IN_ORDER)
def test_what_is_in_order_is_passed_without_a_close_look(rules: dict[str, Any], values: list[Any]) -> None:
    optional = schema.compile({"a": rules})
    needed = schema.compile({"a": rules | {"required": True}})

    assert looks(optional, [*values, None]) == []
    assert looks(needed, values) == []


@pytest.mark.parametrize(
    "rules", [{"type": "date"}, {"type": "string", "regex": "2.*"}, {"type": "string", "allowed": ["2026-11-01"]}]
)
def test_a_text_or_a_date_is_looked_at_once(rules: dict[str, Any]) -> None:
    compiled = schema.compile({"a": rules})
    compiled.validate([{"a": "2026-11-01"}, {"a": "x" * 65}], NOW)

    assert looks(compiled, ["2026-11-01", "2026-11-01", "x" * 65]) == [2]


def test_rows_that_keep_the_rules_are_not_looked_at() -> None:
    compiled = schema.compile({"rules": ["clicks_over_impressions", "spend_without_impressions", "ctr_differs"]})
    row = {"clicks": 3, "impressions": 100, "spend": 1.5, "ctr": 0.032}
    seen: list[int] = []

    compiled.scan.rows([row, row | {"clicks": None}, {}], 0, lambda number, _record, _place: seen.append(number))

    assert seen == []


def looks(compiled: Any, values: list[Any]) -> list[int]:
    """The rows that the scan does not pass."""
    seen: list[int] = []
    compiled.scan.rows([{"a": value} for value in values], 0, lambda number, _record, _place: seen.append(number))
    return seen


def test_no_text_of_a_schema_is_part_of_what_is_written_for_it() -> None:
    named: dict[str, Any] = {name: {"type": "string", "allowed": [name], "regex": "secret_pattern"} for name in HOSTILE}

    source = schema.compile(named).scan.source

    assert all(name not in source for name in HOSTILE if name not in {"a", "class", "look"})
    assert "secret_pattern" not in source
    assert "def rows(records, row, look):" in source


def test_what_is_remembered_of_rows_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_KNOWN_CELLS", 2)
    compiled = schema.compile({"a": {"type": "date"}, "b": {"regex": ".*"}})

    answer = compiled.validate([{"a": f"2026-11-0{day}", "b": "x" * day} for day in range(1, 9)], NOW)

    assert answer["valid"]
    assert sum(map(len, compiled.scan.known)) == 2
