"""Credentials' metadata: `credentials` / `<account>#<platform>`. The secret values are only in Secrets Manager."""

from __future__ import annotations

from adweir.model import limits
from adweir.model.entities import Credential
from adweir.model.errors import Conflict
from adweir.model.platforms import Platform
from adweir.model.times import iso
from adweir.store.catalog.items import Item, Items

_PK = "credentials"
_TRIES = 5


class Credentials(Items):
    """Credentials: replaced by version, marked broken, forgotten."""

    def credential(self, account_id: str, platform: Platform) -> Credential | None:
        """A credential's metadata, or None."""
        item = self._fetch(_PK, f"{account_id}#{platform}")
        return None if item is None else Credential.model_validate(item.body)

    def credentials(self) -> list[Credential]:
        """The credentials of all accounts, broken ones included."""
        return [Credential.model_validate(item.body) for item in self._query(_PK)]

    def account_credentials(self, account_id: str) -> list[Credential]:
        """The credentials of one account."""
        return [Credential.model_validate(item.body) for item in self._query(_PK, f"{account_id}#")]

    def mark_broken(self, account_id: str, platform: Platform, version: int, reason: str) -> bool:
        """Mark this version of a credential broken; False when it was replaced meanwhile."""
        credential = self.credential(account_id, platform)
        if credential is None or credential.version != version:
            return False
        broken = credential.model_copy(
            update={
                "state": "broken",
                "reason": reason[: limits.MAX_REASON_CHARS],
                "updated_at": iso(self._clock.now()),
            }
        )
        return self._put(_item(broken), Item.version == version)

    def _store_credential(
        self, account_id: str, platform: Platform, secret_id: str, route: str, app: str
    ) -> Credential:
        """Store a credential as active, under the version after the one that it replaces. Raises Conflict."""
        now = iso(self._clock.now())
        for _ in range(_TRIES):
            old = self.credential(account_id, platform)
            fresh = Credential(
                account_id=account_id,
                platform=platform,
                secret_id=secret_id,
                version=old.version + 1 if old else 1,
                created_at=old.created_at if old else now,
                updated_at=now,
                route=route,
                app=app,
            )
            condition = (Item.version == old.version) if old else Item.pk.does_not_exist()
            if self._put(_item(fresh), condition):
                return fresh
        raise Conflict("someone else is replacing this credential at the same moment; try again")

    def _forget_credential(self, account_id: str, platform: Platform) -> None:
        self._drop(_PK, f"{account_id}#{platform}")


def _item(credential: Credential) -> Item:
    return Item(
        _PK,
        f"{credential.account_id}#{credential.platform}",
        state=credential.state,
        version=credential.version,
        body=credential.model_dump(mode="json"),
    )
