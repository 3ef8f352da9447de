"""Values of a credential: what may go into a request, and what only looks like a credential."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.platforms.credentials import CredentialFields, PlainEnd, Secret
from adweir.platforms.tiktok_ads import TikTokCredential


class Token(CredentialFields):
    """A platform with one secret."""

    access_token: Secret


class Lasting(Token):
    """One whose token ends some day."""

    until: PlainEnd = ""


@pytest.mark.parametrize(("until", "ends"), [("2026-12-19", date(2026, 12, 19)), ("", None), ("someday", None)])
def test_the_end_of_a_credential_is_a_date_or_unknown(until: str, ends: date | None) -> None:
    given = {"access_token": "a-token"} | ({"until": until} if until else {})
    assert Lasting.read(given).ends == ends  # one that was stored before can be read, whatever it says
    assert Token.read({"access_token": "a-token"}).ends is None


def test_an_end_that_is_no_date_is_refused_when_it_is_stored() -> None:
    Lasting.check_given({"until": "2026-12-19"})
    Lasting.check_given({"until": ""})
    with pytest.raises(Unprocessable) as refused:
        Lasting.check_given({"until": "19.12.2026"})
    assert refused.value.details == [{"field": "until", "message": "is a date, YYYY-MM-DD"}]


def test_a_choice_that_may_be_left_out_is_refused_with_what_it_can_be() -> None:
    values = {"access_token": "a-long-token", "app_id": "1", "secret": "secret-1", "async_reports": "yes"}
    with pytest.raises(Unprocessable) as refused:
        TikTokCredential.read(values)
    assert refused.value.details == [{"field": "async_reports", "message": "is one of allowed, or is left out"}]


@pytest.mark.parametrize("value", ["...", ".", "<>", "****", "", "a b", "a\n", "\u2026", "t\u00f6ken"])
def test_given_a_placeholder_or_what_no_header_can_carry_when_read_then_its_field_is_named_and_never_its_value(
    value: str,
) -> None:
    # when
    with pytest.raises(Unprocessable) as refused:
        Token.read({"access_token": value})

    # then
    most = limits.MAX_CREDENTIAL_VALUE_CHARS
    message = f"is 1 to {most} printable ASCII characters without spaces, a letter or digit among them"
    assert refused.value.details == [{"field": "access_token", "message": message}]
    assert refused.value.message == f"the credential is refused: access_token: {message}"


@pytest.mark.parametrize("value", ["EAAG82d9", "Atzr|79ae...", "7", "...x"])
def test_given_a_value_with_a_letter_or_digit_when_read_then_it_is_taken_as_it_is(value: str) -> None:
    assert Token.read({"access_token": value}).access_token == value


def test_given_missing_and_unknown_fields_when_read_then_each_is_named() -> None:
    # given
    values: dict[str, Any] = {"token": "x"}

    # when
    with pytest.raises(Unprocessable) as refused:
        Token.read(values)

    # then
    assert refused.value.details == [
        {"field": "access_token", "message": "is required"},
        {"field": "token", "message": "is unknown; known: access_token"},
    ]
