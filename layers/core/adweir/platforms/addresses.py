"""Requests to hosts that people name: https, an allowed host, and a public address at the moment of connecting.

Where a URL comes from a person, its host may be a name that leads into the own network: a service of the VPC, the
metadata service, Lambda's own API. So the host has to be on a list of the deployment; its name is resolved once for
each connection, every address that it has is judged, and the connection goes to one of those very addresses. A name
that changes between the question and the connection (DNS rebinding) changes nothing, because nobody asks again.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from adweir.model.errors import RequestRejected
from adweir.model.urls import without_secrets
from adweir.platforms.session import SecureConnection, SecurePool, SessionAdapter, certificates, new_session

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]
"""A host and port → each address that it has. Raises socket.gaierror."""
Dial = Callable[..., socket.socket]
"""Connects as `urllib3.util.connection.create_connection` does. Raises OSError."""

_HOST = re.compile(r"(?:\*|(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)")
_NAT64 = tuple(ipaddress.IPv6Network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48"))
"""Addresses of IPv4 as a translator of an IPv6 network names them (RFC 6052, RFC 8215)."""


def refused_address(text: str) -> str:
    """Why a connection must not go to an address; "" for a public one.

    An IPv6 address that holds one of IPv4 (mapped, NAT64, 6to4, Teredo) is judged by both.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "no address"
    return next((why for each in (address, *_embedded(address)) if (why := _why(each))), "")


def _embedded(address: Address) -> list[Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return []
    held: list[Address | None] = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in net for net in _NAT64):
        held.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [each for each in held if each is not None]


def _why(address: Address) -> str:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped or address in _NAT64[0] or address.sixtofour or address.teredo:
            return ""  # judged by the address within
        if address.is_site_local:
            return "a private address"
    if address.is_loopback:
        return "this machine"
    if address.is_link_local:
        return "a link-local address, as the metadata service has"
    if address.is_multicast or address.is_reserved or address.is_unspecified:
        return "no address of a server"
    return "" if address.is_global else "a private address"


class AllowedHosts:
    """The hosts that a deployment lets people name, and URLs that it excepts from all of it (the sandbox's).

    `hosts`: names separated by commas; `*.example.com` stands for every name below example.com, `*` for any name.
    `excepted`: URLs whose scheme, host and port may be asked as they are, whatever their address.
    """

    def __init__(self, hosts: str, excepted: Iterable[str] = ()) -> None:
        self._patterns = [name for part in hosts.split(",") if (name := part.strip().lower().rstrip("."))]
        self._excepted = {_origin(urlsplit(url)) for url in excepted if url}

    @property
    def origins(self) -> list[str]:
        """The beginnings of the excepted URLs, each with its slash."""
        return sorted(f"{origin}/" for origin in self._excepted)

    def faults(self) -> list[str]:
        """The entries of the list that name no host."""
        return [name for name in self._patterns if not _HOST.fullmatch(name)]

    def refusal(self, url: str) -> str:
        """Why a URL may not be asked, and what to do about it; "" for one that may. Resolves no name."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
            if _origin(parts) in self._excepted:
                return ""
        except ValueError:
            return "is not a URL"
        checks = (
            (parts.scheme == "https", "does not begin with https://"),
            (parts.username is None and parts.password is None, "has a user; that belongs into the credential"),
            (port in (None, 443), "names a port other than 443"),
            (_HOST.fullmatch(host) and "*" not in host, f"has no host name: {host[:80]!r}"),
            (self._patterns, "cannot be asked: this deployment allows no hosts; set its parameter SourceHosts"),
            (
                any(_matches(pattern, host) for pattern in self._patterns),
                f"is on a host that this deployment does not allow: add {host} to its parameter SourceHosts",
            ),
        )
        return next((why for fine, why in checks if not fine), "")


def _matches(pattern: str, host: str) -> bool:
    return pattern in {"*", host} or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def _origin(parts: SplitResult) -> str:
    """Scheme, host and port. Raises ValueError for a port that is none."""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{host}:{port}"


def _resolved(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def guarded_session(
    allowed: AllowedHosts, resolve: Resolve = _resolved, dial: Dial = create_connection
) -> requests.Session:
    """A session for the allowed hosts only, whose connections go to addresses that were judged public.

    It uses no proxy: a proxy would resolve the name itself. Raises RequestRejected for everything else.
    """
    session = new_session()
    session.verify, session.trust_env = certificates(session), False
    plain = session.adapters["http://"]
    guarded = _GuardedAdapter(allowed, _judged(resolve, dial))
    for scheme in ("http://", "https://"):
        session.mount(scheme, guarded)
    for origin in allowed.origins:
        session.mount(origin, plain)
    return session


class _GuardedAdapter(SessionAdapter):
    def __init__(self, allowed: AllowedHosts, pool: type[SecurePool]) -> None:
        self._allowed, self._pool = allowed, pool
        super().__init__()

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        super().init_poolmanager(*args, **named)
        self.poolmanager.pool_classes_by_scheme = {"https": self._pool}

    def send(self, request: requests.PreparedRequest, *args: Any, **named: Any) -> requests.Response:
        url = request.url or ""
        why = self._allowed.refusal(url)
        if why:
            raise RequestRejected(f"{without_secrets(url)} {why}")
        return super().send(request, *args, **named)


def _judged(resolve: Resolve, dial: Dial) -> type[SecurePool]:
    """Connections that go to one of the addresses which their host has at this moment, if all of them are public."""

    class Judged(SecureConnection):
        def _new_conn(self) -> socket.socket:
            try:
                found = resolve(self.host, self.port)
            except socket.gaierror as error:
                raise NameResolutionError(self.host, self, error) from error
            for address in found:
                why = refused_address(address)
                if why:
                    raise RequestRejected(f"{self.host} leads to {why}: only public addresses are asked")
            last: OSError = OSError("the name has no address")
            for address in found:
                try:
                    return dial((address, self.port), self.timeout, None, self.socket_options)
                except OSError as error:
                    last = error
            kind = ConnectTimeoutError if isinstance(last, TimeoutError) else NewConnectionError
            raise kind(self, f"{self.host} does not answer: {type(last).__name__}") from last

    class JudgedPool(SecurePool):
        ConnectionCls = Judged

    return JudgedPool
