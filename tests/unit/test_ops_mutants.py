"""Mutation testing: which changes are made, what counts, and that the list of equivalent ones is up to date."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from ops.mutants import equivalent, report
from ops.mutants.mutants import mutants_of
from ops.mutants.run import Tried
from ops.mutants.targets import GROUPS, MutatedFile


def changes(folder: Path, code: str, *, conditions: bool = False) -> list[str]:
    """What becomes of the lines of some code."""
    (folder / "code.py").write_text(code)
    return [mutant.key.becomes for mutant in mutants_of(MutatedFile(str(folder / "code.py"), conditions=conditions))]


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("if a < b: pass", ["if a <= b:", "if a >= b:"]),
        ("if a is b: pass", ["if a is not b:"]),
        ("if a: pass", ["if not a:"]),
        ("if not a: pass", ["if a:"]),
        ("if a and b and c: pass", ["if (a or b) and c:", "if a and b or c:"]),
        ("f(x.a.exists() & y)", ["f(x.a.exists() | y)", "f(x.a.exists())", "f(y)", "f(x.a.does_not_exist() & y)"]),
        ("self._put(row, y)", ["self._put(row, None)"]),
        ("item.save(condition=y)", ["item.save(condition=None)"]),
        ("if a > 1: b = 2", ["if a >= 1:", "if a <= 1:", "if a > 2:"]),
        ("return True", ["return False"]),
    ],
)
def test_what_decides_is_changed(tmp_path: Path, line: str, becomes: list[str]) -> None:
    assert changes(tmp_path, f"def of():\n    {line}\n", conditions=True) == becomes


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("a + 1", ["a - 1", "a + 2"]),
        ("a += b", ["a -= b", "a = b"]),
        ("return a", ["return None"]),
        ("a = b", ["a = None"]),
        ("a = None", ["a = ''"]),
        ("a = 'Ab'", ["a = None", "a = 'XXAbXX'", "a = 'AB'", "a = 'ab'"]),
        ("f(a, k=1)", ["pass", "f(None, k=1)", "f(k=1)", "f(a, k=None)", "f(a)", "f(a, k=2)"]),
        ("a.min()", ["pass", "a.max()"]),
        ("del a", ["pass"]),
        ("raise A", ["pass"]),
        ("lambda: 1", ["lambda: None", "lambda: 2"]),
    ],
)
def test_what_computes_is_changed(tmp_path: Path, line: str, becomes: list[str]) -> None:
    assert changes(tmp_path, f"def of():\n    {line}\n") == becomes


def test_texts_of_messages_and_logs_and_what_only_types_need_are_left_out(tmp_path: Path) -> None:
    code = '''
"""About."""
Raw = dict[str, int]
_T = TypeVar("_T", bound=int)
if TYPE_CHECKING:
    a = 1


def of(a: int = None) -> int:
    """Says what."""
    log.warning("it is %s", a)
    raise Wrong(f"{a} is wrong", "much too much")
'''

    assert changes(tmp_path, code) == ["pass"]


def test_a_line_that_changes_is_looked_at_again(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("def of(a):\n    return a > 1\n")
    target = MutatedFile(str(tmp_path / "code.py"))
    listed = [mutant.key for mutant in mutants_of(target)]

    (tmp_path / "code.py").write_text("def of(a):\n\n    return a > 1  # the same\n")
    assert equivalent.outdated(listed, [mutant.key for mutant in mutants_of(target)]) == []

    (tmp_path / "code.py").write_text("def of(a):\n    return a > 2\n")
    assert equivalent.outdated(listed, [mutant.key for mutant in mutants_of(target)]) == sorted(listed)


def test_every_mutant_listed_as_equivalent_is_one_of_the_code_as_it_is() -> None:
    known = [mutant.key for group in GROUPS for target in group.targets for mutant in mutants_of(target)]

    assert equivalent.outdated(equivalent.read(), known) == []
    assert all(group.test_files() for group in GROUPS)


@pytest.mark.parametrize(("survived", "code"), [(2, 0), (3, 1)])
def test_fewer_than_95_of_a_hundred_killed_is_a_failure(
    tmp_path: Path, survived: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "code.py").write_text("def of(a):\n" + "    a > 1\n" * 2)
    mutants = mutants_of(MutatedFile(str(tmp_path / "code.py")))
    assert [mutant.key.number for mutant in mutants] == [1, 1, 1, 2, 2, 2]
    listed = mutants[0].key
    monkeypatch.setattr(equivalent, "read", lambda: {listed: "nobody can tell"})
    tried = [Tried(mutant, "code", "test_it", 1, 0.1) for mutant in mutants[1:] * 8]
    tried = [one if number >= survived else Tried(one.mutant, "code", "", 1, 0.1) for number, one in enumerate(tried)]
    shown = io.StringIO()

    assert report.report([Tried(mutants[0], "code", "", 3, 0.1), *tried], 60.0, shown) == code
    row = shown.getvalue().splitlines()[-3].split()
    assert row[:5] == ["all", "41", str(40 - survived), str(survived), "1"]


def test_a_mutant_that_is_listed_as_equivalent_but_killed_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "code.py").write_text("def of(a):\n    return a > 1\n")
    mutants = mutants_of(MutatedFile(str(tmp_path / "code.py")))
    monkeypatch.setattr(equivalent, "read", lambda: {mutants[0].key: "nobody can tell"})

    assert report.report([Tried(mutant, "code", "test_it", 1, 0.1) for mutant in mutants], 60.0, io.StringIO()) == 1
