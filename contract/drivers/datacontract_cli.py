"""Runs datacontract-cli on contracts: `[[contract, folder], ...]` on standard input; its words on standard output."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys

from datacontract.data_contract import DataContract


def outcome(contract: str, folder: str) -> tuple[str, str]:
    """The result of a test of the files in a folder, and the first check that did not pass."""
    os.chdir(folder)
    with contextlib.redirect_stdout(io.StringIO()):
        run = DataContract(data_contract_file=contract, server="csv").test()
    result = getattr(run.result, "value", str(run.result))
    bad = [check for check in run.checks or () if getattr(check.result, "value", str(check.result)) != "passed"]
    return result, f"{bad[0].name}: {bad[0].reason}" if bad else ""


if __name__ == "__main__":
    print(json.dumps([outcome(*each) for each in json.load(sys.stdin)]))
