"""Taking in and forgetting what a client company hands us: its credentials, itself."""

from __future__ import annotations

from collections.abc import Mapping

from adweir.intake.doors.webhook_secrets import secret_name
from adweir.model.entities import Credential
from adweir.model.errors import Unprocessable
from adweir.model.messages import RedriveCredential
from adweir.model.platforms import Platform
from adweir.model.ports import Queue
from adweir.platforms import Platforms
from adweir.store.catalog.store import Catalog
from adweir.store.secrets import SecretStore


class Registration:
    """Credentials and webhook secrets in Secrets Manager, what may be known about them in the catalog."""

    def __init__(self, platforms: Platforms, catalog: Catalog, secrets: SecretStore, runs: Queue) -> None:
        self._platforms = platforms
        self._catalog = catalog
        self._secrets = secrets
        self._runs = runs

    def register(self, account_id: str, platform_name: str, values: Mapping[str, str]) -> Credential:
        """Store a credential: its values in Secrets Manager, its metadata in the catalog. Returns the metadata.

        Without a platform's name it is the one whose credential the values can only be. One that replaces another has
        the tasks redriven that were parked for want of it. The secret is stored first: metadata never promises one that
        is not there.

        Raises NotFound (the account), Unprocessable (the platform, the values), Unavailable.
        """
        self._catalog.account(account_id)
        platform = self._platforms.parse(platform_name) if platform_name else self._platforms.recognize(values)
        if platform is None:
            raise Unprocessable("which platform is it for?", [{"field": "platform", "message": "is required"}])
        self._platforms.spec(platform).credential.read(values)
        secret_id = self._secrets.name("credential", account_id, platform)
        self._secrets.put(secret_id, values)
        credential = self._catalog.put_credential(account_id, platform, secret_id)
        if credential.version > 1:
            self._runs.send(RedriveCredential(account_id=account_id, platform=platform), group=account_id)
        return credential

    def forget(self, account_id: str, platform_name: str) -> Platform:
        """Forget a credential and its secret; returns its platform. Raises NotFound, Unprocessable, Unavailable."""
        platform = self._platforms.parse(platform_name)
        self._catalog.account(account_id)
        self._secrets.delete(self._catalog.delete_credential(account_id, platform).secret_id)
        return platform

    def forget_account(self, account_id: str) -> None:
        """Mark an account deleted and forget its credentials and webhook secrets. Raises NotFound, Unavailable.

        The secrets go first: a failure in between leaves an account whose deletion can be asked for again.
        """
        self._catalog.account(account_id)
        for credential in self._catalog.account_credentials(account_id):
            self._secrets.delete(credential.secret_id)
        for platform in self._platforms:
            self._secrets.delete(secret_name(self._secrets, platform, account_id))
        self._catalog.delete_account(account_id)
