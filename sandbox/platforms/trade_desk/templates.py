"""Report templates: they are made in the platform's user interface, and a schedule names one by its id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sandbox.platforms.trade_desk.columns import COSTS, TRAFFIC, VIDEO, Columns, by_pixel, label, numbered, who
from sandbox.world import WorldProfile

TEXT_FORMATS = ("CSV", "TSV")
DEALS = {"": 6, "TTD-D-10417": 4}
_DEVICES = {"ConnectedTV": 2, "Mobile": 5, "PC": 2, "Tablet": 1}
_SITES = {"news.example": 4, "games.example": 3, "weather.example": 2, "Tail Aggregate": 1}


class Template(NamedTuple):
    """A template. `splits`: columns that divide a row further, with each label's part; `places`: those of them that
    divide it by place. `pixels`: how they are named.
    """

    id: int
    name: str
    level: str = "ad"
    splits: Mapping[str, Mapping[str, int]] = {}
    formats: tuple[str, ...] = TEXT_FORMATS
    pixels: str = "numbered"
    places: tuple[str, ...] = ()

    def columns(self, profiles: list[WorldProfile]) -> Columns:
        """The columns in their order, for a file about these advertisers."""
        splits: Columns = {name: label(name) for name in (*self.places, *self.splits)}
        if self.pixels == "numbered":
            return who(self.level) | splits | TRAFFIC | COSTS | VIDEO | numbered()
        return who(self.level) | splits | TRAFFIC | COSTS | VIDEO | by_pixel(profiles, older=self.pixels == "older")


TEMPLATES = {
    template.id: template
    for template in (
        Template(168_001, "Advertiser Performance", "account"),
        Template(168_002, "Campaign Performance", "campaign"),
        Template(168_003, "Ad Group Performance", "ad_group"),
        Template(168_005, "Creative Performance", splits={"Deal ID": DEALS}),
        Template(168_006, "Creative Performance by Pixel", pixels="pixel"),
        Template(168_007, "Creative Performance by Pixel (older)", pixels="older"),
        Template(168_008, "Creative Performance by Device Type", splits={"Device Type": _DEVICES}),
        Template(168_009, "Creative Performance by Country", places=("Country",)),
        Template(168_010, "Creative Performance by Region", places=("Region",)),
        Template(168_011, "Creative Performance by Site", splits={"Site": _SITES}),
        Template(168_012, "Campaign Performance by Region", "campaign", places=("Region",)),
        Template(168_013, "Campaign Performance by Metro", "campaign", places=("Country", "Region", "Metro")),
        Template(168_020, "Performance Pivot", formats=("ExcelPivot",)),
        # What a customer makes who follows docs/platforms.md.
        Template(168_030, "adweir"),
        Template(168_031, "adweir by country", places=("Country",)),
        Template(168_032, "adweir by region", places=("Region",)),
        Template(168_033, "adweir by device", splits={"Device Type": _DEVICES}),
        Template(168_034, "adweir by placement", splits={"Site": _SITES}),
    )
}
"""By id. Traffic, costs and purchases of a template's rows sum to those of every coarser one."""
