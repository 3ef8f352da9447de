"""Receipts of dropped files through the API: what became of each version, the newest first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType

import boto3
import pytest

from adweir.model.data_types import DATA_TYPES
from adweir.model.entities import Profile
from adweir.model.errors import AdweirError
from adweir.model.messages import ObjectArrived
from adweir.model.platforms import Platform
from adweir.model.times import iso
from support.api import Call
from support.outlets import MemoryBus

HEADER = "platform,profile_id,level,date,campaign_id,impressions,clicks,spend\n"
GOOD = HEADER + "meta,1,campaign,2026-11-18,7,10,1,1.50\n"
BAD = "meta,1,campaign,2026-11-18,8,many,1,1.50\n"

Drop = Callable[[str, str], str]


@pytest.fixture
def drop(api: ModuleType, account_id: str) -> Drop:
    """Puts a file under the account's drops and loads it; each is written a minute after the one before."""
    app = api.app
    app.__dict__["bus"] = MemoryBus()
    profile = Profile(
        account_id=account_id, platform=Platform("meta_ads"), profile_id="1", name="1", currency="EUR", timezone="UTC"
    )
    app.catalog.put_objects([profile], iso(app.clock.now()))
    s3 = boto3.client("s3")
    s3.put_bucket_versioning(Bucket=app.settings.bucket, VersioningConfiguration={"Status": "Enabled"})
    head, written = app.raw.head, list[str]()

    def at(key: str, version: str = "") -> object:
        found = head(key, version)
        return found._replace(last_modified=datetime(2026, 11, 20, 12, written.index(found.version_id), tzinfo=UTC))

    app.raw.head = at

    def put(name: str, text: str) -> str:
        key = f"drops/{account_id}/{name}"
        version = str(s3.put_object(Bucket=app.settings.bucket, Key=key, Body=text.encode())["VersionId"])
        written.append(version)
        message = ObjectArrived(bucket=app.settings.bucket, key=key, version_id=version)
        try:
            app.loader.load(message, lambda: 300.0)
        except AdweirError as error:
            app.loader.settle(message, error)
        return version

    return put


def test_what_became_of_each_dropped_file_is_listed_the_newest_first(call: Call, account_id: str, drop: Drop) -> None:
    # given a file with a bad line, its bytes again, and one that cannot be read
    first = drop("a.csv", GOOD + BAD)
    again = drop("b.csv", GOOD + BAD)
    broken = drop("c.csv", "nonsense\n")

    # when
    found = call("GET", "/api/v1/receipts", account_id=account_id)["receipts"]

    # then
    assert [(each["version"], each["state"]) for each in found] == [
        (broken, "rejected"), (again, "duplicate"), (first, "loaded"),
    ]  # fmt: skip
    loaded = found[2]
    assert (loaded["key"], loaded["rows_read"], loaded["rows_stored"], loaded["rows_quarantined"]) == (
        f"drops/{account_id}/a.csv", 2, 1, 1,
    )  # fmt: skip
    assert loaded["quarantine_key"].startswith("quarantine/")
    assert found[1]["duplicate_of"] == f"drops/{account_id}/a.csv {first}"
    assert found[0]["code"] == "bad_input"
    assert found[0]["reason"]
    assert found[0]["rows_read"] is None


def test_the_list_has_pages_and_needs_no_account_where_there_is_one(call: Call, drop: Drop) -> None:
    versions = [drop(f"{n}.csv", f"{GOOD}meta,1,campaign,2026-11-17,7,{n},1,1.50\n") for n in range(3)]

    first = call("GET", "/api/v1/receipts", limit="2")
    second = call("GET", "/api/v1/receipts", limit="2", next_token=first["next_token"])

    assert [each["version"] for each in first["receipts"] + second["receipts"]] == versions[::-1]
    assert second["next_token"] is None


def test_an_object_that_arrives_twice_has_one_receipt(call: Call, api: ModuleType, account_id: str, drop: Drop) -> None:
    version = drop("a.csv", GOOD)
    api.app.loader.load(
        ObjectArrived(bucket=api.app.settings.bucket, key=f"drops/{account_id}/a.csv", version_id=version),
        lambda: 300.0,
    )

    (receipt,) = call("GET", "/api/v1/receipts")["receipts"]

    assert receipt["state"] == "loaded"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("ga4/web/a.csv", "no files of ga4/web are read; data types: " + ", ".join(sorted(DATA_TYPES))),
        ("2026/a.csv", "a drop is drops/<account_id>/<name> or drops/<account_id>/<source>/<data_type>/<name>"),
        ("a.pdf", "no format is known by the end of this name; .csv, .json, .parquet are: a.pdf"),
        ("a.xlsx", "spreadsheets are not read; save the sheet as CSV: a.xlsx"),
    ],
)
def test_a_file_in_no_known_place_is_rejected_with_the_places_that_are(
    call: Call, drop: Drop, name: str, says: str
) -> None:
    drop(name, GOOD)

    (receipt,) = call("GET", "/api/v1/receipts")["receipts"]

    assert (receipt["state"], receipt["reason"]) == ("rejected", says)


def test_the_place_of_our_own_columns_may_be_written_out(call: Call, drop: Drop) -> None:
    drop("adweir/metrics/a.csv", GOOD)

    (receipt,) = call("GET", "/api/v1/receipts")["receipts"]

    assert (receipt["state"], receipt["rows_stored"]) == ("loaded", 1)


def test_receipts_of_no_account_are_not_an_empty_list(call: Call, account_id: str) -> None:
    call("GET", "/api/v1/receipts", account_id="nobody", expect=404)
    call("POST", "/api/v1/accounts", {"company_name": "B", "primary_contact_email": "b@example.com"}, expect=201)
    call("GET", "/api/v1/receipts", expect=422)
