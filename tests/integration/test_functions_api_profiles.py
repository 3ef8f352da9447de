"""Ad accounts in the API: what they show, and their options."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Annotated, Any, Literal

import pytest

from adweir.model.datasets import Dataset
from adweir.model.messages import Replay
from adweir.model.platforms import Platform
from adweir.platforms import REGISTRY, Platforms
from adweir.platforms.base import Applies, DatasetSpec, PlatformSpec, ProfileOptions, datasets
from support.api import META, T1, Call, fill, sent

PATH = "/api/v1/profiles/meta/111"
T2 = "2026-11-21T00:00:00.000000Z"


class ShopOptions(ProfileOptions):
    basis: Literal["click", "view"] = "click"
    clock: Annotated[Literal["interaction", "conversion"], Applies.REPULL] = "interaction"

    @property
    def definition(self) -> str:
        return "" if self.basis == "click" else "after a view"

    @property
    def part(self) -> str:
        return "by_date" if self.clock == "conversion" else ""


class ShopPlatforms(Platforms):
    """The registry's platforms with options of the test's own."""

    def spec(self, platform: Platform) -> PlatformSpec:
        served = datasets(DatasetSpec(Dataset.AD_DAILY), DatasetSpec(Dataset.AD_BY_COUNTRY_DAILY, on_request=True))
        return replace(super().spec(platform), options=ShopOptions, datasets=served)


@pytest.fixture(autouse=True)
def _shop(api: ModuleType) -> None:
    api.app.__dict__["platforms"] = ShopPlatforms({str(s.name): s.package for s in REGISTRY.specs()})
    fill(api)


def test_an_ad_account_is_shown_with_its_options_and_their_defaults(call: Call) -> None:
    found = call("GET", PATH)

    assert (found["profile_id"], found["credential"], found["definition"]) == ("111", "default", "")
    look_backs = {"lookback_days": None, "settles_after_days": None}
    assert found["options"] == {"datasets": [], **look_backs, "basis": "click", "clock": "interaction"}
    assert found in call("GET", "/api/v1/profiles")["profiles"]
    assert found in call("GET", "/api/v1/profiles", platform="meta")["profiles"]
    assert call("GET", "/api/v1/profiles/meta/999", expect=404)["error"]["details"][0]["field"] == "profile_id"


def test_changed_options_say_what_they_mean_and_how_they_reach_stored_days(call: Call) -> None:
    change = {"options": {"basis": "view", "clock": "conversion", "datasets": ["ad_by_country_daily"]}}

    answer = call("PATCH", PATH, change)

    assert answer["definition"] == "after a view"
    how = {each["option"]: (each["applies"], each["how"].partition(" {")[0]) for each in answer["changed"]}
    assert how == {
        "basis": ("replay", "POST /api/v1/replay"),
        "clock": ("repull", "POST /api/v1/workflows/repull/runs"),
        "datasets": (
            "next_run",
            "the next runs pull what it names; earlier days: POST /api/v1/workflows/backfill/runs",
        ),
    }
    shown = {name: value for name, value in answer.items() if name not in {"changed", "replay"}}
    assert call("GET", PATH) == shown
    assert call("PATCH", PATH, change)["changed"] == []
    assert [each["option"] for each in call("PATCH", PATH, {"options": {"basis": None}})["changed"]] == ["basis"]


def test_a_listing_keeps_what_was_set(call: Call, api: ModuleType) -> None:
    call("PATCH", PATH, {"options": {"basis": "view"}})

    profile = api.app.catalog.profile(META, "111")
    api.app.catalog.put_objects([profile.model_copy(update={"name": "Renamed", "options": {}})], T2)

    found = call("GET", PATH)
    assert (found["name"], found["options"]["basis"], profile.as_of) == ("Renamed", "view", T1)


def test_unknown_options_and_values_are_refused_with_what_is_known(call: Call) -> None:
    answer = call("PATCH", PATH, {"options": {"basis": "purchase", "zzz": 1, "datasets": ["ad_daily"]}}, expect=422)

    details = {fault["field"]: fault["message"] for fault in answer["error"]["details"]}
    assert details == {
        "options.zzz": "is unknown; known: datasets, lookback_days, settles_after_days, basis, clock",
        "options.basis": "Input should be 'click' or 'view'",
    }
    assert call("GET", PATH)["options"]["basis"] == "click"
    call("PATCH", "/api/v1/profiles/meta/999", {"options": {}}, expect=404)
    call("PATCH", PATH, {"options": {"basis": "view"}}, scopes="read", expect=403)


def test_options_of_another_version_do_not_stand_in_the_way_of_a_listing(call: Call, api: ModuleType) -> None:
    api.app.catalog.change_options(META, "111", lambda _options: {"gone": 1})

    assert call("GET", PATH)["options"] == {"gone": 1}
    assert call("PATCH", PATH, {"options": {"basis": "view"}})["options"]["basis"] == "view"


def test_a_replay_is_started_and_followed(call: Call, api: ModuleType) -> None:
    week = {"platform": "facebook", "profile_id": "111", "start": "2026-11-01", "end": "2026-11-07"}

    started = call("POST", "/api/v1/replay", week, expect=202)

    assert started["datasets"] == [
        {"dataset": "ad_daily", "days": 2, "pulls": 1},
        {"dataset": "ad_by_country_daily", "days": 0, "pulls": 0},
    ]
    (message,) = sent(api)
    assert isinstance(message, Replay)
    assert (message.replay_id, message.account_id, message.datasets) == (
        started["replay_id"],
        "acc",
        ("ad_daily", "ad_by_country_daily"),
    )
    found = call("GET", f"/api/v1/replays/{started['replay_id']}")
    assert (found["state"], found["cause"], found["sent"]) == ("running", "replay", 0)
    call("GET", "/api/v1/replays/rpl_unknown", expect=404)
    unknown: list[dict[str, Any]] = [{"profile_id": "999"}, {"account_id": "acc_other"}]
    refused: list[dict[str, Any]] = [
        {"datasets": ["ads"]},
        {"start": "2026-12-01"},
        {"start": "2001-01-01"},
        {"platform": "myspace"},
    ]
    for status, bodies in ((404, unknown), (422, refused)):
        for wrong in bodies:
            call("POST", "/api/v1/replay", week | wrong, expect=status)
    call("POST", "/api/v1/replay", week, scopes="read", expect=403)


def test_options_and_their_replay_in_one_call(call: Call, api: ModuleType) -> None:
    answer = call("PATCH", PATH, {"options": {"basis": "view"}, "replay": True})

    (message,) = sent(api)
    assert isinstance(message, Replay)
    assert answer["replay"]["replay_id"] == message.replay_id
    assert (message.cause, message.start.year, str(message.end)) == ("options", 2021, "2026-11-21")
    again = call("PATCH", PATH, {"options": {"basis": "view"}, "replay": True})
    assert (again["replay"], sent(api)) == (None, [])
    on_request = {"options": {"datasets": ["ad_by_country_daily"]}, "replay": True}
    assert call("PATCH", PATH, on_request)["replay"] is None


def test_given_a_question_that_no_pull_has_asked_when_a_replay_is_wanted_then_none_makes_numbers_unknown(
    call: Call, api: ModuleType
) -> None:
    # when
    answer = call("PATCH", PATH, {"options": {"clock": "conversion", "basis": "view"}, "replay": True})

    # then
    assert (answer["replay"], sent(api)) == (None, [])
    (how,) = [each["how"] for each in answer["changed"] if each["option"] == "clock"]
    assert how.startswith('POST /api/v1/workflows/repull/runs {"scope": {"profiles": ["meta_ads#111"]')
    assert how.endswith("a replay would make conversions and revenue null")

    # and back again the stored answers have it
    back = call("PATCH", PATH, {"options": {"clock": None}, "replay": True})
    assert back["changed"][0]["applies"] == "replay"
    assert [message.replay_id for message in sent(api)] == [back["replay"]["replay_id"]]


def test_a_client_s_own_figures_are_in_the_terms_that_it_sets(api: ModuleType, call: Call) -> None:
    """Given an ad account in euros, then so are its own figures, until the client sets another currency."""
    new = {"company_name": "Acme", "primary_contact_email": "a@example.com"}
    created = call("POST", "/api/v1/accounts", new, expect=201)
    assert (created["currency"], created["timezone"]) == ("USD", "UTC")
    path = f"/api/v1/accounts/{created['account_id']}"
    first = api.app.catalog.profile(META, "111").model_copy(
        update={"profile_id": "0", "account_id": created["account_id"]}
    )
    api.app.catalog.put_objects([first], T1)
    before = call("GET", path)
    assert (before["currency"], before["timezone"]) == ("EUR", "UTC")
    changed = call("PATCH", path, {"currency": "CHF", "timezone": "Europe/Zurich"})
    assert (changed["currency"], changed["timezone"]) == ("CHF", "Europe/Zurich")
    assert changed == call("GET", path)
    assert changed in call("GET", "/api/v1/accounts")["accounts"]
    assert call("PATCH", path, {"currency": "", "timezone": ""}) | {"updated_at": ""} == before | {"updated_at": ""}
    for wrong in ({"timezone": "Mars/Olympus"}, {"currency": "euro"}):
        (name,) = wrong
        assert name in call("PATCH", path, wrong, expect=422)["error"]["details"][0]["field"]
