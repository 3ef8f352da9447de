"""What an incident says to people: numbers with their units, in as many digits as somebody reads."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from adweir.insight.anomalies.incidents import Incident
from adweir.model.metrics import Level
from adweir.model.money import minor_digits

_DIGITS = 4
"""So many digits of what is only about right are said."""
_AMOUNTS = {"spend", "revenue"}
_PRICES = {"cpc", "cpm"}
_RATES = {"ctr", "cvr"}
_WORDS = {
    "spend": "spend",
    "impressions": "impressions",
    "clicks": "clicks",
    "conversions": "conversions",
    "revenue": "revenue",
    "cpc": "cost per click",
    "cpm": "cost per thousand impressions",
    "ctr": "the click-through rate",
    "cvr": "the conversion rate",
}


def says(incident: Incident) -> str:
    """What happened, in a few sentences."""
    main = incident.main
    metric, currency = main["metric"], incident.currency
    verb = "rose" if float(main["z"]) > 0 else "fell"
    begin = f"{_WORDS[metric]} of {entity_text(incident)} {verb} to {number_text(metric, main['value'], currency)}"
    said = [f"{_upper(begin)} on {main['date']}; {expected_text(metric, main['expected'], currency)} was expected."]
    more = [_WORDS[each["metric"]] for each in incident.metrics if each["metric"] != metric]
    if more:
        said.append(f"So did {_listed(more)}." if _alike(incident) else f"{_upper(_listed(more))} changed, too.")
    if incident.parts_total:
        said.append(f"{incident.parts_total:,} of its parts show it.")
    said += [_budget_text(incident, each) for each in incident.budgets]
    if incident.left_out:
        others = "1 more incident" if incident.left_out == 1 else f"{incident.left_out:,} more incidents"
        said.append(f"Not kept: {others} of the ad account that began on {incident.first_day}, less far off.")
    return " ".join(said)


def _budget_text(incident: Incident, change: Mapping[str, Any]) -> str:
    is_own = incident.key == (Level.CAMPAIGN, change["campaign_id"])
    name = f" ({change['name']})" if change["name"] else ""
    whose = "Its budget" if is_own else f"The budget of campaign {change['campaign_id']}{name}"
    before, after = (Decimal(change[when]) for when in ("before", "after"))
    verb, digits = "raised" if after > before else "lowered", minor_digits(incident.currency)
    amounts = f"from {before:,.{digits}f} to {after:,.{digits}f} {incident.currency}"
    return f"{whose} was {verb} {amounts}, as first listed on {change['listed']}."


def entity_text(incident: Incident) -> str:
    """Whose numbers they are: `the ad account 1 (Halden)`, `campaign 7`."""
    name = f" ({incident.name})" if incident.name else ""
    words = {"account": "the ad account", "arm": "arm"}
    return f"{words.get(incident.level, incident.level)} {incident.entity_id}{name}"


def number_text(metric: str, value: str, currency: str) -> str:
    """A measured number: `1,526.09 EUR`, `0.348 %`, `1,616,932`."""
    number = Decimal(value)
    if metric in _AMOUNTS:
        return f"{number:,.{minor_digits(currency)}f} {currency}"
    if metric in _RATES:
        return f"{_figures(number * 100, 3)} %"
    if metric in _PRICES:
        return f"{_figures(number, 3)} {currency}"
    return f"{_plain(number):,f}"


def expected_text(metric: str, value: str | None, currency: str) -> str:
    """What was expected, which is only about right: `about 3,323 EUR`; `nothing` where nothing was."""
    if value is None:
        return "nothing"
    return f"about {rounded_text(metric, value, currency)}"


def rounded_text(metric: str, value: str, currency: str) -> str:
    """A number in four digits, with its unit."""
    number = Decimal(value)
    if metric in _RATES:
        return f"{_figures(number * 100, 3)} %"
    unit = f" {currency}" if metric in _AMOUNTS | _PRICES else ""
    return f"{_figures(number, 3 if metric in _PRICES else _DIGITS)}{unit}"


def _figures(number: Decimal, digits: int) -> str:
    """So many digits, and never an exponent."""
    return f"{_plain(Decimal(f'{number:.{digits}g}')):,f}"


def _plain(number: Decimal) -> Decimal:
    """Without zeros behind the point."""
    return number.to_integral_value() if number == number.to_integral_value() else number.normalize()


def _listed(words: list[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _upper(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _alike(incident: Incident) -> bool:
    return len({float(each["z"]) > 0 for each in incident.metrics}) == 1
