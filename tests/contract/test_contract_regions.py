"""Amazon's regions together: one account, a credential for each, told apart by its label."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from adweir.model.messages import Scope, StartRun
from adweir.model.platforms import Platform
from adweir.platforms import REGISTRY
from adweir.runtime.settings import Settings
from sandbox.platforms import platform_urls
from sandbox.server import PlatformServer
from sandbox.world import Company
from support.clock import FrozenClock
from support.machine import Machine
from support.platform_server import running

AMAZON = Platform("amazon_ads")
TODAY = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
LISTING = StartRun(workflow="daily", scheduled_at=TODAY, scope=Scope(datasets=("profiles",)))


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with running(awkward=True) as server:
        yield server


@pytest.fixture
def company(server: PlatformServer) -> Company:
    """A client with Amazon profiles in two regions."""
    return next(c for c in server.outside.world.companies if len(_regions(c)) == 2)


@pytest.fixture
def machine(tables: None, settings: Settings, server: PlatformServer) -> Iterator[Machine]:
    urls = {"platform_urls": platform_urls(server.url)}
    machine = Machine(settings.model_copy(update=urls), FrozenClock(TODAY), REGISTRY)
    machine.app.catalog.create_account("acme", "Acme", "data@acme.example")
    yield machine
    machine.app.http.close()


def _regions(company: Company) -> set[str]:
    return {profile.region for profile in company.profiles if profile.platform == AMAZON}


def _register(machine: Machine, company: Company, **changes: str) -> None:
    for name, body in company.credentials.items():
        platform, _, label = name.partition(":")
        if platform == AMAZON:
            machine.app.registration.register("acme", platform, dict(body) | changes, label)


def test_each_credential_lists_the_profiles_of_its_region_and_takes_none_from_the_other(
    machine: Machine, company: Company
) -> None:
    _register(machine, company)

    for run_id in ("run_1", "run_2"):
        machine.run(LISTING.model_copy(update={"run_id": run_id}))
        machine.clock.advance(86_400)

    found = {p.profile_id: (p.route, p.status.value) for p in machine.app.catalog.profiles("acme", AMAZON)}
    assert found == {p.id: (p.region.lower(), "active") for p in company.on("amazon_ads")}
    labels = {p.route: p.credential for p in machine.app.catalog.profiles("acme", AMAZON)}
    assert len(set(labels.values())) == 2


def test_a_credential_of_another_region_lists_nothing_and_the_run_says_where_to_look(
    machine: Machine, company: Company
) -> None:
    _register(machine, company, region="FE")

    machine.run(LISTING.model_copy(update={"run_id": "run_1"}))

    assert machine.app.catalog.profiles("acme") == []
    run = machine.app.ledger.get_run("run_1")
    assert run is not None
    assert "in region fe: a credential lists those of one region, and it may be one of eu or na" in run.reason
