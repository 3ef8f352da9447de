"""The platforms that tests work with, and what their connectors are wired to."""

from __future__ import annotations

import random
from collections.abc import Mapping
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
) -> Wiring:
    """A connector's wiring; `urls` replace the platform's own."""
    spec = REGISTRY.spec(platform)
    return Wiring(lambda name, at: spec.url(name, at, urls), session, clock, random.Random(1), tokens, route)
