"""AWS on one machine: how MiniStack is started and reached."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import requests
from botocore.config import Config

from sandbox.home import ACCESS_KEY, REGION, SECRET_KEY, aws_environment
from sandbox.processes import Running, start, wait_until


def start_ministack(home: Path, port: int, bind: str, *, audited: bool = False) -> Running:
    """Start MiniStack with its state under `home` and wait until it answers. Raises SandboxError.

    `audited`: functions may do what their roles allow, and what they do is written to logs/calls.jsonl.
    """
    scratch = home / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    log = home / "logs" / "ministack.log"
    environment = aws_environment(f"http://127.0.0.1:{port}") | {
        "BIND_HOST": bind,
        "IOT_MTLS_ENABLED": "0",  # otherwise it listens on every interface, whatever BIND_HOST is
        "GATEWAY_PORT": str(port),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home / "s3"),
        "TMPDIR": str(scratch),
        "HOME": str(scratch),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "LOG_LEVEL": "INFO",
    }
    here = Path(__file__)
    calls = str(home / "logs" / "calls.jsonl")
    program = [str(here.with_name("audit.py")), calls] if audited else [str(here.with_name("aws_server.py"))]
    running = start("ministack", [sys.executable, "-P", *program], environment=environment, log=log, directory=home)
    wait_until(lambda: answers(f"http://127.0.0.1:{port}/_ministack/health"), running, log)
    return running


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False


def client_factory(endpoint: str, region: str = REGION) -> Callable[[str], Any]:
    """A function that makes a boto3 client of this MiniStack by service, without the process's environment."""
    session = boto3.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=region)
    config = Config(connect_timeout=2, read_timeout=30, retries={"max_attempts": 2}, s3={"addressing_style": "path"})

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=endpoint, config=config)

    return client
