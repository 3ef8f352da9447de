"""Opportunities from Salesforce: files of its Data Loader, and exports of reports in English and German.

Counted are those that were won and that the Data Loader's "Export All" does not show as deleted. Reports end in lines
that are no rows. Where there are several currencies, each amount has a column of its currency before it.
"""

from adweir.model.mappings import Mapping, RowRule
from adweir.platforms.files.builtin.parts import begins, column, equals

_STAGES = ("STAGENAME", "Stage", "Phase")
MAPPINGS = (
    Mapping(
        source="salesforce",
        data_type="deals",
        columns=(
            column(
                "deal_id",
                "ID",
                "Opportunity ID",
                "Opportunity-ID",
                required=True,
            ),
            column("date", "CLOSEDATE", "Close Date", "Abschlussdatum", "Schlusstermin", required=True),
            column("revenue", "AMOUNT", "Amount", "Total Amount", "Betrag", "Gesamtbetrag"),
            column(
                "currency",
                "CURRENCYISOCODE",
                "Amount Currency",
                "Total Amount Currency",
                "Betrag Währung",
                "Opportunity Currency",
            ),
            column("channel", "LEADSOURCE", "Lead Source", "Leadquelle"),
            column("utm_campaign", "Primary Campaign Source", "Primäre Kampagnenquelle"),
        ),
        skip=(
            equals("Grand Total", "Grand Totals", "Total", "Gesamtsumme", "Gesamtsummen"),
            begins(
                "Grand Total (", "Grand Totals (", "Gesamtsumme (", "Gesamtsummen (", "Copyright (c)", "Copyright ©"
            ),
            begins("Confidential Information - Do Not Distribute", "Vertrauliche Informationen - "),
        ),
        keep=(
            RowRule(column=_STAGES, equals=("Closed Won", "Abgeschlossen und gewonnen", "Geschlossen und gewonnen")),
            RowRule(column=("ISDELETED", "Is Deleted"), equals=("false", "0"), empty=True, optional=True),
        ),
        header_from="forcedotcom/dataloader@6cc5719 samples/data/opportunityData.csv; reports: docs/mappings.md",
    ),
)
