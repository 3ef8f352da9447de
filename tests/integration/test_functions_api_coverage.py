"""The API through its handler: coverage, what is unattributed, unknown, live and adjusted."""

from __future__ import annotations

from datetime import date
from types import ModuleType
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.store.metrics.store import PullRows
from support.api import META, T1, Call, fill

DAYS = {"start_date": "2026-11-01", "end_date": "2026-11-02"}
GONE = {"platform": "meta_ads", "profile_id": "111", "slice": "all"}


def load(api: ModuleType, level: Level, *rows: MetricRow, grain: Grain = Grain.DAY, **more: Any) -> None:
    """A newer pull of the profile 111, whole on the days of its rows."""
    found = PullRows()
    for row in rows:
        found.offer(row)
    days = [date.fromisoformat(row.day) for row in rows]
    common: dict[str, Any] = {"stamp": Stamp(T1.replace("T00", "T01"), "t2"), "complete": True, "source": Source.PULL}
    window = Window(min(days), max(days))
    pull = Pull(META, "111", level, grain, slice="all", window=window, **common | more)
    api.app.metrics.load(pull, found)


def account(day: str, spend: int, hour: int = -1, conversions: int | None = 0) -> MetricRow:
    return MetricRow("111", day, 1000, 10, conversions, spend, 0, hour=hour, currency="EUR")


def retrieved(call: Call, data_type: str, **more: Any) -> dict[str, Any]:
    """The result for the profile 111 on the two days, or on others."""
    start, end = more.pop("days", tuple(DAYS.values()))
    filters = {"profile_id": "111", "date_range": {"start": start, "end": end}}
    body = {"data_type": data_type, "filters": filters, **more}
    result: dict[str, Any] = call("POST", "/api/v1/data_pipeline/retrieve", body, scopes="read")["result"]
    return result


def test_records_add_up_to_the_account_and_say_what_they_rest_on(call: Call, api: ModuleType) -> None:
    fill(api)
    load(api, Level.ACCOUNT, account("2026-11-01", 3_000_000), account("2026-11-02", 2_469_134))

    result = retrieved(call, "campaign_performance")

    first, rest = [record for record in result["records"] if record["date"] == "2026-11-01"]
    assert (first["campaign_id"], first["spend"]) == ("c1", 2.469134)
    assert (rest["campaign_id"], rest["unattributed"], rest["spend"], rest["impressions"]) == (
        None,
        True,
        0.530866,
        -1000,
    )
    # the campaigns themselves were not pulled, their ads answer
    assert [(day["date"], day["missing"], day["settled"], day["live"]) for day in result["coverage"]] == [
        (day, [GONE], False, False) for day in DAYS.values()
    ]
    assert result["warnings"] == []


def test_today_is_answered_by_its_hours_on_request(call: Call, api: ModuleType) -> None:
    fill(api)
    row = MetricRow("c1", "2026-11-20", 10, 1, None, 2_000_000, None, "c1", hour=7, currency="EUR")
    load(api, Level.CAMPAIGN, row, grain=Grain.HOUR)
    today = ("2026-11-20", "2026-11-20")

    assert retrieved(call, "campaign_performance", days=today)["records"] == []
    result = retrieved(call, "campaign_performance", days=today, include_live=True)

    (record,) = result["records"]
    assert (record["spend"], record["live"], record["conversions"]) == (2, True, None)
    assert record["unknown"] == {"conversions": 1, "revenue": 1}
    assert [day["live"] for day in result["coverage"]] == [True]
    body = {
        "time_range": {"start_date": today[0], "end_date": today[1]},
        "metrics": [{"name": "spend"}, {"name": "cpa"}],
        "include_live": True,
    }
    report = call("POST", "/api/v1/reports", body)
    assert report["data"] == [{"currency": "EUR", "spend": 2, "cpa": None, "unknown": {"conversions": 1}, "live": True}]
    assert report["totals"] == [{"currency": "EUR", "spend": 2, "cpa": None, "unknown": {"conversions": 1}}]


def test_a_report_says_how_it_adds_up(call: Call, api: ModuleType) -> None:
    fill(api)
    load(api, Level.ACCOUNT, account("2026-11-01", 3_000_000), account("2026-11-02", 2_469_134))
    body = {"time_range": DAYS, "metrics": [{"name": "spend"}], "dimensions": [{"name": "ad"}]}
    segment = {"name": "account", "values": ["111"]}

    report = call("POST", "/api/v1/reports", body | {"segments": [segment]})

    (adjusted,) = report["adjustments"]
    assert adjusted["currency"] == "EUR"
    assert adjusted["spend"] == {
        "shown": 5.469134,
        "raw": 4.938268,
        "held": 0,
        "kept": 0,
        "unattributed": 0.530866,
        "quarantined": 0,
        "overridden": 0,
        "cleaned": 0,
        "converted": 0,
    }
    assert [row for row in report["data"] if row["ad"] is None] == [
        {"ad": None, "currency": "EUR", "spend": 0.530866, "unattributed": True}
    ]
    page = call("POST", "/api/v1/reports", body | {"segments": [segment], "format": "html"})
    assert "<td>unattributed</td>" in page
    assert "How the numbers add up" in page
    assert "0 of 2 days are settled, pulled 2026-11-20T00:00:00.000000Z or later." in page
    text = call("POST", "/api/v1/reports", body | {"segments": [segment], "format": "markdown"})
    assert "| unattributed | EUR | 0.530866 |" in text
    assert "## How the numbers add up" in text
    table = call("POST", "/api/v1/reports", body | {"segments": [segment], "format": "csv"})
    assert table.splitlines()[-1] == ",EUR,0.530866"


def test_a_breakdown_that_does_not_exist_is_refused_with_what_exists(call: Call) -> None:
    dimensions = [{"name": "age"}, {"name": "country"}]
    body = {"time_range": DAYS, "metrics": [{"name": "spend"}], "dimensions": dimensions}

    error = call("POST", "/api/v1/reports", body, expect=422)["error"]

    assert "ad by age and gender" in error["details"][0]["known"]


def test_coverage_is_listed_page_by_page(call: Call, api: ModuleType) -> None:
    fill(api)
    query = {"platform": "facebook", "data_type": "ad_performance", "start": "2026-11-01", "end": "2026-11-03"}

    first = call("GET", "/api/v1/coverage", limit="4", **query)
    rest = call("GET", "/api/v1/coverage", limit="4", next_token=first["next_token"], **query)

    entries = [*first["coverage"], *rest["coverage"]]
    assert [(entry["profile_id"], entry["date"], entry["missing"]) for entry in entries] == [
        (profile_id, day, missing)
        for profile_id in ("111", "222")
        for day, missing in (("2026-11-01", []), ("2026-11-02", []), ("2026-11-03", ["all"]))
    ]
    assert entries[0]["slices"] == [{"slice": "all", "pulled_at": T1, "task_id": "t1", "definition": ""}]
    assert (len(first["coverage"]), rest["next_token"]) == (4, None)


def test_coverage_is_filtered_by_either_kind_of_account(call: Call, api: ModuleType) -> None:
    fill(api, "acc_1")

    def listed(**query: str) -> set[str]:
        return {entry["profile_id"] for entry in call("GET", "/api/v1/coverage", limit="500", **query)["coverage"]}

    assert listed(account_id="acc_1") == {"111", "222"}
    assert listed(account_id="222") == {"222"}
    assert listed(profile_id="111") == {"111"}
    assert listed(platform="amazon") == set()
    error = call("GET", "/api/v1/coverage", data_type="weather", expect=422)["error"]
    assert "ad_performance" in error["details"][0]["known"]


def test_an_ad_account_of_an_unknown_time_zone_hurts_no_other(call: Call, api: ModuleType) -> None:
    fill(api)
    lost = Profile(account_id="acc", platform=META, profile_id="999", name="n", currency="USD", timezone="Mars/Olympus")
    api.app.catalog.put_objects([lost], T1)
    named = ["meta_ads 999 is left out: its time zone 'Mars/Olympus' is unknown"]
    body = {"data_type": "ads", "filters": {"date_range": {"start": "2026-11-01", "end": "2026-11-02"}}}

    result = call("POST", "/api/v1/data_pipeline/retrieve", body)["result"]
    report = call("POST", "/api/v1/reports", {"time_range": DAYS, "metrics": [{"name": "clicks"}]})

    assert (len(result["records"]), result["warnings"]) == (4, named)
    assert (report["data"], report["warnings"]) == ([{"clicks": 120}], named)
    assert call("GET", "/api/v1/coverage")["warnings"] == named


def test_the_restatement_of_an_ad_account_is_measured_from_its_pulls(call: Call, api: ModuleType) -> None:
    """Given a day of which half was known in the morning after, when its options say that it settles soon."""
    fill(api)
    for on, spend in (("2026-11-02", 1_000_000), ("2026-11-12", 2_000_000)):
        load(api, Level.ACCOUNT, account("2026-11-01", spend), stamp=Stamp(f"{on}T06:00:00.000000Z", f"t-{on}"))
    assert call("GET", "/api/v1/restatement", account_id="111")["restatement"][0]["days"] == 0  # not settled yet
    change = {"options": {"lookback_days": 7, "settles_after_days": 14}}
    changed = call("PATCH", "/api/v1/profiles/meta/111", change)["changed"]
    assert {(each["option"], each["applies"]) for each in changed} == {
        ("lookback_days", "next_run"),
        ("settles_after_days", "next_run"),
    }

    (found,) = call("GET", "/api/v1/restatement", account_id="111", start="2026-11-01", end="2026-11-02")["restatement"]

    assert (found["days"], found["lookback_days"], found["settles_after_days"]) == (1, 7, 14)
    assert [(each["after_days"], each["spend"]) for each in found["known"][9:11]] == [(10, 0.5), (11, 1)]
    assert (found["final_after_days"]["spend"], found["client_account_id"]) == (11, "acc")
    call("GET", "/api/v1/restatement", account_id="111", start="2026-11-02", end="2026-11-01", expect=422)


def test_a_measurement_of_too_many_loads_says_so(call: Call, api: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(api)
    load(api, Level.ACCOUNT, account("2026-10-01", 1_000_000))
    monkeypatch.setattr(limits, "MAX_CHANGES_FILES", 0)
    error = call("GET", "/api/v1/restatement", account_id="111", start="2026-10-01", end="2026-10-02", expect=422)
    assert "fewer days" in error["error"]["message"]
