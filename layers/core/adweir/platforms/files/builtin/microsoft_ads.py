"""Microsoft Advertising: files of its reporting API and web page, and Fivetran's tables of them.

A row is a part of a day: by device, network and match type. `Conversions` is the whole number that Microsoft no longer
fills; `ConversionsQualified` comes first. Files end in a line of Microsoft's.
"""

from adweir.platforms.files.builtin.parts import begins, by_level, column, equals

_COMMON = (
    column("profile_id", "AccountId", "Account ID", "Konto-ID"),
    column("profile_name", "AccountName", "Account name", "Kontoname"),
    column("date", "TimePeriod", "Gregorian date", "Day", "Tag", "Date", "Datum"),
    column("currency", "CurrencyCode", "Currency code", "Währungscode"),
    column("impressions", "Impressions", "Impressionen"),
    column("clicks", "Clicks", "Klicks"),
    column("spend", "Spend", "Ausgaben", required=True),
    column("conversions", "ConversionsQualified", "conversions_qualified", "Conversions"),
    column("revenue", "Revenue", "Umsatz"),
)
_CAMPAIGN = (
    column("campaign_id", "CampaignId", "Campaign ID", "Kampagnen-ID"),
    column("campaign_name", "CampaignName", "Campaign name", "Campaign", "Kampagne"),
)
_GROUP_NAMES = column("ad_group_name", "AdGroupName", "Ad group name", "Ad group", "Anzeigengruppe")
_AD_GROUP = (
    *_CAMPAIGN,
    column("ad_group_id", "AdGroupId", "Ad group ID", "Anzeigengruppen-ID", required=True),
    _GROUP_NAMES,
)
MAPPINGS = by_level(
    "microsoft_ads",
    _COMMON,
    {
        "account": (),
        "campaign": _CAMPAIGN,
        "ad_group": (*_CAMPAIGN, column("ad_group_id", "AdGroupId", "Ad group ID", "Anzeigengruppen-ID"), _GROUP_NAMES),
        "ad": (*_AD_GROUP, column("ad_id", "AdId", "Ad ID", "Anzeigen-ID", required=True)),
        "keyword": (
            *_AD_GROUP,
            column("keyword_id", "KeywordId", "Keyword ID", "Keyword-ID", required=True),
            column("keyword_text", "Keyword"),
        ),
    },
    constants={"platform": "microsoft_ads"},
    skip=(begins("@20", "©", "Total:"), equals("Total", "Gesamt")),
    adds_up=True,
    header_from=(
        "MicrosoftDocs/Advertising bingads-13/guides/reports.md; "
        "fivetran/dbt_microsoft_ads@585c0fe integration_tests/seeds"
    ),
)
