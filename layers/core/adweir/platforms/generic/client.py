"""A described API over HTTP for one credential."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from adweir.platforms.connector import Connector, Wiring
from adweir.platforms.described.connecting import described

if TYPE_CHECKING:
    from adweir.model.entities import Credential


def connect(*, credential: Credential, secret: Mapping[str, str], wiring: Wiring) -> Connector:
    """The connector of a credential. Raises AuthExpired for one that lacks a field which its spec needs."""
    return described(credential, secret, wiring)
