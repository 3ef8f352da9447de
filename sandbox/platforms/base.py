"""What each platform's package offers to the rest of the sandbox."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from sandbox.switches import Switch
from sandbox.web import PlatformRequest
from sandbox.world import Reading, World, WorldProfile
from sandbox.world.catalog import Advertiser, Company, Holdings

if TYPE_CHECKING:
    from sandbox.outside import Outside


class PlatformApi(ABC):
    """A platform's protocol over one outside world. Called from many threads."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @abstractmethod
    def handle(self, request: PlatformRequest) -> Response:
        """Answer a request as the platform does, with its own errors for unknown routes and methods too."""

    @abstractmethod
    def profile_id(self, request: PlatformRequest) -> str:
        """The ad account that a request is about, without a prefix; empty when it names none."""

    def act_at_once(self, switch: Switch) -> bool:  # noqa: ARG002 - for those that override it
        """Apply what a switch does at once. True when that is all it does, so it need not stay on."""
        return False


Door = Callable[["Outside", dict[str, Any]], Any]
"""A POST to /_world: its answer as JSON to a JSON object. Raises ValueError, KeyError or TypeError for a bad one."""


Page = Callable[["Outside", Mapping[str, str]], Any]
"""A GET of /_world: its answer as JSON to the query's parameters. Raises as a door does."""


OwnTruth = Callable[[World, WorldProfile, date, date, Reading], Iterator[dict[str, Any]]]
"""Rows of truth about an ad account's days, by something that only its platform has."""


def _no_secrets(_company: Company, _seed: int) -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class StandIn:
    """One platform of the outside world: everything that differs from platform to platform.

    `platform`: the stored name. `hosts` and `paths`: the Host headers and the paths that it answers. `base_urls`: from
    the server's URL, those that the connector takes (PLATFORM_URLS). `holdings`: from the seed, an advertiser's ad
    accounts with their traits, and its credentials. `switches`: what each kind of misbehaviour does here, with its
    options. `id_prefix`: what may stand before an ad account's id. `webhook_secrets`: what the receivers of a company's
    webhooks need, for sandbox.json. `doors`: further POSTs under /_world that make the platform send something;
    `pages`: further GETs there.
    `regions`: by the world's code, the value by which rows name a region; under "" that of what is in none, which is
    absent where such numbers have no row. `forms`: ads may have forms below them, which bring leads. `truths`: by name,
    what only this platform divides numbers by. `known`: whether adweir has a connector for it; who advertises elsewhere
    too says how the platform is asked. `crowded`: whether the clients of a crowd (`world.crowd`) have ad accounts here.
    """

    platform: str
    hosts: tuple[str, ...]
    paths: re.Pattern[str]
    api: Callable[[Outside], PlatformApi]
    base_urls: Callable[[str], dict[str, str]]
    holdings: Callable[[int, Advertiser], Holdings]
    switches: Mapping[str, str]
    id_prefix: str = ""
    webhook_secrets: Callable[[Company, int], dict[str, str]] = _no_secrets
    doors: Mapping[str, Door] = field(default_factory=dict)
    pages: Mapping[str, Page] = field(default_factory=dict)
    regions: Mapping[str, str] = field(default_factory=dict)
    forms: bool = False
    truths: Mapping[str, OwnTruth] = field(default_factory=dict)
    known: bool = True
    crowded: bool = False
