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


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_fault_has_a_story_or_a_reason_why_there_is_none(platform: str) -> None:
    told = {cell.fault for cell in PLATFORMS[platform].CELLS}

    absent = PLATFORMS[platform].ABSENT

    assert told | absent.keys() == set(Fault)
    assert told & absent.keys() == set()
    assert {cell.platform for cell in PLATFORMS[platform].CELLS} == {platform}
