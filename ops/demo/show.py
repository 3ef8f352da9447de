"""The demonstration from beginning to end: the pipeline, the comparison, the table, the page, the queries."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from adweir.model.datasets import Dataset
from ops.client import Api
from ops.commands import fire, put_drop
from ops.demo import DESCRIBED, PLATFORMS, READERS, SHARED
from ops.demo.anomalies import anomalies_found
from ops.demo.arms import arms_learned, create_arms
from ops.demo.bills import wrong_bills
from ops.demo.display import Stages, table
from ops.demo.events import Events
from ops.demo.filled import empty, request_all
from ops.demo.mix import NO_MIX, CompanyMix
from ops.demo.page import write_page
from ops.demo.queries import queries
from ops.demo.river import River
from ops.demo.truth import Compared, compare
from ops.demo.verdict import Verdict
from ops.demo.ways import OtherWays
from ops.demo.world import WorldDoors
from ops.target import Deployment
from sandbox.home import Home


class Extent(NamedTuple):
    """How much is pulled and compared: `days` of history, the workflows of the second day, the platforms per client,
    and whether the second client has a year of media mix fitted."""

    days: int
    workflows: tuple[str, ...]
    platforms: tuple[tuple[str, ...], ...]
    has_mix: bool = False


SHORT = Extent(10, ("daily",), SHARED)
_LAST_PULL = "totals"
"""The stage after which all that a run pulls is stored. What is made of it goes on meanwhile."""
_RECENT_DAYS = (1, 3)
"""Each dataset has something of the last days, most of yesterday: hours go no further back."""
WHOLE = Extent(57, ("daily", "weekly"), ((*PLATFORMS, DESCRIBED), (*PLATFORMS, "microsoft_ads")), has_mix=True)
"""Sponsored Brands is kept for 60 days, and it may be two days later where the account is."""


def demonstrate(
    home: Home, target: Deployment, description: dict[str, Any], extent: Extent = SHORT, *, kept: bool
) -> bool:
    """Run it against a sandbox that is up and empty; returns whether every stored number is the platforms' own.

    Raises DemoFailed, ApiError and what requests raises when it cannot be finished.
    """
    console = Console(highlight=False, soft_wrap=True)
    api = Api(description["api_url"], description["api_key"])
    stages = Stages(console)
    with stages.shown():
        verdict = flow(api, target, description, extent, stages.show)
    api.close()
    console.print()
    console.print(table(verdict.results, console.width))
    console.print()
    console.print(verdict.text, style="bold green" if verdict.right else "bold red")
    if verdict.right:
        console.print(verdict.totals_text)
        if verdict.ways:
            console.print(verdict.ways_text)
        if verdict.anomalies.planted:
            console.print(verdict.anomalies.text)
        if verdict.arms.arms:
            console.print(verdict.arms.text)
        if verdict.mix.channels:
            console.print(verdict.mix.text)
    for line in verdict.wrong_lines:
        console.print(line, style="red", markup=False)
    console.print(f"{verdict.seconds:.0f} s from the first account to here.")
    page = home.path / "report.html"
    write_page(page, verdict, datetime.now(UTC))
    console.print(f"\nThe same with charts: {here(page)}", markup=False)
    for line in farewell(home, description, verdict.results, kept=kept):
        console.print(line, markup=False)
    return verdict.right


def flow(
    api: Api,
    target: Deployment,
    description: dict[str, Any],
    extent: Extent,
    show: Callable[[str, int, int], None],
) -> Verdict:
    """Send everything in, then read everything out and compare it."""
    begin = time.monotonic()
    world = WorldDoors(description["platforms_url"])
    river = River(api, description["api_url"], world, show)
    clients = river.register(extent.platforms)

    def put(name: str, content: bytes) -> None:
        put_drop(target, f"drops/{name}", content)

    events, seller = Events(api, world), {"profile_id": clients[0]["profile_ids"]["amazon_ads"][0]}
    events.refuse_product(seller)
    first_day = fire(target, "daily", world.now)
    river.follow(first_day, through=_LAST_PULL)
    profiles = api.get("/api/v1/profiles")["profiles"]
    river.send_webhooks(clients[0], profiles)
    river.drop_file(clients[0], profiles, put)
    other = OtherWays(api, description["api_url"], world, show)
    ways = [*other.drop(clients[1], _shop(clients[1], profiles), put), *other.push(clients, profiles)]
    other.subscribe(seller, river.follow)
    loser = events.loser(profiles)
    before = {loser["profile_id"]: compare(api, world, loser, extent.days).stored}
    spending = [profile for profile in profiles if world.spends(profile, extent.days)]
    river.follow(first_day)
    deleted = events.go_on(profiles, seller)
    other.stream(seller)  # while the runs go on, as Amazon does
    request_all(api, spending)
    campaign = create_arms(api, clients[0], profiles)
    runs = _second_day(target, world, river, extent.workflows)
    ways.append(other.streamed(seller))
    river.await_datasets(clients)

    def compared(profile: dict[str, Any]) -> Compared:
        return compare(api, world, profile, extent.days, before.get(profile["profile_id"]), deleted)

    results: list[Compared] = []
    with ThreadPoolExecutor(READERS) as readers:
        for result in readers.map(compared, profiles):
            results.append(result)
            show("compared with the truth", len(results), len(profiles))
    for run_id in runs[:-1]:
        river.follow(run_id)
    lacking = empty(api, [world.day(ago).isoformat() for ago in _RECENT_DAYS], world.day(0).isoformat())
    bills = wrong_bills(api, world, profiles)
    river.follow(runs[-1])
    looked = anomalies_found(api, world, profiles, extent.days)
    arms = arms_learned(api, campaign)
    mix = NO_MIX
    if extent.has_mix:
        company = CompanyMix(api, world, clients[1], put, show)
        company.hand_over()
        river.follow(api.post(f"/api/v1/accounts/{clients[1]['account_id']}/etl", {})["run_id"])
        mix = company.compared()
    return Verdict(results, time.monotonic() - begin, lacking, bills, ways, looked, mix, arms)


def _second_day(target: Deployment, world: WorldDoors, river: River, workflows: Sequence[str]) -> list[str]:
    """Fire the schedules, and wait until all that they pull is stored. Returns the runs; the last one goes on."""
    runs = [fire(target, "hourly", world.now), river.pull(Dataset.INVOICES)]
    for workflow in workflows:
        runs.append(fire(target, workflow, world.now))
        river.follow(runs[-1], through=_LAST_PULL if workflow == workflows[-1] else "")
    return runs


def _shop(client: Mapping[str, Any], profiles: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The ad account that brings a client's shop its orders."""
    return next(p for p in profiles if (p["account_id"], p["platform"]) == (client["account_id"], "google_ads"))


def farewell(home: Home, description: dict[str, Any], results: Sequence[Compared], *, kept: bool) -> list[str]:
    """How to go on: queries to paste, how to start and stop this sandbox."""
    days = [result.by_day() for result in results if result.stored]
    command = f"{here(Path(sys.executable).with_name('adweir'))} --home {here(home.path)}"
    if kept:
        lines = ["", f"Its sandbox keeps running; stop it with: {command} down"]
    else:
        lines = ["", "Its sandbox is stopped; its data stays. Start it again, here or later, with:", f"{command} up"]
    if days:
        first, last = min(map(min, days)), min(map(max, days))
        lines += ["", "Three queries to paste while it runs:", *queries(description, first, last)]
    return lines


def here(path: Path) -> Path:
    """A path as one would type it in this folder."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
