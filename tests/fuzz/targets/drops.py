"""Dropped files through the loader of drops: CSV in our own columns, packed or not, and what people drop by mistake.

A line that cannot be read costs that line; a file that cannot be read as a whole stores nothing and gets a receipt.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from random import Random
from typing import Any, BinaryIO

from adweir.intake.load.commit import Allowance, Committer, Origin
from adweir.intake.load.file_readers import ClientFiles
from adweir.intake.load.files import DropLoader
from adweir.model import limits
from adweir.model.entities import Account, Profile
from adweir.model.errors import AdweirError, NotFound
from adweir.model.messages import ObjectArrived
from adweir.model.platforms import Platform
from adweir.model.tasks import Pull
from adweir.platforms import REGISTRY
from adweir.quality.rules import RowLoop
from adweir.store.catalog.store import Catalog
from adweir.store.ledger.receipts import Receipts
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.buckets import can_be_key
from adweir.store.raw.store import ObjectHead, RawStore
from adweir.store.registers import Registers
from adweir.store.swaps import Swaps
from fuzz import awkward, damage, pulls
from fuzz.running import Broken, Case
from support.clock import FrozenClock

KEY = "drops/acc/numbers.csv"
_COLUMNS = (
    "platform", "profile_id", "level", "date", "hour", "campaign_id", "ad_group_id", "ad_id", "impressions", "clicks",
    "spend", "conversions", "revenue", "currency", "note",
)  # fmt: skip
_ROWS = (
    ("meta_ads", "1", "campaign", "2026-11-18", "", "7", "", "", "100", "5", "12.34", "2", "99.5", "USD", "a note"),
    ("meta", "1", "ad", "2026-11-18", "", "7", "8", "9", "10", "0", "0.000001", "", "", "", '"quoted, with a comma"'),
    ("facebook", "1", "ad", "2026-11-19", "", "7", "8", "9", "12", "1", "3", "0.5", "", "usd", '"a ""word"""'),
    ("meta_ads", "1", "campaign", "2026-11-19", "23", "7", "", "", "1", "1", "1", "1", "1", "USD", ""),
    ("amazon", "A-2", "account", "2026-11-18", "", "", "", "", "7", "7", "7.77", "", "", "EUR", "\u00fcml\u00e4ut"),
    ("amazon", "unknown", "account", "2026-11-18", "", "", "", "", "7", "7", "7.77", "", "", "EUR", ""),
)
LINES = tuple(",".join(row).encode() for row in (_COLUMNS, *_ROWS))


def _honest_forms() -> tuple[bytes, ...]:
    """The same table as tools write it: each stores the same."""
    found = [dict(zip(_COLUMNS, row, strict=True)) for row in _ROWS]
    text, table, archive = b"\n".join(LINES), io.StringIO(), io.BytesIO()
    csv.writer(table, quoting=csv.QUOTE_ALL).writerows([_COLUMNS, *_ROWS])
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("numbers.csv", text)
    return (
        text,
        b"\xef\xbb\xbf" + text,
        text.replace(b"\n", b"\r\n"),
        text.replace(b",", b";"),
        text.replace(b",", b"\t"),
        b"sep=,\n" + text,
        b"# a report\n\n" + text,
        text.replace(b"a note", b'"a note\nof two lines"'),
        text.decode().encode("utf-16"),
        text.decode().encode("utf-32"),
        table.getvalue().encode(),
        json.dumps(found).encode(),
        json.dumps({"next": None, "rows": found, "count": 6}, indent=1).encode(),
        b"\n".join(json.dumps(row).encode() for row in found),
        archive.getvalue(),
        gzip.compress(text, 1, mtime=0),
    )


def _other_forms() -> tuple[bytes, ...]:
    """What people drop by mistake."""
    text = b"\n".join(LINES)
    return (
        text.replace(b"\n", b"\r"),
        text.decode().encode("cp1252"),
        b"PK\x03\x04" + bytes(200) + b"xl/workbook.xml",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
        LINES[0] + b"\n",
        b"",
    )


_HONEST = _honest_forms()
_FORMS = _HONEST + _other_forms()


class _OneFile(RawStore):
    """The bucket with one dropped file; what is written is kept by its prefix."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.written: dict[str, bytes] = {}

    def head(self, key: str, version_id: str = "") -> ObjectHead:
        return ObjectHead(len(self._body), pulls.NOW, "v1", {})

    def open_stream(self, key: str, version_id: str = "", begin: int = 0) -> BinaryIO:
        return io.BytesIO(self._body)

    def put(self, key: str, body: Any, *_: Any, **__: Any) -> str:
        self.written[key] = body if isinstance(body, bytes) else body.read()
        return ""

    def tag(self, *_: Any, **__: Any) -> None:
        """Nothing expires here."""

    def put_once(self, key: str, body: Any, *_: Any, **__: Any) -> bool:
        self.put(key, body)
        return True


class _OneClient(Catalog):
    """A client with an ad account on each platform."""

    def __init__(self) -> None:
        super().__init__(FrozenClock(pulls.NOW))

    def account(self, account_id: str) -> Account:
        if account_id != "acc":
            raise NotFound("there is no such account")
        return Account(account_id="acc", company_name="n", primary_contact_email="a@b.example")

    def profile(self, platform: Platform, profile_id: str) -> Profile | None:
        known = {("meta_ads", "1"): "USD", ("amazon_ads", "A-2"): "EUR"}.get((str(platform), profile_id))
        named: dict[str, Any] = {"account_id": "acc", "name": "n", "timezone": "Europe/Berlin"}
        return Profile(platform=platform, profile_id=profile_id, currency=known, **named) if known else None


class _Receipts(Receipts):
    """Receipts in memory."""

    def __init__(self) -> None:
        super().__init__(FrozenClock(pulls.NOW))
        self.kept: dict[str, Mapping[str, Any]] = {}

    def put(self, key: str, receipt: Mapping[str, Any], lasts: timedelta = timedelta()) -> bool:
        json.dumps(receipt).encode()
        self.kept[key] = receipt
        return True

    def put_listed(self, key: str, receipt: Mapping[str, Any]) -> None:
        self.put(key, receipt)

    def get(self, key: str) -> dict[str, Any] | None:
        return None


class _Stored(Committer):
    """Keeps what would be stored."""

    def __init__(self) -> None:
        self.rows: list[tuple[Pull, PullRows]] = []

    def store(
        self,
        pull: Pull,
        brought: PullRows,
        loop: RowLoop,
        origin: Origin,
        quarantine_key: str,
        allowance: Allowance,
    ) -> dict[str, int]:
        self.rows.append((pull, brought))
        return {"rows_stored": len(brought), "duplicates": 0, "slots_changed": len(brought)}

    def breach(self, *_: Any, **__: Any) -> None:
        """Nobody listens."""

    hold = not_moved = breach


class Drops:
    """Files of one client."""

    name = "drops"
    most_memory = 48 << 20

    def make(self, rng: Random) -> Case:
        kind = rng.random()
        spoiled, form, lines = 0, 0, list(LINES)
        if kind < 0.45:
            spoiled = rng.randint(2, len(LINES))
            lines[spoiled - 1] = _other_line(lines[spoiled - 1], rng)
            body = b"\n".join(lines)
        elif kind < 0.6:
            body = damage.damaged(b"\n".join(lines), rng, _FORMS)
        elif kind < 0.65:
            form = rng.randint(1, len(_HONEST))
            body = _HONEST[form - 1]
        elif kind < 0.75:
            body = damage.damaged(rng.choice(_FORMS), rng) if rng.random() < 0.7 else rng.choice(_FORMS)
        elif kind < 0.85:
            lines[0] = _other_line(lines[0], rng)
            body = b"\n".join(lines)
        else:
            body = damage.packed(b"\n".join(lines), rng)
        if spoiled and rng.random() < 0.3:
            body = gzip.compress(body, 1, mtime=0)
        key = KEY if rng.random() < 0.95 else awkward.plain(rng)
        about: dict[str, Any] = {"key": key if key.startswith("drops/") else f"drops/{key}"}
        about |= {"spoiled": spoiled, "form": form} if key == KEY else {"spoiled": 0, "form": 0}
        return {"about": json.dumps(about).encode(), "file": body}

    def check(self, case: Case) -> str:
        about = json.loads(case["about"])
        raw, stored, receipts = _OneFile(case["file"]), _Stored(), _Receipts()
        error = _load(raw, stored, receipts, about["key"])
        slots = _slots(stored)
        if error is not None:
            if about["spoiled"] or about.get("form"):
                raise Broken(f"one bad line costs the file: {error.message}"[:300])
            if slots or any(not key.startswith("receipts/") for key in raw.written):
                raise Broken("something is stored of a file that is refused")
            return error.code
        if about.get("form") and slots != _honest(0):
            raise Broken("another form of the same table stores something else")
        if about["spoiled"] and not _honest(about["spoiled"]) <= slots:
            raise Broken("one bad line costs another")
        (receipt,) = (each for key, each in receipts.kept.items() if each.get("state") == "loaded")
        if receipt["rows_read"] < receipt["rows_stored"] + receipt["rows_quarantined"]:
            raise Broken("the receipt counts more lines than there are")
        return "loaded" if slots and not receipt["rows_quarantined"] else "some lines" if slots else "no line"

    def close(self) -> None:
        """Nothing outside was changed."""


TARGET = Drops


def _load(raw: RawStore, stored: Committer, receipts: Receipts, key: str) -> AdweirError | None:
    """Load as `validate` does; returns the error that the file was refused with."""
    files = ClientFiles(_OneClient(), REGISTRY, lambda *_: None)
    clock = FrozenClock(pulls.NOW)
    registers = Registers(raw, clock, Swaps(lambda _: None, Random(1)))
    loader = DropLoader((raw, _OneClient(), registers), receipts, stored, clock, files)
    message = ObjectArrived(bucket="b", key=key)
    try:
        loader.load(message, lambda: 300.0)
    except AdweirError as error:
        loader.settle(message, error)
        return error
    return None


def _slots(stored: _Stored) -> set[tuple[Any, ...]]:
    """What would be stored, checked: profile, level, entity, day or hour, numbers."""
    found = set()
    for pull, rows in stored.rows:
        for entity, slot, numbers in rows:
            if not can_be_key(entity) or any(n is not None and (n < 0 or n >> limits.MAX_FIGURE_BITS) for n in numbers):
                raise Broken(f"stored: {entity[:50]!r} {slot} {numbers}"[:300])
            found.add((pull.profile_id, pull.level, pull.grain, entity, slot, numbers))
    return found


@cache
def _honest(spoiled: int) -> set[tuple[Any, ...]]:
    """What the file stores without its line `spoiled`."""
    lines = [line for number, line in enumerate(LINES, 1) if number != spoiled]
    stored = _Stored()
    error = _load(_OneFile(b"\n".join(lines)), stored, _Receipts(), KEY)
    assert error is None
    return _slots(stored)


def _other_line(line: bytes, rng: Random) -> bytes:
    """The line with some cells replaced, or damaged; still one line."""
    if rng.random() < 0.6:
        cells = line.split(b",")
        for at in rng.sample(range(len(cells)), rng.randint(1, 3)):
            cells[at] = awkward.plain(rng).encode("utf-8", "surrogateescape")
        made = b",".join(cells)
    else:
        made = damage.damaged(line, rng)
    return made.replace(b"\n", b" ").removeprefix(b"\xff\xfe")[:60_000]
