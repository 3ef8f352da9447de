"""Datasets: what a task pulls."""

from __future__ import annotations

from enum import StrEnum

from adweir.model.metrics import Grain, Level


class Dataset(StrEnum):
    PROFILES = "profiles"
    CAMPAIGNS = "campaigns"
    AD_GROUPS = "ad_groups"
    ADS = "ads"
    KEYWORDS = "keywords"
    ACCOUNT_DAILY = "account_daily"
    CAMPAIGN_DAILY = "campaign_daily"
    AD_GROUP_DAILY = "ad_group_daily"
    AD_DAILY = "ad_daily"
    KEYWORD_DAILY = "keyword_daily"
    ACCOUNT_HOURLY = "account_hourly"
    CAMPAIGN_HOURLY = "campaign_hourly"
    AD_HOURLY = "ad_hourly"

    @property
    def grain(self) -> Grain | None:
        """Day or hour for metrics, None for entities."""
        if self.value.endswith("_daily"):
            return Grain.DAY
        return Grain.HOUR if self.value.endswith("_hourly") else None

    @property
    def level(self) -> Level:
        """The level of its rows or objects."""
        if self.grain:
            return Level(self.value.rpartition("_")[0])
        return {
            "profiles": Level.ACCOUNT,
            "campaigns": Level.CAMPAIGN,
            "ad_groups": Level.AD_GROUP,
            "ads": Level.AD,
            "keywords": Level.KEYWORD,
        }[self.value]
