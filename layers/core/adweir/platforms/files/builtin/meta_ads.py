"""Tables of Meta's Ads Manager and Ads Reporting, in English and German.

They need the column Day (Tag), or rows of a single day. `Results` counts something else in each row: purchases are
read, and whoever counts leads or registrations names that column in a mapping of their own. Rows of a breakdown (age,
placement) are added up. A row without a name is the sum of the others.
"""

from adweir.platforms.files.builtin.parts import by_level, column, empty

_COMMON = (
    column("profile_name", "Account ID", "Konto-ID", "Account name", "Name des Werbekontos", "Kontoname"),
    column("date", "Day", "Tag", "Date", "Datum"),
    column("range_start", "Reporting starts", "Berichtszeitraum beginnt", "Auswertungsstart", "Berichtsstart"),
    column("range_end", "Reporting ends", "Berichtszeitraum endet", "Auswertungsende", "Berichtsende"),
    column("currency", "Currency", "Währung"),
    column("impressions", "Impressions", "Impressionen"),
    column("clicks", "Clicks (all)", "Klicks (alle)", "Link clicks", "Link-Klicks"),
    column("spend", "Amount spent ({currency})", "Ausgegebener Betrag ({currency})", "Amount spent", required=True),
    column("conversions", "Purchases", "Käufe", "Website purchases", "Website-Käufe"),
    column(
        "revenue",
        "Purchases conversion value",
        "Purchase conversion value",
        "Conversion-Wert von Käufen",
        "Conversion-Wert für Käufe",
        "Website purchases conversion value",
    ),
)
_NAMES = {
    "campaign": ("Campaign name", "Campaigns", "Kampagnenname", "Name der Kampagne"),
    "ad_group": ("Ad set name", "Ad Set Name", "Ad sets", "Anzeigengruppenname", "Name der Anzeigengruppe"),
    "ad": ("Ad name", "Ads", "Anzeigenname", "Name der Anzeige"),
}
_CAMPAIGN_ID = column("campaign_id", "Campaign ID", "Kampagnen-ID")
_GROUP_ID = column("ad_group_id", "Ad set ID", "Anzeigengruppen-ID")
_CAMPAIGN = (_CAMPAIGN_ID, column("campaign_name", *_NAMES["campaign"]))
_AD_GROUP = (*_CAMPAIGN, _GROUP_ID, column("ad_group_name", *_NAMES["ad_group"]))
MAPPINGS = by_level(
    "meta_ads",
    _COMMON,
    {
        "account": (),
        "campaign": (_CAMPAIGN_ID, column("campaign_name", *_NAMES["campaign"], required=True)),
        "ad_group": (*_CAMPAIGN, _GROUP_ID, column("ad_group_name", *_NAMES["ad_group"], required=True)),
        "ad": (
            *_AD_GROUP,
            column("ad_id", "Ad ID", "Anzeigen-ID"),
            column("ad_name", *_NAMES["ad"], required=True),
        ),
    },
    constants={"platform": "meta_ads"},
    skip=(empty(*(name for names in _NAMES.values() for name in names)),),
    adds_up=True,
    header_from=(
        "Briyanes/meta-ads-report-generator (real exports); German names from importers of such files: docs/mappings.md"
    ),
)
