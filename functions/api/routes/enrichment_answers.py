"""What models say of ads, as the API's description shows it. Only the description imports it."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from adweir.insight.enrichment.copy_marks import Tone
from adweir.insight.enrichment.entities import EntityKind
from routes.fields import Exact, Instant, OneOf, PlatformId, Shown


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


class RateBenchmark(Shown):
    """A value of the client's benchmarks, as it was dropped."""

    source: str
    publisher: str | None
    industry: str | None
    geo: str | None
    platform: str | None
    date: str | None
    value: Exact
    ratio: Exact = Field(description="The ad's rate as a part of the value.")


class GroupRate(Shown):
    """What the ads that an ad is compared with say of its rate."""

    mean: Exact
    strength: Exact = Field(description="How many trials it counts as.")


class JudgedRate(Shown):
    """A rate of an ad, drawn towards that of its kind as far as its own trials are few."""

    rate: Exact
    low: Exact = Field(description="90 of 100 such intervals hold the rate.")
    high: Exact
    hits: Exact = Field(description="Clicks, or conversions; as they are stored.")
    trials: Exact = Field(description="Impressions, or clicks; as they are stored.")
    prior: GroupRate | None = Field(description="null: fewer than three ads to compare with.")
    percentile: Exact | None = Field(description="How many of 100 ads of its kind have a lower rate.")
    ranked: int = Field(description="How many ads of its kind have trials enough to be ranked.")
    benchmarks: list[RateBenchmark] = Field(description="The newest of each source, industry and region.")


class AdsLikeIt(Shown):
    """The client's ads of a platform, an objective and a format."""

    platform: PlatformId
    objective: str | None
    format: Annotated[str, OneOf("video", "image", "text")]
    ads: int


class AdPerformance(Shown):
    """How an ad did over the days that are asked for."""

    compared_with: AdsLikeIt
    ctr: JudgedRate | None
    cvr: JudgedRate | None = Field(description="Conversions per click.")


class AudienceSegment(Shown):
    """How often a part of the audience clicks, beside all of it."""

    value: str
    impressions: int
    clicks: int
    index: Exact | None = Field(description="Its click rate as a part of all; null of fewer than 1,000 impressions.")
    low: Exact | None
    high: Exact | None


class AdAudience(Shown):
    """Whom an ad's campaign reached, as far as breakdowns were pulled."""

    model_config = ConfigDict(extra="allow")
    age: list[AudienceSegment] | None = None
    gender: list[AudienceSegment] | None = None
    country: list[AudienceSegment] | None = None


class AdEnrichment(Shown):
    """What models say of an ad by its words; ads that say the same share it."""

    content_hash: str = Field(description="Of headline, description and button.")
    sentiment: CopySentiment | None
    topics: AdTopics | None
    entities: AdEntities | None
    as_of: Instant | None = Field(description="When the models said it.")
    reason: str | None = Field(description="Why these are null.")
    performance: AdPerformance | None = Field(description="null: the client's ads are too many to be read at once.")
    audience: AdAudience | None = Field(description="null: no breakdown of its campaign was pulled.")
