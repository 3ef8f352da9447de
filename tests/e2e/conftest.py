"""One sandbox for all stories: the real template on MiniStack, with the platforms' server beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from adweir.store.dynamo import tables
from ops.target import Deployment, sandbox_target
from sandbox import lifecycle
from sandbox.home import Home, environment_of
from support.river import CROWD, OTHERS, River, Stored
from support.slow_stories import Begun, begin

HERE = Path(__file__).parent


def pytest_itemcollected(item: pytest.Item) -> None:
    """Every story is marked before `-m` selects."""
    item.add_marker(pytest.mark.e2e)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The stories come last and in the order in which they are written, however the rest of the suite is shuffled.

    They share one sandbox, also with `-n` (tests/conftest.py): slow ones are begun early and checked late, and the
    last one stops the sandbox.
    """
    stories = [item for item in items if item.path.parent == HERE]
    stories.sort(key=lambda item: (item.path.name, item.reportinfo()[1] or 0))
    told = {*stories}
    items[:] = [*(item for item in items if item not in told), *stories]


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[River]:
    """A sandbox that is up, empty but for two registered client companies."""
    home = Home(tmp_path_factory.mktemp("river"))
    river = River(home)
    lifecycle.prepare_crowd(home, CROWD)
    try:
        river.up()
        river.watch()
        river.register("halden", "mori")
        yield river
    finally:
        river.close()
        lifecycle.down(home, abandon=True)


@pytest.fixture(scope="module")
def target(sandbox: River) -> Iterator[Deployment]:
    """The stack as the operator's commands have it; the AWS clients of this process ask it while the module lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3, "DEFAULT_SESSION", None)  # else it has the credentials of whoever was first
        for name, value in environment_of(sandbox.description).items():
            patch.setenv(name, value)  # what the target sets is taken back
        yield sandbox_target(sandbox.description)
    tables.reset()


@pytest.fixture(scope="session")
def days(sandbox: River) -> tuple[str, str]:
    """The first and last day of the history that the first daily run pulls for every profile."""
    return sandbox.day(14), sandbox.day(1)


@pytest.fixture(scope="session")
def first(sandbox: River, days: tuple[str, str]) -> dict[str, Stored]:
    """What is stored of each profile after the first daily run."""
    sandbox.fire("daily")
    return {profile["profile_id"]: sandbox.stored(profile["profile_id"], *days) for profile in profiles(sandbox)}


@pytest.fixture(scope="session")
def first_truth(sandbox: River, days: tuple[str, str], first: dict[str, Stored]) -> dict[str, Stored]:
    """What the platforms knew on the first day."""
    return {profile_id: sandbox.truth(profile_id, *days) for profile_id in first}


@pytest.fixture(scope="session")
def river(sandbox: River, first_truth: dict[str, Stored]) -> River:
    """The sandbox a day later: both daily runs are done, and the world stands still from here on."""
    sandbox.world.post("clock", {"advance_days": 1})
    sandbox.fire("daily")
    return sandbox


@pytest.fixture(scope="session")
def begun(river: River) -> Begun:
    """The stories that take long, begun."""
    return begin(river)


@pytest.fixture(scope="session")
def synced(sandbox: River) -> dict[str, list[dict[str, Any]]]:
    """The ad accounts of one client on each platform, after its credentials were stored and one run has ended."""
    client = sandbox.clients["halden"]
    sandbox.connect(client.account_id, client.description["credentials"], OTHERS)
    scope = {"accounts": [client.account_id], "platforms": OTHERS}
    sandbox.succeeded(sandbox.api.post("/api/v1/workflows/sync/runs", {"scope": scope})["run_id"])
    found: dict[str, list[dict[str, Any]]] = {}
    for profile in sandbox.api.get("/api/v1/profiles", account_id=client.account_id)["profiles"]:
        found.setdefault(profile["platform"], []).append(profile)
    return found


def profiles(river: River) -> list[dict[str, str]]:
    found: list[dict[str, str]] = river.api.get("/api/v1/profiles")["profiles"]
    return found
