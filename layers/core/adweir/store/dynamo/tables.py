"""The four tables (docs/data-model.md). Each has a string hash key `pk` and range key `sk`, and no index.

`bind` gives the models the names of their tables; botocore finds region, endpoint and credentials. A room that wants
typed attributes subclasses a model without a Meta of its own: the subclass uses the same table.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.attributes import Attribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.constants import NULL, PAY_PER_REQUEST_BILLING_MODE
from pynamodb.models import Model

from adweir.model.errors import Unavailable
from adweir.store.dynamo.descriptions import share
from adweir.store.dynamo.wire import plain_wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

CONNECT_SECONDS = 2
READ_SECONDS = 5
RETRIES = 3


def connect() -> Connection:
    """A DynamoDB connection with our limits, or the one that is lent."""
    if _SHARED.lent is not None:
        return _SHARED.lent
    connection = Connection(
        connect_timeout_seconds=CONNECT_SECONDS, read_timeout_seconds=READ_SECONDS, max_retry_attempts=RETRIES
    )
    share(connection.session)
    return plain_wire(connection)


class _Shared:
    """The connection that all models share, made on first use, and the tables that it knows."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.lent: Connection | None = None

    @cached_property
    def connection(self) -> Connection:
        return connect()

    def forget(self) -> None:
        """Drop the connection: the next use connects again."""
        self.known.clear()
        self.__dict__.pop("connection", None)


_SHARED = _Shared()


def shared_connection() -> Connection:
    """The connection of all models."""
    return _SHARED.connection


class _Meta:
    """What the four tables have in common: `bind` gives each its name. Limits are the shared connection's."""

    table_name = ""


class JsonText(JSONAttribute):
    """A value kept as JSON text. Text that is not JSON, because somebody edited it, reads as None.

    The query goes on, and whoever parses the item says that it cannot be read (`Keyed._parsed`).
    """

    def deserialize(self, value: str) -> Any:
        try:
            return json.loads(value)
        except ValueError:
            return None


class KeyedItem(Model):
    """What all items have: two keys, and one connection. A client per model would add 50 ms to every cold start.

    `writer` names the newest write (`store.dynamo.keyed`).
    """

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    writer = UnicodeAttribute(null=True)

    @classmethod
    def _get_connection(cls) -> TableConnection:
        own = super()._get_connection()
        shared = _SHARED.connection
        if own.connection is not shared:
            if own.table_name not in _SHARED.known:
                _SHARED.known.add(own.table_name)
                shared.add_meta_table(own.get_meta_table())
            own.connection = shared
        return own

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        """An item as DynamoDB answers it. PynamoDB asks for each attribute that the model has, of which most items have
        few, and looks twice whether it has a default, which none of ours has.
        """
        item, known = cls.__new__(cls), _attributes(cls)
        values: dict[str, Any] = {}
        item.attribute_values = values
        for stored, value in data.items():
            if stored in known and value and NULL not in value:
                name, attribute = known[stored]
                values[name] = attribute.deserialize(attribute.get_value(value))
        return item

    @classmethod
    def put_batch(cls, items: Sequence[Self]) -> list[Self]:
        """Put at most 25 items of different keys in one request: those that DynamoDB left unwritten, as it does when a
        table is throttled."""
        answer = cls._get_connection().batch_write_item([item.serialize() for item in items])
        left = answer.get("UnprocessedItems", {}).get(cls.Meta.table_name, ())
        return [cls.from_raw_data(each["PutRequest"]["Item"]) for each in left]


@cache
def _attributes(model: type[KeyedItem]) -> dict[str, tuple[str, Attribute[Any]]]:
    """A model's attributes and their names, by what they are stored as."""
    return {attribute.attr_name: (name, attribute) for name, attribute in model.get_attributes().items()}


class CatalogItem(KeyedItem):
    """Accounts, credentials' metadata, profiles, platform objects, API keys."""

    class Meta(_Meta):
        """Its table."""


class MetricsItem(KeyedItem):
    """Metric buckets and their coverage; `store.metrics.partitions` reads and writes their attributes as they are."""

    class Meta(_Meta):
        """Its table."""


class LedgerItem(KeyedItem):
    """Runs, tasks, markers, leases, brakes, tokens, receipts. `expires`: Unix seconds, filtered on reading too."""

    class Meta(_Meta):
        """Its table."""

    expires = NumberAttribute(null=True)


class FindingsItem(KeyedItem):
    """Quality reports of the stored data."""

    class Meta(_Meta):
        """Its table."""


def bind(catalog: str, metrics: str, ledger: str, findings: str) -> None:
    """Point the models, and every model derived from them, at the tables of these names; idempotent."""
    for model, name in zip(_BASES, (catalog, metrics, ledger, findings), strict=True):
        if model.Meta.table_name != name:
            model.Meta.table_name = name
            _disconnect(model)


def probe(table: str) -> None:
    """Read an item that is not there. Raises Unavailable, with AWS's word for it, when the table does not answer."""
    try:
        shared_connection().dispatch(
            "GetItem", {"TableName": table, "Key": {"pk": {"S": "health"}, "sk": {"S": "health"}}}
        )
    except ClientError as error:
        raise Unavailable(f"the table answers {error.response['Error']['Code']}") from error
    except BotoCoreError as error:
        raise Unavailable(f"the table does not answer: {type(error).__name__}") from error


@contextmanager
def lent(connection: Connection, *names: str) -> Iterator[None]:
    """For the block, all models and stores use this new connection and the tables of these names (as for `bind`)."""
    before = [model.Meta.table_name for model in _BASES]
    reset()
    bind(*names)
    _SHARED.lent = connection
    try:
        yield
    finally:
        _SHARED.lent = None
        reset()
        bind(*before)


def reset() -> None:
    """Forget the connections, so that the next use looks up region, endpoint and credentials again."""
    for model in _BASES:
        _disconnect(model)
    _SHARED.forget()


def schemas() -> list[dict[str, Any]]:
    """The tables as boto3's `create_table` takes them; template.yaml declares the same."""
    return [
        {
            "TableName": model.Meta.table_name,
            "BillingMode": PAY_PER_REQUEST_BILLING_MODE,
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
        }
        for model in _BASES
    ]


def _disconnect(model: type[Model]) -> None:
    for each in _family(model):
        each._connection = None  # noqa: SLF001  a model keeps its first connection; there is no public way to drop it


def _family(model: type[Model]) -> Iterator[type[Model]]:
    yield model
    for child in model.__subclasses__():
        yield from _family(child)


_BASES: tuple[type[Model], ...] = (CatalogItem, MetricsItem, LedgerItem, FindingsItem)
