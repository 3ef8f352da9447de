"""The example events: their ids, hashes and groups have the form that the code gives them."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from adweir.model.ids import IdKind
from adweir.model.messages import RUN_MESSAGE, TaskMessage
from adweir.platforms import REGISTRY
from adweir.runtime.settings import queue_part
from adweir.store.catalog.keys import key_id_of

EVENTS = Path(__file__).resolve().parents[2] / "events"
TASK_ID = re.compile("[0-9a-f]{20}")


def example(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


def records(*folders: str) -> list[Any]:
    """Every SQS record of these folders' examples (`*`: of all), named for its file."""
    return [
        pytest.param(record, id=f"{path.parent.name}/{path.stem}")
        for folder in folders
        for path in sorted(EVENTS.glob(f"{folder}/*.json"))
        for record in example(path).get("Records", [])
    ]


@pytest.mark.parametrize("record", records("*"))
def test_a_record_s_hash_is_that_of_its_body(record: dict[str, Any]) -> None:
    assert record["md5OfBody"] == hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("record", records("collect", "poll_reports"))
def test_a_task_s_message_has_ids_of_ours_and_the_group_of_its_profile(record: dict[str, Any]) -> None:
    message = TaskMessage.model_validate_json(record["body"])
    assert IdKind.RUN.names(message.run_id)
    assert TASK_ID.fullmatch(message.task_id)
    platform, _, profile_id = record["attributes"]["MessageGroupId"].partition("#")
    assert platform in REGISTRY
    assert profile_id.replace("~", "").isalnum()
    queue = record["eventSourceARN"].rpartition(":")[2]
    assert queue in {f"adweir-collect-{queue_part(platform)}", "adweir-reports"}


@pytest.mark.parametrize("record", records("orchestrate"))
def test_a_run_s_message_is_one_that_orchestrate_takes_and_its_group_is_the_run(record: dict[str, Any]) -> None:
    message = RUN_MESSAGE.validate_json(record["body"])
    run_id, task_id = getattr(message, "run_id", ""), getattr(message, "task_id", "")
    assert not task_id or TASK_ID.fullmatch(task_id)
    if run_id:
        assert IdKind.RUN.names(run_id)
        assert record["attributes"]["MessageGroupId"] == run_id


def test_the_landed_delivery_is_the_one_that_the_example_delivery_is_stored_as() -> None:
    delivered = example(EVENTS / "webhooks/meta-delivery.json")["body"]
    landed = json.loads(example(EVENTS / "validate/webhook-landed.json")["Records"][0]["body"])
    name = hashlib.sha256(delivered.encode()).hexdigest()
    assert landed["detail"]["object"]["key"] == f"webhooks/meta_ads/deployment/{name}"


def test_the_landed_pull_is_the_task_s_that_meta_s_example_collects() -> None:
    task = json.loads(example(EVENTS / "collect/meta-task.json")["Records"][0]["body"])
    landed = json.loads(example(EVENTS / "validate/raw-landed.json")["Records"][0]["body"])
    name = f"{task['task_id']}.{task['generation']}.gz"
    assert landed["detail"]["object"]["key"] == f"raw/meta_ads/1042017731/ad_daily/{name}"


@pytest.mark.parametrize("path", sorted(EVENTS.glob("api/*.json")), ids=lambda path: path.stem)
def test_a_request_carries_what_the_authorizer_gave(path: Path) -> None:
    event = example(path)
    request = event["requestContext"]
    context = request.get("authorizer", {}).get("lambda")
    if not event["rawPath"].startswith(("/api/", "/mcp")):
        assert context is None
        return
    header = example(EVENTS / "authorize/key.json")["headers"]["authorization"]
    assert context == {"key_id": key_id_of(header.removeprefix("Bearer ")), "scopes": "read write admin"}
