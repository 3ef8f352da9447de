"""Change the code in thousands of small ways and see whether a test notices: `python -m ops.mutants [module …]`.

Ends with 1 when fewer than 95 % of a module's mutants are killed, or when the list of equivalent ones is outdated.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from ops.mutants.report import report
from ops.mutants.run import run
from ops.mutants.targets import GROUPS


def main(arguments: Sequence[str] | None = None) -> int:
    """The process's exit code."""
    names = [group.name for group in GROUPS]
    parser = argparse.ArgumentParser(prog="python -m ops.mutants", description=__doc__)
    parser.add_argument("module", nargs="*", metavar="module", help=f"one of {', '.join(names)}; default: all")
    parser.add_argument("--at-once", type=int, default=2, help="how many mutants run at once (2)")
    parser.add_argument("--function", default="", metavar="NAME", help="only functions whose name contains this")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.module) - set(names):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    began = time.monotonic()
    groups = [group for group in GROUPS if not asked.module or group.name in asked.module]
    outcome = run(groups, asked.at_once, asked.function)
    return report(outcome, time.monotonic() - began, sys.stdout)


if __name__ == "__main__":
    os.environ.pop("PYTEST_ADDOPTS", None)
    sys.exit(main())
