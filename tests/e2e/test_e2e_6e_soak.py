"""The soak's short form: some ad accounts of a crowd for a day, with faults that a seed chooses (`make soak`)."""

from __future__ import annotations

from soak.ground import Ground
from soak.plan import Extent
from soak.soak import Soak
from support.river import CROWD, HISTORY_DAYS, River

SEED = 266
SHORT = Extent(
    profiles=CROWD,
    days=1,
    hourly_profiles=CROWD,
    hourly_runs=1,
    kills=0,
    copies=2,
    datasets=("profiles", "ad_daily", "account_daily"),
    slow=False,
    behind=False,
)
"""Killed workers have stories of their own: each takes the half minute after which its message comes again. `etl` may
not start within the five seconds of this sandbox on a busy machine: it is not waited for."""


def test_given_faults_by_chance_then_every_number_is_right_every_fault_accounted_for_and_nothing_is_left(
    sandbox: River,
) -> None:
    verdict = Soak(Ground(sandbox), SEED, SHORT, HISTORY_DAYS, lambda _text: None).run()

    assert verdict.wrong == [], "\n".join(verdict.lines)
    assert sum(line.startswith("ok") for line in verdict.lines) == 5
