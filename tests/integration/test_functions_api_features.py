"""Recorded features through the API and on the command line: exact, page by page, of what a key may see."""

from __future__ import annotations

import json
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from adweir.model.feature_columns import COLUMNS
from support.api import Call, fill
from support.bounds import at_the_bound
from support.command_line import commands_on

PATH = "/api/v1/features"


@pytest.fixture
def world(api: ModuleType) -> ModuleType:
    """A client with an ad account on each of two platforms, whose features are recorded."""
    api.app.catalog.create_account("acc_own", "Own Company", "a@own.example")
    fill(api, "acc_own")
    api.app.feature_recorder.record("acc_own", lambda: 300.0, 1.0)
    return api


def entities(page: dict[str, Any]) -> list[str]:
    return [f"{row['account_id']} {row['entity_id']}" for row in page["features"]]


def test_the_newest_rows_are_listed_with_all_columns_and_exact_numbers(world: ModuleType, call: Call) -> None:
    page = call("GET", PATH, profile_id="111")

    assert page["next_token"] is None
    account, first, *_ = page["features"]
    assert account.keys() == COLUMNS.keys()
    assert (account["level"], account["entity_id"], account["ad_id"]) == ("account", "111", None)
    assert (first["level"], first["ad_id"], first["campaign_id"]) == ("ad", "a1", "c1")
    assert (first["spend_28"], first["currency"], first["clicks_28"]) == (2.469134, "EUR", 20)
    assert first["ctr_28"] == pytest.approx(20 / first["impressions_28"])


def test_filters_leave_the_others_out_and_pages_go_on(world: ModuleType, call: Call) -> None:
    every = entities(call("GET", PATH))
    assert len(every) == len(set(every)) > 2
    got, token = list[str](), ""
    while True:
        page = call("GET", PATH, limit="1", **({"next_token": token} if token else {}))
        got, token = got + entities(page), page["next_token"]
        if not token:
            break

    assert got == every
    assert {name.split()[1] for name in entities(call("GET", PATH, level="account"))} >= {"111"}
    assert entities(call("GET", PATH, platform="facebook", ad_id="a1")) == ["111 g1~a1", "222 g1~a1"]
    assert entities(call("GET", PATH, campaign_id="none")) == []
    assert entities(call("GET", PATH, account_id="acc_other")) == []
    assert "level" in call("GET", PATH, level="campaign", expect=422)["error"]["message"]
    assert "next_token" in json.dumps(call("GET", PATH, next_token="x", expect=400))


@at_the_bound("MAX_FEATURES_LOOKED_AT", as_if=2)
def test_a_page_looks_at_so_many_rows_and_the_next_one_goes_on(
    world: ModuleType, call: Call, size: int, fits: bool
) -> None:
    every = entities(call("GET", PATH, limit="1000"))[:size]

    page = call("GET", PATH, limit="1000", profile_id="111", level="ad" if fits else "")

    assert len(page["features"]) == min(len(every), 2)
    assert (page["next_token"] is None) is fits


def test_the_command_line_shows_the_same(world: ModuleType, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    class Target:
        def app(self) -> Any:
            return world.app

    adweir = commands_on(Target(), monkeypatch, "features")

    lines = adweir("111").stdout.splitlines()
    as_json = [json.loads(line, parse_float=Decimal) for line in adweir("--json", "--level", "ad").stdout.splitlines()]

    assert lines[0].split()[0] == "PLATFORM"
    assert lines[1].split()[:3] == ["meta_ads", "111", "111"]
    assert as_json[0]["spend_28"] == Decimal("2.469134")
    assert "no features were recorded yet" in adweir("none").stderr
