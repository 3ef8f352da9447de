"""What Google's SPEC promises: its credential, its names, and how far back its datasets reach."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from adweir.model.errors import Unprocessable
from adweir.platforms import REGISTRY
from adweir.platforms.credentials import FieldKind
from adweir.platforms.google_ads import SPEC, GoogleCredential, changes, queries
from sandbox.platforms.google_ads.facts import RESOURCES
from support.google_wire import GOOGLE_ADS, SECRET

METRICS = [spec for spec in SPEC.datasets.values() if spec.dataset.grain]


def test_a_manager_s_id_may_have_dashes_and_is_the_route() -> None:
    assert GoogleCredential.read(SECRET | {"login_customer_id": "123-456-7890"}).route == "1234567890"
    assert GoogleCredential.read(SECRET).route == ""
    for wrong in ("acme", "12 34", "customers/1"):
        with pytest.raises(Unprocessable, match="login_customer_id"):
            GoogleCredential.read(SECRET | {"login_customer_id": wrong})


def test_quotas_are_counted_for_the_project_of_the_client() -> None:
    assert GoogleCredential.named(FieldKind.APP) == ("client_id",)
    assert GoogleCredential.named(FieldKind.SECRET) == ("client_secret", "refresh_token", "developer_token")


def test_a_credential_of_google_s_needs_no_platform_beside_it() -> None:
    assert REGISTRY.recognize(SECRET) == GOOGLE_ADS
    assert not SPEC.recognizes({"client_id": "amzn1.application"})
    assert REGISTRY.parse("Google") == GOOGLE_ADS


def test_no_level_sums_to_its_parent_and_breakdowns_wait_for_a_request() -> None:
    assert not any(spec.sums_to_parent for spec in SPEC.datasets.values())
    assert {spec.dataset for spec in METRICS if spec.on_request} == {
        spec.dataset for spec in METRICS if spec.dataset.breakdown
    }


def test_days_are_asked_for_as_long_as_google_keeps_and_restates_them() -> None:
    today = date(2026, 11, 20)
    oldest = {spec.oldest("all", today) for spec in METRICS}
    assert oldest == {date(2023, 11, 6)}  # 37 months back would be 20 October 2023
    daily = [spec for spec in METRICS if spec.dataset.grain == "day"]
    assert {(spec.lookback_days, spec.settles_after_days, spec.max_window_days) for spec in daily} == {(30, 90, 31)}


def test_every_field_of_every_question_is_v26_s_and_may_be_selected_with_its_resource() -> None:
    asked = [query for dataset in SPEC.datasets for query in queries.questions(dataset)]
    asked.append(queries.ASSET_LINKS)
    texts = [(query.resource, name) for query in asked for name in query.fields]
    texts += [
        (text.partition(" FROM ")[2].split()[0], name)
        for text in (
            queries.CUSTOMER,
            queries.CLIENTS,
            queries.ASSETS,
            queries.places(["geoTargetConstants/1"]),
            changes.question(datetime(2026, 11, 20, tzinfo=UTC)),
        )
        for name in text.removeprefix("SELECT ").partition(" FROM ")[0].split(", ")
    ]
    unknown = [(resource, name) for resource, name in texts if not _is_selectable(resource, name)]
    assert unknown == []
    assert not _is_selectable("campaign", "campaign.start_date")


def _is_selectable(resource: str, name: str) -> bool:
    kind, _, field = name.partition(".")
    known = RESOURCES[resource]
    if kind in ("metrics", "segments"):
        return known.has(kind, field)
    return kind in (resource, *known.attributed) and field in RESOURCES[kind].fields
