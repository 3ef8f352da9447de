"""Cross-platform campaigns and their arms through the API: made, bound, changed, listed and deleted."""

from __future__ import annotations

import json
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.campaigns import Arm, Binding, Campaign
from adweir.model.deeds import Wanted
from adweir.model.entities import Profile
from adweir.model.errors import Conflict, Unprocessable
from support.api import META, Call, an_event, fill
from support.aws_calls import AwsCalls
from support.bounds import at_the_bound, refuses

PATH = "/api/v1/campaigns"
SUMMER = {"name": "Summer", "budget": 12000.5, "start_date": "2026-11-01", "end_date": "2026-12-31"}
C1 = {"platform": "facebook", "profile_id": "111", "campaign_id": "c1"}
A1, A2 = ({"profile_id": "111", "ad_id": ad} for ad in ("a1", "a2"))
TERMS: Any = {"name": "Main", "currency": "EUR", "timezone": "UTC"}


@pytest.fixture
def world(api: ModuleType) -> ModuleType:
    """A client with two ad accounts, and another without any."""
    api.app.catalog.create_account("acc_own", "Own Company", "a@own.example")
    api.app.catalog.create_account("acc_rival", "Rival Company", "a@rival.example")
    fill(api, "acc_own")
    return api


def made(call: Call, body: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = call("POST", PATH, {"account_id": "acc_own", **SUMMER, **(body or {}), **more}, expect=201)
    return found


def arm(call: Call, campaign: dict[str, Any], *bindings: dict[str, str], **more: Any) -> dict[str, Any]:
    body = {"platform": "meta", "bindings": bindings, **more}
    found: dict[str, Any] = call("POST", f"{PATH}/{campaign['campaign_id']}/arms", body, expect=201)
    return found


def test_a_campaign_and_its_arms_are_made_read_changed_and_deleted(world: ModuleType, call: Call) -> None:
    campaign = made(call, bindings=[C1])
    one = arm(call, campaign, A1, channel="feed", creative="beach", bid=0.35)
    where, arms = f"{PATH}/{campaign['campaign_id']}", f"{PATH}/{campaign['campaign_id']}/arms"

    assert {name: campaign[name] for name in SUMMER} == SUMMER
    assert (campaign["status"], campaign["currency"], campaign["version"]) == ("active", "EUR", 1)
    (bound,) = campaign["bindings"]
    assert bound == {**C1, "platform": "meta_ads", "level": "campaign", "ad_group_id": None, "ad_id": None}
    assert call("GET", where) == campaign | {"arms": 1, "version": 2, "updated_at": one["updated_at"]}
    assert call("GET", PATH)["campaigns"] == [call("GET", where)]
    assert (one["platform"], one["bid"], one["bindings"][0]["campaign_id"]) == ("meta_ads", 0.35, "c1")
    assert one["arm_id"].startswith(campaign["campaign_id"].replace("cmp_", "arm_"))
    assert call("GET", arms)["arms"] == [one]

    changed = call("PATCH", where, {"budget": None, "status": "paused", "end_date": None})
    assert (changed["budget"], changed["status"], changed["end_date"]) == (None, "paused", None)
    assert (changed["name"], changed["bindings"], changed["version"]) == ("Summer", [bound], 3)
    again = call("PATCH", f"{arms}/{one['arm_id']}", {"bindings": [A2], "creative": "lake"})
    assert [each["ad_id"] for each in again["bindings"]] == ["a2"]
    assert (again["creative"], again["channel"], again["version"]) == ("lake", "feed", 4)

    assert call("DELETE", f"{arms}/{one['arm_id']}")["status"] == "deleted"
    call("PATCH", f"{arms}/{one['arm_id']}", {"name": "x"}, expect=404)
    assert call("DELETE", where) == {"campaign_id": campaign["campaign_id"], "arms": 0, "status": "deleted"}
    for method, path in (("GET", where), ("DELETE", where), ("GET", arms)):
        assert "GET /api/v1/campaigns lists" in call(method, path, expect=404)["error"]["message"]
    assert call("GET", PATH)["campaigns"] == []


def test_who_changed_what_is_in_the_audit(world: ModuleType, call: Call) -> None:
    campaign = made(call)
    one = arm(call, campaign, A1)
    call("PATCH", f"{PATH}/{campaign['campaign_id']}", {"budget": 7.25})
    call("DELETE", f"{PATH}/{campaign['campaign_id']}/arms/{one['arm_id']}")
    call("DELETE", f"{PATH}/{campaign['campaign_id']}")

    deeds, _ = world.app.ledger.audit.page(10, "", Wanted(account_id="acc_own"))

    found = {deed.action: deed for deed in deeds}
    assert {action: deed.subject for action, deed in found.items()} == {
        "create campaign": campaign["campaign_id"],
        "create arm": one["arm_id"],
        "change campaign": campaign["campaign_id"],
        "delete arm": one["arm_id"],
        "delete campaign": campaign["campaign_id"],
    }
    assert {deed.who for deed in deeds} == {"k1"}
    assert found["change campaign"].changes == (("budget", "12000.5", "7.25"),)
    assert ("bindings", None, "ad a1 of meta_ads 111") in found["create arm"].changes


@pytest.mark.parametrize(
    ("binding", "field", "said"),
    [
        ({"campaign_id": "c1"}, "platform", "is required"),
        ({"platform": "meta"}, "profile_id", "is required"),
        ({"platform": "myspace", "campaign_id": "c1"}, "platform", "unknown platform"),
        ({"platform": "meta", "profile_id": "999"}, "profile_id", "GET /api/v1/profiles"),
        ({"platform": "tiktok", "campaign_id": "c1"}, "platform", "has no ad account"),
        ({"platform": "meta", "profile_id": "111", "campaign_id": "c7"}, "campaign_id", "is unknown here"),
        ({"platform": "meta", "campaign_id": "c1"}, "campaign_id", "is not unique here"),
        ({"platform": "meta", "profile_id": "111", "ad_group_id": "g2", "ad_id": "a1"}, "ad_id", "is unknown here"),
        ({"platform": "meta", "profile_id": "111", "campaign_id": "c2", "ad_id": "a1"}, "ad_id", "is unknown here"),
    ],
)
def test_what_cannot_be_bound_is_named_and_nothing_is_stored(
    world: ModuleType, call: Call, binding: dict[str, str], field: str, said: str
) -> None:
    body = {"account_id": "acc_own", "name": "x", "bindings": [C1, binding]}

    error = call("POST", PATH, body, expect=422)["error"]

    assert [each["field"] for each in error["details"]] == [f"bindings[1].{field}"]
    assert said in error["details"][0]["message"]
    assert call("GET", PATH)["campaigns"] == []


def test_an_object_belongs_to_one_campaign_and_one_arm(world: ModuleType, call: Call) -> None:
    """Given a campaign with an arm that has a part of it, what would count a number twice is refused."""
    summer = made(call, bindings=[C1])
    one = arm(call, summer, A1)
    winter = made(call, name="Winter")

    refused: Any = (
        (f"{PATH}/{winter['campaign_id']}", {"bindings": [C1]}),
        (f"{PATH}/{winter['campaign_id']}", {"bindings": [{"platform": "meta", **A2}]}),
        (f"{PATH}/{winter['campaign_id']}", {"bindings": [{"platform": "meta", "profile_id": "111"}]}),
        (f"{PATH}/{summer['campaign_id']}", {"bindings": [C1, {"platform": "meta", **A2}]}),
    )
    for path, body in refused:
        error = call("PATCH", path, body, expect=409)["error"]
        assert "would count twice" in error["message"], body
    for campaign, whose in ((summer, one["arm_id"]), (winter, summer["campaign_id"])):
        again = {"platform": "meta", "bindings": [A1]}
        said = call("POST", f"{PATH}/{campaign['campaign_id']}/arms", again, expect=409)["error"]["message"]
        assert f"{whose} is bound to" in said
    arm(call, summer, A2)
    arm(call, winter, {"profile_id": "222", "ad_id": "a1"})
    call("DELETE", f"{PATH}/{summer['campaign_id']}")
    arm(call, winter, A1)
    assert call("GET", f"{PATH}/{winter['campaign_id']}")["arms"] == 2


def test_an_arm_is_of_one_platform_which_need_not_be_connected(world: ModuleType, call: Call) -> None:
    campaign = made(call)
    radio = arm(call, campaign, platform="radio")
    where = f"{PATH}/{campaign['campaign_id']}/arms"

    assert (radio["platform"], radio["bindings"]) == ("radio", [])
    details = call("PATCH", f"{where}/{radio['arm_id']}", {"bindings": [C1]}, expect=422)["error"]["details"]
    assert "another platform is another arm" in details[0]["message"]
    call("PATCH", f"{where}/{radio['arm_id']}", {"platform": "tiktok"}, expect=422)
    call("POST", where, {"platform": "No Platform!"}, expect=422)
    call("PATCH", f"{where}/{radio['arm_id']}", {}, expect=422)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"budget": -1},
        {"budget": 0.0000001},
        {"budget": 10**13},
        {"currency": "euro"},
        {"start_date": "tomorrow"},
        {"end_date": "2026-10-31"},
        {"status": "removed"},
        {"colour": "red"},
        {"account_id": "acc_nobody"},
        {"account_id": ""},
    ],
)
def test_what_is_wrong_is_refused(world: ModuleType, call: Call, wrong: dict[str, Any]) -> None:
    call("POST", PATH, {"account_id": "acc_own", **SUMMER, **wrong}, expect=422)
    assert call("GET", PATH)["campaigns"] == []


def test_a_change_of_another_version_than_was_read_is_refused(world: ModuleType, call: Call) -> None:
    campaign = made(call)
    where = f"{PATH}/{campaign['campaign_id']}"
    one = arm(call, campaign)

    assert "version 2 by now" in call("PATCH", where, {"name": "B", "version": 1}, expect=409)["error"]["message"]
    assert call("PATCH", where, {"name": "B", "version": 2})["version"] == 3
    call("PATCH", f"{where}/arms/{one['arm_id']}", {"name": "C", "version": 2}, expect=409)
    call("DELETE", f"{where}/arms/{one['arm_id']}", version="2", expect=409)
    call("DELETE", f"{where}/arms/{one['arm_id']}", version="3")


def test_two_who_bind_the_same_at_once_do_not_both_succeed(world: ModuleType) -> None:
    """Given two campaigns, whoever is second decides by what the first has stored meanwhile."""
    catalog, binding = world.app.catalog, Binding(platform=META, profile_id="111", campaign_id="c1")
    for name in ("cmp_a", "cmp_b"):
        catalog.create_campaign(Campaign(campaign_id=name, account_id="acc_own", name=name))

    def bind(was: Campaign) -> Campaign:
        if not catalog.campaign("cmp_b").bindings:
            catalog.change_campaign("cmp_b", lambda other: other.model_copy(update={"bindings": (binding,)}))
        return was.model_copy(update={"bindings": (binding,)})

    with pytest.raises(Conflict, match="would count twice"):
        catalog.change_campaign("cmp_a", bind)
    assert catalog.campaign("cmp_a").bindings == ()


def test_lists_have_pages(world: ModuleType, call: Call) -> None:
    ids = sorted(made(call, name=f"c{n}")["campaign_id"] for n in range(3))
    call("DELETE", f"{PATH}/{ids[1]}")
    for query in ({}, {"account_id": "acc_own"}):
        seen, token = [], ""
        while token is not None:
            page = call("GET", PATH, limit="1", **query, **({"next_token": token} if token else {}))
            seen += [each["campaign_id"] for each in page["campaigns"]]
            token = page["next_token"]
        assert seen == [ids[0], ids[2]]
    assert call("GET", PATH, account_id="acc_rival")["campaigns"] == []
    call("GET", PATH, next_token="x", expect=400)


def test_a_limited_key_has_the_campaigns_of_its_clients(world: ModuleType, call: Call) -> None:
    def ask(method: str, path: str, body: Any = None, accounts: str = "acc_rival") -> tuple[int, Any]:
        event = an_event(method, path, body, "read write")
        event["requestContext"]["authorizer"]["lambda"]["accounts"] = accounts
        answer = world.handler(event, SimpleNamespace())
        return answer["statusCode"], json.loads(answer["body"])

    campaign = made(call)
    one = arm(call, campaign, A1)
    where = f"{PATH}/{campaign['campaign_id']}"

    assert ask("GET", PATH)[1]["campaigns"] == []
    for method, path, body in (
        ("GET", where, None),
        ("PATCH", where, {"name": "Mine"}),
        ("DELETE", where, None),
        ("GET", f"{where}/arms", None),
        ("POST", f"{where}/arms", {"platform": "meta"}),
        ("PATCH", f"{where}/arms/{one['arm_id']}", {"name": "Mine"}),
        ("DELETE", f"{where}/arms/{one['arm_id']}", None),
    ):
        assert ask(method, path, body)[0] == 404, (method, path)
    assert ask("POST", PATH, {"name": "x", "account_id": "acc_own"})[0] == 422
    assert ask("POST", PATH, {"name": "x", "bindings": [C1]})[0] == 422
    mine = ask("POST", PATH, {"name": "x"})[1]
    assert mine["account_id"] == "acc_rival"
    assert [each["campaign_id"] for each in ask("GET", PATH)[1]["campaigns"]] == [mine["campaign_id"]]
    assert ask("PATCH", where, {"name": "Ours"}, "acc_own")[1]["name"] == "Ours"


def test_reports_records_and_lists_take_campaigns_and_arms(world: ModuleType, call: Call) -> None:
    """Given two days of two ads, each 1.234567 a day in each of two ad accounts, and a campaign with one ad account."""
    campaign = made(call, bindings=[C1])
    one = arm(call, campaign, A1)
    asked = {"time_range": {"start_date": "2026-11-01", "end_date": "2026-11-02"}, "metrics": [{"name": "spend"}]}
    segment = {"name": "campaign", "values": [campaign["campaign_id"]]}

    by_arm = asked | {"dimensions": [{"name": "arm"}], "segments": [segment]}
    report = call("POST", "/api/v1/reports", by_arm)
    assert {row["arm"]: row["spend"] for row in report["data"]} == {one["arm_id"]: 2.469134, None: 2.469134}
    assert report["totals"] == [{"currency": "EUR", "spend": 4.938268}]
    filters = {"campaign_id": campaign["campaign_id"], "date_range": {"start": "2026-11-01", "end": "2026-11-02"}}
    for data_type, key, known in (
        ("ad_performance", "ad_id", ["a1", "a1", "a2", "a2"]),
        ("ads", "ad_id", ["a1", "a2"]),
    ):
        body = {"data_type": data_type, "filters": filters}
        found = call("POST", "/api/v1/data_pipeline/retrieve", body)["result"]["records"]
        assert sorted(row[key] for row in found) == known
        assert {row["account_id"] for row in found} == {"111"}
    exported = by_arm | {"format": "csv"}
    assert one["arm_id"] in call("POST", "/api/v1/reports", exported)
    for name, value in (("campaign_id", "cmp_nobody"), ("arm", "arm_nobody")):
        wrong = asked | {"segments": [{"name": name, "values": [value]}]}
        assert "GET /api/v1/campaigns" in call("POST", "/api/v1/reports", wrong, expect=422)["error"]["message"]
    event = an_event("POST", "/api/v1/reports", by_arm, "read")
    event["requestContext"]["authorizer"]["lambda"]["accounts"] = "acc_rival"
    assert world.handler(event, SimpleNamespace())["statusCode"] == 422


def test_names_of_arms_take_as_many_requests_however_many_clients_there_are(world: ModuleType, call: Call) -> None:
    one = arm(call, made(call), A1, name="Beach")
    dimensions = {"dimensions": [{"name": "arm"}], "segments": [{"name": "arm", "values": [one["arm_id"]]}]}
    days = {"time_range": {"start_date": "2026-11-01", "end_date": "2026-11-02"}}
    body = dimensions | days | {"metrics": [{"name": "spend"}], "names": True}
    calls = AwsCalls()
    with calls.counting():
        for about, more in (("few", 0), ("many", 4)):
            for number in range(more):
                world.app.catalog.create_account(f"acc_{number}", "Another Company", "a@another.example")
                profile = Profile(account_id=f"acc_{number}", platform=META, profile_id=f"9{number}", **TERMS)
                world.app.catalog.put_objects([profile], "2026-11-20T00:00:02.000000Z")
            calls.about = about
            (row,) = call("POST", "/api/v1/reports", body)["data"]
            calls.about = ""
            assert row["arm_name"] == "Beach"
    assert calls.of("dynamodb", "few") == calls.of("dynamodb", "many")


# --- bounds


def bound(count: int) -> tuple[Binding, ...]:
    return tuple(Binding(platform=META, profile_id="111", campaign_id=f"c{n}") for n in range(count))


@at_the_bound("MAX_CAMPAIGNS", as_if=2)
def test_the_campaigns_of_a_client(world: ModuleType, size: int, fits: bool) -> None:
    with refuses(Conflict, fits=fits):
        for n in range(size):
            world.app.campaigns.create("acc_own", {"name": f"c{n}"})


@at_the_bound("MAX_KEPT_CAMPAIGNS", as_if=2)
def test_the_campaigns_that_a_client_has_had(world: ModuleType, size: int, fits: bool) -> None:
    with refuses(Conflict, fits=fits):
        for n in range(size):
            world.app.campaigns.delete(world.app.campaigns.create("acc_own", {"name": f"c{n}"}).campaign_id)


@at_the_bound("MAX_CAMPAIGN_ARMS")
def test_the_arms_of_a_campaign(world: ModuleType, size: int, fits: bool) -> None:
    arms = tuple(Arm(arm_id=f"arm_{n}", platform=META) for n in range(size))
    with refuses(Unprocessable, fits=fits):
        world.app.catalog.create_campaign(Campaign(campaign_id="cmp_a", account_id="acc_own", name="a", arms=arms))


@at_the_bound("MAX_CAMPAIGN_BINDINGS")
def test_what_a_campaign_and_its_arms_are_bound_to(world: ModuleType, size: int, fits: bool) -> None:
    own, its = bound(size)[:10], bound(size)[10:]
    arms = (Arm(arm_id="arm_a", platform=META, bindings=its),)
    fresh = Campaign(campaign_id="cmp_a", account_id="acc_own", name="a", arms=arms, bindings=own)
    with refuses(Unprocessable, fits=fits):
        world.app.catalog.create_campaign(fresh)


@at_the_bound("MAX_CAMPAIGN_BYTES")
def test_a_campaign_as_json(world: ModuleType, size: int, fits: bool) -> None:
    fresh = Campaign(campaign_id="cmp_a", account_id="acc_own", name="", created_at="x" * 27, updated_at="x" * 27)
    named = "n" * (size - len(json.dumps(fresh.model_dump(mode="json"))))
    with refuses(Unprocessable, fits=fits):
        world.app.catalog.create_campaign(fresh.model_copy(update={"name": named}))
    assert limits.MAX_CAMPAIGN_BYTES == 200_000
