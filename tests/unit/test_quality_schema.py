"""The validation schema language."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.platforms import REGISTRY
from adweir.quality import schema
from adweir.runtime.http import to_json

AD = {
    "ad_id": {"type": "string", "required": True, "empty": False},
    "headline": {"type": "string", "required": True, "max_length": 20},
    "platform": {"type": "string", "required": True, "allowed": ["facebook", "google"]},
    "impressions": {"type": "integer", "required": True, "min": 0},
    "ctr": {"type": "float", "min": 0, "max": 1},
    "start_date": {"type": "date", "required": True},
}
GOOD = {
    "ad_id": "1",
    "headline": "Shoes",
    "platform": "meta_ads",
    "impressions": Decimal(3),
    "ctr": Decimal("0.5"),
    "start_date": "2026-11-01",
}


NAIVE = datetime.fromisoformat("2026-10-01T00:00:00")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def check(rows: list[Any], rules: Any, parse_platform: Any = None) -> dict[str, Any]:
    return schema.validate(rows, rules, NOW, parse_platform)


def test_a_good_record_is_valid_and_unknown_fields_are_left_alone() -> None:
    answer = check([GOOD | {"extra": 1, "start_date": date(2026, 11, 1)}], AD, REGISTRY.parse)
    assert answer["valid"]
    assert answer["errors"] == answer["warnings"] == []


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("ad_id", "", "empty"),
        ("headline", "x" * 21, "max_length"),
        ("platform", "tiktok", "allowed"),
        ("impressions", True, "type"),
        ("impressions", -1, "min"),
        ("impressions", None, "nullable"),
        ("ctr", float("nan"), "type"),
        ("ctr", float("inf"), "type"),
        ("ctr", 1.5, "max"),
        ("start_date", "01.11.2026", "type"),
    ],
)
def test_each_rule_names_row_field_and_rule(field: str, value: Any, rule: str) -> None:
    answer = check([GOOD, GOOD | {field: value}], AD, REGISTRY.parse)
    assert not answer["valid"]
    assert [(e["row"], e["field"], e["rule"]) for e in answer["errors"]] == [(1, field, rule)]


def test_a_record_that_is_not_an_object_lacks_every_required_field() -> None:
    assert {e["field"] for e in check([7], AD, REGISTRY.parse)["errors"]} == set(AD) - {"ctr"}


def test_warn_and_mostly_make_warnings() -> None:
    rule = {"clicks": {"type": "integer", "mostly": 0.5}, "name": {"type": "string", "severity": "warn"}}
    answer = check([{"clicks": 1, "name": 1}, {"clicks": "x", "name": "a"}], rule)
    assert answer["valid"]
    assert len(answer["warnings"]) == 2


@pytest.mark.parametrize(
    "bad",
    [
        [],
        {"a": 1},
        {"a": {"maximum": 1}},
        {"a": {"type": "money"}},
        {"a": {"type": []}},
        {"a": {"required": "yes"}},
        {"a": {"min": "x"}},
        {"a": {"type": "date", "min": "tomorrow"}},
        {"a": {"regex": "("}},
        {"a": {"regex": r"(a)\1"}},
        {"a": {"regex": "a(?=b)"}},
        {"a": {"regex": "((.{99}){99}){99}"}},
        {"a": {"regex": "\udc00"}},
        {"x" * 201: {"required": True}},
        {"a": {"max_length": -1}},
        {"a": {"mostly": 0}},
        {"a": {"severity": "fatal"}},
        {"a": {"allowed": "abc"}},
        {"a": {"forbidden": "abc"}},
        {"a": {"type": "datetime", "max": "noon"}},
        {"a": {"type": "string", "min": 1}},
        {"a": {"type": "integer", "max_length": 1}},
        {"a": {"type": "integer", "regex": "1"}},
        {"a": {"regex": "x" * 201}},
        {"a": {"min_length": True}},
        {"": {"required": True}},
        {str(number): {"required": True} for number in range(limits.MAX_SCHEMA_FIELDS + 1)},
    ],
)
def test_a_wrong_schema_is_unprocessable_with_details(bad: Any) -> None:
    with pytest.raises(Unprocessable) as caught:
        schema.compile(bad)
    assert caught.value.details


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ({"type": "datetime", "min": "2026-11-01T00:00:00Z"}, "2026-11-01T01:00:00+01:00", "2026-10-31T23:59:59Z"),
        ({"type": "datetime", "max": "2026-11-01T00:00:00"}, NAIVE, "2026-10-01T00:00:00Z"),
        ({"min": NAIVE}, NAIVE + timedelta(days=1), "yesterday"),
        ({"type": "date", "max": "2026-11-30"}, date(2026, 11, 30), NAIVE),
        ({"min": "2026-11-01"}, "2026-11-01", "2026-13-01"),
        ({"type": "date"}, "2026-11-02", "2026-W45-1"),
        ({"type": "datetime"}, "2026-11-02T00:00", "2026-W45-1T00:00"),
        ({"type": "list", "allowed": ["a", "b"], "max_length": 2}, ["a"], ["a", "c"]),
        ({"type": "list", "min_length": 1}, [1], []),
        ({"forbidden": ["x", 1]}, True, 1),
        ({"forbidden": ["x"]}, ["y"], ["y", "x"]),
        ({"type": "string", "regex": "[a-z]+"}, "abc", "abc1"),
        ({"regex": "a.*"}, "ab", "a" * 2_001),
        ({"type": "integer"}, Decimal(3), Decimal("3.5")),
        ({"type": "boolean"}, False, 0),
        ({"type": "dict", "min_length": 1}, {"a": 1}, {}),
        ({"type": "number", "max": 2}, Decimal(2), Decimal("NaN")),
        ({"max_length": 1}, "a", 7),
    ],
)
def test_each_rule_accepts_good_values_and_reports_bad_ones(rule: dict[str, Any], good: Any, bad: Any) -> None:
    checked = schema.compile({"a": rule})
    assert checked.validate([{"a": good}], NOW)["valid"]
    assert not checked.validate([{"a": bad}], NOW)["valid"]


def test_a_platform_goes_by_any_of_its_names() -> None:
    rule = {"platform": {"allowed": ["facebook"]}}
    assert check([{"platform": "meta"}], rule, REGISTRY.parse)["valid"]
    assert not check([{"platform": "meta"}], rule)["valid"]
    assert check([{"platform": "facebook"}], rule)["valid"]
    assert not check([{"platform": "myspace"}], rule, REGISTRY.parse)["valid"]
    assert not check([{"platform": 7}], rule, REGISTRY.parse)["valid"]


@pytest.mark.parametrize(
    ("value", "shown"), [(float("inf"), "inf"), (1.5, 1.5), (10**30, 10**30), ("x" * 300, "x" * 200), ([1], "[1]")]
)
def test_an_issue_carries_a_value_that_json_can_hold(value: Any, shown: Any) -> None:
    (issue,) = check([{"a": value}], {"a": {"type": "boolean"}})["errors"]
    assert issue["value"] == shown


def test_of_very_many_issues_the_first_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_SCHEMA_ISSUES", 2)
    answer = schema.compile({"a": {"type": "integer"}}).validate([{"a": "x"}] * 5, NOW)
    assert (answer["valid"], len(answer["errors"]), answer["rows"]) == (False, 2, 5)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
RULES = st.sampled_from([*sorted(schema._KNOWN), "minlength", "other"])


@given(
    st.dictionaries(st.text(max_size=4), st.dictionaries(RULES, JSON, max_size=3) | JSON, max_size=3),
    st.lists(JSON, max_size=3),
)
def test_any_schema_is_either_refused_or_usable(rules: Any, records: list[Any]) -> None:
    try:
        compiled = schema.compile(rules)
    except Unprocessable:
        return
    answer = compiled.validate(records, NOW)
    assert answer["valid"] == (not answer["errors"])


@given(st.dictionaries(st.sampled_from(sorted(AD)), JSON))
def test_no_record_breaks_the_checker(record: dict[str, Any]) -> None:
    check([record], AD, REGISTRY.parse)


@pytest.mark.parametrize("pattern", ["((a+))+", "a*a*a*a*a*a*b", "(a+)+$", "(a|a)*b", "(?:a?){300}a{300}"])
def test_no_pattern_takes_longer_than_its_text(pattern: str) -> None:
    checked = schema.compile({"a": {"regex": pattern}})
    begin = time.process_time()

    checked.validate([{"a": "a" * 1999 + "!"}] * 20, NOW)

    assert time.process_time() - begin < 2


def test_a_text_with_half_a_surrogate_pair_matches_nothing() -> None:
    assert not check([{"a": "\udc00"}], {"a": {"regex": ".*"}})["valid"]


@pytest.mark.parametrize(
    "rule",
    [{"type": "number"}, {"min": int("9" * 400)}, {"min": 1.5}, {"max": Decimal("1E+999999")}, {"allowed": [10**5000]}],
    ids=["type", "min-400-digits", "min", "max-exponent", "allowed-5000-digits"],
)
@pytest.mark.parametrize(
    "value",
    [5, int("9" * 400), 10**5000, Decimal("1E+999999"), 1.5],
    ids=["5", "400-digits", "5000-digits", "exponent", "1.5"],
)
def test_numbers_beyond_a_float_are_checked_and_shown(rule: dict[str, Any], value: Any) -> None:
    answer = check([{"a": value}, {"a": "x"}], {"a": rule})
    assert answer["rows"] == 2
    assert to_json(answer)


def test_issues_have_one_budget_for_all_fields() -> None:
    """Given 500 fields that 5,000 records lack, the first rows and a row of each field are listed, and all counted."""
    names = [f"field-{number}" for number in range(limits.MAX_SCHEMA_FIELDS)]
    rules = {name: {"required": True, "severity": "warn" if name == names[0] else "error"} for name in names}
    records: list[Any] = [dict.fromkeys(names[:-1], 1)] * 100 + [{}] * 100

    answer = check(records, rules)

    assert len(answer["errors"]) + len(answer["warnings"]) <= limits.MAX_SCHEMA_ISSUES
    assert {issue["field"] for issue in answer["errors"]} == set(names[1:])
    assert answer["errors_found"] == 100 * (len(names) - 1) + 100
    assert not answer["valid"]


def test_an_answer_is_invalid_though_warnings_fill_its_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_SCHEMA_ISSUES", 3)
    answer = check([{}] * 9, {"a": {"required": True, "severity": "warn"}, "b": {"required": True}})
    assert (answer["valid"], answer["errors_found"], len(answer["errors"])) == (False, 9, 1)


@pytest.mark.parametrize("item", [7, "x", [], {"a": [1]}, None])
def test_lists_that_are_as_long_as_a_body_allows_are_compared_in_time(item: Any) -> None:
    # given as many forbidden values as a body can hold, and a list of as many that are none of them
    rules = {"a": {"forbidden": [item] * 100_000}}
    # when they are compared, then that takes a moment: one by one it would be ten thousand million comparisons
    assert check([{"a": ["another"] * 100_000}], rules)["valid"]
    assert not check([{"a": [*["another"] * 100_000, item]}], rules)["valid"]


@pytest.mark.parametrize(
    ("listed", "same", "other"),
    [
        (1, Decimal("1.0"), True),
        ({"a": 1, "b": [2]}, {"b": [Decimal(2)], "a": 1}, {"a": 1}),
        (0, 0, False),
    ],
)
def test_values_are_compared_by_what_they_are(listed: Any, same: Any, other: Any) -> None:
    rules = {"a": {"allowed": [listed]}}
    assert check([{"a": [same]}], rules)["valid"]
    assert not check([{"a": [other]}], rules)["valid"]


@pytest.mark.parametrize("odd", [Decimal("sNaN"), {1}, [Decimal("sNaN")]])
def test_a_value_that_compares_with_nothing_is_no_rule_and_is_not_listed(odd: Any) -> None:
    assert not check([{"a": odd}], {"a": {"allowed": [1]}})["valid"]
    assert check([{"a": odd}], {"a": {"forbidden": [1]}})["valid"]
    with pytest.raises(Unprocessable):
        check([], {"a": {"allowed": [odd]}})


def test_a_value_that_is_nested_too_deep_is_no_rule_and_is_not_listed() -> None:
    deep: list[Any] = []
    for _ in range(3000):
        deep = [deep]
    assert not check([{"a": [deep]}], {"a": {"allowed": [1]}})["valid"]
    with pytest.raises(Unprocessable):
        check([], {"a": {"allowed": [deep]}})


def test_values_that_are_not_there_count_for_completeness_and_wrong_ones_for_validity() -> None:
    """Given a required field that one of four rows lacks and one has wrong, then its type does not stand for both."""
    rules: dict[str, Any] = {"spend": {"type": "number", "required": True}, "note": {"type": "string"}}
    rows = [{"spend": 1}, {"spend": "x"}, {"spend": None}, {"spend": 2}]

    found = schema.validate(rows, rules, NOW)["scores"]

    assert (found["completeness"], found["validity"]) == (3 / 4, (2 + 4) / (3 + 4))
    told = schema.validate(rows, {"spend": rules["spend"] | {"dimension": "accuracy"}}, NOW)["scores"]
    assert (told["completeness"], told["validity"], told["accuracy"]) == (None, None, 0.5)
    assert schema.validate([{}], {"spend": rules["spend"]}, NOW)["scores"]["validity"] is None
