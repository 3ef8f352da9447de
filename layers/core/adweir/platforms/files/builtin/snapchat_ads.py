"""Snapchat: Fivetran's hourly tables, added up to days. Times are UTC, money is in millionths, swipes are clicks.

They name no ad account. Rows by ad do not name their ad squad: of ads, only Fivetran's `ad_reporting` can be read.
"""

from adweir.model.mappings import Unit
from adweir.platforms.files.builtin.parts import by_level, column

MAPPINGS = by_level(
    "snapchat_ads",
    (
        column("date", "date"),
        column("impressions", "impressions"),
        column("clicks", "swipes"),
        column("spend", "spend", unit=Unit.MICROS, required=True),
        column("conversions", "conversion_purchases"),
        column("revenue", "conversion_purchases_value", unit=Unit.MICROS),
    ),
    {
        "campaign": (column("campaign_id", "campaign_id", required=True),),
        "ad_group": (column("ad_group_id", "ad_squad_id", required=True),),
    },
    constants={"platform": "snapchat_ads"},
    timezone="UTC",
    adds_up=True,
    header_from="fivetran/dbt_snapchat_ads@e4b8717 integration_tests/seeds",
)
