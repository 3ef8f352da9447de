"""Dropped CSV in adweir's own columns, as `validate` loads it up to the items that would be written; and in DuckDB.

`checked` does in SQL what ours does with every row, as far as SQL has it: typed columns, millionths as whole numbers,
the row's platform, ad account, level, currency and days, the bounds of each number, the three warnings; and a list of
days with their numbers per ad and month, and its sums. Ids are checked once per ad, as ours are. Ours also reports each
fault by its line, looks for days that come twice, takes the file's checksum, and makes the items' JSON text. `bare`
only reads with types and sums by ad and day.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from pathlib import Path
from random import Random
from typing import Any, BinaryIO, NamedTuple

import duckdb

from adweir.intake.load.commit import Allowance, Committer, Origin
from adweir.intake.load.file_readers import ClientFiles
from adweir.intake.load.files import DropLoader
from adweir.model import limits
from adweir.model.entities import Account, Profile
from adweir.model.errors import NotReady
from adweir.model.messages import ObjectArrived
from adweir.model.metrics import METRICS, Series, Slot, plus
from adweir.model.money import MICRO
from adweir.model.platforms import Platform
from adweir.model.tasks import Pull
from adweir.model.terms import Terms
from adweir.platforms import REGISTRY
from adweir.quality.rules import RowLoop
from adweir.store.catalog.store import Catalog
from adweir.store.ledger.receipts import Receipts
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.buckets import encoded, partitions
from adweir.store.metrics.coverage import Coverage
from adweir.store.metrics.job import Job
from adweir.store.raw.store import ObjectHead, RawStore
from adweir.store.registers import Registers
from adweir.store.swaps import Swaps
from support.clock import FrozenClock

NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
START = date(2025, 5, 1)
Aside = Callable[[], AbstractContextManager[None]]
"""What makes a block that is not measured."""
_TYPES = {
    "platform": "VARCHAR", "profile_id": "VARCHAR", "level": "VARCHAR", "date": "DATE", "campaign_id": "VARCHAR",
    "ad_group_id": "VARCHAR", "ad_id": "VARCHAR", "impressions": "BIGINT", "clicks": "BIGINT",
    "spend": "DECIMAL(18,6)", "conversions": "DECIMAL(18,6)", "revenue": "DECIMAL(18,6)", "currency": "VARCHAR",
}  # fmt: skip
_IDS = ("any_value(campaign_id)", "ad_group_id", "ad_id")


class Kind(NamedTuple):
    """A kind of file: its key, its header, the row of an ad, a day and a seed, and how many rows a day of an ad has."""

    key: str
    header: str
    row: Callable[[int, date, int], str]
    each_day: int = 1


def _own(ad: int, day: date, seed: int) -> str:
    return (
        f"meta_ads,1234567890,ad,{day},{23850000000000000 + ad // 100},{23851000000000000 + ad // 10},"
        f"{23852000000000000 + ad},{seed + 100},{seed % 90},{seed // 100}.{seed % 100:02},"
        f"{seed % 90 // 10}.{5 * (seed % 90 > 0)},{seed % 977}.25,USD\n"
    )


def _snapchat(ad: int, day: date, seed: int) -> str:
    figures = f"{seed + 100},{seed % 90},{seed * 10_000},{seed % 90 // 10},{seed % 977}250000"
    return f"{day},{23850000000000000 + ad},{figures}\n"


OWN = Kind("drops/acc/numbers.csv", ",".join(_TYPES), _own)
MAPPED = Kind(
    "drops/acc/snapchat_ads/campaign_performance/hours.csv",
    "date,campaign_id,impressions,swipes,spend,conversion_purchases,conversion_purchases_value",
    _snapchat,
    24,
)


def write(file: Path, kind: Kind, ads: int, rows: int, most: int = 1 << 60) -> int:
    """Write a file of that kind, until it has that many rows or bytes; returns its rows."""
    size = 0
    with file.open("w", encoding="utf-8", buffering=1 << 20) as out:
        size += out.write(kind.header + "\n")
        for number in range(rows):
            day = START + timedelta(days=number // (ads * kind.each_day))
            size += out.write(kind.row(number % ads, day, number * 7919 % 104729))
            if size >= most:
                return number + 1
    return rows


class Bucketless(RawStore):
    """The bucket with one dropped file; what is written is thrown away."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def head(self, key: str, version_id: str = "") -> ObjectHead:
        return ObjectHead(self._file.stat().st_size, NOW, "v1", {})

    def open_stream(self, key: str, version_id: str = "", begin: int = 0) -> BinaryIO:
        return io.BufferedReader(self._file.open("rb", buffering=0), 1 << 18)

    def put(self, key: str, body: Any, *_: Any, **__: Any) -> str:
        """Nothing is kept."""
        return ""

    def put_once(self, key: str, body: Any, *_: Any, **__: Any) -> bool:
        return True


class Client(Catalog):
    """A client with one ad account."""

    def __init__(self) -> None:
        super().__init__(FrozenClock(NOW))

    def account(self, account_id: str) -> Account:
        return Account(account_id="acc", company_name="n", primary_contact_email="a@b.example")

    def profile(self, platform: Platform, profile_id: str) -> Profile:
        named: dict[str, Any] = {"account_id": "acc", "name": "n", "timezone": "Europe/Berlin", "currency": "USD"}
        return Profile(platform=platform, profile_id=profile_id, **named)

    def terms(self, account: Account) -> Terms:
        return Terms("USD", "UTC")

    def unlisted_profile(
        self, account: Account, platform: Platform, profile_id: str, terms: Terms, *, has_ads: bool = False
    ) -> Profile:
        return self.profile(platform, profile_id)


class InMemory(Receipts):
    """Receipts in memory."""

    def __init__(self) -> None:
        super().__init__(FrozenClock(NOW))
        self.kept: dict[str, dict[str, Any]] = {}

    def put(self, key: str, receipt: Mapping[str, Any], lasts: timedelta = timedelta()) -> bool:
        self.kept[key] = json.loads(json.dumps(receipt))
        return True

    def put_listed(self, key: str, receipt: Mapping[str, Any]) -> None:
        self.put(key, receipt)

    def get(self, key: str) -> dict[str, Any] | None:
        return self.kept.get(key)


class Items(Committer):
    """Makes the items that would be written."""

    def __init__(self, aside: Aside) -> None:
        self.items = self.distinct = 0
        self.sums: Slot = (0, 0, 0, 0, 0)
        self._aside = aside

    def store(
        self, pull: Pull, brought: PullRows, loop: RowLoop, origin: Origin, quarantine_key: str, allowance: Allowance
    ) -> dict[str, int]:
        series = Series(pull.platform, pull.profile_id, pull.level, pull.grain)
        job = Job.of(pull, brought)
        for partition in partitions(series, pull.source, pull.window):
            loaded = job.walk(job.merger(partition, Coverage(), Coverage()), ())
            buckets = (each.merged.bucket for each in loaded if each.merged.bucket is not None)
            self.items += sum(len(item) > 0 for item in encoded(partition.pk, buckets))
        self.distinct += brought.size
        with self._aside():
            self.sums = reduce(plus, (slot for _, _, slot in brought), self.sums)
        return {"rows_stored": brought.size, "duplicates": loop.tally.duplicates, "slots_changed": brought.size}

    def breach(self, *_: Any, **__: Any) -> None:
        """Nobody listens."""


def _invocations(file: Path, kind: Kind, items: Items, seconds: float) -> tuple[dict[str, Any], list[float]]:
    """Load the file as `validate` does, which has so many seconds of processor time; returns its receipt, and how much
    of it each invocation took."""
    catalog, receipts = Client(), InMemory()
    readers = ClientFiles(catalog, REGISTRY, lambda *_: None)
    raw, clock = Bucketless(file), FrozenClock(NOW)
    registers = Registers(raw, clock, Swaps(time.sleep, Random()))
    loader = DropLoader((raw, catalog, registers), receipts, items, clock, readers)
    message, took = ObjectArrived(bucket="b", key=kind.key), list[float]()
    while True:
        began = time.process_time()
        try:
            loader.load(message, lambda began=began: seconds - (time.process_time() - began))  # type: ignore[misc]
            return receipts.kept[f"{kind.key}.v1"], took
        except NotReady:
            continue
        finally:
            took.append(round(time.process_time() - began, 1))


def load(file: Path, kind: Kind, rows: int, aside: Aside, seconds: float = 300.0) -> dict[str, Any]:
    """The real path up to the items that would be written."""
    items = Items(aside)
    receipt, took = _invocations(file, kind, items, seconds)
    if receipt.get("rows_quarantined", 1) or receipt["rows_read"] != rows or receipt["rows_stored"] != items.distinct:
        raise SystemExit(f"wrong result: {receipt}")
    sums = tuple(number or 0 for number in items.sums)
    return {"rows": rows, "items": items.items, "distinct": items.distinct, "sums": sums, "invocations": took}


def checked(file: Path, rows: int, aside: Aside) -> dict[str, Any]:
    """DuckDB: read with types, check, list the days of each ad and month, and sum."""
    amounts, figures = METRICS[2:], ", ".join(f"sum({name}) AS {name}" for name in METRICS)
    bounds = " AND ".join(f"{name} BETWEEN 0 AND {(1 << limits.MAX_FIGURE_BITS) - 1}" for name in METRICS)
    micros = ", ".join(f"CAST({name} * {MICRO} AS BIGINT) AS {name}" for name in amounts)
    is_id = f"'[^#!][^#]{{0,{limits.MAX_OBJECT_ID_CHARS - 1}}}'"
    made = f"""
        CREATE TABLE sums AS
        SELECT ad_group_id, ad_id, date_trunc('month', date) AS month, any_value(campaign_id) AS campaign,
            count(*) FILTER (clicks > impressions) AS clicks_over, count(*) FILTER (conversions > clicks * {MICRO})
            AS conversions_over, count(*) FILTER (spend > 0 AND impressions = 0) AS spend_without,
            list({{date: date, {", ".join(f"{name}: {name}" for name in METRICS)}}}) AS days, {figures}
        FROM (
            SELECT * REPLACE ({micros}) FROM read_csv($1, header=true, columns={_TYPES})
            WHERE platform = 'meta_ads' AND profile_id = '1234567890' AND level = 'ad' AND currency = 'USD'
            AND date BETWEEN DATE '2021-11-20' AND DATE '2026-11-21'
        )
        WHERE {bounds} GROUP BY ad_group_id, ad_id, month
        HAVING {" AND ".join(f"regexp_full_match({name}, {is_id})" for name in _IDS)}
    """  # noqa: S608  no input
    return _in_duckdb(file, rows, aside, made, "sum(len(days))", 1)


def bare(file: Path, rows: int, aside: Aside) -> dict[str, Any]:
    """DuckDB: read with types, sum by ad and day."""
    figures = ", ".join(f"sum({name}) AS {name}" for name in METRICS)
    key, typed = "ad_group_id, ad_id, date", f"read_csv($1, header=true, columns={_TYPES})"
    made = f"CREATE TABLE sums AS SELECT {key}, {figures} FROM {typed} GROUP BY {key}"  # noqa: S608  no input
    return _in_duckdb(file, rows, aside, made, "count(*)", MICRO)


def hours(file: Path, rows: int, aside: Aside) -> dict[str, Any]:
    """DuckDB: the sums of a file of the kind MAPPED by campaign and day."""
    names = MAPPED.header.split(",")
    columns = {name: "DATE" if name == "date" else "VARCHAR" if name == "campaign_id" else "BIGINT" for name in names}
    own = ("impressions", "swipes", "conversion_purchases", "spend", "conversion_purchases_value")
    figures = zip(own, METRICS, strict=True)
    sums = ", ".join(f"sum({name}{f' * {MICRO}' * (field == 'conversions')}) AS {field}" for name, field in figures)
    typed = f"read_csv($1, header=true, columns={columns})"
    made = f"CREATE TABLE sums AS SELECT campaign_id, date, {sums} FROM {typed} GROUP BY ALL"  # noqa: S608  no input
    return _in_duckdb(file, rows, aside, made, "count(*)", 1)


def _in_duckdb(file: Path, rows: int, aside: Aside, made: str, distinct: str, units: int) -> dict[str, Any]:
    """Make the table `sums`, of amounts in such `units`; its sums."""
    with duckdb.connect(config={"threads": 1}) as database:
        database.execute("SET enable_progress_bar = false")
        database.execute(made, [str(file)])
        with aside():
            total = ", ".join(f"sum({name})" for name in METRICS)
            found = database.execute(f"SELECT {distinct}, {total} FROM sums").fetchone() or ()  # noqa: S608  no input
    count, impressions, clicks, *amounts = found
    sums = (int(impressions), int(clicks), *(int(Decimal(amount) * units) for amount in amounts))
    return {"rows": rows, "items": 0, "distinct": int(count), "sums": sums}
