"""Reports of Google Analytics 4 that its web page downloads as CSV, in English and German.

Its users cannot be added up and are not read. No file says its currency; where it is not the account's, put it into
`constants`. A row that ends in `Grand total` is the sum of the others.
"""

from adweir.model.mappings import Mapping
from adweir.platforms.files.builtin.parts import column, empty, equals

_DATES = ("Date", "Datum", "Day", "Tag")
_NAMES = (
    "Session campaign",
    "Kampagne der Sitzung",
    "Session manual campaign name",
    "First user campaign",
    "Campaign",
    "Kampagne",
)
MAPPINGS = (
    Mapping(
        source="ga4",
        data_type="web_analytics",
        columns=(
            column("date", *_DATES),
            column("sessions", "Sessions", "Sitzungen"),
            column("pageviews", "Views", "Aufrufe"),
            column("conversions", "Key events", "Schlüsselereignisse", "Conversions"),
            column("revenue", "Total revenue", "Gesamtumsatz", "Purchase revenue", "Kaufumsatz"),
            column("utm_source", "Session source", "Sitzungsquelle", "Quelle der Sitzung"),
            column("utm_medium", "Session medium", "Sitzungsmedium", "Medium der Sitzung"),
            column("utm_campaign", *_NAMES),
            column(
                "channel",
                "Session primary channel group (Default Channel Group)",
                "Session default channel group",
                "Standardchannelgruppe der Sitzung",
                "Primäre Channelgruppe der Sitzung (Standardchannelgruppe)",
            ),
            column("geo", "Country", "Land"),
        ),
        skip=(empty(*_DATES), equals("Grand total", "Gesamtsumme"), equals("reserved total", column=_DATES)),
        empty=("(not set)", "(data not available)"),
        header_from="loc32142/ARPDAU-IMPDAU-report Demographic_details_Country.csv",
    ),
)
