"""`up` starts everything, deploys the template and writes sandbox.json; `down` stops it and keeps the state."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from sandbox import processes
from sandbox.deploy import Deployed, deploy
from sandbox.files import replace_text
from sandbox.home import ACCESS_KEY, REGION, SECRET_KEY, Home
from sandbox.interrupts import heed_interrupt
from sandbox.ministack import answers, client_factory, start_ministack
from sandbox.paces import Surroundings
from sandbox.platforms import platform_urls
from sandbox.processes import Running
from sandbox.state import SEED, State

LOOPBACK = "127.0.0.1"
KeyMaker = Callable[[dict[str, Any]], str]
"""Makes an API key in the stack that a description names, and returns the plain key."""


@dataclass(frozen=True)
class Options:
    """How to start. `pace`: one of `sandbox.paces`; `parameters`: the template's, beside the sandbox's own.

    `awkward`: the world's awkward clients too (docs/sandbox.md); once they are there, they stay. `audited`: functions
    may only do what their roles allow, and it is written down (sandbox/audit.py).
    """

    bind: str = LOOPBACK
    pace: str = "sandbox"
    awkward: bool = False
    audited: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Up:
    """The sandbox's description, the names of the processes that `up` started, and what it deployed.

    `ignored`: options that a process takes only when it starts, and that ran without them.
    """

    description: dict[str, Any]
    started: tuple[str, ...]
    deployed: Deployed
    ignored: tuple[str, ...] = ()


def prepare_crowd(home: Home, crowd: int) -> None:
    """Before its first start, have a crowd of further clients live in a sandbox's world, with so many ad accounts."""
    home.path.mkdir(parents=True, exist_ok=True)
    State(SEED, datetime.now(UTC).date().isoformat(), follow=True, crowd=crowd).save(home.world)


def up(home: Home, root: Path, options: Options, make_key: KeyMaker) -> Up:
    """Start what is not running, deploy what changed, write sandbox.json.

    A failure, Ctrl-C included, stops what this call started; what ran before keeps running.
    """
    with home.locked():
        alive = {p.name: p for p in processes.load(home.running) if p.alive()}
        if alive and home.description.exists() and home.read()["bind"] != options.bind:
            for process in alive.values():
                processes.stop(process)
            alive = {}
        started: list[Running] = []
        try:
            description, deployed = _bring_up(home, root, options, make_key, alive, started)
            heed_interrupt()
        except BaseException:
            processes.stop_children()
            processes.save(home.running, list(alive.values()))
            raise
        return Up(description, tuple(process.name for process in started), deployed, _ignored(options, alive))


def _ignored(options: Options, alive: Mapping[str, Running]) -> tuple[str, ...]:
    """What was asked for and is part of the command of a process that ran already, without it."""
    asked = {
        "--awkward": ("platforms", "--awkward", options.awkward),
        "--audit": ("ministack", "audit.py", options.audited),
    }
    return tuple(
        option
        for option, (name, part, wanted) in asked.items()
        if wanted and name in alive and not any(text.endswith(part) for text in processes.arguments_of(alive[name]))
    )


def _bring_up(
    home: Home,
    root: Path,
    options: Options,
    make_key: KeyMaker,
    alive: dict[str, Running],
    started: list[Running],
) -> tuple[dict[str, Any], Deployed]:
    remembered = json.loads(home.ports.read_text()) if home.ports.exists() else {}
    ports = dict(remembered)
    for name in ("ministack", "platforms"):
        if name not in alive:
            ports[name] = processes.choose_port(remembered.get(name))
    replace_text(home.ports, json.dumps(ports) + "\n")

    def run(name: str, starter: Callable[[], Running]) -> None:
        if name not in alive:
            started.append(starter())
            processes.save(home.running, [*alive.values(), *started])

    endpoint, platforms_url = (f"http://{LOOPBACK}:{ports[name]}" for name in ("ministack", "platforms"))
    run("platforms", lambda: start_platforms(home, root, ports["platforms"], options, endpoint))
    run("ministack", lambda: start_ministack(home.path, ports["ministack"], options.bind, audited=options.audited))
    urls = platform_urls(platforms_url)
    around = Surroundings(options.pace, endpoint, urls)
    deployed = deploy(client_factory(endpoint), root, around, options.parameters)
    outputs = deployed.outputs
    run("clock", lambda: start_clock(home, root, endpoint))
    description = {
        "aws_endpoint_url": endpoint,
        "region": REGION,
        "aws_access_key_id": ACCESS_KEY,
        "aws_secret_access_key": SECRET_KEY,
        # The form with a path needs no Host header, so that curl, requests and a browser all reach it.
        "api_url": f"{endpoint}/_aws/execute-api/{outputs['ApiId']}",
        "platforms_url": platforms_url,
        "platform_urls": urls,
        "stack": outputs,
        "pace": options.pace,
        "bind": options.bind,
        "logs": str(home.path / "logs"),
        "accounts": requests.get(f"{platforms_url}/_world/credentials", timeout=10).json()["accounts"],
    }
    before = home.read() if home.description.exists() else {}
    same_catalog = before.get("stack", {}).get("CatalogTable") == outputs["CatalogTable"]
    description["api_key"] = (same_catalog and before.get("api_key")) or make_key(description)
    replace_text(home.description, json.dumps(description, indent=2) + "\n")
    return description, deployed


def start_platforms(home: Home, root: Path, port: int, options: Options, aws: str) -> Running:
    """Start the server that speaks the platforms' protocols; `aws` is the endpoint whose queues they send to."""
    log = home.path / "logs" / "platforms.log"
    command = [sys.executable, "-m", "sandbox.server", "--host", options.bind, "--port", str(port)]
    command += ["--state", str(home.world), "--aws", aws, *(["--awkward"] if options.awkward else [])]
    environment = {"PYTHONPATH": str(root), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    running = processes.start("platforms", command, environment=environment, log=log, directory=root)
    processes.wait_until(lambda: answers(f"http://{LOOPBACK}:{port}/_world/credentials"), running, log)
    return running


def start_clock(home: Home, root: Path, aws: str) -> Running:
    """Start the process that fires the schedules of `aws`. It answers nobody, so it is not waited for."""
    command = [sys.executable, "-m", "sandbox.clock", "--aws", aws]
    environment = {"PYTHONPATH": str(root), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    log = home.path / "logs" / "clock.log"
    return processes.start("clock", command, environment=environment, log=log, directory=root)


def down(home: Home, *, forget: bool = False, abandon: bool = False) -> list[str]:
    """Stop what runs and return the names of what was stopped. `forget` also deletes all state; `abandon` leaves the
    files, but does not wait until the state is written: for a sandbox that nobody starts again.
    """
    if not home.path.exists():
        return []
    with home.locked():
        recorded = processes.load(home.running)
        seconds = 0.0 if forget or abandon else processes.STOP_SECONDS
        stopped = [process.name for process in reversed(recorded) if processes.stop(process, seconds)]
        home.running.unlink(missing_ok=True)
        shutil.rmtree(home.path / "tmp", ignore_errors=True)
    if forget:
        shutil.rmtree(home.path)
    return stopped
