"""adweir's own ids, and what belongs to a slice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from adweir.model.ids import IdKind, run_id_for
from adweir.model.slices import ALL, campaign_of, contains, of_campaign, product_of


def test_an_id_says_what_it_names() -> None:
    assert IdKind.ACCOUNT.make(lambda: "0123456789abcdef0123456789abcdef") == "acc_0123456789abcdef0123"
    prefixes = [kind.of("1").removesuffix("_1") for kind in IdKind]
    assert prefixes == ["acc", "cmp", "arm", "key", "run", "job", "rpl", "exp", "qrn", "ano"]


@pytest.mark.parametrize("kind", list(IdKind))
def test_an_id_is_recognized_by_its_own_kind_only(kind: IdKind) -> None:
    assert [other for other in IdKind if other.names(kind.of("5f0c"))] == [kind]


@pytest.mark.parametrize(
    "text", ["", "acc", "account_1", "ACC_1", "1042017731", "act_1042017731", "ENTITY1ABC", " acc_1"]
)
def test_an_id_of_a_platform_is_not_taken_for_ours(text: str) -> None:
    assert not any(kind.names(text) for kind in IdKind)


def test_a_run_s_id_says_what_ran_and_for_when_in_utc() -> None:
    berlin = datetime(2026, 11, 21, 6, 30, tzinfo=timezone(timedelta(hours=1)))
    assert run_id_for("daily", berlin, "5f0c1a2b3c4d") == "run_daily-20261121T053000-5f0c1a2b"
    assert run_id_for("daily", berlin.astimezone(UTC), "5f0c1a2b") == run_id_for("daily", berlin, "5f0c1a2b")
    assert run_id_for("daily", datetime(2026, 11, 21, 5, 30), "5f0c1a2b") == run_id_for("daily", berlin, "5f0c1a2b")  # noqa: DTZ001  queue messages may hold a naive time


@pytest.mark.parametrize(
    ("slice_", "campaign_id", "ad_product", "inside"),
    [
        (ALL, "", "", True),
        (ALL, "7", "sp", True),
        ("sp", "7", "sp", True),
        ("sp", "7", "SP", True),
        ("sp", "7", "sb", False),
        ("sp", "7", "", False),
        ("campaign=7", "7", "sp", True),
        ("campaign=7", "77", "sp", False),
        ("campaign=7", "", "", False),
    ],
)
def test_a_slice_holds_its_product_or_its_campaign(
    slice_: str, campaign_id: str, ad_product: str, inside: bool
) -> None:
    assert contains(slice_, campaign_id, ad_product) is inside


def test_a_slice_says_which_campaign_or_product_it_is_about() -> None:
    slices = (ALL, "sp", of_campaign("7"))
    assert [(campaign_of(slice_), product_of(slice_)) for slice_ in slices] == [("", ""), ("", "sp"), ("7", "")]
