"""What happens on the platforms between the demonstration's two pulls, as it happens to every advertiser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops.client import Api
from ops.demo.world import WorldDoors

_PRODUCT = "sd"
_TAKEN_BACK_DAYS = (9, 7)
"""From so many days ago to so many: settled enough that nothing else would restate their spend."""


@dataclass(frozen=True)
class Events:
    """Makes the platforms act. The profiles are those that were listed, as the API shows them."""

    api: Api
    world: WorldDoors

    def refuse_product(self, amazon: Mapping[str, Any]) -> None:
        """One seller may not use Sponsored Display; the rest of the ad account is healthy."""
        self._authorize(amazon["profile_id"], allowed=False)

    @staticmethod
    def loser(profiles: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """The ad account that loses an ad."""
        return next(profile for profile in profiles if profile["platform"] == "meta_ads")

    def go_on(self, profiles: Sequence[Mapping[str, Any]], amazon: Mapping[str, Any]) -> set[str]:
        """The product comes back, an ad is deleted for good, invalid traffic is credited, and a day passes.

        Returns the ids of the deleted ads. One ad account loses an ad and another one traffic: where both happen on one
        day, its total cannot say which of them it lost.
        """
        self._authorize(amazon["profile_id"], allowed=True)
        last = [profile for profile in profiles if profile["platform"] == "meta_ads"][-1]
        deleted = self._happens(self.loser(profiles), "delete", {"forget": True})
        self._happens(last, "credit", self._taken_back(0))
        self._happens(amazon, "credit", self._taken_back(400))
        self.world.post("clock", {"advance_days": 1})
        return {deleted}

    def _happens(self, profile: Mapping[str, Any], door: str, more: Mapping[str, Any]) -> str:
        ad = self._an_ad(profile["profile_id"])
        self.world.post(door, {"profile_id": profile["profile_id"], "ad_id": ad, **more})
        return ad

    def _authorize(self, profile_id: str, *, allowed: bool) -> None:
        self.world.post("product", {"profile_id": profile_id, "product": _PRODUCT, "authorized": allowed})

    def _taken_back(self, keep: int) -> dict[str, Any]:
        first, last = (self.world.day(ago).isoformat() for ago in _TAKEN_BACK_DAYS)
        return {"start": first, "end": last, "keep": keep}

    def _an_ad(self, profile_id: str) -> str:
        """The id of the profile's ad with the most spend on the last of the days that are credited."""
        day = self.world.day(_TAKEN_BACK_DAYS[1]).isoformat()
        filters = {"profile_id": profile_id, "date_range": {"start": day, "end": day}}
        ads = [row for row in self.api.records("ad_performance", filters) if row["ad_id"]]
        ad_id: str = max(ads, key=lambda row: (row["spend"], row["ad_id"]))["ad_id"]
        return ad_id
