"""Exports that Athena makes: the file that the store makes, one query whoever dies, and none where it cannot answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from adweir.insight.curated.curator import Curator
from adweir.insight.curated.layout import tables
from adweir.model import limits
from adweir.model.errors import NotReady, Throttled, Unavailable
from adweir.model.messages import MakeExport
from adweir.reporting import exports
from adweir.runtime.app import App
from adweir.runtime.curating import curator_parts
from adweir.runtime.exporting import exporter_of
from adweir.store.raw.curated import CuratedObjects
from support.api import Call, fill
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.crash import Crash, Killed
from support.other_athena import OtherAthena

WIDE: dict[str, Any] = {
    "time_range": {"start_date": "2026-10-30", "end_date": "2026-11-02"},
    "metrics": [{"name": "spend"}, {"name": "roas"}],
    "dimensions": [{"name": "date"}, {"name": "ad"}, {"name": "account"}],
    "format": "csv",
}
MARGIN = 30.0
_MADE: dict[str, tuple[bytes, Mapping[str, str]]] = {}


def plenty() -> float:
    """Seconds."""
    return 600.0


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    return environment | {"ETL_QUEUE_URL": boto3.client("sqs").create_queue(QueueName="etl")["QueueUrl"]}


@pytest.fixture
def athena(api: ModuleType, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> OtherAthena:
    """Eight groups in the store and in the tables, of which an answer holds three."""
    app = api.app
    fill(api)
    app.catalog.create_account("acc", "Acme", "data@acme.example")
    _curate(app)
    monkeypatch.setattr(CuratedObjects, "state_put_at", lambda *_: datetime(2026, 11, 1, tzinfo=UTC))
    monkeypatch.setattr(limits, "MAX_QUERY_GROUPS", 3)
    clock.advance(60)

    def content() -> dict[str, bytes]:
        return {each.key: app.raw.get_bytes(each.key) for each in app.raw.list("curated/metrics/")}

    metrics = tables(tuple(sorted(spec.name for spec in app.platforms.specs())))["metrics"]
    app.athena = OtherAthena(metrics, content, app.raw.put)
    found: OtherAthena = app.athena
    return found


def _curate(app: App) -> None:
    """Have the tables. They are made once: that takes a third of a second, and the store and the clock are the same."""
    if not _MADE:
        Curator(curator_parts(app, app.queries)).curate("acc", plenty, MARGIN)
        for each in app.raw.list("curated/"):
            _MADE[each.key] = app.raw.get_bytes(each.key), app.raw.head(each.key).metadata
    else:
        for key, (body, about) in _MADE.items():
            app.raw.put(key, body, about)


def waiting(api: ModuleType) -> list[MakeExport]:
    sqs, url = boto3.client("sqs"), api.app.settings.etl_queue_url
    found = []
    for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        found.append(MakeExport.model_validate_json(message["Body"]))
    return found


class Etl:
    """Works on the export of a report, message by message."""

    def __init__(self, api: ModuleType, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        self.api = api
        self._call = call
        self.messages: list[MakeExport] = []
        self._waits: list[MakeExport] = []
        send = type(api.app.queues.etl).send
        monkeypatch.setattr(  # SQS would hold them back for as long as that takes
            type(api.app.queues.etl), "send", lambda queue, message, **more: send(queue, message, **more | {"delay": 0})
        )

    def ask(self, **more: Any) -> str:
        export_id = self._call("POST", "/api/v1/reports", WIDE | more, expect=202)["export_id"]
        return f"/api/v1/exports/{export_id}"

    def work(self, remaining: Callable[[], float] = plenty) -> bool:
        """Work on one message; False where there is none."""
        self._waits = self._waits or waiting(self.api)
        if not self._waits:
            return False
        message = self._waits.pop(0)
        self.messages.append(message)
        try:
            exporter_of(self.api.app).make(message, remaining)
        except (NotReady, Throttled) as error:
            self._waits.append(message.later(0, error))
        except Killed:
            self._waits.append(message)
        return True

    def file(self, path: str, remaining: Callable[[], float] = plenty) -> str:
        while self.work(remaining):
            pass
        ready = self._call("GET", path)
        assert ready["state"] == "ready", ready
        key = "exports/" + urlsplit(ready["download_url"]).path.partition("exports/")[2]
        return str(self.api.app.raw.get_bytes(key).decode())


@pytest.fixture
def etl(api: ModuleType, call: Call, monkeypatch: pytest.MonkeyPatch) -> Etl:
    return Etl(api, call, monkeypatch)


def from_store(etl: Etl, athena: OtherAthena, **more: Any) -> str:
    """The file as it is made without Athena."""
    etl.api.app.athena = None
    made = etl.file(etl.ask(**more | {"name": "another"}))
    etl.api.app.athena = athena
    etl.messages.clear()
    return made


def test_the_file_is_byte_for_byte_the_one_from_the_store(
    etl: Etl, athena: OtherAthena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_QUERY_GROUPS", 1)
    for number, dimensions in enumerate(
        ("date ad account", "ad_group campaign", "month platform ad", "week client"), 1
    ):
        named = {"dimensions": [{"name": name} for name in dimensions.split()]}
        expected = from_store(etl, athena, **named)

        assert etl.file(etl.ask(**named)) == expected

        assert len(athena.asked) == number
        assert [message.query for message in etl.messages] == ["", f"q{number}"]


def test_a_worker_without_time_hands_on_at_the_row_where_it_stopped(
    etl: Etl, athena: OtherAthena, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = from_store(etl, athena)
    monkeypatch.setattr(exports, "_PART_ROWS", 3)
    monkeypatch.setattr(exports, "_BATCH", 2)

    made = etl.file(etl.ask(), lambda: 600.0 if len(etl.messages) == 1 else MARGIN)

    assert made == expected
    assert [message.part for message in etl.messages] == [0, 0, 1, 2, 3]


@pytest.mark.parametrize("after", [False, True])
def test_a_worker_that_dies_at_any_write_leaves_one_query_and_the_same_file(
    etl: Etl, athena: OtherAthena, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    expected = from_store(etl, athena)
    monkeypatch.setattr(exports, "_PART_ROWS", 3)
    queue, raw, crash = type(etl.api.app.queues.etl), etl.api.app.raw, Crash()
    monkeypatch.setattr(queue, "send", crash.around(queue.send))
    monkeypatch.setattr(raw, "put", crash.around(raw.put))
    for number in count(1):
        crash.arm(0)
        path = etl.ask(name=f"report {number}")
        crash.arm(number, after=after)

        assert etl.file(path) == expected

        assert len(athena.asked) == number
        if crash.writes < number:
            break
    assert number > 8


def test_a_query_that_runs_is_looked_at_again_each_time_later(etl: Etl, athena: OtherAthena) -> None:
    athena.ended = "RUNNING"
    path = etl.ask()
    for _ in range(4):
        etl.work()

    athena.ended = "SUCCEEDED"
    made = etl.file(path)

    assert made.count("\n") == 9
    assert [message.attempt for message in etl.messages] == [0, 0, 1, 2, 3]
    assert len(athena.asked) == 1
    waits = [exports._wait(looks) for looks in range(limits.MAX_EXPORT_LOOKS)]
    assert (waits[0], waits[-1]) == (2.0, 60.0)
    assert 1800 < sum(waits) < 3600


@at_the_bound("MAX_EXPORT_LOOKS", as_if=3)
def test_a_query_that_does_not_end_is_stopped_and_the_store_is_read(
    etl: Etl, athena: OtherAthena, size: int, monkeypatch: pytest.MonkeyPatch, *, fits: bool
) -> None:
    expected = from_store(etl, athena)
    monkeypatch.setattr(limits, "MAX_EXPORT_LOOKS", 3)
    athena.ended = "RUNNING"
    path = etl.ask()
    for _ in range(size + 1):
        etl.work()

    assert athena.stopped == ([] if fits else ["q1"])
    if fits:
        athena.ended = "SUCCEEDED"

    assert etl.file(path) == expected
    assert any(message.stored for message in etl.messages) is not fits


def test_a_query_that_fails_is_not_begun_again(etl: Etl, athena: OtherAthena) -> None:
    expected = from_store(etl, athena)
    athena.ended = "FAILED"

    assert etl.file(etl.ask()) == expected

    assert [(message.query, message.stored) for message in etl.messages] == [("", False), ("q1", False), ("", True)]
    assert len(athena.asked) == 1


@pytest.mark.parametrize("error", [Throttled("busy", 1), Unavailable("gone")])
def test_an_athena_that_is_busy_is_asked_again_and_one_that_stays_so_is_left(
    etl: Etl, athena: OtherAthena, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    expected = from_store(etl, athena)
    monkeypatch.setattr(limits, "MAX_EXPORT_LOOKS", 2)
    athena.refuses = error

    assert etl.file(etl.ask()) == expected

    assert [(message.attempt, message.stored) for message in etl.messages] == [
        (0, False),
        (1, False),
        (2, False),
        (0, True),
    ]


def test_without_time_to_ask_for_all_ad_accounts_another_worker_reads_the_store(etl: Etl, athena: OtherAthena) -> None:
    expected, left = from_store(etl, athena), iter([MARGIN - 1])

    assert etl.file(etl.ask(), lambda: next(left, 600.0)) == expected
    assert athena.asked == []


def test_json_and_tables_that_are_older_than_the_store_are_not_asked_for(etl: Etl, athena: OtherAthena) -> None:
    assert etl.file(etl.ask(format="json")).startswith("{")
    assert len(etl.messages) == 1
    for each in list(etl.api.app.raw.list("curated/state/")):
        etl.api.app.raw.delete([each.key])

    assert etl.file(etl.ask()).count("\n") == 9
    assert athena.asked == []


def test_a_query_of_a_deployment_that_has_no_athena_any_more_is_left(etl: Etl, athena: OtherAthena) -> None:
    expected = from_store(etl, athena)
    path = etl.ask()
    etl.work()

    etl.api.app.athena = None

    assert etl.file(path) == expected
    assert [(message.query, message.stored) for message in etl.messages] == [("", False), ("q1", False), ("", True)]
