"""Reddit: Fivetran's tables, a row per region. Money is in millionths.

Conversions are in tables of their own, a row per event: a file of those would replace the spend of the same days. Where
conversions are wanted, load Fivetran's `ad_reporting`. Rows by ad do not name their ad group.
"""

from adweir.model.mappings import Unit
from adweir.platforms.files.builtin.parts import by_level, column

MAPPINGS = by_level(
    "reddit_ads",
    (
        column("profile_id", "account_id", required=True),
        column("date", "date"),
        column("impressions", "impressions"),
        column("clicks", "clicks"),
        column("spend", "spend", unit=Unit.MICROS, required=True),
    ),
    {
        "account": (),
        "campaign": (column("campaign_id", "campaign_id", required=True),),
        "ad_group": (column("ad_group_id", "ad_group_id", required=True),),
    },
    constants={"platform": "reddit_ads"},
    adds_up=True,
    header_from="fivetran/dbt_reddit_ads@2d8a5ab integration_tests/seeds",
)
