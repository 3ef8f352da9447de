"""Names and landing pages taken apart for readers: by the patterns of the client company that an ad account is of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adweir.model.entities import Account, Ad, AdCampaign, AdGroup, PlatformObject, Profile
from adweir.model.errors import BadInput
from adweir.model.naming import NamePattern, landing_page

_LEVELS: Mapping[type[PlatformObject], str] = {AdCampaign: "campaign", AdGroup: "ad_group", Ad: "ad"}


class Naming:
    """The patterns of these client companies, read once."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._patterns = {
            (account.account_id, level): found
            for account in accounts
            for level, text in account.naming.items()
            if (found := _readable(text))
        }

    def pattern(self, profile: Profile, level: str) -> NamePattern | None:
        """The pattern of a level's names; None where the company has none."""
        return self._patterns.get((profile.account_id, level))

    def parts(self, profile: Profile, item: PlatformObject) -> dict[str, str] | None:
        """Part → its text of a campaign's, ad group's or ad's name; None: no pattern, or it does not fit."""
        pattern = self.pattern(profile, _LEVELS.get(type(item), ""))
        return pattern.read(item.name) if pattern else None


def page_parts(ad: Ad) -> dict[str, Any] | None:
    """An ad's landing page as a record shows it; None where it has none that can be read."""
    found = landing_page(ad.landing_page_url) if ad.landing_page_url else None
    return found._asdict() if found else None


def _readable(pattern: str) -> NamePattern | None:
    """A stored pattern; one that this version cannot read is no pattern."""
    try:
        return NamePattern(pattern)
    except BadInput:
        return None
