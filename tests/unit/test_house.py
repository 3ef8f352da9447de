"""The repository's rules that no linter checks: sizes, one name per class, access to the environment and to AWS."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("layers/core/adweir", "functions", "ops", "sandbox")
BESIDE = ("tests", "bench", "contract", "examples")
MOST_LINES = {"file": 450, "function": 60}
MOST_ARGUMENTS = 6


def trees(*rooms: str) -> dict[str, ast.Module]:
    return {name: tree for room in rooms for name, tree in parsed(room).items()}


@cache
def parsed(room: str) -> dict[str, ast.Module]:
    """A room's files, each read and parsed once for all tests."""
    paths = (path for path in sorted((ROOT / room).rglob("*.py")) if "__pycache__" not in path.parts)
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in paths}


@cache
def functions() -> tuple[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef], ...]:
    return tuple(
        (name, node)
        for name, tree in trees(*ROOMS, *BESIDE).items()
        for node in statements(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


@pytest.fixture(scope="module", autouse=True)
def _forgotten() -> Iterator[None]:
    """Three million nodes of trees: as long as they are there, the garbage collector takes a second to look at them."""
    yield
    for known in (functions, parsed):
        known.cache_clear()


def statements(tree: ast.Module) -> Iterator[ast.AST]:
    """All statements. Functions and classes are among them, wherever they are: no expression has one inside."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        inside = [
            each for kind in ("body", "orelse", "finalbody", "handlers", "cases") for each in getattr(node, kind, ())
        ]
        yield from inside
        waiting += inside


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_file_and_no_function_is_too_long() -> None:
    files = {name for name in trees(*ROOMS, *BESIDE) if (ROOT / name).read_text().count("\n") > MOST_LINES["file"]}
    bodies = {
        f"{name} {node.name}"
        for name, node in functions()
        if (node.end_lineno or 0) - node.lineno + 1 > MOST_LINES["function"]
    }

    assert files | bodies == set()


def test_no_function_takes_too_many_arguments() -> None:
    found = set()
    for name, node in functions():
        given = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        if len(given) - (given[:1] in (["self"], ["cls"])) > MOST_ARGUMENTS and not name.startswith(("tests", "bench")):
            found.add(f"{name} {node.name}")

    assert found == set()


def test_no_two_classes_have_one_name() -> None:
    homes = defaultdict(set)
    for name, tree in trees(*ROOMS).items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                homes[node.name].add(name)

    assert {name for name, files in homes.items() if len(files) > 1} == set()


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        name
        for name, tree in trees("layers/core/adweir", "functions").items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"})
        or (isinstance(node, ast.ImportFrom) and node.module == "os")
    }

    assert readers == {"layers/core/adweir/runtime/settings.py"}


def test_a_function_speaks_to_aws_through_the_core_only() -> None:
    speakers = {
        name
        for name, tree in trees("functions").items()
        if any(module.split(".")[0] in {"boto3", "botocore", "pynamodb"} for module in imported(tree))
    }

    assert speakers == set()


def platforms() -> list[str]:
    home = ROOT / "layers/core/adweir/platforms"
    return sorted({path.parent.name for path in home.glob("*/__init__.py")} - {"described"})


@pytest.mark.parametrize("platform", platforms())
def test_a_platform_does_not_know_another(platform: str) -> None:
    others = {f"adweir.platforms.{name}" for name in platforms()} - {f"adweir.platforms.{platform}"}
    known = {
        (name, module)
        for name, tree in trees(f"layers/core/adweir/platforms/{platform}").items()
        for module in imported(tree)
        if ".".join(module.split(".")[:3]) in others
    }

    assert known == set()
