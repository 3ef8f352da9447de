"""Tables of TikTok Ads Manager, saved as CSV, in English and German.

Clicks are those to the destination. Rows with `-` for an id, and those that begin with "Total of", are sums. `<5`
hides a number: it is unknown.
"""

from adweir.platforms.files.builtin.parts import begins, by_level, column, equals

_NAMES = {
    "campaign": ("Campaign name", "Kampagnenname"),
    "ad_group": ("Ad group name", "Name der Anzeigengruppe", "Anzeigengruppenname"),
    "ad": ("Ad name", "Anzeigenname", "Name der Anzeige"),
}
_IDS = {
    "campaign": ("Campaign ID", "Kampagnen-ID"),
    "ad_group": ("Ad group ID", "Anzeigengruppen-ID"),
    "ad": ("Ad ID", "Anzeigen-ID"),
}
_COMMON = (
    column("profile_name", "Advertiser ID", "Account ID", "Account name", "Kontoname"),
    column("date", "Date", "Datum", "Day", "Tag", "By Day", "Time", "Zeit"),
    column("currency", "Currency", "Währung"),
    column("impressions", "Impressions", "Impressionen"),
    column("clicks", "Clicks (destination)", "Klicks (Ziel)", "Clicks", "Klicks"),
    column("spend", "Cost", "Spend", "Kosten", "Ausgaben", required=True),
    column("conversions", "Conversions"),
)


def _pair(level: str) -> tuple[str, ...]:
    return (*_IDS[level], *_NAMES[level])


_CAMPAIGN = (column("campaign_id", *_IDS["campaign"]), column("campaign_name", *_NAMES["campaign"]))
_AD_GROUP = (*_CAMPAIGN, column("ad_group_id", *_IDS["ad_group"]), column("ad_group_name", *_NAMES["ad_group"]))
MAPPINGS = by_level(
    "tiktok_ads",
    _COMMON,
    {
        "account": (),
        "campaign": _CAMPAIGN,
        "ad_group": _AD_GROUP,
        "ad": (*_AD_GROUP, column("ad_id", *_IDS["ad"]), column("ad_name", *_NAMES["ad"])),
    },
    constants={"platform": "tiktok_ads"},
    skip=(
        begins("Total of"),
        equals("Total", "Gesamt", "Gesamtsumme"),
        equals("-", column=tuple(name for level in _IDS for name in _pair(level))),
    ),
    adds_up=True,
    header_from="notes and importers of TikTok Ads Manager's exports: docs/mappings.md",
)
