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


@contextmanager
def loaded(name: str, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """`functions/<name>/app.py` with these variables; its own modules (`routes`) are forgotten afterwards."""
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    before = set(sys.modules)
    sys.path.insert(0, str(FUNCTIONS / name))
    try:
        spec = importlib.util.spec_from_file_location(f"function_{name}", FUNCTIONS / name / "app.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(FUNCTIONS / name))
        for added in set(sys.modules) - before:
            if added.split(".")[0] == "routes":
                del sys.modules[added]
