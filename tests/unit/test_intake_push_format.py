"""The body of a metric push: what is read, exactly, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adweir.intake.doors.push_format import Metric, read_push
from adweir.model.datasets import Dataset
from adweir.model.errors import BadInput, TooLarge, Unprocessable
from support.bounds import at_the_bound, refuses

NAMES = ("meta_ads", "meta", "facebook")
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LARGEST = "1125899906.842623"  # 2^50 - 1 millionths


def read(*metrics: Any) -> list[Metric]:
    return read_push(json.dumps({"metrics": metrics}).encode(), NAMES, NOW)


def metric(**changes: Any) -> dict[str, Any]:
    return {"campaign_id": "c1", "timestamp": "2026-11-20T11:30:00Z", "impressions": 1} | changes


def faults(body: bytes) -> list[str]:
    with pytest.raises(Unprocessable) as refused:
        read_push(body, NAMES, NOW)
    return [f"{detail['field']} {detail['message']}" for detail in refused.value.details]


def test_numbers_are_exact() -> None:
    body = (
        b'{"metrics": [{"campaign_id": 7, "timestamp": 1795174200, "impressions": 3, "clicks": 2, "conversions": 0.1,'
    )
    body += b' "cost": 1.10, "revenue": "1e3", "roas": 0.3333333, "currency": "EUR"}]}'
    (found,) = read_push(body, NAMES, NOW)
    assert found.slot == (3, 2, 100_000, 1_100_000, 1_000_000_000)
    assert (found.wanted, found.currency, found.instant) == ("7", "EUR", NOW - timedelta(minutes=30))


@pytest.mark.parametrize(
    ("ids", "field", "dataset", "wanted"),
    [
        ({}, "campaign_id", Dataset.CAMPAIGNS, "c1"),
        ({"ad_group_id": "g"}, "ad_group_id", Dataset.AD_GROUPS, "g"),
        ({"ad_id": "a"}, "ad_id", Dataset.ADS, "a"),
        ({"ad_id": "a", "ad_group_id": "g"}, "ad_id", Dataset.ADS, "g~a"),
        ({"keyword_id": 1, "ad_id": "a", "ad_group_id": 2}, "keyword_id", Dataset.KEYWORDS, "2~1"),
    ],
)
def test_the_most_specific_id_says_what_a_metric_is_about(
    ids: dict[str, Any], field: str, dataset: Dataset, wanted: str
) -> None:
    (found,) = read(metric(**ids))
    assert (found.field, found.dataset, found.wanted) == (field, dataset, wanted)


@pytest.mark.parametrize(
    "number",
    [
        "1E99999999999",
        "1E99999999999999999999999",
        "-1E99999999999",
        "9" * 30,
        "9" * 5000,
        "1E999999999999999999",
        '"1E99"',
        '"' + "9" * 60 + '"',
        '"1_0"',
        '" 1"',
        '"NaN"',
        '"Infinity"',
        '"-1"',
        "-0.000001",
        "0.0000001",
        "1e-99999999999",
        "true",
        "null",
        "[]",
        "{}",
        "1125899906.842624",
    ],
)
@pytest.mark.parametrize("field", ["conversions", "cost", "spend", "revenue"])
def test_what_is_not_an_amount_is_named(field: str, number: str) -> None:
    sent = f'{{"metrics": [{{"campaign_id": "c", "timestamp": 1795174200, "{field}": {number}}}]}}'
    (fault,) = faults(sent.encode())
    assert fault.startswith(f"metrics[0].{field} ")
    assert f"must be a number from 0 to {LARGEST}" in fault or "out of range" in fault


@pytest.mark.parametrize("sent", [LARGEST, f'"{LARGEST}"', "0", "-0", '"0.000001"', "1e-6", "0e999"])
def test_amounts_at_the_ends_are_taken(sent: str) -> None:
    body = f'{{"metrics": [{{"campaign_id": "c", "timestamp": 1795174200, "cost": {sent}}}]}}'
    (found,) = read_push(body.encode(), NAMES, NOW)
    assert found.slot[3] in {0, 1, (1 << 50) - 1}


@pytest.mark.parametrize("field", ["impressions", "clicks"])
@at_the_bound("MAX_PUSHED_COUNT")
def test_a_count(field: str, size: int, fits: bool) -> None:
    with refuses(Unprocessable, fits=fits):
        assert size in read(metric(**{field: size}))[0].slot


@at_the_bound("MAX_PUSHED_METRICS")
def test_the_metrics_of_a_push(size: int, fits: bool) -> None:
    with refuses(TooLarge, fits=fits):
        assert len(read(*[metric()] * size)) == size


@at_the_bound("MAX_PUSH_AGE_DAYS")
def test_how_far_back_a_push_reaches(size: int, fits: bool) -> None:
    with refuses(Unprocessable, fits=fits):
        read(metric(timestamp=(NOW - timedelta(days=size)).isoformat()))


@at_the_bound("MAX_CLOCK_SKEW_SECONDS")
def test_how_far_ahead_a_push_reaches(size: int, fits: bool) -> None:
    with refuses(Unprocessable, fits=fits):
        read(metric(timestamp=int(NOW.timestamp()) + size))


def test_the_platform_may_be_named_by_any_of_its_names() -> None:
    assert len(read(*[metric(platform=name) for name in ("", "meta", "Facebook", "meta_ads")])) == 4
    with pytest.raises(Unprocessable, match="platform must be facebook or meta or meta_ads"):
        read(metric(platform="google"))


def test_every_fault_of_every_metric_is_named() -> None:
    wrong = metric(clicks=-1, cost="x", timestamp="noon")
    body = json.dumps({"metrics": [wrong, metric(), {"timestamp": 1, "platform": "tiktok_ads"}]}).encode()
    assert [fault.partition(" ")[0] for fault in faults(body)] == [
        "metrics[0].timestamp",
        "metrics[0].clicks",
        "metrics[0].cost",
        "metrics[2].platform",
        "metrics[2].campaign_id",
        "metrics[2].timestamp",
        "metrics[2].impressions",
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"\xff",
        b'{"metrics": [{"campaign_id": "\\ud800", "timestamp": 1}]}',
        b'{"metrics": [{"campaign_id": "\\udc00x", "timestamp": 1}]}',
        b'{"metrics": [{"campaign_id": "\xed\xa0\x80", "timestamp": 1}]}',
        b'{"metrics": [{"campaign_id": "c", "timestamp": 1, "cost": ' + b"[" * 100_000,
        b'{"metrics": [{"campaign_id": "c", "timestamp": 1, "cost": NaN}]}',
    ],
)
def test_what_is_not_json_is_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput, match="not JSON"):
        read_push(body, NAMES, NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["-1", "1e9", "NaN"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    ["campaign_id", "ad_id", "profile_id", "timestamp", "impressions", "cost", "spend", "currency"]
)


@given(st.lists(st.dictionaries(FIELDS, JSON), max_size=3))
def test_whatever_is_sent_is_read_within_bounds_or_refused(sent: list[dict[str, Any]]) -> None:
    try:
        found = read(*[metric() | each for each in sent])
    except BadInput:
        return
    for each in found:
        assert all(number is None or 0 <= number < 1 << 50 for number in each.slot)
        assert timedelta(seconds=-300) <= NOW - each.instant <= timedelta(days=30)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        read_push(body, NAMES, NOW)
