"""Each function killed at each of its steps: some of the deaths here, all of them by `make kills`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from adweir.insight.mmm.gather import MixFound
from adweir.insight.mmm.publish import Publisher
from simulation.containers import ALL, one_process
from simulation.kills import API, MODES, Case, cases, died, said, sample
from simulation.planted import planted
from simulation.weather import Fault

SEED, DEATHS = 22, 10


@pytest.fixture(autouse=True)
def process() -> Iterator[None]:
    with one_process():
        yield


def test_a_run_ends_right_whichever_step_a_function_dies_at(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = sample(SEED, DEATHS)

    wrong = {str(case): faults for case in chosen if (faults := died(case))}

    with capsys.disabled():
        print(f"\n{said(chosen)} of {said(cases())}")
    assert wrong == {}


def test_every_function_of_a_run_dies_before_and_after_each_of_its_requests() -> None:
    found = {(case.mode, case.function, case.number, case.fault) for case in cases()}

    assert {function for _, function, *_ in found} == {API, *(function.name for function in ALL)}
    assert len(found) == len(cases())
    for mode, function, number, _ in found:
        for fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER):
            assert (mode, function, number, fault) in found
            assert (mode, function, max(1, number - 1), fault) in found


def test_a_write_that_lost_its_condition_is_found_by_a_death() -> None:
    """Given runs that may begin twice, when `orchestrate` dies between a beginning and the end of its message."""
    first = next(case for case in cases() if case.mode is MODES[0] and case.function == "orchestrate")
    with planted("started_twice"):
        faults = [died(Case(*first._replace(number=number, fault=Fault.KILLED_AFTER))) for number in (7, 8)]

    assert any("began again" in fault for found in faults for fault in found)


def test_a_dataset_that_counts_as_made_before_its_files_are_stored_is_found_by_a_death() -> None:
    """Given a manifest that names new inputs while old files are there, when `etl` dies before it replaces them."""
    put, hashed, hashes = Publisher._put_manifest, MixFound.hashed, list[str]()

    def noted(found: MixFound, tidy: Path, tables: Iterable[Iterable[list[str]]]) -> str:
        hashes.append(hashed(found, tidy, tables))
        return hashes[-1]

    def hasty(publisher: Publisher, root: str, manifest: Mapping[str, Any]) -> None:
        put(publisher, root, {**manifest, "inputs": hashes[-1]})

    amid = [case for case in cases() if case.function == "etl" and case.what == "PutObject"][1]
    with mock.patch.object(Publisher, "_put_manifest", hasty), mock.patch.object(MixFound, "hashed", noted):
        faults = died(amid)

    assert [fault for fault in faults if "ad_reporting.csv are not as in the untouched run" in fault]
