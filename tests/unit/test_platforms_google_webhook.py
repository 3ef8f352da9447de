"""Google's lead forms."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.errors import BadInput
from adweir.platforms.google_ads.webhook import HOOKS
from adweir.platforms.webhooks import Handshaking, Sent, SentLead, Told

KEY = "the-shared-secret"
LEAD: dict[str, Any] = {
    "lead_id": "TeSter-123-ABC",
    "user_column_data": [
        {"column_name": "Full Name", "string_value": "Ada Example", "column_id": "FULL_NAME"},
        {"string_value": "Yes", "column_id": "do_you_own_a_home?"},
    ],
    "api_version": "1.0",
    "form_id": 194054118492,
    "campaign_id": 111,
    "google_key": KEY,
    "is_test": False,
    "gcl_id": "Cj0KInvented",
    "adgroup_id": 222,
    "creative_id": 333,
}
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def body(**changes: Any) -> bytes:
    return json.dumps({name: value for name, value in (LEAD | changes).items() if value is not ...}).encode()


def verify(raw: bytes, *secrets: dict[str, str]) -> bool:
    return HOOKS.verify(Sent({}, {}, raw, 0), secrets)


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_lead_is_verified_by_the_key_that_its_form_has(key: str, other: str) -> None:
    key = key.encode(errors="replace").decode()
    raw = body(google_key=key)
    assert verify(raw, {"google_key": key})
    assert verify(raw, {"google_key": other}, {"google_key": key})
    assert verify(raw, {"google_key": key}, {"google_key": other})
    assert verify(raw, {"google_key": other}) is (other == key)


@given(st.binary(max_size=200) | _JSON.map(lambda value: json.dumps(value).encode()))
def test_verifying_and_parsing_strangers_bodies_only_ever_raises_bad_input(raw: bytes) -> None:
    assert verify(raw, {"google_key": KEY}, {"google_key": "\ud800"}) is False
    with contextlib.suppress(BadInput):
        HOOKS.parse(raw)


@pytest.mark.parametrize("key", ["", ..., None, 5, True, ["the-shared-secret"], {"a": 1}, "the-shared-secret "])
def test_what_is_not_the_key_verifies_nothing(key: Any) -> None:
    assert not verify(body(google_key=key), {"google_key": KEY}, {"google_key": ""}, {"secret": KEY}, {})


def test_the_secret_of_metric_pushes_is_no_key_of_lead_forms() -> None:
    assert not verify(body(), {"secret": KEY})
    assert not verify(body())


def test_a_lead_is_known_by_the_want_of_a_push_s_signature_and_nothing_is_confirmed() -> None:
    assert HOOKS.carries({"content-type": "application/json"})
    assert not HOOKS.carries({"webhook-signature": "v1,"})
    assert not isinstance(HOOKS, Handshaking)
    assert HOOKS.answers_nothing


def test_a_lead_is_told_by_its_ids_and_its_time() -> None:
    told = HOOKS.parse(body(lead_submit_time="2026-11-20T12:30:00+01:00"))
    submitted = datetime(2026, 11, 20, 11, 30, tzinfo=UTC)
    assert told.leads == (SentLead("TeSter-123-ABC", submitted, "", "111", "222", "333"),)
    assert (told.identity, told.changes, told.beside) == (b"lead\x1fTeSter-123-ABC", (), 0)


def test_the_key_is_not_in_the_body_that_is_kept_and_all_else_is() -> None:
    raw = json.dumps(LEAD).replace('"form_id"', '"google_key": "old", "new": 1.10, "form_id"').encode()
    kept = HOOKS.parse(raw).personal
    assert b"google_key" not in kept
    assert KEY.encode() not in kept
    assert b'"new":1.10' in kept
    without = {name: value for name, value in LEAD.items() if name != "google_key"}
    assert json.loads(kept) == without | {"new": 1.1}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"lead_id": "x" * 500}, SentLead("x" * 500, None, "", "111", "222", "333")),
        ({"lead_id": 12}, SentLead("12", None, "", "111", "222", "333")),
        ({"adgroup_id": ..., "creative_id": ..., "gcl_id": ...}, SentLead("TeSter-123-ABC", None, "", "111")),
        ({"campaign_id": "111", "adgroup_id": 0}, SentLead("TeSter-123-ABC", None, "", "111", "", "333")),
        ({"campaign_id": None, "adgroup_id": [], "creative_id": "../x"}, SentLead("TeSter-123-ABC")),
        ({"campaign_id": -1, "adgroup_id": 1.5, "creative_id": True}, SentLead("TeSter-123-ABC")),
        (
            {"campaign_id": "9" * 200, "adgroup_id": "0", "creative_id": ""},
            SentLead("TeSter-123-ABC", None, "", "9" * 200),
        ),
        ({"campaign_id": "9" * 201, "adgroup_id": "٣", "creative_id": {}}, SentLead("TeSter-123-ABC")),
        ({"lead_submit_time": "2026-11-20T12:30:00"}, SentLead("TeSter-123-ABC", None, "", "111", "222", "333")),
        ({"lead_submit_time": "yesterday"}, SentLead("TeSter-123-ABC", None, "", "111", "222", "333")),
        ({"lead_submit_time": 1795000000}, SentLead("TeSter-123-ABC", None, "", "111", "222", "333")),
        (
            {"asset_group_id": 5, "lead_stage": "NEW", "lead_source": "X", "of_next_year": {"a": [1]}},
            SentLead("TeSter-123-ABC", None, "", "111", "222", "333"),
        ),
    ],
)
def test_a_lead_is_taken_whatever_is_missing_or_new_beside_its_answers(
    changes: dict[str, Any], expected: SentLead
) -> None:
    assert HOOKS.parse(body(**changes)).leads == (expected,)


@pytest.mark.parametrize("lead_id", [..., "", None, [], {}, True])
def test_a_lead_without_an_id_is_told_apart_by_its_content(lead_id: Any) -> None:
    told = HOOKS.parse(body(lead_id=lead_id))
    assert told.leads[0].id == sha256(told.personal).hexdigest()
    assert told == HOOKS.parse(body(lead_id=lead_id, google_key="another"))


def test_a_test_lead_tells_nothing_and_is_not_kept() -> None:
    assert HOOKS.parse(body(is_test=True)) == Told(beside=1)
    assert HOOKS.parse(body(is_test=...)).leads
    assert HOOKS.parse(body(is_test="true")).leads


def test_half_of_a_surrogate_pair_in_an_answer_costs_no_lead() -> None:
    raw = body().replace(b"Ada Example", b"Ada \\ud83d")
    assert verify(raw, {"google_key": KEY})
    assert json.loads(HOOKS.parse(raw).personal)["user_column_data"][0]["string_value"] == "Ada \ufffd"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'"x"',
        b"{",
        b'{"lead_id": nope}',
        b'{"google_key": "the-shared-secret", "a": ' + b"[" * 100_000,
        b'{"google_key": "the-shared-secret", "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"\xff\xfe{\x00}\x00",
    ],
)
def test_bytes_that_are_no_json_object_are_no_lead(raw: bytes) -> None:
    assert not verify(raw, {"google_key": KEY})
    with pytest.raises(BadInput) as refused:
        HOOKS.parse(raw)
    assert refused.value.details == [{"field": "body", "message": "is not JSON"}]


def test_a_mebibyte_of_answers_is_one_lead() -> None:
    answers = [{"column_id": "Q", "string_value": "y" * 60}] * 10_000
    raw = body(user_column_data=answers)
    assert len(raw) > 900_000
    assert verify(raw, {"google_key": KEY})
    assert len(HOOKS.parse(raw).leads) == 1
