"""The sandbox's HTTP server: connections that stay open, answers that break off, and nothing logged."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator

import pytest
import requests
from werkzeug.wrappers import Response

from sandbox.serving import HttpServer
from sandbox.web import PlatformRequest, broken_off


def answer(request: PlatformRequest) -> Response:
    whole = Response(request.get_data() or b"x" * 100)
    return broken_off(whole) if request.path == "/cut" else whole


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer(answer) as started:
        yield started


def test_a_session_keeps_one_connection(server: HttpServer) -> None:
    with requests.Session() as session:
        for body in (b"one", b"", b"three"):
            assert session.post(server.url, body, timeout=5).content == (body or b"x" * 100)
        assert len(server._connections) == 1


def test_an_answer_that_breaks_off_is_a_broken_connection_and_the_next_one_is_whole(server: HttpServer) -> None:
    with requests.Session() as session:
        with pytest.raises(requests.exceptions.RequestException):
            session.get(f"{server.url}/cut", timeout=5)
        assert session.get(server.url, timeout=5).content == b"x" * 100


def test_a_head_has_the_length_and_no_body(server: HttpServer) -> None:
    with requests.Session() as session:
        head = session.head(server.url, timeout=5)
        assert (head.headers["Content-Length"], head.content) == ("100", b"")
        assert session.get(server.url, timeout=5).content == b"x" * 100


def test_a_body_over_eight_mebibytes_is_refused_and_the_connection_ends(server: HttpServer) -> None:
    host, port = server.netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8388609\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(4096), b""))
    assert received.startswith(b"HTTP/1.1 413 ")


def test_no_token_of_a_query_or_a_broken_request_is_logged(
    server: HttpServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        requests.post(f"{server.url}/path?access_token=SECRET", b"SECRET", timeout=5)
        host, port = server.netloc.split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(b"GET /?access_token=SECRET HTTP/9.9 SECRET\r\n\r\n")
            while connection.recv(4096):
                pass
    logged = [record.getMessage() for record in caplog.records if record.name.startswith(("sandbox", "werkzeug"))]
    assert logged == []
    assert "SECRET" not in "".join(capfd.readouterr())
