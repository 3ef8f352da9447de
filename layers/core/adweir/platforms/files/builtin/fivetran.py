"""The models of Fivetran's dbt package `ad_reporting`: those that have a day and a level of ours.

`url_report` holds only ads with a link and `search_report` is of search terms: neither is the whole of a level. The
`monthly_…` models have no days. No model says a currency: where it is not the ad account's, put it into `constants`.
LinkedIn's campaign groups are `campaign_id` here and its campaigns are `ad_group_id`, and its spend is in US dollars
unless `linkedin_ads__use_local_currency` is set.
"""

from adweir.platforms.files.builtin.parts import by_level, column

_ACCOUNT = (
    column("platform", "platform", required=True),
    column("profile_id", "account_id", required=True),
    column("date", "date_day"),
    column("impressions", "impressions"),
    column("clicks", "clicks"),
    column("spend", "spend", required=True),
    column("conversions", "conversions"),
    column("revenue", "conversions_value"),
)
_CAMPAIGN = (column("campaign_id", "campaign_id", required=True), column("campaign_name", "campaign_name"))
_AD_GROUP = (
    *_CAMPAIGN,
    column("ad_group_id", "ad_group_id", required=True),
    column("ad_group_name", "ad_group_name"),
)
MAPPINGS = by_level(
    "fivetran",
    _ACCOUNT,
    {
        "account": (),
        "campaign": _CAMPAIGN,
        "ad_group": _AD_GROUP,
        "ad": (*_AD_GROUP, column("ad_id", "ad_id", required=True), column("ad_name", "ad_name")),
        "keyword": (
            *_AD_GROUP,
            column("keyword_id", "keyword_id", required=True),
            column("keyword_text", "keyword_text"),
        ),
    },
    header_from="fivetran/dbt_ad_reporting@1fb3d7f (2.3.0), models/ad_reporting__*_report.sql",
)
