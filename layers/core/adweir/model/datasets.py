"""Datasets: what a task pulls.

A metric dataset is `<level>_<grain>`, or `<level>_by_<breakdown>_<grain>` where it splits the rows of a level by values
of a breakdown (age and gender, country, ...). Breakdowns are kept apart: no total sums them, and queries reach them
only by name.

A region is the part of a country that the platform reports (a state, a province), by the name that the platform gives
it: `California`. What a platform attributes to no region is in no row, so it is what the rows leave of the campaign.

`changes` are no objects: the platform names campaigns of which something changed lately, and these are pulled again.

`streams` are subscriptions to what the platform sends by itself; to pull them is to bring them to what is wanted.

Invoices come by month: their tasks have a window, of months, and bring bills (`model.invoices`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from adweir.model.metrics import Grain, Level

_BY = "_by_"
BETWEEN_VALUES = "/"
"""Between the values of a breakdown of two dimensions: `65+/female`. An age group may hold a plus."""


class Gap(NamedTuple):
    """Why the rows of a level may lawfully add up to less than what the platform shows one level higher.

    `reason` is a word for programs, `says` a sentence for people. `objectives`: only of campaigns with such an
    objective (`AdCampaign.objective`), whose numbers the level above names; none: of any, and nobody can say how much.
    """

    reason: str
    says: str
    objectives: frozenset[str] = frozenset()


class Dataset(StrEnum):
    PROFILES = "profiles"
    CAMPAIGNS = "campaigns"
    AD_GROUPS = "ad_groups"
    ADS = "ads"
    CREATIVES = "creatives"
    KEYWORDS = "keywords"
    TARGETS = "targets"
    NEGATIVES = "negatives"
    CHANGES = "changes"
    STREAMS = "streams"
    INVOICES = "invoices"
    ACCOUNT_DAILY = "account_daily"
    CAMPAIGN_DAILY = "campaign_daily"
    AD_GROUP_DAILY = "ad_group_daily"
    AD_DAILY = "ad_daily"
    KEYWORD_DAILY = "keyword_daily"
    AD_BY_AGE_GENDER_DAILY = "ad_by_age_gender_daily"
    AD_BY_COUNTRY_DAILY = "ad_by_country_daily"
    AD_BY_REGION_DAILY = "ad_by_region_daily"
    AD_BY_DEVICE_DAILY = "ad_by_device_daily"
    AD_BY_PLACEMENT_DAILY = "ad_by_placement_daily"
    AD_GROUP_BY_AGE_DAILY = "ad_group_by_age_daily"
    AD_GROUP_BY_GENDER_DAILY = "ad_group_by_gender_daily"
    AD_GROUP_BY_SEARCH_TERM_DAILY = "ad_group_by_search_term_daily"
    CAMPAIGN_BY_CONVERSION_ACTION_DAILY = "campaign_by_conversion_action_daily"
    CAMPAIGN_BY_COUNTRY_DAILY = "campaign_by_country_daily"
    CAMPAIGN_BY_DEVICE_DAILY = "campaign_by_device_daily"
    CAMPAIGN_BY_PLACEMENT_DAILY = "campaign_by_placement_daily"
    CAMPAIGN_BY_REGION_DAILY = "campaign_by_region_daily"
    CAMPAIGN_BY_SHOP_DAILY = "campaign_by_shop_daily"
    CAMPAIGN_BY_SEARCH_TERM_DAILY = "campaign_by_search_term_daily"
    KEYWORD_BY_SEARCH_TERM_DAILY = "keyword_by_search_term_daily"
    ACCOUNT_HOURLY = "account_hourly"
    CAMPAIGN_HOURLY = "campaign_hourly"
    AD_GROUP_HOURLY = "ad_group_hourly"
    AD_HOURLY = "ad_hourly"

    @property
    def grain(self) -> Grain | None:
        """Day or hour for metrics, None for entities and invoices."""
        if self.value.endswith("_daily"):
            return Grain.DAY
        return Grain.HOUR if self.value.endswith("_hourly") else None

    @property
    def changes_days(self) -> bool:
        """Whether it changes a day's numbers, what they are named by, or what they are billed: what scores and
        media-mix datasets are made of. Hours do not."""
        return self.grain is not Grain.HOUR and self not in _OF_NO_DAY

    @property
    def level(self) -> Level:
        """The level of its rows or objects; of a breakdown, the level that it splits."""
        if self.grain:
            return Level(self.value.rpartition("_")[0].partition(_BY)[0])
        return _OBJECTS[self]

    @property
    def breakdown(self) -> str:
        """What the rows of the level are split by, as it stands in a series: `age_gender`; "" for the level itself."""
        return self.value.rpartition("_")[0].partition(_BY)[2] if self.grain else ""


_OF_NO_DAY = (Dataset.PROFILES, Dataset.CHANGES, Dataset.STREAMS)
_OBJECTS = {
    Dataset.PROFILES: Level.ACCOUNT,
    Dataset.INVOICES: Level.ACCOUNT,
    Dataset.STREAMS: Level.ACCOUNT,
    Dataset.CAMPAIGNS: Level.CAMPAIGN,
    Dataset.AD_GROUPS: Level.AD_GROUP,
    Dataset.ADS: Level.AD,
    Dataset.CREATIVES: Level.AD,
    Dataset.KEYWORDS: Level.KEYWORD,
    Dataset.TARGETS: Level.KEYWORD,
    Dataset.NEGATIVES: Level.KEYWORD,
    Dataset.CHANGES: Level.CAMPAIGN,
}
