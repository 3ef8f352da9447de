"""Reports in one currency against a plain computation: row by row, day by day, in fractions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.model.metrics import MetricRow
from adweir.model.platforms import Platform
from adweir.reporting.comparing import parse_comparison
from adweir.reporting.converting import REACH, Conversion, parse_conversion
from adweir.reporting.formats import as_markdown
from adweir.reporting.ranges import TimeSpan
from adweir.reporting.reports import MetricReport, ReportRequest, report
from adweir.store.catalog.references import ReferenceRow
from support.bounds import at_the_bound
from support.reading_world import ACCOUNT, CAMPAIGN, EXACT, LOSSY, NOW, ReadingWorld, a_profile, account

FIRST = date(2026, 11, 10)
DAYS = [(FIRST + timedelta(days=n)).isoformat() for n in range(5)]
BANK = Platform("bank")


def a_rate(day: str, rate: str, base: str = "EUR", quote: str = "USD", source: Platform = BANK) -> ReferenceRow:
    return ReferenceRow(source, "", {"date": day, "base": base, "quote": quote, "rate": rate})


def a_world(spends: Mapping[tuple[str, str, str], int], rates: Iterable[ReferenceRow] = ()) -> ReadingWorld:
    """Ad accounts in USD and GBP (p2); `spends`: ad account, campaign and day → millionths."""
    world = ReadingWorld(a_profile(EXACT), a_profile(EXACT, "p2", currency="GBP"))
    world.catalog.reference_rows = list(rates)
    for profile_id, currency in (("p1", "USD"), ("p2", "GBP")):
        rows = [
            MetricRow(campaign, day, 10, 1, 0, spend, None, "", "", -1, currency)
            for (owner, campaign, day), spend in spends.items()
            if owner == profile_id
        ]
        for slice_, brought in (("sp", rows), ("sb", [])):
            of: dict[str, Any] = {
                "platform": EXACT,
                "slice_": slice_,
                "days": (DAYS[0], DAYS[-1]),
                "currency": currency,
            }
            world.pull(CAMPAIGN, *brought, profile_id=profile_id, **of)
    return world


def converted(world: ReadingWorld, *dimensions: str, **more: Any) -> MetricReport:
    """A report in EUR of all days."""
    span = TimeSpan(date.fromisoformat(DAYS[0]), date.fromisoformat(DAYS[-1]))
    asked: dict[str, Any] = {"metrics": ("impressions", "spend", "revenue"), "convert": Conversion("EUR")} | more
    return report(world.queries, ReportRequest("r", asked.pop("range", span), dimensions=dimensions, **asked))


def used(made: MetricReport) -> list[tuple[str, str, str]]:
    return [(each["currency"], each["date"], each["rate_date"]) for each in made.head["conversion"]["rates"]]


spent = st.dictionaries(
    st.tuples(st.sampled_from(["p1", "p2"]), st.sampled_from(["c1", "c2", "c3"]), st.sampled_from(DAYS)),
    st.integers(0, 10**10),
    min_size=1,
    max_size=12,
)
factors = st.lists(st.decimals("0.0001", "9000", places=12), min_size=2 * len(DAYS), max_size=2 * len(DAYS))


@settings(max_examples=25, deadline=None)
@given(spent, factors)
def test_amounts_are_the_rows_times_the_rates_of_their_days(
    spends: dict[tuple[str, str, str], int], factors: list[Decimal]
) -> None:
    # given a rate of each day: what a EUR is worth in USD, and what a GBP is worth in EUR
    per_eur, per_gbp = (dict(zip(DAYS, half, strict=True)) for half in (factors[: len(DAYS)], factors[len(DAYS) :]))
    rates = [a_rate(day, str(rate)) for day, rate in per_eur.items()]
    rates += [a_rate(day, str(rate), "GBP", "EUR") for day, rate in per_gbp.items()]
    world = a_world(spends, rates)
    expected = {
        key: round(spend * (Fraction(per_gbp[key[2]]) if key[0] == "p2" else 1 / Fraction(per_eur[key[2]])))
        for key, spend in spends.items()
    }
    for dimensions in (("profile_id", "campaign_id", "date"), ("campaign_id",), ("date",), ("month",), ()):
        made = converted(world, *dimensions)
        # then each row is the sum of its converted rows, and the total that of the rows, to the millionth
        sums: dict[tuple[str, ...], int] = {}
        for (owner, campaign, day), micros in expected.items():
            parts = {"profile_id": owner, "campaign_id": campaign, "date": day, "month": day[:7]}
            key = tuple(parts[name] for name in dimensions)
            sums[key] = sums.get(key, 0) + micros
        assert {tuple(row[name] for name in dimensions): int(row["spend"] * 10**6) for row in made.rows} == sums
        (total,) = made.totals
        assert (total["currency"], int(total["spend"] * 10**6)) == ("EUR", sum(expected.values()))
        assert total["revenue"] is None
        # and what was sent explains it in each currency
        for each in made.adjustments:
            for metric in ("impressions", "spend"):
                terms = each[metric]
                assert terms["shown"] == terms["raw"] + terms["converted"]
                assert terms["shown"] == (total[metric] if each["currency"] == "EUR" else 0)


def test_a_day_without_a_rate_takes_the_nearest_earlier_one_within_a_week() -> None:
    # given rates of the first day and of one before the range
    spends = {("p1", "c1", day): 10_000_000 for day in (DAYS[0], DAYS[2])} | {("p2", "c1", DAYS[0]): 10_000_000}
    before = (FIRST - timedelta(days=REACH)).isoformat()
    world = a_world(spends, [a_rate(DAYS[0], "2"), a_rate(DAYS[3], "5"), a_rate(before, "3", "GBP", "EUR")])

    made = converted(world, "date")

    # then a later rate is never taken, and the answer says which ones were
    assert [row["spend"] for row in made.rows] == [35, 5]
    assert used(made) == [("GBP", DAYS[0], before), ("USD", DAYS[0], DAYS[0]), ("USD", DAYS[2], DAYS[0])]
    assert made.head["conversion"]["rates"][1] == {
        "client_account_id": "acc_a",
        "currency": "USD",
        "date": DAYS[0],
        "source": "bank",
        "rate_date": DAYS[0],
        "rates": [{"base": "EUR", "quote": "USD", "rate": Decimal(2)}],
    }
    said = "USD is converted to EUR day by day by the rates of bank (2026-11-10 to 2026-11-10, at most 2 days old)"
    assert f"\n{said}: 1 EUR = 2 USD.\n" in as_markdown(made)


def test_days_without_a_rate_are_refused_by_name() -> None:
    # given a rate that is a day too old for the first days, and none at all of another currency
    old = (FIRST - timedelta(days=REACH + 1)).isoformat()
    spends = {("p1", "c1", day): 1_000_000 for day in (*DAYS[:2], DAYS[4])} | {("p2", "c1", DAYS[3]): 1}
    with pytest.raises(Unprocessable) as refused:
        converted(a_world(spends, [a_rate(old, "2")]))
    assert [each["message"] for each in refused.value.details] == [
        "acc_a: no rate of GBP in EUR on 2026-11-13 or in the 7 days before",
        "acc_a: no rate of USD in EUR on 2026-11-10..2026-11-11, 2026-11-14 or in the 7 days before",
    ]
    assert {each["field"] for each in refused.value.details} == {"convert_to"}
    # but a row without an amount, and one that a segment leaves out, needs no rate
    spends = {("p1", "c1", DAYS[0]): 0, ("p2", "c1", DAYS[0]): 1_000_000}
    chosen = [{"name": "profile_id", "values": ["p1"]}]
    (row,) = converted(a_world(spends), "campaign_id", segments=chosen).rows
    assert (row["currency"], row["impressions"], row["spend"]) == ("EUR", 10, 0)


def test_rates_are_multiplied_only_through_the_currency_that_is_named() -> None:
    # given rates in EUR alone, as a central bank has them
    rates = [a_rate(DAYS[0], "1.25"), a_rate(DAYS[0], "0.8", quote="GBP"), a_rate(DAYS[1], "1.5")]
    world = a_world({("p2", "c1", DAYS[0]): 8_000_000, ("p2", "c1", DAYS[1]): 8_000_000}, rates)
    with pytest.raises(Unprocessable, match="rates_through names it"):
        converted(world, convert=Conversion("USD"))

    made = converted(world, "date", convert=Conversion("USD", through="EUR"))

    # then both are of one day: the second day has but one of them
    assert [row["spend"] for row in made.rows] == [Decimal("12.5"), Decimal("12.5")]
    assert used(made) == [("GBP", day, DAYS[0]) for day in DAYS[:2]]
    assert [each["base"] + each["quote"] for each in made.head["conversion"]["rates"][0]["rates"]] == [
        "EURGBP",
        "EURUSD",
    ]
    # and a rate of the two currencies themselves comes first
    world.catalog.reference_rows.append(a_rate(DAYS[0], "1.5", "GBP", "USD"))
    assert [row["spend"] for row in converted(world, "date", convert=Conversion("USD", "", "EUR")).rows] == [12, 12]


def test_of_several_sources_one_has_to_be_named() -> None:
    rates = [a_rate(DAYS[0], "2"), a_rate(DAYS[0], "4", source=Platform("treasury"))]
    world = a_world({("p1", "c1", DAYS[0]): 8_000_000}, rates)
    with pytest.raises(Unprocessable, match="rates_source is needed: acc_a has rates of bank, treasury"):
        converted(world)
    assert converted(world, convert=Conversion("EUR", "treasury")).totals[0]["spend"] == 2


def test_each_of_two_ranges_is_converted_by_its_own_rates() -> None:
    # given the same spend on four days, and another rate on each
    world = a_world(
        {("p1", "c1", day): 12_000_000 for day in DAYS[:4]},
        [a_rate(day, rate) for day, rate in zip(DAYS, ("1", "2", "3", "4"), strict=False)],
    )
    span = TimeSpan(date.fromisoformat(DAYS[2]), date.fromisoformat(DAYS[3]))

    made = converted(world, "date", range=span, compare=parse_comparison("previous_period", span, NOW))

    assert [(row["date"], row["spend"], row["spend_before"]) for row in made.rows] == [
        (DAYS[2], 4, 12),
        (DAYS[3], 3, 6),
    ]
    assert made.totals[0]["spend_difference"] == 7 - 18
    assert [each["date"] for each in made.head["compared"]["conversion"]["rates"]] == DAYS[:2]
    assert used(made) == [("USD", day, day) for day in DAYS[2:4]]


def test_what_is_kept_or_unattributed_is_explained_in_its_own_currency() -> None:
    # given an ad account whose campaigns explain a part of it
    world = ReadingWorld(a_profile(LOSSY))
    world.catalog.reference_rows = [a_rate("2026-11-18", "2")]
    world.pull(ACCOUNT, account(10))
    world.pull(CAMPAIGN, MetricRow("c1", "2026-11-18", 0, 0, 0, 4_000_000, 0, "", "", -1, "USD"))
    day = date(2026, 11, 18)

    made = converted(world, "campaign_id", range=TimeSpan(day, day))

    assert [(row["campaign_id"], row["spend"]) for row in made.rows] == [("c1", 2), (None, 3)]
    by_currency = {each["currency"]: each["spend"] for each in made.adjustments}
    names = ("shown", "raw", "unattributed", "converted")
    assert [by_currency["USD"][name] for name in names] == [0, 4, 6, -10]
    assert [by_currency["EUR"][name] for name in names] == [5, 0, 0, 5]


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        (("EURO", "", ""), "convert_to"),
        (("é12", "", ""), "convert_to"),
        (("EUR", "", "US"), "rates_through"),
        (("eur", "", "EUR"), "rates_through"),
        (("", "bank", ""), "rates_source"),
    ],
)
def test_a_conversion_that_cannot_be_meant_is_refused(texts: tuple[str, str, str], field: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        parse_conversion(*texts)
    assert refused.value.details[0]["field"] == field


def test_only_amounts_are_converted() -> None:
    with pytest.raises(Unprocessable, match="none of the metrics is an amount"):
        converted(a_world({}), metrics=("clicks", "ctr"))
    with pytest.raises(Unprocessable, match="none of the metrics is an amount"):
        converted(a_world({}), "name", metrics=("value",), data_type="kpi_series")


@at_the_bound("MAX_LISTED_RATES", as_if=2)
def test_an_answer_lists_at_most_so_many_rates(size: int, fits: bool) -> None:
    days = DAYS[:size]
    made = converted(a_world({("p1", "c1", day): 1 for day in days}, [a_rate(day, "2") for day in days]))
    assert len(used(made)) == limits.MAX_LISTED_RATES
    assert made.head["conversion"].get("rates_more", 0) == (0 if fits else 1)
