"""One HTTP server that speaks the platforms' protocols over the world: `python -m sandbox.server --port 8090`."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from werkzeug.wrappers import Response

from sandbox.control import ROOT, Control
from sandbox.memory import collect_seldom
from sandbox.on_the_way import delivered
from sandbox.outside import Outside
from sandbox.platforms import everyone, population
from sandbox.platforms.base import StandIn
from sandbox.queues import EndpointQueues
from sandbox.request_log import RequestLog, shape
from sandbox.served import ServedFault
from sandbox.serving import HttpServer
from sandbox.state import SEED
from sandbox.switches import taken
from sandbox.web import PlatformRequest, json_answer

log = logging.getLogger("sandbox.server")


class PlatformServer(HttpServer):
    """The platforms and /_world behind HTTP; `url` is the base of every platform's documented paths."""

    def __init__(
        self, outside: Outside, platforms: Sequence[StandIn], *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.outside = outside
        self.platforms = platforms
        self.log = RequestLog()
        self._apis = {stand_in.platform: stand_in.api(outside) for stand_in in platforms}
        self.control = Control(outside, platforms, self._apis, self.log)
        super().__init__(self.answer, host=host, port=port)

    def answer(self, request: PlatformRequest) -> Response:
        """Answer as /_world or as the platform whose host or path it is; 599 for a fault of the sandbox itself."""
        if request.path == ROOT or request.path.startswith(f"{ROOT}/"):
            return self.control.handle(request)
        stand_in = self._addressed(request)
        if stand_in is None:
            return json_answer({"error": f"no platform has the path {request.path}"}, 404)
        api = self._apis[stand_in.platform]
        with taken() as switches:
            try:
                answer, profile_id = delivered(self.outside, stand_in.platform, api, request)
            except Exception:
                log.exception("the sandbox failed on %s %s", request.method, request.path)
                return json_answer({"error": "the sandbox failed; see its log"}, 599)
        self._note(request, stand_in.platform, profile_id, switches)
        self.log.add(request.method, request.path, answer.status_code, profile_id)
        return answer

    def _note(self, request: PlatformRequest, platform: str, profile_id: str, switches: set[tuple[str, str]]) -> None:
        """What was spoiled, or answered as it should be. Of the question only a number is kept: it may have secrets."""
        question = hash((request.method, request.path, request.query_string, request.get_data()))
        for kind, owner in sorted(switches):
            path = f"{request.method} {shape(request.path)}"
            self.outside.served.add(ServedFault(kind, platform, owner or profile_id, path, time.time()), question)
        if not switches:
            self.outside.served.answered(platform, question, *([profile_id] if profile_id else ()))

    def _addressed(self, request: PlatformRequest) -> StandIn | None:
        """The platform that a request is for: by its Host header when that is a platform's own, else by its path."""
        host = request.host.partition(":")[0]
        by_host = (stand_in for stand_in in self.platforms if host in stand_in.hosts)
        by_path = (stand_in for stand_in in self.platforms if stand_in.paths.match(request.path))
        return next(by_host, None) or next(by_path, None)

    def stop(self) -> None:
        """Stop serving and write the state."""
        super().stop()
        self.outside.save()


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. Prints one line when it listens."""
    parser = argparse.ArgumentParser(prog="sandbox.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--state", type=Path, help="keeps the world's clock over a restart")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--anchor", type=date.fromisoformat, help="the world's first today (default: this day)")
    parser.add_argument("--report-seconds", type=float, default=0.5, help="how long an asynchronous report takes")
    parser.add_argument("--awkward", action="store_true", help="awkward clients live in the world too, for good")
    parser.add_argument("--aws", help="the endpoint of the AWS whose queues platforms may send to")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING)
    done = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: done.set())
    outside = Outside(
        seed=asked.seed,
        anchor=asked.anchor,
        state_path=asked.state,
        report_seconds=asked.report_seconds,
        population=population(everyone(), awkward=asked.awkward),
    )
    if asked.aws:
        outside.queues = EndpointQueues(asked.aws)
    server = PlatformServer(outside, everyone(), host=asked.host, port=asked.port)
    collect_seldom()
    with server:
        sys.stdout.write(f"platforms at {server.url}, the world at {server.url}{ROOT}\n")
        sys.stdout.flush()
        done.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
