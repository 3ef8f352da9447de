"""What workers leave out of a request changes neither its answer nor, but for the signature, the request."""

from __future__ import annotations

import http.client
from io import BytesIO
from typing import Any

import botocore.session
import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from sandbox import quick_calls

KEYS = Credentials("key", "secret", "token")
plainly = quick_calls.read_plainly(http.client.parse_headers)


def both(block: bytes) -> list[tuple[Any, ...]]:
    """What is read of a block of headers, as Python and as the sandbox reads it, and what is left of the file."""
    found: list[tuple[Any, ...]] = []
    for read in (http.client.parse_headers, plainly):
        file = BytesIO(block + b"the body")
        message = read(file)
        payload, defects = message.get_payload(), [str(each) for each in message.defects]
        parts = message.items(), payload if isinstance(payload, str) else len(payload), defects
        found.append((*parts, message.get_unixfrom(), message.is_multipart(), file.read()))
    return found


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"Content-Type: application/json\r\nx-amzn-RequestId:  7 \t\r\nEmpty:\r\nX-A: 1\r\nx-a: 2\r\n",
        b"Folded: one\r\n\ttwo\r\nNext: 1\r\n",
        b" begins: with a space\r\nNext: 1\r\n",
        b"From nobody\r\nNext: 1\r\n",
        b"Next: 1\r\nno colon\r\nLast: 2\r\n",
        b": no name\r\nNext: 1\r\n",
        b"With space : 1\r\n",
        b"Latin: \xe4\x85\r\n",
        b"Bare: one\rtwo\r\nNext: 1\r\n",
        b"Line-End: one\nNext: 1\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n",
        b"content-type:message/rfc822\r\n",
    ],
)
def test_an_answers_headers_are_those_that_python_reads(lines: bytes) -> None:
    pythons, ours = both(lines + b"\r\n")

    assert ours == pythons


@given(st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line), max_size=4))
def test_any_lines_are_read_as_python_reads_them(lines: list[bytes]) -> None:
    pythons, ours = both(b"".join(b"A-%d: %b\r\n%b\r\n" % (at, line, line) for at, line in enumerate(lines)) + b"\r\n")

    assert ours == pythons


def test_headers_that_end_with_the_connection_are_read_as_far_as_they_came() -> None:
    pythons, ours = (read(BytesIO(b"A: 1\r\nB: 2\r\n")).items() for read in (http.client.parse_headers, plainly))

    assert ours == pythons == [("A", "1"), ("B", "2")]


@pytest.mark.parametrize(("signer", "service"), [(auth.SigV4Auth, "dynamodb"), (auth.S3SigV4Auth, "s3")])
def test_a_request_names_its_key_and_region_and_has_all_that_a_signed_one_has(signer: Any, service: str) -> None:
    # given
    asked = [AWSRequest("PUT", "http://127.0.0.1:1/a", {"x-amz-b": "c"}, b"{}") for _ in range(2)]
    one = signer(KEYS, service, "eu-west-1")

    # when
    auth.SigV4Auth.add_auth(one, asked[0])
    quick_calls.without_signature(auth.SigV4Auth.add_auth)(one, asked[1])

    # then
    names = [set(each.headers.keys()) for each in asked]
    assert names[0] == names[1] >= {"X-Amz-Date", "X-Amz-Security-Token", "Authorization"}
    scopes = [each.headers["Authorization"].partition(",")[0] for each in asked]
    assert scopes[0] == scopes[1]
    assert scopes[1].endswith(f"/eu-west-1/{service}/aws4_request")


def test_a_link_is_signed() -> None:
    asked = AWSRequest("GET", "http://127.0.0.1:1/a")
    signer = auth.S3SigV4QueryAuth(KEYS, "s3", "eu-west-1", expires=60)

    quick_calls.without_signature(auth.SigV4Auth.add_auth)(signer, asked)

    assert "X-Amz-Signature=" in str(asked.url)


def test_a_table_is_found_where_botocore_finds_it_also_by_its_arn() -> None:
    session: Any = botocore.session.get_session()
    made = session.create_client("dynamodb", "eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    resolver, get = made._ruleset_resolver, made.meta.service_model.operation_model("GetItem")
    ours = quick_calls.found_once(type(resolver).construct_endpoint)
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/one"

    for name in ("one", arn, "two", "one"):
        expected = made._ruleset_resolver.construct_endpoint(get, {"TableName": name}, {})
        assert ours(resolver, get, {"TableName": name}, {}) == expected
