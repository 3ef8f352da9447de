"""The sandbox's Microsoft Advertising: tokens, accounts, and how it refuses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.platforms.microsoft_ads import STAND_IN
from sandbox.server import PlatformServer
from support.microsoft_caller import PLATFORM, MicrosoftCaller, codes
from support.platform_server import running

CAMPAIGNS = "CampaignManagement/v13/Campaigns/QueryByAccountId"
SEARCH = "CustomerManagement/v13/Accounts/Search"


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    with running([STAND_IN], awkward=True) as started:
        yield started


@pytest.fixture(autouse=True)
def _well_behaved(server: PlatformServer) -> Iterator[None]:
    yield
    server.outside.switches.clear()


@pytest.fixture(scope="module")
def halden(server: PlatformServer) -> MicrosoftCaller:
    return MicrosoftCaller(server, "halden")


# -- tokens -----------------------------------------------------------------------------------------------------------


def test_a_refresh_token_gives_an_access_token_and_its_successor_while_it_stays_valid(halden: MicrosoftCaller) -> None:
    first = halden.log_in().json()
    assert (first["token_type"], first["expires_in"]) == ("Bearer", 3600)
    assert first["refresh_token"] != halden.secrets["refresh_token"]
    assert halden.log_in(refresh_token=first["refresh_token"]).status_code == 200
    assert halden.log_in().status_code == 200


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"refresh_token": "M.C5other"}, 400, "invalid_grant"),
        ({"scope": "openid"}, 400, "invalid_grant"),
        ({"scope": None}, 400, "invalid_grant"),
        ({"client_id": "00000000-0000-4000-8000-000000000000"}, 400, "unauthorized_client"),
        ({"client_secret": "other"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"tenant": "elsewhere"}, 400, "invalid_request"),
    ],
)
def test_the_token_endpoint_says_what_is_wrong(
    halden: MicrosoftCaller, changes: dict[str, Any], status: int, error: str
) -> None:
    answer = halden.log_in(**changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"].startswith("AADSTS")


def test_a_public_application_must_not_send_a_secret(server: PlatformServer) -> None:
    kestrel = MicrosoftCaller(server, "kestrel")
    assert "client_secret" not in kestrel.secrets
    assert kestrel.log_in(client_secret="any").json()["error"] == "invalid_request"


def test_an_application_of_one_tenant_is_found_there_alone(server: PlatformServer) -> None:
    lumen = MicrosoftCaller(server, "lumen")
    assert lumen.log_in(tenant=lumen.secrets["tenant"]).status_code == 200
    assert lumen.log_in(tenant="common").json()["error_codes"] == [50194]


def test_an_access_token_ends_after_an_hour(halden: MicrosoftCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"AccountId": halden.profile.id}
    assert halden.ask(CAMPAIGNS, asked).status_code == 200
    now = time.time()
    monkeypatch.setattr("sandbox.platforms.microsoft_ads.login.time.time", lambda: now + 3700)
    late = halden.ask(CAMPAIGNS, asked)
    assert (late.status_code, codes(late)) == (401, [109])


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": "Bearer none"}, 401, 105),
        ({"Authorization": "none"}, 400, 116),
        ({"Authorization": None}, 400, 116),
        ({"DeveloperToken": "OTHER"}, 401, 105),
        ({"DeveloperToken": None}, 400, 116),
        ({"CustomerAccountId": None}, 400, 1030),
        ({"CustomerAccountId": "1"}, 403, 106),
        ({"CustomerId": "1"}, 403, 106),
        ({"CustomerId": None}, 400, 116),
    ],
)
def test_headers_are_checked(halden: MicrosoftCaller, headers: dict[str, str | None], status: int, code: int) -> None:
    answer = halden.ask(CAMPAIGNS, {"AccountId": halden.profile.id}, **headers)
    assert (answer.status_code, codes(answer)) == (status, [code])


@pytest.mark.parametrize(
    ("switch", "status", "code"),
    [
        ({"kind": "throttle"}, 429, 117),
        ({"kind": "throttle", "code": 207}, 400, 207),
        ({"kind": "server_error"}, 500, 0),
        ({"kind": "access_denied"}, 403, 106),
        ({"kind": "revoked_credential"}, 401, 105),
    ],
)
def test_a_switch_makes_the_platform_refuse(
    server: PlatformServer, halden: MicrosoftCaller, switch: dict[str, Any], status: int, code: int
) -> None:
    server.outside.switches.turn_on({**switch, "platform": PLATFORM, "profile_id": halden.profile.id})
    answer = halden.ask(CAMPAIGNS, {"AccountId": halden.profile.id})
    assert (answer.status_code, codes(answer)) == (status, [code])


def test_an_expired_token_is_replaced_by_a_new_one(server: PlatformServer) -> None:
    mori = MicrosoftCaller(server, "mori")
    switch = {"kind": "expired_token", "platform": PLATFORM, "profile_id": mori.profile.id}
    assert mori.session.post(f"{server.url}/_world/switches", json=switch, timeout=5).status_code == 200
    assert codes(mori.ask(CAMPAIGNS, {"AccountId": mori.profile.id})) == [109]
    token = mori.log_in().json()["access_token"]
    assert mori.ask(CAMPAIGNS, {"AccountId": mori.profile.id}, Authorization=f"Bearer {token}").status_code == 200


def test_an_unknown_path_and_a_wrong_method_are_refused(halden: MicrosoftCaller) -> None:
    assert halden.ask("CampaignManagement/v13/Nothing/Query", {}).status_code == 404
    assert halden.session.get(f"{halden.server.url}/{CAMPAIGNS}", timeout=5).status_code == 405
    assert codes(halden.ask(CAMPAIGNS, [])) == [100]


# -- customers --------------------------------------------------------------------------------------------------------


def test_the_user_has_one_role_per_customer(server: PlatformServer) -> None:
    kestrel = MicrosoftCaller(server, "kestrel")
    found = kestrel.ask("CustomerManagement/v13/User/Query", {"UserId": None}).json()
    owners = list(dict.fromkeys(one.customer for one in kestrel.user.accounts))
    assert found["User"]["Id"] == kestrel.user.id
    assert [role["CustomerId"] for role in found["CustomerRoles"]] == owners
    assert len(owners) == 2


def test_accounts_are_found_by_the_user_page_by_page_with_their_own_time_zones(server: PlatformServer) -> None:
    kestrel = MicrosoftCaller(server, "kestrel")
    asked = {"Predicates": [{"Field": "UserId", "Operator": "Equals", "Value": kestrel.user.id}]}

    def page(index: int) -> list[dict[str, Any]]:
        body = asked | {"PageInfo": {"Index": index, "Size": 1}}
        return list(kestrel.ask(SEARCH, body, CustomerId=None, CustomerAccountId=None).json()["Accounts"])

    first, second, third = page(0), page(1), page(2)
    assert [one["Id"] for one in first + second] == [one.id for one in kestrel.user.accounts]
    assert third == []
    assert [(one["CurrencyCode"], one["TimeZone"]) for one in first] == [("JPY", "OsakaSapporoTokyo")]
    assert kestrel.profile.timezone == "UTC"


@pytest.mark.parametrize(
    "changes",
    [
        {"Predicates": []},
        {"Predicates": [{"Field": "UserId", "Operator": "Contains", "Value": "6120"}]},
        {"Predicates": [{"Field": "AccountName", "Operator": "Contains", "Value": "Hal"}]},
        {"PageInfo": {"Index": 0, "Size": 1001}},
        {"PageInfo": None},
    ],
)
def test_a_search_that_is_not_as_documented_is_refused(halden: MicrosoftCaller, changes: dict[str, Any]) -> None:
    asked = {
        "Predicates": [{"Field": "UserId", "Operator": "Equals", "Value": halden.user.id}],
        "PageInfo": {"Index": 0, "Size": 10},
    }
    assert halden.ask(SEARCH, asked).status_code == 200
    refused = halden.ask(SEARCH, asked | changes)
    assert (refused.status_code, codes(refused)) == (400, [100])
    assert "ErrorCode" not in refused.json()["OperationErrors"][0]


def test_accounts_in_brief_and_one_account(halden: MicrosoftCaller) -> None:
    brief = halden.ask("CustomerManagement/v13/AccountsInfo/Query", {}).json()["AccountsInfo"]
    whole = halden.ask("CustomerManagement/v13/Account/Query", {"AccountId": halden.profile.id}).json()["Account"]
    assert [one["Id"] for one in brief] == [whole["Id"]] == [halden.profile.id]
    assert codes(halden.ask("CustomerManagement/v13/Account/Query", {"AccountId": "1"})) == [106]


# -- campaigns --------------------------------------------------------------------------------------------------------


def test_campaigns_are_those_of_search_unless_more_types_are_asked_for(halden: MicrosoftCaller) -> None:
    def types(**more: str) -> list[str]:
        found = halden.listed("Campaigns/QueryByAccountId", AccountId=halden.profile.id, **more)
        return [one["CampaignType"] for one in found]

    assert types() == ["Search", "Search"]
    assert types(CampaignType="Shopping,PerformanceMax") == ["Shopping", "PerformanceMax"]
    assert len(types(CampaignType="Search Shopping Audience PerformanceMax")) == len(halden.profile.campaigns)


def test_nothing_that_is_deleted_is_listed(server: PlatformServer) -> None:
    kestrel = MicrosoftCaller(server, "kestrel")
    every = "Search,Shopping,Audience,PerformanceMax"
    listed = kestrel.listed("Campaigns/QueryByAccountId", AccountId=kestrel.profile.id, CampaignType=every)
    gone = next(one for one in kestrel.profile.campaigns if one.status == "DELETED")
    assert gone.id not in {one["Id"] for one in listed}
    assert len(listed) == len(kestrel.profile.campaigns) - 1
    refused = kestrel.ask("CampaignManagement/v13/AdGroups/QueryByCampaignId", {"CampaignId": gone.id})
    assert codes(refused) == [1100]


def test_lists_go_from_campaigns_to_ads_and_keywords(halden: MicrosoftCaller) -> None:
    campaign, group = halden.profile.campaigns[0], halden.profile.campaigns[0].groups[0]
    groups = halden.listed("AdGroups/QueryByCampaignId", CampaignId=campaign.id)
    texts = halden.listed("Ads/QueryByAdGroupId", AdGroupId=group.id, AdTypes=["ExpandedText"])
    words = halden.listed("Keywords/QueryByAdGroupId", AdGroupId=int(group.id))
    assert [one["Id"] for one in groups] == [one.id for one in campaign.groups]
    assert [one["Id"] for one in texts] == [ad.id for ad in group.ads if ad.creative["type"] == "ExpandedText"]
    assert [f"{group.id}~{one['Id']}" for one in words] == [word.id for word in group.keywords]
    whole = next(one for one in halden.profile.campaigns if one.product == "PerformanceMax")
    assert halden.listed("AdGroups/QueryByCampaignId", CampaignId=whole.id) == []


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("Campaigns/QueryByAccountId", {"AccountId": "1"}, 1102),
        ("Campaigns/QueryByAccountId", {"CampaignType": "Dreams"}, 100),
        ("AdGroups/QueryByCampaignId", {"CampaignId": "1"}, 1100),
        ("Ads/QueryByAdGroupId", {"AdGroupId": "1", "AdTypes": ["Text"]}, 1201),
        ("Ads/QueryByAdGroupId", {"AdTypes": []}, 100),
        ("Keywords/QueryByAdGroupId", {"AdGroupId": "abc"}, 1201),
    ],
)
def test_a_list_of_what_is_not_there_is_refused(
    halden: MicrosoftCaller, path: str, body: dict[str, Any], code: int
) -> None:
    known = {"AccountId": halden.profile.id, "AdGroupId": halden.profile.campaigns[0].groups[0].id}
    assert codes(halden.ask(f"CampaignManagement/v13/{path}", known | body)) == [code]


def test_a_list_may_have_a_status_that_nobody_knows(server: PlatformServer, halden: MicrosoftCaller) -> None:
    server.outside.switches.turn_on({"kind": "new_value", "platform": PLATFORM, "times": 1})
    first, *others = halden.listed("Campaigns/QueryByAccountId", AccountId=halden.profile.id)
    assert (first["Status"], {one["Status"] for one in others}) == ("Dreaming", {"Active"})
