"""The demonstration looks whether each dataset has come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adweir.platforms import REGISTRY
from adweir.reporting.records import DATA_TYPES
from ops.client import Api
from ops.demo.filled import empty, request_all


class ListedApi(Api):
    """Answers records from a list, by data type; remembers the options that were set."""

    def __init__(self, listed: dict[str, list[dict[str, Any]]]) -> None:
        super().__init__("http://127.0.0.1", "key")
        self.listed = listed
        self.options: dict[str, list[str]] = {}
        self.asked: list[tuple[str, str]] = []

    def records(self, data_type: str, filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Those with a `date` are of that day; the others are of every day."""
        days = filters.pop("date_range")
        assert not filters
        assert days["end"] == "2026-11-21"
        self.asked.append((data_type, days["start"]))
        return (each for each in self.listed.get(data_type, []) if each.get("date", "9") >= days["start"])

    def patch(self, path: str, body: Any) -> Any:
        self.options[path.removeprefix("/api/v1/profiles/")] = body["options"]["datasets"]


def every(name: str) -> dict[str, list[dict[str, Any]]]:
    """A record of each data type of a platform."""
    kinds = ("keyword", "automatic", "negative")
    return {
        data_type: [{"platform": name, "kind": kind} for kind in (kinds if data_type == "keywords" else ("",))]
        for data_type in DATA_TYPES
    }


def test_given_a_dataset_without_a_record_when_looked_for_then_it_is_named_by_its_platform() -> None:
    whole = {data_type: every("meta_ads")[data_type] + every("amazon_ads")[data_type] for data_type in DATA_TYPES}
    others = {str(spec.name) for spec in REGISTRY.specs()} - {"meta_ads", "amazon_ads"}

    def found(listed: dict[str, list[dict[str, Any]]]) -> list[str]:
        names = empty(ListedApi(listed), ["2026-11-20", "2026-11-18"], "2026-11-21")
        return [name for name in names if name.partition(" ")[0] not in others]

    assert found(whole) == []
    assert found(whole | {"ad_performance": every("meta_ads")["ad_performance"]}) == ["amazon_ads ad_daily"]
    assert found(whole | {"keywords": [{"platform": "amazon_ads", "kind": "negative"}]}) == [
        "amazon_ads keywords",
        "amazon_ads targets",
    ]


def test_given_a_platform_whose_days_come_late_when_looked_for_then_only_its_dataset_is_read_further_back() -> None:
    # given
    platforms = [str(spec.name) for spec in REGISTRY.specs()]
    whole = {data_type: [each for name in platforms for each in every(name)[data_type]] for data_type in DATA_TYPES}
    whole["ad_performance"] = [{"platform": name, "date": "2026-11-18"} for name in platforms]
    api = ListedApi(whole)

    # when
    found = empty(api, ["2026-11-20", "2026-11-18"], "2026-11-21")

    # then
    assert found == []
    assert {start for name, start in api.asked if name == "ad_performance"} == {"2026-11-20", "2026-11-18"}
    assert {start for name, start in api.asked if name == "campaign_performance"} == {"2026-11-20"}
    assert {start for name, start in api.asked if name == "invoices"} == {"2026-09-19"}  # billed when a month is over


def test_given_ad_accounts_when_everything_is_requested_then_the_first_of_each_platform_pulls_it() -> None:
    listed = [{"platform": name, "profile_id": number} for name in ("meta_ads", "amazon_ads") for number in "12"]
    api = ListedApi({})
    request_all(api, listed)
    assert set(api.options) == {"meta_ads/1", "amazon_ads/1"}
    assert "ad_by_country_daily" in api.options["meta_ads/1"]
    assert "ad_daily" not in api.options["meta_ads/1"]
