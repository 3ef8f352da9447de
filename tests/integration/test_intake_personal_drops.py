"""Dropped files about single persons: only mapped columns leave them, and they expire."""

from __future__ import annotations

import gzip
import json
import logging
from typing import Any

import boto3
import pytest

from support.clock import FrozenClock
from support.crash import Crash, Killed
from support.load_world import LoadWorld
from support.template import template

KEY = "drops/acme/shop/orders/orders.csv"
PERSON, STREET, WORD = "Zaphod Beeblebrox", "42 Improbable Street", "please ring twice"
FILE = (
    "order_id,date,revenue,customer,address,note\n"
    f'1001,2026-11-18,10.50,{PERSON},{STREET},"{WORD},\nthank you"\n'
    f"1002,not a day,7,{PERSON},{STREET},{WORD}\n"
    f"1003,2026-11-18,x,{PERSON},{STREET},{WORD}\n"
    f'{PERSON},"{STREET}\n'
    f"{PERSON}\n"
).encode()


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> LoadWorld:
    return LoadWorld(clock, "adweir-data")


def tags(world: LoadWorld, key: str) -> dict[str, str]:
    found = world.s3.get_object_tagging(Bucket=world.bucket, Key=key)["TagSet"]
    return {tag["Key"]: tag["Value"] for tag in found}


def test_nobody_who_is_named_in_a_file_of_orders_is_stored_or_logged(
    world: LoadWorld, caplog: pytest.LogCaptureFixture
) -> None:
    # given that all that is logged is seen
    caplog.set_level(logging.DEBUG, logger="adweir")

    # when
    world.arrive(KEY, FILE)

    # then
    (receipt,) = world.receipts()
    assert (receipt["rows_stored"], receipt["rows_quarantined"]) == (1, 4)
    assert [set(fault) for fault in receipt["first_quarantined"]] == [{"line", "field", "rule"}] * 4
    texts = [caplog.text, json.dumps(world.bus.events, default=str)]
    for info in world.raw.list(""):
        body = world.raw.get_bytes(info.key)
        if info.key != KEY:
            texts.append((gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode("utf-8", "replace"))
    texts += [json.dumps(item, default=str) for item in all_items()]
    assert any("1003" in text for text in texts), "quarantine has the mapped columns"
    for planted in (PERSON, STREET, WORD, "Beeblebrox", "ring twice"):
        assert not [text for text in texts if planted in text]


@pytest.mark.parametrize("name", ["put", "tag", "put_once"])
def test_what_is_quarantined_of_orders_expires_also_when_its_loader_dies(world: LoadWorld, name: str) -> None:
    """Given a load that is killed at its first write of a kind, then no copy is left without the tag."""
    world.raw.put(KEY, FILE)
    Crash(1, after=True).watch(world.raw, name)
    with pytest.raises(Killed):
        world.arrive(KEY)
    for info in world.raw.list("quarantine/"):
        assert tags(world, info.key) == {"adweir-personal": "yes"}


def all_items() -> list[Any]:
    """Every item of every table."""
    database = boto3.client("dynamodb")
    return [
        item
        for name in database.list_tables()["TableNames"]
        for page in database.get_paginator("scan").paginate(TableName=name)
        for item in page["Items"]
    ]


@pytest.mark.parametrize("key", ["shop/orders/orders.xlsx", "shop/Orders/orders.csv", "leads/leads.csv"])
def test_a_file_about_persons_expires_also_where_its_key_is_refused(world: LoadWorld, key: str) -> None:
    world.arrive(f"drops/acme/{key}", FILE)

    assert [receipt["state"] for receipt in world.receipts()] == ["rejected"]
    assert tags(world, f"drops/acme/{key}") == {"adweir-personal": "yes"}


def test_a_source_may_be_called_like_a_data_type_about_persons(world: LoadWorld) -> None:
    world.arrive("drops/acme/leads/kpi_series/a.csv", b"name,date,value\nEBIT,2026-11-18,1\n")

    assert tags(world, "drops/acme/leads/kpi_series/a.csv") == {}


def test_a_file_of_orders_and_its_quarantine_expire_and_a_file_of_metrics_does_not(world: LoadWorld) -> None:
    world.arrive(KEY, FILE)
    world.arrive("drops/acme/shop/orders/damaged.csv", b"PK\x03\x04")
    world.arrive("drops/acme/a.csv", b"platform,profile_id,level,date,impressions,clicks,spend\nbroken\n")

    receipts = {receipt["key"]: receipt for receipt in world.receipts()}
    personal = {"adweir-personal": "yes"}
    assert tags(world, KEY) == tags(world, "drops/acme/shop/orders/damaged.csv") == personal
    assert tags(world, receipts[KEY]["quarantine_key"]) == personal
    assert tags(world, "drops/acme/a.csv") == tags(world, receipts["drops/acme/a.csv"]["quarantine_key"]) == {}
    rules = template().of("AWS::S3::Bucket")["DataBucket"]["LifecycleConfiguration"]["Rules"]
    (rule,) = (rule for rule in rules if "TagFilters" in rule)
    assert rule["TagFilters"] == [{"Key": name, "Value": value} for name, value in personal.items()]
    assert rule["ExpirationInDays"] == {"Ref": "PersonalDataDays"}
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
