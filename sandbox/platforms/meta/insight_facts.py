"""One answer row of insights before it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.world import Numbers, WorldAd, WorldAdGroup, WorldCampaign, WorldProfile, WorldRow


@dataclass(frozen=True, slots=True)
class Facts:
    """One answer row before it is written: the parts that were added, and their sum `n`.

    `windows`: attribution windows that were asked for. `off_meta`: whether off-Meta actions are returned. `hourly`:
    reach and frequency are then 0 (Insights API Breakdowns, Hourly).
    """

    profile: WorldProfile
    level: str
    parts: Sequence[WorldRow]
    n: Numbers
    windows: Sequence[str] = ()
    off_meta: bool = True
    hourly: bool = False

    @property
    def campaign(self) -> WorldCampaign | None:
        """The row's campaign, below the account's level."""
        return self.parts[0].campaign if self.level != "account" else None

    @property
    def group(self) -> WorldAdGroup | None:
        """The row's ad set."""
        return self.parts[0].group if self.level in ("adset", "ad") else None

    @property
    def ad(self) -> WorldAd | None:
        """The row's ad."""
        return self.parts[0].ad if self.level == "ad" else None

    @property
    def cost(self) -> int:
        """The spend in millionths."""
        return self.n.spend * self.profile.minor_micros

    @property
    def reach(self) -> int:
        """People reached."""
        return 0 if self.hourly or not self.n.impressions else max(1, self.n.impressions * 11 // 12)

    @property
    def links(self) -> int:
        """Clicks on a link."""
        return self.n.clicks * 5 // 8

    @property
    def video(self) -> int:
        """Impressions of ads that show a video."""
        return sum(row.numbers.impressions for row in self.parts if row.ad and "video_id" in row.ad.creative)
