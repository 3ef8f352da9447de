"""What a function imports before its first message: what only some messages need is imported with them."""

from __future__ import annotations

import subprocess
import sys

from support.template import ROOT

LATER = {"boto3", "botocore.client", "pynamodb", "routes.answers", "routes.list_answers", "adweir.platforms.base"}


def test_the_api_imports_neither_the_store_nor_what_only_its_description_needs() -> None:
    code = f"import sys; import app; print(sorted({LATER!r} & set(sys.modules)))"

    done = subprocess.run(  # noqa: S603  ours
        [sys.executable, "-c", code],
        cwd=ROOT / "functions" / "api",
        env={"PYTHONPATH": str(ROOT / "layers" / "core"), "PYDANTIC_DISABLE_PLUGINS": "__all__"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "[]\n"
