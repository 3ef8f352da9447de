"""Brakes of the ledger when several workers meet them, when one dies at them, and what they say about a fault."""

from __future__ import annotations

import pytest

from adweir.model.errors import Throttled
from adweir.model.platforms import Platform
from adweir.store.ledger import Ledger
from adweir.store.ledger.brakes import FIRST_SECONDS, PROBE_SECONDS
from adweir.store.ledger.rows import Row
from support.clock import FrozenClock
from support.ledger_tasks import after

pytestmark = pytest.mark.usefixtures("tables")
META = Platform("meta_ads")


@pytest.fixture
def ledger(clock: FrozenClock) -> Ledger:
    return Ledger(clock)


def faults(ledger: Ledger, times: int, reason: str = "503") -> None:
    for _ in range(times):
        ledger.brakes.failure(META, "111", reason)


def wait(ledger: Ledger) -> float:
    """How long a check asks to wait; 0 when it passes."""
    try:
        ledger.brakes.check(META, "111")
    except Throttled as busy:
        return busy.retry_after
    return 0


def test_a_circuit_whose_worker_died_before_it_opened_lets_one_probe_through(
    ledger: Ledger, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given the fifth fault in a row, of a worker that dies when it has counted it
    faults(ledger, 4)

    def dies() -> None:
        raise KeyboardInterrupt

    after(monkeypatch, ledger.brakes, "_change", dies)
    with pytest.raises(KeyboardInterrupt):
        faults(ledger, 1)

    # then one worker may try at once, and the others wait for it
    assert [wait(ledger) for _ in range(2)] == [0, FIRST_SECONDS]
    clock.advance(PROBE_SECONDS)
    assert wait(ledger) == 0


def test_of_two_faults_at_once_the_later_one_says_for_how_long_the_circuit_is_open(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a fifth fault, and a sixth of another worker before the circuit is open
    faults(ledger, 4)
    after(monkeypatch, ledger.brakes, "_change", lambda: faults(ledger, 1))
    faults(ledger, 1)

    assert wait(ledger) == 2 * FIRST_SECONDS


def test_a_success_between_the_fifth_fault_and_the_circuit_keeps_it_closed(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults(ledger, 4)
    after(monkeypatch, ledger.brakes, "_change", lambda: ledger.brakes.success(META, "111"))
    faults(ledger, 1)

    (row,) = ledger.brakes._query(f"brake#{META}")
    assert row.failures == 0
    assert row.deadline is None


def test_a_brake_is_on_since_its_first_fault(ledger: Ledger, clock: FrozenClock) -> None:
    began = int(clock.now().timestamp())
    for _ in range(5):
        faults(ledger, 1)
        clock.advance(1)
    ledger.brakes.trip(META, "111", 60, "code 17")

    assert [on.since for on in ledger.brakes.on(META)] == [began]
    # and one that comes after a success begins anew
    clock.advance(60)
    ledger.brakes.success(META, "111")
    ledger.brakes.trip(META, "111", 60, "code 17")
    assert [on.since for on in ledger.brakes.on(META)] == [began + 65]


def test_a_brake_without_its_beginning_is_released_and_forgotten_like_any_other(ledger: Ledger) -> None:
    def stored() -> None:
        ledger._put(ledger._row(f"brake#{META}", "111", failures=5))

    stored()
    assert [(on.since, on.reason) for on in ledger.brakes.on(META)] == [(0, "faults five times")]
    assert ledger.brakes.release(META, "111") is True
    assert list(ledger.brakes.on(META)) == []
    stored()
    assert ledger.brakes.check(META, "111") == ("111",)
    ledger.brakes.success(META, "111")
    assert list(ledger.brakes.on(META)) == []


def test_a_brake_that_goes_while_it_is_released_stays_gone(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    faults(ledger, 1)
    after(monkeypatch, ledger.brakes, "_fetch", lambda: ledger.brakes._drop(f"brake#{META}", "111"))
    assert ledger.brakes.release(META, "111") is False

    assert list(Row.query(f"brake#{META}")) == []


@pytest.mark.parametrize(("times", "words"), [(5, "503 five times"), (12, "503 twelve times"), (13, "503 13 times")])
def test_faults_in_a_row_are_counted_in_words_up_to_twelve(ledger: Ledger, times: int, words: str) -> None:
    faults(ledger, times)

    assert [on.reason for on in ledger.brakes.on(META)] == [words]
