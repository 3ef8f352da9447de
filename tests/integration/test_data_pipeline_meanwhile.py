"""The data_pipeline calls while something else happens: another call, a busy loader, a death, a key of one client."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from adweir.intake.doors.given_records import AskedRecords, RecordForm
from adweir.model.errors import Throttled, Unavailable
from adweir.model.messages import ObjectArrived
from support.api import Call, an_event, fill, stored
from support.bounds import at_the_bound
from support.crash import Crash, Killed

CAMPAIGN = {"campaign_id": "c1", "impressions": 1000, "clicks": 50, "spend": 25.5}
STORE = "/api/v1/data_pipeline/store"
DAY_SECONDS = 86_400
ORDERS = [{"order_id": str(n), "revenue": n, "date": f"2026-11-{n:02d}"} for n in range(1, 8)]


def body(*records: Any, data_type: str = "campaign_performance", **more: Any) -> dict[str, Any]:
    return {"data_type": data_type, "data": {"records": [*records]}} | more


def total(pipeline: Call, data_type: str, field: str) -> Any:
    return sum(each[field] for each in pipeline("retrieve", {"data_type": data_type})["records"])


def test_of_two_calls_at_once_that_may_not_replace_one_wins(
    api: ModuleType, pipeline: Call, load: Callable[[], int]
) -> None:
    """Given a call whose rows are not loaded yet, then another one for the same key waits, and does not get past it."""
    app, refused = api.app, list[str]()
    form = RecordForm(app.catalog, app.platforms.parse, app.clock.now())
    rival = form.read(AskedRecords("campaign_performance", [CAMPAIGN | {"spend": 1}]))

    def while_the_first_one_waits(seconds: float) -> None:
        app.clock.advance(seconds)
        if not refused:
            refused.append("")
            begun = app.clock.monotonic()
            with pytest.raises(Throttled) as fault:
                app.pipeline_records.store(
                    rival, "f" * 32, upsert=False, remaining=lambda: begun + 5 - app.clock.monotonic()
                )
            refused[0] = str(fault.value)
            load()

    app.sleep = while_the_first_one_waits
    pipeline("store", body(CAMPAIGN, storage_options={"upsert": False}))
    assert "is being worked on" in refused[0]
    assert pipeline("store", body(CAMPAIGN, storage_options={"upsert": False}), expect=409)
    assert total(pipeline, "campaign_performance", "spend") == 25.5


def test_a_call_that_is_not_loaded_in_time_is_accepted_and_loaded_later(
    api: ModuleType, call: Call, pipeline: Call, load: Callable[[], int], account_id: str
) -> None:
    api.app.sleep = api.app.clock.advance
    answer = api.handler(an_event("POST", STORE, body(CAMPAIGN)), SimpleNamespace())
    result = json.loads(answer["body"])["result"]
    assert (answer["statusCode"], result["status"], result["stored_at"]) == (202, "accepted", None)
    assert answer["headers"]["Location"] == f"/api/v1/receipts?account_id={account_id}"
    assert call("GET", "/api/v1/receipts")["receipts"] == []
    load()
    assert call("GET", "/api/v1/receipts")["receipts"][0]["task_id"] == result["task_id"]
    assert total(pipeline, "campaign_performance", "spend") == 25.5


def test_a_call_that_was_accepted_is_not_replaced_by_one_that_may_not_replace(
    api: ModuleType, pipeline: Call, load: Callable[[], int]
) -> None:
    """Given a call whose rows are not loaded yet when it is answered: nobody can see them, and they come first."""
    api.app.sleep = api.app.clock.advance
    only_new: dict[str, Any] = {"storage_options": {"upsert": False}}
    assert pipeline("store", body(CAMPAIGN, **only_new), expect=202)["status"] == "accepted"

    early = pipeline("store", body(CAMPAIGN | {"spend": 1}, **only_new), expect=409)
    load()
    late = pipeline("store", body(CAMPAIGN | {"spend": 1}, **only_new), expect=409)

    assert "are not loaded yet" in early["message"]
    assert "stored already" in late["message"]
    assert total(pipeline, "campaign_performance", "spend") == 25.5


def test_a_call_that_is_never_loaded_is_waited_for_two_weeks_whatever_is_accepted_meanwhile(
    api: ModuleType, pipeline: Call, load: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = api.app
    app.sleep = app.clock.advance
    pipeline("store", body(CAMPAIGN), expect=202)
    with monkeypatch.context() as lost:
        lost.setattr(app.loader, "load", lambda *_: None)
        load()
    app.clock.advance(10 * DAY_SECONDS)
    pipeline("store", body(CAMPAIGN | {"spend": 7}), expect=202)
    load()
    new = body(CAMPAIGN | {"campaign_id": "c2"}, storage_options={"upsert": False})
    assert "are not loaded yet" in pipeline("store", new, expect=409)["message"]

    app.clock.advance(5 * DAY_SECONDS)
    assert pipeline("store", new, expect=202)["status"] == "accepted"


def test_what_cannot_be_said_of_the_stored_days_is_found_before_anything_is_written(
    api: ModuleType, pipeline: Call, load: Callable[[], int], account_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise Unavailable("the metrics do not answer")

    fill(api, account_id)
    monkeypatch.setattr(api.app.metrics, "days", fail)
    pipeline("store", body(CAMPAIGN | {"profile_id": "111"}, source="meta_ads"), expect=503)
    assert load() == 0
    assert api.app.ledger.receipts.page(account_id, 10, "")[0] == []


@at_the_bound("MAX_WAITING_STORES", as_if=2)
def test_so_many_calls_wait_to_be_loaded(
    api: ModuleType, pipeline: Call, load: Callable[[], int], size: int, *, fits: bool
) -> None:
    busy = [True]
    api.app.sleep = lambda seconds: api.app.clock.advance(seconds) if busy else load()
    for number in range(size - 1):
        pipeline("store", body(CAMPAIGN | {"spend": number}), expect=202)
    pipeline("store", body(CAMPAIGN | {"spend": 9}), expect=202 if fits else 503)
    load()
    busy.clear()
    pipeline("store", body(CAMPAIGN | {"spend": 10}))
    assert total(pipeline, "campaign_performance", "spend") == 10


@pytest.mark.parametrize("after", [False, True])
def test_a_call_that_dies_leaves_all_of_its_records_or_none(
    api: ModuleType, pipeline: Call, load: Callable[[], int], *, after: bool
) -> None:
    """Given a call killed right before or after it puts its object, then it is loaded whole, or never was."""
    crash = Crash(1, after=after)
    crash.watch(api.app.raw, "put")
    with pytest.raises(Killed):
        api.handler(an_event("POST", STORE, body(*ORDERS, data_type="orders")), SimpleNamespace())
    load()
    assert total(pipeline, "orders", "conversions") == (len(ORDERS) if after else 0)
    api.app.clock.advance(60)
    pipeline("store", body(*ORDERS, data_type="orders"))
    assert total(pipeline, "orders", "revenue") == sum(range(1, 8))


@pytest.mark.parametrize("data_type", ["orders", "campaign_performance"])
def test_a_loader_that_dies_at_any_write_is_repeated_to_the_same_end(
    api: ModuleType, pipeline: Call, load: Callable[[], int], data_type: str
) -> None:
    kinds: dict[str, tuple[list[dict[str, Any]], str]] = {
        "orders": (ORDERS, "revenue"),
        "campaign_performance": ([CAMPAIGN, CAMPAIGN | {"campaign_id": "c2"}], "spend"),
    }
    records, field = kinds[data_type]
    app, deaths = api.app, 0
    app.sleep = lambda _seconds: None
    crash = Crash()
    crash.watch(app.raw, "put", "put_once", "swap")
    crash.watch(app.ledger.receipts, "put", "put_listed")
    crash.watch(app.metrics, "load")
    for at in range(1, 12):
        result = pipeline("ingest", body(*records, data_type=data_type))
        message = ObjectArrived(bucket=app.settings.bucket, key=result["object_key"])
        crash.arm(at, after=bool(at % 2))
        try:
            app.loader.load(message, lambda: 300.0)
        except Killed:
            deaths += 1
            app.clock.advance(400)  # its lease runs out
        crash.arm(0)
        app.loader.load(message, lambda: 300.0)
        expected = sum(each[field] for each in records)
        assert float(total(pipeline, data_type, field)) == pytest.approx(expected)
    assert deaths > 3


def test_a_loader_that_waits_for_another_is_waited_for(
    api: ModuleType, pipeline: Call, load: Callable[[], int]
) -> None:
    busy = [Throttled("the partition is being worked on", retry_after=1.0)] * 2

    def work(_seconds: float) -> None:
        if busy:
            busy.pop()
        else:
            load()

    api.app.sleep = work
    assert pipeline("store", body(CAMPAIGN))["status"] == "success"
    assert busy == []


def test_a_key_of_one_client_stores_for_it_and_for_no_other(
    api: ModuleType, call: Call, pipeline: Call, account_id: str
) -> None:
    other = {"company_name": "Other", "primary_contact_email": "o@example.com"}
    rival = call("POST", "/api/v1/accounts", other, expect=201)["account_id"]

    def ask(step: str, asked: Any) -> tuple[int, Any]:
        api.app.clock.advance(1)
        event = an_event("POST", f"/api/v1/data_pipeline/{step}", asked, "write")
        event["requestContext"]["authorizer"]["lambda"]["accounts"] = account_id
        answer = api.handler(event, SimpleNamespace())
        return answer["statusCode"], json.loads(answer["body"])

    status, found = ask("store", body(CAMPAIGN))
    assert (status, found["result"]["assumed"]["account_id"]) == (200, account_id)
    for step in ("ingest", "process", "validate"):
        assert ask(step, body(CAMPAIGN))[0] == 200
    before = stored(api)
    for step in ("ingest", "store", "validate"):
        for record, more in ((CAMPAIGN, {"account_id": rival}), (CAMPAIGN | {"account_id": rival}, {})):
            assert ask(step, body(record, **more))[0] == 404
    own = f"direct~{rival}"
    assert ask("store", body(CAMPAIGN | {"profile_id": own}))[0] == 422
    assert stored(api)[:2] == before[:2]
    assert total(pipeline, "campaign_performance", "spend") == 25.5
