"""Standard Webhooks verification."""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.intake.doors.signatures import Signed, key_of, verify
from support.bounds import at_the_bound

NOW = 1_795_000_000
BODY = b'{"metrics":[]}'
PLAIN = "a plain secret"
CODED = "whsec_" + base64.b64encode(b"32 bytes of a key").decode()


def signed(secret: str = CODED, body: bytes = BODY, id_: str = "msg_1", at: int = NOW) -> dict[str, str]:
    digest = hmac.new(key_of(secret), f"{id_}.{at}.".encode() + body, sha256).digest()
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(at),
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


@pytest.mark.parametrize("secret", [PLAIN, CODED])
def test_a_signed_body_is_verified(secret: str) -> None:
    assert verify(signed(secret), BODY, [secret], NOW) == Signed("msg_1", NOW)


def test_one_of_several_secrets_and_one_of_several_signatures_is_enough() -> None:
    headers = signed(PLAIN)
    headers["webhook-signature"] = "v1a,AAAA garbage v1," + "A" * 44 + " " + headers["webhook-signature"]
    assert verify(headers, BODY, ["another", CODED, PLAIN], NOW) is not None


def test_the_published_example_of_standard_webhooks_is_verified() -> None:
    """The one of its libraries' own tests."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    assert verify(headers, b'{"test": 2432232314}', [secret], 1614265330.5) == Signed(headers["webhook-id"], 1614265330)


def test_the_key_of_a_secret_is_its_base64_or_the_text_itself() -> None:
    assert key_of(CODED) == b"32 bytes of a key"
    assert key_of(PLAIN) == b"a plain secret"
    assert key_of("ends with whsec_") == b"ends with whsec_"
    assert key_of("half a pair \ud800") == b"half a pair \xed\xa0\x80"
    assert {key_of(f"whsec_{text}") for text in ("", "?", "ä", "AAA", CODED, CODED.removeprefix("whsec_") + "?")} == {
        b""
    }


def test_a_secret_that_does_not_fit_undoes_none_that_does() -> None:
    assert verify(signed(PLAIN), BODY, [PLAIN, "another"], NOW) is not None


def test_a_signature_that_does_not_fit_undoes_none_that_does() -> None:
    headers = signed()
    headers["webhook-signature"] += " v1," + base64.b64encode(bytes(32)).decode()

    assert verify(headers, BODY, [CODED], NOW) is not None


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_delivery_without_one_of_the_headers_is_not_verified(name: str) -> None:
    headers = signed()
    del headers[name]

    assert verify(headers, BODY, [CODED], NOW) is None


@pytest.mark.parametrize("change", ["?{}", "{}?", "{}v1,", "v1,{}"])
def test_a_signature_with_anything_more_is_not_verified(change: str) -> None:
    headers = signed()
    version, _, digest = headers["webhook-signature"].partition(",")

    assert verify(headers | {"webhook-signature": f"{version},{change.format(digest)}"}, BODY, [CODED], NOW) is None


@pytest.mark.parametrize(("id_", "fits"), [("", False), ("m", True), ("m\x00", False), ("mä", False), ("m g~", True)])
def test_the_id_is_printable_text_of_at_least_one_character(id_: str, fits: bool) -> None:
    assert (verify(signed(id_=id_), BODY, [CODED], NOW) is not None) is fits


@pytest.mark.parametrize(
    ("stamp", "fits"),
    [
        (f"00{NOW}", True),
        (f"000{NOW}", False),
        (f"+{NOW}", False),
        (f"{NOW}.0", False),
        (f" {NOW}", False),
        ("".join(chr(0x660 + int(digit)) for digit in str(NOW)), False),
        ("", False),
    ],
)
def test_the_time_is_at_most_twelve_ascii_digits(stamp: str, fits: bool) -> None:
    digest = hmac.new(key_of(CODED), f"msg_1.{stamp}.".encode() + BODY, sha256).digest()
    headers = signed() | {"webhook-timestamp": stamp, "webhook-signature": "v1," + base64.b64encode(digest).decode()}

    assert (verify(headers, BODY, [CODED], NOW) is not None) is fits


@pytest.mark.parametrize(("off", "fits"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_the_time_may_be_off_by_five_minutes_either_way(off: int, fits: bool) -> None:
    assert (verify(signed(at=NOW + off), BODY, [CODED], NOW) is not None) is fits


@pytest.mark.parametrize("secrets", [[], [""], ["whsec_"], ["whsec_?"], ["whsec_ä"], ["other"]])
def test_nothing_is_verified_without_the_secret(secrets: list[str]) -> None:
    empty = base64.b64encode(hmac.new(b"", f"msg_1.{NOW}.".encode() + BODY, sha256).digest()).decode()
    zero = base64.b64encode(hmac.new(b"\0", f"msg_1.{NOW}.".encode() + BODY, sha256).digest()).decode()
    headers = signed() | {"webhook-signature": f"v1,{empty} v1,{zero}"}
    assert verify(headers, BODY, secrets, NOW) is None
    assert verify(signed(), BODY, secrets, NOW) is None


@given(st.dictionaries(st.sampled_from(sorted(signed())), st.text(), max_size=3), st.binary(), st.lists(st.text()))
def test_whatever_the_headers_hold_it_answers(headers: dict[str, str], body: bytes, secrets: list[str]) -> None:
    assert verify(headers, body, secrets, NOW) is None
    assert verify(signed() | headers, BODY, [CODED], NOW) in {None, Signed("msg_1", NOW)}


@given(st.binary(max_size=200), st.integers(0, 199), st.integers(1, 255))
def test_a_changed_body_is_not_verified(body: bytes, at: int, flip: int) -> None:
    headers = signed(body=body)
    assert verify(headers, body, [CODED], NOW) is not None
    changed = bytearray(body + b"." if at >= len(body) else body)
    changed[min(at, len(changed) - 1)] ^= flip
    assert verify(headers, bytes(changed), [CODED], NOW) is None


@at_the_bound("MAX_DELIVERY_ID_CHARS")
def test_the_id_of_a_delivery(size: int, fits: bool) -> None:
    headers = signed(id_="m" * size)

    assert (verify(headers, BODY, [CODED], NOW) is not None) is fits


@at_the_bound("MAX_SIGNATURES")
def test_the_signatures_of_a_delivery(size: int, fits: bool) -> None:
    headers = signed()
    others = " ".join(["v1,bm9uZQ=="] * (size - 1))
    headers["webhook-signature"] = f"{others} {headers['webhook-signature']}"

    assert (verify(headers, BODY, [CODED], NOW) is not None) is fits


@pytest.mark.parametrize("direction", [1, -1])
@at_the_bound("MAX_CLOCK_SKEW_SECONDS")
def test_the_clock_of_a_sender(size: int, fits: bool, direction: int) -> None:
    headers = signed(at=NOW + direction * size)

    assert (verify(headers, BODY, [CODED], NOW) is not None) is fits
