"""Specs: what is refused, with the field and what to do; templates, paths and values."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest

from adweir.model.errors import Unprocessable
from adweir.platforms.described import paths, templates
from adweir.platforms.described.fields import FieldReader, FieldRule
from adweir.platforms.described.language import checked_spec
from support.bounds import at_the_bound, refuses

DAILY: dict[str, Any] = {
    "request": {"path": "/accounts/{profile}/stats", "query": {"from": "{start}", "to": "{end}"}},
    "records": "rows[]",
    "fields": {"date": "day", "impressions": "views", "spend": "cost"},
}
SPEC: dict[str, Any] = {
    "base_url": "https://api.example.com/v1",
    "auth": {"type": "bearer"},
    "accounts": {"named": [{"id": "77", "currency": "USD", "timezone": "America/New_York"}]},
    "datasets": {"account_daily": DAILY},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The spec with a value at a dotted path; None takes it away."""
    spec = copy.deepcopy(SPEC)
    at: Any = spec
    *steps, last = path.split(".")
    for step in steps:
        at = at.setdefault(step, {})
    if value is None:
        at.pop(last, None)
    else:
        at[last] = value
    return spec


def test_a_spec_is_read() -> None:
    spec = checked_spec(SPEC)

    assert spec.credential_fields() == ["token"]
    assert list(spec.urls()) == [("base_url", "https://api.example.com/v1")]


OF = "datasets.account_daily"


@pytest.mark.parametrize(
    ("path", "value", "field", "said"),
    [
        ("base_url", None, "base_url", "is required"),
        ("base_url", "ftp://api.example.com", "base_url", "https"),
        ("base_url", "https://api.example.com/{start}", "base_url", "match"),
        ("surprise", 1, "surprise", "is unknown"),
        ("auth", {"type": "magic"}, "auth.0", "type is one of 'header', 'bearer'"),
        ("auth", {"type": "bearer", "value": "Token!"}, "auth.0.bearer.value", "no name of a field of the credential"),
        ("pace.requests_per_minute", 0, "pace.requests_per_minute", "greater than 0"),
        ("signs", [{"means": "throttled"}], "signs.0", "needs a status or a path"),
        ("signs", [{"means": "throttled", "status": 400, "values": ["1"]}], "signs.0", "has no path to it"),
        ("signs", [{"means": "nothing", "status": 400}], "signs.0.means", "throttled"),
        ("accounts", {}, "accounts", "needs either named"),
        ("accounts.named", [{"id": "1", "currency": "eur", "timezone": "UTC"}], "accounts.named.0.currency",
         "three capital letters"),
        ("accounts.named", [{"id": "1", "currency": "EUR", "timezone": "Mars"}], "accounts.named.0.timezone",
         "no time zone"),
        ("datasets", {}, "datasets", "is empty"),
        ("datasets.keywords", DAILY, "", "keywords cannot be described"),
        ("datasets.nothing", DAILY, "datasets.nothing.[key]", "cannot be described; there are campaigns, "),
        (f"{OF}.request", None, OF, "needs either request or report"),
        (f"{OF}.request.path", "stats", f"{OF}.request.path", "begins with a /"),
        (f"{OF}.request.method", "DELETE", f"{OF}.request.method", "'GET' or 'POST'"),
        (f"{OF}.request.json", {"a": 1}, f"{OF}.request", "is a GET, which has no body"),
        (f"{OF}.request.query.x", "{secret}", "", "'{secret}' is no placeholder here; there are: {start}, {end}"),
        (f"{OF}.request.query.x", "{start.__class__}", "", "no placeholder"),
        (f"{OF}.request.query.x", "{start:%H}", "", "'%H' is no form of a date"),
        (f"{OF}.request.query.x", "{start", "", "no placeholder"),
        (f"{OF}.request.query.x", "a{profile:number}", "", "alone in a value"),
        (f"{OF}.request.headers", {"X\r\nY": "1"}, f"{OF}.request.headers.X\r\nY.[key]", "no name of a header"),
        (f"{OF}.records", "rows[", f"{OF}.records", "such as data.rows[]"),
        (f"{OF}.fields.spend", "a..b", OF, "no path"),
        (f"{OF}.fields.spend", None, "", "fields: spend missing; account_daily needs impressions, spend"),
        (f"{OF}.fields.cost", "x", "", "fields: cost unknown"),
        (f"{OF}.fields.date", None, "", "without it window.max_days has to be 1"),
        (f"{OF}.fields.spend", {"path": "a", "constant": "1"}, f"{OF}.fields.spend", "exactly one of"),
        (f"{OF}.fields.spend", {"path": "a", "unit": "dimes"}, f"{OF}.fields.spend.unit", "micros"),
        (f"{OF}.fields.date", {"path": "a", "format": "%Q"}, f"{OF}.fields.date", "no format"),
        (f"{OF}.form", {"type": "csv"}, OF, "a CSV has neither records nor paging"),
        (f"{OF}.paging", {"type": "cursor", "parameter": "c"}, f"{OF}.paging.cursor.cursor", "is required"),
        (f"{OF}.for_each", {"dataset": "campaigns"}, "", "for_each needs the dataset campaigns"),
        (f"{OF}.window.max_days", 0, f"{OF}.window.max_days", "greater than or equal to 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(path: str, value: Any, field: str, said: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        checked_spec(changed(path, value))

    faults = {fault["field"]: fault["message"] for fault in refused.value.details}
    assert said in faults[field or "spec"]
    assert all(set(fault) == {"field", "message"} for fault in refused.value.details)


@pytest.mark.parametrize("header", ["Host", "host", "Content-Length", "Transfer-Encoding", "Range"])
def test_where_a_request_goes_and_ends_is_not_said_by_a_specs_headers(header: str) -> None:
    """A host behind the same content network would get the credential."""
    for path, value in (
        ("headers", {header: "evil.example"}),
        (f"{OF}.request.headers", {header: "evil.example"}),
        ("auth", {"type": "header", "header": header}),
    ):
        with pytest.raises(Unprocessable, match="not the spec's"):
            checked_spec(changed(path, value))


@pytest.mark.parametrize("body", [{}, {"form": {"from": "{start}", "to": "{end}"}}])
def test_a_file_is_not_asked_for_by_a_form(body: dict[str, Any]) -> None:
    """It would be sent as a GET, without its body."""
    asked = {"method": "POST", "path": "/{start}{end}"} | body
    report = {"create": {"path": "/{start}{end}"}, "id": "id", "poll": {"path": "/p"}, "state": "s", "ready": ["DONE"]}
    by_request = DAILY | {"records": "", "form": {"type": "csv"}, "request": asked}
    by_report = DAILY | {"request": None, "report": report | {"download": asked}}

    for described in (by_request, by_report):
        with pytest.raises(Unprocessable, match="asked for by GET, or by POST with a body in json"):
            checked_spec(changed(OF, described))


def test_ads_need_a_way_to_their_ad_group() -> None:
    of = DAILY | {"fields": DAILY["fields"] | {"ad_id": "ad"}}

    with pytest.raises(Unprocessable, match="no dataset ads to find it in"):
        checked_spec(changed("datasets.ad_daily", of))


@at_the_bound("MAX_SPEC_DEPTH")
def test_a_body_is_not_nested_without_end(size: int, *, fits: bool) -> None:
    body: Any = "{start}"
    for _ in range(size):
        body = [body]

    with refuses(Unprocessable, fits=fits):
        checked_spec(changed(f"{OF}.request", {"method": "POST", "path": "/{end}", "json": body}))


@at_the_bound("MAX_SPEC_TEXT_CHARS")
def test_a_text_has_an_end(size: int, *, fits: bool) -> None:
    with refuses(Unprocessable, fits=fits):
        checked_spec(changed("title", "x" * size))


@at_the_bound("MAX_SPEC_ACCOUNTS")
def test_named_ad_accounts_have_an_end(size: int, *, fits: bool) -> None:
    named = [{"id": str(number), "currency": "USD", "timezone": "UTC"} for number in range(size)]

    with refuses(Unprocessable, fits=fits):
        checked_spec(changed("accounts.named", named))


# -- templates -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{day}", "2026-11-01"),
        ("{day:%d.%m.%Y}", "01.11.2026"),
        ("{day:%-d/%-m/%y}", "1/11/26"),
        ("{day:zoned}", "2026-11-01T00:00:00-04:00"),
        ("{day:utc}", "2026-11-01T04:00:00Z"),
        ("{day:unix}", "1793505600"),
        ("{day:unix_ms}", "1793505600000"),
        ("{{{name}}}", "{a/b}"),
    ],
)
def test_placeholders_are_filled(text: str, filled: str) -> None:
    templates.check(text, ["day"], ["name"])

    assert templates.fill(text, {"day": date(2026, 11, 1), "name": "a/b"}, "America/New_York") == filled


def test_what_stands_in_a_value_is_no_placeholder_and_numbers_are_numbers() -> None:
    filled = templates.fill_all({"a": ["{name}", 5], "n": "{id:number}"}, {"name": "{start}", "id": "77"})

    assert filled == {"a": ["{start}", 5], "n": 77}


# -- paths -----------------------------------------------------------------------------------------------------------


def test_records_are_found_below_lists_with_what_is_around_them() -> None:
    answer = {"total": 2, "data": {"groups": [{"id": "g", "rows": [{"v": 1}, {"v": 2}]}, {"id": "h"}, {"rows": None}]}}

    found = list(paths.records(answer, "data.groups[].rows[]"))

    get = [[record.get(paths.split(path)) for path in ("v", "^.id", "$.total")] for record in found]
    assert get == [[1, "g", 2], [2, "g", 2]]
    assert found[0].get(("^^^", "x")) is paths.MISSING


@pytest.mark.parametrize(
    "answer", [{}, {"rows": {}}, {"rows": "x"}, [], "text", None, 5, {"error": "no"}, {"rows": None}]
)
def test_an_answer_without_its_list_is_not_an_empty_one(answer: Any) -> None:
    with pytest.raises(paths.NoRecords):
        list(paths.records(answer, "rows[]"))


def test_null_is_empty_only_where_the_spec_says_so() -> None:
    assert list(paths.records({"rows": None}, "rows[]", null_is_empty=True)) == []
    with pytest.raises(paths.NoRecords):
        list(paths.records({}, "rows[]", null_is_empty=True))


def test_the_whole_answer_may_be_the_list_or_the_record() -> None:
    assert [one.scopes[-1] for one in paths.records([1, 2], "[]")] == [1, 2]
    assert [one.scopes[-1] for one in paths.records({"a": 1}, "")] == [{"a": 1}]
    assert [one.scopes[-1] for one in paths.records({"a": {"b": 1}}, "a")] == [{"b": 1}]


# -- values ----------------------------------------------------------------------------------------------------------


def amount(value: Any, currency: str = "USD", **rule: Any) -> int | None:
    found = FieldReader("spend", FieldRule(path="x", **rule)).amount(lambda _: value, currency)
    return None if found is None else found.micros


@pytest.mark.parametrize(
    ("value", "rule", "micros"),
    [
        ("12.34", {}, 12_340_000),
        (12, {}, 12_000_000),
        ("1,234.5", {}, 1_234_500_000),
        ("1.234,5", {"decimal": ","}, 1_234_500_000),
        ("12,5", {"decimal": ","}, 12_500_000),
        (1_234_567, {"unit": "micros"}, 1_234_567),
        ("0.5", {"unit": "micros"}, 0),
        (1234, {"unit": "minor"}, 12_340_000),
        ("1e3", {}, 1_000_000_000),
        ("", {"absent": "unknown"}, None),
        ("--", {"absent": "zero"}, 0),
        (paths.MISSING, {"absent": "zero"}, 0),
        (None, {"absent": "unknown"}, None),
    ],
)
def test_amounts_are_exact(value: Any, rule: dict[str, Any], micros: int | None) -> None:
    assert amount(value, **rule) == micros


def test_the_minor_unit_is_the_currencys() -> None:
    assert [amount(1500, code, unit="minor") for code in ("USD", "JPY", "KWD")] == [
        15_000_000,
        1_500_000_000,
        1_500_000,
    ]


@pytest.mark.parametrize(
    "value", ["twelve", "1.2.3", "NaN", "Infinity", "1e99", "9" * 300, [1], {"a": 1}, "12,5", "1,23"]
)
def test_what_is_no_amount_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="spend"):
        amount(value)


def test_a_number_that_each_row_has_is_not_taken_for_nothing() -> None:
    with pytest.raises(ValueError, match="is missing"):
        amount(paths.MISSING)
    assert FieldReader("clicks", FieldRule(path="x")).whole(lambda _: paths.MISSING) is None


def test_parts_are_added_up_and_an_unknown_part_makes_the_sum_unknown() -> None:
    values = {"a": "1.5", "b": 2, "c": None}
    both = FieldReader("revenue", FieldRule(sum=("a", "b"))).amount(values.__getitem__, "USD")
    some = FieldReader("revenue", FieldRule(sum=("a", "c"))).amount(values.__getitem__, "USD")
    zero = FieldReader("revenue", FieldRule(sum=("a", "c"), absent="zero")).amount(values.__getitem__, "USD")

    assert both is not None
    assert both.micros == 3_500_000
    assert some is None
    assert zero is not None
    assert zero.micros == 1_500_000


@pytest.mark.parametrize(
    ("value", "form", "day"),
    [
        ("2026-11-01", "iso", "2026-11-01"),
        ("2026-11-01T23:00:00-08:00", "iso", "2026-11-01"),
        ("01/11/2026", "%d/%m/%Y", "2026-11-01"),
        ("2026/9/1", "%Y/%m/%d", "2026-09-01"),
        (20261101, "%Y%m%d", "2026-11-01"),
        (1793505600, "unix", "2026-11-01"),
        ("1793505599999", "unix_ms", "2026-10-31"),
        ({"year": 2026, "month": 11, "day": 1}, "parts", "2026-11-01"),
    ],
)
def test_days_are_read(value: Any, form: str, day: str) -> None:
    reader = FieldReader("date", FieldRule(path="x", format=form))

    assert reader.day(lambda _: value, "America/New_York") == day


@pytest.mark.parametrize("value", ["", "yesterday", "2026-13-01", None, [], {"year": 2026}, 10**30, "2026-11-01x"])
@pytest.mark.parametrize("form", ["iso", "unix", "unix_ms", "parts", "%Y-%m-%d"])
def test_what_is_no_day_is_refused(value: Any, form: str) -> None:
    with pytest.raises(ValueError, match="date"):
        FieldReader("date", FieldRule(path="x", format=form)).day(lambda _: value, "UTC")


def test_an_hour_is_the_zones_and_the_second_pass_of_one_is_its_own() -> None:
    reader = FieldReader("date", FieldRule(path="x"))

    assert reader.hour(lambda _: "2026-11-01T05:30:00Z", "America/New_York") == ("2026-11-01", 1)
    assert reader.hour(lambda _: "2026-11-01T06:30:00Z", "America/New_York") == ("2026-11-01", 25)
    assert reader.hour(lambda _: "2026-11-01T06:30:00", "America/New_York") == ("2026-11-01", 6)
    with pytest.raises(ValueError, match="no hour"):
        reader.hour(lambda _: "2026-11-01", "UTC")


def test_words_are_translated_and_ids_lose_their_prefix() -> None:
    def words(path: str) -> FieldRule:
        return FieldRule(path=path, values={"1": "active", "true": "active"})

    urn = FieldReader("campaign_id", FieldRule(path="x", prefix="urn:c:"))

    values = {"a": 1, "b": True, "c": "2", "x": None}
    found = [FieldReader("status", words(path)).text(values.__getitem__) for path in values]
    assert found == ["active", "active", "2", ""]
    assert urn.text(lambda _: "urn:c:9") == "9"
