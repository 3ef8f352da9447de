"""One folder a platform, the same files in each; this page is how the rooms above reach them.

A platform's package offers `SPECS` (what it serves, cheap to import), its `client` module `connect(...)`, its
`normalize` module `NORMALIZER`. They are imported when asked for: a function pays for the platform it works on.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from random import Random
from typing import TYPE_CHECKING, Any, cast

from adweir.model.datasets import Dataset
from adweir.model.errors import Unprocessable
from adweir.model.platforms import Platform

if TYPE_CHECKING:
    import requests

    from adweir.model.entities import Credential
    from adweir.model.times import Clock
    from adweir.platforms.base import Connector, DatasetSpec, Normalizer
    from adweir.platforms.webhooks import Webhook

REGISTRY: Mapping[Platform, str] = {
    Platform.META_ADS: "adweir.platforms.meta",
    Platform.AMAZON_ADS: "adweir.platforms.amazon_ads",
}

_WEBHOOKS = frozenset({Platform.META_ADS})
"""The platforms that send deliveries of their own; their folder has a `webhook` module."""


def _module(platform: Platform, part: str = "") -> Any:
    path = REGISTRY.get(platform)
    if path is None:
        raise Unprocessable(f"{platform} is not connected yet; connected: {', '.join(sorted(REGISTRY))}")
    return import_module(path + part)


def connect(
    credential: Credential,
    secret: Mapping[str, str],
    settings: Any,
    session: requests.Session,
    clock: Clock,
    rng: Random,
    tokens: Any,
) -> Connector:
    """The platform's API for one credential.

    `secret` holds the credential's values, `settings` the base URLs, `tokens` the shared cache of access tokens. Raises
    Unprocessable for a platform that is not connected, AuthExpired when the secret lacks what the platform needs.
    """
    made = _module(credential.platform, ".client").connect(
        credential=credential,
        secret=secret,
        settings=settings,
        session=session,
        clock=clock,
        rng=rng,
        tokens=tokens,
    )
    return cast("Connector", made)


def normalizer(platform: Platform) -> Normalizer:
    """What turns the platform's raw pages into our vocabulary. Raises Unprocessable."""
    return cast("Normalizer", _module(platform, ".normalize").NORMALIZER)


def specs(platform: Platform) -> Mapping[Dataset, DatasetSpec]:
    """The datasets that the platform serves, and how. Raises Unprocessable."""
    return cast("Mapping[Dataset, DatasetSpec]", _module(platform).SPECS)


def webhook(platform: Platform) -> Webhook | None:
    """The hooks for the platform's own deliveries; None when it sends none: its doors take metric pushes only."""
    return cast("Webhook", _module(platform, ".webhook").HOOKS) if platform in _WEBHOOKS else None
