"""Who may read what in the sandbox's Google Ads: tokens, versions, managers, customers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from support.google_caller import GoogleCaller, column, google

NAME = "SELECT customer.id, customer.manager, customer.status, customer.test_account FROM customer"
TREE = """SELECT customer_client.id, customer_client.level, customer_client.manager, customer_client.hidden,
    customer_client.test_account, customer_client.status FROM customer_client"""


@pytest.fixture
def caller() -> Iterator[GoogleCaller]:
    with google() as made:
        yield made


@pytest.fixture(scope="module")
def awkward() -> Iterator[GoogleCaller]:
    """Only read: a company with two customers, one of which the user has access to directly."""
    with google("kestrel", awkward=True) as made:
        yield made


# -- tokens ----------------------------------------------------------------------------------------------------------


def test_a_refresh_token_becomes_an_access_token_and_is_not_returned(caller: GoogleCaller) -> None:
    answer = caller.token()
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"access_token", "expires_in", "scope", "token_type"}
    assert (body["expires_in"], body["token_type"]) == (3599, "Bearer")
    assert body["scope"] == "https://www.googleapis.com/auth/adwords"


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"refresh_token": "1//dead"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_token_request_that_is_wrong_is_refused_as_oauth_says(
    caller: GoogleCaller, changed: dict[str, str], status: int, error: str
) -> None:
    answer = caller.token(**changed)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_the_token_endpoint_reads_a_form(caller: GoogleCaller) -> None:
    body = {**caller.secret, "grant_type": "refresh_token"}
    answer = requests.post(f"{caller.server.url}/token", json=body, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_revoked_refresh_token_is_an_invalid_grant_and_its_access_tokens_die(caller: GoogleCaller) -> None:
    caller.server.outside.switches.turn_on({"kind": "revoked_credential", "platform": "google_ads"})
    answer = caller.token()
    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
    assert caller.refusal(caller.ask(NAME)) == (401, "authenticationError", "OAUTH_TOKEN_REVOKED")


def test_an_access_token_that_has_expired_is_renewed_by_a_refresh(caller: GoogleCaller) -> None:
    switch = {"kind": "expired_token", "platform": "google_ads"}
    requests.post(f"{caller.server.url}/_world/switches", json=switch, timeout=5)
    expired = caller.refusal(caller.ask(NAME))
    caller.headers["Authorization"] = f"Bearer {caller.token().json()['access_token']}"
    assert expired == (401, "authenticationError", "OAUTH_TOKEN_EXPIRED")
    assert caller.ask(NAME).status_code == 200


def test_a_token_that_nobody_has_is_refused(caller: GoogleCaller) -> None:
    good = caller.headers["Authorization"]
    for token in ("Bearer x", f"{good}0", "Bearer ya29.halden.1.0"):
        caller.headers["Authorization"] = token
        assert caller.refusal(caller.ask(NAME)) == (401, "authenticationError", "OAUTH_TOKEN_INVALID")


def test_a_request_without_a_token_is_unauthenticated(caller: GoogleCaller) -> None:
    url = f"{caller.server.url}/v26/customers:listAccessibleCustomers"
    answer = requests.get(url, timeout=5)
    assert answer.status_code == 401
    assert answer.json()["error"]["status"] == "UNAUTHENTICATED"


# -- versions and routes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "status", "kind"),
    [("v26", 200, "json"), ("v23", 200, "json"), ("v22", 400, "json"), ("v16", 404, "html"), ("v27", 404, "html")],
)
def test_versions_are_answered_until_their_end(caller: GoogleCaller, version: str, status: int, kind: str) -> None:
    url = f"{caller.server.url}/{version}/customers:listAccessibleCustomers"
    answer = requests.get(url, headers=caller.headers, timeout=5)
    assert answer.status_code == status
    assert kind in answer.headers["Content-Type"]
    if status == 400:
        assert caller.refusal(answer) == (400, "requestError", "UNSUPPORTED_VERSION")


def test_an_unknown_path_or_method_gets_no_json(caller: GoogleCaller) -> None:
    for method, path in (("GET", f"customers/{caller.profile.id}/googleAds:search"), ("POST", "customers/1/campaigns")):
        answer = requests.request(method, f"{caller.server.url}/v26/{path}", headers=caller.headers, timeout=5)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=UTF-8")


def test_each_answer_names_its_request(caller: GoogleCaller) -> None:
    whole, refused = caller.ask(NAME), caller.ask("SELECT nothing FROM customer")
    assert whole.headers["request-id"] != refused.headers["request-id"]
    assert refused.json()["error"]["details"][0]["requestId"] == refused.headers["request-id"]


# -- managers and customers ------------------------------------------------------------------------------------------


def test_only_accounts_that_the_user_has_access_to_directly_are_listed(awkward: GoogleCaller) -> None:
    first, second = awkward.company.on("google_ads")
    assert second.id in awkward.listed()
    assert first.id not in awkward.listed()


def test_a_manager_answers_all_accounts_below_it_and_itself_at_level_0(awkward: GoogleCaller) -> None:
    # when
    rows = awkward.rows(TREE, customer=awkward.root)

    # then
    clients = {row["customerClient"]["id"]: row["customerClient"] for row in rows}
    first, second = awkward.company.on("google_ads")
    assert len(clients) == len(rows)
    assert clients[awkward.root]["level"] == "0"
    assert [clients[profile.id]["level"] for profile in (first, second)] == ["2", "2"]
    assert {c["status"] for c in clients.values()} == {"ENABLED", "CANCELED"}
    assert sum(c["manager"] for c in clients.values()) == 3
    assert any(c["hidden"] for c in clients.values())


def test_a_customer_answers_itself_alone(awkward: GoogleCaller) -> None:
    assert column(awkward.rows(TREE), "customer_client.id") == [awkward.profile.id]


def test_a_test_account_is_closed_has_a_manager_of_its_own_and_no_numbers(awkward: GoogleCaller) -> None:
    # given
    test_root = awkward.listed()[-1]

    # when
    rows = awkward.rows(TREE, customer=test_root, login=test_root)

    # then
    accounts = [row["customerClient"] for row in rows]
    assert {(a["testAccount"], a["status"]) for a in accounts} == {(True, "CLOSED")}
    (tested,) = [a["id"] for a in accounts if not a["manager"]]
    query = "SELECT segments.date, metrics.impressions FROM customer WHERE segments.date DURING LAST_30_DAYS"
    assert awkward.rows(query, customer=tested, login=test_root) == []


def test_a_cancelled_account_is_in_the_manager_s_list_and_cannot_be_read(awkward: GoogleCaller) -> None:
    rows = awkward.rows(f"{TREE} WHERE customer_client.status = 'CANCELED'", customer=awkward.root)
    answer = awkward.ask(NAME, customer=rows[0]["customerClient"]["id"])
    assert awkward.refusal(answer) == (403, "authorizationError", "CUSTOMER_NOT_ENABLED")


def test_no_developer_token_is_needed_and_one_that_is_sent_is_ignored(caller: GoogleCaller) -> None:
    caller.headers["developer-token"] = "no such token"
    assert caller.ask(NAME).status_code == 200


@pytest.mark.parametrize(
    ("login", "refusal"),
    [
        ("1234567890", (403, "authorizationError", "USER_PERMISSION_DENIED")),
        ("", (403, "authorizationError", "USER_PERMISSION_DENIED")),
        ("482-011-7365", (400, "headerError", "INVALID_LOGIN_CUSTOMER_ID")),
    ],
)
def test_a_customer_is_read_through_the_manager_that_the_user_signs_in_to(
    caller: GoogleCaller, login: str, refusal: tuple[int, str, str]
) -> None:
    assert caller.refusal(caller.ask(NAME, login=login)) == refusal
    assert caller.ask(NAME).status_code == 200


def test_a_manager_between_the_root_and_the_customer_is_no_way_in(awkward: GoogleCaller) -> None:
    managers = awkward.rows(f"{TREE} WHERE customer_client.level = 1", customer=awkward.root)
    between = next(row["customerClient"]["id"] for row in managers if row["customerClient"]["manager"])
    assert awkward.refusal(awkward.ask(NAME, login=between))[2] == "USER_PERMISSION_DENIED"


def test_an_account_with_direct_access_is_read_with_the_manager_and_without(awkward: GoogleCaller) -> None:
    second = awkward.company.on("google_ads")[1].id
    answers = [awkward.rows(NAME, customer=second, login=login) for login in ("", second, None)]
    assert answers[0] == answers[1] == answers[2] != []


def test_another_company_s_customer_may_not_be_read(awkward: GoogleCaller) -> None:
    other = GoogleCaller(awkward.server, "halden").profile.id
    assert awkward.refusal(awkward.ask(NAME, customer=other))[2] == "USER_PERMISSION_DENIED"


def test_a_customer_id_with_dashes_is_invalid(caller: GoogleCaller) -> None:
    assert caller.refusal(caller.ask(NAME, customer="482-011-7365")) == (400, "requestError", "INVALID_CUSTOMER_ID")


def test_a_manager_has_no_metrics_and_no_campaigns(caller: GoogleCaller) -> None:
    # when
    refused = caller.ask("SELECT metrics.clicks FROM customer", customer=caller.root)

    # then
    assert caller.refusal(refused) == (400, "queryError", "REQUESTED_METRICS_FOR_MANAGER")
    assert caller.rows("SELECT campaign.id FROM campaign", customer=caller.root) == []
    (row,) = caller.rows(NAME, customer=caller.root)
    assert row["customer"]["manager"] is True
