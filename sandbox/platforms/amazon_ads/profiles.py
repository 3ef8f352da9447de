"""Profiles: an advertiser in one marketplace (docs/en-us/guides/account-management/authorization/profiles)."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from sandbox.platforms.amazon_ads.errors import bad_request
from sandbox.world import WorldProfile

_MARKETPLACES = {"US": "ATVPDKIKX0DER", "JP": "A1VC38T7YXB528", "DE": "A1PA6795UKMFR9"}
_KINDS = {"seller", "vendor", "agency"}
_PARAMETERS = {
    "apiProgram": {"billing", "campaign", "paymentMethod", "store", "report", "account", "posts"},
    "accessLevel": {"edit", "view"},
    "profileTypeFilter": _KINDS,
    "validPaymentMethodFilter": {"true", "false"},
}
"""Source: the API's OpenAPI file for profiles, version 3.0. Types may be several, comma-delimited."""


def selected(profiles: list[WorldProfile], asked: MultiDict[str, str]) -> list[WorldProfile]:
    """Those that the query asks for. Raises Amazon's 400 for a parameter or value that is not documented."""
    for name, text in asked.items():
        values = set(text.split(","))
        if name not in _PARAMETERS or not values <= _PARAMETERS[name]:
            raise bad_request(f"The parameter {name} cannot be {text!r}")
    kinds = set(asked.get("profileTypeFilter", ",".join(_KINDS)).split(","))
    paying = asked.get("validPaymentMethodFilter") != "false"
    return [profile for profile in profiles if paying and profile.kind in kinds]


def profile_entry(profile: WorldProfile) -> dict[str, Any]:
    """A profile; its id is an integer. Only sellers have a daily budget."""
    return {
        "profileId": int(profile.id),
        "countryCode": profile.country,
        "currencyCode": profile.currency,
        **({"dailyBudget": 999999999.0} if profile.kind == "seller" else {}),
        "timezone": profile.timezone,
        "accountInfo": {
            "marketplaceStringId": _MARKETPLACES[profile.country],
            "id": f"A{profile.id[:13]}",
            "type": profile.kind,
            "name": profile.name,
            "validPaymentMethod": True,
        },
    }
