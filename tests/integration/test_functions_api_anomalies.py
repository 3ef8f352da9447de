"""Anomalies through the API: listed, narrowed, shown, and said to be expected."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from adweir.insight.anomalies.incidents import Incident
from adweir.insight.anomalies.watched import EntityState, WatchSettings
from adweir.model.entities import Profile
from adweir.model.platforms import Platform
from adweir.store.findings.anomalies import LearnedEntity, WatchMark
from support.api import Call, an_event

FACTS = {
    "metric": "spend",
    "date": "2026-10-15",
    "value": "12.5",
    "expected": "100.25",
    "z": "-6.5",
    "threshold": "3.5",
    "basis": "robust",
    "severity": "critical",
}


def incident(number: int, day: str, **fields: Any) -> Incident:
    common: dict[str, Any] = {
        "id": f"ano_{day.replace('-', '')}{number:016x}",
        "account_id": "acc_1",
        "platform": "meta_ads",
        "profile_id": "1",
        "level": "account",
        "entity_id": "1",
        "currency": "EUR",
        "first_day": day,
        "last_day": day,
        "days": [day],
        "detected_at": "2026-11-20T06:00:00.000000Z",
        "metrics": [FACTS],
        "version": 1,
    }
    return Incident(**common | fields)


@pytest.fixture
def stored(api: ModuleType) -> list[Incident]:
    found = [
        incident(1, "2026-10-15"),
        incident(2, "2026-10-31", platform="google_ads", state="over"),
        incident(3, "2026-11-02", account_id="acc_2"),
    ]
    for each in found:
        assert api.app.findings.anomalies.put(asdict(each))
    return found


def test_anomalies_are_listed_newest_first_page_by_page(call: Call, stored: list[Incident]) -> None:
    days: list[str] = []
    token = ""
    for _ in stored:
        more = {"next_token": token} if token else {}
        answer = call("GET", "/api/v1/anomalies", start="2026-10-01", end="2026-11-30", limit="1", **more)
        days += [each["first_day"] for each in answer["anomalies"]]
        token = answer["next_token"]
    assert days == ["2026-11-02", "2026-10-31", "2026-10-15"]
    assert token is None


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"account_id": "acc_2"}, ["2026-11-02"]),
        ({"platform": "google"}, ["2026-10-31"]),
        ({"state": "over"}, ["2026-10-31"]),
        ({"severity": "info"}, []),
        ({"end": "2026-10-20"}, ["2026-10-15"]),
    ],
)
def test_a_list_is_narrowed(call: Call, stored: list[Incident], asked: dict[str, str], expected: list[str]) -> None:
    found = call("GET", "/api/v1/anomalies", **{"start": "2026-10-01", "end": "2026-11-30"} | asked)
    assert [each["first_day"] for each in found["anomalies"]] == expected


def test_those_of_an_arm_are_its_own_and_those_that_it_shows_as_a_part(
    api: ModuleType, call: Call, stored: list[Incident]
) -> None:
    part = FACTS | {"level": "arm", "entity_id": "arm_1"}
    more = [
        incident(4, "2026-10-16", level="arm", entity_id="arm_1"),
        incident(5, "2026-10-17", level="campaign", entity_id="c1", parts=[part], parts_total=1),
    ]
    for each in more:
        assert api.app.findings.anomalies.put(asdict(each))

    found = call("GET", "/api/v1/anomalies", start="2026-10-01", end="2026-11-30", entity_id="arm_1")

    assert [each["first_day"] for each in found["anomalies"]] == ["2026-10-17", "2026-10-16"]
    assert call("GET", "/api/v1/anomalies", start="2026-10-01", entity_id="arm_2")["anomalies"] == []


def test_one_is_shown_in_words_and_an_unknown_one_is_named(call: Call, stored: list[Incident]) -> None:
    shown = call("GET", f"/api/v1/anomalies/{stored[0].id}")
    assert shown["says"].startswith("Spend of the ad account 1 fell to 12.50 EUR on 2026-10-15; about 100.2")
    assert (shown["severity"], shown["metrics"][0]["z"]) == ("critical", "-6.5")
    for unknown in ("ano_2026101500", "ano_x", "other"):
        call("GET", f"/api/v1/anomalies/{unknown}", expect=404)


def test_what_was_expected_raises_its_series_once_until_it_is_taken_back(
    api: ModuleType, call: Call, stored: list[Incident]
) -> None:
    store, path = api.app.findings.anomalies, f"/api/v1/anomalies/{stored[0].id}/feedback"
    for _ in range(2):
        said = call("POST", path, {"expected": True, "note": "a sale"})
    assert (said["state"], said["feedback"]["note"]) == ("expected", "a sale")
    assert store.watches.expected("meta_ads#1") == {"account#1": {"spend": [stored[0].id]}}

    said = call("POST", path, {"expected": False})

    assert (said["state"], said["feedback"]["expected"]) == ("open", False)
    assert store.watches.expected("meta_ads#1") == {}


def test_arriving_numbers_are_scored_by_what_was_learned_and_nothing_is_stored(api: ModuleType, call: Call) -> None:
    store, state, first = api.app.findings.anomalies, EntityState(), date(2026, 9, 1)
    for number in range(40):
        slot = (10_000 + 37 * (number % 5), 200, 10_000_000, 100_000_000 + 900_000 * (number % 4), 300_000_000)
        state.learn(first + timedelta(days=number), slot, WatchSettings(), {})
    store.watches.put("meta_ads#1", WatchMark(build=1, through="2026-10-10"))
    store.entities.put("meta_ads#1", LearnedEntity("account", "1", 1, "2026-10-10", state.to_json()))
    asked = {"platform": "meta", "profile_id": "1", "date": "2026-10-11"}
    terms = {"name": "n", "currency": "EUR", "timezone": "UTC"}
    known = Profile(account_id="acc_1", platform=Platform("meta_ads"), profile_id="1", **terms)
    api.app.catalog.put_objects([known], "2026-11-20T00:00:00.000000Z")

    far, usual, unknown = (
        call("POST", "/api/v1/anomalies/check", asked | more)
        for more in ({"metrics": {"spend": 900}}, {"metrics": {"spend": 101}}, {"metrics": {"spend": 9}, "level": "ad"})
    )

    assert (far["provisional"], far["learned_through"]) == (True, "2026-10-10")
    assert [(each["metric"], each["anomaly"]) for each in far["results"]] == [("spend", True)]
    assert [each["anomaly"] for each in usual["results"]] == [False]
    assert unknown["results"][0]["note"] == "insufficient_history"
    assert [one.state for one in store.entities.all("meta_ads#1", 1)] == [state.to_json()]
    mistyped = asked | {"profile_id": "l", "metrics": {"spend": 9}}
    assert (
        "there is no ad account l" in call("POST", "/api/v1/anomalies/check", mistyped, expect=404)["error"]["message"]
    )


def test_a_limited_key_sees_and_answers_for_the_anomalies_of_its_accounts_alone(
    api: ModuleType, stored: list[Incident]
) -> None:
    def ask(method: str, path: str, body: Any = None) -> Any:
        days = {"start": "2026-10-01", "end": "2026-11-30"} if path.endswith("anomalies") else {}
        event = an_event(method, path, body, scopes="write", **days)
        event["requestContext"]["authorizer"]["lambda"]["accounts"] = "acc_2"
        answer = api.handler(event, SimpleNamespace())
        return answer["statusCode"], json.loads(answer["body"])

    status, listed = ask("GET", "/api/v1/anomalies")
    assert (status, [each["first_day"] for each in listed["anomalies"]]) == (200, ["2026-11-02"])
    own, other = (f"/api/v1/anomalies/{stored[number].id}" for number in (2, 0))
    assert (ask("GET", own)[0], ask("GET", other)[0]) == (200, 404)
    assert [ask("POST", f"{path}/feedback", {"expected": True})[0] for path in (own, other)] == [200, 404]
    asked = {"platform": "meta", "profile_id": "1", "metrics": {"spend": 9}}
    assert ask("POST", "/api/v1/anomalies/check", asked)[0] == 404
