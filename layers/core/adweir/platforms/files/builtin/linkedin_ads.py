"""LinkedIn: Fivetran's table `ad_analytics_by_campaign`.

What LinkedIn calls a campaign is an ad group here, and its campaign groups are campaigns, as in Fivetran's models.
The table names no ad account and no currency; the local currency is read, not the one in dollars. Rows by creative do
not name their campaign: of ads, only Fivetran's `ad_reporting` can be read.
"""

from adweir.platforms.files.builtin.parts import by_level, column

MAPPINGS = by_level(
    "linkedin_ads",
    (
        column("date", "day"),
        column("impressions", "impressions"),
        column("clicks", "clicks"),
        column("spend", "cost_in_local_currency", required=True),
        column("conversions", "external_website_conversions", plus=("one_click_leads",)),
        column("revenue", "conversion_value_in_local_currency"),
    ),
    {"ad_group": (column("ad_group_id", "campaign_id", required=True),)},
    constants={"platform": "linkedin_ads"},
    header_from="fivetran/dbt_linkedin@32ae963 integration_tests/seeds",
)
