"""What the API log gets of calls of platforms: each try, what the connector made of it, and no secret of any place."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from typing import Any, cast
from urllib.parse import quote, urlencode

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.calls import ApiCall
from adweir.model.errors import AdweirError, NotReady, RequestRejected, TooMuchData, Transient
from adweir.model.scrubbing import REDACTED
from adweir.platforms.call_log import Exchange, GuardedCalls
from adweir.platforms.connector import Connector, OwnTokens, Page
from adweir.platforms.guarded import Guarded, RememberingTokens
from adweir.platforms.http import Http, Redirected
from adweir.platforms.redaction import Redactor
from support.clock import FrozenClock
from support.stub_http import Answer, StubServer


class Sink:
    """Keeps what it gets."""

    def __init__(self) -> None:
        self.calls: list[ApiCall] = []
        self.full = False

    def takes(self, *, success: bool) -> bool:
        return not (self.full and success)

    def add(self, call: ApiCall) -> None:
        self.calls.append(call)

    def failed(self, message: str) -> None:
        self.calls[-1] = self.calls[-1]._replace(success=False, error_message=message)


@pytest.fixture
def sink() -> Sink:
    return Sink()


def guarded_by(sink: Sink, *secrets: str) -> GuardedCalls:
    return GuardedCalls(sink, "meta_ads", Redactor(secrets), FrozenClock())


@pytest.fixture
def http(clock: Any, slept: list[float], sink: Sink) -> Iterator[Http]:
    with requests.Session() as session:
        yield Http(
            session, clock, random.Random(3), sleep=slept.append, timeout=(1, 1), seen=guarded_by(sink, "TOKEN-" * 3)
        )


# -- secrets

SECRETS = st.text('abcdefghijklmnopqrstuvwxyzABCDEFGHIJK0123456789-_+/=|~.%&"\\ äß', min_size=8, max_size=50)
URL = "https://h.example/v1"
Place = Callable[[str], Exchange]


def exchange(url: str = URL, sent: bytes = b"", received: bytes = b"{}", error: str = "") -> Exchange:
    return Exchange("POST", url, sent, None if error else 200, received, 0.2, error)


def as_json(value: Any, **how: Any) -> bytes:
    return json.dumps(value, **how).encode()


PLACES: dict[str, Place] = {
    "path": lambda secret: exchange(f"{URL}/{quote(secret, safe='')}/x"),
    "host": lambda secret: exchange(f"https://user:{quote(secret, safe='')}@h.example/x"),
    "query": lambda secret: exchange(f"{URL}?{urlencode({'a': secret})}"),
    "query, twice quoted": lambda secret: exchange(f"{URL}?next={quote(quote(secret, safe=''), safe='')}"),
    "form": lambda secret: exchange(sent=urlencode({"a": 1, "b": secret}).encode()),
    "JSON sent": lambda secret: exchange(sent=as_json({"a": [{"b": secret}]})),
    "JSON received": lambda secret: exchange(received=as_json({"data": [secret, {"name": f"x {secret} y"}]})),
    "name of a field": lambda secret: exchange(received=as_json({secret: 1})),
    "JSON in JSON": lambda secret: exchange(received=as_json({"message": json.dumps({"a": secret})})),
    "link received": lambda secret: exchange(received=as_json({"next": f"{URL}?{urlencode({'a': 1, 'x': secret})}"})),
    "text": lambda secret: exchange(received=f"<html>Malformed token {secret} {quote(secret)}".encode()),
    "CSV": lambda secret: exchange(received=f'day,spend\n2026-11-01,"{secret}"\n'.encode()),
    "behind much else": lambda secret: exchange(received=as_json({"a": "x" * 2020, "b": secret})),
    "behind much white space": lambda secret: exchange(received=b'{"a": ' + b" " * 9000 + as_json(secret) + b"}"),
    "cut off": lambda secret: exchange(received=as_json({"a": 1, "b": secret})[:-4]),
    "error": lambda secret: exchange(error=f"ConnectionError of {URL}?a={quote(secret, safe='')}"),
}  # fmt: skip


@given(st.sampled_from(sorted(PLACES)), SECRETS)
def test_a_value_of_the_credential_is_kept_in_no_place(place: str, secret: str) -> None:
    sink = Sink()
    guarded_by(sink, secret)(PLACES[place](secret))
    ((call),) = sink.calls
    told = "\n".join(str(value) for value in call)
    escaped = json.dumps(secret)[1:-1]
    for spelled in (secret, quote(secret, safe=""), quote(secret), escaped, json.dumps(escaped)[1:-1]):
        assert spelled not in told
    if place not in {"host", "cut off", "behind much else"}:
        assert REDACTED in told
    assert call.platform == "meta_ads"


@given(st.sampled_from(["form", "JSON", "text", "query"]), SECRETS.filter(lambda text: len(set(text)) > 4))
def test_of_a_request_that_makes_a_token_only_names_are_kept(how: str, token: str) -> None:
    """The token is not known before it is made, and no field has to be named as one."""
    sink = Sink()
    calls = guarded_by(sink)
    tokens = RememberingTokens(OwnTokens(FrozenClock()), Redactor(), calls)
    made = {
        "form": exchange(sent=urlencode({"x": token}).encode()),
        "JSON": exchange(received=as_json({"data": {"value": token}})),
        "text": exchange(received=token.encode()),
        "query": exchange(f"{URL}?{urlencode({'q': token})}"),
    }[how]

    def refresh() -> tuple[str, int]:
        calls(made)
        return token, 3600

    assert tokens.get("k", refresh) == token
    assert tokens.get("k", refresh) == token
    ((call),) = sink.calls
    told = "\n".join(str(value) for value in call)
    assert token not in told
    assert quote(token, safe="") not in told
    assert json.dumps(token)[1:-1] not in told
    calls(exchange(received=b'{"rows":3}'))
    assert sink.calls[1].response_data == '{"rows":3}'  # what comes after it is kept again


# -- what is kept


def test_each_try_is_a_call(http: Http, stub: StubServer, sink: Sink) -> None:
    stub.script = [Answer(500, {"error": "TOKEN-TOKEN-TOKEN-"}), Answer(200, {"rows": 3})]

    http.request("GET", f"{stub.url}/x?b=1", params={"access_token": "TOKEN-" * 3, "a": "2"})

    told = [(one.status_code, one.success, one.response_data, one.endpoint) for one in sink.calls]
    assert told == [
        (500, False, f'{{"error":"{REDACTED}"}}', f"{stub.url}/x"),
        (200, True, '{"rows":3}', f"{stub.url}/x"),
    ]
    assert {one.request_data for one in sink.calls} == {f"b=1&access_token={REDACTED}&a=2"}


def test_a_request_without_an_answer_is_a_call_without_a_status(http: Http, stub: StubServer, sink: Sink) -> None:
    stub.route = lambda _: Answer(200, b"0123456789", hang_up=True)
    with pytest.raises(Transient):
        http.request("POST", stub.url, json={"a": 1})
    with pytest.raises(Transient):
        http.request("POST", "http://127.0.0.1:1/x", form={"a": "1"})
    broken, refused = sink.calls[0], sink.calls[-1]
    assert (broken.status_code, broken.success, broken.error_message) == (200, False, "ProtocolError")
    assert (refused.status_code, refused.success, refused.error_message) == (None, False, "ConnectionError")
    assert (broken.request_data, refused.request_data) == ('{"a":1}', "a=1")


def test_a_file_is_one_call_with_its_beginning(http: Http, stub: StubServer, sink: Sink) -> None:
    stub.script = [Answer(200, b"day,spend\n" + b"2026-11-01,1\n" * 200_000), Answer(200, b"\x1f\x8b\x08" + bytes(99))]
    assert len(b"".join(http.download(stub.url, max_bytes=10**8))) == 2_600_010
    assert next(http.download(stub.url, max_bytes=10**8))
    text, packed = sink.calls
    assert text.response_data.startswith("day,spend\n2026-11-01,1\n")
    assert len(text.response_data) == 2048
    assert packed.response_data == "(binary)"

    stub.script = [Answer(403, {"error": "no"})]
    with pytest.raises(AdweirError):
        list(http.download(stub.url, max_bytes=100))
    assert (sink.calls[-1].status_code, sink.calls[-1].success, sink.calls[-1].response_data) == (
        403,
        False,
        '{"error":"no"}',
    )


def test_a_redirect_that_is_refused_is_no_success(http: Http, stub: StubServer, sink: Sink) -> None:
    stub.script = [Answer(302, b"", {"Location": "https://evil.example/?token=TOKEN-TOKEN-TOKEN-"})]
    with pytest.raises(Redirected):
        http.request("GET", stub.url)
    assert (sink.calls[0].success, sink.calls[0].error_message) == (False, "Redirected")
    assert "TOKEN" not in str(sink.calls)


def test_a_call_that_cannot_be_kept_hurts_nobody(
    http: Http, stub: StubServer, sink: Sink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: ApiCall) -> None:
        raise ValueError("a-secret-of-mine")

    stub.route = lambda _: Answer(200, {"a": 1})
    monkeypatch.setattr(sink, "add", broken)
    assert http.request("GET", stub.url).data() == {"a": 1}
    assert caplog.messages == ["a call of meta_ads is not in the API log: ValueError"]


def test_nothing_is_made_of_a_call_that_nobody_takes(http: Http, stub: StubServer, sink: Sink) -> None:
    stub.route = lambda _: Answer(200, {"a": 1})
    sink.full = True
    http.request("GET", stub.url)
    assert sink.calls == []


class Asking:
    """A connector that makes one request, and then an error of its answer."""

    route = ""

    def __init__(self, calls: GuardedCalls, *errors: AdweirError) -> None:
        self._calls = calls
        self._errors = list(errors)

    def pages(self, _task: Any) -> Iterator[Page]:
        self._calls(exchange(received=b'{"code":40100}'))
        if self._errors:
            raise self._errors.pop(0)
        yield Page(b"{}", URL, 200, last=True)

    def mode(self, _task: Any) -> None:
        raise TooMuchData("it is asked for nothing")


def test_what_the_connector_makes_of_an_answer_is_the_calls_error(sink: Sink) -> None:
    """Given a platform that says no with a 200, then the call is none that succeeded, in the connector's words."""
    calls = guarded_by(sink, "TOKEN-" * 3)
    errors = RequestRejected("code 40100: TOKEN-TOKEN-TOKEN- is wrong"), NotReady("not yet", after=9)
    guarded = Guarded(cast("Connector", Asking(calls, *errors)), Redactor(["TOKEN-" * 3]), calls)
    task: Any = None
    for _ in range(3):
        try:
            list(guarded.pages(task))
        except AdweirError:
            continue
    with pytest.raises(TooMuchData):
        guarded.mode(task)  # an error that no call led to

    assert [(one.success, one.error_message) for one in sink.calls] == [
        (False, f"code 40100: {REDACTED} is wrong"),
        (True, ""),
        (True, ""),
    ]


def test_an_error_about_a_call_that_nobody_took_is_not_said_of_the_one_before(sink: Sink) -> None:
    """Given a pull whose newest answers are not kept, then an error of one leaves those that are kept as they were."""
    calls = guarded_by(sink)
    calls.begin()
    calls(exchange())
    sink.full = True
    calls(exchange())
    calls.failed("code 40100")

    assert [(one.success, one.error_message) for one in sink.calls] == [(True, "")]


@pytest.mark.parametrize("secret", ["TOKEN-abcdefghijklmnop-0123456789", "EAAbcdefghijklmnopqrstuvwxyz"])
@pytest.mark.parametrize("shown", [5, 12, 19])
def test_a_secret_at_the_end_of_what_is_kept_of_a_message_is_not_half_there(
    sink: Sink, secret: str, shown: int
) -> None:
    """Given a value of the credential, or what looks like one, then nothing of it is kept where a message is cut."""
    calls = guarded_by(sink, "TOKEN-abcdefghijklmnop-0123456789")
    calls(exchange(error="x" * (999 - shown) + f" {secret}, please"))

    assert secret[:4] not in sink.calls[0].error_message
    assert len(sink.calls[0].error_message) <= 1000


@pytest.mark.parametrize("url", ["http://[::1", "http://a b/%zz", "", "http://ﬀ@℀.example/x"])
def test_a_url_that_cannot_be_read_hurts_nobody(sink: Sink, url: str) -> None:
    guarded_by(sink)(exchange(url, base64.b64encode(b"x")))
    assert len(sink.calls) <= 1
