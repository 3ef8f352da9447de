"""The platforms of the outside world, one package per platform, named like its folder in adweir.platforms.

What a platform accepts and answers is written from the platform's documents, never from adweir's connectors: a shared
misunderstanding would pass every test.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from math import ceil

from sandbox.outside import Population
from sandbox.platforms.base import StandIn
from sandbox.world.catalog import ADVERTISERS, AWKWARD, Company, Holdings
from sandbox.world.crowd import advertiser as crowded_advertiser
from sandbox.world.crowd import make_small

FOLDERS = (
    "meta",
    "amazon_ads",
    "tiktok_ads",
    "trade_desk",
    "google_ads",
    "microsoft_ads",
)
"""The registry: one line per platform."""
STRANGERS = ("pinterest_ads", "own_feed")
"""What adweir has no connector for, and pulls by a description: a platform, and an advertiser's own feed."""

DESCRIBED = ("generic", "internal")
"""The platforms by whose specs adweir pulls them: PLATFORM_URLS has the server that specs may name here."""


@cache
def stand_ins() -> tuple[StandIn, ...]:
    """Every platform's `STAND_IN`, in the registry's order."""
    return tuple(import_module(f"{__name__}.{folder}").STAND_IN for folder in FOLDERS)


@cache
def everyone() -> tuple[StandIn, ...]:
    """`stand_ins`, and those of the platforms that adweir does not know."""
    return (*stand_ins(), *(import_module(f"{__name__}.{folder}").STAND_IN for folder in STRANGERS))


def population(platforms: Sequence[StandIn] | None = None, *, awkward: bool = False) -> Population:
    """The world's companies on these platforms (default: all), with the awkward ones or without."""
    present = tuple(platforms or stand_ins())
    return Population(
        lambda seed, awkward, crowd: (
            *companies(seed, present, awkward=awkward),
            *crowd_of(seed, crowd, present),
        ),
        {stand_in.platform: stand_in.switches for stand_in in present},
        tuple(stand_in.id_prefix for stand_in in present if stand_in.id_prefix),
        awkward,
    )


def crowd_of(seed: int, size: int, platforms: Sequence[StandIn]) -> Iterator[Company]:
    """Clients with `size` small ad accounts in all, one on each platform that has a crowd, but for the last client."""
    among = [stand_in for stand_in in platforms if stand_in.crowded]
    for number in range(1, ceil(size / max(1, len(among))) + 1):
        owner, left = crowded_advertiser(number), size - (number - 1) * len(among)
        held = _joined(stand_in.holdings(seed, owner) for stand_in in among[:left])
        for profile in held.profiles:
            make_small(profile)
        yield Company(owner.key, owner.name, owner.email, held.profiles, held.credentials)


def companies(seed: int, platforms: Sequence[StandIn] | None = None, *, awkward: bool = False) -> tuple[Company, ...]:
    """The world's companies with their ad accounts on each platform (default: all); equal seeds, equal companies."""
    made = []
    for advertiser in (*ADVERTISERS, *(AWKWARD if awkward else ())):
        present = platforms or stand_ins()
        known = _joined(one.holdings(seed, advertiser) for one in present if one.known)
        elsewhere = _joined(one.holdings(seed, advertiser) for one in present if not one.known)
        of = (advertiser.key, advertiser.name, advertiser.email)
        made.append(Company(*of, known.profiles, known.credentials, elsewhere))
    return tuple(made)


def _joined(holdings: Iterable[Holdings]) -> Holdings:
    held = tuple(holdings)
    profiles = tuple(profile for each in held for profile in each.profiles)
    return Holdings(profiles, {name: body for each in held for name, body in each.credentials.items()})


def platform_urls(server_url: str) -> dict[str, dict[str, str]]:
    """Each platform's base URLs at a running server, as the setting PLATFORM_URLS takes them."""
    known = {stand_in.platform: stand_in.base_urls(server_url) for stand_in in stand_ins()}
    return known | {name: {"api": server_url} for name in DESCRIBED}
