"""Leads a client's requests to the sandbox. Python imports this file by its name, before any of the client's own.

`CONTRACT_HOSTS` are the hosts that the sandbox stands for, `CONTRACT_SANDBOX` is its URL. A request to one of these
hosts goes to the sandbox with its Host header; to the client it looks as if the host itself had answered. A connection
to anything but this machine is refused, whichever library makes it.
"""

from __future__ import annotations

import os
import sys
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests

_SANDBOX = urlsplit(os.environ["CONTRACT_SANDBOX"])
_HOSTS = frozenset(os.environ["CONTRACT_HOSTS"].split(","))
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})
_send = requests.adapters.HTTPAdapter.send


def _send_to_sandbox(
    self: requests.adapters.HTTPAdapter, request: requests.PreparedRequest, *args: Any, **options: Any
) -> requests.Response:
    asked = urlsplit(request.url or "")
    if asked.hostname not in _HOSTS:
        return _send(self, request, *args, **options)
    led = request.copy()
    led.headers["Host"] = asked.netloc
    led.url = urlunsplit(("http", _SANDBOX.netloc, asked.path, asked.query, ""))
    answer = _send(self, led, *args, **options)
    answer.request, answer.url = request, request.url or ""
    return answer


def _only_this_machine(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto"):
        host = arguments[1][0] if isinstance(arguments[1], tuple) else None
    else:
        return
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host is not None and host not in _HERE:
        raise PermissionError(f"{host} is not this machine: a client's run stays on it")


requests.adapters.HTTPAdapter.send = _send_to_sandbox  # type: ignore[method-assign]  # what this file is for
sys.addaudithook(_only_this_machine)
