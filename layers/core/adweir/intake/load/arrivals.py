"""What arrives in the landing queue → the objects to load.

Four shapes: EventBridge's "Object Created" (the key as it is), S3's own records, which users may wire themselves (the
key URL-encoded), S3's test event, and our own `ObjectArrived`, which the sweep sends.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

import msgspec
from pydantic import ValidationError

from adweir.model.errors import BadInput
from adweir.model.messages import ObjectArrived


def parse_notification(body: str) -> list[ObjectArrived]:
    """A message body → objects; `[]` when there is nothing to load. Raises BadInput for anything else."""
    try:
        message = msgspec.json.decode(body)
    except (ValueError, RecursionError):  # half of a surrogate pair, which no key can hold, is a ValueError
        raise BadInput("the notification is not JSON") from None
    if not isinstance(message, dict):
        raise BadInput("the notification is not a JSON object")
    try:
        if message.get("Event") == "s3:TestEvent":
            return []
        if "detail-type" in message:
            return _from_eventbridge(message)
        if "Records" in message:
            return [_from_record(record) for record in message["Records"] if _is_creation(record)]
        return [ObjectArrived.model_validate(message)]
    except (KeyError, TypeError, AttributeError, ValidationError) as error:
        raise BadInput(f"not a notification that is known here: {error!r}"[:300]) from None


def _from_eventbridge(message: dict[str, Any]) -> list[ObjectArrived]:
    if message["detail-type"] != "Object Created":
        return []
    detail = message["detail"]
    found = detail["object"]
    return [
        ObjectArrived(
            bucket=detail["bucket"]["name"],
            key=found["key"],
            version_id=found.get("version-id") or "",
            size=found.get("size") or 0,
        )
    ]


def _is_creation(record: dict[str, Any]) -> bool:
    return str(record["eventName"]).removeprefix("s3:").startswith("ObjectCreated:")


def _from_record(record: dict[str, Any]) -> ObjectArrived:
    found = record["s3"]["object"]
    return ObjectArrived(
        bucket=record["s3"]["bucket"]["name"],
        key=unquote_plus(found["key"]),
        version_id=found.get("versionId") or "",
        size=found.get("size") or 0,
    )
