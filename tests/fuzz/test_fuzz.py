"""The short form of `make fuzz`, and that it finds what it looks for."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adweir.intake.doors import receiver
from adweir.intake.doors.signatures import Signed
from adweir.model.errors import BadInput
from adweir.platforms.google_ads import webhook
from adweir.platforms.webhooks import Told
from fuzz import damage, failures, running
from fuzz.documents import Document, leaves, mutated
from fuzz.running import Broken, Case, run
from fuzz.targets import WEIGHTS, made
from fuzz.targets.doors import NOW, Doors

INPUTS = 900
"""Of all targets together, by their weights: about four seconds."""


class Fed:
    """A target that does with each input what a test says."""

    name = "fed"
    most_memory = 1 << 20

    def __init__(self, check: Callable[[Case], str]) -> None:
        self.check = check

    def make(self, rng: Random) -> Case:
        return {"number": str(rng.randrange(10)).encode()}

    def close(self) -> None:
        """Nothing was changed."""


@pytest.fixture
def doors() -> Iterator[Doors]:
    target = Doors()
    yield target
    target.close()


@pytest.mark.parametrize("name", WEIGHTS)
def test_mutated_inputs_break_no_rule(name: str) -> None:
    target = made(name)
    try:
        result = run(target, "short", range(max(60, INPUTS * WEIGHTS[name] // 100)))
    finally:
        target.close()

    assert [(each.place, each.number, each.reason) for each in result.failures.values()] == []
    assert len(result.outcomes) > 2, "inputs that all end alike test little"


def test_the_same_seed_gives_the_same_inputs_whatever_was_fed_before(doors: Doors) -> None:
    def inputs(seed: str) -> list[Case]:
        return [doors.make(Random(f"{seed} {number}")) for number in range(5)]

    assert inputs("a") == inputs("a")
    assert inputs("a") != inputs("b")


def test_given_a_door_that_checks_no_signature_when_fed_then_it_is_found(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "verify", lambda headers, *_: Signed("m", NOW))

    result = run(doors, "planted", range(300))

    assert any("no secret signs" in failure.reason for failure in result.failures.values())


def test_given_a_door_that_stores_before_it_checks_when_fed_then_it_is_found(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(*_: object) -> None:
        doors._raw.stored["x"] = b"x"
        raise BadInput("no push")

    monkeypatch.setattr(receiver, "read_push", careless)

    result = run(doors, "planted", range(300))

    assert any("is stored" in failure.reason for failure in result.failures.values())


def test_given_an_exception_that_nobody_expects_when_fed_then_it_is_found(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "read_push", lambda *_: 1 / 0)

    result = run(doors, "planted", range(300))

    assert any(place.startswith("ZeroDivisionError") for place in result.failures)


def test_two_targets_in_one_process_have_an_aws_of_their_own() -> None:
    api, runs = made("api"), made("runs")
    try:
        for each in (runs, api):  # the one that was made first is fed last
            result = run(each, "both", range(40))
            assert result.failures == {}
            assert each._cloud.writes == []  # type: ignore[attr-defined]  # both have one
        started = run(runs, "both", range(40)).outcomes
    finally:
        runs.close()
        api.close()
    assert started["worked on"] > 0


def test_failures_of_one_place_are_kept_once_and_counted() -> None:
    def check(case: Case) -> str:
        if case["number"] == b"7":
            raise KeyError("seven")
        return "fine"

    result = run(Fed(check), "seed", range(200))

    (failure,) = result.failures.values()
    assert failure.case == {"number": b"7"}
    assert result.failed[failure.place] + result.outcomes["fine"] == 200


@pytest.mark.parametrize(
    ("check", "traced", "reason"),
    [
        (lambda _: f"{len(bytearray(3 << 20))}", True, "takes 3 MiB"),
        (lambda _: str(sum(range(10_000_000))), False, r"takes \d+\.\d s"),
    ],
)
def test_an_input_that_takes_too_much_is_a_failure(
    check: Callable[[Case], str], traced: bool, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MOST_SECONDS", 0.01)
    with pytest.raises(Broken, match=reason):
        running.judged(Fed(check), {"number": b"1"}, trace=traced)


def test_a_failure_can_be_fed_again_from_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = {"event": json.dumps(_unsigned()).encode()}
    failure = running.Failure("doors", 3, "place", "reason", case)

    file = failures.write(tmp_path / "new", failure, "seed")

    assert failures.replay(file) == 0
    assert "401" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "function"), [("doors", "webhooks"), ("runs", "orchestrate")])
def test_a_fed_function_leaves_the_process_as_it_found_it(name: str, function: str) -> None:
    environment, logger = dict(os.environ), logging.getLogger(function)
    made(name).close()  # Powertools configures the logger of a service once per process
    handlers = list(logger.handlers)

    made(name).close()

    assert (dict(os.environ), logger.handlers) == (environment, handlers)


def test_given_a_door_that_keeps_the_key_of_lead_forms_when_fed_then_it_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parse = webhook.HOOKS.parse

    def keeping(body: bytes) -> Told:
        told = parse(body)
        return told._replace(personal=body) if told.personal else told

    monkeypatch.setattr(webhook.HOOKS, "parse", keeping)
    target = made("told")

    result = run(target, "planted", range(60))
    target.close()

    assert any("the key of the forms is stored" in failure.reason for failure in result.failures.values())


def _unsigned() -> dict[str, Any]:
    path = "/webhook/meta"
    http = {"method": "POST", "path": path}
    event = {"rawPath": path, "headers": {}, "requestContext": {"http": http, "stage": "$default"}}
    return event | {"body": "{}", "isBase64Encoded": False}


def test_a_structural_change_stays_within_its_place(rng: Random) -> None:
    document = Document.of({"data": [{"a": 1}, {"b": ["x", {}]}, {"c": None}], "next": "n"})
    before, _, after = document.text.partition(b'{"b":["x",{}]}')

    for _ in range(300):
        text = mutated(document, rng, within=("data", 1))
        assert text.startswith(before)
        assert text.endswith(after)


def test_every_value_of_a_document_has_its_place() -> None:
    document = Document.of(b' {"a" : [1, "x,\\"]", -2.5e3], "b":{ } } ')

    assert [document.text[place.start : place.end] for place in leaves(document)] == [b"1", b'"x,\\"]"', b"-2.5e3"]
    assert document.at(("a", 1)).path == ("a", 1)
    assert document.text[slice(*document.at(("b",)).item)] == b'"b":{ }'


def test_damage_changes_nearly_every_input(rng: Random) -> None:
    data = b'{"a":[1,2,3]}' * 20

    assert sum(damage.damaged(data, rng) != data for _ in range(200)) > 190
