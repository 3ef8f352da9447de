"""Cron expressions: what EventBridge Scheduler documents is read, what it does not is rewritten or refused."""

from __future__ import annotations

from datetime import date
from itertools import islice

import pytest

from adweir.model.cron import Cron
from adweir.model.errors import BadInput
from support.bounds import at_the_bound, refuses

FIRST = date(2026, 11, 22)  # a Sunday


def days(expression: str, count: int = 3) -> list[str]:
    return [f"{local:%Y-%m-%d %H:%M}" for local in islice(Cron.parse(expression).times(FIRST), count)]


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("0 5 * * ? *", "0 5 * * ? *"),
        ("0 5 * * ?", "0 5 * * ? *"),
        (" cron( 0  5 * * ? 2027-2029 ) ", "0 5 * * ? 2027-2029"),
        ("*/15 8-10 ? * mon-FRI *", "0/15 8-10 ? * 2-6 *"),
        ("5-50/15 * 1/10 JAN,jul ? *", "5,20,35,50 * 1/10 1,7 ? *"),
        ("0 5 ? * FRIL *", "0 5 ? * 6L *"),
        ("0 5 ? * TUE#2 *", "0 5 ? * 3#2 *"),
        ("0 5 ? * L *", "0 5 ? * 7 *"),
    ],
)
def test_an_expression_is_written_as_aws_documents_it(given: str, written: str) -> None:
    assert Cron.parse(given).text == written
    assert Cron.parse(written).text == written


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("30 5 * * ?", ["2026-11-22 05:30", "2026-11-23 05:30", "2026-11-24 05:30"]),
        ("0 9,17 ? * MON-FRI *", ["2026-11-23 09:00", "2026-11-23 17:00", "2026-11-24 09:00"]),
        ("0 0 L * ? *", ["2026-11-30 00:00", "2026-12-31 00:00", "2027-01-31 00:00"]),
        ("0 0 15W * ? *", ["2026-12-15 00:00", "2027-01-15 00:00", "2027-02-15 00:00"]),
        ("0 0 1W * ? *", ["2026-12-01 00:00", "2027-01-01 00:00", "2027-02-01 00:00"]),
        ("0 0 28W 2 ? *", ["2027-02-26 00:00", "2028-02-28 00:00", "2029-02-28 00:00"]),
        ("0 0 1W 5 ? 2027", ["2027-05-03 00:00"]),  # the 1st is a Saturday, and April is another month
        ("0 0 ? * 6L *", ["2026-11-27 00:00", "2026-12-25 00:00", "2027-01-29 00:00"]),
        ("0 0 ? * 2#5 *", ["2026-11-30 00:00", "2027-03-29 00:00", "2027-05-31 00:00"]),
        ("0 0 29 2 ? *", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
        ("0 0 31 * ? *", ["2026-12-31 00:00", "2027-01-31 00:00", "2027-03-31 00:00"]),
        ("0 5 * * ? 2020", []),
        ("0 5 30 2 ? *", []),
    ],
)
def test_the_days_of_an_expression(expression: str, found: list[str]) -> None:
    assert days(expression) == found


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("0 5 * *", "has 4 fields"),
        ("0 5 * * * *", "has to be ?"),
        ("0 5 ? * ? *", "has to be ?"),
        ("0 5 1 * MON *", "has to be ?"),
        ("60 5 * * ? *", "minutes: '60' is not one of 0-59"),
        ("0 24 * * ? *", "hours: '24' is not one of 0-23"),
        ("0 5 0 * ? *", "day of month: '0' is not one of 1-31"),
        ("0 5 * 13 ? *", "month: '13' is not one of 1-12 or JAN-DEC"),
        ("0 5 ? * 0 *", "day of week: '0' is not one of 1-7 or SUN-SAT"),
        ("0 5 * * ? 1969", "year: '1969' is not one of 1970-2199"),
        ("0 22-2 * * ? *", "'22-2' runs backwards"),
        ("0 5 ? * FRI-MON *", "runs backwards"),
        ("0/0 5 * * ? *", "the step of '0/0' is not one of 1-59"),
        ("0 0/24 * * ? *", "the step of '0/24' is not one of 1-23"),
        ("*,5 5 * * ? *", "minutes: '*' is not one of 0-59"),
        ("0 5 LW * ? *", "day of month: 'LW' is refused"),
        ("0 5 L-3 * ? *", "day of month: 'L-3' is refused"),
        ("0 5 1,15W * ? *", "day of month: '1,15W' is refused"),
        ("0 5 31W * ? *", "not every month has a day 31"),
        ("0 5 ? * 3#1,6#3 *", "stands alone"),
        ("0 5 ? * MON,6L *", "stands alone"),
        ("0 5 ? * 3#6 *", "after # stands 1 to 5"),
        ("0 5 H * ? *", "day of month: 'H'"),
        ("x", "has 1 fields"),
    ],
)
def test_what_aws_does_not_document_is_refused_with_words(expression: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        Cron.parse(expression)
    assert said in refused.value.message


@pytest.mark.parametrize(
    ("expression", "minutes"),
    [("0 5 * * ?", 1440), ("0/15 * * * ?", 15), ("0,50 * * * ?", 10), ("55 0,23 * * ?", 60), ("50,10 0,23 * * ?", 20)],
)
def test_the_nearest_times_of_an_expression(expression: str, minutes: int) -> None:
    assert Cron.parse(expression).nearest_minutes() == minutes


@at_the_bound("MAX_CRON_CHARS")
def test_an_expression_has_an_end(size: int, fits: bool) -> None:
    rest = " 5 * * ? *"
    room = size - len(rest) + 1  # for minutes, each with a comma behind it but the last
    ones = next(count for count in range(3) if (room - 2 * count) % 3 == 0)
    minutes = ["1"] * ones + ["10"] * ((room - 2 * ones) // 3)
    assert len(",".join(minutes) + rest) == size

    with refuses(BadInput, fits=fits):
        assert len(Cron.parse(",".join(minutes) + rest).text) == size
