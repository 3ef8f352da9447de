"""Records that a caller hands over, with what models say of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from adweir.insight.enrichment.enriching import EnrichmentKind, enrichment_of
from adweir.insight.enrichment.shown import NO_WORDS
from adweir.reporting.processed import ProcessedRecord

ENRICHMENT = "enrichment"


def enrich_given(
    records: Sequence[ProcessedRecord], kinds: Collection[EnrichmentKind], check: Callable[[], None]
) -> None:
    """Add `enrichment` to each record, and say of each of its parts that it was added, or why it is null. `check` is
    called before each record; what it raises ends the call."""
    for each in records:
        check()
        said = enrichment_of(each.record, kinds)
        each.record[ENRICHMENT] = said
        for kind in sorted(kinds):
            if said[kind] is None:
                each.not_added[f"{ENRICHMENT}.{kind}"] = NO_WORDS
            else:
                each.added.append(f"{ENRICHMENT}.{kind}")
