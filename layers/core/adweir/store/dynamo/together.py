"""Items of several tables read with one request: a small read costs a worker its round trip, not its units."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from adweir.model.errors import Unavailable
from adweir.store.dynamo.keyed import Key, Keyed
from adweir.store.dynamo.tables import shared_connection

_TRIES = 6


def fetch_together(
    *asked: tuple[Keyed[Any], Iterable[Key]], sleep: Callable[[float], None] = time.sleep
) -> list[dict[Key, Any]]:
    """For each table and its keys the items that are there, read consistently. At most 100 keys in all.

    Raises Unavailable.
    """
    wanted: dict[str, Any] = {}
    for table, keys in asked:
        named = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in dict.fromkeys(keys)]
        if named:
            wanted[table.table] = {"Keys": named, "ConsistentRead": True}
    found: dict[str, list[Any]] = {}
    for attempt in range(_TRIES):
        if not wanted:
            break
        if attempt:
            sleep(random.uniform(0.5, 1.0) * min(1.0, 0.05 * 2**attempt))  # noqa: S311  jitter, not secrets
        answer = _ask(wanted)
        for name, items in answer["Responses"].items():
            found.setdefault(name, []).extend(items)
        wanted = answer.get("UnprocessedKeys") or {}
    if wanted:
        raise Unavailable(f"DynamoDB left keys of {', '.join(wanted)} unread")
    return [table.items(found.get(table.table, ())) for table, _ in asked]


def _ask(wanted: dict[str, Any]) -> dict[str, Any]:
    try:
        return dict(shared_connection().dispatch("BatchGetItem", {"RequestItems": wanted}))
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        raise Unavailable(f"DynamoDB does not answer: {code}") from error
    except BotoCoreError as error:
        raise Unavailable(f"DynamoDB does not answer: {type(error).__name__}") from error
