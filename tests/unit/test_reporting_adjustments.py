"""Shown = raw + held + kept + unattributed - quarantined - overridden + cleaned + converted, whatever has happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model.metrics import METRICS, Deltas, Level, MetricRow, Slot, Source
from adweir.reporting.adjustments import TERMS
from adweir.reporting.reports import MetricReport
from adweir.store.metrics.brought import PullRows
from support.reading_world import EXACT, LOSSY, ReadingWorld, a_profile

DAYS = ("2026-11-17", "2026-11-18")
ADS = ("a1", "a2", "a3")
_ZERO = Decimal(0)


class Sent(NamedTuple):
    """A row as it was sent: spend in millionths, and what cleaning makes of it. `bad`: it is quarantined."""

    spend: int
    cleaned: Decimal = _ZERO
    bad: bool = False

    @property
    def stored(self) -> Slot:
        """What is stored: the sent numbers and what cleaning added."""
        return (self.spend % 97, self.spend % 7, self.spend * 2, self.spend, None)

    @property
    def raw(self) -> tuple[Fraction, ...]:
        numbers = [Fraction(number or 0) for number in self.stored]
        numbers[3] -= Fraction(self.cleaned)
        return tuple(numbers)


Key = tuple[str, str]


@dataclass
class Story:
    """What arrives at a world, and what of it answers: the newest pull of a level and, hidden or not, the files."""

    world: ReadingWorld = field(default_factory=lambda: ReadingWorld(a_profile()))
    pulled: dict[Level, tuple[str, Mapping[Key, Sent]]] = field(default_factory=dict)
    dropped: dict[Key, tuple[str, Sent]] = field(default_factory=dict)

    def arrive(self, level: Level, source: Source, rows: Mapping[Key, Sent], currency: str = "USD") -> None:
        found = PullRows()
        for (name, day), sent in rows.items():
            entity, campaign, group = ("p1", "", "") if level is Level.ACCOUNT else (f"g1~{name}", "c1", "g1")
            if sent.bad:
                found.quarantined(entity, day)
                found.adjusting.quarantine(day, (entity, campaign, group, "", currency), sent.stored)
                continue
            found.offer(
                MetricRow(entity, day, *sent.stored, campaign_id=campaign, ad_group_id=group, currency=currency)
            )
            if sent.cleaned:
                cleaned: Deltas = (_ZERO, _ZERO, _ZERO, sent.cleaned, _ZERO)
                found.adjusting.clean(day, (entity, campaign, group, "", currency), cleaned)
        whole = {"complete": True, "has_totals": level is not Level.ACCOUNT}
        more = whole if source is Source.PULL else {"complete": False}
        pull = self.world.made_pull(level, LOSSY, "all", DAYS, source=source, currency=currency, **more)
        self.world.store.load(pull, found, accept_vanish=True)
        if source is Source.PULL:
            self.pulled[level] = (currency, rows)
        else:
            self.dropped |= {key: (currency, sent) for key, sent in rows.items()}

    def raw(self, asked: str, *levels: Level) -> tuple[Fraction, ...]:
        """The sums of what was sent in a currency, for the first of the levels that was pulled and by its files."""
        level = next((level for level in levels if level in self.pulled), Level.AD)
        currency, rows = self.pulled.get(level, (asked, {}))
        sent = [row for row in rows.values() if currency == asked]
        if level is Level.AD:
            sent += [row for currency, row in self.dropped.values() if currency == asked]
        return tuple(sum((row.raw[index] for row in sent), Fraction(0)) for index in range(len(METRICS)))

    def report(self, *dimensions: str) -> MetricReport:
        return self.world.report(*dimensions, metrics=("impressions", "clicks", *METRICS[2:]), days=DAYS)


amounts = st.integers(0, 5_000_000)
deltas = st.sampled_from([_ZERO, _ZERO, Decimal("0.4"), Decimal("-12.0000003"), Decimal(250_000)])
as_sent = st.builds(Sent, amounts, st.just(_ZERO), st.just(False))
fine = st.builds(Sent, amounts, deltas, st.just(False))
maybe_bad = fine | st.builds(Sent, amounts, st.just(_ZERO), st.just(True))
of_ads = st.dictionaries(st.tuples(st.sampled_from(ADS), st.sampled_from(DAYS)), maybe_bad, max_size=6)
of_files = st.dictionaries(st.tuples(st.sampled_from(ADS), st.sampled_from(DAYS)), as_sent, max_size=4)
of_account = st.fixed_dictionaries({("p1", DAYS[0]): fine, ("p1", DAYS[1]): fine})
kinds = st.one_of(
    st.tuples(st.just(Level.AD), st.just(Source.PULL), of_ads),
    st.tuples(st.just(Level.AD), st.just(Source.PULL), of_ads),
    st.tuples(st.just(Level.AD), st.just(Source.FILE), of_files),
    st.tuples(st.just(Level.ACCOUNT), st.just(Source.PULL), of_account),
)
arrivals = st.tuples(kinds, st.sampled_from(["USD", "USD", "EUR"]))


def exact(number: Any, metric: str) -> Fraction:
    """A number of an answer in millionths, or a count."""
    return Fraction(number) * (1 if metric in METRICS[:2] else 1_000_000)


def shown(rows: Iterable[Mapping[str, Any]], metric: str) -> Fraction:
    return sum((exact(row[metric] or 0, metric) for row in rows), Fraction(0))


@settings(max_examples=200, deadline=None)
@given(st.lists(arrivals, min_size=1, max_size=6))
def test_every_report_adds_up_to_the_millionth(
    story: list[tuple[tuple[Level, Source, Mapping[Key, Sent]], str]],
) -> None:
    # given pulls and files in any order: rows that are cleaned, quarantined, deleted later, restated, in two currencies
    told = Story()
    for arrival, currency in story:
        told.arrive(*arrival, currency)
    for dimensions, levels in (((), (Level.ACCOUNT, Level.AD)), (("date", "ad"), (Level.AD,))):
        # when it is reported
        report = told.report(*dimensions)
        found = {each["currency"]: each for each in report.adjustments}
        for currency in ("USD", "EUR"):
            raw = told.raw(currency, *levels)
            rows, totals = (
                [row for row in part if row["currency"] == currency] for part in (report.rows, report.totals)
            )
            for index, metric in enumerate(METRICS):
                sums = found[currency][metric] if currency in found else dict.fromkeys(TERMS, 0)
                terms = {term: exact(sums[term], metric) for term in TERMS}
                # then what is shown is the rows, and what is raw was sent
                assert terms["shown"] == shown(rows, metric) == shown(totals, metric)
                assert terms["raw"] == raw[index], (metric, dimensions, currency)
                # and the one follows from the other
                added = sum(terms[term] for term in ("held", "kept", "unattributed", "cleaned", "converted"))
                assert terms["shown"] == terms["raw"] + added - terms["quarantined"] - terms["overridden"]
    # and the rows of the ads are the account's
    for currency in ("USD", "EUR"):
        by_level = ([row for row in told.report(*by).rows if row["currency"] == currency] for by in (("ad",), ()))
        ads, account = (shown(rows, "spend") for rows in by_level)
        assert ads == account


def one(**rows: Sent) -> dict[Key, Sent]:
    return {(name, DAYS[1]): sent for name, sent in rows.items()}


@pytest.fixture
def told() -> Story:
    """Three ads, of which the next pull deletes one, quarantines one and restates one; then a file."""
    told = Story()
    told.arrive(Level.AD, Source.PULL, one(a1=Sent(10_000_000), a2=Sent(20_000_000), a3=Sent(40_000_000)))
    total = {("p1", day): Sent(75_000_000 * (day == DAYS[1])) for day in DAYS}
    told.arrive(Level.AD, Source.PULL, one(a1=Sent(11_000_000, Decimal(1_000_000)), a2=Sent(99_000_000, bad=True)))
    told.arrive(Level.ACCOUNT, Source.PULL, total)
    told.arrive(Level.AD, Source.FILE, one(a1=Sent(3_000_000)))
    return told


def test_each_term_has_its_meaning(told: Story) -> None:
    (spend,) = [each["spend"] for each in told.report("ad").adjustments]
    assert spend == {
        "shown": 75,
        "raw": 10 + 99 + 3,  # a1 before cleaning, a2 as it came, the file
        "held": 20,  # a2's older number
        "kept": 40,  # a3, which the account's total still contains
        "unattributed": 4,
        "quarantined": 99,
        "overridden": 3,
        "cleaned": 1,
        "converted": 0,
    }
    rows = {row["ad"]: row for row in told.report("ad").rows}
    assert (rows["a3"]["kept"], rows["a3"]["spend"]) == (True, 40)
    assert "kept" not in rows["a1"]


def test_the_terms_obey_the_same_filters_as_the_rows(told: Story) -> None:
    def spend(ad: str) -> dict[str, Any]:
        report = told.world.report("ad", days=DAYS, segments={"ad": [ad]})
        (found,) = [each["spend"] for each in report.adjustments]
        return {term: number for term, number in found.items() if number}

    assert spend("a1") == {"shown": 11, "raw": 13, "overridden": 3, "cleaned": 1}
    assert spend("a2") == {"shown": 20, "raw": 99, "held": 20, "quarantined": 99}
    assert spend("a3") == {"shown": 40, "kept": 40}


def test_a_day_outside_of_the_range_adjusts_nothing(told: Story) -> None:
    report = told.world.report("ad", days=(DAYS[0], DAYS[0]))
    assert report.adjustments == []
    assert date.fromisoformat(DAYS[0]) < told.world.now.date()


def test_adjustments_are_per_currency() -> None:
    world = ReadingWorld(a_profile(), a_profile(profile_id="p2", currency="EUR"))
    for profile_id, currency in (("p1", "USD"), ("p2", "EUR")):
        row = MetricRow(profile_id, DAYS[1], 1, 1, 0, 5_000_000, 0, currency=currency)
        world.pull(Level.ACCOUNT, row, profile_id=profile_id, currency=currency)
    found = {each["currency"]: each["spend"]["shown"] for each in world.report().adjustments}
    assert found == {"EUR": 5, "USD": 5}


def test_of_a_day_in_two_currencies_each_adjustment_is_in_its_own() -> None:
    # given an ad account that changed its currency between the pulls of two products of a day
    world = ReadingWorld(a_profile(EXACT, currency="EUR"))
    zero = (_ZERO,) * 3
    for product, currency, spend in (("sp", "USD", 5_000_000), ("sb", "EUR", 8_000_000)):
        found = PullRows()
        ids = (f"g1~{product}", "c1", "g1", product, currency)
        found.offer(MetricRow(ids[0], DAYS[1], 1, 1, 0, spend, 0, "c1", "g1", currency=currency, ad_product=product))
        found.adjusting.clean(DAYS[1], ids, (*zero, Decimal(spend // 10), _ZERO))
        # and a row of each that cannot be stored, in the second pull one that is still in the first currency
        for kept in {currency, "USD"}:
            bad = f"g1~bad-{product}-{kept}"
            found.quarantined(bad, DAYS[1])
            found.adjusting.quarantine(DAYS[1], (bad, "c1", "g1", product, kept), (0, 0, 0, 1_000_000, 0))
        pull = world.made_pull(Level.AD, EXACT, product, (DAYS[1], DAYS[1]), currency=currency)
        world.store.load(pull, found, accept_vanish=True)
    # when it is reported, then what was sent in a currency is told in that currency
    terms = {each["currency"]: each["spend"] for each in world.report("ad", days=DAYS).adjustments}
    zeros = dict.fromkeys(TERMS, 0)
    assert terms == {
        "USD": zeros | {"shown": 5, "raw": Decimal("6.5"), "quarantined": 2, "cleaned": Decimal("0.5")},
        "EUR": zeros | {"shown": 8, "raw": Decimal("8.2"), "quarantined": 1, "cleaned": Decimal("0.8")},
    }
