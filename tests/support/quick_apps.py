"""What Powertools and Typer work out anew for each app, request and command, though it follows from their functions.

A Lambda works out once what a route takes and answers; nearly every test loads an app of its own, and its first request
of each route would pay for it again. `tests/unit/test_support_quick_apps.py` compares the answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import depends
from aws_lambda_powertools.event_handler.openapi import dependant
from typer import testing

from adweir.runtime import openapi
from adweir.runtime.app import App


def install(patch: pytest.MonkeyPatch) -> None:
    """Have them remember."""
    for name in ("build_dependency_tree", "get_type_hints"):
        patch.setattr(depends, name, _asked_once(getattr(depends, name)))
    patch.setattr(dependant, "get_dependant", _read_once(dependant.get_dependant))
    patch.setattr(openapi, "describe", _described_once(openapi.describe))
    patch.setattr(testing, "_get_command", cache(testing._get_command))  # type: ignore[attr-defined]


def stays(function: Any) -> bool:
    """Whether a function outlives its test: those of the rooms, and routes (`support/functions.py`)."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "<locals>")
    return str(module).partition(".")[0] in {"adweir", "routes"} and "<locals>" not in name


def _asked_once(ask: Callable[..., Any]) -> Callable[..., Any]:
    """What follows from a function's annotations."""
    known = cache(ask)
    return lambda function, **options: (known if stays(function) else ask)(function, **options)


def _read_once(read: Callable[..., Any]) -> Callable[..., Any]:
    """What a route takes and answers; for its description, which has further `responses`, it is read each time."""
    known = cache(read)

    def dependant_of(*, path: str, call: Callable[..., Any], **options: Any) -> Any:
        lasts = stays(call) and not any(options.values())
        return known(path=path, call=call) if lasts else read(path=path, call=call, **options)

    return dependant_of


def _described_once(describe: Callable[..., Any]) -> Callable[..., Any]:
    """A description, which takes a third of a second, by all that it is made of; each caller has a copy of its own."""
    known: dict[tuple[Any, ...], tuple[str, Any]] = {}

    def described(app: App, *parts: Any) -> Any:
        key = app.settings.api_title, app.clock.now().date(), tuple(app.platforms), *map(id, parts)
        if key not in known:
            known[key] = json.dumps(describe(app, *parts)), parts  # kept, so that no other object has its id
        return json.loads(known[key][0])

    return described
