"""A whole run: all mutants of some groups, warm ones first, then those that act when they are imported."""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection

import pytest

from ops.mutants import children
from ops.mutants.mutants import Mutant, mutants_of
from ops.mutants.session import PROFILE, ColdSession, Measured, WarmSession, import_mutated, in_order, show
from ops.mutants.targets import Group, MutatedFile

_THIRD_PARTY = ("boto3", "moto.core.models", "msgspec", "pydantic", "pynamodb.models", "requests")
"""What a mutant that is imported need not import itself. Not hypothesis: pytest wants to do that."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A mutant and what became of it. `killed_by`: a test, `import`, `time` or a signal; "" when it survived."""

    mutant: Mutant
    group: str
    killed_by: str
    tests: int
    seconds: float


class TestsBrokenError(Exception):
    """Tests that fail without any mutant."""


_Listed = tuple[Group, MutatedFile, Mutant]
_Warm = tuple[Measured, list[str], list[children.Ended]]


def run(groups: Sequence[Group], at_once: int, function: str = "") -> list[Tried]:
    """Try every mutant of the functions whose name contains `function`. Raises TestsBrokenError."""
    listed = [
        (group, target, mutant)
        for group in groups
        for target in group.targets
        for mutant in mutants_of(target)
        if function in mutant.key.function
    ]
    mutants = [mutant for _, _, mutant in listed]
    files = [target.file for _, target, _ in listed]
    with tempfile.TemporaryDirectory() as scratch:
        tests = sorted({file for group in groups for file in group.test_files()})
        measured, broken, results = _warm(WarmSession(mutants, files, at_once), _arguments(tests, scratch))
        if broken:
            raise TestsBrokenError(f"fail without a mutant: {', '.join(broken)}")
        results += _cold(listed, (measured, results), _Children(at_once, scratch))
    tried = []
    for ended in sorted(results):
        group, target, mutant = listed[ended.number]
        covering = len(measured.covering(mutant, target.file, group.test_files()))
        tried.append(Tried(mutant, group.name, ended.died_of or ended.answer, covering, ended.seconds))
    return tried


def _arguments(tests: Sequence[str], scratch: str) -> list[str]:
    off = [word for name in ("randomly", "cacheprovider", "xdist", "faulthandler") for word in ("-p", f"no:{name}")]
    return [
        *off,
        "-s",
        "--no-header",
        "--no-summary",
        f"--hypothesis-profile={PROFILE}",
        f"--basetemp={scratch}/t",
        *tests,
    ]


def _warm(session: WarmSession, arguments: list[str]) -> _Warm:
    """In a process of its own, so that this one stays without adweir."""
    context = multiprocessing.get_context("fork")
    reader, writer = context.Pipe(duplex=False)

    def live(to: Connection) -> None:
        pytest.main(arguments, plugins=[session])
        to.send((session.measured, session.broken, session.results))

    process = context.Process(target=live, args=(writer,))
    process.start()
    writer.close()
    try:
        answer: _Warm = reader.recv()
    except EOFError:
        raise TestsBrokenError("the tests' process ended early") from None
    process.join()
    return answer


@dataclass(frozen=True, slots=True)
class _Children:
    at_once: int
    scratch: str


def _cold(
    listed: Sequence[_Listed], warm: tuple[Measured, list[children.Ended]], how: _Children
) -> list[children.Ended]:
    measured, results = warm
    mutants = [mutant for _, _, mutant in listed]
    kills: dict[str, Counter[str]] = defaultdict(Counter)
    for ended in results:
        kills[mutants[ended.number].key.module][ended.answer] += 1
    for name in _THIRD_PARTY:
        import_module(name)

    def work(number: int) -> str:
        group, target, mutant = listed[number]
        covering = measured.covering(mutant, target.file, group.test_files())
        order = in_order(covering, (kills[mutant.key.module],), measured)
        session = ColdSession(order, measured.seconds)
        import_mutated(mutant, target.file)
        children.limit(cpu=60, wall=600)
        tests = sorted({test.partition("::")[0] for test in order})
        pytest.main(_arguments(tests, f"{how.scratch}/{number}"), plugins=[session])
        return session.answer

    found = []
    for ended in children.each((n for n, mutant in enumerate(mutants) if not mutant.warm), work, how.at_once):
        kills[mutants[ended.number].key.module][ended.answer] += 1
        found.append(ended)
        show(len(results) + len(found), len(mutants), ended)
    sys.stdout.write("\n")
    return found
