"""Stored mappings: of an account or of the deployment, through the API or in the bucket; the nearest counts."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from adweir.intake.load.file_mappings import FileMappings
from adweir.model import limits
from adweir.model.errors import BadInput, Conflict
from adweir.model.mappings import parse_mapping
from adweir.store.catalog.mappings import EVERYONE, StoredMapping
from adweir.store.catalog.store import Catalog
from adweir.store.raw.store import RawStore
from support.bounds import at_the_bound, refuses
from support.clock import FrozenClock

PLACES = ("deployment's object", "deployment", "account's object", "account")


def said(unit: str = "ones", source: str = "agency") -> dict[str, Any]:
    columns = [
        {"field": "campaign_name", "names": ["Camp"]},
        {"field": "date", "names": ["When"]},
        {"field": "spend", "names": ["Spent"], "unit": unit},
    ]
    return {"source": source, "data_type": "campaign_performance", "columns": columns}


class Stored:
    def __init__(self, clock: FrozenClock) -> None:
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="adweir-data")
        self.catalog, self.raw = Catalog(clock), RawStore(s3, "adweir-data")
        self.mappings = FileMappings(self.catalog, self.raw)

    def put(self, place: str, body: dict[str, Any]) -> None:
        if place.endswith("object"):
            owner = "acme/" if place.startswith("account") else ""
            self.raw.put(f"mappings/{owner}agency/campaign_performance.json", json.dumps(body).encode())
        else:
            owner = "acme" if place == "account" else EVERYONE
            self.catalog.put_mapping(StoredMapping(owner, "agency", "campaign_performance", body))

    def find(self, account: str = "acme") -> Any:
        return self.mappings.find(account, "agency", "campaign_performance")


@pytest.fixture
def stored(tables: None, clock: FrozenClock) -> Stored:
    return Stored(clock)


def test_the_nearest_mapping_counts(stored: Stored) -> None:
    assert stored.find() is None
    for place, unit in zip(PLACES, ("ones", "micros", "percent", "thousands"), strict=True):
        stored.put(place, said(unit))

        assert stored.find() == parse_mapping(said(unit))
    assert stored.find("other") == parse_mapping(said("micros"))


def test_an_object_that_is_no_mapping_is_told_with_its_key(stored: Stored) -> None:
    stored.put("account's object", said("bananas"))

    with pytest.raises(BadInput, match=r"mappings/acme/agency/campaign_performance\.json: not a mapping.*unit"):
        stored.find()


def test_an_object_of_another_source_is_not_used(stored: Stored) -> None:
    stored.put("deployment's object", said(source="other"))

    with pytest.raises(BadInput, match="is of other/campaign_performance: put it under its own key"):
        stored.find()


def test_a_forgotten_mapping_no_longer_counts(stored: Stored) -> None:
    stored.put("account", said())

    assert [each.source for each in stored.catalog.list_mappings("acme")] == ["agency"]
    assert [each.body for each in stored.catalog.list_mappings("acme", "agency")] == [said()]
    assert list(stored.catalog.list_mappings("acme", "agenc")) == []
    assert stored.catalog.delete_mapping("acme", "agency", "campaign_performance")
    assert not stored.catalog.delete_mapping("acme", "agency", "campaign_performance")
    assert stored.find() is None


@at_the_bound("MAX_STORED_MAPPINGS", as_if=3)
def test_an_account_has_so_many_mappings(
    stored: Stored, monkeypatch: pytest.MonkeyPatch, size: int, fits: bool
) -> None:
    monkeypatch.setattr(limits, "MAX_STORED_MAPPINGS", 3)
    with refuses(Conflict, fits=fits):
        for number in range(size):
            stored.catalog.put_mapping(StoredMapping("acme", f"s{number}", "orders", {}))
    stored.catalog.put_mapping(StoredMapping("acme", "s0", "orders", {"again": True}))


def test_one_that_is_deleted_makes_room(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_STORED_MAPPINGS", 1)
    stored.catalog.put_mapping(StoredMapping("acme", "first", "orders", {}))
    stored.catalog.delete_mapping("acme", "first", "orders")

    stored.catalog.put_mapping(StoredMapping("acme", "second", "orders", {}))

    assert [each.source for each in stored.catalog.list_mappings("acme")] == ["second"]


@at_the_bound("MAX_KEPT_MAPPINGS", as_if=3)
def test_what_is_left_of_deleted_mappings_has_an_end(
    stored: Stored, monkeypatch: pytest.MonkeyPatch, size: int, fits: bool
) -> None:
    monkeypatch.setattr(limits, "MAX_KEPT_MAPPINGS", 3)
    with refuses(Conflict, fits=fits):
        for number in range(size):
            stored.catalog.put_mapping(StoredMapping("acme", f"s{number}", "orders", {}))
            stored.catalog.delete_mapping("acme", f"s{number}", "orders")
    stored.catalog.put_mapping(StoredMapping("acme", "s0", "orders", {"again": True}))
