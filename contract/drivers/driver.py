"""What every driver does: it reads its job, and writes a JSON line for each row that its client got.

A driver runs in its client's environment: `python <driver>.py <job.json> <rows.jsonl>`. It sets the client up as the
client's documents say, and turns the client's own records into rows; it calculates nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Job:
    """One ad account to read: each stream from its day in `starts` to `end`, inclusive (YYYY-MM-DD).

    `credential`: the body that opens the account. `bookmark`: RFC 3339; incremental lists are read a second time from
    there. `click_windows`: by ad product, the attribution window in days to compare. `conversion`: Meta's action type
    that is compared. `streams`: what the ad account has.
    """

    def __init__(self, job: Mapping[str, Any]) -> None:
        self.sandbox: str = job["sandbox"]
        self.profile_id: str = job["profile_id"]
        self.region: str = job["region"]
        self.credential: dict[str, str] = job["credential"]
        self.starts: dict[str, str] = job["starts"]
        self.end: str = job["end"]
        self.bookmark: str = job["bookmark"]
        self.click_windows: dict[str, int] = job["click_windows"]
        self.conversion: str = job["conversion"]
        self.streams: list[str] = job["streams"]


def metric_row(stream: str, day: str, ids: Mapping[str, object], metrics: Mapping[str, object]) -> Row:
    """Numbers of one thing on one day, as the client has them (text, int, float, Decimal), as decimals' texts."""
    numbers = {name: format(Decimal(str(value)), "f") for name, value in metrics.items()}
    return {"stream": stream, "date": day, "ids": _texts(ids), "metrics": numbers}


def object_row(stream: str, ids: Mapping[str, object], **texts: object) -> Row:
    """One thing in a list."""
    return {"stream": stream, "ids": _texts(ids), "texts": _texts(texts)}


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def run(readers: Mapping[str, Callable[[Job], Iterator[Row]]]) -> None:
    """Do the job named on the command line: a reader that fails ends with its error, the others go on."""
    job, failures = Job(json.loads(Path(sys.argv[1]).read_text())), []
    with Path(sys.argv[2]).open("w") as out:
        for name, reader in readers.items():
            try:
                out.writelines(json.dumps(row) + "\n" for row in reader(job))
            except Exception as error:  # noqa: BLE001 - whatever a client raises is its answer
                failures.append(f"{name}: {type(error).__name__}: {' '.join(str(error).split())[-300:]}")
    if failures:
        sys.exit("\n".join(failures))


def command(program: str, *arguments: str) -> tuple[str, str]:
    """What a program of the client's environment prints, and its last words if it fails, else an empty text."""
    executable = Path(sys.executable).with_name(program)
    done = subprocess.run([executable, *arguments], capture_output=True, text=True, check=False)
    return done.stdout, f"{done.stderr} ended with {done.returncode}" if done.returncode else ""
