"""Credentials' metadata: `credentials` / `<account>#<platform>#<label>`. The secret values are only in Secrets Manager.

A deleted credential leaves its version behind: one that is stored anew under its label is a replacement, so that tasks
which wait for it are redriven and no worker takes the old values for the new ones.
"""

from __future__ import annotations

from adweir.model import limits
from adweir.model.entities import Credential
from adweir.model.errors import Conflict
from adweir.model.labels import DEFAULT
from adweir.model.platforms import Platform
from adweir.model.times import iso
from adweir.store.catalog.items import Item, Items

_PK = "credentials"
_TRIES = 5
_ACTIVE, _BROKEN, _DELETED = "active", "broken", "deleted"


class Credentials(Items):
    """Credentials: replaced by version, marked broken, forgotten."""

    def credential(self, account_id: str, platform: Platform, label: str = DEFAULT) -> Credential | None:
        """A credential's metadata, or None."""
        item = self._fetch(*credential_item(account_id, platform, label))
        return None if item is None else self._in_use(item)

    def credentials(self) -> list[Credential]:
        """The credentials of all accounts, broken ones included."""
        return self._known("")

    def account_credentials(self, account_id: str) -> list[Credential]:
        """The credentials of one account, by platform and label."""
        return self._known(f"{account_id}#")

    def mark_broken(self, credential: Credential, reason: str) -> bool:
        """Mark this version of a credential broken; False when it was replaced or deleted meanwhile."""
        broken = credential.model_copy(
            update={
                "state": _BROKEN,
                "reason": reason[: limits.MAX_REASON_CHARS],
                "updated_at": iso(self._clock.now()),
            }
        )
        return self._put(_item(broken), (Item.version == credential.version) & (Item.state != _DELETED))

    def _known(self, prefix: str) -> list[Credential]:
        known = (item for item in self._query(_PK, prefix) if item.state != _DELETED)
        return list(self._entities(Credential, known))

    def _in_use(self, item: Item) -> Credential | None:
        credential = self._entity(Credential, item)
        return None if credential.state == _DELETED else credential

    def _stored_credential(self, account_id: str, platform: Platform, label: str) -> Credential | None:
        item = self._fetch(*credential_item(account_id, platform, label))
        return None if item is None else self._entity(Credential, item)

    def _store_credential(self, given: Credential) -> Credential:
        """Store a credential as active, under the version after the one that it replaces. Raises Conflict."""
        now = iso(self._clock.now())
        for _ in range(_TRIES):
            old = self._stored_credential(given.account_id, given.platform, given.label)
            begun = old.created_at if old is not None and old.state != _DELETED else now
            version = old.version + 1 if old else 1
            fresh = given.model_copy(
                update={"state": _ACTIVE, "version": version, "created_at": begun, "updated_at": now}
            )
            condition = (Item.version == old.version) if old else Item.pk.does_not_exist()
            if self._put(_item(fresh), condition):
                return fresh
        raise Conflict("someone else is replacing this credential at the same moment; try again")

    def _forget_credential(self, credential: Credential) -> None:
        self._put(_item(credential.model_copy(update={"state": _DELETED, "updated_at": iso(self._clock.now())})))


def credential_item(account_id: str, platform: Platform, label: str) -> tuple[str, str]:
    """The key of a credential's item."""
    return _PK, f"{account_id}#{platform}#{label}"


def _item(credential: Credential) -> Item:
    return Item(
        *credential_item(credential.account_id, credential.platform, credential.label),
        state=credential.state,
        version=credential.version,
        body=credential.model_dump(mode="json"),
    )
