"""Access tokens from a refresh token: what is sent, and what each answer means."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from adweir.model.errors import AdweirError, AuthExpired, Throttled, ThrottleScope, Transient
from adweir.platforms.http import Http
from adweir.platforms.oauth import DEAD, TokenRenewal, token_key
from support.clock import FrozenClock
from support.stub_http import Answer, StubServer

FORM = {"client_id": "c", "refresh_token": "r"}


@pytest.fixture
def renewal(stub: StubServer, clock: FrozenClock) -> Iterator[TokenRenewal]:
    with requests.Session() as session:
        http = Http(session, clock, random.Random(1), sleep=lambda _: None)
        yield TokenRenewal(http, clock, f"{stub.url}/token", "The issuer", DEAD | {"consent_required"})


def test_a_token_is_asked_for_by_the_form_of_the_rfc(stub: StubServer, renewal: TokenRenewal) -> None:
    stub.script = [Answer(200, {"access_token": "a", "expires_in": 60}), Answer(200, {"access_token": "b"})]
    assert [renewal.renew(FORM), renewal.renew(FORM)] == [("a", 60), ("b", 3600)]
    assert stub.calls[0].form == FORM | {"grant_type": "refresh_token"}


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("3599", 3599), (3599.5, 3599), (None, 3600), ("soon", 3600), (-5, 0), (10**18, 2_592_000), ("nan", 3600)],
)
def test_a_tokens_life_is_read_however_it_is_written(
    stub: StubServer, renewal: TokenRenewal, said: Any, seconds: int
) -> None:
    stub.route = lambda _: Answer(200, {"access_token": "a", "expires_in": said})
    assert renewal.renew(FORM) == ("a", seconds)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": "invalid_grant", "error_description": "gone"}, AuthExpired),
        (400, {"error": "consent_required"}, AuthExpired),
        (403, b"", AuthExpired),
        (500, {"error": "temporarily_unavailable"}, Transient),
        (200, b"<html>", Transient),
        (200, {"expires_in": 60}, Transient),
        (200, {"access_token": "a\nb"}, Transient),
        (200, {"access_token": ""}, Transient),
    ],
)
def test_an_answer_without_a_token_has_its_class(
    stub: StubServer, renewal: TokenRenewal, status: int, body: Any, error: type[AdweirError]
) -> None:
    stub.route = lambda _: Answer(status, body)
    with pytest.raises(AdweirError) as caught:
        renewal.renew(FORM)
    assert type(caught.value) is error
    if status == 400:
        assert caught.value.message.startswith(f"The issuer: {body['error']}")


@pytest.mark.parametrize(("headers", "seconds", "guessed"), [({}, 5, True), ({"Retry-After": "9"}, 9, False)])
def test_too_many_renewals_let_the_credential_wait(
    stub: StubServer, renewal: TokenRenewal, headers: dict[str, str], seconds: int, *, guessed: bool
) -> None:
    stub.route = lambda _: Answer(429, b"", headers)
    with pytest.raises(Throttled) as caught:
        renewal.renew(FORM)
    error = caught.value
    assert (error.retry_after, error.guessed, error.scope) == (seconds, guessed, ThrottleScope.CREDENTIAL)


def test_a_replaced_credential_has_a_token_of_its_own() -> None:
    keys = {token_key("x", "a", "bc"), token_key("x", "ab", "c"), token_key("y", "a", "bc")}
    assert len(keys) == 3
