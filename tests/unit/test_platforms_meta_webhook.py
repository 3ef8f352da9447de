"""Meta's webhooks."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.errors import BadInput, TooLarge
from adweir.platforms.meta.webhook import Target, handshake, parse, targets, verify

SECRET = "app-secret"


def sign(raw: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def delivery(field: str, value: Any, owner: Any = "1234567890", kind: str = "ad_account") -> bytes:
    change = {"field": field, "value": value}
    return json.dumps({"object": kind, "entry": [{"id": owner, "time": 1795000000, "changes": [change]}]}).encode()


@given(st.binary(), st.text(min_size=1))
def test_a_signed_body_is_verified_and_any_other_is_not(raw: bytes, secret: str) -> None:
    header = sign(raw, SECRET)
    assert verify(raw, header, [SECRET])
    assert verify(raw, header.upper().replace("SHA256", "sha256"), ["rotated", SECRET])
    assert verify(raw, header, [secret]) is (secret == SECRET)
    assert not verify(raw + b"x", header, [SECRET])


@given(st.binary(), st.one_of(st.none(), st.text()), st.lists(st.text(alphabet=st.characters(codec="utf-8"))))
def test_verification_is_total(raw: bytes, header: str | None, secrets: list[str]) -> None:
    assert verify(raw, header, secrets) is False
    assert verify(raw, f"sha256={header}", secrets) is False


def test_no_secret_verifies_nothing() -> None:
    assert not verify(b"", sign(b"", ""), [""])
    assert not verify(b"", sign(b""), [])
    assert not verify(b"", sign(b"").replace("sha256", "sha1"), [SECRET])


def test_the_handshake_answers_its_challenge_only_to_our_token() -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "tok"}
    assert handshake(query, "tok") == "1158201444"
    assert handshake(query, "other") is None
    assert handshake(query, "") is None
    assert handshake(query | {"hub.mode": "unsubscribe"}, "tok") is None
    assert handshake(query | {"hub.verify_token": "ü\ud800"}, "tok") is None
    assert handshake({}, "tok") is None


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("field_changed", {"object_id": "333", "object_type": "ad"}, Target("1234567890", "ad", "333")),
        ("field_changed", {"object_id": 22, "object_type": "adset"}, Target("1234567890", "ad_group", "22")),
        ("with_issues_ad_objects", {"id": "11", "level": "CAMPAIGN"}, Target("1234567890", "campaign", "11")),
        ("in_process_ad_objects", {"id": "22", "level": "AD_SET"}, Target("1234567890", "ad_group", "22")),
        ("in_process_ad_objects", {"id": "9", "level": "CREATIVE"}, Target("1234567890", "account", "1234567890")),
        ("creative_fatigue", {"adgroup_id": "333"}, Target("1234567890", "ad", "333")),
        ("subscriptions", {"object_id": 333, "object_type": "ad", "field": "spent"}, Target("1234567890", "ad", "333")),
        ("ad_recommendations", {"ad_object_ids": ["1"]}, Target("1234567890", "account", "1234567890")),
        ("field_changed", {"object_id": "../x", "object_type": "ad"}, Target("1234567890", "account", "1234567890")),
        ("field_changed", {"object_id": True, "object_type": 4}, Target("1234567890", "account", "1234567890")),
    ],
)
def test_a_change_names_what_to_read_again(field: str, value: Any, expected: Target) -> None:
    assert targets(delivery(field, value)) == [expected]


def test_other_webhook_objects_ask_for_nothing() -> None:
    assert targets(delivery("leadgen", {"leadgen_id": 4440001}, owner=153125381133, kind="page")) == []


def test_the_same_change_has_the_same_key_whatever_the_order_of_its_fields() -> None:
    one = parse(delivery("field_changed", {"object_id": "1", "object_type": "ad"}))
    same = parse(delivery("field_changed", {"object_type": "ad", "object_id": "1"}, owner=1234567890))
    other = parse(delivery("field_changed", {"object_id": "2", "object_type": "ad"}))
    assert one[0].key == same[0].key != other[0].key
    assert (one[0].owner, one[0].time, one[0].field) == ("1234567890", 1795000000, "field_changed")


def test_targets_are_told_once() -> None:
    entry = json.loads(delivery("creative_fatigue", {"adgroup_id": "3"}))["entry"][0]
    assert len(targets(json.dumps({"object": "ad_account", "entry": [entry, entry]}).encode())) == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"object": "ad_account"}',
        b'{"object": "ad_account", "entry": [{"id": "x"}]}',
        b'{"object": "ad_account", "entry": [{"id": "1", "changes": [{"value": {}}]}]}',
        b'{"object": "\xff", "entry": []}',
    ],
)
def test_what_is_no_delivery_is_bad_input(raw: bytes) -> None:
    with pytest.raises(BadInput):
        parse(raw)


def test_a_delivery_of_more_than_a_thousand_changes_is_refused() -> None:
    changes = [{"field": "x", "value": {}}] * 1001
    body = {"object": "ad_account", "entry": [{"id": "1", "time": 1, "changes": changes}]}
    with pytest.raises(TooLarge):
        parse(json.dumps(body).encode())


@given(st.binary(max_size=200))
def test_parsing_only_ever_raises_bad_input(raw: bytes) -> None:
    with contextlib.suppress(BadInput):
        targets(raw)
