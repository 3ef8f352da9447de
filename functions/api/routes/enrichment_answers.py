"""What models say of ads, as the API's description shows it. Only the description imports it."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from adweir.insight.enrichment.copy_marks import Tone
from adweir.insight.enrichment.entities import EntityKind
from routes.fields import Exact, Instant, OneOf, Shown


class SaidBy(Shown):
    """Who said it."""

    provider: str = Field(description="local: models of adweir's own.")
    model_version: str = Field(description="It changes when the model does.")


class CopySentiment(SaidBy):
    """The tone of the copy, which is not what customers feel."""

    polarity: Annotated[str, OneOf("negative", "neutral", "positive")]
    confidence: float = Field(description="The polarity's probability.")
    score: float = Field(description="The probability of positive without that of negative: -1 to 1.")
    tones: list[Annotated[str, OneOf(*Tone)]]


class AdTopic(Shown):
    """A topic of the IAB Ad Product Taxonomy 2.0."""

    topic_id: int | None = Field(description="null: unknown.")
    topic: str
    confidence: float = Field(description="0 to 1.")


class AdTopics(SaidBy):
    """What is advertised, the surest first."""

    topics: list[AdTopic]


class AdEntity(Shown):
    """What an ad names."""

    model_config = ConfigDict(extra="allow")
    kind: Annotated[str, OneOf(*EntityKind)]
    text: str
    value: Exact | None = Field(default=None, description="Of an amount or a share.")
    unit: str | None = None


class AdEntities(SaidBy):
    """What an ad names, in its order."""

    entities: list[AdEntity]


class AdEnrichment(Shown):
    """What models say of an ad by its words; ads that say the same share it."""

    content_hash: str = Field(description="Of headline, description and button.")
    sentiment: CopySentiment | None
    topics: AdTopics | None
    entities: AdEntities | None
    as_of: Instant | None = Field(description="When the models said it.")
    reason: str | None = Field(description="Why the parts are null.")
