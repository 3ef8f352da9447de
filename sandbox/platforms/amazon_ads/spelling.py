"""How Amazon spells states, money and products."""

from __future__ import annotations

from decimal import Decimal

from sandbox.world import WorldProfile
from sandbox.world.catalog import MINOR_DIGITS
from sandbox.world.draw import seed_of

_STATES = {"ACTIVE": "ENABLED", "DELETED": "ARCHIVED"}


def state(status: str) -> str:
    """The world's status as Amazon spells it; what is deleted at Amazon is archived."""
    return _STATES.get(status, status)


def money(profile: WorldProfile, minor: int) -> Decimal:
    """Minor units → units, exact."""
    return Decimal(minor).scaleb(-MINOR_DIGITS[profile.currency])


def asin_of(*parts: object) -> str:
    """A product's number; equal parts, equal products."""
    return f"B0{seed_of('asin', *parts) % 36**6:08d}"[:10]
