"""Exports in the ledger: begun once, ended once, given up after six hours, forgotten after seven days."""

from __future__ import annotations

import pytest

from adweir.model.times import iso
from adweir.store.ledger import Ledger
from adweir.store.ledger.exports import ExportRecord
from adweir.store.ledger.rows import Row
from support.clock import FrozenClock

pytestmark = pytest.mark.usefixtures("tables")
ASKED = {"data_type": "ads_performance"}
HOUR, DAY = 3600, 86_400


@pytest.fixture
def ledger(clock: FrozenClock) -> Ledger:
    return Ledger(clock)


def begin(ledger: Ledger) -> bool:
    return ledger.exports.begin("e1", ASKED, frozenset({"b", "a"}))


def state(ledger: Ledger) -> str:
    found = ledger.exports.get("e1")
    return found.state if found else ""


def test_an_export_says_what_was_asked_for_and_what_came_of_it(ledger: Ledger, clock: FrozenClock) -> None:
    assert ledger.exports.get("e1") is None
    began = iso(clock.now())
    assert begin(ledger) is True
    asked = ExportRecord("e1", "running", began, ASKED, frozenset({"a", "b"}), 0, "", "")
    assert ledger.exports.get("e1") == asked

    ledger.exports.ready(asked, "exports/e1.csv", 12)
    assert ledger.exports.get("e1") == asked._replace(state="ready", key="exports/e1.csv", rows=12)
    # and an end that comes late does not undo it, nor does asking again
    ledger.exports.failed("e1", "late")
    assert begin(ledger) is False
    clock.advance(7 * HOUR)
    assert begin(ledger) is False
    assert state(ledger) == "ready"

    clock.advance(7 * DAY - 7 * HOUR)
    assert ledger.exports.get("e1") is None
    assert begin(ledger) is True


def test_one_that_failed_begins_anew(ledger: Ledger) -> None:
    begin(ledger)
    ledger.exports.failed("e1", "too large")
    found = ledger.exports.get("e1")
    assert found is not None
    assert (found.state, found.reason) == ("failed", "too large")

    assert begin(ledger) is True
    assert state(ledger) == "running"


def test_one_that_runs_is_given_up_in_the_sixth_hour(ledger: Ledger, clock: FrozenClock) -> None:
    begin(ledger)
    clock.advance(6 * HOUR - 1)
    assert begin(ledger) is False
    assert state(ledger) == "running"

    clock.advance(1)
    found = ledger.exports.get("e1")
    assert found is not None
    assert (found.state, found.reason) == ("failed", "it did not end in time; ask for it again")
    assert begin(ledger) is True
    assert state(ledger) == "running"


def test_an_end_of_an_export_that_there_is_not_stores_nothing(ledger: Ledger) -> None:
    ledger.exports.ready(ExportRecord("e1", "running", "", ASKED, frozenset(), 0, "", ""), "exports/e1.csv", 12)
    ledger.exports.failed("e1", "late")

    assert list(Row.query("export#e1")) == []
    assert begin(ledger) is True


def test_the_file_of_an_earlier_asking_is_not_that_of_the_next(ledger: Ledger, clock: FrozenClock) -> None:
    begin(ledger)
    first = ledger.exports.get("e1")
    assert first is not None
    ledger.exports.failed("e1", "late")
    clock.advance(1)
    begin(ledger)

    ledger.exports.ready(first, "exports/e1.csv", 12)
    assert state(ledger) == "running"
