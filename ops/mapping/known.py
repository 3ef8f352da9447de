"""Which built-in mapping a header is of: by columns that only its tool has."""

from __future__ import annotations

from collections.abc import Sequence

from adweir.model.mappings import Mapping
from adweir.platforms.files import builtin
from adweir.platforms.files.headers import HeaderNames
from adweir.platforms.files.mapped import is_header

_SIGNS: dict[str, tuple[tuple[str, ...], ...]] = {
    "fivetran": (("source_relation", "platform"), ("date_day", "platform", "account_id")),
    "google_ads": (
        ("Currency code", "Cost", "Impr."), ("Campaign status", "Cost"), ("Impr.", "Cost", "Campaign"),
        ("Währungscode", "Kosten"), ("Kampagnenstatus", "Kosten"), ("Conv. value", "Cost"), ("Conv.-Wert", "Kosten"),
        ("Kampagne", "Impr.", "Kosten"), ("Added/Excluded",), ("Hinzugefügt/Ausgeschlossen",),
    ),
    "meta_ads": (
        ("Reporting starts",), ("Amount spent ({currency})",), ("Ausgegebener Betrag ({currency})",),
        ("Berichtszeitraum beginnt",), ("Ad set name", "Amount spent"),
    ),
    "tiktok_ads": (("Clicks (destination)",), ("Klicks (Ziel)",)),
    "amazon_ads": (
        ("7 Day Total Sales",), ("7 Day Total Sales ({currency})",), ("14 Day Total Sales",),
        ("14 Day Total Sales ({currency})",),
        ("7 Tage, Umsatz gesamt ({currency})",), ("7 Tage, Umsatz gesamt",), ("14 Tage, Umsatz gesamt ({currency})",),
    ),
    "microsoft_ads": (("TimePeriod", "Spend"), ("delivered_match_type", "spend"), ("ConversionsQualified",)),
    "ga4": (
        ("Engaged sessions",), ("Active users", "Event count"), ("Session campaign",), ("Sessions", "Key events"),
        ("Aktive Nutzer", "Ereignisanzahl"), ("Sitzungen", "Schlüsselereignisse"),
    ),
    "shopify": (("Lineitem name", "Financial Status"), ("Financial Status", "Total", "Created at", "Name")),
    "hubspot": (("Record ID", "Deal Stage"), ("dealstage", "closedate"), ("Datensatz-ID", "Deal-Phase")),
    "salesforce": (
        ("STAGENAME", "CLOSEDATE"), ("Opportunity Owner", "Stage"), ("Opportunity Name", "Stage", "Close Date"),
        ("Opportunity-Name", "Phase"),
    ),
    "linkedin_ads": (("cost_in_local_currency",),),
    "pinterest_ads": (("spend_in_micro_dollar",),),
    "snapchat_ads": (("swipes", "spend", "conversion_purchases"),),
    "reddit_ads": (("ecpm", "spend", "account_id"),),
    "twitter_ads": (("billed_charge_local_micro",),),
    "apple_search_ads": (("tap_installs", "taps"), ("local_spend_amount", "taps")),
}  # fmt: skip
_LEVELS = ("keyword", "ad", "ad_group", "campaign", "account")


def find(header: Sequence[str], source: str = "", data_type: str = "") -> Mapping | None:
    """The built-in mapping of a header, of the finest level that it has; None where none is certain."""
    names = HeaderNames(header)
    for each in (source,) if source in builtin.SOURCES else _SIGNS:
        signs = _SIGNS.get(each, ())
        if not any(all(names.find([name]) for name in sign) for sign in signs):
            continue
        fitting = [one for one in builtin.of_source(each) if _fits(one, header) and data_type in {"", one.data_type}]
        if fitting:
            return max(fitting, key=lambda one: (_depth(one), _found(one, names)))
    return None


def _fits(mapping: Mapping, header: Sequence[str]) -> bool:
    """Whether the header has what is required, and something that tells the objects of its level apart."""
    level = mapping.data_type.removesuffix("_performance")
    own = [column for column in mapping.columns if column.field in {f"{level}_id", f"{level}_name", f"{level}_text"}]
    names = HeaderNames(header)
    return is_header(mapping, header) and (not own or any(names.find(column.names) for column in own))


def _depth(mapping: Mapping) -> int:
    level = mapping.data_type.removesuffix("_performance")
    return -_LEVELS.index(level) if level in _LEVELS else 0


def _found(mapping: Mapping, names: HeaderNames) -> int:
    return sum(bool(names.find(column.names)) for column in mapping.columns)
