"""Who says what they have read changes nothing that somebody else changed since."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from adweir.intake.doors.webhook_secrets import set_webhook_secret, webhook_secrets
from adweir.model.errors import Conflict, NotFound
from adweir.model.platforms import Platform
from adweir.store.catalog.accounts import Accounts
from adweir.store.catalog.mappings import EVERYONE, StoredMapping, StoredMappings
from adweir.store.catalog.store import Catalog
from adweir.store.secrets import SecretStore
from support.clock import FrozenClock
from support.job_world import JobWorld

META = Platform("meta_ads")
DAILY = {"workflow": "daily", "schedule": {"type": "daily", "at": "05:30"}}
BODY, OTHER = '{"stages": [1]}', '{"stages": [2]}'


@pytest.fixture
def catalog(tables: None, clock: FrozenClock) -> Catalog:
    return Catalog(clock)


def meanwhile(owner: type, method: str, change: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Right after the next read of an item somebody else changes it."""
    fetch, changes = getattr(owner, method), [change]

    def overtaken(self: Any, *key: str) -> Any:
        found = fetch(self, *key)
        if changes:
            changes.pop()()
        return found

    monkeypatch.setattr(owner, method, overtaken)


def test_an_account_is_changed_as_it_was_read_or_not_at_all(catalog: Catalog) -> None:
    read = catalog.create_account("acc_1", "Acme", "a@b.example")
    catalog.update_account("acc_1", currency="EUR")

    with pytest.raises(Conflict, match="someone else is changing account acc_1"):
        catalog.update_account("acc_1", read=read, company_name="Other")

    assert catalog.update_account("acc_1", read=catalog.account("acc_1"), timezone="UTC").currency == "EUR"


def test_two_who_change_an_account_at_the_same_moment_lose_nothing(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.create_account("acc_1", "Acme", "a@b.example")
    meanwhile(Accounts, "_fetch", lambda: catalog.update_account("acc_1", currency="EUR"), monkeypatch)

    catalog.update_account("acc_1", timezone="Europe/Berlin")

    found = catalog.account("acc_1")
    assert (found.currency, found.timezone) == ("EUR", "Europe/Berlin")


def test_an_account_that_is_deleted_at_the_same_moment_stays_deleted(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.create_account("acc_1", "Acme", "a@b.example")
    meanwhile(Accounts, "_fetch", lambda: catalog.delete_account("acc_1"), monkeypatch)

    with pytest.raises(NotFound, match="it was deleted"):
        catalog.update_account("acc_1", timezone="Europe/Berlin")


def test_a_workflow_is_replaced_and_deleted_as_it_was_read_or_not_at_all(catalog: Catalog) -> None:
    catalog.put_workflow("nightly", BODY, read=0)
    catalog.put_workflow("nightly", OTHER, read=1)

    changes: tuple[Callable[[], object], ...] = (
        lambda: catalog.put_workflow("nightly", BODY, read=0),
        lambda: catalog.put_workflow("nightly", BODY, read=1),
        lambda: catalog.delete_workflow("nightly", read=1),
        lambda: catalog.put_workflow("another", BODY, read=1),
    )
    for change in changes:
        with pytest.raises(Conflict, match="at the same moment"):
            change()

    assert [(each.name, each.body) for each in catalog.stored_workflows()] == [("nightly", OTHER)]
    catalog.delete_workflow("nightly", read=2)
    assert catalog.put_workflow("nightly", BODY, read=0).version == 4, "a deleted one is none"


def test_a_mapping_is_replaced_and_deleted_as_it_was_read_or_not_at_all(catalog: Catalog) -> None:
    first = StoredMapping(EVERYONE, "agency", "orders", {"n": 1})
    catalog.put_mapping(first, read=0)
    catalog.put_mapping(first._replace(body={"n": 2}), read=1)

    changes: tuple[Callable[[], object], ...] = (
        lambda: catalog.put_mapping(first, read=0),
        lambda: catalog.put_mapping(first, read=1),
        lambda: catalog.delete_mapping(EVERYONE, "agency", "orders", read=1),
    )
    for change in changes:
        with pytest.raises(Conflict, match="mapping of agency/orders at the same moment"):
            change()

    assert list(catalog.list_mappings(EVERYONE)) == [first._replace(body={"n": 2}, version=2)]
    assert catalog.delete_mapping(EVERYONE, "agency", "orders", read=2)
    assert not catalog.delete_mapping(EVERYONE, "agency", "orders", read=2)
    catalog.put_mapping(first, read=0)
    assert [each.version for each in catalog.list_mappings(EVERYONE)] == [4]


def test_two_who_store_a_mapping_at_the_same_moment_are_told_apart(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = (StoredMapping(EVERYONE, "agency", "orders", {"whose": whose}) for whose in ("theirs", "ours"))
    meanwhile(StoredMappings, "_fetch", lambda: catalog.put_mapping(theirs), monkeypatch)

    with pytest.raises(Conflict):
        catalog.put_mapping(ours, read=0)

    assert [each.body for each in catalog.list_mappings(EVERYONE)] == [{"whose": "theirs"}]


def test_a_job_is_changed_paused_and_removed_as_it_was_read_or_not_at_all(tables: None, clock: FrozenClock) -> None:
    jobs = JobWorld(clock).jobs
    read = jobs.create({"name": "one", **DAILY}).version
    now = jobs.change("one", {"lookback_days": 7}, read).version

    changes: tuple[Callable[[], object], ...] = (
        lambda: jobs.change("one", {"lookback_days": 8}, read),
        lambda: jobs.pause("one", read),
        lambda: jobs.remove("one", read),
    )
    for change in changes:
        with pytest.raises(Conflict, match="someone else is changing job one"):
            change()

    assert jobs.pause("one", now).lookback_days == 7


def test_webhook_secrets_are_changed_as_they_were_read_or_not_at_all(tables: None, clock: FrozenClock) -> None:
    secrets = SecretStore(boto3.client("secretsmanager"), "adweir", clock)
    assert webhook_secrets(secrets, META) == {}
    set_webhook_secret(secrets, META, {"secret": "s" * 32}, read={})

    with pytest.raises(Conflict, match="these webhook secrets"):
        set_webhook_secret(secrets, META, {"secret": "t" * 32}, read={})

    assert webhook_secrets(secrets, META) == {"secret": "s" * 32}


def test_doors_are_listed_whose_secrets_were_ever_changed(catalog: Catalog) -> None:
    assert catalog.doors() == []

    catalog.stamp_webhooks(META, "acc_1", "a")
    catalog.stamp_webhooks(META, "", "b")

    assert catalog.doors() == [("meta_ads", ""), ("meta_ads", "acc_1")]
