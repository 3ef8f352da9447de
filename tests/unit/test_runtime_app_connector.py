"""The composition root hands a replaced credential's new values to its connector, never the cached old ones."""

from __future__ import annotations

from adweir.model.entities import Credential
from adweir.model.platforms import Platform
from adweir.runtime.app import App
from adweir.runtime.settings import Settings
from adweir.store.secrets import SecretStore
from support.clock import FrozenClock

SECRET = {"client_id": "amzn1.x", "client_secret": "s", "refresh_token": "r"}


class CachedSecrets(SecretStore):
    """One secret; records under which stamp it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def get(self, secret_id: str, stamp: str = "") -> dict[str, str]:
        self.asked.append((secret_id, stamp))
        return SECRET


def test_each_version_of_a_credential_is_a_stamp_of_its_secret(settings: Settings, clock: FrozenClock) -> None:
    app = App(settings, clock)
    secrets = CachedSecrets()
    app.__dict__.update(secrets=secrets, ledger=type("Ledger", (), {"tokens": None}))
    first = Credential(account_id="acme", platform=Platform("amazon_ads"), secret_id="s1")

    for credential in (first, first.model_copy(update={"version": 2})):
        app.connector(credential)

    assert secrets.asked == [("s1", "1"), ("s1", "2")]
    app.http.close()
