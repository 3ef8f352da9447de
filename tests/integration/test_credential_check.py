"""A credential is tried out when it is stored: what it reaches is named, and one that is refused is not stored."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import boto3
import pytest

from adweir.model.entities import Owner, Profile
from adweir.model.platforms import Platform
from adweir.model.times import iso
from adweir.runtime.settings import Settings
from support.api import Call, sent
from support.bounds import at_the_bound
from support.stub_http import Answer, StubServer, serving
from support.stub_http import Call as Asked

META = Platform("meta_ads")
TOKEN = {"platform": "meta", "access_token": "a-token-of-meta"}
REFUSED = {"error": {"message": "Malformed access token a-token-mistyped", "type": "OAuthException", "code": 190}}


def listing(*ids: str, following: str = "") -> Answer:
    found = [
        {"id": f"act_{n}", "account_id": n, "name": f"Shop {n}", "currency": "EUR", "timezone_name": "UTC"} for n in ids
    ]
    return Answer(
        200, {"data": found, "paging": {"cursors": {"after": "x"}} | ({"next": following} if following else {})}
    )


@pytest.fixture
def platform() -> Iterator[StubServer]:
    """Meta and Amazon at one address; a test says what they answer."""
    with serving() as stub:
        yield stub


@pytest.fixture
def settings(settings: Settings, platform: StubServer) -> Settings:
    urls = {name: dict.fromkeys(urls, platform.url) for name, urls in settings.platform_urls.items()}
    return settings.model_copy(update={"platform_urls": urls})


def company(call: Call, name: str) -> str:
    body = {"company_name": name, "primary_contact_email": "a@example.com"}
    return str(call("POST", "/api/v1/accounts", body, expect=201)["account_id"])


def store(call: Call, account_id: str, expect: int = 201, **body: str) -> Any:
    return call("POST", f"/api/v1/accounts/{account_id}/credentials", TOKEN | body, expect=expect)


def listed(api: ModuleType, account_id: str, *ids: str, label: str = "default") -> None:
    """A sync stored these ad accounts."""
    found = [
        Profile(account_id=account_id, platform=META, profile_id=n, name=n, currency="EUR", timezone="UTC") for n in ids
    ]
    api.app.catalog.put_objects(found, iso(api.app.clock.now()), label)


def test_the_answer_names_the_ad_accounts_that_the_credential_lists(
    call: Call, account_id: str, platform: StubServer
) -> None:
    platform.script = [listing("11", "12")]

    answer = store(call, account_id)

    seen = [
        {"profile_id": "11", "name": "Shop 11", "owner": "this_credential"},
        {"profile_id": "12", "name": "Shop 12", "owner": "this_credential"},
    ]
    assert answer["check"] == {"state": "works", "reason": "", "ad_accounts": seen, "more": False}
    assert answer["note"] is None
    assert len(platform.calls) == 1
    assert call("GET", "/api/v1/profiles")["profiles"] == []  # the next sync stores them


def test_ad_accounts_that_another_client_has_are_named_as_such(
    call: Call, api: ModuleType, account_id: str, platform: StubServer
) -> None:
    # given an ad account of another client, and one that another credential of this client pulls
    other = company(call, "Other")
    platform.route = lambda _: listing("11", "12", "13")
    store(call, other)
    listed(api, other, "11")
    store(call, account_id, label="first")
    listed(api, account_id, "12", label="first")

    # when
    answer = store(call, account_id, label="second")

    # then
    owners = {each["profile_id"]: each["owner"] for each in answer["check"]["ad_accounts"]}
    assert owners == {"11": Owner.OTHER_CLIENT, "12": Owner.OTHER_CREDENTIAL, "13": Owner.THIS_CREDENTIAL}


def test_a_credential_whose_every_ad_account_is_another_clients_says_that_it_will_pull_nothing(
    call: Call, api: ModuleType, account_id: str, platform: StubServer
) -> None:
    other = company(call, "Other")
    platform.route = lambda _: listing("11")
    store(call, other)
    listed(api, other, "11")

    assert "lists no ad account of its own" in store(call, account_id)["note"]


def test_a_refused_credential_is_not_stored_and_the_one_in_use_stays(
    call: Call, api: ModuleType, account_id: str, platform: StubServer
) -> None:
    # given one that works
    platform.script = [listing("11"), Answer(400, REFUSED)]
    kept = store(call, account_id)

    # when
    answer = store(call, account_id, expect=422, access_token="a-token-mistyped")

    # then
    assert answer["error"]["message"].startswith("the platform refuses the credential, nothing was stored: ")
    assert "a-token-mistyped" not in str(answer)
    assert api.app.secrets.get(kept["secret_id"]) == {"access_token": "a-token-of-meta"}
    (still,) = call("GET", f"/api/v1/accounts/{account_id}/credentials")["credentials"]
    assert (still["version"], still["state"]) == (1, "active")
    assert sent(api) == []


def test_an_amazon_credential_is_asked_for_a_token_that_nobody_else_gets(
    call: Call, api: ModuleType, account_id: str, platform: StubServer
) -> None:
    shop = {"name": "A", "type": "seller", "id": "ENTITY1", "marketplaceStringId": "A1PA6795UKMFR9"}
    profile = {"profileId": 7, "currencyCode": "EUR", "countryCode": "DE", "timezone": "UTC", "accountInfo": shop}
    platform.script = [
        Answer(200, {"access_token": "Atza|only-for-the-check", "token_type": "bearer", "expires_in": 3600}),
        Answer(200, [profile]),
    ]
    amazon = {"client_id": "amzn1.x", "client_secret": "hush-hush", "refresh_token": "Atzr|refresh"}

    answer = call("POST", f"/api/v1/accounts/{account_id}/credentials", amazon, expect=201)

    assert [each["profile_id"] for each in answer["check"]["ad_accounts"]] == ["7"]
    stored = boto3.client("dynamodb").scan(TableName=api.app.settings.ledger_table)["Items"]
    assert not [item for item in stored if item["pk"]["S"].startswith("token#")]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(503, b"busy", {"Retry-After": "60"}), "503"),
        (Answer(400, {"error": {"message": "too many calls", "code": 17}}), "too many calls"),
        (Answer(200, {"data": [{"id": 1}], "paging": 7}), "not a page"),
    ],
    ids=["down", "throttled", "unreadable"],
)
def test_a_platform_that_cannot_be_asked_does_not_keep_a_credential_out(
    call: Call, account_id: str, platform: StubServer, answer: Answer, why: str
) -> None:
    platform.route = lambda _: answer

    stored = store(call, account_id)

    assert (stored["state"], stored["check"]["state"], stored["check"]["ad_accounts"]) == ("active", "unchecked", [])
    assert why in stored["check"]["reason"]


@at_the_bound("MAX_CHECK_SECONDS")
def test_a_long_list_is_read_until_the_time_of_the_check_is_over(
    call: Call, api: ModuleType, account_id: str, platform: StubServer, size: int, fits: bool
) -> None:
    # given an endless list, each page of which takes a third of that time
    def slow(asked: Asked) -> Answer:
        api.app.clock.advance(size / 3)
        number = len(platform.calls)
        return listing(str(number), following=f"{platform.url}{asked.path}?after={number}")

    platform.route = slow

    # when
    check = store(call, account_id)["check"]

    # then
    assert (len(check["ad_accounts"]), check["more"], check["state"]) == (4 if fits else 3, True, "works")


@at_the_bound("MAX_CHECKED_PROFILES", as_if=3)
def test_so_many_ad_accounts_are_named(
    call: Call, account_id: str, platform: StubServer, size: int, fits: bool
) -> None:
    platform.script = [listing(*(str(n) for n in range(1, size + 1)))]

    check = store(call, account_id)["check"]

    assert (len(check["ad_accounts"]), check["more"]) == (3, not fits)


def test_the_end_of_a_credential_is_kept_beside_it_and_one_that_is_no_date_is_refused(
    call: Call, account_id: str, platform: StubServer
) -> None:
    platform.route = lambda _: Answer(200, {"Result": []})
    desk = {"platform": "ttd", "token": "a-token-of-the-web-page"}
    where = f"/api/v1/accounts/{account_id}/credentials"

    refused = call("POST", where, desk | {"token_expires": "19.12.2026"}, expect=422)
    stored = call("POST", where, desk | {"token_expires": "2026-12-19"}, expect=201)

    assert refused["error"]["details"] == [{"field": "token_expires", "message": "is a date, YYYY-MM-DD"}]
    assert stored["ends_on"] == "2026-12-19"
    assert [one["ends_on"] for one in call("GET", where)["credentials"] if one["platform"] == "trade_desk"] == [
        "2026-12-19"
    ]
