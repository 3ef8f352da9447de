"""X (Twitter): Fivetran's tables, a row per placement. Charges are in millionths of the campaign's currency.

Whether amounts of sales are millionths as well is said nowhere: Fivetran takes them as they are, and so is this. A
row by promoted post does not name its line item.
"""

from adweir.model.mappings import Unit
from adweir.platforms.files.builtin.parts import by_level, column

MAPPINGS = by_level(
    "twitter_ads",
    (
        column("profile_id", "account_id", required=True),
        column("date", "date"),
        column("impressions", "impressions"),
        column("clicks", "clicks"),
        column("spend", "billed_charge_local_micro", unit=Unit.MICROS, required=True),
        column("conversions", "conversion_purchases_metric", plus=("conversion_custom_metric",)),
        column("revenue", "conversion_purchases_sale_amount", plus=("conversion_custom_sale_amount",)),
    ),
    {
        "campaign": (column("campaign_id", "campaign_id", required=True),),
        "ad_group": (column("ad_group_id", "line_item_id", required=True),),
    },
    constants={"platform": "twitter_ads"},
    adds_up=True,
    header_from="fivetran/dbt_twitter@4c34230 integration_tests/seeds",
)
