"""The four tables (design section 4). Each has a string hash key `pk` and range key `sk`, and no index.

`bind` gives the models their tables' names; region, endpoint and credentials are botocore's business. A room that
wants typed attributes subclasses a model without a Meta of its own: the subclass lives in the same table.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.constants import PAY_PER_REQUEST_BILLING_MODE
from pynamodb.models import Model

from adweir.store.dynamo.descriptions import share

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_SECONDS = 2
READ_SECONDS = 5
RETRIES = 3


class TableNames(Protocol):
    """The settings that `bind` reads."""

    @property
    def catalog_table(self) -> str: ...
    @property
    def metrics_table(self) -> str: ...
    @property
    def ledger_table(self) -> str: ...
    @property
    def findings_table(self) -> str: ...


def connect() -> Connection:
    """A DynamoDB connection with our limits."""
    connection = Connection(
        connect_timeout_seconds=CONNECT_SECONDS, read_timeout_seconds=READ_SECONDS, max_retry_attempts=RETRIES
    )
    share(connection.session)
    return connection


class _Shared:
    """The connection of the models, made on first use, and the tables that it knows."""

    def __init__(self) -> None:
        self.known: set[str] = set()

    @cached_property
    def connection(self) -> Connection:
        return connect()

    def forget(self) -> None:
        """Start anew: the next use connects again."""
        self.known.clear()
        self.__dict__.pop("connection", None)


_SHARED = _Shared()


class _Meta:
    """What the four tables have in common."""

    table_name = ""
    billing_mode = PAY_PER_REQUEST_BILLING_MODE
    connect_timeout_seconds = CONNECT_SECONDS
    read_timeout_seconds = READ_SECONDS
    max_retry_attempts = RETRIES


class _Item(Model):
    """All models talk through one connection: each would make a client of its own, 50 ms of every cold start."""

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


class CatalogItem(_Item):
    """Accounts, credentials' metadata, profiles, platform objects, campaigns and arms, API keys."""

    class Meta(_Meta):
        """Its table."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class MetricsItem(_Item):
    """Metric buckets and their coverage; `store.partition` reads and writes their attributes as they are."""

    class Meta(_Meta):
        """Its table."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class LedgerItem(_Item):
    """Runs, tasks, markers, leases, brakes, tokens, receipts. `expires`: Unix seconds, filtered on reading too."""

    class Meta(_Meta):
        """Its table."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    expires = NumberAttribute(null=True)


class FindingsItem(_Item):
    """Quality reports and whatever else is found out about the stored data."""

    class Meta(_Meta):
        """Its table."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


def bind(names: TableNames) -> None:
    """Point the models, and every model derived from them, at the tables of these settings; idempotent."""
    for model, name in (
        (CatalogItem, names.catalog_table),
        (MetricsItem, names.metrics_table),
        (LedgerItem, names.ledger_table),
        (FindingsItem, names.findings_table),
    ):
        if model.Meta.table_name != name:
            model.Meta.table_name = name
            _disconnect(model)


def reset() -> None:
    """Forget the connections, so that the next use takes region, endpoint and credentials anew."""
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


def create_all() -> None:
    """Make the four tables where they are missing: for tests and for a DynamoDB on this machine."""
    for model in _BASES:
        if not model.exists():
            model.create_table(wait=True)


def _disconnect(model: type[Model]) -> None:
    for each in _family(model):
        each._connection = None  # noqa: SLF001  a model keeps its first connection for good; there is no public way


def _family(model: type[Model]) -> Iterator[type[Model]]:
    yield model
    for child in model.__subclasses__():
        yield from _family(child)


_BASES: tuple[type[Model], ...] = (CatalogItem, MetricsItem, LedgerItem, FindingsItem)
