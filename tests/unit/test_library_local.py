"""adweir.local: found through the tooling's entry point, with a clear error where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

import adweir
from adweir.model.errors import NotFound
from ops.local import open_system
from support.local_system import found


def test_given_no_tooling_when_a_system_is_opened_then_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adweir.library.local.entry_points", lambda group: ())

    with pytest.raises(NotFound, match=r"comes with adweir's tooling.*pip install"):
        adweir.local()


def test_the_package_names_what_opens_a_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    with found(tmp_path, monkeypatch):
        monkeypatch.setattr("ops.local.open_system", lambda *given, **more: asked.append((given, more)))
        adweir.local("somewhere", history_days=3)

    assert asked == [(("somewhere",), {"urls": {}, "history_days": 3})]
    assert callable(open_system)
