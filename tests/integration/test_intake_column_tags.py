"""A pull's numbered conversion columns are read by what the catalog knows of its campaigns."""

from __future__ import annotations

from datetime import date

import pytest

from adweir.model.datasets import Dataset
from adweir.model.metrics import Grain, Level, Series
from adweir.model.platforms import Platform
from adweir.model.times import Window
from adweir.runtime.settings import Settings
from support.clock import FrozenClock
from support.load_world import LoadWorld

DESK = Platform("trade_desk")
DAYS = Window(date(2026, 11, 18), date(2026, 11, 21))
HEADER = (
    "Date,Campaign ID,Ad Group ID,Creative ID,Impressions,Clicks,Advertiser Cost (Adv Currency),"
    "01 - Click Conversion,02 - Click Conversion"
)
FILE = "\n".join([HEADER, *(f"2026-11-{day},c,g,k,100,9,1.00,3,5" for day in (18, 21))]).encode() + b"\n"


class DeskLoadWorld(LoadWorld):
    """The loader, with a profile of The Trade Desk that counts one pixel."""

    platform = DESK
    profile_fields = LoadWorld.profile_fields | {"options": {"conversions": ["buy"]}}

    def listed(self, first: str, second: str) -> None:
        """A list of campaigns says which pixel the columns 01 and 02 have now."""
        columns = [{"ReportingColumnId": number, "TrackingTagId": tag} for number, tag in enumerate((first, second), 1)]
        campaign = {"CampaignId": "c", "CampaignConversionReportingColumns": columns}
        task = self.plan(Dataset.CAMPAIGNS, None, run_id=f"list-{first}")
        assert self.pull(task, {"Result": [campaign]}) == "loaded"


@pytest.mark.usefixtures("tables")
def test_a_pixel_is_read_from_the_column_that_it_had_on_the_day(settings: Settings, clock: FrozenClock) -> None:
    # given lists of two days, between which the columns were exchanged
    world = DeskLoadWorld(clock, settings.bucket)
    world.listed("buy", "news")
    clock.advance(86_400)
    world.listed("news", "buy")
    # when a report of days before and after is loaded
    assert world.pull(world.plan(Dataset.AD_DAILY, DAYS), FILE) == "loaded"
    # then each day has the pixel's conversions
    rows = world.metrics.read(Series(DESK, "1", Level.AD, Grain.DAY), DAYS)
    assert {str(row.day): row.slot[2] for row in rows} == {"2026-11-18": 3_000_000, "2026-11-21": 5_000_000}
