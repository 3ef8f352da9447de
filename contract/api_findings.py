"""schemathesis, unmodified, on a sandbox's API: no 5xx, and nothing that the OpenAPI document does not say."""

from __future__ import annotations

import subprocess
from pathlib import Path

import requests

from contract.clients import HERE
from contract.demonstrated import ApiDoor
from contract.environments import Tool

SCHEMATHESIS = Tool("schemathesis")
_OPTIONS = HERE / "schemathesis.toml"
_WAIT, _KEY_SECONDS = 120, 10


def asked(python: Path, door: ApiDoor, seed: int, seconds: int) -> int:
    """Run it for about so many seconds and print what it says; its exit code.

    1 where its key no longer works: it would have seen nothing but 403 from the moment it revoked its own.
    """
    command = [str(python.parent / "schemathesis"), "--config-file", str(_OPTIONS), "run", f"{door.url}/openapi.json"]
    command += ["--url", door.url]  # it takes the document's relative address for one of the host
    command += ["--header", f"Authorization: Bearer {door.key}", "--seed", str(seed), "--max-time", str(seconds)]
    command += ["--no-color", "--suppress-health-check", "all", "--request-timeout", "30", "--continue-on-failure"]
    code = subprocess.run(command, check=False, timeout=seconds + _WAIT).returncode
    headers = {"Authorization": f"Bearer {door.key}"}
    if requests.get(f"{door.url}/api/v1/accounts", headers=headers, timeout=_KEY_SECONDS).status_code != 200:
        print("the key no longer works: what came after that was not asked")
        return 1
    return code
