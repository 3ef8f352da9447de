"""Pages of `retrieve`: what follows the first page is kept, and no page is computed again."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import boto3
import pytest

from adweir.model import limits
from adweir.reporting.query import Queries
from support.api import Call, fill
from support.bounds import at_the_bound
from support.clock import FrozenClock

PATH = "/api/v1/data_pipeline/retrieve"
ADS = {
    "data_type": "ad_performance",
    "filters": {"date_range": {"start": "2026-11-01", "end": "2026-11-02"}},
    "limit": 3,
    "paged": True,
}


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    return environment | {"ETL_QUEUE_URL": boto3.client("sqs").create_queue(QueueName="etl")["QueueUrl"]}


def pages(call: Call, body: dict[str, Any]) -> list[dict[str, Any]]:
    found = [call("POST", PATH, body)["result"]]
    while token := found[-1]["next_token"]:
        found.append(call("POST", PATH, body | {"next_token": token})["result"])
    return found


@pytest.mark.parametrize("data_type", ["ad_performance", "ads", "campaigns", "account_performance"])
def test_the_pages_hold_each_record_once_and_only_the_first_one_is_computed(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch, data_type: str
) -> None:
    fill(api)
    body = ADS | {"data_type": data_type, "limit": 1}
    whole = call("POST", PATH, body | {"limit": 100})["result"]
    first = call("POST", PATH, body)["result"]
    # when the further pages are read, then nothing is asked of the metrics
    monkeypatch.setattr(Queries, "answer", None)
    monkeypatch.setattr(Queries, "profiles", None)
    found = [first]
    while token := found[-1]["next_token"]:
        found.append(call("POST", PATH, body | {"next_token": token})["result"])
    assert [record for page in found for record in page["records"]] == whole["records"]
    assert [page["records_count"] for page in found] == [1] * whole["total"]
    assert {page["total"] for page in found} == {whole["total"]}
    assert all(page["coverage"] == first["coverage"] for page in found)


def test_pages_agree_whatever_is_loaded_meanwhile_and_may_change_their_size(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_RETRIEVED_RECORDS", 2)  # kept in pieces
    fill(api)
    whole = call("POST", PATH, ADS | {"limit": 100})["result"]["records"]
    first = call("POST", PATH, ADS)["result"]
    assert "next_token" in call("POST", PATH, ADS | {"paged": False})["result"]
    fill(api, "acc_2")
    second = call("POST", PATH, ADS | {"limit": 2, "next_token": first["next_token"]})["result"]
    third = call("POST", PATH, ADS | {"limit": 4, "next_token": second["next_token"]})["result"]
    assert first["records"] + second["records"] + third["records"] == whole
    assert third["next_token"] is None


def test_a_token_of_another_request_or_of_yesterday_is_refused(call: Call, api: ModuleType, clock: FrozenClock) -> None:
    fill(api)
    token = call("POST", PATH, ADS)["result"]["next_token"]
    others = [ADS | {"data_type": "campaign_performance"}, ADS | {"filters": {}}, ADS | {"offset": 1}]
    for body in [*(other | {"next_token": token} for other in others), ADS | {"next_token": "bm9uc2Vuc2U"}]:
        refused = call("POST", PATH, body, expect=400)["error"]
        assert refused["details"][0]["field"] == "next_token"
    clock.advance(24 * 3600)
    old = call("POST", PATH, ADS | {"next_token": token}, expect=400)["error"]
    assert "too old: begin again" in old["message"]


@at_the_bound("MAX_KEPT_RECORDS", as_if=5)
def test_at_most_so_many_records_are_kept(call: Call, api: ModuleType, size: int, fits: bool) -> None:
    fill(api)  # eight records: 3 + 5 fit, 2 + 6 do not
    answer = call("POST", PATH, ADS | {"limit": 8 - size}, expect=200 if fits else 202)
    assert fits or answer["state"] == "running"  # all of them are an export
