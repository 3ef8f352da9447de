"""What a function imports before its first message: what only some messages need is imported with them."""

from __future__ import annotations

import subprocess
import sys

from support.template import ROOT

LATER = {"boto3", "botocore.client", "pynamodb", "routes.answers", "routes.list_answers", "adweir.platforms.base"}
ANSWERING = {"adweir.runtime.http", "aws_lambda_powertools.event_handler", "asyncio"}
"""What takes 0.05 s of a cold start, for functions that answer requests."""


def test_the_api_imports_neither_the_store_nor_what_only_its_description_needs() -> None:
    assert imported("api", "import app", LATER) == "[]"


def test_a_function_that_pulls_does_not_import_what_answers_requests() -> None:
    pulls = "import app; app.app.calls; app.app.http"

    assert imported("collect", pulls, ANSWERING) == "[]"


def imported(function: str, code: str, names: set[str]) -> str:
    """Which of `names` are imported after `code` ran as a function's own would, as Python writes a list."""
    done = subprocess.run(  # noqa: S603  ours
        [sys.executable, "-c", f"{code}; import sys; print(sorted({names!r} & set(sys.modules)))"],
        cwd=ROOT / "functions" / function,
        env={
            "PYTHONPATH": str(ROOT / "layers" / "core"),
            "PYDANTIC_DISABLE_PLUGINS": "__all__",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
