"""Toy Ads (tests/support/toy_platform) with a server of its own, and a machine that has it as a sixth platform."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from adweir.model.platforms import Platform
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.runtime.settings import Settings
from support.account_stand_in import DOERS, AccountStandIn
from support.clock import FrozenClock
from support.machine import Machine
from support.stub_http import Answer, Call, serving

TOY = Platform("toy_ads")
SOURCE = Path(__file__).parent / "toy_platform"
TODAY = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
DAYS = Window(date(2026, 11, 10), date(2026, 11, 19))
BIG, SMALL = "big", "small"
PACKAGE = "toy_ads_platform"
PAUSE = 90


class ToyApi:
    """What the platform's server knows. A report is ready at look number `ready_at`; the first call for campaigns is
    asked to wait.
    """

    def __init__(self, clock: FrozenClock, ready_at: int) -> None:
        self.clock, self.ready_at = clock, ready_at
        self.reports: dict[str, tuple[str, str, Window]] = {}
        self.looks: dict[str, int] = {}
        self.discarded: list[str] = []
        self.lists_at: list[datetime] = []
        self.calls = 0

    def __call__(self, call: Call) -> Answer:
        assert call.headers["Authorization"] == "Bearer t0ken-of-the-toy"
        self.calls += 1
        match call.method, call.path.strip("/").split("/"):
            case "GET", ["accounts"]:
                body: Any = {"accounts": [{"id": BIG, "name": "Big"}, {"id": SMALL, "name": "Small"}]}
            case "GET", ["accounts", account, "campaigns"]:
                self.lists_at.append(self.clock.now())
                if len(self.lists_at) == 1:
                    return Answer(429, {"seconds": PAUSE})
                body = {"campaigns": [[f"{account}-{call.query['page']}", f"Campaign {call.query['page']}"]]}
            case "POST", ["accounts", account, "reports"]:
                return self._create(account, json.loads(call.body))
            case "GET", ["reports", report]:
                self.looks[report] += 1
                body = {"state": "ready" if self.looks[report] >= self.ready_at else "pending"}
            case "GET", ["reports", report, "rows"]:
                body = self._rows(*self.reports[report])
            case "DELETE", ["reports", report]:
                self.discarded.append(report)
                body = {}
            case _:
                raise AssertionError(f"Toy Ads has no {call.method} {call.path}")
        return Answer(body=body)

    def _create(self, account: str, asked: dict[str, str]) -> Answer:
        window = Window(date.fromisoformat(asked["start"]), date.fromisoformat(asked["end"]))
        if asked["medium"] == "tv" and account == SMALL:
            return Answer(404, {"reason": "this account books no television"})
        if window.length > 7:
            return Answer(413, {"reason": "a report has at most seven days"})
        report = f"report-{len(self.reports) + 1}"
        self.reports[report], self.looks[report] = (account, asked["medium"], window), 0
        return Answer(202, {"id": report})

    def _rows(self, account: str, medium: str, window: Window) -> bytes:
        lines = ["date,campaign,impressions,clicks,calls,visits,spend,revenue"]
        number, calls = (1, "1.5") if medium == "radio" else (2, "0.25")
        lines += [f"{day},{account}-{number},{day.day}00,{day.day},{calls},7,{day.day}.01,2.5" for day in window.days()]
        return "\n".join(lines).encode()


@contextmanager
def toy_folder(under: Path) -> Iterator[Path]:
    """The platform's folder, in a temporary folder on the path."""
    shutil.copytree(SOURCE, under / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    sys.path.insert(0, str(under))
    importlib.invalidate_caches()
    try:
        yield under / PACKAGE
    finally:
        sys.path.remove(str(under))
        for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
            del sys.modules[name]


@contextmanager
def toy_machine(settings: Settings, *, ready_at: int = 3, stands_in: bool = True) -> Iterator[tuple[Machine, ToyApi]]:
    """A machine that knows Toy Ads, and the platform's server. `toy_folder` has to be open.

    `stands_in`: whether `AccountStandIn` does what is done for the client: most of the time of a story of pulls.
    """
    clock = FrozenClock(TODAY)
    api = ToyApi(clock, ready_at)
    with serving() as server:
        server.route = api
        urls = {"platform_urls": {"toy_ads": {"api": server.url}}, "history_days": DAYS.length}
        machine = Machine(settings.model_copy(update=urls), clock, REGISTRY.with_platform("toy_ads", PACKAGE))
        if stands_in:
            machine.app.__dict__.update(dict.fromkeys(DOERS, AccountStandIn(machine.app)))
        yield machine, api
        machine.app.http.close()
