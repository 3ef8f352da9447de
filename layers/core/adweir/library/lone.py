"""`adweir.client`: what `runtime.app` puts together for a deployment, for one credential and without AWS."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Any

from adweir.library.client import Client
from adweir.library.pulling import ACCOUNT, Lone
from adweir.library.waiting import Pacer, Waiting
from adweir.model.entities import Credential
from adweir.model.errors import Unprocessable
from adweir.platforms import REGISTRY, Platforms, options
from adweir.platforms.base import PlatformSpec
from adweir.platforms.connector import Connector, OwnTokens, Wiring
from adweir.platforms.session import new_session

_ROUTES = 100
"""Connectors that a client keeps: one per region or manager account."""


def client(
    platform: str,
    *,
    requests_per_minute: float | None = None,
    options: Mapping[str, Any] | None = None,
    urls: Mapping[str, str] | None = None,
    patience: float | None = None,
    **secret: str | None,
) -> Client:
    """A platform's client for one credential. It makes no request before a verb is called.

    `platform` is any known name. `secret` are the credential's fields (docs/platforms.md). `requests_per_minute` spaces
    the requests of this client; without it the platform's own limits apply, which it keeps by waiting. `options` are
    the platform's profile options (which conversions count). `urls` replace the platform's base URLs by name.
    `patience`: the seconds that it waits at most for one report, and for one request that the platform puts off;
    without it an hour, and as long as the platform's reports are known to take.

    Raises Unprocessable that names each unknown name and wrong value.
    """
    return Workshop(waiting=Waiting(patience)).client(
        platform, secret, requests_per_minute=requests_per_minute, chosen=options, urls=urls
    )


@dataclass(frozen=True)
class Workshop:
    """What clients are made of. Tests hand in their own clock, sleep and chance."""

    waiting: Waiting = field(default_factory=Waiting)
    platforms: Platforms = REGISTRY
    rng: Random = field(default_factory=Random)

    def client(
        self,
        platform: str,
        secret: Mapping[str, str | None],
        *,
        requests_per_minute: float | None = None,
        chosen: Mapping[str, Any] | None = None,
        urls: Mapping[str, str] | None = None,
    ) -> Client:
        """See `client`."""
        spec = self.platforms.spec(self.platforms.parse(platform))
        values = _checked(spec, secret)
        own = checked_urls(spec, urls or {})
        pacer = None if requests_per_minute is None else Pacer(requests_per_minute, self.waiting)
        session, tokens = new_session(pacer.turn if pacer else None), OwnTokens(self.waiting.clock)
        read = spec.credential.read(values)
        credential = Credential(
            account_id=ACCOUNT, platform=spec.name, secret_id="", route=read.route, app=read.app_hash
        )

        own_options = options.read(spec.options, options.changed(spec, {}, chosen or {}))

        def connect(route: str) -> Connector:
            wiring = Wiring(
                urls=lambda name, at: spec.url(name, at, own),
                session=session,
                clock=self.waiting.clock,
                rng=self.rng,
                tokens=tokens,
                route=route,
            )
            return self.platforms.connect(credential, values, wiring).under(own_options)

        lone = Lone(
            spec=spec,
            normalizer=self.platforms.normalizer(spec.name),
            connector=lru_cache(maxsize=_ROUTES)(connect),
            options=own_options,
            waiting=self.waiting,
            invoices=lambda: self.platforms.invoices(spec.name),
            new_id=lambda: uuid.UUID(int=self.rng.getrandbits(128), version=4).hex,
        )
        return Client(lone)


def _checked(spec: PlatformSpec, secret: Mapping[str, str | None]) -> dict[str, str]:
    """The credential's values; None stands for a field that is left out. Raises Unprocessable, without any value."""
    values = {name: value for name, value in secret.items() if value is not None}
    try:
        spec.credential.read(values)
        spec.credential.check_secrets(values)
    except Unprocessable as error:
        faults = "; ".join(f"{fault['field']} {fault['message']}" for fault in error.details)
        raise Unprocessable(f"the credential of {spec.name} is refused: {faults}", error.details) from None
    return values


def checked_urls(spec: PlatformSpec, urls: Mapping[str, str]) -> Mapping[str, str]:
    """The URLs, all of which the platform knows by their names. Raises Unprocessable."""
    unknown = sorted(name for name in urls if name.partition(".")[0] not in spec.url_names)
    if unknown:
        known = ", ".join(sorted(spec.url_names))
        raise Unprocessable(f"{spec.name} has no URL {', '.join(unknown)[:80]}; it has: {known}")
    return urls
