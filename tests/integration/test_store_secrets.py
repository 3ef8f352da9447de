"""The secret store on moto's Secrets Manager."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from adweir.model.errors import NotFound, Unavailable
from adweir.store.secrets import SecretStore
from support.clock import FrozenClock

NAME = "adweir/webhook/meta"


@pytest.fixture
def client(aws: None) -> Any:
    return boto3.client("secretsmanager")


@pytest.fixture
def store(client: Any, clock: FrozenClock) -> SecretStore:
    return SecretStore(client, "adweir", clock)


def test_a_new_secret_is_encrypted_with_the_deployments_key(client: Any, clock: FrozenClock) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/k"

    SecretStore(client, "adweir", clock, key).put(NAME, {"secret": "s"})
    SecretStore(client, "adweir", clock).put(f"{NAME}2", {"secret": "s"})

    assert client.describe_secret(SecretId=NAME)["KmsKeyId"] == key
    assert "KmsKeyId" not in client.describe_secret(SecretId=f"{NAME}2")


def test_a_rotation_keeps_the_previous_values(store: SecretStore) -> None:
    store.put(NAME, {"secret": "old"})
    assert store.versions(NAME) == [{"secret": "old"}]

    store.put(NAME, {"secret": "new"})

    assert store.versions(NAME) == [{"secret": "new"}, {"secret": "old"}]
    assert store.get(NAME) == {"secret": "new"}
    assert store.name("webhook", "meta") == NAME


def test_values_are_cached_and_read_again_on_request_but_not_too_often(
    store: SecretStore, client: Any, clock: FrozenClock
) -> None:
    # given
    store.put(NAME, {"secret": "old"})
    assert store.get(NAME) == {"secret": "old"}
    client.put_secret_value(SecretId=NAME, SecretString='{"secret":"new"}')

    # then
    assert not store.refresh(NAME)
    assert store.get(NAME) == {"secret": "old"}
    clock.advance(11)
    assert store.refresh(NAME)
    assert store.get(NAME) == {"secret": "new"}
    client.put_secret_value(SecretId=NAME, SecretString='{"secret":"newer"}')
    clock.advance(301)
    assert store.get(NAME) == {"secret": "newer"}


def test_what_is_missing_stays_missing_for_a_minute(store: SecretStore, client: Any, clock: FrozenClock) -> None:
    with pytest.raises(NotFound):
        store.get(NAME)
    client.create_secret(Name=NAME, SecretString='{"secret":"x"}')
    with pytest.raises(NotFound):
        store.get(NAME)
    clock.advance(61)
    assert store.get(NAME) == {"secret": "x"}


def test_a_deleted_secret_is_gone_and_can_come_back(store: SecretStore) -> None:
    store.put(NAME, {"secret": "x"})
    store.delete(NAME)
    with pytest.raises(NotFound):
        store.get(NAME)

    store.put(NAME, {"secret": "y"})

    assert store.get(NAME) == {"secret": "y"}
    store.delete("adweir/never/was")


@pytest.mark.parametrize(
    "content",
    [{"SecretString": "plain"}, {"SecretString": "[]"}, {"SecretString": "[" * 30_000}, {"SecretBinary": b'{"a":"b"}'}],
    ids=["plain", "list", "deep", "binary"],
)
def test_a_secret_that_is_not_an_object_counts_as_missing(
    store: SecretStore, client: Any, content: dict[str, Any]
) -> None:
    client.create_secret(Name=NAME, **content)
    with pytest.raises(NotFound):
        store.get(NAME)


def test_a_fault_of_the_service_is_reported_as_unavailable(store: SecretStore) -> None:
    with pytest.raises(Unavailable):
        store.put("", {"a": "b"})
