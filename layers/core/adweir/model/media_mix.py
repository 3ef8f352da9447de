"""How a client company's media-mix datasets are made: what counts as a channel, and which KPI and controls they have.

`MediaMix` is the JSON that `PATCH /api/v1/accounts/{account_id}` takes as `media_mix`; docs/mmm-data.md explains each
field.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from adweir.model import limits

_CHANNEL = r"^[a-z][a-z0-9_]{0,39}$"
ChannelName = Annotated[str, StringConstraints(pattern=_CHANNEL, max_length=40)]
_Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=limits.MAX_NAME_CHARS)]
_Words = Annotated[tuple[_Word, ...], Field(max_length=limits.MAX_CHANNEL_WORDS)]
_Platform = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_]{1,39})?$", max_length=40)]
_Series = Annotated[str, StringConstraints(strip_whitespace=True, max_length=limits.MAX_NAME_CHARS)]
RESERVED = ("conversions", "population", "revenue", "revenue_per_conversion", "time", "geo")
"""Columns of the table that are no channel's."""


class _MediaMixPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ChannelRule(_MediaMixPart):
    """Which campaigns are a channel: those that fit all that is said. Of several rules that fit, the first counts."""

    channel: ChannelName = Field(description="The channel's name, as columns have it.", examples=["search_brand"])
    platform: _Platform = Field(default="", description="Of this platform; empty: of any.")
    ad_product: _Words = Field(
        default=(), description="Of one of these ad products, in the platform's words, in any case.", examples=[["sp"]]
    )
    objective: _Words = Field(default=(), description="With one of these objectives, in the platform's words.")
    name: _Words = Field(
        default=(), description="With a name like one of these, where * is any text.", examples=[["*brand*"]]
    )

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if not (self.platform or self.ad_product or self.objective or self.name):
            raise ValueError("a rule says which campaigns: platform, ad_product, objective or name")
        if self.channel in RESERVED or self.channel.startswith("organic_"):
            raise ValueError(f"{self.channel} is the name of another column")
        return self


class OwnKpi(_MediaMixPart):
    """What the business counts, in place of what platforms attribute to themselves: series of the type `kpi_series`.

    A series that several sources have is named with its source: `shop/orders`.
    """

    conversions: _Series = Field(default="", description="The series that counts.", examples=["orders"])
    revenue: _Series = Field(default="", description="The series in money, in the currency of the dataset.")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if not (self.conversions or self.revenue):
            raise ValueError("a KPI of one's own names a series: conversions, revenue or both")
        return self


class MediaMix(_MediaMixPart):
    """All of it. Without rules each platform is a channel; campaigns that no rule fits are their platform's."""

    channels: Annotated[tuple[ChannelRule, ...], Field(max_length=limits.MAX_CHANNEL_RULES)] = Field(
        default=(), description="Rules for channels finer than a platform."
    )
    kpi: OwnKpi | None = Field(default=None, description="A KPI of one's own; null: what platforms attribute.")
    controls: Annotated[tuple[_Series, ...], Field(max_length=limits.MAX_MIX_CONTROLS)] | None = Field(
        default=None, description="The names of the series of the type controls that are used; null: all."
    )


EMPTY = MediaMix()
