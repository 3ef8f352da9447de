"""`retrieve` by offset: the first page is as of now; after it, the whole is computed once more, not for each page."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from adweir.model import limits
from adweir.reporting.query import Answer, Queries
from adweir.reporting.questions import Query
from support.api import Call, fill
from support.bounds import at_the_bound
from support.clock import FrozenClock

PATH = "/api/v1/data_pipeline/retrieve"
ADS: dict[str, Any] = {
    "data_type": "ad_performance",
    "filters": {"date_range": {"start": "2026-11-01", "end": "2026-11-02"}},
    "limit": 1,
}
"""Eight records."""


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[Query]:
    """What is asked of the metrics."""
    asked: list[Query] = []
    answer = Queries.answer

    def counted(queries: Queries, query: Query) -> Answer:
        asked.append(query)
        return answer(queries, query)

    monkeypatch.setattr(Queries, "answer", counted)
    return asked


def page(call: Call, offset: int, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = call("POST", PATH, ADS | {"offset": offset} | more)["result"]
    return found


@pytest.mark.parametrize("data_type", ["ad_performance", "ads", "campaigns"])
def test_all_pages_by_offset_compute_the_whole_twice(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch, computed: list[Query], data_type: str
) -> None:
    monkeypatch.setattr(limits, "MAX_RETRIEVED_RECORDS", 2)  # kept in pieces
    fill(api)
    whole = page(call, 0, data_type=data_type, limit=100)
    computed.clear()
    found = [page(call, offset, data_type=data_type) for offset in range(whole["total"] + 1)]
    assert [each["records"] for each in found] == [[record] for record in whole["records"]] + [[]]
    assert {each["total"] for each in found} == {whole["total"]}
    assert all(each["coverage"] == whole["coverage"] for each in found)
    assert len(computed) == (0 if data_type == "campaigns" else 2)
    # and pages of another size are cut from the same records
    assert page(call, 1, data_type=data_type, limit=2)["records"] == whole["records"][1:3]
    assert len(computed) <= 2


def test_a_first_page_is_as_of_now_and_so_are_the_pages_after_it(
    call: Call, api: ModuleType, computed: list[Query], clock: FrozenClock
) -> None:
    fill(api)
    assert page(call, 0)["total"] == page(call, 1)["total"] == 8
    # when more is stored, then the pages of before go on
    fill(api, "acc_2")
    computed.clear()
    page(call, 2)
    assert not computed
    # until somebody begins anew; an answer of one page leaves nothing to go on with
    page(call, 0, limit=100)
    page(call, 3)
    assert len(computed) == 1
    page(call, 0)
    page(call, 4)
    assert len(computed) == 3
    # and for a quarter of an hour at most
    clock.advance(899)
    page(call, 5)
    assert len(computed) == 3
    clock.advance(1)
    page(call, 5)
    page(call, 6)
    assert len(computed) == 4


def test_another_request_has_pages_of_its_own(call: Call, api: ModuleType, computed: list[Query]) -> None:
    fill(api)
    page(call, 0)
    page(call, 1)
    computed.clear()
    other = ADS["filters"] | {"campaign_id": "c1"}
    page(call, 1, filters=other)
    page(call, 1, include_live=True)
    assert len(computed) == 2


@at_the_bound("MAX_SHELVED_RECORDS", as_if=2)
def test_at_most_so_many_records_are_kept_behind_a_page(
    call: Call, api: ModuleType, computed: list[Query], size: int, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_SHELVED_RECORDS", 2)
    fill(api)
    whole = page(call, 0, limit=100)
    page(call, 0)
    page(call, 1)
    computed.clear()
    assert page(call, 1 + size)["records"] == whole["records"][1 + size : 2 + size]
    assert (not computed) is fits


@pytest.mark.parametrize("moment", ["/0", "/head"])
def test_pages_that_are_asked_for_at_the_same_time_do_not_mix(
    call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    # given a first page, after which somebody asks for two others at once
    fill(api)
    whole = page(call, 0, limit=100)["records"]
    page(call, 0)
    put, put_meanwhile = api.app.raw.put, list[str]()

    def meet(key: str, *args: Any, **options: Any) -> None:
        if key.endswith(moment) and not put_meanwhile:
            put_meanwhile.append(key)
            assert page(call, 4)["records"] == whole[4:5]
        put(key, *args, **options)

    # when each keeps what it computed
    monkeypatch.setattr(api.app.raw, "put", meet)
    assert page(call, 1)["records"] == whole[1:2]
    assert put_meanwhile
    # then the pages that follow are cut from either
    assert [page(call, offset)["records"] for offset in range(1, 8)] == [[record] for record in whole[1:]]
