"""Pytest's part: a plugin that measures what each test covers, and one process that runs tests until one fails.

The measuring process is warm: everything is imported and its caches are full. A mutant inside a function runs in a fork
of it, where every function that has the mutated code gets the new one. A mutant of a class body, a default, a decorator
or a constant acts when it is imported: it gets a process that has imported neither adweir nor a test yet.
"""

from __future__ import annotations

import functools
import gc
import sys
import time
import types
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import Any

import coverage
import pytest

from ops.mutants import children
from ops.mutants.mutants import Mutant

PROFILE = "mutants"
SURVIVED = ""
_Cache = type(functools.cache(len))


class NothingFollows(pytest.Item):
    """What comes after the last test: it shares nothing with it, so that only the session's fixtures stay."""

    def runtest(self) -> None:
        raise NotImplementedError


@dataclass
class Measured:
    """What the unchanged code's run showed. `tests[file][line]`: those that run the line; CPU seconds by test."""

    seconds: dict[str, float] = field(default_factory=dict)
    tests: dict[str, dict[int, list[str]]] = field(default_factory=dict)

    def covering(self, mutant: Mutant, file: Path, test_files: Container[str] = ()) -> set[str]:
        """The tests that run the mutated statement; for a cold mutant all of `test_files`.

        What a class body or a default makes may be used by code that no file has: a dataclass's `__init__`.
        """
        if not mutant.warm:
            return {test for test in self.seconds if test.partition("::")[0] in test_files}
        lines = self.tests.get(str(file), {})
        return {test for line in range(mutant.first, mutant.last + 1) for test in lines.get(line, ())}


class _Runner:
    """Runs tests one by one in this process. Hypothesis takes the same examples each time and shrinks nothing."""

    def __init__(self) -> None:
        self.failed = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self) -> None:
        from hypothesis import HealthCheck, Phase, settings  # noqa: PLC0415 - pytest's plugin wants to import it first

        settings.register_profile(
            PROFILE,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        session.config.pluginmanager.unregister(name="terminalreporter")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed

    def run(self, items: Sequence[pytest.Item], seconds: dict[str, float]) -> str:
        """The first test that fails, SURVIVED when none does. Each has ten times the time that it usually takes."""
        after = [*items[1:], NothingFollows.from_parent(items[0].session, name="nothing")] if items else []
        for item, following in zip(items, after, strict=True):
            usual = seconds.get(item.nodeid, 1.0)
            children.limit(cpu=3 + 10 * usual, wall=60 + 40 * usual)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                return item.nodeid
        return SURVIVED


class WarmSession(_Runner):
    """Measures all tests, then tries mutants. `ended` is told what became of each."""

    def __init__(self, mutants: Sequence[Mutant], files: Sequence[Path], at_once: int) -> None:
        super().__init__()
        self.measured = Measured()
        self.broken: list[str] = []
        self.results: list[children.Ended] = []
        self._mutants = mutants
        self._files = files
        self._at_once = at_once
        self._kills: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            self.broken.append("a test cannot be imported")
            return True
        live = Live({str(file) for file in self._files})
        self._measure(session.items)
        if not self.broken:
            self._try({item.nodeid: item for item in session.items}, live)
        return True

    def _measure(self, items: Sequence[pytest.Item]) -> None:
        names = sorted({str(file) for file in self._files})
        measuring = coverage.Coverage(data_file=None, config_file=False, include=names)
        after = [*items[1:], NothingFollows.from_parent(items[0].session, name="nothing")]
        measuring.start()
        for item, following in zip(items, after, strict=True):
            measuring.switch_context(item.nodeid)
            began = time.process_time()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self.measured.seconds[item.nodeid] = time.process_time() - began
            if self.failed:
                self.broken.append(item.nodeid)
                self.failed = False
        measuring.stop()
        data = measuring.get_data()
        for name in names:
            lines = data.contexts_by_lineno(name)
            self.measured.tests[name] = {line: [test for test in tests if test] for line, tests in lines.items()}

    def _try(self, items: dict[str, pytest.Item], live: Live) -> None:
        gc.freeze()
        numbers = [number for number, mutant in enumerate(self._mutants) if mutant.warm]

        def work(number: int) -> str:
            mutant, file = self._mutants[number], self._files[number]
            order = self._order(mutant, file)
            live.replace(mutant, file)
            return self.run([items[test] for test in order], self.measured.seconds)

        for ended in children.each(iter(numbers), work, self._at_once):
            key = self._mutants[ended.number].key
            self._kills[key.module, key.function][ended.answer] += 1
            self._kills[key.module,][ended.answer] += 1
            self.results.append(ended)
            show(len(self.results), len(self._mutants), ended)

    def _order(self, mutant: Mutant, file: Path) -> list[str]:
        """The tests to run: those that killed mutants of the function first, then of the file, then the fastest."""
        near = self._kills[mutant.key.module, mutant.key.function]
        return in_order(self.measured.covering(mutant, file), (near, self._kills[mutant.key.module,]), self.measured)


class ColdSession(_Runner):
    """Runs the given tests until one fails."""

    def __init__(self, order: Sequence[str], seconds: dict[str, float]) -> None:
        super().__init__()
        self.answer = "import"
        self._order = order
        self._seconds = seconds

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if not session.testsfailed:
            items = {item.nodeid: item for item in session.items}
            self.answer = self.run([items[test] for test in self._order], self._seconds)
        return True


def in_order(tests: Iterable[str], kills: Sequence[Counter[str]], measured: Measured) -> list[str]:
    """Those that kill most mutants per second come first."""

    def worth(test: str) -> tuple[float, ...]:
        seconds = measured.seconds[test]
        return (*(-killed[test] / (seconds + 0.01) for killed in kills), seconds)

    return sorted(sorted(tests), key=worth)


def import_mutated(mutant: Mutant, file: Path) -> None:
    """Have the mutant's module imported as the mutant has it."""
    sys.meta_path.insert(0, _Finder(mutant, file))


def show(done: int, of: int, ended: children.Ended) -> None:
    mark = "." if ended.answer or ended.died_of else "S"
    sys.stdout.write(mark + (f" {done}/{of}\n" if done % 100 == 0 or done == of else ""))
    sys.stdout.flush()


class _Finder(MetaPathFinder):
    def __init__(self, mutant: Mutant, file: Path) -> None:
        self._mutant = mutant
        self._file = file

    def find_spec(self, fullname: str, _path: Any, _target: Any = None) -> ModuleSpec | None:
        if fullname != self._mutant.key.module:
            return None
        loader = _Loader(fullname, str(self._file))
        loader.mutant = self._mutant
        return spec_from_file_location(fullname, self._file, loader=loader)


class _Loader(SourceFileLoader):
    mutant: Mutant

    def get_code(self, _fullname: str) -> types.CodeType:
        return compile(self.mutant.apply(), self.path, "exec")


class Live:
    """The functions of some files, and the caches of what any function of adweir may have answered."""

    def __init__(self, files: set[str]) -> None:
        gc.unfreeze()  # what is frozen is not listed
        self._functions: dict[tuple[str, str, int], list[types.FunctionType]] = defaultdict(list)
        self._caches = []
        for one in gc.get_objects():
            if isinstance(one, types.FunctionType) and one.__code__.co_filename in files:
                self._functions[_place(one.__code__)].append(one)
            elif isinstance(one, _Cache) and str(one.__module__).startswith("adweir."):
                self._caches.append(one)

    def replace(self, mutant: Mutant, file: Path) -> None:
        """Give every function that the mutant is in the mutated code. Raises LookupError where there is none."""
        codes = _codes(compile(mutant.apply(), str(file), "exec"))
        mutated = [code for code in codes if code.co_qualname == mutant.key.function]
        functions = [(function, code) for code in mutated for function in self._functions.get(_place(code), ())]
        if not functions:
            raise LookupError(f"no function {mutant.key.function} of {file}")
        for function, code in functions:
            function.__code__ = code
        for cache in self._caches:
            cache.cache_clear()


def _place(code: types.CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from _codes(constant)
