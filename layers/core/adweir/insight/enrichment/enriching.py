"""Adds to an ad what models say of it. The models run here, on the ad's own words, and ask nobody."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

from adweir.insight.enrichment import entities, tone, topics
from adweir.insight.enrichment.text import AdCopy
from adweir.model.errors import Unprocessable

LOCAL = "local"
_SHOWN = 50


class EnrichmentKind(StrEnum):
    """What may be added."""

    SENTIMENT = "sentiment"
    TOPICS = "topics"
    ENTITIES = "entities"


def kinds_named(names: Sequence[str], field: str) -> frozenset[EnrichmentKind]:
    """Kinds by their names. Raises Unprocessable that names `field` and lists the known ones."""
    known = [each.value for each in EnrichmentKind]
    for name in names:
        if name not in known:
            message = f"{str(name)[:_SHOWN]!r} is not one of {', '.join(known)}"
            raise Unprocessable(message, [{"field": field, "message": message, "known": known}])
    return frozenset(EnrichmentKind(name) for name in names)


MODELS: Mapping[EnrichmentKind, str] = {
    EnrichmentKind.SENTIMENT: tone.MODEL,
    EnrichmentKind.TOPICS: topics.MODEL,
    EnrichmentKind.ENTITIES: entities.MODEL,
}
"""Who says what is local: another version says other things."""


def enrichment_of(
    ad: Mapping[str, Any] | AdCopy, kinds: Collection[EnrichmentKind], names: Sequence[str] = ()
) -> dict[str, Any]:
    """What is known of an ad by its headline, description and button; null where it has no words.

    `names`: brands, products and places to look for. Each part names the model that said it; `content_hash` is that of
    the words, so ads that say the same have the same enrichment.
    """
    text = ad if isinstance(ad, AdCopy) else AdCopy.of(ad)
    found: dict[str, Any] = {"content_hash": text.content_hash}
    for kind in EnrichmentKind:
        if kind in kinds:
            found[kind.value] = _said(kind, text, names) if text else None
    return found


def _said(kind: EnrichmentKind, text: AdCopy, names: Sequence[str]) -> dict[str, Any]:
    if kind is EnrichmentKind.SENTIMENT:
        told = tone.tone_of(text)
        shown: dict[str, Any] = {**told._asdict(), "tones": [each.value for each in told.tones]}
        return shown | _by(kind)
    if kind is EnrichmentKind.TOPICS:
        return {"topics": [each._asdict() for each in topics.topics_of(text)], **_by(kind)}
    return {"entities": [each.shown for each in entities.entities_of(text, names)], **_by(kind)}


def _by(kind: EnrichmentKind) -> dict[str, str]:
    return {"provider": LOCAL, "model_version": MODELS[kind]}
