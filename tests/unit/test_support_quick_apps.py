"""What the tests' Powertools and Typer remember is what they would work out again."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, get_type_hints

import typer
from aws_lambda_powertools.event_handler import depends
from aws_lambda_powertools.event_handler.openapi import dependant
from typer import testing

from adweir.model.times import parse_instant
from adweir.runtime import routes
from support import quick_apps


def test_what_a_function_takes_is_read_once_if_it_outlives_its_test_and_nothing_more_is_asked() -> None:
    def of_a_test() -> None: ...

    asked: list[Any] = []

    def read(**given: Any) -> list[Any]:
        asked.append(given)
        return asked[-1:]

    once = quick_apps._read_once(read)
    stays: dict[str, Any] = {"path": "/a", "call": parse_instant, "responses": None}

    # the same path and function: once
    assert once(**stays) is once(**stays)
    assert once(**stays | {"path": "/b"}) is not once(**stays)
    assert asked == [{"path": path, "call": parse_instant} for path in ("/a", "/b")]
    # further responses, a dependency, a function of this test: each time, with all that was asked
    others: list[dict[str, Any]] = [{"responses": {200: {}}}, {"is_dependency": True}, {"call": of_a_test}]
    for given in (stays | other for other in others):
        assert once(**given) is not once(**given)
        assert asked[-2:] == [given, given]


def test_annotations_are_read_as_powertools_reads_them() -> None:
    def of_a_test(here: routes.Here, limit: int) -> None: ...

    for function in (of_a_test, routes._app, of_a_test, routes._app):
        found = depends.get_type_hints(function, include_extras=True)  # type: ignore[attr-defined]
        assert found == get_type_hints(function, include_extras=True)
    trees = [depends.build_dependency_tree(of_a_test) for _ in "ab"]
    assert [[node.param_name for node in tree.dependencies] for tree in trees] == [["here"], ["here"]]
    assert depends.build_dependency_tree(routes._app).dependencies == []


def test_what_a_route_takes_is_what_powertools_says() -> None:
    found = dependant.get_dependant(path="/{text}", call=parse_instant)
    assert [field.name for field in found.path_params] == ["text"]


def test_an_app_of_commands_has_its_own_commands() -> None:
    one, other = typer.Typer(), typer.Typer()
    one.command("first")(lambda: None)
    other.command("second")(lambda: None)

    commands = testing._get_command  # type: ignore[attr-defined]
    assert [commands(app).name for app in (one, other, one)] == ["first", "second", "first"]


def test_an_api_is_described_once_for_a_title_a_day_its_platforms_and_its_routes() -> None:
    made: list[Any] = []

    def describe(app: Any, *parts: Any) -> Any:
        made.append((app, *parts))
        return {"number": len(made)}

    def an_app(title: str = "adweir", day: int = 1, platforms: str = "ab") -> Any:
        now = datetime(2026, 11, day, 12, tzinfo=UTC)
        settings, clock = SimpleNamespace(api_title=title), SimpleNamespace(now=lambda: now)
        return SimpleNamespace(settings=settings, clock=clock, platforms=dict.fromkeys(platforms))

    described = quick_apps._described_once(describe)
    routes_, others = [1], [2]
    for _ in "ab":
        apps = [an_app(), an_app("other"), an_app(day=2), an_app(platforms="ba")]
        found = [described(app, routes_, others) for app in apps] + [described(an_app(), routes_, [2])]
        assert [each["number"] for each in found[:4]] == [1, 2, 3, 4]
        found[0]["number"] = "changed by who asked"
    assert len(made) == 6  # the last one's routes were others each time
