"""The pipeline on 200 seeds, and each planted fault with the seed that finds it. `make simulate` is the long form."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from simulation.__main__ import Batch, main, recorded, run_batch
from simulation.containers import ROOT, one_process
from simulation.planted import FAULTS, planted
from simulation.simulation import Simulation

SEEDS, CHUNK = 200, 25
REFRESH = "another order of AWS calls moves seeds: `make simulate RECORD=1` searches new ones"


@pytest.fixture
def process() -> Iterator[None]:
    """What runs of this process share."""
    with one_process():
        yield


@pytest.mark.usefixtures("process")
@pytest.mark.parametrize("start", range(0, SEEDS, CHUNK))
def test_stored_numbers_are_the_models_and_every_run_ends(start: int) -> None:
    broken = {
        f"make simulate SEED={outcome.seed}": outcome.faults
        for outcome in run_batch(Batch("", start, start + CHUNK))
        if outcome.faults
    }

    assert broken == {}


@pytest.mark.usefixtures("process")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str) -> None:
    seed = recorded()[fault]
    with planted(fault):
        outcome = Simulation(seed).run()

    assert outcome.faults, f"seed {seed} does not find {fault} any more; {REFRESH}"


@pytest.mark.usefixtures("process")
def test_a_seed_is_replayed_with_all_that_happened(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--seed", str(recorded()["no_lease"]), "--fault", "no_lease"])

    said = capsys.readouterr().out
    assert status == 1
    for part in ("asked for: ", "dynamodb UpdateItem run#run-0|task#", "platform: ", "begins with", "with no_lease: "):
        assert part in said


@pytest.mark.usefixtures("process")
def test_a_seed_tells_the_same_story_in_every_process() -> None:
    """Not even the order in which Python walks through a set decides anything."""
    command = [sys.executable, "-m", "simulation", "--fingerprints", "5"]
    paths = os.pathsep.join(str(ROOT / path) for path in ("layers/core", ".", "tests"))
    environment = {"PYTHONPATH": paths, "PYTHONHASHSEED": "1", "PATH": os.environ["PATH"]}

    there = subprocess.run(  # noqa: S603  our own command
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=120
    )

    assert there.stdout.split() == [str(Simulation(seed).run().fingerprint) for seed in range(5)]
