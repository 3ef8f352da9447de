"""Which platforms the demonstration shows."""

from __future__ import annotations

from typing import Any

from adweir.platforms import REGISTRY
from ops.client import Api
from ops.demo import PLATFORMS
from ops.demo.river import River
from ops.demo.world import WorldDoors


class _Sent(Api):
    """Keeps what is posted."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, Any]] = []

    def post(self, path: str, body: Any = None) -> Any:
        self.posted.append((path, body))
        return {"account_id": "acc_1"}

    def put(self, path: str, body: Any) -> Any:
        return {}


class _Clients(WorldDoors):
    def __init__(self, *credentials: dict[str, str]) -> None:
        self._held = {f"{number}": body for number, body in enumerate(credentials)}

    def get(self, door: str, **_: str) -> Any:
        assert door == "credentials"
        client = {"company_name": "Acme", "primary_contact_email": "a@acme.example", "credentials": self._held}
        hooks = dict.fromkeys(("meta_app_secret", "meta_verify_token", "push_secret"), "x")
        return {"accounts": [client | {"webhooks": hooks}]}


def test_given_a_platform_that_is_not_shown_when_clients_are_registered_then_it_stays_out() -> None:
    api = _Sent()
    shown = [{"platform": "meta_ads"}, {"platform": "amazon_ads", "label": "eu"}]
    world = _Clients(*shown, {"platform": "toy_ads"})
    River(api, "http://api", world, lambda _stage, _done, _total: None).register()
    assert [body for path, body in api.posted if path.endswith("/credentials")] == shown
    assert set(PLATFORMS) <= {str(spec.name) for spec in REGISTRY.specs()}
