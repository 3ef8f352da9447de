"""Meta's webhooks."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.errors import BadInput, TooLarge
from adweir.model.metrics import Level
from adweir.platforms.meta.webhook import HOOKS
from adweir.platforms.webhooks import ChangedObject, Sent, SentLead, Told

SECRET = "app-secret"


def sign(raw: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def verify(raw: bytes, header: str | None, secrets: list[str]) -> bool:
    headers = {} if header is None else {"x-hub-signature-256": header}
    return is_verified(headers, raw, [{"app_secret": secret} for secret in secrets])


def is_verified(headers: dict[str, str], raw: bytes, secrets: list[dict[str, str]]) -> bool:
    return HOOKS.verify(Sent(headers, {}, raw, 0), secrets)


def handshake(query: dict[str, str], *tokens: str) -> str | None:
    return HOOKS.handshake(query, [{"verify_token": token} for token in tokens])


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
def test_verification_never_raises(raw: bytes, header: str | None, secrets: list[str]) -> None:
    assert verify(raw, header, secrets) is False
    assert verify(raw, f"sha256={header}", secrets) is False


def test_no_secret_verifies_nothing() -> None:
    assert not verify(b"", sign(b"", ""), [""])
    assert not verify(b"", sign(b""), [])
    assert not verify(b"", sign(b"").replace("sha256", "sha1"), [SECRET])


def test_a_secret_that_does_not_fit_undoes_none_that_does() -> None:
    assert verify(b"x", sign(b"x"), [SECRET, "rotated"])
    assert handshake({"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "tok"}, "tok", "old") == "1"


def test_spaces_around_the_signature_do_not_matter() -> None:
    assert verify(b"x", f" {sign(b'x')} ", [SECRET])


def test_values_without_a_secret_verify_nothing_and_are_no_fault() -> None:
    headers = {"x-hub-signature-256": sign(b"x")}
    assert not is_verified(headers, b"x", [{"verify_token": "tok"}])
    assert is_verified(headers, b"x", [{"verify_token": "tok"}, {"secret": SECRET}])


def test_a_secret_with_half_a_surrogate_pair_is_a_secret() -> None:
    header = "sha256=" + hmac.new(b"\xed\xa0\x80", b"x", hashlib.sha256).hexdigest()
    assert verify(b"x", header, ["\ud800"])


def test_an_app_secret_goes_before_the_secret_of_pushes() -> None:
    headers = {"x-hub-signature-256": sign(b"x")}
    assert is_verified(headers, b"x", [{"secret": SECRET}])
    assert is_verified(headers, b"x", [{"app_secret": SECRET, "secret": "other"}])
    assert not is_verified(headers, b"x", [{"app_secret": "other", "secret": SECRET}])


def test_a_delivery_is_known_by_its_signature_header() -> None:
    assert HOOKS.carries({"x-hub-signature-256": ""})
    assert not HOOKS.carries({"x-hub-signature": "sha1=00"})


def test_the_handshake_answers_its_challenge_only_to_our_tokens() -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "tok"}
    assert handshake(query, "tok") == "1158201444"
    assert handshake(query, "new", "tok") == "1158201444"
    assert handshake(query, "other") is None
    assert handshake(query) is None
    assert handshake(query | {"hub.verify_token": ""}, "") is None
    assert handshake(query | {"hub.mode": "unsubscribe"}, "tok") is None
    assert handshake(query | {"hub.verify_token": "ü\ud800"}, "tok") is None
    assert handshake(query | {"hub.verify_token": "ü\ud800"}, "ü\ud800") == "1158201444"
    assert handshake(query | {"hub.challenge": ""}, "tok") == ""
    for name in query:
        assert handshake({one: value for one, value in query.items() if one != name}, "tok") is None
    assert HOOKS.handshake(query, [{"secret": SECRET}]) is None
    assert HOOKS.handshake(query, [{"secret": SECRET}, {"verify_token": "tok"}]) == "1158201444"


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("field_changed", {"object_id": "333", "object_type": "ad"}, ChangedObject("1234567890", Level.AD, "333")),
        ("field_changed", {"object_id": 22, "object_type": "adset"}, ChangedObject("1234567890", Level.AD_GROUP, "22")),
        (
            "with_issues_ad_objects",
            {"id": "11", "level": "CAMPAIGN"},
            ChangedObject("1234567890", Level.CAMPAIGN, "11"),
        ),
        ("in_process_ad_objects", {"id": "22", "level": "AD_SET"}, ChangedObject("1234567890", Level.AD_GROUP, "22")),
        ("in_process_ad_objects", {"id": "9", "level": "CREATIVE"}, ChangedObject("1234567890", Level.ACCOUNT)),
        ("creative_fatigue", {"adgroup_id": "333"}, ChangedObject("1234567890", Level.AD, "333")),
        (
            "subscriptions",
            {"object_id": 333, "object_type": "ad", "field": "spent"},
            ChangedObject("1234567890", Level.AD, "333"),
        ),
        ("ad_recommendations", {"ad_object_ids": ["1"]}, ChangedObject("1234567890", Level.AD, "1")),
        ("ad_recommendations", {"ad_object_ids": ["1", "x"]}, ChangedObject("1234567890", Level.ACCOUNT)),
        ("ad_recommendations", {"ad_object_ids": "1"}, ChangedObject("1234567890", Level.ACCOUNT)),
        ("ad_recommendations", {"recommendation_type": "x"}, ChangedObject("1234567890", Level.ACCOUNT)),
        ("ads_async_creation_request", {"status": "done", "result_id": 5}, ChangedObject("1234567890", Level.ACCOUNT)),
        ("product_set_issue", {}, ChangedObject("1234567890", Level.ACCOUNT)),
        ("field_changed", {"object_id": "../x", "object_type": "ad"}, ChangedObject("1234567890", Level.ACCOUNT)),
        ("field_changed", {"object_id": "act_1", "object_type": "ad"}, ChangedObject("1234567890", Level.AD, "1")),
        ("field_changed", {"object_id": True, "object_type": "ad"}, ChangedObject("1234567890", Level.ACCOUNT)),
        ("field_changed", {"object_id": 1.5, "object_type": "ad"}, ChangedObject("1234567890", Level.ACCOUNT)),
        ("field_changed", {"object_id": -1, "object_type": "ad"}, ChangedObject("1234567890", Level.ACCOUNT)),
        ("field_changed", {"object_id": "٣", "object_type": "ad"}, ChangedObject("1234567890", Level.ACCOUNT)),
        ("field_changed", {"object_id": "1²", "object_type": "ad"}, ChangedObject("1234567890", Level.ACCOUNT)),
        ("field_changed", {"object_type": "ad"}, ChangedObject("1234567890", Level.ACCOUNT)),
        ("field_changed", {"object_id": "1", "object_type": "page"}, ChangedObject("1234567890", Level.ACCOUNT)),
        ("creative_fatigue", {}, ChangedObject("1234567890", Level.ACCOUNT)),
        ("field_changed", {"object_id": True, "object_type": 4}, ChangedObject("1234567890", Level.ACCOUNT)),
    ],
)
def test_a_change_names_what_to_read_again(field: str, value: Any, expected: ChangedObject) -> None:
    assert HOOKS.parse(delivery(field, value)) == Told((expected,))


def test_fields_and_objects_that_are_not_known_tell_nothing_and_are_counted() -> None:
    assert HOOKS.parse(delivery("of_next_year", {"object_id": "1", "object_type": "ad"})) == Told(beside=1)
    assert HOOKS.parse(delivery("feed", {}, kind="instagram", owner="x")) == Told(beside=1)
    assert HOOKS.parse(delivery("feed", {"post_id": "1_2"}, kind="page")) == Told(beside=1)


def a_lead(**value: Any) -> bytes:
    return delivery("leadgen", value, owner=153125381133, kind="page")


def test_a_page_s_lead_is_its_ids_and_its_time() -> None:
    created = datetime(2026, 11, 18, 12, 26, 30, tzinfo=UTC)
    ids = {"leadgen_id": 4440001, "page_id": 153125381133, "form_id": 12312312312}
    sent = a_lead(**ids, ad_id=333, adgroup_id=333, created_time=int(created.timestamp()))
    as_text = a_lead(leadgen_id="4440001", adgroup_id="333", created_time=str(int(created.timestamp())))
    assert HOOKS.parse(sent) == HOOKS.parse(as_text) == Told(leads=(SentLead("4440001", created, ad_id="333"),))


def test_a_lead_without_an_ad_or_a_time_is_one_of_the_moment_that_its_page_tells_it() -> None:
    told = datetime.fromtimestamp(1795000000, UTC)
    assert HOOKS.parse(a_lead(leadgen_id=1)) == Told(leads=(SentLead("1", told),))
    assert HOOKS.parse(a_lead(leadgen_id=1, created_time=1795000000000)) == Told(leads=(SentLead("1", told),))


def test_a_lead_that_comes_twice_in_a_delivery_is_told_once() -> None:
    change = {"field": "leadgen", "value": {"leadgen_id": 1, "ad_id": 5, "created_time": 1795000000}}
    other = {"field": "leadgen", "value": {"leadgen_id": "1", "created_time": 1795000001}}
    body = json.dumps({"object": "page", "entry": [{"id": 1, "changes": [change, other, {"field": "leadgen"}]}]})
    told = HOOKS.parse(body.encode())
    assert told == Told(leads=(SentLead("1", datetime.fromtimestamp(1795000000, UTC), ad_id="5"),), beside=1)


def test_a_change_without_a_value_stands_for_the_whole_account() -> None:
    body = b'{"object": "ad_account", "entry": [{"id": 1, "changes": [{"field": "subscriptions"}]}]}'
    assert HOOKS.parse(body).changes == (ChangedObject("1", Level.ACCOUNT),)


def test_the_objects_of_all_entries_are_named_in_their_order() -> None:
    fatigue = {"field": "creative_fatigue", "value": {"adgroup_id": "3"}}
    entries: list[dict[str, Any]] = [{"id": owner, "changes": [fatigue]} for owner in (2, "act_1")]
    entries[1:1] = [{"id": "7"}]

    found = HOOKS.parse(json.dumps({"object": "ad_account", "entry": entries}).encode())

    assert found.changes == (ChangedObject("2", Level.AD, "3"), ChangedObject("1", Level.AD, "3"))


@pytest.mark.parametrize(
    ("raw", "details"),
    [
        (
            b'{"object": "ad_account", "entry": [{"id": "x"}]}',
            [{"field": "entry.id", "message": "must be digits"}],
        ),
        (
            b'{"object": "ad_account"}',
            [{"field": "body", "message": "Object missing required field `entry`"}],
        ),
    ],
)
def test_what_is_no_delivery_is_refused_with_the_field_and_the_reason(
    raw: bytes, details: list[dict[str, str]]
) -> None:
    with pytest.raises(BadInput) as refused:
        HOOKS.parse(raw)

    assert refused.value.details == details


def test_an_object_that_changed_twice_is_named_once() -> None:
    entry = json.loads(delivery("creative_fatigue", {"adgroup_id": "3"}))["entry"][0]
    assert len(HOOKS.parse(json.dumps({"object": "ad_account", "entry": [entry, entry]}).encode()).changes) == 1


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
        b'{"object": "\\ud800", "entry": []}',
        b'{"object": "ad_account", "entry": ' + b"[" * 100_000,
        b'{"object": "ad_account", "entry": [{"id": "1", "changes": [{"field": "x", "value": {"a":' + b"[" * 100_000,
        b'{"object": "ad_account", "entry": [{"id": "1", "changes": [{"field": "x", "value": {"a": 1E999}}]}]}',
    ],
)
def test_bytes_that_are_not_a_delivery_are_bad_input(raw: bytes) -> None:
    with pytest.raises(BadInput):
        HOOKS.parse(raw)


def test_a_delivery_has_at_most_a_thousand_changes() -> None:
    def changes(count: int) -> bytes:
        body = {
            "object": "ad_account",
            "entry": [{"id": "1", "changes": [{"field": "subscriptions", "value": {}}] * count}],
        }
        return json.dumps(body).encode()

    assert HOOKS.parse(changes(1000)).changes == (ChangedObject("1", Level.ACCOUNT),)
    with pytest.raises(TooLarge):
        HOOKS.parse(changes(1001))


@given(st.binary(max_size=200))
def test_parsing_only_ever_raises_bad_input(raw: bytes) -> None:
    with contextlib.suppress(BadInput):
        HOOKS.parse(raw)
