"""Files as other tools export them, put into the bucket as a user does: the truth of each is stored once."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from adweir.model.metrics import METRICS
from adweir.model.money import MICRO
from support.river import River, adweir, until

_MONTHS_AGO = 3
"""The files are about months so long ago and before them, of which nothing else is stored."""
_PAIRS = [(day, day + 1) for day in range(13, 28, 2)]
"""Days of a month that no tool's way of writing them turns into months."""
_COUNTS = METRICS[:2]
_PERSONAL = ("orders", "deals")
_AT_ONCE = 8

Sums = Mapping[tuple[str, str], Mapping[str, int]]
"""By day and entity ("" for rows that are of no ad): counts and millionths; what is unknown is left out."""


class _Exported(NamedTuple):
    """A file of the world: how it is dropped, its two days, and what has to be stored of it."""

    key: str
    start: str
    end: str
    body: bytes
    truth: list[dict[str, Any]]

    @property
    def data_type(self) -> str:
        """What its numbers are read as."""
        named = self.key.split("/")[1]
        return "campaign_performance" if named == "metrics" else named

    def entity(self, row: Mapping[str, Any]) -> str:
        if not self.data_type.endswith("_performance"):
            return ""
        return str(row["ad_group_id" if self.data_type.startswith("ad_group") else "campaign_id"])


@pytest.fixture(scope="module")
def account_id(sandbox: River, first: object, synced: object) -> str:
    """A client whose ad accounts and campaigns are listed, in whose own money and time the files of its shop are."""
    client = sandbox.clients["halden"]
    google = sandbox.api.get(f"/api/v1/profiles/google_ads/{_google_id(sandbox, 'halden')}")
    terms = {name: google[name] for name in ("currency", "timezone")}
    sandbox.api.patch(f"/api/v1/accounts/{client.account_id}", terms)
    return client.account_id


@pytest.fixture(scope="module")
def exports(sandbox: River) -> list[_Exported]:
    """Every file that the world has, each of days of its own."""

    def made(place: int) -> _Exported:
        start, end = _days(today, place)
        about = {"account": "halden", "start": start, "end": end}
        found = sandbox.world.get("exports", **about)["exports"][place]
        body = sandbox.world.read("exports/file", key=found["key"], **about)
        return _Exported(found["key"], start, end, body, found["truth"])

    today = date.fromisoformat(sandbox.day(0))
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(made, range(len(sandbox.world.get("exports", account="halden")["exports"]))))


def test_given_every_tools_file_beside_hostile_ones_when_all_come_twice_then_each_files_truth_is_stored_once(
    sandbox: River, account_id: str, exports: list[_Exported]
) -> None:
    # given
    own = next(each for each in exports if each.key.startswith("adweir/metrics/"))
    mine, theirs = (_google_id(sandbox, key) for key in ("halden", "mori"))
    files = {each.key: each.body for each in exports}
    hostile = {
        "adweir/metrics/theirs.csv": own.body.replace(mine.encode(), theirs.encode()),
        "adweir/orders/spoilt.csv": b"order_id,date,revenue,utm_campaign\n1,2026-13-45,10.00,=cmd|' /C calc'!A0\n",
        "shopify/orders/trick.zip": _archive("../../orders.csv", files["shopify/orders/orders_export_1.csv"]),
    }

    # and Google's reports, which do not say of which of the client's two ad accounts they are
    report = "google_ads/campaign_performance/Campaign report.csv"
    named = ("map", _written(sandbox, files[report]), f"profile_id={mine}", "--save", account_id)
    assert "stored for" in adweir(sandbox.home, *named, "--as", report.rpartition("/")[0])

    # when
    receipts = _drop(sandbox, account_id, files | hostile)

    # then
    good = [receipts[key] for key in files]
    bad = [each for each in good if each["state"] != "loaded" or each["rows_quarantined"]]
    assert bad == []
    rows = _rows(sandbox, account_id, exports)
    told = {each.key: (_stored(each, rows), _true(each)) for each in exports}
    assert {key: both for key, both in told.items() if both[0] != both[1]} == {}
    refused, spoilt, rejected = (receipts[key] for key in hostile)
    assert (refused["rows_stored"], refused["rows_quarantined"]) == (0, len(own.truth))
    assert (spoilt["rows_stored"], spoilt["rows_quarantined"]) == (0, 1)
    assert _expires(sandbox, spoilt["quarantine_key"])
    assert (rejected["state"], rejected["code"]) == ("rejected", "bad_input")
    assert {key for key in receipts if _expires(sandbox, f"drops/{account_id}/{key}")} == {
        key for key in receipts if key.split("/")[1] in _PERSONAL
    }

    # when
    before = _numbers(sandbox)
    again = _drop(sandbox, account_id, {_beside(key): body for key, body in files.items()})
    said = adweir(sandbox.home, "drop", _written(sandbox, own.body), "--account", account_id)

    # then
    assert {receipt["state"] for receipt in again.values()} == {"duplicate"}
    assert "these bytes were loaded before" in said
    assert _numbers(sandbox) == before


def _days(today: date, place: int) -> tuple[str, str]:
    """Two days that are one file's own."""
    back, pair = divmod(place, len(_PAIRS))
    month = today.year * 12 + today.month - 1 - _MONTHS_AGO - back
    first, second = (date(month // 12, month % 12 + 1, day).isoformat() for day in _PAIRS[pair])
    return first, second


def _google_id(river: River, key: str) -> str:
    return str(river.clients[key].description["profile_ids"]["google_ads"][0])


def _written(river: River, body: bytes) -> str:
    """A file on this machine; its path."""
    path = river.home.path / "exported.csv"
    path.write_bytes(body)
    return str(path)


def _beside(key: str) -> str:
    """The same place, another name."""
    folder, _, name = key.rpartition("/")
    return f"{folder}/again-{name}"


def _archive(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def _drop(river: River, account_id: str, files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """Drop files; their receipts, once all are there."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        versions = list(threads.map(lambda each: river.drop(f"{account_id}/{each[0]}", each[1]), files.items()))
    keys = dict(zip(versions, files, strict=True))

    def receipts() -> dict[str, dict[str, Any]]:
        listed = river.api.get("/api/v1/receipts", account_id=account_id, limit=100)["receipts"]
        found = {keys[each["version"]]: each for each in listed if each["version"] in keys}
        return found if len(found) == len(files) else {}

    return until(receipts, "a receipt for each file")


def _expires(river: River, key: str) -> bool:
    """Whether an object is tagged as personal."""
    tags = river.s3.get_object_tagging(Bucket=river.bucket, Key=key)["TagSet"]
    return {"Key": "adweir-personal", "Value": "yes"} in tags


def _numbers(river: River) -> dict[tuple[str, str], object]:
    """What files have stored."""
    return {key: item for key, item in river.table("Metrics").items() if "#file#" in key[0]}


def _rows(river: River, account_id: str, exports: Sequence[_Exported]) -> dict[str, list[dict[str, Any]]]:
    """By data type what the API answers for the days of all files."""
    days = {"start": min(each.start for each in exports), "end": max(each.end for each in exports)}
    filters = {"client_account_id": account_id, "date_range": days}
    return {name: list(river.api.records(name, filters)) for name in {each.data_type for each in exports}}


def _stored(export: _Exported, rows: Mapping[str, list[dict[str, Any]]]) -> Sums:
    """What is stored of the file's days."""
    sums: dict[tuple[str, str], Counter[str]] = {}
    for row in rows[export.data_type]:
        if not export.start <= row["date"] <= export.end:
            continue
        given = row | {"clicks": row.get("sessions", row.get("clicks"))}
        numbers = {
            name: None
            if given.get(name) is None
            else int(Decimal(str(given[name])) * (1 if name in _COUNTS else MICRO))
            for name in METRICS
        }
        _add(sums, (row["date"], export.entity(row)), numbers)
    return sums


def _true(export: _Exported) -> Sums:
    """The same of the file's truth."""
    sums: dict[tuple[str, str], Counter[str]] = {}
    for row in export.truth:
        numbers = {name: row[name if name in _COUNTS else f"{name}_micros"] for name in METRICS}
        named = {"campaign_id": row["entity"], "ad_group_id": row["entity"]}
        _add(sums, (row["date"], export.entity(named)), numbers)
    return sums


def _add(sums: dict[tuple[str, str], Counter[str]], key: tuple[str, str], numbers: Mapping[str, int | None]) -> None:
    into = sums.setdefault(key, Counter())
    into.update({name: number for name, number in numbers.items() if number is not None})
