"""Everything that is known of listed ads: what models say of their copy, how they did, whom their campaigns reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.insight.enrichment.performance import Performances
from adweir.insight.enrichment.segments import segments
from adweir.insight.enrichment.shown import shown_enrichments
from adweir.model.errors import TooLarge
from adweir.reporting.lists import ListRequest, RecordLists
from adweir.reporting.ranges import TimeSpan, parse_range, parse_words

if TYPE_CHECKING:
    from datetime import datetime

    from adweir.model.ports import PlatformParser
    from adweir.reporting.query import Queries
    from adweir.store.catalog.store import Catalog
    from adweir.store.findings.enrichments import Enrichments

PERFORMANCE = "performance"
"""What a listed ad keeps beside its fields until it is shown, so that all pages of a list compare the same."""
_WHOLE = frozenset({"date_range", "platform"})
"""Filters that leave all ads with which one is compared."""
_Ad = dict[str, Any]


class ListedParts(NamedTuple):
    """What ads are enriched with."""

    catalog: Catalog
    queries: Queries
    store: Enrichments
    parse: PlatformParser


class EnrichedList:
    """The enrichment of the ads that a request lists."""

    def __init__(self, parts: ListedParts, asked: ListRequest, now: datetime) -> None:
        self._parts = parts
        self._asked = asked
        self._now = now

    def compare(self, ads: Sequence[_Ad]) -> None:
        """Note of each of all listed ads how it did beside the client's others; None where these are too many to be
        read at once. Raises Unprocessable, Unavailable."""
        parts = self._parts
        try:
            found = Performances(parts.catalog, parts.parse, self._portfolio(ads) if ads else ())
        except TooLarge:
            for ad in ads:
                ad[PERFORMANCE] = None
            return
        for ad in ads:
            ad[PERFORMANCE] = found.of(ad)

    def of(self, ads: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The enrichments of a page's ads, which were compared. Raises Unavailable."""
        reached = self._segments(ads) if ads else {}
        said = shown_enrichments(self._parts.store, ads)
        return [
            {**each, PERFORMANCE: ad.get(PERFORMANCE), "audience": reached.get(_campaign(ad))}
            for each, ad in zip(said, ads, strict=True)
        ]

    def _portfolio(self, ads: Sequence[_Ad]) -> Iterable[Mapping[str, Any]]:
        """All ads of these ads' clients and platforms, with the sums of the days that are asked for."""
        asked = self._asked
        if asked.reads_metrics and asked.filters.keys() <= _WHOLE and not asked.where and not asked.contains:
            return ads
        days = {name: value for name, value in asked.filters.items() if name == "date_range"}
        every = ListRequest("ads", self._owners(ads, "platform") | days)
        return RecordLists(self._parts.catalog, self._parts.queries).all(every, self._now).records

    def _segments(self, ads: Sequence[Mapping[str, Any]]) -> Mapping[tuple[str, str, str], Any]:
        queries = self._parts.queries
        filters = queries.filters(self._owners(ads, "platform", "campaign_id"), "query")
        try:
            return segments(queries, self._span(), filters)
        except TooLarge:
            return {}

    def _owners(self, ads: Iterable[Mapping[str, Any]], *names: str) -> dict[str, Any]:
        """Filters that leave what these ads' clients have of these."""
        found = {name: sorted({str(ad[name]) for ad in ads}) for name in names}
        return {"account_id": sorted({str(ad["client_account_id"]) for ad in ads}), **found}

    def _span(self) -> TimeSpan:
        days = self._asked.filters.get("date_range") or {}
        if isinstance(days, str):
            return parse_words(days, self._now, "query.time_range")
        return parse_range(days.get("start"), days.get("end"), self._now.date(), field="query")


def _campaign(ad: Mapping[str, Any]) -> tuple[str, str, str]:
    return ad["platform"], ad["account_id"], ad["campaign_id"]
