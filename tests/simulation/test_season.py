"""Some days of daily and hourly runs on end, and what their tables hold. `make simulate DAYS=30` is the long form."""

from __future__ import annotations

from collections import Counter

import pytest

from simulation.containers import LEDGER, one_process
from simulation.season import Season, Size, grown, predicted

DAYS, SEED = 3, 1


def test_days_of_daily_and_hourly_runs_leave_the_models_numbers_and_tables_of_the_predicted_size() -> None:
    with one_process():
        told = Season(SEED, DAYS)
        outcome = told.run()

    assert outcome.faults == []
    ran = [item["pk"]["S"] for item in told.dynamodb.items(LEDGER) if item["sk"]["S"] == "run"]
    assert len(ran) == len(set(ran)) >= DAYS * 24


@pytest.mark.parametrize("kind", [f"{LEDGER} task", f"{LEDGER} brake"])
def test_items_that_are_never_deleted_are_noticed(kind: str) -> None:
    usual = Counter(predicted(30)) | Counter({f"{LEDGER} brake": 3})
    assert list(grown([Size(usual)] * 2, 30)) == []

    found = list(grown([Size(usual), Size(usual), Size(usual + Counter({kind: usual[kind] + 6}))], 30))

    assert len(found) == 1
    assert kind in found[0]
