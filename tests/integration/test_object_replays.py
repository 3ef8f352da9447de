"""Stored objects are loaded again by hand: one, or all under a prefix, as often as anybody likes."""

from __future__ import annotations

import json
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest

from adweir.intake.load.pulls import PullLoader
from adweir.model import limits
from adweir.model.errors import BadInput, NotFound
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import Level
from adweir.pipeline.object_replays import send_again
from support.api import Call
from support.bounds import at_the_bound
from support.clock import FrozenClock
from support.command_line import commands_on
from support.load_world import LoadWorld, insights
from support.outlets import MemoryQueue


def landed(api: ModuleType) -> list[tuple[str, str]]:
    """(key, group) of what was sent to be loaded."""
    received = boto3.client("sqs").receive_message(
        QueueUrl=api.app.settings.landing_queue_url, MaxNumberOfMessages=10, AttributeNames=["MessageGroupId"]
    )
    messages = received.get("Messages", [])
    assert all(set(json.loads(one["Body"])) >= {"bucket", "key"} for one in messages)
    return [(json.loads(one["Body"])["key"], one["Attributes"]["MessageGroupId"]) for one in messages]


def test_an_answer_that_a_fault_kept_out_is_stored_when_it_is_replayed(
    tables: None, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a pull that could not be loaded, because of a fault of ours
    world = LoadWorld(clock, "adweir-data")
    task = world.plan()

    def misread(*_: Any) -> None:
        raise BadInput("no such column")

    with monkeypatch.context() as broken:
        broken.setattr(PullLoader, "_store", misread)
        key = world.land(task, insights(["1.00"]))
        world.arrive(key)
    assert (world.state(task).value, world.stored(Level.AD)) == ("quarantined", [])
    # when it is repaired, and the object replayed twice
    for _ in range(2):
        sent = send_again(world.raw, world.queues.landing, key, one=True)
        assert (sent.keys, sent.more) == ([key], False)
    for message in world.queues.landing.take():
        assert message == ObjectArrived(bucket=world.bucket, key=key)
        world.loader.load(message, lambda: 300.0)
    # then its numbers are stored, once
    assert [row[0] for row in world.stored(Level.AD)] == ["8~0"]


def test_one_object_or_all_under_a_prefix_are_sent_in_their_order_and_it_is_on_record(
    call: Call, api: ModuleType
) -> None:
    names = [f"webhooks/meta_ads/acc_1/{name}" for name in "abc"]
    for key in [*names, "webhooks/meta_ads/acc_10/x", "drops/acc_1/y.csv"]:
        api.app.raw.put(key, b"{}")

    one = call("POST", "/api/v1/replay/objects", {"key": names[1], "reason": "was lost"}, expect=202)
    assert landed(api) == [(names[1], "meta_ads#acc_1")]
    assert (one["sent"], one["first_key"], one["after"], one["by"]) == (1, names[1], None, "k1")

    many = call("POST", "/api/v1/replay/objects", {"prefix": "webhooks/meta_ads/acc_1/"}, expect=202)
    assert [key for key, _ in landed(api)] == names
    assert (many["sent"], many["last_key"]) == (3, names[2])

    deeds = call("GET", "/api/v1/audit")["deeds"]
    assert {deed["subject"]: deed["reason"] for deed in deeds} == {names[1]: "was lost", "webhooks/meta_ads/acc_1/": ""}


@at_the_bound("MAX_REPLAYED_OBJECTS", as_if=3)
def test_a_call_sends_so_many_and_says_where_the_next_goes_on(
    size: int, fits: bool, call: Call, api: ModuleType
) -> None:
    keys = [f"drops/acc_1/{number}.csv" for number in range(size)]
    for key in keys:
        api.app.raw.put(key, b"x")
    answer = call("POST", "/api/v1/replay/objects", {"prefix": "drops/acc_1/"}, expect=202)
    assert (answer["sent"], answer["after"]) == (3, None if fits else keys[2])
    if not fits:
        rest = call("POST", "/api/v1/replay/objects", {"prefix": "drops/acc_1/", "after": keys[2]}, expect=202)
        assert (rest["sent"], rest["first_key"], rest["after"]) == (1, keys[3], None)


def test_what_is_not_there_or_not_loaded_is_refused(call: Call, api: ModuleType) -> None:
    api.app.raw.put("drops/acc_1/y.csv", b"x")
    refused: list[tuple[dict[str, str], int]] = [
        ({}, 422),
        ({"key": "raw/x", "prefix": "raw/"}, 422),
        ({"prefix": "parts/"}, 422),
        ({"prefix": "ra"}, 422),
        ({"key": "quarantine/messages/x.json"}, 422),
        ({"key": "raw/meta_ads/1/ad_daily/none.0.gz"}, 404),
        ({"key": "drops/acc_1/y.cs"}, 404),
        ({"prefix": "drops/acc_1/", "after": "drops/acc_1/z"}, 404),
    ]
    for body, status in refused:
        assert call("POST", "/api/v1/replay/objects", body, expect=status)["error"]["details"], body
    assert landed(api) == []


def test_the_command_line_loads_one_object_or_all_below_a_prefix(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_REPLAYED_OBJECTS", 2)
    adweir = commands_on(SimpleNamespace(app=lambda: api.app), monkeypatch)
    keys = [f"drops/acc_1/{number}.csv" for number in range(5)]
    for key in (*keys, "drops/acc_10/0.csv"):
        api.app.raw.put(key, b"x")

    assert adweir("reload", keys[1]).stdout == "1 object is being loaded again\n"
    assert [key for key, _ in landed(api)] == [keys[1]]
    assert adweir("reload", "drops/acc_1/", "--yes").stdout == "5 objects are being loaded again\n"
    assert [key for key, _ in landed(api)] == keys

    deeds = {deed["subject"]: deed["outcome"] for deed in call("GET", "/api/v1/audit")["deeds"]}
    assert deeds["drops/acc_1/"] == f"sent 5 objects, {keys[0]} to {keys[-1]}"
    assert "there is no object called drops/acc_1/9.csv" in adweir("reload", "drops/acc_1/9.csv", expect=1).stderr
    assert "there is nobody to ask: add --yes" in adweir("reload", "drops/acc_1/", expect=1).stderr
    assert landed(api) == []


@at_the_bound("MAX_OBJECT_KEY_CHARS")
def test_the_longest_key(size: int, fits: bool, call: Call) -> None:
    call("POST", "/api/v1/replay/objects", {"key": "raw/".ljust(size, "x")}, expect=404 if fits else 422)


def test_nothing_is_sent_for_a_listing_that_is_empty(tables: None, clock: FrozenClock) -> None:
    world, queue = LoadWorld(clock, "adweir-data"), MemoryQueue()
    with pytest.raises(NotFound, match="there is no object under drops/"):
        send_again(world.raw, queue, "drops/")
    assert queue.messages == []
