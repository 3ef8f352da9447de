"""The platforms that no other story is about: what one synchronization stores is the platform's own, at every level."""

from __future__ import annotations

from typing import Any

import pytest

from adweir.platforms import REGISTRY
from support.river import PLATFORMS, River

OTHERS = sorted(str(spec.name) for spec in REGISTRY.specs() if spec.name not in PLATFORMS and not spec.described)
LEVELS = ("account", "campaign", "ad_group", "ad")


@pytest.fixture(scope="module")
def synced(sandbox: River) -> dict[str, list[dict[str, Any]]]:
    """The ad accounts of one client on each platform, after its credentials were stored and one run has ended."""
    client = sandbox.clients["halden"]
    sandbox.connect(client.account_id, client.description["credentials"], OTHERS)
    scope = {"accounts": [client.account_id], "platforms": OTHERS}
    sandbox.ended(sandbox.api.post("/api/v1/workflows/sync/runs", {"scope": scope})["run_id"], "succeeded")
    found: dict[str, list[dict[str, Any]]] = {}
    for profile in sandbox.api.get("/api/v1/profiles", account_id=client.account_id)["profiles"]:
        found.setdefault(profile["platform"], []).append(profile)
    return found


@pytest.mark.parametrize("platform", OTHERS)
def test_given_a_platforms_credential_when_the_client_is_synced_then_every_number_is_the_platforms_own(
    sandbox: River, synced: dict[str, list[dict[str, Any]]], platform: str
) -> None:
    start, end = sandbox.day(14), sandbox.day(1)
    spending = 0
    for profile in synced[platform]:
        profile_id = profile["profile_id"]
        totals = sandbox.totals(profile_id, start, end)
        assert sandbox.stored(profile_id, start, end) == sandbox.truth(profile_id, start, end)
        assert {level: sandbox.summed(profile_id, level, start, end) for level in LEVELS} == dict.fromkeys(
            LEVELS, totals
        )
        spending += bool(totals)
    assert spending
