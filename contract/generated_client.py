"""A client that openapi-python-client makes of the API's description, and a morning with it: `make client`.

The document is that of a sandbox, started for this. The generator has to say nothing, `mypy --strict` nothing about
what it made or about the story that uses it, and the story's numbers have to be the platform's. The generator is
installed once, in an environment of its own. Ends with 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from contract.clients import HERE
from contract.environments import NotInstalled, Tool, interpreter

GENERATOR = Tool("openapi-python-client")
HOME = HERE.parent / ".contract"
STORY = HERE / "drivers" / "generated_client_story.py"
COMPANY, PLATFORM = "halden", "meta_ads"
_UP_SECONDS, _MAKE_SECONDS, _CHECK_SECONDS, _STORY_SECONDS, _ASK_SECONDS = 300, 120, 300, 420, 30
_MILLIONTH = Decimal(1_000_000)
_SAYS_WARNING = ("Warning", "WARNING", "Unable", "Error")


def main(arguments: list[str] | None = None) -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m contract.generated_client", description=__doc__)
    parser.parse_args(arguments)
    folder = HOME / "generated"
    try:
        python = interpreter(GENERATOR, HOME)
    except NotInstalled as missing:
        print(f"not checked: {missing}")
        return 1
    with sandbox(folder / "home") as about:
        faults = [*made(python, about["api_url"], folder), *typed(python, folder)]
        if not faults:
            faults = list(compared(told(python, folder, about), about))
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults")
    return 1 if faults else 0


def made(python: Path, url: str, folder: Path) -> Iterator[str]:
    """Make the client in `folder`/client; what the generator complains of."""
    folder.mkdir(parents=True, exist_ok=True)
    document = folder / "openapi.json"
    with urlopen(f"{url}/openapi.json", timeout=_ASK_SECONDS) as answer:  # noqa: S310  the sandbox's own
        document.write_bytes(answer.read())
    command = [str(python), "-m", "openapi_python_client", "generate", "--path", str(document)]
    command += ["--output-path", str(folder / "client"), "--overwrite"]
    # It formats what it made by the ruff beside it.
    own = dict(os.environ) | {"PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_MAKE_SECONDS, env=own)
    said = done.stdout + done.stderr
    if done.returncode or any(word in said for word in _SAYS_WARNING):
        yield f"the generator ended with {done.returncode}: {said[-3000:]}"


def typed(python: Path, folder: Path) -> Iterator[str]:
    """What mypy says of the client, and of the story that uses it."""
    package = folder / "client" / "adweir_client"
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-executable", str(python)]
    command += ["--cache-dir", str(folder / "mypy"), str(package), str(STORY)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=_CHECK_SECONDS, cwd=folder / "client"
    )
    if done.returncode:
        yield f"mypy: {done.stdout[-3000:]}{done.stderr[-1000:]}"


def told(python: Path, folder: Path, about: Mapping[str, Any]) -> dict[str, Any]:
    """What the story saw."""
    company = next(each for each in about["accounts"] if each["key"] == COMPANY)
    command = [str(python), str(STORY), about["api_url"], about["api_key"]]
    done = subprocess.run(
        command,
        input=json.dumps(company),
        capture_output=True,
        text=True,
        check=False,
        timeout=_STORY_SECONDS,
        env={"PYTHONPATH": str(folder / "client")},
    )
    if done.returncode:
        raise SystemExit(f"the story failed: {done.stderr[-3000:]}")
    seen: dict[str, Any] = json.loads(done.stdout, parse_float=Decimal)
    return seen


def compared(seen: Mapping[str, Any], about: Mapping[str, Any]) -> Iterator[str]:
    """What of the story is not as the platform has it: each ad account's numbers in both periods, and the names."""
    if (seen["run"], seen["after_deletion"]) != ("succeeded", "not_found"):
        yield f"the run is {seen['run']}, the deleted account {seen['after_deletion']}"
    report = seen["report"]
    rows = {row["account"]: row for row in report["data"]}
    company = next(each for each in about["accounts"] if each["key"] == COMPANY)
    if sorted(rows) != sorted(company["profile_ids"][PLATFORM]):
        yield f"ad accounts: {sorted(rows)} in place of {company['profile_ids'][PLATFORM]}"
    for account, row in rows.items():
        last = date.fromisoformat(report["time_range"]["zones"][seen["zones"][account]]["end_date"])
        now, before = (truth(about["platforms_url"], account, last - timedelta(days=days)) for days in (0, 3))
        wanted = {
            **{name: now[name] for name in now},
            **{f"{name}_before": before[name] for name in now},
            **{f"{name}_difference": now[name] - before[name] for name in now},
        }
        yield from (
            f"{account}: {name} is {row[name]}, not {value}"
            for name, value in wanted.items()
            if Decimal(row[name]) != value
        )
        if not row["account_name"]:
            yield f"{account} has no name"
    spends = [each["totals"]["last_7_days"]["spend"] for each in seen["campaigns"]]
    if len(spends) != 2 or spends != sorted(spends, reverse=True):
        yield f"campaigns by spend: {spends}"
    print(f"{len(rows)} ad accounts: {report['totals']}; campaigns {spends}")


def truth(world: str, profile_id: str, last: date) -> Counter[str]:
    """What the platform's page shows of an ad account's three days."""
    first = last - timedelta(days=2)
    asked = f"{world}/_world/truth?profile_id={profile_id}&start={first}&end={last}&level=account"
    with urlopen(asked, timeout=_ASK_SECONDS) as answer:  # noqa: S310  the sandbox's own
        rows = [row for row in json.load(answer)["rows"] if first.isoformat() <= row["date"] <= last.isoformat()]
    sums: Counter[Any] = Counter()
    for row in rows:
        sums.update({"impressions": Decimal(row["impressions"]), "spend": Decimal(row["spend_micros"]) / _MILLIONTH})
    return sums


@contextmanager
def sandbox(home: Path) -> Iterator[dict[str, Any]]:
    """A sandbox that is up; its description. It is gone afterwards."""
    command = [sys.executable, "-m", "ops.cli", "--home", str(home)]
    try:
        subprocess.run([*command, "up"], check=True, timeout=_UP_SECONDS, stdout=subprocess.DEVNULL)
        yield json.loads((home / "sandbox.json").read_text())
    finally:
        subprocess.run([*command, "down", "--forget"], check=False, capture_output=True, timeout=_UP_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
