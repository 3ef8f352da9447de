"""Rows and seconds of each step of making a dataset."""

from __future__ import annotations

from adweir.insight.mmm.steps import STEPS, MixSteps


def test_a_step_within_another_is_not_part_of_its_time() -> None:
    now = [0.0]
    steps = MixSteps(lambda: now[0])

    with steps.of("dataset"):
        now[0] += 2
        with steps.of("load"):
            now[0] += 0.5
        now[0] += 1
    now[0] += 10
    steps.count("load", 3)

    shown = steps.shown()
    assert list(shown) == list(STEPS)
    assert (shown["dataset"], shown["load"]) == ({"rows": 0, "seconds": "3.000"}, {"rows": 3, "seconds": "0.500"})
    assert {name: count for name, count in steps.counts().items() if count} == {
        "load_rows": 3,
        "dataset_ms": 3000,
        "load_ms": 500,
    }


def test_what_several_datasets_took_adds_up() -> None:
    now = [0.0]
    whole, one = MixSteps(lambda: now[0]), MixSteps(lambda: now[0])

    with one.of("fit"):
        now[0] += 1.25
    for _ in range(2):
        whole.add(one)

    assert whole.counts()["fit_ms"] == 2500
