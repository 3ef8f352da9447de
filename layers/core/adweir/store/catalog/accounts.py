"""Client companies: `accounts` / `<account>`.

A stamp of each door's webhook secrets stands beside them: `webhook-doors` / `<platform>#<account>`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adweir.model.entities import Account
from adweir.model.errors import Conflict, NotFound
from adweir.model.platforms import Platform
from adweir.model.times import iso
from adweir.store.catalog.items import Item, Items, as_read, version_of

_PK = "accounts"
_DELETED = "deleted"
_DOORS = "webhook-doors"
_TRIES = 5


class Accounts(Items):
    """Accounts: created, changed and listed. A deleted one stays stored but is never shown."""

    def create_account(self, account_id: str, company_name: str, primary_contact_email: str) -> Account:
        """Store a new client company. Raises Conflict when the id is taken; names may repeat."""
        now = iso(self._clock.now())
        account = Account(
            account_id=account_id,
            company_name=company_name,
            primary_contact_email=primary_contact_email,
            created_at=now,
            updated_at=now,
        )
        if not self._put(_item(account, 1), Item.pk.does_not_exist()):
            raise Conflict(f"account {account_id} already exists")
        return account

    def account(self, account_id: str) -> Account:
        """An account. Raises NotFound, for a deleted one too."""
        return self._known_account(account_id, self._fetch(_PK, account_id) if account_id else None)

    def accounts(self) -> list[Account]:
        """All accounts by id."""
        return list(self._entities(Account, (item for item in self._query(_PK) if item.state != _DELETED)))

    def list_accounts(self, limit: int = 50, token: str = "") -> tuple[list[Account], str]:
        """A page of accounts by id and the token of the next, "" after the last. Raises BadInput for a wrong token.

        A page may hold fewer than `limit` accounts, because deleted ones are left out.
        """
        items, following = self._page(_PK, limit, token)
        return list(self._entities(Account, (item for item in items if item.state != _DELETED))), following

    def some_accounts(self, ids: Iterable[str]) -> dict[str, Account]:
        """Accounts by their ids, read together; those that are unknown or deleted are left out."""
        found = self._fetch_many((_PK, account_id) for account_id in ids)
        there = (item for item in found.values() if item.state != _DELETED)
        return {each.account_id: each for each in self._entities(Account, there)}

    def stamp_webhooks(self, platform: Platform, account_id: str, stamp: str) -> None:
        """The webhook secrets of a door were changed; account "" is the deployment, `stamp` a new text each time."""
        self._put(Item(_DOORS, f"{platform}#{account_id}", state=stamp))

    def doors(self) -> list[tuple[str, str]]:
        """The doors whose webhook secrets were ever changed: platform, account ("" for the deployment's)."""
        keys = (item.sk.partition("#") for item in self._query(_DOORS))
        return [(platform, account_id) for platform, _, account_id in keys]

    def door(self, platform: Platform, account_id: str) -> str | None:
        """The stamp of a door's webhook secrets, "" before the first; None when there is no such account."""
        account, stamped = (_PK, account_id), (_DOORS, f"{platform}#{account_id}")
        found = self._fetch_many([account, stamped] if account_id else [stamped])
        if account_id and (account not in found or found[account].state == _DELETED):
            return None
        return (found[stamped].state or "") if stamped in found else ""

    def update_account(self, account_id: str, *, read: Account | None = None, **changes: Any) -> Account:
        """Change fields of an account; what others change at the same moment is not lost.

        With `read`, the account as the caller has read it, nothing that was changed since is changed: Conflict.
        Raises NotFound.
        """
        for _ in range(_TRIES):
            item = self._fetch(_PK, account_id) if account_id else None
            known = self._known_account(account_id, item)
            if read is not None and known != read:
                break
            account = known.model_copy(update=changes | {"updated_at": iso(self._clock.now())})
            if self._put(_item(account, version_of(item) + 1), as_read(item)):
                return account
        raise Conflict(f"someone else is changing account {account_id[:64]} at the same moment; try again")

    def _mark_deleted(self, account_id: str) -> None:
        """Mark an account deleted. Raises NotFound."""
        self.update_account(account_id, status=_DELETED)

    def _known_account(self, account_id: str, item: Item | None) -> Account:
        if item is None:
            raise _unknown(account_id)
        if item.state == _DELETED:
            raise _unknown(account_id, f": it was deleted at {(item.body or {}).get('updated_at', '')}")
        return self._entity(Account, item)


def _unknown(account_id: str, why: str = "") -> NotFound:
    return NotFound(f"there is no account {account_id[:64]}{why}", [{"field": "account_id", "message": "is unknown"}])


def _item(account: Account, version: int) -> Item:
    body = account.model_dump(mode="json")
    return Item(_PK, account.account_id, state=account.status, version=version, body=body)
