"""The metrics and dimensions of reports by their names."""

from __future__ import annotations

from collections.abc import Mapping

from adweir.reporting.bound_to import DIMENSIONS as OF_CAMPAIGNS
from adweir.reporting.breakdowns import DIMENSIONS as SPLIT_BY
from adweir.reporting.filters import NEEDS

METRICS = (
    "impressions",
    "clicks",
    "conversions",
    "spend",
    "cost",
    "revenue",
    "ctr",
    "cvr",
    "conversion_rate",
    "cpa",
    "cpc",
    "cpm",
    "roas",
    "acos",
)
NO_MONEY = {"impressions", "clicks", "conversions", "ctr", "cvr", "conversion_rate"}
"""Metrics that are no money, nor made of any."""
OTHER_NAMES = {"cost": "spend"}
"""Metrics that are others by another name."""
MADE_OF: Mapping[str, tuple[str, ...]] = {
    "ctr": ("clicks", "impressions"),
    "cvr": ("conversions", "clicks"),
    "conversion_rate": ("conversions", "clicks"),
    "cpa": ("spend", "conversions"),
    "cpc": ("spend", "clicks"),
    "cpm": ("spend", "impressions"),
    "roas": ("revenue", "spend"),
    "acos": ("spend", "revenue"),
}
"""The numbers that a ratio is made of."""
SHORT_NAMES = {
    "account": "account_id",
    "client": "client_account_id",
    "campaign": "campaign_id",
    "ad_group": "ad_group_id",
    "ad": "ad_id",
    "keyword": "keyword_id",
    "cross_campaign": "cross_campaign_id",
    "arm": "arm_id",
}
"""Short names of dimensions and segments, and the fields that they mean."""
_MAY_LACK = frozenset((*NEEDS, *OF_CAMPAIGNS))
ID_COLUMNS = frozenset((*_MAY_LACK, *(short for short, name in SHORT_NAMES.items() if name in _MAY_LACK), *SPLIT_BY))
"""Columns that are empty in a row of what is unattributed."""
