"""A platform that adweir has no connector for: its spec is stored, a credential given, and its numbers are there."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from adweir.model.money import MICRO
from ops.demo.truth import total
from support.river import River
from support.template import ROOT

SPEC = (ROOT / "docs/specs/pinterest.json").read_text()
HOST = "https://api.pinterest.com"
PINTEREST = "pinterest_ads"
LEVELS = ("account", "campaign", "ad_group", "ad")


class _Pulled(NamedTuple):
    account_id: str
    profile_id: str
    theirs: str
    """The ad account's id on the platform."""


@pytest.fixture(scope="module")
def pulled(sandbox: River) -> _Pulled:
    """The client's ad account there, after one run."""
    client = sandbox.clients["halden"]
    elsewhere = client.description["elsewhere"][PINTEREST]
    sandbox.api.put("/api/v1/specs/pinterest", json_of(SPEC.replace(HOST, sandbox.description["platforms_url"])))
    credential = {"platform": "generic", "label": "pinterest", **elsewhere["credentials"]}
    sandbox.api.post(f"/api/v1/accounts/{client.account_id}/credentials", credential)
    scope = {"accounts": [client.account_id], "platforms": ["generic"]}
    sandbox.ended(sandbox.api.post("/api/v1/workflows/sync/runs", {"scope": scope})["run_id"], "succeeded")
    listed = sandbox.api.get("/api/v1/profiles", account_id=client.account_id)["profiles"]
    (profile_id,) = [profile["profile_id"] for profile in listed if profile["platform"] == "generic"]
    return _Pulled(client.account_id, profile_id, elsewhere["profile_ids"][0])


def json_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def test_given_a_spec_and_a_credential_when_the_client_is_synced_then_every_level_is_the_platforms_own(
    sandbox: River, pulled: _Pulled
) -> None:
    start, end = sandbox.day(14), sandbox.day(1)
    totals = sandbox.totals(pulled.theirs, start, end)
    assert totals
    assert sandbox.stored(pulled.profile_id, start, end) == sandbox.truth(pulled.theirs, start, end)
    assert {level: sandbox.summed(pulled.profile_id, level, start, end) for level in LEVELS} == dict.fromkeys(
        LEVELS, totals
    )


def test_given_what_was_pulled_by_a_spec_when_a_report_is_asked_for_then_it_has_the_platforms_totals(
    sandbox: River, pulled: _Pulled
) -> None:
    start, end = sandbox.day(14), sandbox.day(1)
    report = sandbox.api.post(
        "/api/v1/reports",
        {
            "name": "By description",
            "time_range": {"start_date": start, "end_date": end},
            "metrics": [{"name": "spend"}, {"name": "revenue"}],
            "dimensions": [{"name": "platform"}],
            "segments": [{"name": "profile_id", "values": [pulled.profile_id]}],
            "format": "json",
        },
    )
    (row,) = report["data"]
    whole = total(list(sandbox.totals(pulled.theirs, start, end).values()))
    assert row["platform"] == "generic"
    spend, revenue = (int(Decimal(str(row[name])) * MICRO) for name in ("spend", "revenue"))
    assert (spend, revenue) == (whole.spend, whole.revenue)


def test_given_a_platform_that_throttles_and_forgets_its_tokens_when_it_is_synced_then_the_run_still_succeeds(
    sandbox: River, pulled: _Pulled
) -> None:
    sandbox.world.post("switches", {"kind": "throttle", "platform": PINTEREST, "times": 2, "skip": 3, "reset": 1})
    sandbox.world.post("switches", {"kind": "expired_token", "platform": PINTEREST, "times": 1, "skip": 2})
    scope = {"accounts": [pulled.account_id], "platforms": ["generic"]}
    sandbox.ended(sandbox.api.post("/api/v1/workflows/sync/runs", {"scope": scope})["run_id"], "succeeded")
    start, end = sandbox.day(14), sandbox.day(1)
    assert sandbox.stored(pulled.profile_id, start, end) == sandbox.truth(pulled.theirs, start, end)
