"""A receiver of webhooks that keeps what came, and answers as it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.wrappers import Response

from sandbox.serving import HttpServer
from sandbox.web import PlatformRequest


class Inbox:
    """`statuses`: those of the next answers; then 200."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.url = ""

    def take(self, request: PlatformRequest) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append((headers, request.get_data()))
        return Response(status=self.statuses.pop(0) if self.statuses else 200)

    def bodies(self) -> list[dict[str, Any]]:
        """What came, as JSON."""
        return [json.loads(body) for _, body in self.received]


@contextmanager
def opened_inbox() -> Iterator[Inbox]:
    """An inbox that listens."""
    opened = Inbox()
    with HttpServer(opened.take) as served:
        opened.url = f"{served.url}/webhook"
        yield opened
