"""The demonstration: one pass of the whole river through the public doors, compared with the world's truth.

It starts a sandbox of its own (or takes one that is told), registers accounts and credentials through the API, fires
the daily schedule, sends signed webhooks, drops a file, waits until everything is quiet, and compares every stored
number with what the platforms really served, to the millionth. Exits 1 on any difference.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import requests
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from ops.client import Api

_POLL_SECONDS = 0.5
_LIMIT_SECONDS = 120
_HTTP_SECONDS = 20
_MICRO = 1_000_000
Numbers = tuple[int, int, int, int, int]
"""impressions, clicks, and conversions, spend, revenue in millionths."""


class DemoFailed(Exception):
    """The demonstration could not be finished; the message says where it stood."""


@dataclass(slots=True)
class ProfileResult:
    """What is shown of one profile."""

    platform: str
    profile_id: str
    currency: str
    stored: dict[tuple[str, str], Numbers] = field(default_factory=dict)
    truth: dict[tuple[str, str], Numbers] = field(default_factory=dict)
    score: float | None = None

    @property
    def rows(self) -> int:
        return len(self.stored)

    @property
    def differences(self) -> list[tuple[str, str]]:
        keys = self.stored.keys() | self.truth.keys()
        return sorted(key for key in keys if self.stored.get(key) != self.truth.get(key))

    def total(self, index: int) -> int:
        return sum(numbers[index] for numbers in self.stored.values())


class Stages:
    """Progress by stage: bars on a terminal, plain lines otherwise."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._plain = not console.is_terminal
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:28}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            console=console,
            disable=self._plain,
        )
        self._bars: dict[str, Any] = {}
        self._said: dict[str, tuple[int, int]] = {}

    @contextmanager
    def shown(self) -> Iterator[None]:
        with self._progress:
            yield

    def show(self, name: str, done: int, total: int, note: str = "") -> None:
        """State that `done` of `total` of a stage are done."""
        if self._plain:
            if self._said.get(name) != (done, total):
                self._said[name] = (done, total)
                self._console.print(f"{name}: {done}/{total} {note}".rstrip(), highlight=False)
            return
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=max(total, 1), note=note)
        self._progress.update(self._bars[name], completed=done if total else 1, total=max(total, 1), note=note)


class Demo:
    """One demonstration against a running sandbox."""

    def __init__(
        self, sandbox: dict[str, Any], fire: Callable[[], str], drop: Callable[[str, bytes], str], console: Console
    ) -> None:
        self._api_url = sandbox["api_url"]
        self._api = Api(self._api_url, sandbox["api_key"])
        self._world = World(sandbox["platforms_url"])
        self._fire = fire
        self._drop = drop
        self._console = console
        self._stages = Stages(console)

    def run(self) -> int:
        """The whole story; 0 when every number is right, else 1."""
        begin = time.monotonic()
        with self._stages.shown():
            clients = self._register()
            self._follow(self._fire())
            profiles = self._api.get("/api/v1/profiles")["profiles"]
            self._send_webhooks(clients, profiles)
            self._drop_file(clients, profiles)
            self._await_datasets(clients)
            results: list[ProfileResult] = []
            for profile in profiles:
                results.append(self._compare(profile))
                right = sum(len(result.truth) - len(result.differences) for result in results)
                self._stages.show("compared with the truth", right, sum(len(result.truth) for result in results))
        return self._report(results, time.monotonic() - begin)

    # -- the doors ---------------------------------------------------------------------------------------------------

    def _register(self) -> list[dict[str, Any]]:
        """Accounts, credentials and webhook secrets through the API; each client gets its `account_id`."""
        clients: list[dict[str, Any]] = self._world.get("credentials")["accounts"]
        calls: list[Callable[[], Any]] = []
        for client in clients:
            account = self._api.post(
                "/api/v1/accounts",
                {"company_name": client["company_name"], "primary_contact_email": client["primary_contact_email"]},
            )
            client["account_id"] = account["account_id"]
            path = f"/api/v1/accounts/{client['account_id']}"
            credentials = client["credentials"].values()
            calls += [partial(self._api.post, f"{path}/credentials", credential) for credential in credentials]
            secrets = client["webhooks"]
            meta = {"secret": secrets["meta_app_secret"], "verify_token": secrets["meta_verify_token"]}
            calls.append(partial(self._api.put, f"{path}/webhook-secrets/meta", meta))
            calls.append(partial(self._api.put, f"{path}/webhook-secrets/amazon", {"secret": secrets["push_secret"]}))
        for done, call in enumerate(calls, start=1):
            call()
            self._stages.show("accounts and credentials", done, len(calls))
        return clients

    def _follow(self, run_id: str) -> None:
        """Show a run's stages until it ends; anything but success fails the demonstration."""
        for _ in patience(f"run {run_id}"):
            run = self._api.find(f"/api/v1/runs/{run_id}")
            if run is None:  # the schedule's message is still on its way
                continue
            for dataset, counts in (pair for stage in run["stages"] for pair in stage["datasets"].items()):
                self._stages.show(f"{run['workflow']}: {dataset}", counts["done"] + counts["failed"], counts["total"])
            if run["state"] == "succeeded":
                return
            if run["state"] != "running":
                raise DemoFailed(f"run {run_id} ended {run['state']}: {run.get('failed_tasks')}")

    def _send_webhooks(self, clients: list[dict[str, Any]], profiles: list[dict[str, Any]]) -> None:
        """A platform's notification, a signed push delivered twice, and a forged one, each to its door."""
        client = clients[0]
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
            self._stages.show("signed webhooks", done, len(deliveries) + 1)
        filters = {"profile_id": profile["profile_id"], "campaign_id": ad["campaign_id"]}
        for _ in patience("the pushed hour"):
            found = list(self._api.records("campaign_performance_hourly", filters))
            if found:
                break
        if [numbers(row) for row in found] != [(1200, 34, 2_500_000, 45_670_000, 310_750_000)]:
            raise DemoFailed(f"the pushed hour is stored as {found}")
        self._stages.show("signed webhooks", len(deliveries) + 1, len(deliveries) + 1)

    def _drop_file(self, clients: list[dict[str, Any]], profiles: list[dict[str, Any]]) -> None:
        """A CSV with one malformed line: the good lines are stored, the bad one is in quarantine by its number."""
        profile = next(p for p in profiles if p["account_id"] == clients[0]["account_id"])
        day = (datetime.now(UTC).date() - timedelta(days=200)).isoformat()
        lines = [
            "platform,profile_id,level,campaign_id,ad_group_id,ad_id,date,impressions,clicks,conversions,spend,revenue"
        ]
        start = f"{profile['platform']},{profile['profile_id']},ad"
        lines += [f"{start},900,90,{ad},{day},{ad * 100},{ad},1,{ad}.25,{ad * 3}.10" for ad in (1, 2, 3)]
        lines.append(f"{start},900,90,4,{day},many,4,1,4.25,12.10")
        self._drop(f"{profile['account_id']}/offline.csv", "\n".join(lines).encode())
        self._stages.show("file drop", 0, 3)
        filters = {"profile_id": profile["profile_id"], "date_range": {"start": day, "end": day}}
        for _ in patience("the dropped file"):
            found = {row["ad_id"]: numbers(row) for row in self._api.records("ad_performance", filters)}
            self._stages.show("file drop", len(found), 3)
            if len(found) == 3:
                break
        if found != {
            str(ad): (ad * 100, ad, 1_000_000, ad * _MICRO + 250_000, ad * 3 * _MICRO + 100_000) for ad in (1, 2, 3)
        }:
            raise DemoFailed(f"the dropped file is stored as {found}")

    def _await_datasets(self, clients: list[dict[str, Any]]) -> None:
        """The media-mix datasets that follow the daily run, one manifest an account and currency."""
        for done, client in enumerate(clients, 1):
            for _ in patience("the media-mix datasets"):
                if self._api.get(f"/api/v1/accounts/{client['account_id']}/mmm")["datasets"]:
                    break
            self._stages.show("media-mix datasets", done, len(clients))

    # -- the proof ---------------------------------------------------------------------------------------------------

    def _compare(self, profile: dict[str, Any]) -> ProfileResult:
        """A profile's stored rows beside what its platform says today."""
        result = ProfileResult(profile["platform"], profile["profile_id"], profile["currency"])
        truth = self._world.get("truth", platform=profile["platform"], profile_id=profile["profile_id"])["rows"]
        yesterday = datetime.now(ZoneInfo(profile["timezone"])).date() - timedelta(days=1)
        first = min(row["date"] for row in truth)
        for row in truth:
            if row["date"] <= yesterday.isoformat():
                result.truth[row["entity_id"], row["date"]] = (
                    row["impressions"],
                    row["clicks"],
                    row["conversions_micros"],
                    row["spend_micros"],
                    row["revenue_micros"],
                )
        span = {"start": first, "end": yesterday.isoformat()}
        for row in self._api.records("ad_performance", {"profile_id": profile["profile_id"], "date_range": span}):
            result.stored[f"{row['ad_group_id']}~{row['ad_id']}", row["date"]] = numbers(row)
        quality = self._api.get("/api/v1/quality", profile_id=profile["profile_id"], platform=profile["platform"])
        scores = [report["score"] for report in quality["reports"] if report["score"] is not None]
        result.score = min(scores, default=None)
        return result

    def _report(self, results: list[ProfileResult], seconds: float) -> int:
        narrow = self._console.width < 110
        table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 0 if narrow else 1))
        for name in ("platform", "profile"):
            table.add_column(name, no_wrap=True)
        last = ("conv.", "ROAS", "score") if narrow else ("conversions", "ROAS", "quality score")
        for name in ("rows", "spend", "clicks", *last):
            table.add_column(name, justify="right", no_wrap=True)
        for result in results:
            spend, revenue = result.total(3), result.total(4)
            table.add_row(
                result.platform,
                result.profile_id,
                f"{result.rows:,}",
                f"{Decimal(spend) / _MICRO:,.2f} {result.currency}",
                f"{result.total(1):,}",
                f"{Decimal(result.total(2)) / _MICRO:,.1f}",
                f"{Decimal(revenue) / spend:.2f}" if spend else "-",
                "-" if result.score is None else f"{result.score:.3f}",
            )
        self._console.print(table)
        wrong = [(result, key) for result in results for key in result.differences]
        for result, key in wrong[:20]:
            self._console.print(
                f"differs: {result.platform} {result.profile_id} {key}: "
                f"stored {result.stored.get(key)}, truth {result.truth.get(key)}",
                style="red",
            )
        total = sum(len(result.truth) for result in results)
        if wrong or not total:
            self._console.print(f"{len(wrong)} of {total:,} rows differ from the platforms' truth", style="bold red")
            return 1
        self._console.print(
            f"{total:,} rows, {total * 5:,} numbers: every one is the platforms' own, to the millionth.\n"
            f"{seconds:.0f} s from the first account to here.",
            style="bold green",
            highlight=False,
        )
        return 0


class World:
    """The sandbox's own doors, under `/_world`."""

    def __init__(self, platforms_url: str) -> None:
        self._root = f"{platforms_url.rstrip('/')}/_world"

    def get(self, door: str, **params: str) -> Any:
        response = requests.get(f"{self._root}/{door}", params=params, timeout=_HTTP_SECONDS)
        response.raise_for_status()
        return response.json()

    def post(self, door: str, body: dict[str, Any]) -> Any:
        response = requests.post(f"{self._root}/{door}", json=body, timeout=_HTTP_SECONDS)
        response.raise_for_status()
        return response.json()


def numbers(row: dict[str, Any]) -> Numbers:
    """A record of the API → counts and millionths."""
    conversions, spend, revenue = (
        int(Decimal(str(row[name])) * _MICRO) for name in ("conversions", "spend", "revenue")
    )
    return (row["impressions"], row["clicks"], conversions, spend, revenue)


def patience(what: str) -> Iterator[None]:
    """Turns of half a second until the limit; then DemoFailed names what did not come."""
    deadline = time.monotonic() + _LIMIT_SECONDS
    while time.monotonic() < deadline:
        yield
        time.sleep(_POLL_SECONDS)
    raise DemoFailed(f"{what} did not come within {_LIMIT_SECONDS} s")
