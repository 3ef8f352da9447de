"""The media mix of one cross-platform campaign, from the question to its coefficients, through the API alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from adweir.insight.mmm.fit import estimate
from adweir.model.entities import AdCampaign, Status
from adweir.runtime.routes import mount
from adweir.store.raw.store import RawStore
from ops.local.machine import Machine, settings
from support.api import an_event
from support.clock import FrozenClock
from support.command_line import commands_on
from support.described import Described
from support.fit_story import DAYS, FIT, store_sales
from support.mmm_story import AMAZON, META

PULLED = "2026-11-20T06:00:00.000000Z"


class Client:
    """A client of a whole system in memory, asked through the routes of the API."""

    def __init__(self, machine: Machine, http: Any, described: Described) -> None:
        self.machine = machine
        self._http = http
        self._described = described

    def ask(self, method: str, path: str, body: Any = None, *, expect: int = 200, **query: str) -> Any:
        answer = self._http.resolve(an_event(method, path, body, **query), SimpleNamespace())
        assert answer["statusCode"] == expect, answer["body"]
        assert list(self._described.faults(method, path, answer)) == []
        return json.loads(answer["body"])

    def finish(self, run_id: str) -> dict[str, Any]:
        """Have the run ended, and its answer."""
        where = f"/api/v1/runs/{run_id}"
        states = {"succeeded", "partial", "failed"}
        assert self.machine.work(lambda: self.ask("GET", where)["state"] in states, 3600)
        found: dict[str, Any] = self.ask("GET", where)
        return found


@pytest.fixture
def client(api: ModuleType, described: Described, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A company with half a year of sales on two platforms."""
    resources = import_module("routes").RESOURCES  # it is there while the function `api` is loaded
    monkeypatch.setattr(estimate, "fit", FIT)
    monkeypatch.setattr(RawStore, "presign", lambda _store, key: f"https://data.invalid/{key}")  # memory has no links
    clock = FrozenClock(datetime(2026, 11, 20, 12, tzinfo=UTC))
    machine = Machine(settings({}, 7), clock, None, clock.advance)
    with machine.in_place() as app:
        app.catalog.create_account("acme", "Acme, Inc.", "data@acme.example")
        app.catalog.put_objects([META, AMAZON], PULLED)
        for each in (META, AMAZON):
            about = {"platform": each.platform, "profile_id": each.profile_id, "status": Status.ACTIVE}
            app.catalog.put_objects([AdCampaign(**about, id="c1", campaign_id="c1", name="Spring")], PULLED)
        store_sales(app)
        yield Client(machine, mount(app, resources), described)
    machine.close()


def test_the_media_mix_of_a_campaign_is_asked_for_made_and_read(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a campaign that runs on two platforms
    bound = [
        {"platform": str(each.platform), "profile_id": each.profile_id, "campaign_id": "c1"} for each in (META, AMAZON)
    ]
    made = client.ask(
        "POST", "/api/v1/campaigns", {"account_id": "acme", "name": "Spring", "bindings": bound}, expect=201
    )
    path = f"/api/v1/campaigns/{made['campaign_id']}"
    client.ask("GET", f"{path}/mmm/features", expect=404)

    # when its media mix is asked for
    run = client.finish(client.ask("POST", f"{path}/etl", expect=202)["run_id"])

    # then there is a dataset of it, with files to fetch
    assert run["state"] == "succeeded", run
    mix = client.ask("GET", f"{path}/mmm")
    (dataset,) = mix["datasets"]
    assert (dataset["campaign_id"], dataset["campaign_name"]) == (made["campaign_id"], "Spring")
    daily = dataset["tables"]["daily"]
    assert (daily["ready"], daily["rows"], sorted(daily["channels"])) == (True, DAYS, ["amazon_ads", "meta_ads"])
    key = daily["files"]["csv"]["key"]
    assert daily["files"]["csv"]["url"].endswith(key)
    assert client.machine.app.raw.get_bytes(key).count(b"\n") == DAYS + 1

    # and each feature of each channel and period is in an answer
    asked = client.ask("GET", f"{path}/mmm/features", channel="meta_ads")
    assert {each["channel"] for each in asked["channels"] if each["spend"]["trend"]} == {"amazon_ads", "meta_ads"}
    assert asked["kpi"]["variation"]["overdispersion"] > 0
    assert len(asked["periods"]) == DAYS
    last = asked["periods"][-1]
    assert {"spend_lag_7", "spend_mean_28", "adstock_50", "hill", "logistic", "share"} <= last["channel"].keys()
    assert last["kpi"].keys() == {"lag_1", "lag_7", "lag_28", "mean_7", "mean_28", "change_week"}
    assert "weekday_sin_1" in last["calendar"]

    run_mmm = commands_on(SimpleNamespace(app=lambda: client.machine.app), monkeypatch, group="mmm")
    printed = run_mmm("features", made["campaign_id"], "channel=meta_ads")
    assert max(map(len, printed.stdout.splitlines())) <= 80
    assert "the last 14 of 190 periods" in printed.stderr
    told = run_mmm("features", made["campaign_id"], "channel=meta_ads", "--json").stdout
    assert json.loads(told)["periods"] == asked["periods"]
    assert "there is no cross-platform campaign" in run_mmm("features", "cmp_00000000000000000000", expect=1).stderr

    # and what each channel brought, of the campaign alone
    (found,) = mix["coefficients"]
    assert (found["run_id"], found["kpi"], found["table"], found["version"]) == (run["run_id"], "revenue", "daily", 1)
    assert {each["channel"] for each in found["channels"]} == {"amazon_ads", "meta_ads"}
    for each in found["channels"]:
        assert each["roi"]["low"] <= each["roi"]["estimate"] <= each["roi"]["high"]
    assert [(look["table"], look["result"]) for look in mix["looks"]] == [("daily", "fitted")]
    whole = client.ask("GET", "/api/v1/accounts/acme/mmm")
    assert (whole["coefficients"], [each["campaign_id"] for each in whole["datasets"]]) == ([], [made["campaign_id"]])
