"""Connectors' session keeps no cookie, and no answer holds a function longer than it may."""

from __future__ import annotations

import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adweir.model import limits
from adweir.model.errors import Transient
from adweir.platforms import http as requesting
from adweir.platforms import session as sessions
from adweir.platforms.http import Http, is_file_on
from adweir.platforms.session import cut_off, new_session, request_seconds
from adweir.runtime.clock import SystemClock
from support.bounds import at_the_bound, refuses
from support.clock import FrozenClock
from support.stub_http import Answer, serving

S3 = re.compile(r"[a-z.]+\.s3\.amazonaws\.com")


@contextmanager
def dripping(begin: bytes) -> Iterator[str]:
    """A server that sends this, and then an `x` every 20 ms, to everybody."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def drip(client: socket.socket) -> None:
            with client:
                client.recv(4096)
                client.sendall(begin)
                while not ended.wait(0.02):
                    try:
                        client.sendall(b"x")
                    except OSError:
                        return

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=drip, args=(client,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        ended.set()
        server.shutdown(socket.SHUT_RDWR)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """A request may take as long."""
    before = request_seconds.set(seconds)
    try:
        yield
    finally:
        request_seconds.reset(before)


@pytest.mark.parametrize(
    "begin",
    [
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    ],
    ids=["headers", "body", "body without a length"],
)
def test_an_answer_that_drips_ends(begin: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requesting, "_LEAST_SECONDS", 0.3)
    with within(0.3), dripping(begin) as url, new_session() as session:
        http = Http(session, SystemClock(), random.Random(1), sleep=lambda _: None)
        for ask in (lambda: http.request("GET", url), lambda: list(http.download(url, max_bytes=1 << 30))):
            start = time.monotonic()
            with pytest.raises(Transient):
                ask()
            assert 0.25 < time.monotonic() - start < 3


def test_of_blocks_within_each_other_the_one_that_takes_too_long_is_cut_off() -> None:
    (patient, other), (late, _open) = (socket.socketpair() for _ in range(2))
    with patient, other, late, _open:
        with cut_off(patient, 60), pytest.raises(TimeoutError), cut_off(late, 0.1):
            assert late.recv(1) == b""  # shut, by nobody but the watch
        other.sendall(b"x")
        assert patient.recv(1) == b"x"


def test_the_watch_ends_when_there_is_nothing_to_watch_and_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_IDLE_SECONDS", 0.01)
    watch = sessions._Watch()
    for _ in range(2):
        soon = sessions._Watched(None, time.monotonic() + 0.05)
        never = sessions._Watched(None, time.monotonic() + 60)
        watch.add(never)
        watch.add(soon)
        watch.drop(never)
        end = time.monotonic() + 5
        while watch._runs and time.monotonic() < end:
            time.sleep(0.005)
        assert not watch._runs
        assert (soon.late, never.late) == (True, False)


@at_the_bound("MAX_ANSWER_SECONDS")
def test_the_seconds_of_a_request(size: int, fits: bool, clock: FrozenClock) -> None:
    def slowly(_call: object) -> Answer:
        clock.advance(size)
        return Answer(200, b"x")

    with serving() as stub, new_session() as session:
        stub.route = slowly
        http = Http(session, clock, random.Random(1), sleep=lambda _: None)
        with refuses(Transient, fits=fits):
            assert http.request("GET", stub.url).body == b"x"


def test_all_tries_share_the_seconds(clock: FrozenClock) -> None:
    def broken(_call: object) -> Answer:
        clock.advance(limits.MAX_ANSWER_SECONDS / 2)
        return Answer(503)

    with serving() as stub, new_session() as session:
        stub.route = broken
        http = Http(session, clock, random.Random(1), sleep=lambda _: None)
        assert http.request("GET", stub.url).status == 503
        assert len(stub.calls) == 2


def test_what_is_done_with_a_file_does_not_count(clock: FrozenClock) -> None:
    with serving() as stub, new_session() as session:
        stub.route = lambda _: Answer(200, b"x" * (3 << 20))
        http = Http(session, clock, random.Random(1), sleep=lambda _: None)
        size = 0
        for chunk in http.download(stub.url, max_bytes=1 << 30):
            clock.advance(limits.MAX_ANSWER_SECONDS)
            size += len(chunk)
        assert size == 3 << 20


def test_a_cookie_of_one_answer_is_not_sent_with_the_next_request() -> None:
    with serving() as stub, new_session() as session:
        stub.route = lambda _: Answer(200, b"", {"Set-Cookie": "session=of-a-client; Path=/"})
        for _ in range(2):
            session.get(stub.url, timeout=5)
        assert [call.headers.get("Cookie") for call in stub.calls] == [None, None]


@pytest.mark.parametrize("proxied", [False, True], ids=["alone", "behind-a-proxy"])
def test_a_password_of_the_machine_s_netrc_does_not_replace_the_credential_s_token(
    proxied: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    if proxied:
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with serving() as stub, new_session() as session:
        session.get(stub.url, headers={"Authorization": "Bearer T"}, timeout=5)
        assert [call.headers.get("Authorization") for call in stub.calls] == ["Bearer T"]


def test_a_machine_s_proxy_and_its_exceptions_count(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as proxy, serving() as stub:
        stub.route = proxy.route = lambda _: Answer(200, b"")
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with new_session() as session:
            session.get("http://platform.example/report", timeout=5)
            session.get(stub.url, timeout=5)
        assert (len(proxy.calls), len(stub.calls)) == (1, 1)


def test_a_machine_s_certificates_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "company.pem"))
    with new_session() as session, pytest.raises(OSError, match=r"company\.pem"):
        session.get("https://127.0.0.1:9/", timeout=5)


@pytest.mark.parametrize(
    "url",
    [
        "http://reports.s3.amazonaws.com/x",
        "https://reports.s3.amazonaws.com:8443/x",
        "https://reports.s3.amazonaws.com.evil.example/x",
        "https://evil.example/reports.s3.amazonaws.com",
        "https://reports.s3.amazonaws.com@evil.example/x",
        "https://169.254.169.254/latest",
        "https://[::1/x",
        "https://reports.s3.amazonaws.com:x/",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_file_elsewhere_is_not_asked_for(url: str) -> None:
    assert not is_file_on(url, S3)
    assert is_file_on("https://Reports.s3.amazonaws.com:443/x?X-Amz-Signature=1", S3)
