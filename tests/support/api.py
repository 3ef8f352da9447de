"""The API function as its tests call it: HTTP API events, what it sent and stored, and a little world of data."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3

from adweir.model.entities import Ad, AdCampaign, Profile, Status
from adweir.model.messages import RUN_MESSAGE
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.platforms import Platform
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.store.metrics.store import PullRows

EVENTS = Path(__file__).resolve().parents[2] / "events"
META = Platform("meta_ads")
T1 = "2026-11-20T00:00:00.000000Z"
DAYS = Window(date(2026, 11, 1), date(2026, 11, 2))
Call = Callable[..., Any]


def an_event(method: str, path: str, body: Any = None, scopes: str = "admin", **query: str) -> dict[str, Any]:
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "ANY /api/{proxy+}",
        "rawPath": path,
        "rawQueryString": "&".join(f"{k}={v}" for k, v in query.items()),
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "requestId": "r-1",
            "stage": "$default",
            "http": {"method": method, "path": path},
            "authorizer": {"lambda": {"key_id": "k1", "scopes": scopes}},
        },
        "isBase64Encoded": False,
    }
    if query:
        event["queryStringParameters"] = query
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
    return event


def sent(api: ModuleType) -> list[Any]:
    messages = boto3.client("sqs").receive_message(QueueUrl=api.app.settings.runs_queue_url, MaxNumberOfMessages=10)
    return [RUN_MESSAGE.validate_json(message["Body"]) for message in messages.get("Messages", [])]


def stored(api: ModuleType) -> tuple[int, ...]:
    """How much every store holds; the API log aside."""
    dynamo = boto3.client("dynamodb")
    items = [
        sum(1 for item in dynamo.scan(TableName=name)["Items"] if not item["pk"]["S"].startswith("api-log#"))
        for name in ("adweir-catalog", "adweir-metrics", "adweir-ledger", "adweir-findings")
    ]
    objects = boto3.client("s3").list_objects_v2(Bucket="adweir-data")["KeyCount"]
    secrets = len(boto3.client("secretsmanager").list_secrets()["SecretList"])
    attributes = boto3.client("sqs").get_queue_attributes(
        QueueUrl=api.app.settings.runs_queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]
    return (*items, objects, secrets, int(attributes["ApproximateNumberOfMessages"]))


def fill(api: ModuleType, account_id: str = "acc") -> None:
    """Two Meta profiles in two currencies, one campaign with two ads each, two days."""
    catalog, metrics = api.app.catalog, api.app.metrics
    for profile_id, currency in (("111", "EUR"), ("222", "USD")):
        profile = Profile(
            account_id=account_id, platform=META, profile_id=profile_id, name="Main", currency=currency, timezone="UTC"
        )
        campaign = AdCampaign(platform=META, profile_id=profile_id, id="c1", campaign_id="c1", status=Status.ACTIVE)
        ads = [
            Ad(platform=META, profile_id=profile_id, id=f"a{n}", campaign_id="c1", ad_group_id="g1", headline="Hello")
            for n in (1, 2)
        ]
        catalog.put_objects([profile, campaign, *ads], T1)
        rows = PullRows()
        for day in ("2026-11-01", "2026-11-02"):
            for n in (1, 2):
                rows.offer(
                    MetricRow(f"g1~a{n}", day, 1000, 10 * n, 2_500_000, 1_234_567, 3_000_000, "c1", "g1", -1, currency)
                )
        metrics.load(
            Pull(META, profile_id, Level.AD, Grain.DAY, Source.PULL, "all", DAYS, Stamp(T1, "t1"), complete=True), rows
        )
