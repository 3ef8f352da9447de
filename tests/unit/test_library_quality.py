"""`adweir.quality.validate_and_clean`, `.clean_rows` and `.check_quality`."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import adweir
from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.model.statuses import status_named
from adweir.quality import repairs, schema
from adweir.quality.canonical import FIELDS, canonical_schema
from adweir.quality.repairs import Repairs
from support.ad_schema import AD

GOOD = {
    "ad_id": "1", "headline": "Shoes", "platform": "meta", "impressions": 100, "clicks": 4, "ctr": Decimal("0.04"),
    "spend": Decimal("1.5"), "conversions": 1, "start_date": "2026-11-01", "end_date": "2026-11-30",
}  # fmt: skip
ROW = {
    "platform": "meta_ads", "account_id": "1", "currency": "USD", "campaign_id": "c", "date": date(2026, 11, 1),
    "impressions": 100, "clicks": 4, "spend": Decimal(1), "conversions": Decimal(1), "revenue": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "before", "after", "rule"),
    [
        ("ad_id", " 1\u00a0", "1", "trim"),
        ("headline", "\ufeffShoes", "Shoes", "trim"),
        ("conversions", "--", None, "empty"),
        ("ctr", "n/a", None, "empty"),
        ("clicks", "4", 4, "number"),
        ("clicks", 4.0, 4, "number"),
        ("spend", "1,234.50", Decimal("1234.50"), "unit"),
        ("spend", "$1.50", Decimal("1.50"), "unit"),
        ("spend", "1.234,50 €", Decimal("1234.50"), "unit"),
        ("spend", "1e2", Decimal(100), "unit"),
        ("impressions", "1,250", 1250, "unit"),
        ("ctr", "4%", Decimal("0.04"), "percent"),
        ("ctr", "4.00 %", Decimal("0.0400"), "percent"),
        ("ctr", 4.0, 0.04, "percent"),
        ("ctr", Decimal("4.02"), Decimal("0.0402"), "percent"),
        ("spend", -0.0, 0.0, "negative_zero"),
        ("spend", Decimal("-0.00"), Decimal("0.00"), "negative_zero"),
    ],
)
def test_what_a_value_plainly_says_is_repaired_and_logged(field: str, before: Any, after: Any, rule: str) -> None:
    record = GOOD | {field: before}

    valid, cleaned, said = adweir.quality.validate_and_clean(record, AD)

    assert (valid or field == "impressions", cleaned) == (True, GOOD | {field: after})
    assert str(cleaned[field]) == str(after)
    changes = [one for one in said if one["severity"] == "repaired"]
    assert [(one["rule"], one["field"], one["after"]) for one in changes] == [(rule, field, after)]
    assert record[field] is before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("spend", "1,234"),
        ("impressions", "1,000"),
        ("spend", "12 apples"),
        ("spend", "<5"),
        ("clicks", "4.5"),
        ("clicks", 4.5),
        ("ctr", 30.0),
        ("ctr", True),
        ("spend", float("nan")),
        ("start_date", "01/02/2026"),
        ("headline", None),
        ("spend", "9" * 100),
    ],
)
def test_what_may_be_two_things_stays_as_it_came_and_is_an_error(field: str, value: Any) -> None:
    valid, cleaned, said = adweir.quality.validate_and_clean(GOOD | {field: value}, AD)

    assert not valid
    assert cleaned[field] is value
    assert {(one["severity"], one["field"]) for one in said} == {("error", field)}


def test_a_sign_of_another_currency_than_the_rows_own_is_no_number() -> None:
    rules = {"spend": {"type": "number"}, "currency": {"type": "string"}}

    assert adweir.quality.validate_and_clean({"spend": "€5", "currency": "EUR"}, rules)[0]
    assert not adweir.quality.validate_and_clean({"spend": "€5", "currency": "USD"}, rules)[0]


@pytest.mark.parametrize(
    ("ctr", "clicks", "impressions", "repaired"),
    [
        (2.4, 24, 1000, True),
        (2.42, 24, 1000, True),
        (2.44, 24, 1000, False),
        (100, 1, 1, True),
        (50.0, 1, 2, True),
        (0.003, 3, 100_000, True),
        (0.00003, 3, 100_000, False),
        (0.024, 24, 1000, False),
        (0, 0, 100, False),
        (0.004, 0, 100, False),
        (0.0001, 4, 100_000, False),
        (0.01, 10, 100_000, True),
        (1, 1, 0, False),
        (100, 1, -1, False),
        (10**400, 1, 1, False),
    ],
)
def test_a_share_is_in_per_cent_where_the_rows_own_counts_say_so(
    ctr: Any, clicks: int, impressions: int, repaired: bool
) -> None:
    rules = {name: {"type": "number"} for name in ("ctr", "clicks", "impressions")}
    row = {"ctr": ctr, "clicks": clicks, "impressions": impressions}

    _, cleaned, _ = adweir.quality.validate_and_clean(row, rules)

    assert float(cleaned["ctr"]) == pytest.approx(ctr / 100) if repaired else cleaned == row


def test_a_percentage_that_contradicts_its_row_is_not_divided_twice() -> None:
    """Given 5 % where the counts say 0.05 %, then nobody knows which of them is right."""
    rules = {name: {"type": "number"} for name in ("ctr", "clicks", "impressions")}
    row = {"ctr": "5%", "clicks": 5, "impressions": 10_000}

    assert adweir.quality.validate_and_clean(row, rules)[:2] == (False, row)


def test_a_conversion_rate_is_in_per_cent_of_the_clicks() -> None:
    rules = {name: {"type": "number"} for name in ("conversion_rate", "cvr", "conversions", "clicks")}
    row = {"conversion_rate": 5, "cvr": Decimal("5.0"), "conversions": Decimal("2.5"), "clicks": 50}

    _, cleaned, _ = adweir.quality.validate_and_clean(row, rules)

    assert cleaned == row | {"conversion_rate": Decimal("0.05"), "cvr": Decimal("0.05")}


@pytest.mark.parametrize(("text", "rule"), [("+5", "number"), ("-5", "number"), ("5.25", "number"), ("(5)", "unit")])
def test_a_sign_is_part_of_a_number(text: str, rule: str) -> None:
    _, cleaned, said = adweir.quality.validate_and_clean({"revenue": text}, {"revenue": {"type": "number"}})

    assert (cleaned["revenue"], [one["rule"] for one in said]) == (
        Decimal(text.strip("()")) * (-1 if "(" in text else 1),
        [rule],
    )


def test_an_impossible_combination_is_named_and_nothing_is_changed() -> None:
    record = GOOD | {"end_date": "2026-10-01", "clicks": 200, "ctr": 0.9}

    valid, cleaned, said = adweir.quality.validate_and_clean(record, AD)

    assert (valid, cleaned) == (False, record)
    assert {(one["rule"], one["severity"]) for one in said} == {
        ("end_before_start", "error"),
        ("ctr_differs", "error"),
        ("clicks_over_impressions", "warn"),
    }


def test_a_schema_that_names_its_rules_is_held_to_those_alone_also_when_it_is_changed_later() -> None:
    rules: dict[str, Any] = {**AD, "rules": []}
    record = GOOD | {"end_date": "2026-10-01"}
    assert adweir.quality.validate_and_clean(record, rules)[0]

    rules["rules"].append("end_before_start")

    assert not adweir.quality.validate_and_clean(record, rules)[0]


def test_what_is_no_record_is_refused() -> None:
    with pytest.raises(Unprocessable):
        adweir.quality.validate_and_clean([GOOD], AD)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("ENABLED", "active"),
        ("Paused", "paused"),
        ("CAMPAIGN_STATUS_DISABLE", "paused"),
        ("Under review", "pending"),
        ("not-approved", "rejected"),
        ("completed", "ended"),
        ("archived", "archived"),
        ("DELETED", "removed"),
        ("mysterious", None),
    ],
)
def test_a_status_goes_by_many_words(word: str, status: str | None) -> None:
    assert status_named(word) == status
    assert adweir.quality.validate_and_clean({"status": word}, {"status": FIELDS["status"]})[1] == {
        "status": status or word
    }


def test_a_status_that_the_schema_allows_is_left_alone() -> None:
    rules = {"status": {"type": "string", "allowed": ["ENABLED", "off"]}}
    assert adweir.quality.validate_and_clean({"status": "ENABLED"}, rules) == (True, {"status": "ENABLED"}, [])
    assert adweir.quality.validate_and_clean({"status": "DISABLED"}, rules)[1] == {"status": "DISABLED"}


# --- sets of rows


def test_rows_are_cleaned_together_and_come_back_once_each() -> None:
    rows: list[dict[str, Any]] = [
        ROW,
        ROW | {"campaign_id": " c "},
        ROW | {"clicks": 5},
        ROW | {"date": "2026-11-02", "spend": "1.234"},
        ROW | {"date": "2026-11-03", "spend": "0.5"},
        ROW | {"date": "2026-11-04", "currency": "EUR"},
        {"clicks": 1},
        {"clicks": 1},
    ]
    before = copy.deepcopy(rows)

    found = adweir.quality.clean_rows(rows)

    assert rows == before
    assert [row.get("spend") for row in found.rows] == [Decimal(1), Decimal("1.234"), Decimal("0.5"), None]
    assert [(change["row"], change["rule"], change["field"]) for change in found.changes] == [
        (1, "trim", "campaign_id"),
        (1, "duplicate", ""),
        (3, "number", "spend"),
        (4, "number", "spend"),
        (7, "duplicate", ""),
    ]
    assert [(each["row"], each["rule"], each["record"]) for each in found.set_aside] == [
        (2, "conflict", rows[2]),
        (5, "currency", rows[5]),
    ]
    assert found.counts[0] == {"rule": "duplicate", "field": "", "count": 2}


def test_the_decimal_mark_is_one_for_all_rows_and_may_be_told() -> None:
    rules = {"spend": {"type": "number"}}
    ambiguous, telling = {"spend": "1,234"}, {"spend": "0,5"}

    assert [row["spend"] for row in adweir.quality.clean_rows([ambiguous, telling], rules).rows] == [
        Decimal("1.234"),
        Decimal("0.5"),
    ]
    assert adweir.quality.clean_rows([ambiguous], rules).rows == [ambiguous]
    assert adweir.quality.clean_rows([ambiguous], rules, decimal=".").rows == [{"spend": Decimal(1234)}]


@pytest.mark.parametrize("value", [float("nan"), Decimal("sNaN"), [1], {"a": 1}])
def test_rows_with_values_that_are_equal_to_nothing_are_the_same_rows(value: Any) -> None:
    found = adweir.quality.clean_rows([{"spend": value}, {"spend": copy.copy(value)}])

    assert (len(found.rows), found.counts, found.set_aside) == (
        1,
        [{"rule": "duplicate", "field": "", "count": 1}],
        [],
    )


def test_a_key_of_ones_own_tells_rows_apart() -> None:
    rows = [{"id": 1, "clicks": 1}, {"id": 1, "clicks": 2}, {"id": 2, "clicks": 1}]

    found = adweir.quality.clean_rows(rows, {}, key=["id"])

    assert (found.rows, [each["row"] for each in found.set_aside]) == ([rows[0], rows[2]], [1])
    assert adweir.quality.clean_rows(rows, {}).rows == rows
    with pytest.raises(Unprocessable):
        adweir.quality.clean_rows(rows, key="id")


def test_of_very_many_changes_the_first_are_listed_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_SCHEMA_ISSUES", 10)

    found = adweir.quality.clean_rows([{"clicks": str(number)} for number in range(30)])

    assert (len(found.changes), found.counts) == (10, [{"rule": "number", "field": "clicks", "count": 30}])


ANY = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.text(max_size=8), st.just(Decimal("sNaN")),
    st.sampled_from(["1,5", "1.234,5", "5%", "-0", "€5", "(5)", "1e9", "ENABLED", " 7 ", "2026-11-01", "--"]),
    st.lists(st.integers(), max_size=2),
)  # fmt: skip
RECORDS = st.dictionaries(st.sampled_from([*AD, "date", "status", "currency", "account_id", "other"]), ANY)


@given(st.lists(RECORDS, max_size=5))
def test_whatever_rows_are_each_change_is_logged_and_nothing_is_filled_in(rows: list[dict[str, Any]]) -> None:
    before = copy.deepcopy(rows)
    compiled = schema.compile(canonical_schema(FIELDS))
    mending = Repairs(compiled)
    mending.learn(rows)

    for row in rows:
        made, changes = mending.repaired(row)
        undone = dict(made)
        for change in reversed(changes):
            assert repr(undone[change.field]) == repr(change.after)
            undone[change.field] = change.before
            assert change.rule in repairs.RULES
            assert change.before is not None
        assert repr(undone) == repr(row)
        again, more = mending.repaired(made)
        assert (repr(again), more) == (repr(made), [])
    assert repr(rows) == repr(before)


@given(st.lists(RECORDS, max_size=5))
def test_cleaned_rows_are_what_came_but_for_what_is_named(rows: list[dict[str, Any]]) -> None:
    found = adweir.quality.clean_rows(rows)

    repeated = sum(change["rule"] == "duplicate" for change in found.changes)
    assert len(found.rows) + len(found.set_aside) + repeated == len(rows)
    assert all(set(each["record"]) == set(rows[each["row"]]) for each in found.set_aside)


# --- scores


def test_good_rows_score_one_and_what_cannot_be_known_is_null() -> None:
    found = adweir.quality.check_quality([ROW, ROW | {"date": date(2026, 11, 2)}], ["impressions", "clicks", "spend"])

    assert found["scores"] == {
        "completeness": 1.0, "validity": 1.0, "uniqueness": 1.0, "consistency": 1.0,
        "timeliness": None, "accuracy": None,
    }  # fmt: skip
    assert (found["overall"], found["issues"], found["gates"], found["rows"]) == (1.0, [], [], 2)


def test_each_issue_has_its_type_its_field_and_words() -> None:
    rows = [
        ROW,
        ROW,
        ROW | {"campaign_id": "d", "clicks": -1},
        ROW | {"campaign_id": "e", "clicks": 101, "spend": None},
    ]

    found = adweir.quality.check_quality(rows)

    issues = {(each["type"], each["field"]): each["description"] for each in found["issues"]}
    assert issues == {
        ("completeness", "revenue"): "4 of 4 rows have no revenue",
        ("completeness", "spend"): "1 of 4 rows has no spend",
        ("uniqueness", ""): "1 of 4 rows have the same key as another row",
        ("validity", "clicks"): "1 of 4 rows: clicks must be at least 0 (first in row 2: -1)",
        ("consistency", "conversions"): ("1 of 4 rows: conversions are more than the clicks (first in row 2: '1')"),
        ("consistency", "clicks"): "1 of 4 rows: clicks are more than the impressions (first in row 3: 101)",
    }
    assert found["gates"] == ["min"]
    assert found["overall"] == 0.59
    assert found["columns"][0] == {"field": "revenue", "missing": 4, "invalid": 0}


def test_metrics_are_columns_and_dimensions() -> None:
    rows = [ROW | {"mine": 1}, ROW | {"clicks": -1, "date": date(2026, 11, 2)}]

    only = adweir.quality.check_quality(rows, ["completeness", "mine"])

    assert {name for name, share in only["scores"].items() if share is not None} == {"completeness"}
    assert (only["scores"]["completeness"], only["gates"], only["overall"]) == (0.5, ["completeness < 0.6"], 0.5)
    assert adweir.quality.check_quality(rows, ["conversion_rate"])["scores"]["completeness"] == 0
    with pytest.raises(Unprocessable) as caught:
        adweir.quality.check_quality(rows, ["no_such_thing"])
    assert "no_such_thing" in caught.value.message


def test_of_no_rows_nothing_is_known() -> None:
    assert adweir.quality.check_quality([])["overall"] is None


@pytest.mark.parametrize(
    ("as_of", "score", "said"),
    [
        (date(2026, 11, 5), 1.0, []),
        (datetime(2026, 11, 6, tzinfo=UTC), 1.0, []),
        (date(2026, 11, 7), 0.5, ["meta_ads 1: the newest day is 2026-11-04"]),
        (date(2026, 12, 1), 0.0, ["meta_ads 1: the newest day is 2026-11-04"]),
    ],
)
def test_rows_are_timely_where_they_are_read(as_of: Any, score: float, said: list[str]) -> None:
    rows = [ROW | {"date": date(2026, 11, day)} for day in (1, 2, 3, 4)]

    found = adweir.quality.check_quality(rows, ["timeliness"], as_of=as_of)

    assert (found["scores"]["timeliness"], [each["description"] for each in found["issues"]]) == (score, said)


@pytest.mark.parametrize("platform", [["meta"], {"a": 1}, None, 7])
def test_an_odd_name_of_a_platform_is_a_name(platform: Any) -> None:
    found = adweir.quality.check_quality([ROW | {"platform": platform}], as_of=date(2026, 11, 2))
    assert found["scores"]["timeliness"] == 1


def test_days_without_rows_count() -> None:
    rows = [ROW | {"date": date(2026, 11, day)} for day in (1, 2, 4)]

    found = adweir.quality.check_quality(rows, as_of=date(2026, 11, 5))

    assert found["scores"]["timeliness"] == 0.75
    assert {"type": "timeliness", "field": "date", "description": found["issues"][-1]["description"]} in found["issues"]
    assert "1 of 4 days have no rows, the first is 2026-11-03" in str(found["issues"])


@given(st.lists(RECORDS, max_size=5))
def test_any_rows_have_a_score(rows: list[dict[str, Any]]) -> None:
    found = adweir.quality.check_quality(rows, as_of=date(2026, 11, 5))

    assert all(share is None or 0 <= share <= 1 for share in [found["overall"], *found["scores"].values()])
