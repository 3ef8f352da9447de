"""Google's answers in the shape of its documents (tests/samples/google_ads, each with its source) as we read them."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adweir.model import errors
from adweir.model.datasets import Dataset
from adweir.model.entities import ProfileStatus, Status
from adweir.platforms.google_ads.faults import refusal
from adweir.platforms.google_ads.normalize import NORMALIZER
from adweir.platforms.http import Response
from support.google_wire import context
from support.meta_wire import StoredPage

SAMPLES = Path(__file__).parents[1] / "samples/google_ads"
CUSTOMER = "4417039862"
FAILURES = json.loads((SAMPLES / "errors.json").read_text())["answers"]


def answer(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())["answer"]


def stored(body: Any, label: str = "") -> StoredPage:
    return StoredPage(1, io.BytesIO(msgspec.json.encode(body)), label)


def test_every_sample_names_its_sources() -> None:
    for path in SAMPLES.glob("*.json"):
        loaded = json.loads(path.read_text())
        assert loaded["source"], path
        assert loaded["request"].startswith("POST /v26/customers/"), path


def test_batches_of_a_stream() -> None:
    about = context(Dataset.AD_DAILY, profile_id=CUSTOMER)
    rows, none = (
        [*batch.rows] for page in answer("stream") for batch in NORMALIZER.metric_batches(stored(page), about)
    )
    assert [(row.entity_id, row.day, row.campaign_id) for row in rows] == [
        ("601~7001", "2026-11-18", "501"),
        ("601~7001", "2026-11-19", "501"),
    ]
    assert [row.slot for row in rows] == [(1830, 52, 3_500_000, 61_740_000, 402_100_000), (4, 0, 0, 0, 0)]
    assert none == []


def test_keywords_keep_those_that_were_removed() -> None:
    (batch,) = NORMALIZER.object_batches(stored(answer("keywords")), context(Dataset.KEYWORDS, profile_id=CUSTOMER))
    first, second = batch.objects
    assert (first.id, first.text, first.match_type, first.quality_score, first.bid) == (  # type: ignore[union-attr]
        "9012",
        "trail shoes",
        "phrase",
        8,
        1_750_000,
    )
    assert (second.status, second.quality_score) == (Status.REMOVED, None)  # type: ignore[union-attr]


def test_the_accounts_below_a_manager() -> None:
    page = stored(answer("clients"), "login-customer-id=8800112233")
    (batch,) = NORMALIZER.object_batches(page, context(Dataset.PROFILES, profile_id=""))
    assert [(each.profile_id, each.status, each.kind, each.route) for each in batch.objects] == [  # type: ignore[union-attr]
        (CUSTOMER, ProfileStatus.ACTIVE, "", "8800112233"),
        ("4417039863", ProfileStatus.ACTIVE, "test", "8800112233"),
    ]


@pytest.mark.parametrize("sample", FAILURES, ids=lambda sample: str(sample["what"]))
def test_errors(sample: dict[str, Any]) -> None:
    response = Response(
        sample["status"], {}, msgspec.json.encode(sample["body"]), "https://googleads.googleapis.com/v26"
    )
    found = refusal(response, datetime(2026, 11, 20, tzinfo=UTC))
    assert type(found) is getattr(errors, sample["raises"])
