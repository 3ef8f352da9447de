"""The runner of `make contract`: it sees every kind of difference, and says why a client was not run."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from contract import __main__ as command
from contract import environments, runs
from contract.clients import CLIENTS, Client
from contract.rows import Key, Row, Value, compare, read, summed
from contract.truth import STREAMS

TRUTH = [Row(Key.of("2026-11-20", {"ad": str(ad)}), {"clicks": Decimal(ad), "spend": Decimal("1.5")}) for ad in (1, 2)]


def changed(row: Row, **values: Value) -> Row:
    return Row(row.key, {**row.values, **values})


def test_given_the_same_rows_in_another_order_then_they_are_equal() -> None:
    result = compare("s", [changed(TRUTH[1], spend=Decimal("1.50")), TRUTH[0]], TRUTH)

    assert (result.rows, result.wrong, result.examples) == (2, 0, [])


@pytest.mark.parametrize(
    ("got", "said"),
    [
        ([TRUTH[0]], "2026-11-20 ad=2: is missing"),
        ([*TRUTH, TRUTH[1]], "2026-11-20 ad=2: is there twice"),
        ([*TRUTH, Row(Key.of("", {"ad": "9"}), {})], "ad=9: is not in the truth"),
        ([TRUTH[0], changed(TRUTH[1], spend=Decimal("1.51"))], "2026-11-20 ad=2: spend 1.51 instead of 1.5"),
        ([TRUTH[0], changed(TRUTH[1], name="x")], "2026-11-20 ad=2: name x instead of absent"),
        ([], "nothing came of 2 rows"),
    ],
)
def test_given_any_difference_then_it_is_counted_and_named(got: list[Row], said: str) -> None:
    result = compare("s", got, TRUTH)

    assert result.examples == [said]
    assert result.wrong == (1 if got else len(TRUTH))


def test_given_parts_when_they_are_added_up_then_their_whole_is_compared() -> None:
    parts = [
        Row(Key.of("d", {"ad": "1", "age": age}), {"clicks": Decimal(n)}) for age, n in (("18-24", 2), ("25-34", 3))
    ]

    assert summed(parts, "age") == [Row(Key.of("d", {"ad": "1"}), {"clicks": Decimal(5)})]


def test_given_the_clients_then_each_has_a_driver_a_pinned_version_and_streams_with_a_truth() -> None:
    assert {client.script.exists() for client in CLIENTS} == {True}
    assert all(client.version for client in CLIENTS)
    assert {stream for client in CLIENTS for stream in client.streams} <= STREAMS.keys()


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A client that needs no package: it gets one account of one currency, and the runner's own Python."""
    driver = tmp_path / "toy.py"
    driver.write_text(
        "import json, sys\n"
        "job = json.load(open(sys.argv[1]))\n"
        "ids = {'account': job['profile_id']}\n"
        "row = {'stream': 'accounts', 'ids': ids, 'texts': {'currency': 'EUR'}}\n"
        "open(sys.argv[2], 'w').write(json.dumps(row))\n"
    )
    monkeypatch.setattr(runs, "interpreter", lambda *_: Path(sys.executable))
    return Client("toy", "meta_ads", str(driver), ("accounts",))


def test_given_a_client_that_gets_a_wrong_currency_when_it_is_run_then_only_that_account_differs(toy: Client) -> None:
    outcome = runs.attempt(toy, Path())

    assert outcome.failures == []
    assert outcome.rows > len(outcome.wrong) > 0
    assert all("currency EUR instead of" in text for wrong in outcome.wrong for text in wrong.examples)
    assert not outcome.ok


def test_given_a_driver_that_connects_to_another_machine_then_it_is_refused(toy: Client) -> None:
    toy.script.write_text("import socket\nsocket.create_connection(('203.0.113.1', 443), 1)\n")

    outcome = runs.attempt(toy, Path())

    assert all("is not this machine" in text for text in outcome.failures)
    assert outcome.failures


def test_given_a_driver_that_never_ends_then_it_and_what_it_started_are_ended(toy: Client, tmp_path: Path) -> None:
    started = tmp_path / "started"
    toy.script.write_text(
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(started)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(60)\n"
    )

    with runs.platforms() as server:
        failure, _ = runs.drive(toy, Path(sys.executable), server, {}, seconds=1.5)

    assert "was not done" in failure
    processes = [psutil.Process(int(pid)) for pid in started.read_text().split() if psutil.pid_exists(int(pid))]
    _, alive = psutil.wait_procs(processes, timeout=5)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


def test_given_no_client_that_can_be_installed_when_the_command_is_run_then_it_says_why_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> Path:
        raise environments.NotInstalled("Python 3.14: no matching distribution")

    monkeypatch.setattr(runs, "interpreter", refuse)

    code = command.main(["dlt"])

    said = capsys.readouterr().out
    assert code == 1
    assert "not run: Python 3.14: no matching distribution" in said
    assert "0 of 1 clients were run" in said


def test_given_what_a_driver_wrote_when_it_is_read_then_numbers_are_exact(tmp_path: Path) -> None:
    row = {"stream": "s", "date": "d", "ids": {"ad": "1"}, "metrics": {"spend": "0.10"}, "texts": {"name": "1"}}
    (tmp_path / "rows").write_text(json.dumps(row) + "\n")

    [found] = read(tmp_path / "rows")["s"]

    assert found == Row(Key.of("d", {"ad": "1"}), {"spend": Decimal("0.1"), "name": "1"})
