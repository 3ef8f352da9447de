"""The platforms that tests work with, and what their connectors are wired to."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import requests

from adweir.model.platforms import Platform
from adweir.platforms import REGISTRY
from adweir.platforms.connector import Wiring

META_ADS = Platform("meta_ads")
AMAZON_ADS = Platform("amazon_ads")
TIKTOK_ADS = Platform("tiktok_ads")


def wiring(
    platform: Platform,
    session: requests.Session,
    clock: Any,
    *,
    urls: Mapping[str, str] | None = None,
    tokens: Any = None,
    route: str = "",
    sleep: Callable[[float], None] = lambda _seconds: None,
) -> Wiring:
    """A connector's wiring; `urls` replace the platform's own. It repeats at once what failed, without `sleep`."""
    spec = REGISTRY.spec(platform)
    rng = random.Random(1)
    return Wiring(lambda name, at: spec.url(name, at, urls), session, clock, rng, tokens, route, sleep=sleep)
