"""Amounts and dates of described APIs that are easily read as others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adweir.platforms.connector import PageInHand
from adweir.platforms.described.language import checked_spec
from adweir.platforms.described.rows import DescribedRows
from support.described_api import DAY, FIELDS, OF, api_of
from support.stub_http import Answer, StubServer


def answering(stub: StubServer, body: Any) -> None:
    stub.route = lambda _: Answer(200, body)


@pytest.mark.parametrize(
    ("unit", "written", "micros"),
    [("micros", 1_500_000_000_000, 1_500_000_000_000), ("minor", "1500000000000.5", 15_000_000_000_005_000)],
)
def test_a_million_units_fit_however_small_the_unit_is(stub: StubServer, unit: str, written: Any, micros: int) -> None:
    answering(stub, {"rows": [DAY | {"cost": written}]})

    rows, bad = api_of(stub, fields=FIELDS | {"spend": {"path": "cost", "unit": unit}}).read(OF)

    assert not bad
    assert rows[0].spend == micros


def test_an_amount_beyond_all_bounds_is_refused_in_small_units_too(stub: StubServer) -> None:
    answering(stub, {"rows": [DAY | {"cost": cost} for cost in ("1" + "0" * 30, "9e99", "1e-99", "NaN")]})

    rows, bad = api_of(stub, fields=FIELDS | {"spend": {"path": "cost", "unit": "micros"}}).read(OF)

    assert [row.spend for row in rows] == [0]
    assert len(bad) == 3


@pytest.mark.parametrize(("decimal", "written"), [(".", "0,125"), (",", "0.125")])
def test_an_eighth_is_never_read_as_125(stub: StubServer, decimal: str, written: str) -> None:
    answering(stub, {"rows": [DAY | {"cost": written}]})

    rows, _ = api_of(stub, fields=FIELDS | {"spend": {"path": "cost", "decimal": decimal}}).read(OF)

    assert [row.spend for row in rows] in ([], [125_000])


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-11-01T04:00:00Z", "2026-11-01"),
        ("2026-11-02T05:00:00.000Z", "2026-11-02"),
        ("2026-11-01T23:00:00-05:00", "2026-11-01"),
        ("2026-11-03T00:00:00Z", "2026-11-03"),
        ("2026-11-02T13:00:00+08:00", "2026-11-02"),
        ("2026-11-03T00:00:00-05:00", "2026-11-03"),
    ],
)
def test_the_moment_at_which_a_day_begins_in_the_zone_is_that_day(stub: StubServer, written: str, day: str) -> None:
    answering(stub, {"rows": [DAY | {"day": written}]})

    rows, _ = api_of(stub).read(OF)

    assert [row.day for row in rows] == [day]


def test_a_moment_before_its_zones_midnight_is_the_following_day(stub: StubServer) -> None:
    answering(stub, {"rows": [DAY | {"day": "2026-10-31T23:00:00Z"}]})
    api = api_of(stub)
    context = api.context(OF)._replace(timezone="Europe/Berlin")
    described = checked_spec(json.loads(api.text)).datasets[OF]

    batches = [list(DescribedRows(described, context).read(PageInHand.of(page, 1))) for page in api.pull(OF)]

    assert [row.day for batch in batches for part in batch for row in part.rows] == ["2026-11-01"]


@pytest.mark.parametrize(
    ("form", "written"), [("unix", 253402300799), ("unix", -62135596800), ("iso", "0001-01-01T00:30:00Z")]
)
def test_a_date_at_the_end_of_time_is_a_bad_row(stub: StubServer, form: str, written: Any) -> None:
    answering(stub, {"rows": [DAY | {"day": written}, DAY]})
    api = api_of(stub, fields=FIELDS | {"date": {"path": "day", "format": form}} if form == "unix" else FIELDS)

    for zone in ("Pacific/Kiritimati", "Pacific/Midway"):
        context = api.context(OF)._replace(timezone=zone)
        described = checked_spec(json.loads(api.text)).datasets[OF]
        for page in api.pull(OF):
            list(DescribedRows(described, context).read(PageInHand.of(page, 1)))
