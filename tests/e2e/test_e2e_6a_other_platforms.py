"""The platforms that no other story is about: what one synchronization stores is the platform's own, at every level."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from adweir.model.times import DAY, local_date
from support.river import OTHERS, River

LEVELS = ("account", "campaign", "ad_group", "ad")


@pytest.mark.parametrize("platform", OTHERS)
def test_given_a_platforms_credential_when_the_client_is_synced_then_every_number_is_the_platforms_own(
    sandbox: River, synced: dict[str, list[dict[str, Any]]], platform: str
) -> None:
    start, spending = sandbox.day(14), 0
    for profile in synced[platform]:
        profile_id = profile["profile_id"]
        # Asked for through the API, a run ends with the yesterday of now: in America's night, a day before the world's.
        end = min(sandbox.day(1), (local_date(datetime.now(UTC), profile["timezone"]) - DAY).isoformat())
        totals = sandbox.totals(profile_id, start, end)
        assert sandbox.stored(profile_id, start, end) == sandbox.truth(profile_id, start, end)
        assert {level: sandbox.summed(profile_id, level, start, end) for level in LEVELS} == dict.fromkeys(
            LEVELS, totals
        )
        spending += bool(totals)
    assert spending
