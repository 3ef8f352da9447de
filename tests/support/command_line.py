"""`adweir` in the process of a test, on a system that the test made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ops import cli

Run = Callable[..., Result]


def commands_on(target: Any, patch: pytest.MonkeyPatch, group: str = "") -> Run:
    """Runs commands (those of a `group`, if one is named) and asserts their exit code, 0 unless `expect` says another.

    `target` stands for `ops.target.Deployment`: its `app()` is called.
    """
    patch.setattr("ops.target.open_target", lambda _where: target)

    def run(*arguments: str, expect: int = 0) -> Result:
        done = CliRunner().invoke(cli.app, [*group.split(), *arguments])
        assert done.exit_code == expect, done.output
        return done

    return run
