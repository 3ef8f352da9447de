"""Enrichments beside ads, as people and programs read them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from adweir.insight.enrichment.enriching import EnrichmentKind
from adweir.insight.enrichment.text import AdCopy

if TYPE_CHECKING:
    from adweir.store.findings.enrichments import Enrichment, Enrichments

NO_WORDS = "the ad has no words"
NOT_YET = "no run has enriched it yet"


def shown_enrichments(store: Enrichments, ads: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is stored of each ad (`reporting.ads`), in their order. Raises Unavailable.

    `reason` says why the parts are null; it is null where they are not.
    """
    texts = [AdCopy.of(ad) for ad in ads]
    wanted: dict[str, set[str]] = defaultdict(set)
    for ad, text in zip(ads, texts, strict=True):
        if text:
            wanted[ad["client_account_id"]].add(text.content_hash)
    found = {account_id: store.of(account_id, sorted(hashes)) for account_id, hashes in wanted.items()}
    return [
        _shown(text, found[ad["client_account_id"]].get(text.content_hash) if text else None)
        for ad, text in zip(ads, texts, strict=True)
    ]


def _shown(text: AdCopy, stored: Enrichment | None) -> dict[str, Any]:
    said: dict[str, Any] = {"content_hash": text.content_hash, **dict.fromkeys(EnrichmentKind)}
    if stored is None:
        return said | {"as_of": None, "reason": NOT_YET if text else NO_WORDS}
    said |= {name: part for name, part in stored.body.items() if name in said}
    if said["entities"]:
        said["entities"] = said["entities"] | {"entities": [_exact(each) for each in said["entities"]["entities"]]}
    return said | {"as_of": stored.as_of, "reason": None}


def _exact(entity: Mapping[str, Any]) -> dict[str, Any]:
    return {**entity, **({"value": Decimal(entity["value"])} if "value" in entity else {})}
