"""Stores and deletes what a client company hands over: its credentials, its webhook secrets, its account."""

from __future__ import annotations

import re
from collections.abc import Mapping

from adweir.intake.doors.credential_check import Check, CredentialCheck
from adweir.intake.doors.webhook_secrets import secret_name
from adweir.model.entities import Credential
from adweir.model.errors import Conflict, Unprocessable
from adweir.model.labels import DEFAULT, PATTERN
from adweir.model.messages import RedriveCredential
from adweir.model.platforms import Platform
from adweir.model.ports import Queue
from adweir.platforms import Platforms
from adweir.platforms.credentials import CredentialFields
from adweir.store.catalog.store import Catalog
from adweir.store.secrets import SecretStore

_LABEL = re.compile(PATTERN)


def parse_label(text: str) -> str:
    """A label in any case → as it is stored; "" → `default`. Raises Unprocessable."""
    label = text.strip().lower() or DEFAULT
    if not _LABEL.fullmatch(label):
        message = f"{text[:40]!r} is not a label: lower-case letters, digits, - and _, at most 32 characters"
        raise Unprocessable(message, [{"field": "label", "message": message}])
    return label


class Registration:
    """Keeps credentials and webhook secrets in Secrets Manager, and their metadata in the catalog."""

    def __init__(
        self, platforms: Platforms, catalog: Catalog, secrets: SecretStore, runs: Queue, check: CredentialCheck
    ) -> None:
        self._platforms = platforms
        self._catalog = catalog
        self._secrets = secrets
        self._runs = runs
        self._check = check

    def register(
        self,
        account_id: str,
        platform_name: str,
        values: Mapping[str, str],
        label: str = "",
        *,
        read: int | None = None,
    ) -> tuple[Credential, Check]:
        """Store a credential that works: its values in Secrets Manager, its metadata in the catalog.

        Returns the metadata, and what the platform said to the credential. One that the platform refuses is not stored;
        where it cannot be asked, the credential is stored unchecked.

        Without a platform's name, the values must fit the credential of exactly one platform; without a label it is
        the account's `default` one. When a credential
        replaces another, the tasks that waited for it are redriven. The secret is stored first, so that metadata never
        refers to a secret that does not exist. `read` is the version that the caller means to replace, 0 for none.

        Raises NotFound (the account), Unprocessable (the platform, the label, the values, a refusal), Unavailable, and
        Conflict where another version was stored since it was `read`.
        """
        self._catalog.account(account_id)
        platform = self._platforms.parse(platform_name) if platform_name else self._platforms.recognize(values)
        if platform is None:
            raise Unprocessable("the platform is required", [{"field": "platform", "message": "is required"}])
        fields = self.checked(platform, values)
        label = parse_label(label)
        given = Credential(
            account_id=account_id,
            platform=platform,
            label=label,
            secret_id=self._secrets.name("credential", account_id, platform, label),
            route=fields.route,
            app=fields.app_hash,
            ends_on=str(fields.ends or ""),
        )
        check = self._check.check(given, values)
        if read is not None:
            now = self._catalog.credential(account_id, platform, label)
            if read != (now.version if now else 0):
                raise Conflict("someone else is replacing this credential at the same moment; try again")
        self._secrets.put(given.secret_id, values)
        credential = self._catalog.put_credential(given)
        if credential.version > 1:
            message = RedriveCredential(account_id=account_id, platform=platform, label=label)
            self._runs.send(message, group=account_id)
        return credential, check

    def checked(self, platform: Platform, values: Mapping[str, str]) -> CredentialFields:
        """A credential's values as its platform reads them; nothing is asked. Raises Unprocessable."""
        fields = self._platforms.spec(platform).credential
        read = fields.read(values)
        fields.check_secrets(values)
        fields.check_given(values)
        return read

    def forget(self, account_id: str, platform_name: str, label: str = "") -> tuple[Credential, int]:
        """Delete a credential and its secret; returns it, and how many ad accounts it reached.

        Raises NotFound, Unprocessable, Unavailable.

        The secret goes first: after a failure in between, the deletion can be requested again.
        """
        platform, label = self._platforms.parse(platform_name), parse_label(label)
        self._catalog.account(account_id)
        credential = self._catalog.credential(account_id, platform, label)
        if credential is not None:
            self._secrets.delete(credential.secret_id)
        return self._catalog.delete_credential(account_id, platform, label)

    def forget_account(self, account_id: str) -> tuple[int, int]:
        """Mark an account deleted; delete its credentials and webhook secrets. Raises NotFound, Unavailable.

        Returns how many credentials were deleted, and how many ad accounts are inactive now.

        The secrets go first: after a failure in between, the deletion can be requested again.
        """
        self._catalog.account(account_id)
        for credential in self._catalog.account_credentials(account_id):
            self._secrets.delete(credential.secret_id)
        for platform in self._platforms:
            self._secrets.delete(secret_name(self._secrets, platform, account_id))
        credentials, profiles = self._catalog.delete_account(account_id)
        return len(credentials), profiles
