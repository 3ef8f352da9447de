"""The demonstration: one pass of the whole river through the public doors, compared with the world's truth.

It starts a sandbox of its own (or takes one that is told), registers accounts and credentials through the API, fires
the daily schedule, sends signed webhooks, drops a file, waits until everything is quiet, and compares every stored
number with what the platforms really served, to the millionth. Exits 1 on any difference.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import requests
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from ops.client import Api

_POLL_SECONDS = 0.5
_LIMIT_SECONDS = 120
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

    def __init__(self, sandbox: dict[str, Any], fire: Callable[[str], str], drop: Callable[[str, bytes], None]) -> None:
        self._sandbox = sandbox
        self._api = Api(sandbox["api_url"], sandbox["api_key"])
        self._platforms_url = sandbox["platforms_url"].rstrip("/")
        self._fire = fire
        self._drop = drop
        self._console = Console(file=sys.stdout)
        self._stages = Stages(self._console)

    def run(self) -> int:
        """The whole story; 0 when every number is right."""
        begin = time.monotonic()
        with self._stages.shown():
            accounts = self._register()
            self._follow(self._fire("daily"), "daily")
            profiles = self._api.get("/api/v1/profiles")["profiles"]
            pushed = self._push(accounts, profiles)
            dropped = self._drop_file(profiles)
            self._await_rows("file drop", dropped)
            self._await_rows("signed pushes", pushed)
            self._await_datasets(accounts)
            results = [self._compare(profile) for profile in profiles]
        return self._report(results, time.monotonic() - begin)

    # -- the doors ---------------------------------------------------------------------------------------------------

    def _register(self) -> list[dict[str, Any]]:
        world = self._world("GET", "/_world/credentials")
        clients = world["accounts"]
        total = len(clients) + sum(len(client["credentials"]) for client in clients)
        done, accounts = 0, []
        self._stages.show("accounts and credentials", 0, total)
        for client in clients:
            account = self._api.post(
                "/api/v1/accounts",
                {"company_name": client["company_name"], "primary_contact_email": client["primary_contact_email"]},
            )
            accounts.append(account | {"webhook": client.get("webhook", {})})
            done += 1
            for credential in client["credentials"]:
                self._api.post(f"/api/v1/accounts/{account['account_id']}/credentials", credential)
                done += 1
                self._stages.show("accounts and credentials", done, total)
        return accounts

    def _follow(self, run_id: str, name: str) -> None:
        """Show a run's stages until it ends; anything but success fails the demonstration."""
        for _ in self._patience(f"run {run_id}"):
            run = self._run(run_id)
            if run is None:
                continue
            for stage in run["stages"]:
                done = stage["done"] + stage["failed"]
                self._stages.show(f"{name}: {stage['name']}", done, stage["total"], note=stage["state"])
            if run["state"] != "running":
                if run["state"] != "succeeded":
                    raise DemoFailed(f"run {run_id} ended {run['state']}: {run.get('failed_tasks')}")
                return

    def _run(self, run_id: str) -> dict[str, Any] | None:
        """The run, or None while the schedule's message is still on its way."""
        runs: dict[str, Any] = self._api.get("/api/v1/runs")
        if not any(run["run_id"] == run_id for run in runs["runs"]):
            return None
        found: dict[str, Any] = self._api.get(f"/api/v1/runs/{run_id}")
        return found
