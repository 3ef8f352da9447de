"""One client's run: a server of its own, its driver once per ad account, and what it got beside the truth."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from contract.clients import HERE, Client
from contract.environments import NotInstalled, interpreter
from contract.rows import Comparison, Row, compare, read, summed
from contract.truth import BROKEN_DOWN, STREAMS, Question
from sandbox.outside import Outside
from sandbox.platforms import population, stand_ins
from sandbox.server import PlatformServer
from sandbox.world import Company, WorldProfile

CLIENT_SECONDS = 480
BOOKMARK_DAY = 20
"""Counted from the world's first day: some things were last changed before it, some after."""
_LAST_WORDS = 2000


@dataclass
class Outcome:
    """How a client's run ended. `reason`: why it was not run; `failures`: the last words of drivers that failed."""

    client: Client
    reason: str = ""
    failures: list[str] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        """How many rows the client got."""
        return sum(comparison.rows for comparison in self.comparisons)

    @property
    def wrong(self) -> list[Comparison]:
        """The streams that differ from the truth."""
        return [comparison for comparison in self.comparisons if comparison.wrong]

    @property
    def ok(self) -> bool:
        """Whether the client was run, and got the truth and nothing else."""
        return not (self.reason or self.failures or self.wrong)


@contextmanager
def platforms() -> Iterator[PlatformServer]:
    """The platforms with all their awkward clients, at noon UTC of this day: the same day in every time zone."""
    outside = Outside(anchor=datetime.now(UTC).date(), report_seconds=0.0, population=population(awkward=True))
    with PlatformServer(outside, stand_ins()) as server:
        yield server


def attempt(client: Client, home: Path) -> Outcome:
    """Install a client below `home` if need be, run it, and compare. Its ad accounts share the time."""
    outcome = Outcome(client)
    try:
        python = interpreter(client, home)
    except NotInstalled as error:
        outcome.reason = str(error)
        return outcome
    began = time.monotonic()
    with platforms() as server:
        for company in server.outside.world.companies:
            for profile in company.on(client.platform):
                left = CLIENT_SECONDS - (time.monotonic() - began)
                failure, got = drive(client, python, server, _job(client, server, company, profile), left)
                if failure:
                    outcome.failures.append(f"{profile.name}: {failure}")
                streams = client.answers(profile)
                outcome.comparisons += compared(client, streams, _question(client, server, profile, got))
    outcome.seconds = time.monotonic() - began
    return outcome


def _question(client: Client, server: PlatformServer, profile: WorldProfile, got: dict[str, list[Row]]) -> Question:
    world = server.outside.world
    end = world.moment(profile).today
    bookmark = datetime.combine(world.first_day + timedelta(days=BOOKMARK_DAY), datetime.min.time(), UTC)
    return Question(world, profile, end, bookmark, got, with_gone=client.asks_for_the_gone)


def _job(client: Client, server: PlatformServer, company: Company, profile: WorldProfile) -> dict[str, object]:
    """What the driver is told."""
    question = _question(client, server, profile, {})
    return {
        "sandbox": server.url,
        "profile_id": profile.id,
        "region": profile.region,
        "credential": _credential(company, profile),
        "starts": {stream: client.start(stream, question.end).isoformat() for stream in client.streams},
        "end": question.end.isoformat(),
        "bookmark": question.bookmark.isoformat(),
        "click_windows": dict(profile.windows),
        "conversion": "omni_purchase" if profile.traits.sells else "lead",
        "streams": client.answers(profile),
    }


def _credential(company: Company, profile: WorldProfile) -> Mapping[str, str]:
    """The body that opens an ad account: the platform's, of its region where there are regions."""
    bodies = company.bodies(profile.platform).values()
    return next(body for body in bodies if body.get("region", profile.region) == profile.region)


def drive(
    client: Client, python: Path, server: PlatformServer, job: dict[str, object], seconds: float
) -> tuple[str, dict[str, list[Row]]]:
    """Run the driver: why it failed (empty when it did not), and its rows by stream."""
    with tempfile.TemporaryDirectory(prefix="contract-") as name:
        folder = Path(name)
        asked, got, said = folder / "job.json", folder / "rows.jsonl", folder / "said.txt"
        asked.write_text(json.dumps(job))
        got.touch()
        command = [str(python), str(client.script), str(asked), str(got)]
        with (
            said.open("wb") as out,
            subprocess.Popen(
                command,
                cwd=folder,
                env=_environment(server, folder),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            ) as process,
        ):
            try:
                code = process.wait(timeout=max(1.0, seconds))
            except subprocess.TimeoutExpired:
                return f"was not done after {CLIENT_SECONDS} s", read(got)
            finally:
                _end(process)
        words = said.read_text(errors="replace")[-_LAST_WORDS:]
        return (f"ended with {code}\n{words}" if code else ""), read(got)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the driver and the commands that it started, as far as they are still there."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _environment(server: PlatformServer, folder: Path) -> dict[str, str]:
    """Nothing of the caller's but the PATH: no proxy, no credentials, and a home that is thrown away."""
    hosts = [host for stand_in in server.platforms for host in stand_in.hosts]
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "TZ": "UTC",
        "PYTHONPATH": str(HERE / "loopback"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "CONTRACT_SANDBOX": server.url,
        "CONTRACT_HOSTS": ",".join(hosts),
    }


def compared(client: Client, streams: Sequence[str], question: Question) -> list[Comparison]:
    """Each stream beside the truth; one that brought nothing has all its rows missing."""
    if unexpected := question.got.keys() - set(client.streams):
        raise ValueError(f"{client.script.name} writes streams that clients.py does not name: {sorted(unexpected)}")
    results = []
    for stream in streams:
        rows = question.got.get(stream, [])
        parts = BROKEN_DOWN.get(stream, ())
        truth = STREAMS[stream](replace(question, start=client.start(stream, question.end)))
        found = compare(stream, summed(rows, *parts) if parts else rows, truth)
        results.append(Comparison(f"{question.profile.name}, {stream}", len(rows), found.wrong, found.examples))
    return results
