"""Run released clients against the sandbox and compare what they got with the truth: `python -m contract [client …]`.

Ends with 1 when a client that is installed failed or got something else than the truth, or when no client was run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from contract.clients import CLIENTS, HERE
from contract.runs import Outcome, attempt

HOME = HERE.parent / ".contract"
"""The clients' environments."""
_COLUMNS = "{:<44} {:>7} {:>7} {:<10} {:>7}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The process's exit code."""
    names = [client.package for client in CLIENTS]
    parser = argparse.ArgumentParser(prog="python -m contract", description=__doc__)
    parser.add_argument("client", nargs="*", metavar="client", help=f"one of {', '.join(names)}; default: all")
    asked = parser.parse_args(arguments).client
    if unknown := set(asked) - set(names):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    print(_COLUMNS.format("client", "streams", "rows", "", "seconds"), flush=True)
    outcomes = []
    for client in CLIENTS:
        if not asked or client.package in asked:
            outcomes.append(attempt(client, HOME))
            print(_line(outcomes[-1]), flush=True)
    for outcome in outcomes:
        _explain(outcome)
    run = [outcome for outcome in outcomes if not outcome.reason]
    print(f"\n{len(run)} of {len(outcomes)} clients were run; {sum(o.ok for o in run)} got the truth.")
    return 0 if run and all(outcome.ok for outcome in run) else 1


def _line(outcome: Outcome) -> str:
    client = outcome.client
    name = f"{client.package} {client.version}"
    if outcome.reason:
        return f"{name:<44} not run: {outcome.reason}"
    verdict = "equal" if outcome.ok else "failed" if outcome.failures else "different"
    return _COLUMNS.format(name, len(client.streams), outcome.rows, verdict, f"{outcome.seconds:.1f}")


def _explain(outcome: Outcome) -> None:
    """Why a client failed, and the first rows that differ."""
    for failure in outcome.failures:
        print(f"\n{outcome.client.package}: {failure}")
    for comparison in outcome.wrong:
        print(f"\n{outcome.client.package}: {comparison.stream}: {comparison.wrong} rows differ")
        for example in comparison.examples:
            print(f"  {example}")


if __name__ == "__main__":
    sys.exit(main())
