"""Secret values are replaced in texts, bodies and chunks, however a platform writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model import limits
from adweir.model.errors import RequestRejected, Unprocessable
from adweir.model.scrubbing import REDACTED
from adweir.platforms.connector import Page, Report, ReportState
from adweir.platforms.guarded import ConnectorFault, Guarded
from adweir.platforms.meta import MetaCredential
from adweir.platforms.redaction import Redactor
from support.bounds import at_the_bound
from support.collect_world import FakeConnector
from support.pipeline import a_task

PLAIN = "EAAGm0PX4ZCpsBAKZBXvXZC7ZA5lZAo2nHfAkZD"
ODD = 'Atza|IwEBIP+/x=="q\\u<&>Lz9T-_.~kW3n7Q'
SPELLINGS: list[Callable[[str], str]] = [
    str,
    lambda value: quote(value, safe=""),
    quote_plus,
    lambda value: re.sub("%..", lambda found: found[0].lower(), quote(value, safe="")),
    lambda value: quote(quote(value, safe=""), safe=""),
    lambda value: json.dumps(value)[1:-1],
    lambda value: json.dumps(value)[1:-1].replace("/", "\\/"),
    lambda value: "".join(char if char.isalnum() else f"\\u{ord(char):04X}" for char in value),
]


@pytest.mark.parametrize("value", [PLAIN, ODD])
@pytest.mark.parametrize("spelled", SPELLINGS)
def test_a_value_is_replaced_however_it_is_written(value: str, spelled: Callable[[str], str]) -> None:
    text = f'{{"next":"https://x.test/?access_token={spelled(value)}&after=1"}}'
    redactor = Redactor([value])
    expected = f'{{"next":"https://x.test/?access_token={REDACTED}&after=1"}}'
    assert redactor.text(text) == expected
    assert redactor.body(text.encode()) == expected.encode()


def test_a_value_that_is_quoted_cut_short_is_replaced() -> None:
    assert Redactor([PLAIN]).text(f"Malformed access token {PLAIN[:28]}") == f"Malformed access token {REDACTED}"


def test_what_has_no_secret_stays_the_same_object() -> None:
    body = b'{"data":[{"spend":"12.34"}]}' * 100
    assert Redactor([PLAIN, ODD]).body(body) is body


@at_the_bound("MIN_CREDENTIAL_SECRET_CHARS")
def test_a_value_as_short_as_other_text_is_not_replaced(size: int, fits: bool) -> None:
    """`size` at the bound is the shortest that is replaced, and what the door takes; one less is neither."""
    secret = ("s3cretvalue" * 2)[: size if fits else size - 2]
    assert (REDACTED in Redactor([secret]).text(f"x{secret}x")) == fits
    if fits:
        MetaCredential.check_secrets({"access_token": secret})
    else:
        with pytest.raises(Unprocessable, match="access_token"):
            MetaCredential.check_secrets({"access_token": secret})


@at_the_bound("MAX_MADE_SECRETS")
def test_the_newest_tokens_are_known(size: int, fits: bool) -> None:
    tokens = [f"token-{number:03}-{PLAIN}" for number in range(size)]
    redactor = Redactor()
    for token in (*tokens, tokens[-1]):
        redactor.add(token)
    assert (redactor.text(tokens[0]) == REDACTED) == fits
    assert redactor.text(tokens[-1]) == REDACTED
    assert limits.MAX_MADE_SECRETS > 1


@given(
    st.lists(
        st.sampled_from([PLAIN, ODD, quote(ODD, safe=""), json.dumps(ODD)[1:-1], "EAAG", ",", "Atza|", '"', "12.5"]),
        max_size=12,
    ),
    st.lists(st.integers(1, 80), min_size=1, max_size=8),
)
def test_chunks_have_what_the_whole_body_has(parts: list[str], sizes: list[int]) -> None:
    whole = " ".join(parts).encode()
    chunks, at, number = [], 0, 0
    while at < len(whole):
        chunks.append(whole[at : at + sizes[number % len(sizes)]])
        at, number = at + len(chunks[-1]), number + 1
    redactor = Redactor([PLAIN, ODD])

    found = b"".join(redactor.chunks(chunks))

    assert found == redactor.body(whole)
    assert PLAIN.encode() not in found
    assert found.count(REDACTED.encode()) == sum(part in (PLAIN, ODD) or len(part) > 20 for part in parts)


def test_a_long_body_in_chunks_is_not_kept_in_memory() -> None:
    chunks = iter([b"x" * 100_000] * 3)
    redacted = Redactor([PLAIN]).chunks(chunks)
    assert len(next(redacted)) > 99_000


# -- the connector's boundary


@pytest.fixture
def inner() -> FakeConnector:
    return FakeConnector()


@pytest.fixture
def connector(inner: FakeConnector) -> Guarded:
    return Guarded(inner, Redactor([PLAIN]))


def test_pages_and_reports_have_no_secret(inner: FakeConnector, connector: Guarded) -> None:
    """Given answers that repeat the token in each of their parts."""
    inner.listed = [Page(f"a{PLAIN}".encode(), f"https://x.test/{PLAIN}", 200, False, PLAIN, "json", PLAIN)]
    inner.file = [Page(iter([PLAIN[:9].encode(), PLAIN[9:].encode()]), "https://x.test", 200, True)]
    inner.reports = {"r": Report("r", ReportState.FAILED, datetime(2026, 11, 1, tzinfo=UTC), f"bad token {PLAIN}")}
    task = a_task()

    for (found,) in (list(connector.pages(task)), list(connector.profiles())):
        assert found == (f"a{REDACTED}".encode(), f"https://x.test/{REDACTED}", 200, False, REDACTED, "json", REDACTED)
    (file,) = connector.report_pages(task, "r")
    assert file.content() == REDACTED.encode()
    assert connector.report(task, "r").reason == f"bad token {REDACTED}"


def test_an_error_has_no_secret_and_no_exception_behind_it(inner: FakeConnector, connector: Guarded) -> None:
    error = RequestRejected(f"Malformed access token {PLAIN}", said=[{"url": PLAIN}], trace=7)
    error.__cause__ = OSError(f"https://x.test/?access_token={PLAIN}")
    inner.error = error
    for call in (
        lambda: list(connector.pages(a_task())),
        lambda: list(connector.profiles()),
        lambda: connector.create_report(a_task()),
        lambda: connector.report(a_task(), "r"),
    ):
        with pytest.raises(RequestRejected) as caught:
            call()
        found = caught.value
        assert found.message == str(found) == f"Malformed access token {REDACTED}"
        assert found.context == {"said": [{"url": REDACTED}], "trace": 7}
        assert (found.__cause__, found.__context__) == (None, None)


def test_a_fault_of_ours_is_logged_without_a_secret(inner: FakeConnector, connector: Guarded) -> None:
    def broken() -> None:
        error = KeyError(PLAIN)
        error.__context__ = OSError(f"https://x.test/?access_token={PLAIN}")
        raise error

    inner.each_page = broken
    with pytest.raises(ConnectorFault, match=r"in broken[\s\S]*KeyError: 'REDACTED'") as caught:
        list(connector.pages(a_task()))
    assert PLAIN not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
