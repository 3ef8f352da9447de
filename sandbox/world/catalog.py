"""Who exists in the world: companies, their ad accounts, and what is advertised there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sandbox.world.draw import between
from sandbox.world.traits import Traits

MINOR_DIGITS = {"USD": 2, "EUR": 2, "JPY": 0}
"""Decimal places of each currency's smallest unit."""


@dataclass(frozen=True, slots=True)
class WorldKeyword:
    """A keyword of an ad group; `bid_minor` in minor units."""

    id: str
    text: str
    match_type: str
    bid_minor: int
    state: str = "ENABLED"


@dataclass(frozen=True, slots=True)
class WorldAd:
    """An ad. `number`: its place in the profile. `flight`: its first and last day, counted from the world's first."""

    id: str
    number: int
    name: str
    status: str
    creative: dict[str, Any]
    seed: int
    flight: tuple[int, int]


@dataclass(frozen=True, slots=True)
class WorldAdGroup:
    """An ad group, also called ad set."""

    id: str
    name: str
    status: str
    ads: tuple[WorldAd, ...]
    keywords: tuple[WorldKeyword, ...] = ()


@dataclass(frozen=True, slots=True)
class WorldCampaign:
    """A campaign. `product`: the platform's ad product, empty where it has none. Budget in minor units per day."""

    id: str
    name: str
    status: str
    product: str
    objective: str
    budget_minor: int
    groups: tuple[WorldAdGroup, ...]


@dataclass(frozen=True, slots=True)
class WorldProfile:
    """One ad account.

    `scale`: minor units that an ad spends on a typical day. `windows`: the attribution window in days that adweir
    stores, by ad product. `kind` and `region`: the platform's, empty where it has none.
    """

    platform: str
    id: str
    name: str
    currency: str
    timezone: str
    country: str
    scale: int
    windows: Mapping[str, int]
    traits: Traits = field(repr=False)
    campaigns: tuple[WorldCampaign, ...] = field(repr=False)
    kind: str = ""
    region: str = ""

    @property
    def minor_micros(self) -> int:
        """Micros in the currency's smallest unit."""
        return 1_000_000 // int(10 ** MINOR_DIGITS[self.currency])

    def ads(self) -> list[tuple[WorldCampaign, WorldAdGroup, WorldAd]]:
        """Every ad with its parents."""
        return [(c, g, a) for c in self.campaigns for g in c.groups for a in g.ads]


@dataclass(frozen=True, slots=True)
class Advertiser:
    """A client company before it has ad accounts; `things` are what it sells."""

    key: str
    name: str
    email: str
    things: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an advertiser has on one platform.

    `credentials`: by `<platform>` the body that opens its ad accounts; further ones by `<platform>:<label>`.
    """

    profiles: tuple[WorldProfile, ...]
    credentials: Mapping[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Company:
    """An advertiser with all its ad accounts, and the credentials that open them (keys as in `Holdings`)."""

    key: str
    name: str
    email: str
    profiles: tuple[WorldProfile, ...]
    credentials: Mapping[str, dict[str, str]]

    def on(self, platform: str) -> list[WorldProfile]:
        """The company's ad accounts on one platform."""
        return [profile for profile in self.profiles if profile.platform == platform]


ADVERTISERS = (
    Advertiser(
        "halden",
        "Halden Outdoor",
        "growth@halden.example",
        ("trail shoes", "rain jacket", "day pack", "camp stove", "head lamp", "wool socks", "tent", "sleeping mat"),
    ),
    Advertiser(
        "mori",
        "Mori Kitchen",
        "data@mori.example",
        ("rice cooker", "chef knife", "tea kettle", "bento box", "cast iron pan", "drip coffee", "apron", "wok"),
    ),
)
ANGLES = ("Made to last", "Free returns", "New this season", "Loved by thousands", "Back in stock", "Save on sets")


def secret_of(seed: int, *parts: str) -> str:
    """64 hexadecimal digits that follow from the seed and the secret's name."""
    return sha256("\x1f".join((str(seed), *parts)).encode()).hexdigest()


def flight_of(ad_seed: int) -> tuple[int, int]:
    """Three ads in four run all the time; the others begin late, end early, or both."""
    kind = between(ad_seed, 1, 0, 11)
    start = between(ad_seed, 2, 8, 30) if kind in (0, 1) else 0
    end = between(ad_seed, 3, 36, 55) if kind in (1, 2) else 1_000_000
    return start, end


def status_of(ad_seed: int) -> str:
    """One ad in fifteen is paused."""
    return "PAUSED" if between(ad_seed, 4, 0, 14) == 0 else "ACTIVE"
