"""Tables that Google Ads' web page downloads as CSV, in English and German.

They need the column Day (Tag). Lines that begin with `Total: ` (`Gesamt: `) are sums of others, four of them in a
file that was looked at; a campaign may be called "Total Wine". Conversions may be fractions. Interactions are not
clicks.
"""

from adweir.platforms.files.builtin.parts import begins, by_level, column

_COMMON = (
    column(
        "profile_name",
        "Customer ID",
        "Account ID",
        "Kundennummer",
        "Konto-ID",
        "Account",
        "Account name",
        "Konto",
        "Kontoname",
    ),
    column("date", "Day", "Tag", "Date", "Datum"),
    column("currency", "Currency code", "Währungscode", "Currency", "Währung"),
    column("impressions", "Impr.", "Impressions", "Impressionen"),
    column("clicks", "Clicks", "Klicks"),
    column("spend", "Cost", "Kosten", required=True),
    column("conversions", "Conversions", "Conv."),
    column("revenue", "Conv. value", "Conv.-Wert", "Conversion value", "Conversion-Wert"),
)
_CAMPAIGN = (
    column("campaign_id", "Campaign ID", "Kampagnen-ID"),
    column("campaign_name", "Campaign", "Kampagne", required=True),
)
_AD_GROUP = (
    *_CAMPAIGN,
    column("ad_group_id", "Ad group ID", "Anzeigengruppen-ID"),
    column("ad_group_name", "Ad group", "Anzeigengruppe", required=True),
)
MAPPINGS = by_level(
    "google_ads",
    _COMMON,
    {
        "account": (),
        "campaign": _CAMPAIGN,
        "ad_group": _AD_GROUP,
        "ad": (*_AD_GROUP, column("ad_id", "Ad ID", "Anzeigen-ID", required=True)),
        "keyword": (
            *_AD_GROUP,
            column("keyword_id", "Keyword ID", "Keyword-ID"),
            column("keyword_text", "Keyword", "Search keyword", "Suchkeyword", required=True),
        ),
    },
    constants={"platform": "google_ads"},
    skip=(begins("Total: ", "Gesamt: "),),
    adds_up=True,
    header_from=(
        "intragoinc/cp-mktg-google-ads-i@c130612 Campaign report.csv; "
        "orangize-digital/sleek-page-fabricator Bericht zu Suchbegriffen.csv"
    ),
)
