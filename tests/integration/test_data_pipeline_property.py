"""Whatever records a call accepts, retrieve returns: each once, digit by digit; what is refused is named and absent."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import count
from types import ModuleType, SimpleNamespace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adweir.runtime.http import to_json
from support.api import Call, an_event

COUNTS = st.one_of(st.none(), st.integers(0, 10**12))
AMOUNTS = st.one_of(st.none(), st.decimals(0, 10**9, places=6), st.integers(0, 10**6))
IDS = st.one_of(
    st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="#!"), min_size=1, max_size=12),
    st.integers(0, 10**18).map(str),
)
DAYS = st.sampled_from(["2026-11-20", "2026-11-01", "2026-10-31"])
RECORDS = st.lists(
    st.fixed_dictionaries(
        {"campaign_id": IDS, "date": DAYS, "clicks": st.one_of(*[st.integers(0, 10**12)] * 9, st.none())},
        optional={
            "impressions": COUNTS,
            "spend": AMOUNTS,
            "conversions": AMOUNTS,
            "revenue": AMOUNTS,
        },
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda each: (str(each["campaign_id"]).strip(), str(each["date"])),
)
NUMBERS = ("impressions", "clicks", "spend", "conversions", "revenue")
CALLS = count()


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(records=RECORDS)
def test_what_is_accepted_is_returned(api: ModuleType, pipeline: Call, records: list[dict[str, Any]]) -> None:
    source = f"source_{next(CALLS)}"

    def ask(step: str, body: dict[str, Any]) -> tuple[int, Any]:
        api.app.clock.advance(1)
        answer = api.handler(an_event("POST", f"/api/v1/data_pipeline/{step}", to_json(body)), SimpleNamespace())
        return answer["statusCode"], json.loads(answer["body"], parse_float=Decimal)

    asked: dict[str, Any] = {"data_type": "campaign_performance", "source": source}
    status, said = ask("store", asked | {"data": {"records": records}})
    days = {"start": "2026-10-01", "end": "2026-11-20"}
    found = ask("retrieve", {"data_type": "campaign_performance", "filters": {"date_range": days}, "limit": 5000})[1]
    mine = [each for each in found["result"]["records"] if each["platform"] == source]
    if status == 200:
        given_rows = {(each["campaign_id"], each["date"]): each for each in records}
        shown = {(each["campaign_id"], each["date"]): each for each in mine}
        assert shown.keys() == given_rows.keys()
        for key, record in given_rows.items():
            assert [shown[key][name] for name in NUMBERS] == [record.get(name) for name in NUMBERS]
    else:
        assert (status, mine) == (422, [])
        assert all(fault["message"] and fault["row"] < len(records) for fault in said["error"]["details"])
