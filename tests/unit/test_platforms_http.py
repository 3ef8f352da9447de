"""How connectors speak HTTP."""

from __future__ import annotations

import random
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.errors import AccessDenied, AuthExpired, BadInput, RequestRejected, Throttled, TooMuchData, Transient
from adweir.model.urls import without_secrets
from adweir.platforms.http import PATIENCE, Http, Response, fault, retry_after, same_origin
from support.bounds import at_the_bound, refuses
from support.stub_http import Answer, StubServer

TOKEN = "EAAG" + "secret"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def http(clock: Any, slept: list[float]) -> Iterator[Http]:
    with requests.Session() as session:
        yield Http(session, clock, random.Random(3), sleep=slept.append, timeout=(1, 1))


def test_an_answer_comes_whole_and_its_url_without_secrets(http: Http, stub: StubServer) -> None:
    stub.script = [Answer(200, {"a": 1}, {"X-Usage": "9"})]
    answer = http.request("GET", stub.url + "/x", params={"access_token": "SECRET", "b": "ü &"})
    assert (answer.status, answer.data(), answer.headers["x-usage"], answer.ok) == (200, {"a": 1}, "9", True)
    assert answer.url == f"{stub.url}/x?b=%C3%BC+%26"
    assert stub.calls[0].query == {"access_token": "SECRET", "b": "ü &"}


def test_forms_and_json_are_sent_as_such(http: Http, stub: StubServer) -> None:
    stub.route = lambda _: Answer(200, {})
    http.request("POST", stub.url, form={"level": "ad"})
    http.request("POST", stub.url, json={"x": [1]}, headers={"Content-Type": "application/vnd.x+json"})
    assert stub.calls[0].form == {"level": "ad"}
    assert stub.calls[1].body == b'{"x":[1]}'
    assert stub.calls[1].headers["Content-Type"] == "application/vnd.x+json"


def test_a_broken_server_is_asked_again_with_growing_waits(http: Http, stub: StubServer, slept: list[float]) -> None:
    stub.script = [Answer(500), Answer(503), Answer(200, b"fine")]
    assert http.request("GET", stub.url).body == b"fine"
    assert len(slept) == 2
    assert sum(slept) <= PATIENCE


@pytest.mark.parametrize("body", [b"[" * 100_000 + b"]" * 100_000, b"1E99999999999999999999x", b"\xff", b""])
def test_text_that_no_parser_takes_is_a_passing_fault(http: Http, stub: StubServer, body: bytes) -> None:
    stub.route = lambda _: Answer(200, body)
    with pytest.raises(Transient):
        http.request("GET", stub.url).data()


def test_patience_ends_with_the_answer_as_it_is(http: Http, stub: StubServer, slept: list[float]) -> None:
    stub.route = lambda _: Answer(502, b"bad gateway")
    answer = http.request("GET", stub.url)
    assert (answer.status, answer.ok, len(stub.calls)) == (502, False, 4)
    with pytest.raises(Transient):
        answer.data()


def test_a_post_that_may_have_had_an_effect_is_not_repeated(http: Http, stub: StubServer) -> None:
    stub.route = lambda _: Answer(500)
    assert http.request("POST", stub.url, json={}).status == 500
    assert len(stub.calls) == 1
    assert http.request("POST", stub.url, json={}, resend=True).status == 500
    assert len(stub.calls) == 5


def test_a_requested_wait_that_is_too_long_is_left_to_the_caller(http: Http, stub: StubServer) -> None:
    stub.route = lambda _: Answer(503, b"", {"Retry-After": "120"})
    answer = http.request("GET", stub.url)
    assert len(stub.calls) == 1
    error = fault(answer, NOW)
    assert isinstance(error, Throttled)
    assert error.retry_after == 120


def test_a_connection_cut_in_the_middle_is_retried_then_transient(http: Http, stub: StubServer) -> None:
    stub.script = [Answer(200, b"x" * 1000, hang_up=True), Answer(200, b"whole")]
    assert http.request("GET", stub.url).body == b"whole"
    stub.route = lambda _: Answer(200, b"x" * 1000, hang_up=True)
    with pytest.raises(Transient) as caught:
        http.request("GET", stub.url, params={"access_token": TOKEN})
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_a_refused_connection_is_transient_and_shows_no_secret(http: Http, slept: list[float]) -> None:
    with pytest.raises(Transient) as caught:
        http.request("GET", f"http://127.0.0.1:9/x?access_token={TOKEN}&limit=1")
    assert caught.value.context["wire_fault"] == "ConnectionError"
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert "limit=1" in caught.value.message
    assert len(slept) == 3


def test_an_answer_over_the_limit_is_too_much_data(http: Http, stub: StubServer) -> None:
    stub.route = lambda _: Answer(200, b"x" * 1001)
    with pytest.raises(TooMuchData):
        http.request("GET", stub.url, max_bytes=1000)
    with pytest.raises(TooMuchData):
        list(http.download(stub.url, max_bytes=1000))


@pytest.mark.parametrize("target", ["http://169.254.169.254/", "http://[::1/x", "//[", "https://\u00ff"])
def test_redirects_are_refused(http: Http, stub: StubServer, target: str) -> None:
    stub.route = lambda _: Answer(302, b"", {"Location": target})
    for ask in (lambda: http.request("GET", stub.url), lambda: list(http.download(stub.url, max_bytes=1 << 30))):
        with pytest.raises(RequestRejected):
            ask()
    assert len(stub.calls) == 2


def test_a_header_that_the_wire_cannot_hold_is_refused(http: Http, stub: StubServer) -> None:
    with pytest.raises(RequestRejected, match="UnicodeEncodeError"):
        http.request("GET", stub.url, headers={"Authorization": "Bearer \u20ac"})
    assert stub.calls == []


def test_a_download_streams(http: Http, stub: StubServer) -> None:
    body = bytes(range(256)) * 12_000
    stub.script = [Answer(500), Answer(200, body)]
    chunks = list(http.download(stub.url, max_bytes=1 << 30))
    assert b"".join(chunks) == body
    assert len(chunks) > 1


def test_a_question_streams_its_answer_and_a_refusal_is_read_by_who_asks(http: Http, stub: StubServer) -> None:
    stub.script = [Answer(200, b"[1]"), Answer(400, b"no such field")]

    def ask() -> list[bytes]:
        return list(
            http.download(
                stub.url,
                max_bytes=1000,
                headers={"X-Who": "me"},
                question={"query": "q"},
                refusal=lambda answer: BadInput(f"{answer.status} {answer.body.decode()}"),
            )
        )

    assert ask() == [b"[1]"]
    call = stub.calls[0]
    assert (call.method, call.body, call.headers["X-Who"]) == ("POST", b'{"query":"q"}', "me")
    assert call.headers["Content-Type"] == "application/json"
    with pytest.raises(BadInput, match="400 no such field"):
        ask()


def test_a_download_refused_or_cut_says_so(http: Http, stub: StubServer) -> None:
    stub.route = lambda _: Answer(403, b"expired")
    with pytest.raises(AccessDenied):
        list(http.download(stub.url, max_bytes=1 << 30))
    stub.route = lambda _: Answer(200, b"x" * 10_000_000, hang_up=True)
    with pytest.raises(Transient):
        list(http.download(stub.url, max_bytes=1 << 30))
    stub.route = lambda _: Answer(500)
    with pytest.raises(Transient):
        list(http.download(stub.url, max_bytes=1 << 30))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        ("0.5", 0.5),
        ("Fri, 20 Nov 2026 12:01:30 GMT", 90.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
        ("9999999999", 86_400.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": text}, NOW) == seconds


@given(st.text(max_size=40))
def test_reading_retry_after_never_raises(text: str) -> None:
    seconds = retry_after({"Retry-After": text}, NOW)
    assert seconds is None or 0 <= seconds <= 86_400


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, Throttled),
        (503, Transient),
        (500, Transient),
        (408, Transient),
        (401, AuthExpired),
        (404, RequestRejected),
    ],
)
def test_a_status_has_a_meaning(status: int, kind: type[Exception]) -> None:
    assert type(fault(Response(status, {}, b"", "https://h/"), NOW, "why")) is kind


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://graph.example/v26.0/x", True),
        ("https://graph.example:443/", True),
        ("https://GRAPH.example/", True),
        ("http://graph.example/", False),
        ("https://graph.example:444/", False),
        ("https://graph.example.evil/", False),
        ("https://graph.example@evil/", False),
        ("https://evil/?https://graph.example/", False),
        ("https://graph.example:port/", False),
        ("https://[/", False),
        ("/relative", False),
    ],
)
def test_only_our_own_origin_is_ours(url: str, same: bool) -> None:
    assert same_origin(url, "https://graph.example/v26.0") is same


@given(st.text(max_size=60))
def test_scrubbing_never_raises_and_keeps_no_token(noise: str) -> None:
    without_secrets(noise)
    assert "SECRET" not in without_secrets("https://h/p?a=1&Access_Token=SECRET#SECRET")
    assert without_secrets("https://h/p?app_id=1&secret=SECRET") == "https://h/p?app_id=1"


@at_the_bound("MAX_RESPONSE_BYTES", as_if=1000)
def test_the_bound_of_an_answer(http: Http, stub: StubServer, size: int, fits: bool) -> None:
    stub.route = lambda _: Answer(200, b"x" * size)

    with refuses(TooMuchData, fits=fits):
        assert len(http.request("GET", stub.url).body) == size
