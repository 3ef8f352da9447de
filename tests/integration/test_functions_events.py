"""The example events of the asynchronous functions, through their handlers: docs/operations.md says what becomes of
them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest

from adweir.platforms import REGISTRY
from adweir.runtime.settings import Settings, queue_part
from support.clock import FrozenClock
from support.empty_aws import make_bucket, make_queue
from support.functions import loaded
from support.stub_http import Answer, serving

EVENTS = Path(__file__).resolve().parents[2] / "events"
QUEUES = (
    "runs",
    "reports",
    "landing",
    "etl",
    "curate",
    "detect",
    "learn",
    "enrich",
    "features",
    "stream",
    *(f"collect-{queue_part(name)}" for name in REGISTRY),
)
CONTEXT = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 300_000)
QUARANTINED = {
    "orchestrate": {"cancel", "redrive"},
    "collect": set[str](),
    "poll_reports": set[str](),
    "validate": {"raw-landed"},
    "etl": set[str](),
    "curate": set[str](),
    "detect": set[str](),
    "learn": set[str](),
    "enrich": set[str](),
    "features": set[str](),
    "stream": set[str](),
}


@pytest.fixture
def environment(tables: None, settings: Settings) -> Iterator[dict[str, str]]:
    make_bucket(settings.bucket)
    boto3.client("events").create_event_bus(Name=settings.bus_name)
    urls = {name: make_queue(f"adweir-{name}") for name in QUEUES}
    with serving() as sns:
        sns.route = lambda _: Answer(200, b"<ConfirmSubscriptionResponse/>")
        yield _environment(settings, urls) | {"PLATFORM_URLS": json.dumps({"amazon_ads": {"sns": sns.url}})}


def _environment(settings: Settings, urls: dict[str, str]) -> dict[str, str]:
    return {
        **{f"{name.upper()}_QUEUE_URL": url for name, url in urls.items() if "collect" not in name},
        "COLLECT_QUEUES": urls["collect-MetaAds"].replace("MetaAds", "{platform}"),
        "CATALOG_TABLE": settings.catalog_table,
        "METRICS_TABLE": settings.metrics_table,
        "LEDGER_TABLE": settings.ledger_table,
        "FINDINGS_TABLE": settings.findings_table,
        "BUCKET": settings.bucket,
        "BUS_NAME": settings.bus_name,
    }


@pytest.mark.parametrize("name", QUARANTINED)
def test_every_example_is_acknowledged_and_what_names_nothing_known_is_quarantined(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, clock: FrozenClock, name: str
) -> None:
    # given a deployment in which nothing happened yet
    with loaded(name, environment, monkeypatch) as function:
        function.app.clock = clock
        for path in sorted((EVENTS / name).glob("*.json")):
            text = path.read_text().replace("IYV3p45BT0ac8hjHg1houSdS1a.Mro8e", "")  # moto's bucket keeps no versions
            event = json.loads(text)
            # each example's message has an id of its own here
            event["Records"] = [record | {"messageId": path.stem} for record in event["Records"]]
            # when it is received, then it is acknowledged
            assert function.handler(event, CONTEXT) == {"batchItemFailures": []}, path.stem
        # and what cannot be worked on is kept
        kept = {Path(info.key).stem for info in function.app.raw.list("quarantine/messages/")}
        assert kept == QUARANTINED[name]
