"""Drives the data in through the public entrances: accounts, credentials, the daily run, webhooks, a dropped file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from adweir.model.datasets import Dataset
from adweir.model.money import MICRO
from ops.client import Api
from ops.demo import DESCRIBED
from ops.demo.truth import Figures, numbers
from ops.demo.world import WorldDoors
from ops.errors import CommandFailed

_SPEC = Path(__file__).parents[2] / f"docs/specs/{DESCRIBED}.json"
_POLL_SECONDS = 0.5
_FEW_TASKS, _PAUSES = 5, 4
"""A run's answer counts its tasks: each look takes the sandbox 40 ms of CPU. While more are left, it is rare."""
_LIMIT_SECONDS = 600
Show = Callable[[str, int, int], None]
"""Shows a stage's progress: its name, parts done, parts in all."""


class DemoFailed(CommandFailed):
    """The demonstration could not be finished; the message says where it stopped."""


class River:
    """Drives a running sandbox from outside, as platforms, clients and the scheduler would."""

    def __init__(self, api: Api, api_url: str, world: WorldDoors, show: Show) -> None:
        self._api = api
        self._api_url = api_url
        self._world = world
        self._show = show

    def register(self, platforms: Sequence[Collection[str]]) -> list[dict[str, Any]]:
        """Accounts, credentials and webhook secrets through the API; each client gets its `account_id`.

        `platforms`: those that each client connects.
        """
        clients: list[dict[str, Any]] = self._world.get("credentials")["accounts"]
        calls: list[Callable[[], Any]] = []
        for client, connected in zip(clients, platforms, strict=True):
            account = self._api.post(
                "/api/v1/accounts",
                {"company_name": client["company_name"], "primary_contact_email": client["primary_contact_email"]},
            )
            client["account_id"] = account["account_id"]
            path = f"/api/v1/accounts/{client['account_id']}"
            credentials = [body for body in client["credentials"].values() if body["platform"] in connected]
            calls += [partial(self._api.post, f"{path}/credentials", credential) for credential in credentials]
            secrets = client["webhooks"]
            meta = {"secret": secrets["meta_app_secret"], "verify_token": secrets["meta_verify_token"]}
            calls.append(partial(self._api.put, f"{path}/webhook-secrets/meta", meta))
            if DESCRIBED in connected:
                calls += self._described(client, path)
            calls.append(partial(self._api.put, f"{path}/webhook-secrets/amazon", {"secret": secrets["push_secret"]}))
        for done, call in enumerate(calls, start=1):
            call()
            self._show("accounts and credentials", done, len(calls))
        return clients

    def _described(self, client: dict[str, Any], path: str) -> list[Callable[[], Any]]:
        """The spec, with the sandbox's address, and a credential of it."""
        spec = json.loads(_SPEC.read_text("utf-8"))
        address = self._world.platforms_url
        text = json.dumps(spec).replace("https://api.pinterest.com", address)
        credential = client["elsewhere"][f"{DESCRIBED}_ads"]["credentials"]
        body = {"platform": "generic", "label": DESCRIBED, **credential}
        return [
            partial(self._api.put, f"/api/v1/specs/{DESCRIBED}", json.loads(text)),
            partial(self._api.post, f"{path}/credentials", body),
        ]

    def pull(self, dataset: Dataset) -> str:
        """Start a run that pulls a dataset, and makes nothing of it: the daily run does. Returns the run's id."""
        asked = {"scope": {"datasets": [dataset.value]}, "args": {"validate": False}}
        return str(self._api.post("/api/v1/workflows/platform/runs", asked)["run_id"])

    def follow(self, run_id: str, through: str = "") -> None:
        """Show a run's stages until it ends, or until a stage of it has ended, on which what comes next depends.

        Raises DemoFailed for a run that ends and does not succeed.
        """
        left = 0
        for pause, _ in enumerate(patience(f"run {run_id}")):
            if left > _FEW_TASKS and pause % _PAUSES:
                continue
            run = self._api.find(f"/api/v1/runs/{run_id}")
            if run is None:  # the schedule's message is still on its way
                continue
            left = 0
            for dataset, counts in (pair for stage in run["stages"] for pair in stage["datasets"].items()):
                ended = counts["done"] + counts["failed"]
                self._show(f"{run['workflow']}: {dataset}", ended, counts["total"])
                left += counts["total"] - ended
            if run["state"] == "succeeded" or (
                run["state"] == "running"
                and any(stage["name"] == through and stage["ended_at"] for stage in run["stages"])
            ):
                return
            if run["state"] != "running":
                raise DemoFailed(f"run {run_id} ended {run['state']}: {run.get('failed_tasks')}")

    def send_webhooks(self, client: dict[str, Any], profiles: list[dict[str, Any]]) -> None:
        """A platform's notification, a signed push delivered twice, and a forged one, each to its door."""
        profile = next(p for p in profiles if p["platform"] == "amazon_ads" and p["account_id"] == client["account_id"])
        ad = next(self._api.records("ad_performance", {"profile_id": profile["profile_id"]}))
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
        metric = {
            "campaign_id": ad["campaign_id"],
            "timestamp": hour.isoformat(),
            "impressions": 1200,
            "clicks": 34,
            "conversions": "2.5",
            "revenue": "310.75",
            "cost": "45.67",
            "currency": profile["currency"],
        }
        push = {"account": client["key"], "url": f"{self._api_url}/webhook/amazon/{client['account_id']}"}
        meta = {"account": client["key"], "url": f"{self._api_url}/webhook/meta/{client['account_id']}"}
        deliveries = [
            ("webhooks/meta", meta, 200),
            ("webhooks/push", push | {"metrics": [metric], "times": 2}, 200),
            ("webhooks/push", push | {"metrics": [metric], "bad_signature": True, "id": "forged"}, 401),
        ]
        for done, (door, body, expected) in enumerate(deliveries, start=1):
            answers = self._world.post(door, body)["answers"]
            if any(answer["status"] != expected for answer in answers):
                raise DemoFailed(f"{door} to {body['url']}: expected {expected}, got {answers}")
            self._show("signed webhooks", done, len(deliveries) + 1)
        filters = {"profile_id": profile["profile_id"], "campaign_id": ad["campaign_id"]}
        for _ in patience("the pushed hour"):
            found = list(self._api.records("campaign_performance_hourly", filters))
            if found:
                break
        if [numbers(row) for row in found] != [Figures(1200, 34, 2_500_000, 45_670_000, 310_750_000)]:
            raise DemoFailed(f"the pushed hour is stored as {found}")
        self._show("signed webhooks", len(deliveries) + 1, len(deliveries) + 1)

    def drop_file(
        self, client: dict[str, Any], profiles: list[dict[str, Any]], drop: Callable[[str, bytes], object]
    ) -> None:
        """A CSV with one malformed line: the good lines are stored, the bad one is quarantined by its number."""
        profile = next(p for p in profiles if p["account_id"] == client["account_id"])
        day = (datetime.now(UTC).date() - timedelta(days=200)).isoformat()
        lines = [
            "platform,profile_id,level,campaign_id,ad_group_id,ad_id,date,impressions,clicks,conversions,spend,revenue"
        ]
        start = f"{profile['platform']},{profile['profile_id']},ad"
        lines += [f"{start},900,90,{ad},{day},{ad * 100},{ad},1,{ad}.25,{ad * 3}.10" for ad in (1, 2, 3)]
        lines.append(f"{start},900,90,4,{day},many,4,1,4.25,12.10")
        drop(f"{profile['account_id']}/offline.csv", "\n".join(lines).encode())
        self._show("file drop", 0, 3)
        filters = {"profile_id": profile["profile_id"], "date_range": {"start": day, "end": day}}
        for _ in patience("the dropped file"):
            found = {row["ad_id"]: numbers(row) for row in self._api.records("ad_performance", filters)}
            self._show("file drop", len(found), 3)
            if len(found) == 3:
                break
        expected = {
            str(ad): Figures(ad * 100, ad, MICRO, ad * MICRO + 250_000, ad * 3 * MICRO + 100_000) for ad in (1, 2, 3)
        }
        if found != expected:
            raise DemoFailed(f"the dropped file is stored as {found}")

    def await_datasets(self, clients: list[dict[str, Any]]) -> None:
        """Wait for the media-mix datasets that follow the daily run, one manifest per account and currency."""
        for done, client in enumerate(clients, 1):
            for _ in patience("the media-mix datasets"):
                if self._api.get(f"/api/v1/accounts/{client['account_id']}/mmm")["datasets"]:
                    break
            self._show("media-mix datasets", done, len(clients))


def patience(what: str) -> Iterator[None]:
    """Yields after each pause until the limit; then raises DemoFailed, which names what is missing."""
    deadline = time.monotonic() + _LIMIT_SECONDS
    while time.monotonic() < deadline:
        yield
        time.sleep(_POLL_SECONDS)
    raise DemoFailed(f"{what} did not come within {_LIMIT_SECONDS} s")
