"""Inputs that broke a rule, as files: each holds all that is needed to feed the input again."""

from __future__ import annotations

import base64
import json
from contextlib import closing
from pathlib import Path

from fuzz.running import Failure, judged
from fuzz.targets import made


def write(folder: Path, failure: Failure, seed: str) -> Path:
    """Write a failure; returns its file."""
    folder.mkdir(exist_ok=True)
    file = folder / f"{failure.target}-{seed}-{failure.number}.json"
    content = {
        "target": failure.target,
        "seed": seed,
        "number": failure.number,
        "reason": failure.reason,
        "shown": {name: part[:2000].decode("utf-8", "replace") for name, part in failure.case.items()},
        "case": {name: base64.b64encode(part).decode() for name, part in failure.case.items()},
    }
    file.write_text(json.dumps(content, indent=1))
    return file


def replay(file: Path) -> int:
    """Feed the input in a file again, with its traceback; returns 0 when it breaks nothing any more."""
    content = json.loads(file.read_text())
    case = {name: base64.b64decode(part) for name, part in content["case"].items()}
    with closing(made(content["target"])) as target:
        outcome, seconds, memory = judged(target, case, trace=True)
    print(f"{file}: {outcome}, {seconds:.2f} s, {memory / (1 << 20):.1f} MiB")
    return 0
