"""The `filtering` of reports: a list of conditions whose value is JSON text.

Each level filters by its own status, NOT_DELETE unless it is asked for; a status of another level is refused (source:
the second reading, A2; airbyte #44048, #65623).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.platforms.tiktok_ads.answers import wrong
from sandbox.platforms.tiktok_ads.objects import automation, buying_type, system_origin
from sandbox.platforms.tiktok_ads.statuses import PRIMARY, ad_status, campaign_status, group_status
from sandbox.world import WorldCampaign, WorldProfile, WorldRow

_STATUS_OF = {"AUCTION_CAMPAIGN": "campaign_status", "AUCTION_ADGROUP": "adgroup_status", "AUCTION_AD": "ad_status"}
_STATUSES = frozenset({*_STATUS_OF.values(), "advertiser_status"})
_MOST_IDS = 100
_IDS: dict[str, Callable[[WorldRow], str]] = {
    "campaign_ids": lambda row: row.campaign.id if row.campaign else "",
    "adgroup_ids": lambda row: row.group.id if row.group else "",
    "ad_ids": lambda row: row.ad.id if row.ad else "",
    "ad_ids_v2": lambda row: str(row.ad.creative.get("smart_plus_ad_id", row.ad.id)) if row.ad else "",
}
_WORDS: dict[str, Callable[[WorldCampaign], str]] = {
    "buying_type": buying_type,
    "campaign_system_origins": system_origin,
    "campaign_automation_type": automation,
    "objective_type": lambda campaign: campaign.objective,
}
_USUAL = {
    "buying_type": frozenset({"AUCTION", "RESERVATION_RF"}),
    "campaign_system_origins": frozenset({"TT_ADS_PLATFORM"}),
}
_TEXTS: dict[str, Callable[[WorldRow], str]] = {
    "campaign_name": lambda row: row.campaign.name if row.campaign else "",
    "adgroup_name": lambda row: row.group.name if row.group else "",
    "ad_name": lambda row: row.ad.name if row.ad else "",
}
_NUMBERS = frozenset({"spend", "impressions", "clicks", "conversion"})
_COMPARED: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "GREATER_EQUAL": lambda value, limit: value >= limit,
    "GREATER_THAN": lambda value, limit: value > limit,
    "LOWER_EQUAL": lambda value, limit: value <= limit,
    "LOWER_THAN": lambda value, limit: value < limit,
}
_LEVEL_OF_IDS = {
    "campaign_ids": ("AUCTION_CAMPAIGN", "AUCTION_ADGROUP", "AUCTION_AD"),
    "adgroup_ids": ("AUCTION_ADGROUP", "AUCTION_AD"),
    "ad_ids": ("AUCTION_AD",),
    "ad_ids_v2": ("AUCTION_AD",),
}


class RowFilters:
    """Raises 40002 for conditions that the level does not have."""

    def __init__(self, level: str, conditions: Sequence[dict[str, Any]], *, asynchronous: bool = False) -> None:
        self._level = level
        self._statuses = ["STATUS_NOT_DELETE"]
        self._ids: dict[str, frozenset[str]] = {}
        self._words: dict[str, frozenset[str]] = {}
        self._texts: list[tuple[str, str]] = []
        self._numbers: list[tuple[str, str, Decimal]] = []
        for condition in conditions:
            if set(condition) != {"field_name", "filter_type", "filter_value"}:
                raise wrong("filtering: field_name, filter_type and filter_value are required")
            if asynchronous and condition["field_name"] not in ("campaign_ids", "adgroup_ids", "ad_ids"):
                raise wrong("filtering: asynchronous reports support campaign_ids, adgroup_ids and ad_ids only")
            self._read(str(condition["field_name"]), str(condition["filter_type"]), condition["filter_value"])
        self.key = repr((level, sorted(map(repr, conditions)), asynchronous))

    @property
    def narrowed(self) -> bool:
        """Whether campaigns or ad groups are named."""
        return bool({"campaign_ids", "adgroup_ids"} & set(self._ids))

    def _read(self, name: str, kind: str, value: object) -> None:
        if name in _STATUSES:
            self._read_status(name, kind, value)
        elif name in _IDS:
            self._read_ids(name, kind, value)
        elif name in _WORDS and self._level != "AUCTION_ADVERTISER":
            self._words[name] = frozenset(_listed(name, kind, value))
        elif name in _TEXTS and kind == "MATCH":
            self._texts.append((name, str(value)))
        elif name in _NUMBERS and kind in _COMPARED:
            try:
                self._numbers.append((name, kind, Decimal(str(value))))
            except InvalidOperation:
                raise wrong(f"filtering: {name} is compared with a number") from None
        else:
            raise wrong(f"filtering: unsupported field_name or filter_type: {name} {kind}")

    def _read_status(self, name: str, kind: str, value: object) -> None:
        if name != _STATUS_OF.get(self._level):
            raise wrong(f"filtering: {name} is not supported for data_level {self._level}")
        self._statuses = _listed(name, kind, value)
        if set(self._statuses) - set(PRIMARY):
            raise wrong(f"filtering: invalid values of {name}: {self._statuses}")

    def _read_ids(self, name: str, kind: str, value: object) -> None:
        if self._level not in _LEVEL_OF_IDS[name]:
            raise wrong(f"filtering: {name} is not supported for data_level {self._level}")
        self._ids[name] = frozenset(_listed(name, kind, value))
        if len(self._ids[name]) > _MOST_IDS:
            raise wrong(f"filtering: {name} takes at most {_MOST_IDS} ids")

    def passes(self, profile: WorldProfile, row: WorldRow, today: int) -> bool:
        """Whether a delivered row is of the report; `today` is counted from the world's first day."""
        campaign, group, ad = row.campaign, row.group, row.ad
        if self._level == "AUCTION_ADVERTISER":
            return True
        assert campaign is not None and group is not None and ad is not None  # noqa: S101, PT018 - a delivery has all
        if not campaign.id or not self._bought(campaign):
            return False
        if self._level == "AUCTION_AD" and not (ad.id if campaign.apart else ad in group.ads):
            return False
        status = {
            "AUCTION_CAMPAIGN": lambda: campaign_status(profile, campaign),
            "AUCTION_ADGROUP": lambda: group_status(profile, campaign, group),
            "AUCTION_AD": lambda: ad_status(profile, campaign, group, ad, today),
        }[self._level]()
        return any(status.passes(one) for one in self._statuses) and self._named(row)

    def _bought(self, campaign: WorldCampaign) -> bool:
        """TopView and promoted posts come only when they are asked for (reach and frequency with the auction)."""
        return all(_WORDS[name](campaign) in values for name, values in (_USUAL | self._words).items())

    def _named(self, row: WorldRow) -> bool:
        ids = all(_IDS[name](row) in values for name, values in self._ids.items())
        return ids and all(text in _TEXTS[name](row) for name, text in self._texts)

    def counts(self, values: dict[str, str]) -> bool:
        """Whether a written row passes the conditions on its numbers."""
        return all(_COMPARED[kind](Decimal(values[name]), limit) for name, kind, limit in self._numbers)

    @property
    def numbers(self) -> list[str]:
        """The metrics that conditions look at."""
        return [name for name, _, _ in self._numbers]


def _listed(name: str, kind: str, value: object) -> list[str]:
    """The words of an IN condition."""
    try:
        found = json.loads(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if kind != "IN" or not isinstance(found, list) or not all(isinstance(one, str | int) for one in found):
        raise wrong(f"filtering: {name} takes filter_type IN and a JSON array in filter_value")
    return [str(one) for one in found]
