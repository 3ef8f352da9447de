"""Functions as Lambda loads them: their folder on the path, their environment set."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"
_ROUTES: dict[str, dict[str, ModuleType]] = {}
"""The modules of functions that were loaded before, by function."""


@contextmanager
def loaded(name: str, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """`functions/<name>/app.py` with these variables; it never sleeps. Its own modules (`routes`), which hold nothing
    of an app, are put aside afterwards, for the next test that loads this function: making them takes longer than most
    tests.
    """
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    sys.modules.update(_ROUTES.get(name, {}))
    sys.path.insert(0, str(FUNCTIONS / name))
    try:
        spec = importlib.util.spec_from_file_location(f"function_{name}", FUNCTIONS / name / "app.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.app.sleep = lambda _seconds: None
        yield module
    finally:
        sys.path.remove(str(FUNCTIONS / name))
        ours = [module for module in sys.modules if module.split(".")[0] == "routes"]
        _ROUTES[name] = {module: sys.modules.pop(module) for module in ours}
