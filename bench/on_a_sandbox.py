"""What benches of the whole system begin with: a sandbox of their own, and clients in it."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adweir.model.messages import StartRun
from adweir.model.runs import Run
from adweir.store.catalog.keys import SCOPES
from ops.client import Api
from ops.commands import create_key
from ops.demo.truth import compare
from ops.demo.world import WorldDoors
from ops.target import Deployment, sandbox_target
from sandbox import lifecycle
from sandbox.home import Home
from sandbox.interrupts import interrupt
from sandbox.lifecycle import Options

_ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def sandbox(options: Options | None = None) -> Iterator[dict[str, Any]]:
    """The description of a sandbox in a temporary folder, which is stopped afterwards, after SIGTERM as well."""
    signal.signal(signal.SIGTERM, interrupt)
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        try:
            make_key = lambda found: create_key(sandbox_target(found), "bench", SCOPES)[1]  # noqa: E731
            yield lifecycle.up(home, _ROOT, options or Options(), make_key).description
        finally:
            lifecycle.down(home, abandon=True)


def register(api: Api, clients: list[dict[str, Any]]) -> list[str]:
    """Create clients, as the world lists them, with their credentials; their accounts' ids."""
    ids = []
    for client in clients:
        body = {"company_name": client["company_name"], "primary_contact_email": client["primary_contact_email"]}
        ids.append(api.post("/api/v1/accounts", body)["account_id"])
        for credential in client["credentials"].values():
            api.post(f"/api/v1/accounts/{ids[-1]}/credentials", credential)
    return ids


def run_to_end(target: Deployment, wanted: StartRun, seconds: float = 120.0) -> tuple[Run, float]:
    """Start a run, which has an id, and wait until it is over: the run, and the seconds that it took.

    Raises SystemExit when it is not over after `seconds`.
    """
    app = target.app()
    begin = time.monotonic()
    app.queues.runs.send(wanted)
    while time.monotonic() - begin < seconds:
        run = app.ledger.get_run(wanted.run_id)
        if run is not None and run.state.is_terminal:
            return run, time.monotonic() - begin
        time.sleep(0.1)
    raise SystemExit(f"the run {wanted.run_id} did not end in {seconds:.0f} s")


def wrong_rows(api: Api, world: WorldDoors, days: int) -> int:
    """How many rows and totals of the last `days` differ from the platforms' truth."""
    profiles = api.get("/api/v1/profiles")["profiles"]
    return sum(len(compare(api, world, profile, days).differences) for profile in profiles)
