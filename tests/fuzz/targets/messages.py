"""What arrives in the queues and in the bucket: messages, notifications of S3 and EventBridge, raw objects.

A message that cannot be read is quarantined and its neighbours are worked on; a raw object that was altered is not read
to its end, and what describes it is understood or refused.
"""

from __future__ import annotations

import gzip
import io
import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple

from adweir.intake.load.arrivals import parse_notification
from adweir.model.deliveries import read_delivery
from adweir.model.errors import AdweirError, BadInput, Throttled
from adweir.model.messages import RUN_MESSAGE, Message, ObjectArrived, TaskMessage
from adweir.platforms.connector import Page
from adweir.runtime.consumer import Consumer, Work
from adweir.store.raw.pages import blocks, pack
from adweir.store.raw.store import RawStore
from fuzz import awkward, corpus, damage
from fuzz.documents import Document, mutated
from fuzz.running import Broken, Case
from support.clock import FrozenClock
from support.outlets import MemorySourceQueue

_QUEUES: Mapping[str, tuple[Callable[[str], list[Any]], str]] = {
    "landing": (parse_notification, "validate"),
    "tasks": (lambda body: [TaskMessage.model_validate_json(body)], "collect"),
    "reports": (lambda body: [TaskMessage.model_validate_json(body)], "poll_reports"),
    "runs": (lambda body: [RUN_MESSAGE.validate_json(body)], "orchestrate"),
    "etl": (lambda body: [TaskMessage.model_validate_json(body)], "etl"),
}
"""Queue → how its function reads a body, and the function whose example events are its messages."""
_GOOD = {
    "landing": '{"bucket":"b","key":"raw/x.gz"}',
    "tasks": '{"run_id":"r","task_id":"t"}',
    "reports": '{"run_id":"r","task_id":"t"}',
    "runs": '{"kind":"sweep"}',
    "etl": '{"run_id":"r","task_id":"t"}',
}
_MORE = {
    "landing": (
        {"bucket": "b", "key": "raw/x.gz", "size": 5, "load": 2, "cause": "replay", "replay_id": "p"},
        {
            "Records": [
                {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": "a%2Cb+c"}}}
            ]
        },
    ),
    "tasks": ({"run_id": "r", "task_id": "t", "generation": 2, "not_before": 1795000000, "attempt": 3},),
    "reports": ({"run_id": "r", "task_id": "t", "report_deadline": 1795000000, "resubmits": 1},),
    "etl": ({"run_id": "r", "task_id": "t", "generation": 2, "account_id": "acc"},),
}
_DELIVERY = Document.of(
    {
        "version": 1, "platform": "meta_ads", "account_id": "acc", "as_of": "2026-11-20T12:00:00Z", "body_sha256": "00",
        "kind": "push", "delivery_id": "m",
        "series": [
            {"account_id": "acc", "profile_id": "1", "level": "ad", "currency": "EUR", "timezone": "UTC",
             "hours": [{"entity_id": "g~a", "date": "2026-11-20", "hour": 25, "impressions": 1, "clicks": None,
                        "conversions": 0, "spend": 5, "revenue": None, "campaign_id": "c"}]},
        ],
    }
)  # fmt: skip
_HEADER = {
    "run-id": "r", "task-id": "t", "generation": "1", "account-id": "acc", "platform": "meta_ads", "profile-id": "1",
    "dataset": "ad_daily", "as-of": "2026-11-20T12:00:00.000000Z", "slice": "all", "timezone": "Europe/Berlin",
    "window": "2026-11-01..2026-11-07", "complete": "true", "currency": "EUR", "profile-kind": "seller",
    "country": "DE", "label": "default", "route": "eu", "not-applicable": "false", "parts": "", "schema": "1",
}  # fmt: skip
_PAGES = (
    Page(b'{"data":[1,2,3]}' * 40, "https://graph.test/x?access_token=y", 200, last=False),
    Page([b"[", b"1" * 3000, b"]"], "https://ads.test/y", 200, last=True, label="with_media", media="json"),
)


def _object() -> bytes:
    return b"".join(pack(page, block, more=more) for page in _PAGES for block, more in blocks(page.body))


_OBJECT = _object()
_CONTENT = [b"".join(block for block, _ in blocks(page.body)) for page in _PAGES]


class _Record(NamedTuple):
    """What became of the records of one batch."""

    handled: list[str]
    refused: list[str]


class Messages:
    """Records of all queues, and objects of the bucket."""

    name = "messages"
    most_memory = 16 << 20

    def __init__(self) -> None:
        self._logger: Any = logging.getLogger("fuzz")
        self._logger.disabled = True
        self._seeds = {name: _seeds(name, function) for name, (_, function) in _QUEUES.items()}

    def make(self, rng: Random) -> Case:
        kind = rng.random()
        if kind < 0.15:
            return {"object": _changed_object(rng), "metadata": json.dumps(_HEADER | {"sha256": _digest()}).encode()}
        if kind < 0.35:
            return {"object": _OBJECT, "metadata": json.dumps(_changed_metadata(rng)).encode()}
        if kind < 0.45:
            return {"delivery": _changed(_DELIVERY, rng)}
        name = rng.choice(sorted(_QUEUES))
        return {"queue": name.encode(), "body": _changed(rng.choice(self._seeds[name]), rng)}

    def check(self, case: Case) -> str:
        if "object" in case:
            return _read_object(case["object"], json.loads(case["metadata"]))
        if "delivery" in case:
            try:
                return read_delivery(case["delivery"]).kind
            except BadInput:
                return "no delivery"
        return self._consume(case["queue"].decode(), case["body"].decode("utf-8", "surrogateescape"))

    def close(self) -> None:
        """Nothing outside was changed."""

    def _consume(self, queue: str, body: str) -> str:
        """One batch with the changed body between two good ones."""
        became = _Record([], [])
        parse, _ = _QUEUES[queue]
        if queue == "landing":
            _only_bad_input(body)
        source = MemorySourceQueue()
        aside = SimpleNamespace(refuse=lambda record, reason: became.refused.append(record["messageId"]))
        clock = FrozenClock(datetime(2026, 11, 20, 12, tzinfo=UTC))
        work: Work[Any] = Work(parse, lambda message, _: _handled(message, became), lambda _message, _error: None)
        consumer: Consumer[Any] = Consumer(
            work,
            queue_of=lambda _: source,
            aside=lambda: aside,  # type: ignore[arg-type,return-value]  # the one call that is made
            clock=clock,
            rng=Random(1),
            logger=self._logger,
        )
        bodies = {"first": _GOOD[queue], "changed": body, "last": _GOOD[queue]}
        records = [
            {"messageId": name, "body": text, "eventSourceARN": "arn", "receiptHandle": "h", "attributes": {}}
            for name, text in bodies.items()
        ]
        context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 300_000)
        failed = consumer({"Records": records}, context)["batchItemFailures"]
        if failed or set(became.refused) - {"changed"}:
            raise Broken(f"failed: {failed}, quarantined: {became.refused}")
        if not became.refused and len(became.handled) + len(source.messages) < 2:
            raise Broken("a neighbour was not worked on")
        return "quarantined" if became.refused else "waits" if source.messages else "handled"


TARGET = Messages


def _handled(message: Message, became: _Record) -> None:
    """Work that has to wait now and then, so that the message is sent again."""
    became.handled.append(message.model_dump_json())
    if message.attempt % 3 == 1:
        raise Throttled("busy", retry_after=10.0)


def _only_bad_input(body: str) -> None:
    try:
        for arrived in parse_notification(body):
            ObjectArrived.model_validate_json(arrived.model_dump_json())
    except BadInput:
        return


def _seeds(queue: str, function: str) -> tuple[Document, ...]:
    bodies = [json.loads(record["body"]) for event in corpus.events(function) for record in event["Records"]]
    return tuple(Document.of(body) for body in (*bodies, *_MORE.get(queue, ())))


def _changed(seed: Document, rng: Random) -> bytes:
    return mutated(seed, rng) if rng.random() < 0.8 else damage.damaged(seed.text, rng)


def _changed_object(rng: Random) -> bytes:
    kind = rng.random()
    if kind < 0.5:
        return damage.damaged(_OBJECT, rng)
    if kind < 0.9:  # pages whose header says something else
        page = _PAGES[0]
        made = pack(page, b"x" * rng.randrange(500))
        return _with_header(made, rng)
    return damage.bomb(rng)


def _with_header(member: bytes, rng: Random) -> bytes:
    line, _, body = gzip.decompress(member).partition(b"\n")
    return gzip.compress(mutated(Document.of(line), rng) + b"\n" + body, 1, mtime=0)


def _changed_metadata(rng: Random) -> dict[str, str]:
    found = _HEADER | {"sha256": _digest()}
    for name in rng.sample(sorted(found), rng.randint(1, 3)):
        change = rng.random()
        if change < 0.2:
            found.pop(name)
        elif change < 0.7:
            found[name] = awkward.plain(rng)
        else:
            found[name] = damage.damaged(found[name].encode(), rng).decode("latin-1")
    return found


def _digest() -> str:
    return sha256(_OBJECT).hexdigest()


class _Bucket:
    """S3 with one object."""

    def __init__(self, body: bytes, metadata: Mapping[str, str]) -> None:
        self._answer = {"Body": io.BytesIO(body), "Metadata": dict(metadata), "LastModified": datetime.now(UTC)}

    def get_object(self, **_: Any) -> dict[str, Any]:
        return self._answer


def _read_object(body: bytes, metadata: Mapping[str, str]) -> str:
    store = RawStore(_Bucket(body, metadata), "b")  # type: ignore[arg-type]  # the one call that is made
    try:
        opened = store.open("raw/x")
        header = opened.header
        json.dumps(header.metadata()).encode()
        header.key.encode("utf-8", "surrogateescape")
        content = [page.stream.read() for page in opened.pages()]
        if header.window is not None and header.dataset.grain:
            header.pull()
    except AdweirError as error:
        return f"object {error.code}"
    if content != _CONTENT and metadata.get("sha256") == _digest():
        raise Broken("an altered object is read to its end")
    return "object read"
