"""Google's accounts: managers, the customers below them, and who signs in where.

An account may be linked to several managers (Google Ads API, Account hierarchy). The user of a credential has access to
some accounts directly; to those below them only with the one that is used in the header login-customer-id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sandbox.world import WorldProfile

ENABLED, CANCELED, CLOSED = "ENABLED", "CANCELED", "CLOSED"


@dataclass(frozen=True)
class GoogleAccount:
    """A Google Ads account. `below`: the accounts that a manager is linked to. `profile`: what it advertises; a
    manager, a cancelled account and a test account advertise nothing.
    """

    id: str
    name: str
    currency: str
    timezone: str
    manager: bool = False
    test: bool = False
    status: str = ENABLED
    below: tuple[str, ...] = ()
    hidden: bool = False
    profile: WorldProfile | None = None


@dataclass(frozen=True)
class GoogleEstate:
    """The accounts that a company's credential reaches. `direct`: those that its user has access to by itself."""

    accounts: Mapping[str, GoogleAccount]
    direct: tuple[str, ...]

    def under(self, root: str) -> Iterator[tuple[GoogleAccount, int]]:
        """An account and all below it, each once, with its level: how far it is from the root."""
        level, row = 0, [root]
        seen = {root}
        while row:
            following: list[str] = []
            for account_id in row:
                account = self.accounts[account_id]
                yield account, level
                new = [one for one in account.below if one not in seen]
                seen.update(new)
                following += new
            level, row = level + 1, following

    def opens(self, customer: str, login: str) -> bool:
        """Whether a customer may be read, with this login-customer-id or (empty) none."""
        if not login:
            return customer in self.direct
        return login in self.direct and any(account.id == customer for account, _ in self.under(login))
