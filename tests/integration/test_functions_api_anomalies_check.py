"""Numbers that arrive are scored beside settled days: what was learned, the days asked for, or what can be read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from adweir.insight.anomalies.compared import Comparisons
from adweir.insight.anomalies.sources import ProfileDays
from adweir.insight.anomalies.watch import AnomalyWatch, WatchParts
from adweir.insight.anomalies.watched import WatchSettings
from adweir.model import limits
from adweir.model.campaigns import Arm, Binding, Campaign
from adweir.model.entities import Profile
from adweir.model.errors import TooLarge
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.store.findings.anomalies import EntityItem, WatchItem
from adweir.store.metrics.store import PullRows
from support.api import META, Call, an_event
from support.bounds import at_the_bound
from support.outlets import MemoryBus

PATH = "/api/v1/anomalies/check"
FIRST, DAYS = date(2026, 8, 1), 75
LAST = FIRST + timedelta(days=DAYS - 1)
STEP = 50
"""The day on which what is spent became three times as much."""
MAIN = {"platform": "meta", "profile_id": "111"}
TERMS: dict[str, Any] = {"name": "Main", "currency": "EUR", "timezone": "UTC"}
WATCHED = "watched#meta_ads#111"


def row(entity_id: str, number: int, share: float, **more: Any) -> MetricRow:
    """A day: 100 to 103 before the step and three times as much from it on, of all together."""
    spend = round(share * (300 if number >= STEP else 100) * (1 + number % 4 / 100) * 1_000_000)
    day = (FIRST + timedelta(days=number)).isoformat()
    return MetricRow(entity_id, day, spend // 100, spend // 20_000, 0, spend, 0, currency="EUR", **more)


@pytest.fixture
def world(api: ModuleType) -> ModuleType:
    """A client with an ad account of two campaigns, an ad each; an arm has the second, one both, and one nothing."""
    app = api.app
    app.catalog.create_account("acc_own", "Own Company", "a@own.example")
    app.catalog.put_objects([Profile(account_id="acc_own", platform=META, profile_id="111", **TERMS)], T1)
    own = {"campaign_id": "c1"}, {"campaign_id": "c2"}
    ads = own[0] | {"ad_group_id": "g1"}, own[1] | {"ad_group_id": "g2"}
    levels: dict[Level, Sequence[tuple[str, float, dict[str, str]]]] = {
        Level.ACCOUNT: [("111", 1.0, {})],
        Level.CAMPAIGN: [("c1", 0.7, own[0]), ("c2", 0.3, own[1])],
        Level.AD: [("g1~a1", 0.7, ads[0]), ("g2~a2", 0.3, ads[1])],
    }
    for level, entities in levels.items():
        rows = PullRows()
        for number in range(DAYS):
            for name, share, ids in entities:
                rows.offer(row(name, number, share, **ids))
        stamp, window = Stamp(T1, f"t{level}"), Window(FIRST, LAST)
        app.metrics.load(Pull(META, "111", level, Grain.DAY, Source.PULL, "all", window, stamp, complete=True), rows)

    def bind(campaign_id: str = "", profile_id: str = "111") -> Binding:
        return Binding(platform=META, profile_id=profile_id, campaign_id=campaign_id)

    bound = {"one": [bind("c2")], "both": [bind("c1", "222"), bind("c1", "333")], "none": []}
    arms = tuple(Arm(arm_id=f"arm_aa{name:0>8}", platform=META, bindings=tuple(own)) for name, own in bound.items())
    app.catalog.create_campaign(Campaign(campaign_id="cmp_aa", account_id="acc_own", name="Summer", arms=arms))
    return api


T1 = "2026-11-19T00:00:00.000000Z"


def detect(api: ModuleType) -> None:
    """What the function does."""
    parts = WatchParts(api.app.catalog, api.app.queries, api.app.findings.anomalies, MemoryBus(), api.app.clock)
    AnomalyWatch(parts, WatchSettings()).look("acc_own", lambda: 900.0, 60.0)


def scored(answer: dict[str, Any], metric: str = "spend") -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in answer["results"] if each["metric"] == metric)
    return found


@pytest.mark.parametrize(
    ("entity", "share"),
    [
        ({}, 1.0),
        ({"level": "campaign", "entity_id": "c1"}, 0.7),
        ({"level": "ad", "entity_id": "g2~a2"}, 0.3),
        ({"arm_id": "arm_aa00000one"}, 0.3),
    ],
)
def test_a_lookback_compares_with_the_last_settled_days_alone(
    world: ModuleType, call: Call, entity: dict[str, str], share: float
) -> None:
    """Given spend that became three times as much 25 days before the last settled one, when numbers are compared with
    the 20 days before that, the old level is expected; from all days the new one is."""
    named: dict[str, Any] = {} if "arm_id" in entity else {**MAIN}
    asked = named | entity | {"metrics": {"spend": str(300 * share)}}
    before = (FIRST + timedelta(days=STEP)).isoformat()

    far = call("POST", PATH, asked | {"date": before, "lookback_days": 20})
    usual = call("POST", PATH, asked | {"date": "2026-11-20", "lookback_days": 20})

    assert (far["compared_with"], far["provisional"]) == ("lookback", True)
    assert far["learned_through"] == (FIRST + timedelta(days=STEP - 1)).isoformat()
    assert (scored(far)["anomaly"], round(float(scored(far)["expected"]) / share)) in {(True, 101), (True, 102)}
    assert usual["learned_through"] == LAST.isoformat()
    assert (scored(usual)["anomaly"], scored(usual)["note"]) == (False, None)


def test_days_that_are_not_settled_are_not_compared_with(world: ModuleType, call: Call) -> None:
    """Given Meta's 28 days, a lookback ends before them, and so it does where the day itself is one of them."""
    late, spend = LAST + timedelta(days=25), 900
    rows, window = PullRows(), Window(LAST + timedelta(days=1), late)
    for number in range(DAYS, DAYS + 25):
        rows.offer(row("111", number, 9.0))
    pull = Pull(META, "111", Level.ACCOUNT, Grain.DAY, Source.PULL, "all", window, Stamp(T1, "late"), complete=True)
    world.app.metrics.load(pull, rows)

    found = call("POST", PATH, MAIN | {"lookback_days": 14, "metrics": {"spend": spend}})

    assert found["learned_through"] == "2026-10-22"


def test_what_was_learned_and_a_lookback_over_all_days_say_the_same(world: ModuleType, call: Call) -> None:
    asked = {"date": "2026-11-20", "metrics": {"spend": 250, "impressions": 2_500_000, "clicks": 12_000}}
    detect(world)

    for entity in ({}, {"level": "campaign", "entity_id": "c1"}, {"level": "ad", "entity_id": "g1~a1"}):
        learned = call("POST", PATH, MAIN | asked | entity)
        read = call("POST", PATH, MAIN | asked | entity | {"lookback_days": 400})
        assert (learned["compared_with"], read["compared_with"]) == ("learned", "lookback")
        assert learned["results"] == read["results"]
        assert scored(learned)["note"] is None
        assert learned["learned_through"] == read["learned_through"]
    arm = call("POST", PATH, asked | {"arm_id": "arm_aa00000one"})
    campaign = call("POST", PATH, MAIN | asked | {"level": "campaign", "entity_id": "c2"})
    assert arm == campaign


def test_a_day_weeks_ahead_of_the_settled_ones_is_scored_and_the_farther_the_less_surely(
    world: ModuleType, call: Call
) -> None:
    """Given Google's 91 days between the last settled one and the day asked for, three times the spend stands out."""
    detect(world)
    tripled = MAIN | {"metrics": {"spend": 900}}

    found = [call("POST", PATH, tripled | {"date": str(LAST + timedelta(days=ahead))}) for ahead in (1, 36, 92)]

    assert [(scored(each)["anomaly"], scored(each)["note"]) for each in found] == [(True, None)] * 3
    near, later, far = (float(scored(each)["z"]) for each in found)
    assert (near / later, near / far) == pytest.approx(((1 + 35 * 0.04) ** 0.5, (1 + 91 * 0.04) ** 0.5), rel=0.02)
    usual = call("POST", PATH, MAIN | {"date": str(LAST + timedelta(days=92)), "metrics": {"spend": 310}})
    assert (scored(usual)["anomaly"], scored(usual)["note"]) == (False, None)


@at_the_bound("MAX_COMPARED_DAYS")
def test_a_lookback_has_bounds(world: ModuleType, call: Call, size: int, fits: bool) -> None:
    asked = MAIN | {"metrics": {"spend": 1}}
    call("POST", PATH, asked | {"lookback_days": size}, expect=200 if fits else 422)
    call("POST", PATH, asked | {"lookback_days": 13}, expect=422)


@pytest.mark.parametrize("text", ["{", "{}", '{"through":"2026-10-14"}'])
def test_a_damaged_state_is_no_fault_of_the_caller(
    world: ModuleType, call: Call, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Given a state that somebody damaged, settled days are read in its place, and the log says so; then detect
    heals it."""
    detect(world)
    asked = MAIN | {"date": "2026-11-20", "metrics": {"spend": 900}}
    whole = call("POST", PATH, asked)
    EntityItem(WATCHED, "account#111").update([EntityItem.text.set(text)])

    found = call("POST", PATH, asked)

    assert (found["compared_with"], found["learned_through"]) == ("rebuilt", LAST.isoformat())
    assert scored(found) == scored(whole)
    assert "what was learned of account 111 of meta_ads#111: this is no state of an entity" in caplog.text


def test_a_damaged_mark_is_no_fault_of_the_caller(world: ModuleType, call: Call) -> None:
    detect(world)
    WatchItem(WATCHED, "!watch").update([WatchItem.body.set("no mark")])
    asked = MAIN | {"date": "2026-11-20", "metrics": {"spend": 900}}

    assert call("POST", PATH, asked)["compared_with"] == "rebuilt"

    detect(world)
    assert call("POST", PATH, asked)["compared_with"] == "learned"


def test_where_reading_takes_too_long_a_lookback_says_so_and_a_damaged_state_is_a_cold_start(
    world: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    def late() -> None:
        raise TooLarge("the answer takes too long: ask for less at once")

    detect(world)
    app, key = world.app, (Level.ACCOUNT, "111")
    profile = app.catalog.profile(META, "111")
    days = ProfileDays(app.queries.in_one_look(), app.catalog, profile)
    comparisons = Comparisons(app.findings.anomalies, days, WatchSettings(), late)
    assert comparisons.of(key, LAST).by == "learned"
    with pytest.raises(TooLarge):
        comparisons.of(key, LAST, 20)

    EntityItem(WATCHED, "account#111").update([EntityItem.text.set("{")])

    assert comparisons.of(key, LAST).by == "nothing"
    assert "account 111 of meta_ads#111 is compared with nothing: the answer takes too long" in caplog.text


@pytest.mark.parametrize(
    ("asked", "field", "said"),
    [
        ({}, "platform", "is needed where no arm_id is given"),
        ({"platform": "meta"}, "profile_id", "is needed where no arm_id is given"),
        ({"arm_id": "arm_aa00000one", "level": "campaign"}, "level", "is not for arms"),
        ({"arm_id": "arm_aa00000one", "entity_id": "c1"}, "entity_id", "is not for arms"),
        ({"arm_id": "arm_aa00000one", "platform": "google"}, "platform", "is not the arm's, meta_ads"),
        ({"arm_id": "arm_aa00000one", "profile_id": "9"}, "profile_id", "of which the arm has nothing"),
        ({"arm_id": "arm_aa0000both"}, "profile_id", "is needed: the arm is bound in 2 ad accounts, such as 222"),
        ({"arm_id": "arm_aa0000none"}, "arm_id", "is of an arm that is bound to nothing"),
    ],
)
def test_what_names_no_entity_is_refused(
    world: ModuleType, call: Call, asked: dict[str, str], field: str, said: str
) -> None:
    error = call("POST", PATH, asked | {"metrics": {"spend": 1}}, expect=422)["error"]
    assert [each["field"] for each in error["details"]] == [field]
    assert said in error["message"]


def test_an_arm_that_is_not_there_or_of_another_client_is_unknown(world: ModuleType, call: Call) -> None:
    asked = {"metrics": {"spend": 1}, "arm_id": "arm_aa00000one"}
    call("POST", PATH, asked | {"arm_id": "arm_aa000other"}, expect=404)
    event = an_event("POST", PATH, asked, scopes="read")
    event["requestContext"]["authorizer"]["lambda"]["accounts"] = "acc_rival"
    answer = world.handler(event, SimpleNamespace())
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["error"]["details"][0]["field"] == "arm_id"
    assert limits.MAX_COMPARED_DAYS >= 14


@pytest.mark.parametrize("metric", ["impressions", "spend"])
@pytest.mark.parametrize("number", ["1e30", "-1e30", "1e400", "1e999999", "0.0000001"])
def test_a_number_that_no_day_can_have_is_refused(world: ModuleType, call: Call, metric: str, number: str) -> None:
    detect(world)

    answer = call("POST", PATH, MAIN | {"metrics": {metric: number}}, expect=422)

    assert metric in str(answer)


@pytest.mark.parametrize(("metric", "expect"), [("impressions", 422), ("clicks", 422), ("conversions", 200)])
def test_a_part_of_a_count_is_refused_and_not_cut_off(world: ModuleType, call: Call, metric: str, expect: int) -> None:
    detect(world)

    answer = call("POST", PATH, MAIN | {"metrics": {metric: "1.5"}}, expect=expect)

    assert ("whole number" in str(answer)) is (expect == 422)
