"""MiniStack behind a faster HTTP server. Run by file name in place of `-m ministack` (sandbox/ministack.py).

MiniStack answers every request in one thread of one process, so its time per request is the sandbox's pace. With
hypercorn, its own server, HTTP alone takes 0.7 ms of a request; uvicorn with httptools and uvloop takes 0.3 ms. And
MiniStack checks an expression anew for each item that it compares, and works out each number's size and canonical form
wherever it stands: here these are worked out once for each expression and for each number.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any

import uvicorn
from ministack.app import app
from ministack.services import dynamodb

_NUMBERS = 100_000
_EXPRESSIONS = 1000
_DRAIN_SECONDS = 3
"""How long requests that are being answered may go on after SIGTERM."""


def remember() -> None:
    """Have MiniStack's DynamoDB remember what depends on a number's text or an expression's text alone."""
    for name in ("_number_error", "_number_size_bytes", "_ddb_canonicalize_number"):
        setattr(dynamodb, name, _of_text(getattr(dynamodb, name)))
    dynamodb._evaluate_condition = _checked_once(dynamodb._evaluate_condition)  # noqa: SLF001


def _of_text(work_out: Callable[[Any], Any]) -> Callable[[Any], Any]:
    known = lru_cache(_NUMBERS)(work_out)
    return lambda given: known(given) if type(given) is str else work_out(given)


def _checked_once(evaluate: Callable[..., bool]) -> Callable[..., bool]:
    """`evaluate`, which splits and checks an expression that was right before no second time.

    The bounds of a BETWEEN are checked with the values that come with it: such an expression is not remembered.
    """
    right: dict[tuple[str, str], Any] = {}

    def evaluated(
        expression: str, item: Any, values: Any, names: Any, slot: str = "ConditionExpression", **named: Any
    ) -> bool:
        tokens = right.get((expression, slot))
        if tokens is not None:
            with suppress(Exception):  # what is wrong with the values is said below
                return bool(dynamodb._ExprEval(tokens, item, values, names).evaluate())  # noqa: SLF001
        found = evaluate(expression, item, values, names, slot, **named)
        if expression and "BETWEEN" not in expression.upper() and len(right) < _EXPRESSIONS:
            right[expression, slot] = dynamodb._tokenize(expression)  # noqa: SLF001
        return found

    return evaluated


def main() -> None:
    """Serve until SIGTERM, then write the state."""
    remember()
    uvicorn.run(
        app,
        host=os.environ["BIND_HOST"],
        port=int(os.environ["GATEWAY_PORT"]),
        http="httptools",
        loop="uvloop",
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )


if __name__ == "__main__":
    main()
