"""Ordered and cut rows against a plain computation: nothing is lost, and no currency is mixed with another."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.errors import Unprocessable
from adweir.model.metrics import ratio
from adweir.reporting.arranged import Arrangement, Entries
from adweir.reporting.comparing import Pair
from adweir.reporting.totals import UNATTRIBUTED, RowSum, measures

KEYS = ("platform", "campaign", "currency")
COLUMNS = ("spend", "clicks", "cpc")
_numbers = st.none() | st.integers(0, 4)
_group = st.tuples(st.sampled_from("ab"), st.none() | st.sampled_from("123456"), st.sampled_from(["EUR", "USD"]))
_groups = st.dictionaries(_group, st.tuples(_numbers, _numbers), max_size=24)


def a_sum(clicks: int | None, spend: int | None, *, rest: bool = False) -> RowSum:
    marks = frozenset({UNATTRIBUTED}) if rest else frozenset[str]()
    return RowSum((0, clicks, 0, None if spend is None else spend * 1_000_000, 0), marks)


def shown(key: tuple[Any, ...], pair: Pair) -> dict[str, Any]:
    assert pair.now
    found = measures(pair.now.slot)
    return dict(zip(KEYS, key, strict=True)) | {name: found[name] for name in COLUMNS} | pair.now.notes


def entries(groups: dict[Any, Any]) -> Entries:
    """What has no campaign is the rest that the others leave."""
    pairs = {key: Pair(a_sum(*numbers, rest=key[1] is None)) for key, numbers in sorted(groups.items(), key=str)}
    return Entries(KEYS, pairs, shown)


@given(_groups, st.sampled_from(["-spend", "spend", "-cpc", "campaign"]), st.integers(0, 4), st.booleans())
def test_rows_are_the_first_of_each_list_and_the_others_are_their_sum(
    groups: dict[Any, Any], order: str, limit: int, by_platform: bool
) -> None:
    per = ("platform",) if by_platform and limit else ()
    rows = [row for row, _ in entries(groups).rows(Arrangement((order,), limit, per))]

    # given the plain way: each list by itself, sorted by the number, unknown ones last
    expected = []
    lists = defaultdict(list)
    for key, pair in entries(groups).groups.items():
        lists[(key[2], *(key[:1] if per else ()))].append(shown(key, pair))
    for apart in sorted(lists):
        own = [row for row in lists[apart] if row["campaign"] is not None]
        name, sign = order.removeprefix("-"), -1 if order.startswith("-") else 1
        own.sort(key=lambda row: (row[name] is None, _signed(row[name], sign)))
        first, others = (own[:limit], own[limit:]) if limit else (own, [])
        expected += first
        if others:
            expected.append(_summed(others, apart))
        expected += [row for row in lists[apart] if row["campaign"] is None]
    assert [{name: row[name] for name in (*KEYS, *COLUMNS)} for row in rows] == [
        {name: row[name] for name in (*KEYS, *COLUMNS)} for row in expected
    ]
    assert [row.get("others") for row in rows] == [row.get("others") for row in expected]


def _signed(value: Any, sign: int) -> Any:
    return value if value is None or isinstance(value, str) else value * sign


def _summed(rows: list[dict[str, Any]], apart: tuple[str, ...]) -> dict[str, Any]:
    sums = {
        name: sum(known) if (known := [row[name] for row in rows if row[name] is not None]) else None
        for name in ("spend", "clicks")
    }
    spend, clicks = (None if number is None else Decimal(number) for number in sums.values())
    platform = apart[1] if len(apart) > 1 else None
    same = {"platform": platform, "campaign": None, "currency": apart[0], "others": len(rows)}
    return same | sums | {"cpc": ratio(spend, clicks)}


@given(_groups, st.integers(1, 4))
def test_rows_add_up_to_the_same_whatever_is_cut(groups: dict[Any, Any], limit: int) -> None:
    def spend(rows: list[dict[str, Any]]) -> dict[str, Any]:
        sums: dict[str, Any] = defaultdict(int)
        for row in rows:
            sums[row["currency"]] += row["spend"] or 0
        return sums

    made = entries(groups)
    cut = [row for row, _ in made.rows(Arrangement(("-clicks",), limit))]
    assert spend(cut) == spend([row for row, _ in made.rows(Arrangement())])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Arrangement(("-profit",)), "unknown 'profit' in order; known: platform, campaign, currency, spend"),
        (Arrangement((), 1, ("week",)), "unknown 'week' in limit_per; known: platform, campaign"),
        (Arrangement((), 0, ("platform",)), "limit_per needs a limit"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(asked: Arrangement, said: str) -> None:
    with pytest.raises(Unprocessable, match=said):
        asked.check((*KEYS, *COLUMNS), KEYS[:2])
