"""Fixtures that several rooms share: a clock that stands still, moto's AWS, the four tables."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from moto import mock_aws

from adweir.runtime.settings import Settings
from support.clock import FrozenClock

REGION = "us-east-1"


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def rng() -> random.Random:
    return random.Random(7)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """moto in process, with made-up credentials."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def settings() -> Settings:
    """Names as a deployed function gets them."""
    return Settings(
        catalog_table="adweir-catalog",
        metrics_table="adweir-metrics",
        ledger_table="adweir-ledger",
        findings_table="adweir-findings",
        bucket="adweir-data",
        bus_name="adweir",
    )


@pytest.fixture
def tables(aws: None, settings: Settings) -> None:
    """The four tables, empty, in moto, and the models bound to them."""
    from adweir.store import tables as table_models

    table_models.bind(settings)
    table_models.create_all()
