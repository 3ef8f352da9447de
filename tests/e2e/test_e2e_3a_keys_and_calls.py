"""Keys at the gateway, what the API log has of the stories so far, and the health of what everything is stored in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import requests

from support.river import PLATFORMS, River


def test_given_a_rotated_key_then_both_values_work_or_only_the_new_one(river: River) -> None:
    made = river.api.post("/api/v1/keys", {"name": "dashboard", "scopes": ["read"]})
    path = f"/api/v1/keys/{made['key_id']}/rotate"

    both = river.api.post(path, {"overlap_hours": 1})["key"]
    assert (_status(river, made["key"]), _status(river, both)) == (200, 200)
    only = river.api.post(path, {"overlap_hours": 0})["key"]
    assert _status(river, only) == 200
    assert _status(river, made["key"][:-1] + "x") == 403


def test_given_requests_and_pulls_then_the_api_log_has_them_and_no_secret(river: River) -> None:
    asked = _ask(river, river.description["api_key"], "/api/v1/runs/run_nobody")
    request_id = asked.headers["x-request-id"]

    (mine,) = river.api.get("/api/v1/api-logs", request_id=request_id)["api_logs"]
    assert (mine["endpoint"], mine["status_code"], mine["success"]) == ("/api/v1/runs/run_nobody", 404, False)
    assert mine["error_message"] == asked.json()["error"]["message"]
    calls = {name: river.api.get("/api/v1/api-logs", platform=name, limit=200)["api_logs"] for name in PLATFORMS}
    for name, found in calls.items():
        assert {call["platform"] for call in found} == {name}
        assert any(call["success"] and call["task_id"] and call["run_id"] and call["response_data"] for call in found)
    told = json.dumps(calls)
    secrets = {value for client in river.clients.values() for value in _texts(client.description["credentials"])}
    assert len(secrets) > len(PLATFORMS)
    assert [secret for secret in secrets if secret in told] == []


def test_given_a_running_system_then_all_that_it_stores_in_answers(river: River) -> None:
    store = river.api.get("/api/v1/pipeline/health")["parts"]["store"]
    assert (store["status"], store["reason"]) == ("healthy", None)
    kinds = [item["kind"] for item in store["items"]]
    assert [kinds.count(kind) for kind in ("table", "bucket", "secrets")] == [4, 1, 1]
    assert kinds.count("queue") > 2 * len(PLATFORMS)
    assert all(item["latency_ms"] > 0 for item in store["items"])


def _ask(river: River, key: str, path: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return requests.get(river.description["api_url"] + path, headers=headers, timeout=30)


def _status(river: River, key: str) -> int:
    return _ask(river, key, "/api/v1/accounts").status_code


def _texts(credentials: Mapping[str, Any]) -> Iterator[str]:
    """The values that are secret, of all credentials of a client."""
    for body in credentials.values():
        yield from (str(value) for name, value in body.items() if name.endswith(("secret", "token", "password")))
