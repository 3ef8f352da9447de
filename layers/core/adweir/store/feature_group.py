"""A feature group of SageMaker Feature Store, which takes the rows that are recorded.

A record is a row without its nulls, with `feature_id`, whose it is, and `event_time`, its `as_of` in Unix seconds. A
record whose event time is not the newest goes to the group's offline store alone (SageMaker's PutRecord), so records
may come twice, and late ones replace nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from adweir.model.errors import AccessDenied, Throttled, Unavailable, Unprocessable
from adweir.model.feature_columns import COUNT, FLAG, MONEY, RATIO, SMALL, TYPES
from adweir.model.times import parse_instant

RECORD_ID, EVENT_TIME = "feature_id", "event_time"
_TYPES = {COUNT: "Integral", SMALL: "Integral", FLAG: "Integral", MONEY: "Fractional", RATIO: "Fractional"}
_KEY = ("client_account_id", "platform_name", "account_id", "level", "entity_id")
_AT_ONCE = 8
"""Records that are put at the same time: SageMaker takes one per request."""
_BUSY = frozenset({"ThrottlingException", "TooManyRequestsException"})
_REFUSED = frozenset({"ValidationError", "ValidationException", "ResourceNotFound", "ResourceNotFoundException"})
_DENIED = frozenset({"AccessForbidden", "AccessDeniedException"})


def definitions() -> list[dict[str, str]]:
    """What `CreateFeatureGroup` takes as `FeatureDefinitions`. A flag is 1 or 0; days and moments are texts."""
    columns = {RECORD_ID: "String", EVENT_TIME: "Fractional"}
    columns |= {name: _TYPES.get(kind, "String") for name, kind in TYPES.items()}
    return [{"FeatureName": name, "FeatureType": kind} for name, kind in columns.items()]


class FeatureGroup:
    """The group of this name, by a client of `sagemaker-featurestore-runtime`."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def put(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Put a record of each row; the same ones again are the same.

        Raises Throttled, Unprocessable for a group that is not there or has other features, AccessDenied, Unavailable.
        """
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(self._put, rows):
                pass

    def _put(self, row: Mapping[str, Any]) -> None:
        try:
            self._client.put_record(FeatureGroupName=self._name, Record=record_of(row))
        except ClientError as error:
            raise self._translated(error) from error
        except BotoCoreError as error:
            raise Unavailable(f"the feature group {self._name} does not answer: {type(error).__name__}") from error

    def _translated(self, error: ClientError) -> Exception:
        code, said = str(error.response["Error"]["Code"]), f"the feature group {self._name}: {error}"
        if code in _BUSY:
            return Throttled(said, retry_after=5)
        if code in _REFUSED:
            return Unprocessable(said)
        return AccessDenied(said) if code in _DENIED else Unavailable(said)


def record_of(row: Mapping[str, Any]) -> list[dict[str, str]]:
    """A row as SageMaker takes it."""
    whose = "#".join(row[name] for name in _KEY)
    moment = Decimal(str(parse_instant(row["as_of"]).timestamp()))
    values = {RECORD_ID: whose, EVENT_TIME: f"{moment:f}"}
    values |= {name: _text(value) for name, value in row.items() if value is not None}
    return [{"FeatureName": name, "ValueAsString": value} for name, value in values.items()]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
