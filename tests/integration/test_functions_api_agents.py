"""States of arms through the API and on the command line: exact, page by page, of arms that are there."""

from __future__ import annotations

import json
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from adweir.model.campaigns import OWN, Arm, Binding, Campaign
from adweir.model.entities import own_profile_id
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.platforms import Platform
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.store.metrics.store import PullRows
from support.api import META, T1, Call, fill
from support.command_line import commands_on

PATH = "/api/v1/agents"
RADIO = Platform("radio")
TODAY = "2026-11-20"
"""It is not over: nothing of it counts."""
UNTIL_TODAY = Window.parse(f"2026-11-01..{TODAY}")


def ad_arm(name: str, ad_id: str) -> Arm:
    ids = {"profile_id": "111", "campaign_id": "c1", "ad_group_id": "g1", "ad_id": ad_id}
    return Arm(arm_id=f"arm_{name}", platform=META, bindings=(Binding(platform=META, **ids),))


@pytest.fixture
def world(api: ModuleType) -> ModuleType:
    """A client with three campaigns: two ads, an arm that takes pushed metrics, and no arm."""
    api.app.catalog.create_account("acc_own", "Own Company", "a@own.example")
    fill(api, "acc_own")
    for name, arms in (
        ("a", [ad_arm("a1", "a1"), ad_arm("a2", "a2")]),
        ("b", [Arm(arm_id="arm_radio", platform=RADIO)]),
        ("c", []),
    ):
        api.app.catalog.create_campaign(
            Campaign(campaign_id=f"cmp_{name}", account_id="acc_own", name=name, arms=tuple(arms))
        )
    rows = PullRows()
    for hour, conversions, day in ((9, 1_000_000, "2026-11-01"), (10, 500_000, "2026-11-01"), (1, 9, TODAY)):
        rows.offer(MetricRow("arm_radio", day, 100, 10, conversions, 2_000_000, None, hour=hour, currency="EUR"))
    own = own_profile_id("acc_own")
    api.app.metrics.load(
        Pull(OWN, own, Level.ARM, Grain.HOUR, Source.PUSH, "all", UNTIL_TODAY, Stamp(T1, "t2"), complete=False), rows
    )
    return api


def learned(world: ModuleType) -> dict[str, int]:
    counts: dict[str, int] = world.app.learner.learn("acc_own", lambda: 300.0, 1.0, "run_1")
    return counts


def test_the_states_of_arms_are_listed_by_campaign_with_exact_numbers(world: ModuleType, call: Call) -> None:
    assert call("GET", PATH) == {"agents": [], "next_token": None}
    assert learned(world) == {"arms": 3, "stored": 3, "outdated": 0}

    found = {each["arm_id"]: each for each in call("GET", PATH)["agents"]}

    assert list(found) == ["arm_a1", "arm_a2", "arm_radio"]
    first = found["arm_a1"]
    assert (first["trials"], first["rewards"], first["impressions"], first["days"]) == (20, 5, 2000, 2)
    assert (first["spending"], first["currency"]) == (2.469134, "EUR")
    assert first["spending_by_currency"] == [{"currency": "EUR", "spending": 2.469134}]
    assert (first["first"], first["last"], first["account_id"]) == ("2026-11-01", "2026-11-02", "acc_own")
    assert (first["delay"]["measured"], first["delay"]["known"][0]) == (False, {"after_days": 1, "share": 0.35})
    assert [each["value"] for each in first["contextual_state"]["weekday"]] == ["monday", "sunday"]
    assert (first["contextual_state"]["device"], first["contextual_state"]["placement"]) == (None, None)
    assert first["allocation"] + found["arm_a2"]["allocation"] == 1
    radio = found["arm_radio"]
    assert (radio["platform"], radio["trials"], radio["rewards"], radio["spending"]) == ("radio", 20, 1.5, 4)
    assert (radio["p_best"], radio["allocation"]) == (1, 1)


def test_pages_count_campaigns_and_filters_leave_the_others_out(world: ModuleType, call: Call) -> None:
    learned(world)

    first = call("GET", PATH, limit="1")
    second = call("GET", PATH, limit="1", next_token=first["next_token"])

    assert [each["arm_id"] for each in first["agents"]] == ["arm_a1", "arm_a2"]
    assert [each["arm_id"] for each in second["agents"]] == ["arm_radio"]
    assert [each["arm_id"] for each in call("GET", PATH, campaign_id="cmp_b")["agents"]] == ["arm_radio"]
    assert call("GET", PATH, campaign_id="cmp_b", account_id="acc_other")["agents"] == []
    assert "there is no" in call("GET", PATH, campaign_id="cmp_x", expect=422)["error"]["message"]


def test_an_arm_that_is_gone_is_not_listed(world: ModuleType, call: Call) -> None:
    learned(world)

    world.app.catalog.change_campaign("cmp_a", lambda was: was.model_copy(update={"arms": was.arms[:1]}), None)

    assert [each["arm_id"] for each in call("GET", PATH, campaign_id="cmp_a")["agents"]] == ["arm_a1"]


def test_the_command_line_shows_the_same(world: ModuleType, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    class Target:
        def app(self) -> Any:
            return world.app

    adweir = commands_on(Target(), monkeypatch, "agents")
    assert "no arm was learned yet: the next run learns" in adweir().stderr
    learned(world)

    shown = adweir()
    as_json = [json.loads(line, parse_float=Decimal) for line in adweir("cmp_a", "--json").stdout.splitlines()]

    lines = [line.split() for line in shown.stdout.splitlines() if line]
    assert [line[0] for line in lines[:4]] == ["ARM", "arm_a1", "arm_a2", "arm_radio"]
    assert lines[1][:4] == ["arm_a1", "meta_ads", "20", "5"]
    assert lines[3][-4:] == ["100.00", "%", "34.62", "%"]
    assert lines[-1][-2:] == ["2026-11-19", "active"]
    assert "a table says how late" in shown.stderr
    assert [each["arm_id"] for each in as_json] == ["arm_a1", "arm_a2"]
    assert as_json[0]["spending"] == Decimal("2.469134")


def test_the_command_line_says_why_an_arm_has_no_chance(world: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    class Target:
        def app(self) -> Any:
            return world.app

    paused = {"status": "paused", "name": "blue banner"}
    world.app.catalog.change_campaign(
        "cmp_a",
        lambda was: was.model_copy(update={"arms": (was.arms[0].model_copy(update=paused), *was.arms[1:])}),
        None,
    )
    learned(world)

    shown = commands_on(Target(), monkeypatch, "agents")("cmp_a")

    row = [line.split() for line in shown.stdout.splitlines() if line.startswith("arm_a1")][-1]
    assert row == ["arm_a1", "2026-11-19", "paused", "blue", "banner"]
    assert "an arm that is paused, ended or archived has no BEST, SHARE and RISK" in shown.stderr
