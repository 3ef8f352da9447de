"""Who exists in the world: companies, their ad accounts, and what is advertised there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from sandbox.world.draw import between
from sandbox.world.plan import recent
from sandbox.world.traits import Billing, Traits

MINOR_DIGITS = {"USD": 2, "EUR": 2, "GBP": 2, "JPY": 0, "KRW": 0}
"""Decimal places of each currency's smallest unit."""


@dataclass(frozen=True, slots=True)
class WorldKeyword:
    """A keyword of an ad group; `bid_minor` in minor units."""

    id: str
    text: str
    match_type: str
    bid_minor: int
    state: str = "ENABLED"


class Credit(NamedTuple):
    """Invalid traffic that was taken back on day `known`: of the days `first` to `last`, `keep` per mille are left."""

    first: int
    last: int
    keep: int
    known: int


@dataclass(frozen=True, slots=True)
class WorldAd:
    """An ad. `number`: its place in the profile. `flight`: its first and last day, counted from the world's first.

    A paused ad never ran; an archived or deleted one has the numbers of its flight. Credits apply in their order.
    """

    id: str
    number: int
    name: str
    status: str
    creative: dict[str, Any]
    seed: int
    flight: tuple[int, int]
    credits: tuple[Credit, ...] = ()


@dataclass(frozen=True, slots=True)
class WorldAdGroup:
    """An ad group, also called ad set.

    `unlisted`: what the platform counts in the group and its parents and never shows as an ad: an ad that it has
    forgotten, or (with an empty id) spend that belongs to no ad at all. `hidden`: the platform has no such ad group;
    what is counted in it is in the totals of the campaign and the account alone.
    """

    id: str
    name: str
    status: str
    ads: tuple[WorldAd, ...]
    keywords: tuple[WorldKeyword, ...] = ()
    unlisted: tuple[WorldAd, ...] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class WorldCampaign:
    """A campaign. `product`: the platform's ad product, empty where it has none. Budget in minor units per day.

    `kind`: the platform's, empty where it has none. `apart`: the platform shows it where it is asked for by
    itself; without an id it is never shown, and only the ad account's totals contain it.
    """

    id: str
    name: str
    status: str
    product: str
    objective: str
    budget_minor: int
    groups: tuple[WorldAdGroup, ...]
    kind: str = ""
    apart: bool = False


@dataclass(slots=True, eq=False)
class WorldProfile:
    """One ad account. What happens to it (see `happenings`) changes it in place.

    `scale`: minor units that an ad spends on a typical day. `windows`: by ad product, the days after a click in which
    a conversion counts by default; `view_windows`: the same after a view, absent where views do not count.
    `kind` and `region`: the platform's, empty where it has none. `lacking`: ad products to which the account has no
    access. `patchy`: its hourly data has holes. `dusty`: its first ad's spend has more than six decimals.
    `billing`: how it pays by invoice (see `bills`); None for those that do not, or whose invoices nobody may see.
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
    view_windows: Mapping[str, int] = field(default_factory=dict)
    lacking: frozenset[str] = frozenset()
    patchy: bool = False
    dusty: bool = False
    billing: Billing | None = None

    @property
    def minor_micros(self) -> int:
        """Micros in the currency's smallest unit."""
        return 1_000_000 // int(10 ** MINOR_DIGITS[self.currency])

    def ads(self) -> list[tuple[WorldCampaign, WorldAdGroup, WorldAd]]:
        """Every ad that the platform shows, whatever its status, with its parents."""
        return [(c, g, a) for c in self.campaigns for g in c.groups for a in g.ads]

    def delivering(self) -> list[tuple[WorldCampaign, WorldAdGroup, WorldAd]]:
        """Everything that has numbers: the ads, and what is in the totals of their parents alone."""
        return [(c, g, a) for c in self.campaigns for g in c.groups for a in (*g.ads, *g.unlisted)]


@dataclass(frozen=True, slots=True)
class Advertiser:
    """A client company before it has ad accounts; `things` are what it sells.

    `like`, `number`: of a crowd (`world.crowd`), which advertiser its ad accounts are like, and its number, from 1.
    """

    key: str
    name: str
    email: str
    things: tuple[str, ...]
    like: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an advertiser has on one platform.

    `credentials`: by `<platform>` the body that opens its ad accounts; further ones by `<platform>:<label>`.
    """

    profiles: tuple[WorldProfile, ...]
    credentials: Mapping[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Company:
    """An advertiser with all its ad accounts, and the credentials that open them (keys as in `Holdings`).

    `elsewhere`: what it has on platforms that adweir does not know, which no total contains.
    """

    key: str
    name: str
    email: str
    profiles: tuple[WorldProfile, ...]
    credentials: Mapping[str, dict[str, str]]
    elsewhere: Holdings = Holdings((), {})

    def on(self, platform: str) -> list[WorldProfile]:
        """The company's ad accounts on one platform."""
        return [one for one in (*self.profiles, *self.elsewhere.profiles) if one.platform == platform]

    def bodies(self, platform: str) -> dict[str, dict[str, str]]:
        """The company's credentials on one platform, by label; that of the unlabelled one is empty."""
        named = {name.partition(":"): body for name, body in self.credentials.items()}
        return {label: body for (owner, _, label), body in named.items() if owner == platform}


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
AWKWARD = (
    Advertiser(
        "kestrel",
        "Kestrel Audio",
        "ads@kestrel.example",
        ("studio headphones", "turntable", "field recorder", "monitor stand", "phono cable", "microphone", "mixer"),
    ),
    Advertiser(
        "lumen",
        "Lumen Solar",
        "performance@lumen.example",
        ("roof survey", "solar quote", "battery quote", "heat pump visit", "tariff check", "charger quote", "webinar"),
    ),
)
"""Clients whose ad accounts are as awkward as real ones; they live in the world when it is asked for them.

Kestrel has ads that were deleted or archived, spend that belongs to no ad, currencies without decimals, holes in its
hours, accounts in two regions under a credential each, and one that lacks an ad product. Lumen's conversions are leads.
"""
ANGLES = ("Made to last", "Free returns", "New this season", "Loved by thousands", "Back in stock", "Save on sets")


def secret_of(seed: int, *parts: str) -> str:
    """64 hexadecimal digits that follow from the seed and the secret's name."""
    return sha256("\x1f".join((str(seed), *parts)).encode()).hexdigest()


def flight_of(ad_seed: int) -> tuple[int, int]:
    """Three ads in four run all the time; the others begin in the last sixty days, end there, or both."""
    kind = between(ad_seed, 1, 0, 11)
    start = recent(between(ad_seed, 2, 8, 30)) if kind in (0, 1) else 0
    end = recent(between(ad_seed, 3, 36, 55)) if kind in (1, 2) else 1_000_000
    return start, end


def status_of(ad_seed: int) -> str:
    """One ad in fifteen is paused."""
    return "PAUSED" if between(ad_seed, 4, 0, 14) == 0 else "ACTIVE"
