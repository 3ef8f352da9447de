"""Files of other tools are read by column where nothing is unusual: the result is that of one row after the other."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple

from adweir.model.data_types import DATA_TYPES
from adweir.model.errors import BadInput
from adweir.model.mappings import Mapping, parse_mapping
from adweir.model.metrics import BadRow
from adweir.model.platforms import Platform
from adweir.platforms.files import reading, text_lines
from adweir.platforms.files.by_column import Unusual
from adweir.platforms.files.data_types import rows_of
from adweir.platforms.files.file_rows import FileContext, NamedObject
from adweir.platforms.files.in_order import InOrder
from adweir.platforms.files.mapped_columns import MappedColumns
from adweir.platforms.files.normalize import Target
from adweir.platforms.files.reading import FileReader
from adweir.platforms.files.table import open_table

META = Platform("meta_ads")
Cell = Callable[[Random], str]
"""What makes a cell. Cells are made by chance from a number that is drawn: to draw each takes five times as long."""


def one_of(*texts: str) -> Cell:
    return lambda chance: chance.choice(texts)


def whole(most: int, form: str = "{}") -> Cell:
    return lambda chance: form.format(chance.randint(0, most))


def decimal(most: int, places: int, form: str = "{}") -> Cell:
    return lambda chance: form.format(Decimal(chance.randint(0, most * 10**places)).scaleb(-places))


ODD = one_of(
    "", " ", "--", "n/a", "0", "007", "1,234", "1.234", "1,234.5", "1.234,5", "12,5", "1.2345678", ".5", "5.", "-3",
    "(4)", "12%", "€ 5.5", "7 EUR", "$8", "kr 8", "<5", "1e2", "1'234", "x", "1,2,3", "9" * 16, "9" * 20, "1.2.3", "٣",
)  # fmt: skip
DAYS = one_of(
    "2026-11-01", "2026-11-02", "2026-11-01", "2026-11-02", "20261103", "01.11.2026", "3/4/2026", "13/2/2026",
    "2/13/2026", "2026-11-01 10:00", "2026-11-01T23:30:00-05:00", "Nov 2, 2026", "2026-11", "", "soon", " 2026-11-02 ",
)  # fmt: skip
WORDS = one_of("Spring", "Spring", "c1", "", "--", "(not set)", "Total", "Twin", "a#b", "x" * 300, " Set ")
CODES = one_of("", "", "EUR", "eur", "USD", "JPY", "euro")
UNITS = st.sampled_from(["ones", "ones", "ones", "micros", "minor", "percent", "thousands"])
TYPES = {
    "campaign_performance": ("impressions", "clicks", "spend", "conversions", "revenue"),
    "ad_performance": ("impressions", "clicks", "spend"),
    "web_analytics": ("sessions", "pageviews", "conversions", "revenue"),
    "kpi_series": ("value",),
}
TEXTS = {
    "campaign_performance": ("campaign_id", "campaign_name", "profile_name"),
    "ad_performance": ("ad_group_id", "ad_id", "campaign_name"),
    "web_analytics": ("utm_campaign", "campaign_id", "channel"),
    "kpi_series": ("name", "geo"),
}


class Stored:
    """A campaign of the only ad account on meta_ads."""

    def only_profile(self, platform: Platform, named: str = "") -> str:
        return "111" if platform == META and named in {"", "Spring"} else ""

    def timezone(self, target: Target) -> str:
        return "America/Los_Angeles" if target.profile_id == "111" else ""

    def currency(self, target: Target) -> str:
        return "EUR" if target.profile_id == "111" else ""

    def campaign(self, text: str, platform: str = "") -> NamedObject | None:
        return NamedObject(META, "c1") if text in {"Spring", "c1"} else None

    def ad_group(self, target: Target, own_id: str) -> str:
        return "g1" if own_id == "c1" else ""

    def object_id(self, target: Target, parent: str, name: str) -> str:
        return {"Spring": "c1", "Set": "s1"}.get(name, "")


def platform(name: str) -> Platform:
    if name == "meta_ads":
        return META
    raise BadInput("unknown platform")


STYLES = (
    whole(5000),
    decimal(9999, 2),
    whole(999_999, "{:,}"),
    decimal(99_999, 1, "{:,}"),
    lambda chance: decimal(9999, 2)(chance).replace(".", ","),
    one_of("5", "", "7.5", "€ 8.25", "€ 5.5"),
    one_of("5", "", "$7.5", "$ 8.25", "$9"),
    one_of("5", "", "7.5", "kr 8.25", "kr. 5"),
)
"""How tidy files write numbers."""
DATED = (
    one_of("2026-11-01", "2026-11-02"),
    one_of("01.11.2026", "14.11.2026"),
    one_of("3/4/2026", "13/2/2026"),
    one_of("2026-11-01 10:00", "2026-11-01T23:30:00-05:00"),
)
Cells = dict[str, tuple[Cell, Cell]]
"""By column: tidy cells, and any."""


def any_number(chance: Random) -> str:
    return chance.choice((STYLES[0], STYLES[1], ODD))(chance)


def _rare(draw: st.DrawFn, one_in: int = 4) -> bool:
    return draw(st.integers(0, one_in - 1)) == one_in - 1


def _columns(draw: st.DrawFn, kind: str) -> tuple[list[dict[str, Any]], Cells]:
    """A mapping's columns, and the cells of a file that has them."""
    columns: list[dict[str, Any]] = [{"field": "date", "names": ["date", "day"]}]
    days, numbers = draw(st.sampled_from(DATED)), draw(st.sampled_from(STYLES))
    header: Cells = {"date": (days, DAYS)}
    if _rare(draw):
        header["day"] = (days, DAYS)
    if _rare(draw):
        columns = [{"field": "range_start", "names": ["date"]}, {"field": "range_end", "names": ["day"]}]
    has_code = draw(st.booleans())
    if has_code:
        columns.append({"field": "currency", "names": ["currency"]})
        header["currency"] = (one_of(*(["EUR", "EUR", "eur", "USD"] if _rare(draw) else ["EUR"])), CODES)
    for field in TEXTS[kind]:
        columns.append({"field": field, "names": [field, f"other {field}"]})
        header[field] = (one_of("Spring", "Spring", "c1"), WORDS)
        if _rare(draw):
            header[f"other {field}"] = (one_of("", "c1"), WORDS)
    for field in TYPES[kind]:
        is_count = field in {"impressions", "clicks", "sessions", "pageviews"}
        unit = "ones" if is_count and not _rare(draw, 10) else draw(UNITS)
        sign = draw(st.sampled_from(["EUR", "EUR", "$"]))
        name = f"{field} ({sign})" if _rare(draw, 6) else field
        column: dict[str, Any] = {"field": field, "names": [name.replace(sign, "{currency}"), f"own {field}"]}
        column["unit"] = "ones" if unit == "minor" and not has_code else unit
        own = STYLES[0] if is_count else numbers
        header[name] = (own, any_number)
        for more in ("plus", "minus", "own"):
            if _rare(draw):
                header[f"{more} {field}"] = (own, any_number)
                column |= {} if more == "own" else {more: [f"{more} {field}"]}
        columns.append(column)
    return columns, header


@st.composite
def files(draw: st.DrawFn) -> tuple[Mapping, bytes]:
    """A mapping, and a file of its columns: a tidy one, or one in which some cells may be anything."""
    kind = draw(st.sampled_from(sorted(TYPES)))
    columns, header = _columns(draw, kind)
    body: dict[str, Any] = {"source": "tool", "data_type": kind, "columns": columns, "constants": {}}
    if kind.endswith("_performance"):
        body["constants"]["platform"] = draw(st.sampled_from(["meta_ads", "radio"]))
        body["adds_up"] = draw(st.booleans())
    body["decimal"] = draw(st.sampled_from([None] * 6 + [".", ","]))
    body["date_order"] = draw(st.sampled_from([None, None, "dmy", "mdy"]))
    body["timezone"] = draw(st.sampled_from(["", "UTC"]))
    body["empty"] = draw(st.sampled_from([[], ["(not set)"]]))
    if draw(st.booleans()):
        body["skip"] = [{"begins": ["Total"]}, {"column": [TEXTS[kind][0]], "equals": ["total"], "empty": True}]
    if _rare(draw):
        body["keep"] = [{"column": [TEXTS[kind][1]], "equals": ["spring"]}]
    one_in, chance = draw(st.sampled_from([10_000, 40, 8])), Random(draw(st.integers(0, 1 << 32)))
    lines = [
        [(any_ if chance.randrange(one_in) == 0 else tidy)(chance) for tidy, any_ in header.values()]
        for _ in range(draw(st.integers(1, 20)))
    ]
    text = [";".join(header), *(";".join(line) for line in lines)]
    for at in draw(st.lists(st.integers(1, len(text)), max_size=2)) if one_in < 40 else ():
        text.insert(at, draw(st.sampled_from(["broken", "", '"', "Total;1"])))
    return parse_mapping(body), "\n".join(text).encode()


def read(said: Mapping, body: bytes) -> tuple[Any, ...]:
    """All that comes of a file: rows by target in their order, faults, what is left out; or why it is refused."""
    kind = DATA_TYPES[said.data_type]
    context = FileContext(
        Platform("tool"), "direct~acc_1", "America/New_York", platform, lambda name: name == META, Stored(), "CAD"
    )
    reader = FileReader.mapped(said, partial(rows_of, kind, context, adds_up=said.adds_up))
    rows: dict[Target, list[Any]] = {}
    bad: list[BadRow] = []
    try:
        table = open_table(io.BytesIO(body), len(body), reader.form)
        made = reader.bind(table.header)
        for found in made.batches(table):
            if isinstance(found, BadRow):
                bad.append(found)
                continue
            for row, text in zip(found.rows, found.texts, strict=True):
                rows.setdefault(found.target, []).append((astuple(row), text))
    except BadInput as error:
        return str(error), error.details
    return list(rows.items()), sorted(bad, key=lambda each: each.line), +Counter(made.left_out)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(files(), st.integers(30, 1_500))
def test_by_column_a_file_says_what_it_says_row_by_row(drawn: tuple[Mapping, bytes], block: int) -> None:
    # given a file that is read in pieces, of which small parts are tried again where a piece holds something unusual
    said, body = drawn
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_lines, "_BLOCK", block)
        patch.setattr(reading, "_LEAST", 1)
        patch.setattr(reading, "_PARTS", 2)
        by_column = read(said, body)

        # when none of it is read by column
        patch.setattr(MappedColumns, "read", _unusual)
        one_by_one = read(said, body)

    # then the rows, their texts, the faults and what is left out are the same
    assert by_column == one_by_one


def campaigns(**more: Any) -> Mapping:
    """A mapping of campaigns' numbers on a platform whose ad accounts nothing lists."""
    columns = [{"field": name, "names": [name]} for name in ("date", "currency", "campaign_id", "clicks")]
    body = {"source": "tool", "data_type": "campaign_performance", "constants": {"platform": "radio"}}
    return parse_mapping(body | {"columns": columns} | more)


def lines(*rows: str) -> bytes:
    return "\n".join(["date;currency;campaign_id;clicks", *rows]).encode()


def test_a_campaign_has_one_currency_in_all_pieces_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    # given pieces of one row, each read by column where it is not at fault
    monkeypatch.setattr(text_lines, "_BLOCK", 1)

    # when a later piece says another currency of a campaign
    rows, bad, _ = read(campaigns(), lines("2026-11-01;EUR;c1;1", "2026-11-01;USD;c2;2", "2026-11-02;USD;c1;3"))

    # then that row is at fault
    stored = [(target.currency, text) for target, each in rows for _, text in each]
    assert stored == [("EUR", "2026-11-01;EUR;c1;1"), ("USD", "2026-11-01;USD;c2;2")]
    assert [(each.line, each.errors[0]["field"], each.errors[0]["rule"]) for each in bad] == [
        (4, "currency", "consistent")
    ]


def test_a_row_that_is_at_fault_before_its_day_is_read_says_nothing_of_the_order_of_dates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given pieces of one row, of which the first has a number at fault, and a day that would say the order
    monkeypatch.setattr(text_lines, "_BLOCK", 1)
    body = lines("13/2/2026;EUR;c1;x", "3/4/2026;EUR;c1;1")

    # when the order is not known otherwise, then the file is refused
    message, _ = read(campaigns(), body)
    assert "'3/4/2026' in line 3 can be read in two ways" in message

    # and a mapping that says it has the file read
    rows, bad, _ = read(campaigns(date_order="dmy"), body)
    assert ([row[1] for _, each in rows for row, _ in each], [each.line for each in bad]) == (["2026-04-03"], [2])


@pytest.mark.parametrize("row", ["$5;$2", "5;$2", "$5;"])
def test_amounts_with_a_sign_are_read_by_column(monkeypatch: pytest.MonkeyPatch, row: str) -> None:
    # given amounts with the sign of several currencies, one of them the client's, in columns that are added up
    columns = [{"field": name, "names": [name]} for name in ("date", "campaign_id")]
    said = campaigns(columns=[*columns, {"field": "spend", "names": ["spend"], "plus": ["fee"]}], decimal=".")

    # when nothing may be read one by one
    monkeypatch.setattr(InOrder, "take", _unusual)
    rows, bad, _ = read(said, "\n".join(["date;campaign_id;spend;fee", *[f"2026-11-01;c1;{row}"] * 3]).encode())

    # then all is stored
    assert ([(target.currency, len(each)) for target, each in rows], bad) == ([("", 3)], [])


def _unusual(*_: Any) -> Any:
    raise Unusual


def test_a_currency_is_that_of_the_cell_which_is_the_amount() -> None:
    # given two columns of an amount, of which the first that is not empty counts
    columns = [{"field": name, "names": [name]} for name in ("date", "campaign_id")]
    said = campaigns(columns=[*columns, {"field": "spend", "names": ["spend", "cost"]}], decimal=".")

    # when the other one names a currency
    rows, bad, _ = read(said, b"date;campaign_id;spend;cost\n2026-11-01;c1;5;8 EUR\n2026-11-01;c2;;7 USD")

    # then it is not the row's
    assert ([(target.currency, len(each)) for target, each in rows], bad) == ([("", 1), ("USD", 1)], [])
