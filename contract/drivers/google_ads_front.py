"""Google's gRPC services before the sandbox's REST: Google's own client speaks gRPC over TLS alone.

The front answers what the client asks with the sandbox's answer to the same question by REST, as Google's own does
(Google Ads API, "REST interface design"). It adds nothing: headers are the client's metadata, every answer has to be
one that protobuf reads strictly, and a refusal comes as the GoogleAdsFailure that the client looks for in the trailing
metadata. Its certificate is made for the run and trusted by nobody else.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from google.ads.googleads.client import GoogleAdsClient
from google.ads.googleads.v26.errors.types.errors import GoogleAdsFailure
from google.ads.googleads.v26.services.types.customer_service import (
    ListAccessibleCustomersRequest,
    ListAccessibleCustomersResponse,
)
from google.ads.googleads.v26.services.types.google_ads_service import (
    SearchGoogleAdsStreamRequest,
    SearchGoogleAdsStreamResponse,
)
from google.oauth2.credentials import Credentials
from google.protobuf import json_format

API = "https://googleads.googleapis.com/v26"
_SERVICES = "google.ads.googleads.v26.services."
_FAILURE = "google.ads.googleads.v26.errors."
_SECONDS = 60


def strict(answer: Mapping[str, Any], kind: Any) -> Any:
    """The message, when the class reads the answer and writes the same again. Raises ParseError or ValueError."""
    message = json_format.ParseDict(dict(answer), kind.pb()())
    differences = list(unlike(answer, json_format.MessageToDict(message), ""))
    if differences:
        raise ValueError("; ".join(differences[:5]))
    return message


def strict_failure(answer: Mapping[str, Any]) -> Any:
    """A refusal that the classes read."""
    failure = dict(answer["error"]["details"][0])
    if failure.pop("@type") != f"type.googleapis.com/{_FAILURE}GoogleAdsFailure":
        raise ValueError(f"another failure: {answer}")
    return strict(failure, GoogleAdsFailure)


def unlike(given: Any, written: Any, path: str) -> Iterator[str]:
    """Where two JSON values differ, types included; a whole double may be written without decimals."""
    if isinstance(written, dict) and isinstance(given, dict):
        for name in sorted(given.keys() | written.keys()):
            yield from unlike(given.get(name), written.get(name), f"{path}.{name}")
    elif isinstance(written, list) and isinstance(given, list) and len(written) == len(given):
        for one, other in zip(given, written, strict=True):
            yield from unlike(one, other, path)
    elif given != written or (
        type(given) is not type(written) and not (isinstance(written, float) and type(given) is int)
    ):
        yield f"{path}: {given!r} is {written!r} in the classes"


def _services() -> list[grpc.GenericRpcHandler]:
    stream = grpc.unary_stream_rpc_method_handler(_stream, SearchGoogleAdsStreamRequest.pb().FromString, _written)
    listed = grpc.unary_unary_rpc_method_handler(_accessible, ListAccessibleCustomersRequest.pb().FromString, _written)
    return [
        grpc.method_handlers_generic_handler(f"{_SERVICES}GoogleAdsService", {"SearchStream": stream}),
        grpc.method_handlers_generic_handler(f"{_SERVICES}CustomerService", {"ListAccessibleCustomers": listed}),
    ]


def _stream(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
    url = f"{API}/customers/{request.customer_id}/googleAds:searchStream"
    answer = requests.post(url, json={"query": request.query}, headers=_headers(context), timeout=_SECONDS)
    for batch in _checked(answer, context):
        yield strict(batch, SearchGoogleAdsStreamResponse)


def _accessible(_request: Any, context: grpc.ServicerContext) -> Any:
    url = f"{API}/customers:listAccessibleCustomers"
    answer = requests.get(url, headers=_headers(context), timeout=_SECONDS)
    return strict(_checked(answer, context), ListAccessibleCustomersResponse)


def _headers(context: grpc.ServicerContext) -> dict[str, str]:
    passed = {"authorization", "developer-token", "login-customer-id"}
    return {name: value for name, value in context.invocation_metadata() if name in passed}


def _checked(answer: requests.Response, context: grpc.ServicerContext) -> Any:
    """The answer, or the call ended as the sandbox has ended it."""
    found = answer.json()
    if answer.ok:
        return found
    error = (found[0] if isinstance(found, list) else found)["error"]
    if error.get("details"):
        failure = strict_failure({"error": error}).SerializeToString()
        context.set_trailing_metadata(((f"{_FAILURE}googleadsfailure-bin", failure), ("request-id", "of-the-sandbox")))
    context.abort(grpc.StatusCode[error["status"]], error["message"])
    raise AssertionError("unreachable: abort raises")


def _written(message: Any) -> bytes:
    written: bytes = message.SerializeToString()
    return written


@contextmanager
def front() -> Iterator[str]:
    """The front's address. Once per process: gRPC reads what it trusts once."""
    key, certificate = _identity()
    server = grpc.server(ThreadPoolExecutor(4), handlers=_services())
    port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials([(key, certificate)]))
    server.start()
    with tempfile.TemporaryDirectory() as folder:
        trusted = Path(folder) / "front.pem"
        trusted.write_bytes(certificate)
        os.environ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = str(trusted)
        try:
            yield f"localhost:{port}"
        finally:
            server.stop(grace=1).wait()


def google_client(endpoint: str, secret: Mapping[str, str]) -> tuple[GoogleAdsClient, list[str]]:
    """Google's client, unmodified, with a user's consent, and the accounts that the user reaches directly.

    It reads other accounts through the first of these.
    """
    credentials = Credentials(
        None,
        refresh_token=secret["refresh_token"],
        client_id=secret["client_id"],
        client_secret=secret["client_secret"],
        token_uri="https://oauth2.googleapis.com/token",  # noqa: S106 - an address
    )
    # Google gives a developer token to each user of its API; the sandbox asks for none.
    known = {"credentials": credentials, "developer_token": "of-the-sandbox", "endpoint": endpoint, "version": "v26"}
    reached = GoogleAdsClient(**known, use_proto_plus=True).get_service("CustomerService")
    roots = [name.rpartition("/")[2] for name in reached.list_accessible_customers().resource_names]
    return GoogleAdsClient(**known, use_proto_plus=True, login_customer_id=roots[0]), roots


def _identity() -> tuple[bytes, bytes]:
    """A key and a certificate of this machine's own name for an hour, as PEM."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)
