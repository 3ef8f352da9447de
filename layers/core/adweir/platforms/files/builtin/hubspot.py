"""Deals that HubSpot exports as CSV, in English and German, with its labels or with its internal names.

Counted are the deals of the stage that HubSpot calls "closed won"; pipelines may have stages of other names: put
those into `keep`. The amount is in the deal's currency.
"""

from adweir.model.mappings import Mapping, RowRule
from adweir.platforms.files.builtin.parts import column

_STAGES = ("Deal Stage", "dealstage", "Deal-Phase", "Dealphase")
_WON = ("Closed Won", "closedwon", "Abgeschlossen und gewonnen", "Gewonnen", "Won")
MAPPINGS = (
    Mapping(
        source="hubspot",
        data_type="deals",
        columns=(
            column("deal_id", "Record ID", "hs_object_id", "Datensatz-ID", "Deal ID", required=True),
            column("date", "Close Date", "closedate", "Abschlussdatum", required=True),
            column("revenue", "Amount", "amount", "Betrag", "Wert"),
            column("currency", "Currency", "deal_currency_code", "Währung"),
            column("channel", "Original Traffic Source", "Original Source", "hs_analytics_source", "Originalquelle"),
            column("utm_campaign", "Original Traffic Source Drill-Down 1", "hs_analytics_source_data_1"),
        ),
        keep=(RowRule(column=_STAGES, equals=_WON, begins=("Closed Won (", "Abgeschlossen und gewonnen (")),),
        header_from="hubspot-crm-exports-all-deals-2024-08-27.csv; developers.hubspot.com, CRM exports",
    ),
)
