"""A whole system in one process: what it stores is the platform's own, in memory and on disk, also after a stop."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import adweir
from adweir.library.local import LocalSystem
from adweir.model.errors import Conflict, NotReady, Unavailable, Unprocessable
from ops.local.system import System
from sandbox.aws.sqs import SentMessage
from sandbox.playground import Playground, playground
from support.local_system import quick

GOOGLE = "google_ads"
ACCOUNT_RUN = "account"
"""The pipeline that pulls least."""


class Died(BaseException):
    """The process is dead: it does nothing any more."""


@pytest.fixture(scope="module")
def made_up() -> Iterator[Playground]:
    with playground() as served:
        yield served


def connected(made_up: Playground, storage: str | Path = "memory") -> System:
    system = quick(storage, urls=made_up.urls)
    system.connect("google", company="Halden", **made_up.credential(GOOGLE))
    return system


def week() -> tuple[date, date]:
    """Days that are over in every time zone."""
    today = datetime.now(UTC).date()
    return today - timedelta(days=7), today - timedelta(days=2)


def spent(system: LocalSystem) -> Mapping[str, Decimal]:
    """What was spent on each day."""
    rows = system.report(["spend"], ["date"], week())["data"]
    return {row["date"]: row["spend"] for row in rows if row["spend"]}


def truth(made_up: Playground) -> Mapping[str, Decimal]:
    """What the platform says of each day."""
    world, found = made_up.server.outside.world, dict[str, Decimal]()
    for profile in world.companies[0].on(GOOGLE):
        for row in world.truth(profile, *week(), "account"):
            found[row["date"]] = found.get(row["date"], Decimal(0)) + Decimal(row["spend_micros"]) / 1_000_000
    return {day: spend for day, spend in found.items() if spend}


def die_at(system: System, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies at its so-manieth call of AWS from now on; no later one is made."""
    app, calls = system._here.app, count(1)
    answer = app.answer

    def mortal(service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        if next(calls) >= number:
            raise Died
        return answer(service, operation, params)

    for client in (app.s3, app.sqs, system._here._dynamodb):
        monkeypatch.setattr(client, "_answer", mortal)


def test_given_a_sync_in_memory_then_every_day_is_the_platforms_own_and_the_system_is_healthy(
    made_up: Playground,
) -> None:
    with connected(made_up) as system:
        run = system.sync(platforms=["google"])

        assert (run["state"], run["tasks_failed"]) == ("succeeded", 0)
        assert spent(system) == truth(made_up) != {}
        assert system.health()["status"] == "healthy"
        assert {one["platform"] for one in system.ad_accounts()} == {GOOGLE}
        assert "spend" in system.report(["spend"], ["date"], week(), format="csv")


def test_given_a_folder_when_it_is_opened_again_then_all_is_there_but_secrets(
    made_up: Playground, tmp_path: Path
) -> None:
    # given
    folder = tmp_path / "kept"
    with connected(made_up, folder) as system:
        run = system.run(ACCOUNT_RUN)
        stored = spent(system)

    # when
    with quick(folder, urls=made_up.urls) as again:
        # then
        assert stored == spent(again) == truth(made_up)
        assert [one["run_id"] for one in again.runs()] == [run["run_id"]]
        with pytest.raises(Unprocessable, match=r"keeps no secrets: call `connect` again for google_ads \(default\)"):
            again.run(ACCOUNT_RUN)
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"Halden" in kept
    assert not [
        name
        for name, value in made_up.credential(GOOGLE).items()
        if name != "login_customer_id" and value.encode() in kept
    ]


@pytest.mark.parametrize("number", [12, 150])
def test_given_a_process_that_dies_amid_a_run_when_the_folder_is_opened_again_then_the_run_goes_on_to_the_same_numbers(
    number: int, made_up: Playground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    folder = tmp_path / "kept"
    system = connected(made_up, folder)
    with monkeypatch.context() as patched:
        die_at(system, number, patched)
        with pytest.raises(Died):
            system.run(ACCOUNT_RUN)
    system.close()

    # when
    with connected(made_up, folder) as again:
        begun = again._here.app.clock.now()
        (run,) = again.resume()
        seconds = (again._here.app.clock.now() - begun).total_seconds()

        # then
        assert run["state"] == "succeeded"
        assert spent(again) == truth(made_up)
        assert seconds < 150, "what the dead process held is free"
        assert len(again.runs()) == 1


@pytest.mark.parametrize("storage", ["memory", "folder"])
def test_given_an_interrupt_as_a_message_is_taken_when_the_run_is_resumed_then_nothing_waits_for_it(
    storage: str, made_up: Playground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connected(made_up, storage if storage == "memory" else tmp_path / storage) as system:
        # given
        sqs, taken = system._here.sqs, count(1)
        take = sqs.take

        def interrupted(sent: SentMessage, seconds: float) -> None:
            take(sent, seconds)
            if next(taken) == 3:
                raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(sqs, "take", interrupted)
            with pytest.raises(KeyboardInterrupt):
                system.run(ACCOUNT_RUN)

        # when
        begun = system._here.app.clock.now()
        (run,) = system.resume()

        # then
        assert run["state"] == "succeeded"
        assert spent(system) == truth(made_up)
        assert (system._here.app.clock.now() - begun).total_seconds() < 150


def test_given_objects_that_can_be_loaded_when_they_arrive_then_they_are_sent_to_be_loaded(made_up: Playground) -> None:
    kinds = ("raw", "webhooks", "drops", "stream")

    with quick("memory", urls=made_up.urls) as system, system._here.in_place() as app:
        for kind in (*kinds, "exports"):
            app.raw.put(f"{kind}/x", b"")

        sent = system._here.sqs.queues["landing"].messages
        assert [json.loads(each.body)["key"] for each in sent] == [f"{kind}/x" for kind in kinds]


def test_given_a_folder_that_is_open_or_anothers_when_it_is_opened_then_the_error_says_so(
    made_up: Playground, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    with (
        quick(tmp_path / "kept", urls=made_up.urls),
        pytest.raises(Conflict, match="is open already: close the system that has it"),
    ):
        quick(tmp_path / "kept", urls=made_up.urls)
    with pytest.raises(Unprocessable, match="has other files in it"):
        quick(tmp_path, urls=made_up.urls)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["notes.txt"]


def test_given_little_patience_when_it_ends_then_the_run_stays_open_and_resume_goes_on(made_up: Playground) -> None:
    with connected(made_up) as system:
        with pytest.raises(NotReady, match="`resume` goes on with it"):
            system.run(ACCOUNT_RUN, patience=0)

        (run,) = system.resume()

        assert run["state"] == "succeeded"
        assert system.resume() == []


def test_given_a_run_that_was_left_for_a_day_when_it_is_resumed_then_it_ends_and_the_next_one_brings_the_rest(
    made_up: Playground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = connected(made_up, tmp_path / "kept")
    with monkeypatch.context() as patched:
        die_at(system, 150, patched)
        with pytest.raises(Died):
            system.run(ACCOUNT_RUN)
    system.close()

    with quick(tmp_path / "kept", urls=made_up.urls, later=86_400) as again:
        again.connect(GOOGLE, company="Halden", **made_up.credential(GOOGLE))
        (left,) = again.resume()
        run = again.run(ACCOUNT_RUN)

        assert left["state"] in {"failed", "partial"}
        assert run["state"] == "succeeded"
        assert spent(again) == truth(made_up)


def test_given_a_fault_of_ours_when_it_comes_again_and_again_then_the_error_names_it_and_resume_mends_the_run(
    made_up: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a planted fault")

    with connected(made_up) as system:
        with monkeypatch.context() as patched:
            patched.setattr(type(system._here.app.loader), "load", broken)
            with pytest.raises(Unavailable, match=r"queue landing failed 5 times.*a planted fault; `resume`"):
                system.run(ACCOUNT_RUN)
        system._here.__dict__.pop("_consumers")  # it was made with the broken one

        (run,) = system.resume()

        assert run["state"] == "succeeded"
        assert spent(system) == truth(made_up)


def test_given_what_cannot_be_meant_when_a_system_is_opened_then_the_error_names_it(made_up: Playground) -> None:
    with pytest.raises(Unprocessable, match="history_days is from 1 to"):
        quick("memory", urls={}, history_days=0)
    with pytest.raises(Unprocessable, match="facebok"):
        quick("memory", urls={"facebok": {"api": "http://127.0.0.1:1"}})
    with pytest.raises(Unprocessable, match="google_ads has no URL apy"):
        quick("memory", urls={"google": {"apy": "http://127.0.0.1:1"}})
    with connected(made_up) as system, pytest.raises(Unprocessable, match="no tiktok_ads is connected"):
        system.run(ACCOUNT_RUN, platforms=["tiktok"])


def test_given_a_workflow_of_ones_own_then_it_runs_and_what_cannot_run_is_refused(made_up: Playground) -> None:
    own = adweir.Workflow.build("mine").stage("accounts", "pull", datasets=["profiles"]).form()

    with quick("memory", urls=made_up.urls) as system:
        with pytest.raises(Unprocessable, match="call `connect` first"):
            system.run(own)
        with pytest.raises(Unprocessable, match="the platform refuses the credential"):
            system.connect(GOOGLE, **{**made_up.credential(GOOGLE), "refresh_token": "1//of-nobody"})
        system.connect(GOOGLE, **made_up.credential(GOOGLE))
        with pytest.raises(Unprocessable, match="unknown workflow"):
            system.run("nightly")
        with pytest.raises(Unprocessable, match="kind"):
            system.run({"name": "mine", "stages": [{"name": "accounts", "kind": "guess"}]})
        assert system.run(own)["state"] == "succeeded"
    with pytest.raises(Conflict, match="is closed"):
        system.runs()
