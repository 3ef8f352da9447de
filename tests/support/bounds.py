"""Tests of the bounds in `model/limits.py`: at the bound, and one past it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import pytest

from adweir.model import limits

Test = TypeVar("Test", bound=Callable[..., Any])


def at_the_bound(name: str, *, as_if: int = 0) -> Callable[[Test], Test]:
    """Run a test with (`size`, `fits`) at the bound and one past it.

    `as_if` replaces the bound for the test where the real one would take too long; code that keeps the bound from its
    import on, as a model's field does, does not see it.
    """
    bound = as_if or int(getattr(limits, name))
    cases = [pytest.param(bound, True, id=f"{name}-at"), pytest.param(bound + 1, False, id=f"{name}-past")]

    def decorate(test: Test) -> Test:
        marked = pytest.mark.bound(name, as_if)(test)
        decorated: Test = pytest.mark.parametrize(("size", "fits"), cases)(marked)
        return decorated

    return decorate


def refuses(error: type[Exception], *, fits: bool) -> AbstractContextManager[object]:
    """Expect the error unless the size fits."""
    return nullcontext() if fits else pytest.raises(error)
