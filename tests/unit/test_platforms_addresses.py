"""Hosts that people name: which may be asked, and to which addresses a connection goes."""

from __future__ import annotations

import random
import socket
from typing import Any

import pytest

from adweir.model.errors import RequestRejected, Transient
from adweir.platforms.addresses import AllowedHosts, guarded_session, refused_address
from adweir.platforms.http import Http
from support.clock import FrozenClock
from support.stub_http import Answer, serving

HOSTS = AllowedHosts("api.example.com, *.ads.example")
PUBLIC = "93.184.216.34"


class Wire:
    """Name servers whose answers change from question to question, and a network that notes who is called."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.dialled: list[str] = []

    def resolve(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        if not self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return self.answers.pop(0)

    def dial(self, address: tuple[str, int], *_: Any) -> socket.socket:
        self.dialled.append(address[0])
        raise ConnectionRefusedError

    def get(self, url: str, allowed: AllowedHosts = HOSTS) -> Any:
        session = guarded_session(allowed, self.resolve, self.dial)
        return Http(session, FrozenClock(), random.Random(1), sleep=lambda _: None).request("GET", url)


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_a_public_address_is_fine(address: str) -> None:
    assert refused_address(address) == ""


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "100.127.255.254", "169.254.169.254",
        "169.254.170.2", "0.0.0.1", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "198.18.0.1",
        "::", "::1", "::127.0.0.1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::", "2001:0:7f00:1::f5ff:fffe", "2001:db8::1", "localhost", "",
    ],
)  # fmt: skip
def test_an_address_within_a_network_is_refused_however_it_is_written(address: str) -> None:
    assert refused_address(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v1?day=1",
        "https://api.example.com:443/",
        "https://API.Example.COM/",
        "https://eu.x.ads.example/",
    ],
)
def test_an_allowed_host_may_be_asked(url: str) -> None:
    assert HOSTS.refusal(url) == ""


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://api.example.com/", "https"),
        ("ftp://api.example.com/", "https"),
        ("api.example.com", "https"),
        ("https://api.example.com:8443/", "port"),
        ("https://api.example.com:port/", "not a URL"),
        ("https://user@api.example.com/", "credential"),
        ("https://api.example.com@other.example/", "credential"),
        ("https://other.example.com/", "add other.example.com to its parameter SourceHosts"),
        ("https://ads.example/", "SourceHosts"),
        ("https://api.example.com.evil.example/", "SourceHosts"),
        ("https://127.0.0.1/", "host name"),
        ("https://2130706433/", "host name"),
        ("https://0x7f.1/", "host name"),
        ("https://[::1]/", "host name"),
        ("https://localhost/", "host name"),
        ("https:///path", "host name"),
        ("https://exa mple.com/", "host name"),
    ],
)
def test_any_other_url_is_refused_with_what_to_do(url: str, said: str) -> None:
    assert said in HOSTS.refusal(url)


def test_a_deployment_without_a_list_asks_nobody_and_one_with_a_star_any_public_host() -> None:
    assert "set its parameter SourceHosts" in AllowedHosts("").refusal("https://api.example.com/")
    assert AllowedHosts("*").refusal("https://any.example.org/") == ""
    assert AllowedHosts("a.example, *.b.example,*").faults() == []
    assert AllowedHosts("https://a.example, 10.0.0.1,*.com.*").faults() == ["https://a.example", "10.0.0.1", "*.com.*"]


def test_a_name_that_changes_after_it_was_judged_changes_nothing() -> None:
    wire = Wire([PUBLIC], ["127.0.0.1"], ["127.0.0.1"])

    with pytest.raises(Transient):
        Http(
            guarded_session(HOSTS, wire.resolve, wire.dial), FrozenClock(), random.Random(1), sleep=lambda _: None
        ).request("POST", "https://api.example.com/", json={}, resend=False)

    assert wire.asked == ["api.example.com"], "one question for one connection"
    assert wire.dialled == [PUBLIC]


def test_a_name_that_turned_private_is_not_called() -> None:
    wire = Wire([PUBLIC], ["169.254.169.254"])

    with pytest.raises(RequestRejected, match=r"api\.example\.com leads to a link-local address"):
        wire.get("https://api.example.com/?access_token=secret")  # the first connection breaks, the second is refused

    assert wire.dialled == [PUBLIC]


def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    wire = Wire([PUBLIC, "::ffff:10.0.0.1"])

    with pytest.raises(RequestRejected, match="a private address"):
        wire.get("https://api.example.com/")

    assert wire.dialled == []


def test_each_address_is_tried_and_a_name_without_one_is_a_passing_fault() -> None:
    wire = Wire([PUBLIC, "1.1.1.1"])

    with pytest.raises(Transient, match="ConnectionError"):
        wire.get("https://api.example.com/")

    assert wire.dialled == [PUBLIC, "1.1.1.1"]


def test_a_refused_url_is_not_even_resolved_and_its_message_has_no_secret() -> None:
    wire = Wire([PUBLIC])

    with pytest.raises(RequestRejected, match="SourceHosts") as refused:
        wire.get("https://other.example.com/?access_token=hunter2hunter2")

    assert wire.asked == []
    assert "hunter2" not in refused.value.message


def test_an_excepted_url_is_asked_as_it_is_and_its_neighbours_are_not() -> None:
    with serving() as stub, serving() as other:
        stub.route = lambda _: Answer(200, {"ok": True})
        allowed = AllowedHosts("", [f"{stub.url}/somewhere"])
        wire = Wire()

        assert wire.get(f"{stub.url}/v1", allowed).ok
        for url in (f"{other.url}/v1", stub.url.replace("127.0.0.1", "localhost"), f"{stub.url}@evil.example/"):
            with pytest.raises(RequestRejected):
                wire.get(url, allowed)
    assert wire.asked == []
    assert not other.calls


def test_a_redirect_is_refused_on_an_excepted_host_too() -> None:
    with serving() as stub:
        stub.route = lambda _: Answer(302, b"", {"Location": "http://169.254.169.254/latest/meta-data"})

        with pytest.raises(RequestRejected, match="redirects"):
            Wire().get(f"{stub.url}/v1", AllowedHosts("", [stub.url]))


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/certificates.pem")

    session = guarded_session(HOSTS)

    assert not session.trust_env
    assert session.verify == "/certificates.pem"
