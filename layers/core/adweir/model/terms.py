"""What a client's own figures are in: its currency and time zone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from adweir.model.entities import Account, Profile, ProfileStatus
from adweir.model.times import is_zone

_USUAL = ("USD", "UTC")


class Terms(NamedTuple):
    """What a client's own figures are in."""

    currency: str
    timezone: str


def terms_among(account: Account, profiles: Iterable[Profile]) -> Terms:
    """A client's currency and time zone: as they are set, else of its first ad account, else USD and UTC."""
    listed = [profile for profile in profiles if profile.is_listed and profile.account_id == account.account_id]
    active = [profile for profile in listed if profile.status == ProfileStatus.ACTIVE and is_zone(profile.timezone)]
    first = next(((each.currency, each.timezone) for each in active if each.currency), _USUAL)
    return Terms(account.currency or first[0], account.timezone or first[1])
