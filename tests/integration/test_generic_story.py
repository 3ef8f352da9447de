"""An API that adweir has no connector for, from its spec to stored rows: scheduled, covered, mended by a replay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from adweir.model.datasets import Dataset
from adweir.model.messages import StartRun
from adweir.model.metrics import Grain, Level, Series
from adweir.model.platforms import Platform
from adweir.model.runs import RunState
from adweir.model.tasks import Cause, TaskState
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.runtime.settings import Settings
from support.clock import FrozenClock
from support.machine import Machine
from support.stub_http import Answer, Call, StubServer, serving

GENERIC = Platform("generic")
TODAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
PROFILE = "acme-ads~7"
SERVED = {"campaigns", "account_daily", "campaign_daily"}


class Api:
    """An advertising API of nobody's: two campaigns, cents, a page of three rows at a time, one throttle."""

    def __init__(self) -> None:
        self.days: list[str] = []
        self.refuse = 1
        self.gone = "nobody"

    def __call__(self, call: Call) -> Answer:
        name = call.path.rpartition("/")[2]
        if call.headers.get("X-Key") != "key-12345678":
            return Answer(401, {})
        if name == "accounts":
            return Answer(200, {"accounts": [{"no": 7, "title": "Acme", "money": "EUR", "zone": "Europe/Berlin"}]})
        if name == "campaigns":
            return Answer(200, {"rows": [{"id": each, "name": each.upper(), "state": "on"} for each in ("a", "b")]})
        if self.refuse:
            self.refuse -= 1
            return Answer(429, {}, {"Retry-After": "30"})
        first, last = date.fromisoformat(call.query["from"]), date.fromisoformat(call.query["to"])
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        self.days.append(f"{first}..{last}")
        of = [("", 300)] if call.query["by"] == "account" else [("a", 100), ("b", 200)]
        rows = [
            {"day": f"{day:%d.%m.%Y}", "id": one, "seen": cents * 10, "cents": cents}
            for day in days
            for one, cents in of
            if one != self.gone
        ]
        at = int(call.query["skip"])
        return Answer(200, {"rows": rows[at : at + 3], "total": len(rows)})


def spec(url: str, **changes: Any) -> dict[str, Any]:
    fields = {
        "date": {"path": "day", "format": "%d.%m.%Y"},
        "impressions": "seen",
        "spend": {"path": "cents", "unit": "minor"},
    }

    def numbers(level: str, **more: str) -> dict[str, Any]:
        query = {"by": level, "from": "{start}", "to": "{end}"}
        return {
            "request": {"path": "/{profile}/numbers", "query": query},
            "paging": {"type": "offset", "parameter": "skip", "total": "total"},
            "records": "rows[]",
            "window": {"max_days": 5, "lookback_days": 3, "settles_after_days": 5, "retention_days": 8},
            "fields": fields | more,
        }

    listed = {"id": "no", "name": "title", "currency": "money", "timezone": "zone"}
    status = {"path": "state", "values": {"on": "active"}}
    return {
        "base_url": f"{url}/v1",
        "auth": {"type": "header", "header": "X-Key"},
        "accounts": {"listed": {"request": {"path": "/accounts"}, "records": "accounts[]", "fields": listed}},
        "datasets": {
            "campaigns": {
                "request": {"path": "/{profile}/campaigns"},
                "records": "rows[]",
                "fields": {"id": "id", "name": "name", "status": status},
            },
            "account_daily": numbers("account"),
            "campaign_daily": numbers("campaign", campaign_id="id") | changes,
        },
    }


@pytest.fixture
def server() -> Iterator[StubServer]:
    with serving() as stub:
        stub.route = Api()
        yield stub


@pytest.fixture
def machine(settings: Settings, server: StubServer, tables: None) -> Machine:
    urls = {"platform_urls": {"generic": {"api": server.url}}, "history_days": 12}
    return Machine(settings.model_copy(update=urls), FrozenClock(TODAY), REGISTRY)


def spent(machine: Machine, level: Level) -> dict[tuple[str, str], int | None]:
    series = Series(GENERIC, PROFILE, level, Grain.DAY)
    days = Window(date(2026, 11, 1), date(2026, 11, 19))
    return {(row.entity_id, row.day): row.slot[3] for row in machine.app.metrics.read(series, days)}


def test_a_described_api_is_pulled_like_any_platform(machine: Machine, server: StubServer) -> None:
    app = machine.app
    app.catalog.create_account("acme", "Acme", "data@acme.example")
    app.catalog.put_spec("acme-ads", json.dumps(spec(server.url)))
    _, check = app.registration.register("acme", "generic", {"token": "key-12345678"}, "acme-ads")
    assert [each.profile_id for each in check.seen] == [PROFILE]

    machine.run(StartRun(workflow="daily", scheduled_at=TODAY, run_id="run_1"))

    run = app.ledger.get_run("run_1")
    assert run is not None
    assert run.state is RunState.SUCCEEDED, run.reason
    tasks = list(app.ledger.pulls("run_1"))
    assert {str(task.dataset) for task in tasks if task.profile_id} == SERVED, "what the spec lacks is not asked for"
    assert all(task.state is TaskState.LOADED for task in tasks)
    kept = [date(2026, 11, 12) + timedelta(days=n) for n in range(8)]
    expected = {(entity, str(day)): cents * 10_000 for day in kept for entity, cents in (("a", 100), ("b", 200))}
    assert spent(machine, Level.CAMPAIGN) == expected
    assert spent(machine, Level.ACCOUNT) == {(PROFILE, str(day)): 3_000_000 for day in kept}
    found = {one.id: (one.name, one.status) for one in app.catalog.objects(GENERIC, PROFILE, Dataset.CAMPAIGNS)}
    assert found == {"a": ("A", "active"), "b": ("B", "active")}
    profile = app.catalog.profile(GENERIC, PROFILE)
    assert profile is not None
    assert app.queries.served(profile)[Dataset.CAMPAIGN_DAILY].settles_after_days == 5

    # the next day asks for the days that may still change, and no others
    route = server.route
    assert isinstance(route, Api)
    route.days.clear()
    machine.run(StartRun(workflow="daily", scheduled_at=TODAY + timedelta(days=1), run_id="run_2"))
    assert set(route.days) == {"2026-11-18..2026-11-20"}


def test_a_mended_spec_corrects_what_is_stored_without_a_new_pull(machine: Machine, server: StubServer) -> None:
    app = machine.app
    app.catalog.create_account("acme", "Acme", "data@acme.example")
    wrong = spec(server.url)
    wrong["datasets"]["campaign_daily"]["fields"]["spend"] = {"path": "cents"}
    app.catalog.put_spec("acme-ads", json.dumps(wrong))
    app.registration.register("acme", "generic", {"token": "key-12345678"}, "acme-ads")
    machine.run(StartRun(workflow="daily", scheduled_at=TODAY, run_id="run_1"))
    assert spent(machine, Level.CAMPAIGN)["a", "2026-11-19"] == 100_000_000, "cents were taken for euros"
    asked = len(server.calls)

    app.catalog.put_spec("acme-ads", json.dumps(spec(server.url)))
    machine.clock.advance(60)
    profile = app.catalog.profile(GENERIC, PROFILE)
    assert profile is not None
    days = Window(date(2026, 11, 12), date(2026, 11, 19))
    app.replayer.request("r", profile, days, ["campaign_daily"], Cause.REPLAY)
    machine.run()

    assert spent(machine, Level.CAMPAIGN)["a", "2026-11-19"] == 1_000_000
    assert len(server.calls) == asked


def test_without_account_days_what_is_gone_is_gone(machine: Machine, server: StubServer) -> None:
    app = machine.app
    app.catalog.create_account("acme", "Acme", "data@acme.example")
    alone = spec(server.url)
    del alone["datasets"]["account_daily"]
    app.catalog.put_spec("acme-ads", json.dumps(alone))
    app.registration.register("acme", "generic", {"token": "key-12345678"}, "acme-ads")
    machine.run(StartRun(workflow="daily", scheduled_at=TODAY, run_id="run_1"))
    assert ("a", "2026-11-19") in spent(machine, Level.CAMPAIGN)

    route = server.route
    assert isinstance(route, Api)
    route.gone = "a"
    machine.run(StartRun(workflow="daily", scheduled_at=TODAY + timedelta(hours=20), run_id="run_2"))

    now = spent(machine, Level.CAMPAIGN)
    assert ("b", "2026-11-19") in now
    assert ("a", "2026-11-19") not in now, "no account total has to decide first"
