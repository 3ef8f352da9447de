"""The world's bills: what they say is what reports say in the end, and what is billed and never reported."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from sandbox.outside import Outside
from sandbox.platforms import population, stand_ins
from sandbox.world import World, WorldProfile
from sandbox.world.bills import CREDIT_MEMO, INVOICE, MONTHS_BILLED, Bill, Bills, part
from sandbox.world.months import last_of
from sandbox.world.traits import LineKind
from support.platform_server import ANCHOR

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)


def billed(*, days_later: int = 0) -> tuple[World, list[WorldProfile]]:
    """A world, and its ad accounts that pay by invoice."""
    world = Outside(anchor=ANCHOR, population=population(stand_ins(), awkward=True)).world
    world.offset = timedelta(days=days_later)
    return world, [profile for profile in world.profiles if profile.billing]


@pytest.fixture(scope="module")
def world() -> World:
    """Only read."""
    return billed()[0]


@pytest.fixture(scope="module")
def bills(world: World) -> Bills:
    return Bills(world)


def accounts(world: World) -> list[WorldProfile]:
    return [profile for profile in world.profiles if profile.billing]


def one_of_each_platform(world: World) -> list[WorldProfile]:
    return list({profile.platform: profile for profile in accounts(world)}.values())


def measured(world: World, profile: WorldProfile, first: date) -> int:
    """What reports say now that a month's ads cost, in minor units."""
    rows = world.truth(profile, first, last_of(first), "account")
    return int(sum(row["spend_micros"] for row in rows)) // profile.minor_micros


def lines(documents: list[Bill], month: date, *kinds: LineKind) -> int:
    return sum(line.net for bill in documents for line in bill.lines if line.month == month and line.kind in kinds)


def test_an_account_is_invoiced_once_for_each_month_that_is_over(world: World, bills: Bills) -> None:
    for profile in one_of_each_platform(world):
        found = list(bills.issued(profile))
        months = [bill.month for bill in found if bill.kind == INVOICE]
        assert len(months) == len(set(months)) == MONTHS_BILLED
        assert months[-1] == OCTOBER
        assert len({bill.number for bill in found}) == len(found)


def test_spend_and_what_was_taken_back_of_it_are_what_reports_say(world: World, bills: Bills) -> None:
    for profile in one_of_each_platform(world):
        found = list(bills.issued(profile, SEPTEMBER, ANCHOR))
        spend = lines(found, SEPTEMBER, LineKind.SPEND, LineKind.INVALID)
        assert spend == measured(world, profile, SEPTEMBER)


def test_an_invoice_charges_each_campaign_that_delivered(world: World, bills: Bills) -> None:
    for profile in one_of_each_platform(world):
        (invoice, *_) = bills.of_month(profile, OCTOBER)
        charged = {line.campaign.id for line in invoice.lines if line.campaign and line.campaign.id}
        rows = world.truth(profile, OCTOBER, last_of(OCTOBER), "campaign")
        assert charged == {row["campaign_id"] for row in rows if row["spend_micros"]}


def test_tax_is_of_the_whole_document_and_rounded_once(world: World, bills: Bills) -> None:
    for profile in accounts(world):
        assert profile.billing is not None
        for bill in bills.of_month(profile, OCTOBER):
            assert abs(bill.tax * 1000 - bill.net * profile.billing.tax) <= 500
            assert bill.total == bill.net + bill.tax


@pytest.mark.parametrize(("amount", "rounded"), [(2499, 2), (2500, 3), (-2499, -2), (-2500, -3), (0, 0)])
def test_rates_are_rounded_half_up_and_credits_like_charges(amount: int, rounded: int) -> None:
    assert part(amount, 1) == rounded


def test_a_late_adjustment_corrects_the_invoice_of_the_month_before(world: World, bills: Bills) -> None:
    adjusted = [profile for profile in accounts(world) if profile.billing and profile.billing.correction]
    assert adjusted
    for profile in adjusted:
        found = bills.of_month(profile, OCTOBER)
        (late,) = [line for bill in found for line in bill.lines if line.kind == LineKind.ADJUSTMENT]
        assert (late.month, late.net < 0) == (SEPTEMBER, True)
        memos = [bill for bill in found if bill.kind == CREDIT_MEMO]
        if profile.billing and LineKind.ADJUSTMENT in profile.billing.memos:
            (memo,) = memos
            (before, *_) = bills.of_month(profile, SEPTEMBER)
            assert (memo.month, memo.billed_with, memo.corrects) == (SEPTEMBER, OCTOBER, before.number)


def test_a_promotional_credit_is_on_one_account_of_a_platform(world: World, bills: Bills) -> None:
    credited = [p for p in accounts(world) if p.billing and p.billing.promotion]
    assert credited
    assert len({profile.platform for profile in credited}) == len(credited)
    for profile in credited:
        (invoice, *_) = bills.of_month(profile, OCTOBER)
        assert invoice.of(LineKind.PROMOTION) < 0


def test_traffic_taken_back_after_the_invoice_is_credited_with_the_next_one() -> None:
    # given: an ad whose traffic of some September days is taken back on 21 November
    world, (profile, *_) = billed()
    before = list(Bills(world).issued(profile))
    start, end = SEPTEMBER + timedelta(days=4), SEPTEMBER + timedelta(days=20)
    spent = {
        row["ad_id"]: row["spend_micros"] for row in world.truth(profile, start, end) if row["spend_micros"] > 1_000_000
    }
    about = {"platform": profile.platform, "profile_id": profile.id, "day": ANCHOR.isoformat()}

    # when
    world.happen({"kind": "credit", **about, "ad_id": min(spent), "start": str(start), "end": str(end)})

    # then: no invoice changes, and November's, which comes in December, has the credit
    bills = Bills(world)
    assert [bill.total for bill in bills.issued(profile)] == [bill.total for bill in before]
    assert lines(before, SEPTEMBER, LineKind.SPEND, LineKind.INVALID) > measured(world, profile, SEPTEMBER)
    world.offset = timedelta(days=20)
    after = list(bills.issued(profile))
    assert lines(after, SEPTEMBER, LineKind.SPEND, LineKind.INVALID) == measured(world, profile, SEPTEMBER)
    assert [bill.total for bill in after[: len(before)]] == [bill.total for bill in before]


def test_a_month_is_billed_from_its_day_on() -> None:
    for early, months in ((8, 0), (14, 1)):
        world, profiles = billed(days_later=early)
        for profile in profiles[:2]:
            found = Bills(world).of_month(profile, date(2026, 11, 1))
            assert bool(found) == bool(months)
            assert Bills(world).of_month(profile, date(9999, 12, 1)) == []


def test_the_running_month_has_no_document_yet(world: World, bills: Bills) -> None:
    for profile in accounts(world):
        ((month, spent),) = bills.unbilled(profile)
        assert month == date(2026, 11, 1)
        rows = world.rows(profile, "account", month, ANCHOR - timedelta(days=1))
        assert spent == sum(row.numbers.spend for row in rows)
