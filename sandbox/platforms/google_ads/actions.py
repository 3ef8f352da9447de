"""Conversion actions: what the conversions of an ad are, and which of them count as conversions."""

from __future__ import annotations

from typing import NamedTuple

from sandbox.world import WorldAd, WorldProfile


class GoogleAction(NamedTuple):
    """A conversion action. `primary`: it is in `conversions`; others are in `all_conversions` alone."""

    id: str
    name: str
    category: str
    primary: bool


PURCHASE = GoogleAction("601", "Purchase", "PURCHASE", primary=True)
PHONE_ORDER = GoogleAction("602", "Order by phone", "PHONE_CALL_LEAD", primary=True)
LEAD = GoogleAction("603", "Quote request", "SUBMIT_LEAD_FORM", primary=True)
CALL_BACK = GoogleAction("604", "Call back", "REQUEST_QUOTE", primary=True)
NEWSLETTER = GoogleAction("605", "Newsletter", "SIGNUP", primary=False)
ACTIONS = (PURCHASE, PHONE_ORDER, LEAD, CALL_BACK, NEWSLETTER)


def account_actions(profile: WorldProfile) -> tuple[GoogleAction, ...]:
    """Those of an account: sales, or leads."""
    return (PURCHASE, PHONE_ORDER, NEWSLETTER) if profile.traits.sells else (LEAD, CALL_BACK, NEWSLETTER)


def actions_of(profile: WorldProfile, ad: WorldAd) -> tuple[GoogleAction, GoogleAction]:
    """The primary action of an ad's conversions, and the secondary one that some of its clickers take as well."""
    first, second, other = account_actions(profile)
    return (second if ad.seed % 4 == 0 else first), other
