"""`adweir.enrich`: what models say of ads, without AWS and without a request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from adweir.insight.enrichment.enriching import EnrichmentKind, enrichment_of, kinds_named
from adweir.model.errors import BadInput, Unprocessable

_SHOWN = 50


def enrich(
    data: Iterable[Mapping[str, Any]], with_: Sequence[str] = tuple(EnrichmentKind), names: Iterable[str] = ()
) -> Iterator[dict[str, Any]]:
    """Add what models say of ads → each ad with `enrichment`, in the order given, one after the other.

    An ad is a dict with `headline`, `description` and `cta`, as `get_ads` yields it; none of them has to be there.
    `with_`: `sentiment` (the tone of the copy), `topics` (of the IAB Ad Product Taxonomy 2.0, at most three) and
    `entities` (amounts, discounts, dates, codes, addresses, and what `names` lists: brands, products, places).
    docs/enrichment.md says what each holds, and how often it is right.

    Raises Unprocessable for another `with_` or a name that is no text, before the first ad; BadInput for an ad that is
    no dict.
    """
    kinds = kinds_named([with_] if isinstance(with_, str) else with_, "with_")
    known = _texts([names] if isinstance(names, str) else names)
    return (_enriched(number, ad, kinds, known) for number, ad in enumerate(data))


def _enriched(
    number: int, ad: Mapping[str, Any], kinds: frozenset[EnrichmentKind], names: Sequence[str]
) -> dict[str, Any]:
    if not isinstance(ad, Mapping):
        raise BadInput(f"ad {number} is no dict but {type(ad).__name__}")
    return {**ad, "enrichment": enrichment_of(ad, kinds, names)}


def _texts(names: Iterable[str]) -> tuple[str, ...]:
    found = tuple(names)
    for name in found:
        if not isinstance(name, str):
            message = f"{name!r:.{_SHOWN}} is no text"
            raise Unprocessable(message, [{"field": "names", "message": message}])
    return found
