"""No secret is left in a text that is kept, wherever it stands; what people look for in the text is."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model import limits
from adweir.model.scrubbing import is_secret, scrubbed
from support.bounds import at_the_bound

NAMES = (
    "access_token", "appsecret_proof", "client_secret", "clientSecret", "refresh_token", "developer_token", "secret",
    "Password", "Token", "verify_token", "google_key", "api_key", "x-api-key", "Authorization", "webhook-signature",
    "X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Credential", "key", "primary_contact_email", "phone_number",
    "auth_code", "Ocp-Apim-Subscription-Key",
)  # fmt: skip
FORMS = (
    "adw_0123456789abcdef0123_Zm9vYmFyYmF6cXV4", "Bearer c29tZXRoaW5nIHNlY3JldA==", "EAABsbCS1iHgBAOZCZBZAxyz012345",
    "ya29.a0AfH6SMBx-1234567890", "1//0gabcdefghijklmnop-qrst", "GOCSPX-abcdefghij_klmn", "Atzr|IwEBIA-0123456789abc",
    "Atza|IwEBIA-0123456789abc", "AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "ada@example.com", "amzn1.oa2-cs.v1.0123456789abcdef",
)  # fmt: skip
PLAIN = st.text("abcdefghijk XYZ0123456789,.:;(){}[]äß\n\t\\\"'", max_size=30)
SECRETS = st.text("abcdefghijkmnopqrstuvwxyzABCDEFGH0123456789-_+/=|~", min_size=8, max_size=60).filter(
    lambda text: len(set(text)) > 4
)
LEAVES = st.one_of(PLAIN, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False))
HARMLESS = ("name", "note", "rows", "metrics", "date_range", "spend", "list of things")
SHAPES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(HARMLESS), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def planted(draw: st.DrawFn) -> tuple[Any, list[str]]:
    """Some JSON, and the secrets that stand in it under names of secrets: as texts, deep within, in lists."""
    secrets = draw(st.lists(SECRETS, min_size=1, max_size=3))
    value: Any = draw(SHAPES)
    for secret in secrets:
        how: Any = draw(st.sampled_from(["text", "list", "deep", "mixed"]))
        kept: Any = {
            "text": secret,
            "list": [secret, 1],
            "deep": {"current": {"name": [secret]}, "other": draw(SHAPES)},
            "mixed": [draw(SHAPES), {"value": secret}],
        }[how]
        under = {draw(st.sampled_from(NAMES)): kept}
        where = draw(st.sampled_from(["before", "behind", "in a list", "within"]))
        if where == "before":
            value = {**under, "rows": value}
        elif where == "behind":
            value = {"rows": value, **under}
        elif where == "in a list":
            value = [value, under, draw(SHAPES)]
        else:
            value = {"name": {"note": [under, value]}}
    return value, secrets


@given(planted(), st.sampled_from([None, 2]), st.booleans())
def test_a_value_under_the_name_of_a_secret_is_hidden(
    found: tuple[Any, list[str]], indent: int | None, ascii_only: bool
) -> None:
    value, secrets = found
    kept = scrubbed(json.dumps(value, indent=indent, ensure_ascii=ascii_only))
    for secret in secrets:
        assert secret not in kept


@given(planted(), st.integers(0, 400))
def test_a_text_that_is_cut_off_anywhere_hides_as_much(found: tuple[Any, list[str]], end: int) -> None:
    value, secrets = found
    kept = scrubbed(json.dumps(value)[:end])
    for secret in secrets:
        assert secret[:8] not in kept or secret[:8] in json.dumps(_without(value))


def _without(value: Any) -> Any:
    """What may be seen of a value."""
    if isinstance(value, dict):
        return {name: "" if is_secret(name) else _without(inner) for name, inner in value.items()}
    return [_without(inner) for inner in value] if isinstance(value, list) else value


@given(st.sampled_from(FORMS), PLAIN, PLAIN, st.sampled_from(["plain", "json", "query", "header", "quoted", "link"]))
def test_what_looks_like_a_secret_is_hidden_wherever_it_stands(secret: str, before: str, behind: str, how: str) -> None:
    texts = {
        "plain": f"{before} {secret} {behind}",
        "json": json.dumps({"note": [f"{before} {secret}"], "name": behind}),
        "query": urlencode({"q": before, "x": secret}),
        "header": f"x: {secret}\r\n{behind}",
        "quoted": f"({before}) '{quote(secret, safe='')}'",
        "link": json.dumps({"url": f"https://h.example/a?b=1&x={secret}&c=2"}),
    }
    kept = scrubbed(texts[how])
    for spelled in (secret, quote(secret, safe=""), secret.partition(" ")[2] or secret):
        assert spelled not in kept


@given(st.sampled_from(NAMES), SECRETS, st.sampled_from(["form", "url", "json", "header", "json in json"]))
def test_a_secret_of_a_form_or_a_link_is_hidden(name: str, secret: str, how: str) -> None:
    form = urlencode({"grant_type": "refresh", name: secret, "scope": "ads"})
    link = f"https://h.example/p?{form}"
    body = json.dumps({"grant_type": "refresh", name: secret, "scope": "ads"})
    texts = {
        "form": form,
        "url": f"{link}#x",
        "json": json.dumps({"link": link}),
        "header": f"refresh: 1\n{name}: {secret}\n",
        "json in json": json.dumps({"message": f"no: {body}"}),
    }
    kept = scrubbed(texts[how])
    assert secret not in kept
    assert quote(secret, safe="") not in kept
    assert "refresh" in kept


@given(planted())
def test_of_what_is_secret_as_a_whole_only_names_are_left(found: tuple[Any, list[str]]) -> None:
    def leaves(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [leaf for inner in value.values() for leaf in leaves(inner)]
        if isinstance(value, list):
            return [leaf for inner in value for leaf in leaves(inner)]
        return [value] if isinstance(value, str) else []

    value, _ = found
    kept = scrubbed(json.dumps({"names": value}), names_only=True)
    assert [leaf for leaf in leaves(value) if len(leaf) > 8 and json.dumps(leaf)[1:-1] in kept] == []
    assert kept.startswith('{"names":')
    assert scrubbed(f"secret={value}", names_only=True) == "REDACTED"


def test_what_people_look_for_stays() -> None:
    body = {"data_type": "ads", "filters": {"campaign_id": "c1", "date_range": {"start": "2026-11-01"}}, "limit": 5}
    assert scrubbed(json.dumps(body, indent=1)) == json.dumps(body, separators=(",", ":"))
    assert scrubbed("platform=meta&limit=5&start=2026-11-01") == "platform=meta&limit=5&start=2026-11-01"
    assert scrubbed('{"error":{"code":17,"message":"limit"}}') == '{"error":{"code":17,"message":"limit"}}'
    assert scrubbed("") == scrubbed("", names_only=True) == ""


@pytest.mark.parametrize("name", ["campaign_id", "spend", "object_key", "monkey", "status_code", "authority", "tokyo"])
def test_harmless_names_are_harmless(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize(
    "text",
    [
        r'{"\u0074oken": "hush-hush"}', "%74oken=hush-hush", r'{"a": "{\"\\u0074oken\": \"hush-hush\"}"}',
        '{"TOKEN" : "hush-hush"}', "{token: hush-hush}", "{'token': 'hush-hush'}", "access%5Ftoken=hush-hush&b=1",
    ],
)  # fmt: skip
def test_a_name_is_known_however_it_is_written(text: str) -> None:
    assert "hush" not in scrubbed(text)


@pytest.mark.parametrize(
    "text",
    [
        r'{"message": "{\"token\": \"hush\\/hush\\u003dhush\"}"}', r'{"message": "no: token=hush\/hush\u003dhush"}',
        r"""{"message": "{\"token\": \"hush'hush\"}"}""", r'{"message": "Bearer hush\/hush\/hush"}',
        "no: {'token': 'hush\"hush'}",
    ],
)  # fmt: skip
def test_a_value_is_hidden_to_its_end_however_it_is_written(text: str) -> None:
    assert "hush" not in scrubbed(text)


def test_what_stands_behind_a_hidden_value_stays() -> None:
    link = r"{\"next\": \"https:\/\/h.example\/?token=hush\\u0026limit=5\", \"rows\": 3}"
    kept = scrubbed(json.dumps({"message": "x"}).replace("x", link))

    assert "hush" not in kept
    assert "limit=5" in kept
    assert kept.endswith(r'\"rows\": 3}"}')


@given(st.text(max_size=300), st.booleans())
def test_any_text_is_read(text: str, names_only: bool) -> None:
    assert len(scrubbed(text, names_only=names_only).encode()) <= limits.MAX_LOGGED_BODY_BYTES
    assert len(scrubbed("{" + text, names_only=names_only).encode()) <= limits.MAX_LOGGED_BODY_BYTES


@pytest.mark.parametrize("shown", range(4, 24))
def test_a_secret_that_is_cut_off_where_nobody_looks_any_more_is_not_kept(shown: int) -> None:
    """Given so many secrets before it that what is kept ends where the looking ends."""
    before = ("EAA" + "x" * 200 + " ") * 14
    text = before + " " * (3072 - len(before) - shown) + "EAAbcdefghijklmnopqrstuvw" * 9
    assert "EAAb" not in scrubbed(text)


@at_the_bound("MAX_LOGGED_BODY_BYTES")
def test_how_much_of_a_body_is_kept(size: int, fits: bool) -> None:
    text = "ü" * (size // 2) + "x" * (size % 2)
    assert (scrubbed(text) == text) is fits


@pytest.mark.parametrize(
    "text",
    [
        "a" * 3_000_000, "a@" * 1_000_000, "a." * 1_000_000, "{" * 1_000_000, '{"a":' * 1_000_000, '"' * 1_000_000,
        "[" + '"\\' * 1_000_000, base64.b64encode(bytes(1_000_000)).decode(), "a=" * 1_000_000, "&token" * 500_000,
        "-----BEGIN " * 100_000, '{"secret":' * 100_000, '{"a":"' + "eyJaaaaaa" * 100_000, " " * 1_000_000,
    ],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    begun = time.process_time()
    scrubbed(text)
    assert time.process_time() - begun < 0.5
