"""What every platform's stand-in keeps: its own errors, its own folder, its place in the sandbox."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from werkzeug.wrappers import Response

from sandbox.platforms import DESCRIBED, FOLDERS, STRANGERS, everyone, platform_urls, stand_ins
from sandbox.platforms.base import PlatformApi, StandIn
from sandbox.server import PlatformServer
from sandbox.web import PlatformRequest, json_answer
from sandbox.world.catalog import Advertiser, Company, Holdings, WorldProfile
from sandbox.world.traits import Channel, Restatement, Traits
from support.platform_server import owner, running

SANDBOX = Path(__file__).parents[2] / "sandbox"


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with running() as started:
        yield started


def meta(server: PlatformServer, method: str, path: str, **params: str) -> requests.Response:
    company, profile = owner(server, "meta_ads")
    asked = {"access_token": company.credentials["meta_ads"]["access_token"]} | params
    return requests.request(
        method, f"{server.url}/v26.0/{path.format(act=f'act_{profile.id}')}", params=asked, timeout=5
    )


def amazon(server: PlatformServer, method: str, path: str, **params: str) -> requests.Response:
    company, profile = owner(server, "amazon_ads")
    credential = company.credentials["amazon_ads"]
    form = {name: credential[name] for name in ("client_id", "client_secret", "refresh_token")}
    token = requests.post(f"{server.url}/auth/o2/token", form | {"grant_type": "refresh_token"}, timeout=5).json()
    headers = {
        "Authorization": f"Bearer {token['access_token']}",
        "Amazon-Advertising-API-ClientId": credential["client_id"],
        "Amazon-Advertising-API-Scope": profile.id,
    }
    return requests.request(method, f"{server.url}/{path}", params=params, headers=headers, timeout=5)


# -- unknown routes and methods --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "code", "kind"),
    [
        ("GET", "{act}/no_such_edge", 2500, "OAuthException"),
        ("GET", "me/permissions", 100, "OAuthException"),
        ("DELETE", "{act}", 100, "GraphMethodException"),
        ("DELETE", "{act}/insights", 100, "GraphMethodException"),
        ("GET", "nobody", 100, "GraphMethodException"),
    ],
)
def test_meta_answers_an_unknown_route_or_method_with_its_own_error(
    server: PlatformServer, method: str, path: str, code: int, kind: str
) -> None:
    answer = meta(server, method, path)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (400, code, kind)
    assert "x-app-usage" in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "status", "key"),
    [
        ("GET", "sp/no/such", 404, "details"),
        ("POST", "portfolios/budget/usage", 404, "details"),
        ("GET", "sp/campaigns/list", 405, "details"),
        ("PUT", "reporting/reports", 405, "detail"),
        ("GET", "reporting/reports/nobody", 404, "detail"),
    ],
)
def test_amazon_answers_an_unknown_route_or_method_with_its_own_error(
    server: PlatformServer, method: str, path: str, status: int, key: str
) -> None:
    answer = amazon(server, method, path)
    assert answer.status_code == status
    assert set(answer.json()) == {"code", key}


def test_a_token_is_asked_for_before_a_route_is_called_unknown(server: PlatformServer) -> None:
    assert requests.get(f"{server.url}/v26.0/act_1/no_such_edge", timeout=5).json()["error"]["code"] == 2500
    assert requests.get(f"{server.url}/sp/no/such", timeout=5).json()["code"] == "UNAUTHORIZED"


def test_a_path_of_no_platform_is_not_found_unless_the_host_is_a_platform_s_own(server: PlatformServer) -> None:
    lost = requests.get(f"{server.url}/nobody", timeout=5)
    hers = requests.get(f"{server.url}/nobody", headers={"Host": "advertising-api-eu.amazon.com"}, timeout=5)
    assert (lost.status_code, lost.json()) == (404, {"error": "no platform has the path /nobody"})
    assert hers.json() == {"code": "UNAUTHORIZED", "details": "HTTP 401 Unauthorized"}


# -- questions that clients really ask -------------------------------------------------------------------------------


@pytest.mark.parametrize("edge", ["ads", "adsets", "campaigns"])
def test_a_filter_on_a_time_takes_unix_seconds(server: PlatformServer, edge: str) -> None:
    field = {"ads": "ad", "adsets": "adset", "campaigns": "campaign"}[edge] + ".updated_time"

    def later_than(seconds: int) -> int:
        condition = {"field": field, "operator": "GREATER_THAN", "value": seconds}
        answer = meta(server, "GET", f"{{act}}/{edge}", filtering=json.dumps([condition]), limit="500")
        assert answer.status_code == 200, answer.text
        return len(answer.json()["data"])

    assert later_than(0) > 0
    assert later_than(4_000_000_000) == 0


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("{act}/ads", {"filtering": '{"field": "ad.id"}'}),
        ("{act}/ads", {"filtering": "[1]"}),
        ("{act}/ads", {"filtering": '[{"field": "ad.updated_time", "operator": "LESS_THAN", "value": "soon"}]'}),
        ("{act}/insights", {"time_ranges": "{}"}),
        ("{act}/insights", {"filtering": '[{"field": "spend", "operator": "GREATER_THAN", "value": "NaN"}]'}),
        ("{act}/insights", {"limit": "²"}),
    ],
)
def test_a_parameter_of_the_wrong_kind_is_meta_s_error_100(
    server: PlatformServer, path: str, params: dict[str, str]
) -> None:
    answer = meta(server, "GET", path, **params)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)


def test_spend_is_compared_in_the_currency_s_units(server: PlatformServer) -> None:
    asked = {"level": "ad", "fields": "ad_id,spend", "limit": "500", "time_increment": "1", "date_preset": "yesterday"}
    every = [float(row["spend"]) for row in meta(server, "GET", "{act}/insights", **asked).json()["data"]]
    middle = sorted(every)[len(every) // 2]
    condition = json.dumps([{"field": "ad.spend", "operator": "GREATER_THAN", "value": str(middle)}])
    some = meta(server, "GET", "{act}/insights", **asked, filtering=condition).json()["data"]
    assert sorted(float(row["spend"]) for row in some) == sorted(spend for spend in every if spend > middle)


def test_ad_accounts_come_with_their_account_id_unless_fields_are_named(server: PlatformServer) -> None:
    _, profile = owner(server, "meta_ads")
    expected = {"id": f"act_{profile.id}", "account_id": profile.id}
    assert meta(server, "GET", "me/adaccounts").json()["data"] == [expected]


def test_a_creative_has_no_insights(server: PlatformServer) -> None:
    _, profile = owner(server, "meta_ads")
    creative = profile.ads()[0][2].creative["id"]
    error = meta(server, "GET", f"{creative}/insights").json()["error"]
    assert (error["code"], "nonexisting field (insights)" in error["message"]) == (100, True)


def test_a_start_index_that_is_not_a_number_is_refused(server: PlatformServer) -> None:
    assert amazon(server, "GET", "sd/campaigns", startIndex="abc").status_code == 400


# -- switches --------------------------------------------------------------------------------------------------------


def test_a_switch_that_a_platform_does_not_have_is_refused(server: PlatformServer) -> None:
    body = {"kind": "require_proof", "platform": "amazon_ads"}
    answer = requests.post(f"{server.url}/_world/switches", json=body, timeout=5)
    assert answer.status_code == 400
    assert "expired_token" in answer.json()["error"]


def test_a_slow_answer_concerns_the_ad_account_that_it_names(server: PlatformServer) -> None:
    _, profile = owner(server, "meta_ads")
    body = {"kind": "slow_answer", "profile_id": f"act_{profile.id}", "seconds": 0.01}
    requests.post(f"{server.url}/_world/switches", json=body, timeout=5)
    amazon(server, "GET", "v2/profiles")
    meta(server, "GET", "{act}")
    (switch,) = server.outside.switches.listing()
    assert switch["used"] == 1


def test_a_proxy_s_page_comes_instead_of_an_answer_of_the_paths_that_it_names(server: PlatformServer) -> None:
    switch = {"kind": "proxy_page", "platform": "meta_ads", "path": "/insights", "status": 502, "times": 1}
    server.outside.switches.turn_on(switch)

    answers = [meta(server, "GET", path) for path in ("{act}", "{act}/insights", "{act}/insights")]

    assert [(answer.status_code, answer.headers["Content-Type"].partition(";")[0]) for answer in answers] == [
        (200, "application/json"),
        (502, "text/html"),
        (200, "application/json"),
    ]


def test_half_an_answer_is_a_connection_that_ends(server: PlatformServer) -> None:
    server.outside.switches.turn_on({"kind": "half_answer", "platform": "meta_ads", "times": 1})

    with pytest.raises(requests.exceptions.RequestException):
        meta(server, "GET", "{act}/insights")

    assert meta(server, "GET", "{act}/insights").status_code == 200


# -- the house -------------------------------------------------------------------------------------------------------


def test_each_platform_with_a_connector_is_one_folder_and_one_line_of_the_registry() -> None:
    folders = {path.parent.name for path in SANDBOX.glob("platforms/*/__init__.py")}
    connected = {path.parent.name for path in SANDBOX.parent.glob("layers/core/adweir/platforms/*/client.py")}
    assert folders & connected == set(FOLDERS)
    assert len({stand_in.platform for stand_in in stand_ins()}) == len(FOLDERS)
    assert set(platform_urls("http://127.0.0.1:1")) == {*DESCRIBED, *(stand_in.platform for stand_in in stand_ins())}


def test_what_adweir_does_not_know_is_in_no_total_and_no_setting() -> None:
    # given
    strangers = {stand_in.platform for stand_in in everyone() if not stand_in.known}
    assert strangers == set(STRANGERS)

    # when
    with running() as server:
        accounts: list[dict[str, Any]] = requests.get(f"{server.url}/_world/credentials", timeout=5).json()["accounts"]
        asked = {"level": "account", "start": "2026-11-20", "end": "2026-11-20"}
        by_default = requests.get(f"{server.url}/_world/truth", asked, timeout=5).json()["rows"]
        by_name = [
            requests.get(f"{server.url}/_world/truth", asked | {"platform": name}, timeout=5).json()["rows"]
            for name in strangers
        ]

    # then
    known = {stand_in.platform for stand_in in stand_ins()}
    assert all(set(account["profile_ids"]) == known for account in accounts)
    assert all({name.partition(":")[0] for name in account["credentials"]} <= known for account in accounts)
    assert all(set(account["elsewhere"]) == strangers for account in accounts)
    assert {row["platform"] for row in by_default} == known
    assert all(by_name)


def test_no_file_outside_a_platform_s_folder_names_it() -> None:
    folders = {*FOLDERS, *STRANGERS}
    names = {*folders, *(stand_in.platform for stand_in in everyone())}
    html_s_own, botocore_s_own = r"(?!\s+charset)", r"(?<!self\.)(?<!client\.)"
    word = re.compile(rf"\b{botocore_s_own}({'|'.join(names)})\b{html_s_own}", re.IGNORECASE)
    of_tools = {*folders, "exports"}  # files of tools are about platforms, each in its own file
    files = [path for path in SANDBOX.rglob("*.py") if path.parent.name not in of_tools]
    named = {f"{path.relative_to(SANDBOX)}: {found}" for path in files for found in word.findall(path.read_text())}
    assert named == {f"platforms/__init__.py: {folder}" for folder in folders}


def test_the_documentation_names_every_switch_and_every_door(server: PlatformServer) -> None:
    # given
    named = set(re.findall(r"^\| `([^`]+)` \|", (SANDBOX.parent / "docs/sandbox.md").read_text(), re.MULTILINE))

    # when
    overview = server.control.overview()

    # then
    assert named == {*overview["switch_kinds"], *overview["doors"]}


class ToyApi(PlatformApi):
    """Answers with whatever was asked."""

    def handle(self, request: PlatformRequest) -> Response:
        fault = self.outside.switches.take("hiccup", "toy_ads", self.profile_id(request))
        return json_answer({"path": request.path}, 200 if fault is None else 500)

    def profile_id(self, request: PlatformRequest) -> str:
        return request.args.get("advertiser", "")


def toy_holdings(seed: int, advertiser: Advertiser) -> Holdings:
    traits = Traits(Restatement(growth=((1, 1000), (0, 500)), corrections=()), Channel(0, 1, 0))
    profile = WorldProfile(
        "toy_ads", f"toy-{advertiser.key}", advertiser.name, "EUR", "Europe/Berlin", "DE", 1000, {"": 30}, traits, ()
    )
    return Holdings((profile,), {"toy_ads": {"token": str(seed)}, "toy_ads:second": {"token": "other"}})


def toy_secrets(company: Company, seed: int) -> dict[str, str]:
    return {"toy_secret": f"{company.key} {seed}"}


TOY = StandIn(
    platform="toy_ads",
    hosts=("api.toy.example",),
    paths=re.compile(r"/toy/"),
    api=ToyApi,
    base_urls=lambda url: {"api": f"{url}/toy"},
    holdings=toy_holdings,
    id_prefix="toy-id:",
    switches={"hiccup": "answers 500"},
    webhook_secrets=toy_secrets,
    doors={"toy/call": lambda outside, body: {"seed": outside.world.seed, **body}},
)


def test_a_stand_in_is_all_that_another_platform_needs() -> None:
    with running([*stand_ins(), TOY]) as server:
        # when
        accounts: list[dict[str, Any]] = requests.get(f"{server.url}/_world/credentials", timeout=5).json()["accounts"]
        switch = {"kind": "hiccup", "profile_id": "toy-id:toy-mori", "times": 1}
        kinds = requests.post(f"{server.url}/_world/switches", json=switch, timeout=5).json()["kinds"]
        seen = [
            requests.get(f"{server.url}/toy/any", {"advertiser": who}, timeout=5).status_code
            for who in ("toy-halden", "toy-mori", "toy-mori")
        ]
        called = requests.post(f"{server.url}/_world/toy/call", json={"a": 1}, timeout=5).json()
        by_host = requests.get(f"{server.url}/v2/toys", headers={"Host": "api.toy.example"}, timeout=5).json()

    # then
    assert accounts[0]["credentials"]["toy_ads"] == {"platform": "toy_ads", "token": "7"}
    assert accounts[0]["credentials"]["toy_ads:second"] == {"platform": "toy_ads", "label": "second", "token": "other"}
    assert accounts[1]["profile_ids"]["toy_ads"] == ["toy-mori"]
    assert accounts[1]["webhooks"]["toy_secret"] == "mori 7"
    assert kinds["hiccup"] == "toy_ads: answers 500"
    assert seen == [200, 500, 200]
    assert called == {"seed": 7, "a": 1}
    assert by_host == {"path": "/v2/toys"}
