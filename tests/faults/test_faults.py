"""Each fault on each platform, through the whole system: plan, collect, poll, land, load, read."""

from __future__ import annotations

import pytest

from faults import cells_amazon, cells_google, cells_meta, cells_tiktok, cells_trade_desk
from faults.matrix import Cell, Fault
from faults.story import Story

PLATFORMS = {
    "meta_ads": cells_meta,
    "amazon_ads": cells_amazon,
    "google_ads": cells_google,
    "tiktok_ads": cells_tiktok,
    "trade_desk": cells_trade_desk,
}
ODD = {Fault.PERMISSION_LOST, Fault.RESET, Fault.DUPLICATE_ROWS, Fault.HTML, Fault.MISSING_COLUMN}
"""Faults by which an answer comes that is not what was asked for; by the others none comes."""
CELLS = [cell for cells in PLATFORMS.values() for cell in cells.CELLS]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_a_fault_costs_no_number_and_no_other_ad_account(cell: Cell) -> None:
    """Given a fault of one ad account of many, when a run pulls them all, then the ledger has the right error and the
    right delay, all others are complete, and an operator is told what there is to do. When the platform behaves again
    and that was done, then every number is the platform's, and stored once.
    """
    with Story.told(cell) as story:
        story.check_the_fault()
        story.mend()
        story.check_numbers()
        story.check_over()


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.fault in ODD], ids=lambda cell: cell.name)
def test_a_fault_takes_nothing_away_from_what_is_stored(cell: Cell) -> None:
    """Given days that are stored and a fault of one ad account, when a run pulls the days again, then all numbers are
    as they were while the fault lasts, whatever the platform did or did not answer.
    """
    with Story.told(cell, stored=True) as story:
        story.check_end()
        story.check_numbers()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_fault_has_a_story_or_a_reason_why_there_is_none(platform: str) -> None:
    told = {cell.fault for cell in PLATFORMS[platform].CELLS}

    absent = PLATFORMS[platform].ABSENT

    assert told | absent.keys() == set(Fault)
    assert told & absent.keys() == set()
    assert {cell.platform for cell in PLATFORMS[platform].CELLS} == {platform}
