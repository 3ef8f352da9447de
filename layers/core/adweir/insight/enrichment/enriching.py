"""Adds to an ad what models say of it. The models run here, on the ad's own words, and ask nobody."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

from adweir.insight.enrichment import entities, tone, topics
from adweir.insight.enrichment.text import AdCopy

LOCAL = "local"


class EnrichmentKind(StrEnum):
    """What may be added."""

    SENTIMENT = "sentiment"
    TOPICS = "topics"
    ENTITIES = "entities"


def enrichment_of(
    ad: Mapping[str, Any], kinds: Collection[EnrichmentKind], names: Sequence[str] = ()
) -> dict[str, Any]:
    """What is known of an ad by its headline, description and button; null where it has no words.

    `names`: brands, products and places to look for. Each part names the model that said it; `content_hash` is that of
    the words, so ads that say the same have the same enrichment.
    """
    text = AdCopy.of(ad)
    found: dict[str, Any] = {"content_hash": text.content_hash}
    for kind in EnrichmentKind:
        if kind in kinds:
            found[kind.value] = _said(kind, text, names) if text else None
    return found


def _said(kind: EnrichmentKind, text: AdCopy, names: Sequence[str]) -> dict[str, Any]:
    if kind is EnrichmentKind.SENTIMENT:
        told = tone.tone_of(text)
        shown: dict[str, Any] = {**told._asdict(), "tones": [each.value for each in told.tones]}
        return shown | _by(tone.MODEL)
    if kind is EnrichmentKind.TOPICS:
        return {"topics": [each._asdict() for each in topics.topics_of(text)], **_by(topics.MODEL)}
    return {"entities": [each.shown for each in entities.entities_of(text, names)], **_by(entities.MODEL)}


def _by(model: str) -> dict[str, str]:
    return {"provider": LOCAL, "model_version": model}
