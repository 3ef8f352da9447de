"""TikTok's subscriptions."""

from __future__ import annotations

import contextlib
import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.errors import BadInput, TooLarge
from adweir.model.metrics import Level
from adweir.platforms.tiktok_ads.webhook import HOOKS
from adweir.platforms.webhooks import ChangedObject, Handshaking, Sent, SentLead, Told
from support.bounds import at_the_bound, refuses

TOKEN, SECRET, NOW = "an-unguessable-token", "the-app's-secret", 1_795_000_000
OWNER = "7000000000000000101"
LEAD: dict[str, Any] = {
    "id": "lead-1", "lead_source": "INSTANT_FORM", "page_id": "p1", "advertiser_id": OWNER, "advertiser_name": "Acme",
    "campaign_id": "1800000000000001", "adgroup_id": "1800000000000002", "ad_id": "1800000000000003",
    "create_time": 1794999990, "changes": [{"field": "email", "value": "ada@example.com"}],
}  # fmt: skip
REVIEW = {"log_id": "1", "adv_id": OWNER, "campaign_id": "11", "adgroup_id": "22", "reject_reason": "text"}
SUSPENSION = {"advertiser_id": OWNER, "advertiser_name": "Acme", "status": "STATUS_LIMIT", "subscription_id": "1"}


def delivery(kind: Any, *entries: Any, request_id: str = "20261108060000") -> bytes:
    return json.dumps({"request_id": request_id, "object": kind, "time": NOW, "entry": list(entries)}).encode()


def verify(raw: bytes, *secrets: dict[str, str], token: str | None = None, **headers: str) -> bool:
    query = {} if token is None else {"token": token}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HOOKS.verify(Sent(named, query, raw, NOW), secrets)


def stamped(raw: bytes, at: int = NOW, secret: str = SECRET) -> str:
    return f"t={at},s={hmac.new(secret.encode(), f'{at}.'.encode() + raw, sha256).hexdigest()}"


# -- who sent it -------------------------------------------------------------------------------------------------------


def test_the_token_of_the_callback_s_address_is_current_or_previous() -> None:
    current, before = {"callback_token": TOKEN}, {"callback_token": "the-one-before-it"}
    assert verify(b"{}", current, before, token=TOKEN)
    assert verify(b"{}", current, before, token="the-one-before-it")
    for wrong in (None, "", "x", TOKEN + " ", "ü\ud800"):
        assert not verify(b"{}", current, before, token=wrong)


def test_without_a_secret_of_its_own_nothing_is_verified() -> None:
    for values in ({}, {"secret": TOKEN}, {"callback_token": ""}, {"app_secret": "", "callback_token": ""}):
        assert not verify(b"{}", values, token="", tiktok_signature=stamped(b"{}", secret=""))


def test_a_signature_is_asked_for_where_an_app_secret_is_set() -> None:
    raw = b'{"request_id": "1"}'
    both = {"callback_token": TOKEN, "app_secret": SECRET}
    spelled = stamped(raw).upper().replace("T=", "t=").replace(",S=", ", s=")
    assert verify(raw, both, token=TOKEN, tiktok_signature=stamped(raw))
    assert not verify(raw, both, token=TOKEN)
    assert not verify(raw, both, token="x", tiktok_signature=stamped(raw))
    assert verify(raw, {"app_secret": SECRET}, tiktok_signature=spelled)
    assert not verify(raw, {"app_secret": SECRET}, token=TOKEN)


def test_a_token_of_one_version_and_a_signature_of_another_do_not_fit_together() -> None:
    versions = ({"callback_token": TOKEN, "app_secret": "new"}, {"callback_token": "old", "app_secret": SECRET})
    assert not verify(b"{}", *versions, token=TOKEN, tiktok_signature=stamped(b"{}"))


@pytest.mark.parametrize("late", [-301, 301, -(10**9)])
def test_a_signature_of_another_time_is_refused(late: int) -> None:
    assert verify(b"{}", {"app_secret": SECRET}, tiktok_signature=stamped(b"{}", NOW + (300 if late > 0 else -300)))
    assert not verify(b"{}", {"app_secret": SECRET}, tiktok_signature=stamped(b"{}", NOW + late))


def test_the_other_signature_is_of_the_body_with_escapes() -> None:
    raw = '{"name": "Zoë 🎈"}'.encode()
    signed = hmac.new(SECRET.encode(), rb'{"name": "Zo\u00eb \ud83c\udf88"}', sha256).hexdigest()
    assert verify(raw, {"app_secret": SECRET}, x_open_signature=signed)
    assert verify(raw, {"app_secret": SECRET}, x_open_signature=f" {signed.upper()} ")
    assert not verify(raw + b" ", {"app_secret": SECRET}, x_open_signature=signed)
    undecodable = hmac.new(SECRET.encode(), b"\xff", sha256).hexdigest()
    assert verify(b"\xff", {"app_secret": SECRET}, x_open_signature=undecodable)


@given(st.binary(max_size=50), st.text(), st.text())
def test_verification_never_raises_and_believes_no_stranger(raw: bytes, text: str, token: str) -> None:
    values = {"callback_token": TOKEN, "app_secret": SECRET}
    for header in (text, f"t={text},s={text}", f"t={NOW},s={text}", "t=1,s=" + "0" * 64):
        assert not verify(raw, values, token=token, tiktok_signature=header, x_open_signature=text)


def test_a_delivery_is_known_by_the_want_of_a_push_s_signature_and_nothing_is_confirmed() -> None:
    assert HOOKS.carries({})
    assert not HOOKS.carries({"webhook-signature": "v1,"})
    assert not isinstance(HOOKS, Handshaking)
    assert not HOOKS.answers_nothing


# -- what it tells -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "entry", "expected"),
    [
        (2, REVIEW, [ChangedObject(OWNER, Level.AD_GROUP, "22")]),
        ("3", REVIEW | {"ad_id": 33, "adv_id": int(OWNER)}, [ChangedObject(OWNER, Level.AD, "33")]),
        (8, {"advertiser_id": OWNER, "ad_id": "33"}, [ChangedObject(OWNER, Level.AD, "33")]),
        (8, {"advertiser_id": OWNER, "campaign_id": "11"}, [ChangedObject(OWNER, Level.CAMPAIGN, "11")]),
        (8, {"advertiser_id": OWNER, "ad_id": "x"}, [ChangedObject(OWNER, Level.ACCOUNT)]),
        (
            11,
            {"data_level": "AUCTION_ADVERTISER", "changed_metrics_values": {OWNER: {"spend": "1.5"}, "8": {}, "x": 1}},
            [ChangedObject(OWNER, Level.ACCOUNT), ChangedObject("8", Level.ACCOUNT)],
        ),
        (11, {"advertiser_id": OWNER}, [ChangedObject(OWNER, Level.ACCOUNT)]),
    ],
)
def test_a_delivery_names_what_to_read_again_and_no_numbers(
    kind: Any, entry: dict[str, Any], expected: list[ChangedObject]
) -> None:
    told = HOOKS.parse(delivery(kind, entry, entry))
    assert (told.changes, told.leads, told.beside, told.personal) == (tuple(expected), (), 0, b"")


def test_a_suspended_account_is_told_without_an_envelope() -> None:
    assert HOOKS.parse(json.dumps(SUSPENSION).encode()).changes == (ChangedObject(OWNER, Level.ACCOUNT),)
    assert HOOKS.parse(json.dumps({"advertiser_id": "x", "status": "y"}).encode()).beside == 1


def test_a_lead_is_told_by_its_ids_and_its_body_is_kept() -> None:
    raw = delivery(1, LEAD, LEAD | {"id": 77, "advertiser_id": int(OWNER), "create_time": "x"}, LEAD)
    told = HOOKS.parse(raw)
    about = (OWNER, "1800000000000001", "1800000000000002", "1800000000000003")
    assert told.leads == (
        SentLead("lead-1", datetime.fromtimestamp(1794999990, UTC), *about),
        SentLead("77", None, *about),
    )
    assert (told.changes, told.beside, told.personal) == ((), 0, raw)


@pytest.mark.parametrize("wrong", [{"id": ""}, {"id": None}, {"id": []}, {"advertiser_id": ""}, {"advertiser_id": "x"}])
def test_an_entry_that_names_no_lead_or_no_ad_account_is_counted_and_left_out(wrong: dict[str, Any]) -> None:
    told = HOOKS.parse(delivery(1, LEAD | wrong))
    assert (told.leads, told.beside, told.personal) == ((), 1, b"")


def test_what_is_not_known_tells_nothing() -> None:
    for raw in (delivery(9, {"a": 1}), delivery(10), delivery("new"), delivery(None), delivery(2, {}), delivery(3, 5)):
        told = HOOKS.parse(raw)
        assert (told.changes, told.leads, told.beside) == ((), (), 1)


@pytest.mark.parametrize(("kind", "entry"), [(1, LEAD), (2, REVIEW), (11, {"advertiser_id": OWNER}), (9, {"a": 1})])
def test_a_repeated_delivery_is_the_same_though_it_has_another_request_id(kind: int, entry: dict[str, Any]) -> None:
    first, again = (HOOKS.parse(delivery(kind, entry, request_id=number)) for number in ("1", "2"))
    assert first._replace(personal=b"") == again._replace(personal=b"")
    assert first.identity != HOOKS.parse(delivery(kind, entry | {"log_id": "2"})).identity != b""
    told = HOOKS.parse(json.dumps(SUSPENSION | {"request_id": kind}).encode())
    assert told.identity == HOOKS.parse(json.dumps(SUSPENSION).encode()).identity not in {b"", first.identity}


@at_the_bound("MAX_TOLD_ENTRIES")
def test_the_entries_of_a_delivery(size: int, fits: bool) -> None:
    with refuses(TooLarge, fits=fits):
        assert (
            len(HOOKS.parse(delivery(2, *[{"adv_id": "1", "adgroup_id": n + 1} for n in range(size)])).changes) == size
        )


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"object": 1}',
        b'{"object": 1, "entry": {}}',
        b'{"object": "\xff", "entry": []}',
        b'{"object": 1, "entry": ' + b"[" * 100_000,
        b'{"object": 1, "entry": [{"id": 1E999}]}',
    ],
)
def test_bytes_that_are_not_a_delivery_are_bad_input(raw: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        HOOKS.parse(raw)
    is_json = raw in {b'{"object": 1}', b'{"object": 1, "entry": {}}'}
    entry, body = {"field": "entry", "message": "must be a list"}, {"field": "body", "message": "is not JSON"}
    assert refused.value.details == [entry if is_json else body]


def test_half_of_a_surrogate_pair_costs_no_lead() -> None:
    raw = delivery(1, LEAD).replace(b"ada@", b"\\ud83d@")
    assert len(HOOKS.parse(raw).leads) == 1


@given(st.binary(max_size=200))
def test_parsing_only_ever_raises_bad_input(raw: bytes) -> None:
    with contextlib.suppress(BadInput):
        assert HOOKS.parse(raw) == Told(beside=1, identity=HOOKS.parse(raw).identity)
