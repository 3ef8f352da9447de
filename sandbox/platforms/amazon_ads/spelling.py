"""How Amazon spells states and money."""

from __future__ import annotations

from decimal import Decimal

from sandbox.world import WorldProfile
from sandbox.world.catalog import MINOR_DIGITS

_STATES = {"ACTIVE": "ENABLED"}


def state(status: str) -> str:
    """The world's status as Amazon spells it."""
    return _STATES.get(status, status)


def money(profile: WorldProfile, minor: int) -> Decimal:
    """Minor units → units, exact."""
    return Decimal(minor).scaleb(-MINOR_DIGITS[profile.currency])
