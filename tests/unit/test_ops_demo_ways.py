"""The demonstration compares what comes in on other ways than pulls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ops.client import Api
from ops.demo.river import DemoFailed
from ops.demo.verdict import Verdict
from ops.demo.ways import OtherWays, WayIn, way
from ops.demo.world import WorldDoors, known_as

CLIENT = {"key": "acme", "account_id": "acc_1"}
ORDER: dict[str, Any] = {"date": "2026-11-18", "entity": "", "impressions": None, "clicks": None, "spend_micros": None}
ORDER |= {"conversions_micros": 2_000_000, "revenue_micros": 35_500_000}
KEY = "shopify/orders/orders.csv"


class ShopWorld(WorldDoors):
    """Has one export."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1")

    def get(self, door: str, **params: str) -> Any:
        return {door: [{"key": KEY, "truth": [ORDER]}, {"key": "hubspot/deals/d.csv", "truth": []}]}

    def read(self, door: str, **params: str) -> bytes:
        return f"{door} {params['key']}".encode()


class ShopApi(Api):
    """Answers one receipt and one record."""

    def __init__(self, state: str = "loaded", revenue: float = 35.5) -> None:
        super().__init__("http://127.0.0.1", "key")
        self.state, self.revenue = state, revenue
        self.terms: dict[str, Any] = {}

    def get(self, path: str, **params: Any) -> Any:
        return {"receipts": [{"key": f"drops/acc_1/{KEY}", "state": self.state, "reason": "is a bomb"}]}

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        assert path == "/api/v1/accounts/acc_1"
        self.terms = body

    def records(self, data_type: str, filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        assert self.terms == {"currency": "EUR", "timezone": "Europe/Berlin"}
        assert (data_type, filters["source"]) == ("orders", "shopify")
        assert filters["date_range"] == {"start": "2026-11-18", "end": "2026-11-18"}
        yield {"date": "2026-11-18", "campaign_id": None, "conversions": 2, "revenue": self.revenue}


def dropped(api: Api, put: dict[str, bytes]) -> list[WayIn]:
    ways = OtherWays(api, "http://api", ShopWorld(), lambda _stage, _done, _total: None)
    shop = {"platform": "google_ads", "currency": "EUR", "timezone": "Europe/Berlin"}
    return ways.drop(CLIENT, shop, put.__setitem__)


def test_given_a_file_of_a_shop_when_it_is_dropped_then_what_is_stored_is_compared_with_its_truth() -> None:
    put: dict[str, bytes] = {}
    assert dropped(ShopApi(), put) == [WayIn("shopify orders", 2, ())]
    assert put == {f"acc_1/{KEY}": f"exports/file {KEY}".encode()}


def test_given_another_sum_when_compared_then_both_are_told_and_the_verdict_is_wrong() -> None:
    (found,) = dropped(ShopApi(revenue=35.51), {})
    assert found.wrong == (
        (
            "shopify orders 2026-11-18: stored conversions 2000000 revenue 35510000,"
            " sent conversions 2000000 revenue 35500000"
        ),
    )
    verdict = Verdict([], 1.0, ways=[found])
    assert (verdict.right, verdict.wrong_lines) == (False, list(found.wrong))
    assert verdict.text == "Every pulled number is right, but 1 that came in on other ways are not."


def test_given_a_file_that_is_rejected_then_the_demonstration_ends_with_its_reason() -> None:
    with pytest.raises(DemoFailed, match="ended rejected: is a bomb"):
        dropped(ShopApi("rejected"), {})


def test_given_a_key_on_one_side_alone_then_it_is_a_difference() -> None:
    found = way("pushes", {("c1",): {"clicks": 1}}, {("c2",): {"clicks": 2, "spend": 3}})
    assert found == WayIn(
        "pushes", 2, ("pushes c1: stored clicks 1, sent nothing", "pushes c2: stored nothing, sent clicks 2 spend 3")
    )
    assert way("pushes", {}, {}).wrong == ()


def test_given_an_ad_account_of_a_described_platform_then_the_world_knows_it_without_the_specs_name() -> None:
    described = {"platform": "generic", "profile_id": "pinterest~549"}
    assert known_as(described) == {"platform": "pinterest_ads", "profile_id": "549"}
    assert known_as({"platform": "meta_ads", "profile_id": "1"}) == {"platform": "meta_ads", "profile_id": "1"}
