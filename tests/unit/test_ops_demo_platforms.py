"""Which platforms the demonstration shows."""

from __future__ import annotations

from typing import Any

from adweir.platforms import REGISTRY
from ops.client import Api
from ops.demo import DESCRIBED, PLATFORMS, SHARED
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
        return {"accounts": [client | {"webhooks": hooks}, client | {"webhooks": hooks}]}


def test_given_platforms_per_client_when_clients_are_registered_then_each_connects_its_own() -> None:
    api = _Sent()
    meta, amazon, toy = {"platform": "meta_ads"}, {"platform": "amazon_ads", "label": "eu"}, {"platform": "toy_ads"}
    river = River(api, "http://api", _Clients(meta, amazon, toy), lambda _stage, _done, _total: None)
    river.register([("meta_ads", "amazon_ads"), ("meta_ads",)])
    assert [body for path, body in api.posted if path.endswith("/credentials")] == [meta, amazon, meta]


def test_given_the_short_demonstration_when_its_clients_connect_then_together_they_have_every_platform_shown() -> None:
    assert {platform for connected in SHARED for platform in connected} == {*PLATFORMS, DESCRIBED}
    assert set(PLATFORMS) <= {str(spec.name) for spec in REGISTRY.specs()}
