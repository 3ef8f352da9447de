"""The bounds of `model/limits.py` that only show where something is stored (moto)."""

from __future__ import annotations

import boto3
import pytest

from adweir.model.entities import Credential
from adweir.model.errors import Throttled
from adweir.model.platforms import Platform
from adweir.store.catalog.store import Catalog
from adweir.store.findings import Findings
from adweir.store.ledger import Ledger, Tokens
from adweir.store.secrets import SecretStore
from support.bounds import at_the_bound
from support.clock import FrozenClock

META = Platform("meta_ads")
T1 = "2026-11-20T00:00:00.000000Z"


@at_the_bound("MAX_FINDING_BYTES", as_if=200)
def test_a_quality_report(tables: None, clock: FrozenClock, size: int, fits: bool) -> None:
    findings = Findings(clock)
    empty = len('{"samples":[""]}')

    findings.put_quality("meta_ads#1", T1, "t.0", {"samples": ["x" * (size - empty)]})

    assert ("samples" in findings.quality("meta_ads#1")[0][0]) is fits


@at_the_bound("MAX_FINDINGS_READ", as_if=3)
def test_the_reports_of_an_answer(tables: None, clock: FrozenClock, size: int, fits: bool) -> None:
    findings = Findings(clock)
    for number in range(size):
        findings.put_quality("meta_ads#1", T1, f"t.{number}", {})

    assert (len(findings.quality("meta_ads#1", limit=size)[0]) == size) is fits


@at_the_bound("MAX_SECRET_AGE_SECONDS")
def test_a_secret_that_somebody_changed_elsewhere_is_known_after_its_age(
    aws: None, clock: FrozenClock, size: int, fits: bool
) -> None:
    client = boto3.client("secretsmanager")
    store = SecretStore(client, "adweir", clock)
    store.put("s", {"version": "old"})
    store.get("s")
    client.put_secret_value(SecretId="s", SecretString='{"version": "new"}')

    clock.advance(size)

    assert store.get("s")["version"] == ("old" if fits else "new")
    assert store.get("s", "another stamp")["version"] == "new"


@at_the_bound("MAX_KNOWN_TOKENS", as_if=3)
def test_the_access_tokens_that_a_container_keeps(tables: None, clock: FrozenClock, size: int, fits: bool) -> None:
    """One more is forgotten, and read from the ledger."""
    kept = Tokens(clock)
    for number in range(size):
        kept.get(f"t{number}", lambda number=number: (f"a{number}", 3600))  # type: ignore[misc]
    Tokens(clock)._put(kept._row("token#t0", "token", text="another", deadline=kept._now() + 3600))

    assert kept.get("t0", lambda: ("new", 3600)) == ("a0" if fits else "another")


@at_the_bound("MAX_CACHED_SECRETS", as_if=3)
def test_the_secrets_that_a_container_keeps(aws: None, clock: FrozenClock, size: int, fits: bool) -> None:
    client = boto3.client("secretsmanager")
    store = SecretStore(client, "adweir", clock)
    names = [f"s{number}" for number in range(size)]
    for name in names:
        store.put(name, {"version": "old"})
        store.get(name)

    for name in names:
        client.put_secret_value(SecretId=name, SecretString='{"version": "new"}')

    assert ([store.get(name)["version"] for name in names[:-1]] == ["old"] * (size - 1)) is fits


@at_the_bound("MAX_REASON_CHARS")
def test_why_a_credential_is_broken(tables: None, clock: FrozenClock, size: int, fits: bool) -> None:
    catalog = Catalog(clock)
    catalog.create_account("acc", "Acme", "a@b.example")
    stored = catalog.put_credential(Credential(account_id="acc", platform=META, secret_id="secret"))

    catalog.mark_broken(stored, "x" * size)

    assert (len(catalog.credentials()[0].reason) == size) is fits


@at_the_bound("MAX_BRAKE_SECONDS", as_if=60)
def test_the_pause_of_a_circuit_breaker(tables: None, clock: FrozenClock, size: int, fits: bool) -> None:
    brakes = Ledger(clock).brakes
    for _ in range(20):
        brakes.failure(META, "1")
    clock.advance(size)

    if fits:
        brakes.check(META, "1")
    else:
        clock.advance(-2)
        with pytest.raises(Throttled):
            brakes.check(META, "1")
