"""Whom a campaign reached: the shares of ages, genders and countries, from the breakdowns that were pulled.

A share is of the sum of all values that the breakdown has for the campaign, so the shares of a dimension add up to 1. A
platform need not know everybody's age, and calls that a value (`unknown`). A share of spend in several currencies is
unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from adweir.model.errors import AdweirError
from adweir.model.metrics import METRICS, Level, Slot, plus, ratio
from adweir.model.ports import PlatformParser
from adweir.reporting.filters import Filters
from adweir.reporting.processed import ProcessedRecord
from adweir.reporting.query import Queries
from adweir.reporting.questions import Query
from adweir.reporting.ranges import TimeSpan, parse_range
from adweir.reporting.totals import NOTHING

DIMENSIONS = ("age", "gender", "country")
_SHARED = ("impressions", "clicks", "spend")
Campaign = tuple[str, str, str]
"""Platform, ad account and id."""
_Shares = Mapping[str, Mapping[str, Decimal | None]]
"""Value of a dimension → number → its share."""


class Audiences:
    """Adds the audience of each record's campaign, over the days that the records are of."""

    def __init__(self, queries: Queries, parse_platform: PlatformParser, source: str) -> None:
        self._queries = queries
        self._parse_platform = parse_platform
        self._source = source

    def enrich(self, records: Sequence[ProcessedRecord], today: date) -> dict[str, Any]:
        """Add `audience` to each record, or say why there is none. Returns the days that were looked at.

        Raises TooLarge, Unavailable, Unprocessable (the days are no range).
        """
        span = _days(records, today)
        asked = {str(each.record.get("campaign_id") or "") for each in records} - {""}
        found = {name: self._shares(span, name, asked) for name in DIMENSIONS} if asked else {}
        for each in records:
            self._add(each, found)
        return {"start": span.start.isoformat(), "end": span.end.isoformat()}

    def _shares(self, span: TimeSpan, name: str, asked: set[str]) -> Mapping[Campaign, _Shares]:
        """The shares of a dimension's values by campaign."""
        found = campaign_values(self._queries, span, name, Filters({"campaign_id": frozenset(asked)}))
        return {campaign: _shares_of(values, currencies) for campaign, (values, currencies) in found.items()}

    def _add(self, each: ProcessedRecord, found: Mapping[str, Mapping[Campaign, _Shares]]) -> None:
        campaign_id = str(each.record.get("campaign_id") or "")
        if not campaign_id:
            each.add("audience", None, "the record names no campaign_id")
            return
        known = {campaign for shares in found.values() for campaign in shares if campaign[2] == campaign_id}
        mine = {campaign for campaign in known if self._is_of(each.record, campaign)}
        if len({campaign[:2] for campaign in mine}) > 1:
            each.add("audience", None, "several ad accounts have a campaign with this id: name its profile_id")
        elif not mine:
            each.add(
                "audience", None, "no breakdown by age, gender or country was pulled of this campaign on these days"
            )
        else:
            (campaign,) = mine
            each.add("audience", {name: shares[campaign] for name, shares in found.items() if campaign in shares})
            for name, shares in found.items():
                if campaign not in shares:
                    each.not_added[f"audience.{name}"] = f"no breakdown by {name} was pulled of this campaign"

    def _is_of(self, record: Mapping[str, Any], campaign: Campaign) -> bool:
        """Whether a record may be of a campaign, by the platform and the ad account that it names."""
        profile_id = str(record.get("profile_id") or "")
        named = str(record.get("platform") or self._source)
        try:
            platform = str(self._parse_platform(named)) if named else ""
        except AdweirError:
            platform = "" if named == self._source else named
        return platform in {"", campaign[0]} and profile_id in {"", campaign[1]}


def campaign_values(
    queries: Queries, span: TimeSpan, name: str, filters: Filters
) -> dict[Campaign, tuple[dict[str, Slot], set[str]]]:
    """Campaign → the sums of a dimension's values, and their currencies. Raises TooLarge, Unavailable."""
    dimensions = ("platform", "profile_id", "campaign_id", name)
    query = Query(span, dimensions, filters, level=Level.CAMPAIGN, rest=False)
    found: dict[Campaign, tuple[dict[str, Slot], set[str]]] = {}
    for (platform, profile_id, campaign_id, value, currency), total in queries.answer(query).groups.items():
        if campaign_id and value:
            sums, currencies = found.setdefault((platform, profile_id, campaign_id), ({}, set()))
            sums[value] = plus(sums.get(value, NOTHING), total.slot)
            currencies.add(currency)
    return found


def _shares_of(values: Mapping[str, Slot], currencies: Collection[str]) -> dict[str, dict[str, Decimal | None]]:
    """Those of each value. Of money in several currencies there is no sum, and no share."""
    total = NOTHING
    for slot in values.values():
        total = plus(total, slot)
    unknown: dict[str, Decimal | None] = {"spend": None} if len(currencies) > 1 else {}
    return {value: _shares_in(slot, total) | unknown for value, slot in sorted(values.items())}


def _shares_in(slot: Slot, total: Slot) -> dict[str, Decimal | None]:
    pairs = {name: (one, whole) for name, one, whole in zip(METRICS, slot, total, strict=True) if name in _SHARED}
    return {name: ratio(_decimal(one), _decimal(whole)) for name, (one, whole) in pairs.items()}


def _decimal(number: int | None) -> Decimal | None:
    return None if number is None else Decimal(number)


def _days(records: Sequence[ProcessedRecord], today: date) -> TimeSpan:
    """From the first to the last day that records name; the last 30 days where none does."""
    days = sorted({str(each.record["date"])[:10] for each in records if each.record.get("date")})
    first, last = (days[0], days[-1]) if days else (None, None)
    return parse_range(first, last, today, field="data.records.date")
