"""The composition root hands a replaced credential's new values to its connector, never the cached old ones."""

from __future__ import annotations

import pytest

from adweir.model.entities import Credential
from adweir.model.errors import Throttled
from adweir.model.platforms import Platform
from adweir.runtime.app import App
from adweir.runtime.settings import Settings
from adweir.store.secrets import SecretStore
from support.clock import FrozenClock

SECRET = {"client_id": "amzn1.x", "client_secret": "s", "refresh_token": "r"}


class CachedSecrets(SecretStore):
    """One secret; records which are refreshed."""

    def __init__(self) -> None:
        self.refreshed: list[str] = []
        self.allows = True

    def get(self, secret_id: str) -> dict[str, str]:
        return SECRET

    def refresh(self, secret_id: str) -> bool:
        self.refreshed.append(secret_id)
        return self.allows


def test_a_new_version_of_a_credential_is_read_from_secrets_manager_again(
    settings: Settings, clock: FrozenClock
) -> None:
    app = App(settings, clock)
    secrets = CachedSecrets()
    app.__dict__.update(secrets=secrets, ledger=type("Ledger", (), {"tokens": None}))
    first = Credential(account_id="acme", platform=Platform("amazon_ads"), secret_id="s1")
    second = first.model_copy(update={"version": 2})
    app.connector(first)
    app.connector(first)
    assert secrets.refreshed == []
    secrets.allows = False
    with pytest.raises(Throttled):
        app.connector(second)
    secrets.allows = True
    app.connector(second)
    app.connector(second)
    assert secrets.refreshed == ["s1", "s1"]
    app.http.close()
