"""The watch: what is wrong right now, in numbers. Each sweep publishes them for the alarms of template.yaml.

They are states, not events: an alarm is over when what it is about is repaired, and a number that is published twice
changes nothing. Without a sweep there are no numbers; then the alarms keep their state and `WatchSilent` rings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from adweir.model.entities import ProfileStatus
from adweir.model.operation_metrics import OperationMetric as M
from adweir.model.runs import RunState
from adweir.model.times import epoch
from adweir.pipeline.health import brakes_on, ending
from adweir.pipeline.late import Late

if TYPE_CHECKING:
    from adweir.model.entities import Credential, Profile
    from adweir.model.times import Clock
    from adweir.store.catalog.store import Catalog
    from adweir.store.ledger import Ledger

STAYING_SECONDS = 3600
"""A brake on which nothing has succeeded for as long is one that stays."""


class SweepView(NamedTuple):
    """What is read once per sweep: the profiles, the credentials, and the newest successes (`Ledger.successes`)."""

    profiles: list[Profile]
    credentials: list[Credential]
    successes: list[tuple[str, str, str, str]]


def see(ledger: Ledger, catalog: Catalog) -> SweepView:
    """Read it. Raises Unavailable."""
    return SweepView(catalog.profiles(), catalog.credentials(), list(ledger.successes()))


def look(ledger: Ledger, catalog: Catalog, clock: Clock, seen: SweepView, late: Late) -> dict[M, int]:
    """Metric → number, zero included.

    `RunsFailed` and `RunsPartial`: runs that ended so and that nothing has repaired. `ProfilesStale`: active ad
    accounts that are late by their schedules. `CredentialsBroken`. `CredentialsEnding`: those in use that end soon or
    have ended. `BrakesStaying`: brakes that are on and under which nothing has succeeded for an hour. `SweepsEnded`: 1.
    """
    now = clock.now()
    ends = [run.state for run in ledger.troubled_runs.all()]
    pulled = (profile for profile in seen.profiles if profile.is_listed)
    active = [profile for profile in pulled if profile.status == ProfileStatus.ACTIVE]
    since = epoch(now) - STAYING_SECONDS
    credentials = seen.credentials
    return {
        M.RUNS_FAILED: ends.count(RunState.FAILED.value),
        M.RUNS_PARTIAL: ends.count(RunState.PARTIAL.value),
        M.PROFILES_STALE: sum(bool(late.since(profile)) for profile in active),
        M.CREDENTIALS_BROKEN: sum(credential.state != "active" for credential in credentials),
        M.CREDENTIALS_ENDING: len(ending(credentials, now)),
        M.BRAKES_STAYING: sum(0 < brake.since <= since for brake in brakes_on(ledger, catalog)),
        M.SWEEPS_ENDED: 1,
    }
