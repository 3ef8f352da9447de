"""`adweir.enrich`: what models say of ads, without AWS and without a request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from adweir.insight.enrichment.enriching import EnrichmentKind, enrichment_of, kinds_named
from adweir.model.errors import BadInput


def enrich(
    data: Iterable[Mapping[str, Any]], with_: Sequence[str] = tuple(EnrichmentKind), names: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """Add what models say of ads → each ad with `enrichment`, in the order given, one after the other.

    An ad is a dict with `headline`, `description` and `cta`, as `get_ads` yields it; none of them has to be there.
    `with_`: `sentiment` (the tone of the copy), `topics` (of the IAB Ad Product Taxonomy 2.0, at most three) and
    `entities` (amounts, discounts, dates, codes, addresses, and what `names` lists: brands, products, places).
    docs/enrichment.md says what each holds, and how often it is right.

    Raises Unprocessable for another `with_`, before the first ad; BadInput for an ad that is no dict.
    """
    kinds = kinds_named([with_] if isinstance(with_, str) else with_, "with_")
    return (_enriched(number, ad, kinds, names) for number, ad in enumerate(data))


def _enriched(
    number: int, ad: Mapping[str, Any], kinds: frozenset[EnrichmentKind], names: Sequence[str]
) -> dict[str, Any]:
    if not isinstance(ad, Mapping):
        raise BadInput(f"ad {number} is no dict but {type(ad).__name__}")
    return {**ad, "enrichment": enrichment_of(ad, kinds, names)}
