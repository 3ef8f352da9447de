"""Requests of functions to MiniStack with less work on the function's side. Run by forks.py, beside which it lies.

A function asks AWS up to fifty times for one task, and half of a small request's time is botocore's own. Of it the
following depends on nothing that changes from request to request, or is looked at by nobody here: where the tables
are, the parts of an address, TLS for clients that speak none, and a signature, which MiniStack does not check: it reads
the key and the region. Links are signed as ever. Headers of an answer are read without the parser for mail.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from functools import cache, lru_cache
from io import BytesIO
from typing import Any

from botocore import auth, httpsession, regions
from botocore.compat import get_current_datetime
from urllib3 import connectionpool, poolmanager

_ADDRESSES = 1000
_http: Any = http.client
_SIGNED = frozenset({auth.SigV4Auth, auth.S3SigV4Auth})
"""Those that sign requests, not links."""
_PLAIN = re.compile(r"(?!content-type:[ \t]*m)([a-z0-9-]+):[ \t]*([^\r\n]*)", re.IGNORECASE).fullmatch
"""A header, but for the types of a body that has parts or is a message: the parser for mail goes on with these."""


def mend() -> None:
    """Have botocore, urllib3 and http.client of this process do so, and of the processes that are forked of it."""
    signer: Any = auth.SigV4Auth
    signer.add_auth = without_signature(signer.add_auth)
    resolver: Any = regions.EndpointRulesetResolver
    resolver.construct_endpoint = found_once(resolver.construct_endpoint)
    sessions: Any = httpsession
    sessions.create_urllib3_context = cache(sessions.create_urllib3_context)
    pools: Any = poolmanager
    connections: Any = connectionpool
    pools.parse_url = connections.parse_url = lru_cache(_ADDRESSES)(pools.parse_url)
    _http.parse_headers = read_plainly(_http.parse_headers)


def without_signature(sign: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """`sign`, for requests without the signature itself."""

    def add_auth(self: Any, request: Any) -> None:
        if self.credentials is None or type(self) not in _SIGNED:
            sign(self, request)
            return
        request.context["timestamp"] = get_current_datetime().strftime(auth.SIGV4_TIMESTAMP)
        self._modify_request_before_signing(request)
        credential = f"Credential={self.scope(request)}"
        request.headers["Authorization"] = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=none"

    return add_auth


def found_once(find: Callable[..., Any]) -> Callable[..., Any]:
    """`find`, the address for a call, once for all tables of a client: it is another one only for a table's ARN."""

    def construct_endpoint(self: Any, operation_model: Any, call_args: Any, request_context: Any) -> Any:
        if self._service_model.service_name != "dynamodb" or ":" in str((call_args or {}).get("TableName", "")):
            return find(self, operation_model, call_args, request_context)
        if "address" not in self._instance_cache:
            self._instance_cache["address"] = find(self, operation_model, call_args, request_context)
        return self._instance_cache["address"]

    return construct_endpoint


def read_plainly(parse: Callable[..., Any]) -> Callable[..., Any]:
    """`parse`, an answer's headers, quicker where each is a line of its own with a plain name."""

    def parsed(file: Any, _class: Any = http.client.HTTPMessage) -> Any:
        lines = _http._read_headers(file)  # noqa: SLF001
        text = b"".join(lines).decode("iso-8859-1")
        found = [_PLAIN(line) for line in text.split("\r\n")[:-2]]
        plain = [each.groups() for each in found if each]
        if lines[-1] != b"\r\n" or len(plain) < len(found):
            return parse(BytesIO(b"".join(lines)), _class)
        message = _class()
        for name, value in plain:
            message.set_raw(name, value)
        message.set_payload("")
        return message

    return parsed
