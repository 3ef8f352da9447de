"""Apple Search Ads: Fivetran's tables. Taps are clicks, installs after a tap are conversions; there is no revenue.

They name no organisation. Rows by keyword do not name their ad group.
"""

from adweir.platforms.files.builtin.parts import by_level, column

MAPPINGS = by_level(
    "apple_search_ads",
    (
        column("date", "date"),
        column("currency", "local_spend_currency"),
        column("impressions", "impressions"),
        column("clicks", "taps"),
        column("spend", "local_spend_amount", required=True),
        column("conversions", "tap_installs", "conversions"),
    ),
    {
        "campaign": (column("campaign_id", "id", required=True),),
        "ad_group": (
            column("campaign_id", "campaign_id"),
            column("ad_group_id", "ad_group_id", required=True),
        ),
        "ad": (
            column("campaign_id", "campaign_id"),
            column("ad_group_id", "ad_group_id", required=True),
            column("ad_id", "ad_id", required=True),
        ),
    },
    constants={"platform": "apple_search_ads"},
    adds_up=True,
    header_from="fivetran/dbt_apple_search_ads@5ebce68 integration_tests/seeds",
)
