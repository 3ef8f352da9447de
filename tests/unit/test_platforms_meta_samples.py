"""Meta's answers in the shape of its documents (tests/samples/meta, each with its source) as we read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests

from adweir.model import errors
from adweir.model.datasets import Dataset
from adweir.model.entities import AdCampaign, Credential, Profile, ProfileStatus, Status
from adweir.model.metrics import MetricRow
from adweir.model.tasks import Task
from adweir.platforms.connector import ReportState
from adweir.platforms.http import Response
from adweir.platforms.meta import client as meta
from adweir.platforms.meta import media, wire
from adweir.platforms.meta.faults import to_fault
from adweir.platforms.meta.normalize import NORMALIZER
from adweir.platforms.meta.options import MetaOptions
from support.meta_wire import AS_OF, context, stored
from support.platforms import META_ADS, wiring
from support.stub_http import Answer, StubServer, serving

SAMPLES = Path(__file__).parents[1] / "samples/meta"
ACCOUNT, CAMPAIGN, GROUP = "1010035716096012", "6042147342661", "6042147342861"
AD = f"{GROUP}~6042147342061"


def sample(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return loaded


def rows(name: str, dataset: Dataset, **changes: Any) -> list[MetricRow]:
    about = context(dataset, profile_id=ACCOUNT, **changes)
    (batch,) = NORMALIZER.metric_batches(stored(sample(name)["answer"]), about)
    assert not batch.bad
    return list(batch.rows)


def read(answer: dict[str, Any] | bytes, dataset: Dataset, **changes: Any) -> list[Any]:
    about = context(dataset, profile_id=ACCOUNT, **changes)
    (batch,) = NORMALIZER.object_batches(stored(answer), about)
    assert not batch.bad
    return batch.objects


@pytest.fixture
def server() -> Iterator[StubServer]:
    with serving() as stub:
        yield stub


def test_every_sample_names_its_sources() -> None:
    for path in SAMPLES.glob("*.json"):
        loaded = json.loads(path.read_text())
        assert loaded["source"], path
        assert loaded["request"].startswith("GET /v26.0/"), path


def test_an_ad_s_day() -> None:
    first, second = rows("insights_ad", Dataset.AD_DAILY)
    assert (first.entity_id, first.day, first.campaign_id) == (AD, "2026-03-28", CAMPAIGN)
    assert first.slot == (9708, 312, 9_000_000, 187_460_000, 1_043_910_000)
    assert second.slot == (18841, 402, 0, 240_000_000, 0)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"basis": "click"}, (7, 822.41)),
        ({"basis": "click_or_view", "windows": ["28d_click", "1d_view"]}, (10, 1171.9)),
        ({"conversions": ["offsite_conversion.custom.1234509876543210"]}, (4, 0)),
        ({"conversions": ["schedule_total"], "basis": "click"}, (3, 0)),
        ({"conversions": ["leads"]}, (0, 0)),
    ],
)
def test_an_ad_s_day_by_other_options(options: dict[str, Any], expected: tuple[float, float]) -> None:
    first, _ = rows("insights_ad", Dataset.AD_DAILY, options=MetaOptions.model_validate(options))
    assert ((first.conversions or 0) / 1e6, (first.revenue or 0) / 1e6) == expected


def test_an_account_s_day_in_a_currency_without_minor_units() -> None:
    (row,) = rows("insights_account", Dataset.ACCOUNT_DAILY, currency="JPY")
    assert (row.entity_id, row.currency, row.spend, row.conversions) == (ACCOUNT, "JPY", 53_395_000_000, 0)


@pytest.mark.parametrize(
    ("name", "dataset", "values"),
    [
        ("age_gender", Dataset.AD_BY_AGE_GENDER_DAILY, ["18-24/female", "65+/unknown"]),
        ("country", Dataset.AD_BY_COUNTRY_DAILY, ["US", "unknown"]),
        ("region", Dataset.AD_BY_REGION_DAILY, ["California", "Île-de-France"]),
        ("device", Dataset.AD_BY_DEVICE_DAILY, ["mobile_app", "desktop"]),
        (
            "placement",
            Dataset.AD_BY_PLACEMENT_DAILY,
            ["instagram/feed", "instagram/instagram_explore", "audience_network/an_classic"],
        ),
    ],
)
def test_breakdowns(name: str, dataset: Dataset, values: list[str]) -> None:
    found = rows(f"insights_{name}", dataset)
    assert [row.entity_id for row in found] == [f"{AD}~{value}" for value in values]
    conversions = None if name == "region" else 1_000_000
    assert {(row.impressions, row.spend, row.conversions) for row in found} == {(322, 4_510_000, conversions)}
    asked = dict(parse_qsl(sample(f"insights_{name}")["request"]))
    assert asked["breakdowns"].split(",") == list(wire.BREAKDOWNS[dataset.breakdown])


def test_hours() -> None:
    found = rows("insights_hourly", Dataset.CAMPAIGN_HOURLY)
    assert [(row.entity_id, row.hour, row.slot) for row in found] == [
        (CAMPAIGN, 0, (371, 8, None, 3_200_000, None)),
        (CAMPAIGN, 23, (90, 1, None, 750_000, None)),
    ]


def test_ad_accounts() -> None:
    found = read(sample("adaccounts")["answer"], Dataset.PROFILES)
    assert all(isinstance(one, Profile) for one in found)
    assert [(one.currency, one.timezone, one.country, one.status) for one in found] == [
        ("USD", "America/Los_Angeles", "US", ProfileStatus.ACTIVE),
        ("JPY", "Asia/Tokyo", "JP", ProfileStatus.ACTIVE),
        ("KRW", "Asia/Seoul", "", ProfileStatus.REMOVED),
    ]


@pytest.mark.parametrize(
    ("currency", "daily", "lifetime"), [("USD", 20_000_000, 250_000_000), ("JPY", 2_000_000_000, 25_000_000_000)]
)
def test_campaigns_with_budgets_in_the_account_s_smallest_unit(currency: str, daily: int, lifetime: int) -> None:
    first, archived, bare = read(
        sample("campaigns")["answer"], Dataset.CAMPAIGNS, currency=currency, timezone="America/Los_Angeles"
    )
    assert isinstance(first, AdCampaign)
    assert (first.budget, first.budget_type, first.start_date, first.status) == (
        daily, "daily", "2025-11-11", Status.ACTIVE
    )  # fmt: skip
    assert (archived.budget, archived.budget_type, archived.status, archived.status_raw) == (
        lifetime, "lifetime", Status.ARCHIVED, "ARCHIVED"
    )  # fmt: skip
    assert (bare.budget, bare.budget_type, bare.status) == (None, "", Status.PENDING)


@pytest.mark.parametrize(
    ("timezone", "start"),
    [("America/Los_Angeles", "2025-11-11"), ("Europe/Berlin", "2025-11-12"), ("UTC", "2025-11-12")],
)
def test_a_time_near_midnight_is_a_day_of_the_account_s(timezone: str, start: str) -> None:
    _, late, _ = read(sample("campaigns")["answer"], Dataset.CAMPAIGNS, timezone=timezone)
    assert late.start_date == start


def test_ad_sets() -> None:
    (group,) = read(sample("adsets")["answer"], Dataset.AD_GROUPS, timezone="America/Los_Angeles")
    assert (group.id, group.campaign_id, group.status) == (GROUP, CAMPAIGN, Status.PAUSED)
    assert (group.start_date, group.end_date) == ("2025-11-11", "2025-11-18")


def test_ads_with_their_rankings_images_and_videos() -> None:
    answers = [json.dumps(sample(name)["answer"]).encode() for name in ("ads", "adimages", "videos")]
    delivered, never = read(media.together(answers), Dataset.ADS)
    assert (delivered.headline, delivered.description, delivered.cta) == ("Sample film", "watch it", "SHOP_NOW")
    assert delivered.video_url == "https://video.example/1574237649482084.mp4"
    assert delivered.image_url == "https://external.example/still.jpg"
    assert (delivered.quality_score, delivered.relevance_score, delivered.score_scale) == (4.0, 4.0, "1-5")
    assert (never.image_url, never.landing_page_url) == (
        "https://www.facebook.com/ads/image/?d=AQI1", "https://sample.example/"
    )  # fmt: skip
    assert (never.status, never.quality_score, never.score_scale) == (Status.REJECTED, None, "")


def test_creatives_of_every_kind() -> None:
    answers = [json.dumps(sample(name)["answer"]).encode() for name in ("adcreatives", "adimages", "videos")]
    hashes, videos = media.named(answers[0])
    assert hashes == ["cb0d9e2f4a7d4c3e8b1a6f5d2c7e9b04", "2a9d8f7e6c5b4a39281706f5e4d3c2b1"]
    assert videos == ["1574237649482084", "1574237649482085"]
    found = read(media.together(answers), Dataset.CREATIVES)
    assert [(one.kind, one.headline, one.cta, one.landing_page_url) for one in found] == [
        ("SHARE", "Sample", "LEARN_MORE", "https://sample.example/"),
        ("VIDEO", "Sample film", "SHOP_NOW", "https://sample.example/shop"),
        ("SHARE", None, None, "https://sample.example/c"),
        ("SHARE", "A title", "SIGN_UP", "https://sample.example/d"),
        ("SHARE", "{{product.name}}", "SHOP_NOW", "https://sample.example/catalog"),
    ]
    assert [one.image_url for one in found] == [
        "https://www.facebook.com/ads/image/?d=AQI1",
        "https://external.example/still.jpg",
        "https://external.example/1.jpg",
        "https://scontent.example/2.jpg",
        None,
    ]
    assert found[3].video_url == "https://www.facebook.com/153125381133/videos/1574237649482085/"
    assert [one.status for one in found[2:4]] == [Status.PENDING, Status.REJECTED]
    assert found[0].as_of == AS_OF


@pytest.mark.parametrize("answer", sample("errors")["answers"], ids=lambda answer: answer["what"])
def test_errors(answer: dict[str, Any]) -> None:
    said = wire.Error(**{name: answer["body"]["error"][name] for name in wire.Error.__struct_fields__})
    url = f"https://graph.facebook.com/v26.0/act_{ACCOUNT}/insights"
    found = to_fault(said, Response(answer["status"], {}, b"", url), datetime(2026, 11, 20, tzinfo=UTC))
    assert type(found) is getattr(errors, answer["raises"])
    if isinstance(found, errors.Throttled):
        assert found.scope == answer["scope"]


def test_jobs(server: StubServer, clock: Any) -> None:
    created, *states = sample("report_runs")["answers"]
    task = Task("r", "s", "acme", META_ADS, ACCOUNT, Dataset.AD_DAILY, "all", None, deadline=0)
    with requests.Session() as session:
        credential = Credential(account_id="acme", platform=META_ADS, secret_id="s")
        wired = wiring(META_ADS, session, clock, urls={"api": server.url})
        connector = meta.connect(credential=credential, secret={"access_token": "EAAG"}, wiring=wired)
        for answer in states:
            server.script = [Answer(200, answer["body"])]
            report = connector.report(task, created["body"]["report_run_id"])
            assert report.state is ReportState(answer["state"]), answer["what"]
            assert bool(report.reason) is (report.state is ReportState.FAILED)
