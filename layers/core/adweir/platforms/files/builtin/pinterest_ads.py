"""Pinterest: Fivetran's tables. Its numbers of paid and of earned views are added; money is in millionths."""

from adweir.model.mappings import Unit
from adweir.platforms.files.builtin.parts import by_level, column

_CAMPAIGN = (column("campaign_id", "campaign_id", required=True), column("campaign_name", "campaign_name"))
_AD_GROUP = (
    column("campaign_id", "campaign_id"),
    column("ad_group_id", "ad_group_id", required=True),
    column("ad_group_name", "ad_group_name"),
)
MAPPINGS = by_level(
    "pinterest_ads",
    (
        column("profile_id", "advertiser_id", required=True),
        column("date", "date"),
        column("impressions", "impression_1", plus=("impression_2",)),
        column("clicks", "clickthrough_1", plus=("clickthrough_2",)),
        column("spend", "spend_in_micro_dollar", unit=Unit.MICROS, required=True),
        column("conversions", "total_conversions"),
        column("revenue", "total_conversions_value_in_micro_dollar", unit=Unit.MICROS),
    ),
    {
        "account": (),
        "campaign": _CAMPAIGN,
        "ad_group": _AD_GROUP,
        "ad": (*_AD_GROUP, column("ad_id", "pin_promotion_id", required=True)),
        "keyword": (*_AD_GROUP, column("keyword_id", "keyword_id", required=True)),
    },
    constants={"platform": "pinterest_ads"},
    adds_up=True,
    header_from="fivetran/dbt_pinterest@ae8f947 integration_tests/seeds",
)
