"""`adweir`: the operator's command line. It works on the sandbox, and with `--stack` on a stack on AWS.

`SECTIONS` is the table of its verbs; `ops.frame` imports a verb's module when it is called.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from ops.errors import INTERRUPTED
from ops.frame import Adweir, Verb
from sandbox.interrupts import interrupt

SECTIONS = {
    "See": (
        Verb("health", "ops.healthy:health", "Whether all is well, and what is not"),
        Verb("runs", "ops.runs:list_runs", "What ran, and how it went"),
        Verb("run", "ops.runs:show_run", "One run: its stages, what failed and why"),
        Verb("watch", "ops.runs:watch", "How far a run comes, live"),
        Verb("logs", "ops.logs:logs", "What the functions logged, of a task or a run"),
        Verb("report", "ops.reporting:make_report", "Metrics by platform, campaign, day ..."),
        Verb("sql", "ops.sql.verb:sql", "SQL over all that is stored, by Athena"),
        Verb("export", "ops.export.verb:export", "Copy what is stored to a folder, for DuckDB and dbt"),
        Verb("quality", "ops.quality:quality", "How good the data of ad accounts is"),
        Verb("receipts", "ops.receipt_list:list_receipts", "What became of dropped files"),
        Verb("breaches", "ops.breaches:list_breaches", "What is wrong with the data of ad accounts"),
        Verb("anomalies", "ops.anomalies:anomalies", "Numbers that left their expected range"),
        Verb("agents", "ops.agents:agents", "What is known of the arms of campaigns"),
        Verb("features", "ops.features:features", "What ads and ad accounts are like, for models"),
        Verb("audit", "ops.audit:list_deeds", "What was changed, and by whom"),
        Verb("describe", "ops.apply.command:describe", "Write the deployment as a file for `apply`"),
        Verb("raw", "ops.raw:raw", "Print a stored object: a platform's answer, a receipt"),
    ),
    "Do": (
        Verb("accounts", "ops.accounts:app", "Client companies, and what is connected of each"),
        Verb("connect", "ops.connecting:connect", "Store a platform's credential, checked at once"),
        Verb("disconnect", "ops.connecting:disconnect", "Delete a platform's credential"),
        Verb("sync", "ops.syncing:sync", "Pull what is new, now"),
        Verb("etl", "ops.etl:etl", "Make media-mix datasets and coefficients, now"),
        Verb("apply", "ops.apply.command:apply", "Make the deployment what a file says"),
        Verb("backfill", "ops.backfills:backfill", "Pull days that were never pulled"),
        Verb("fire", "ops.firing:fire", "Send what a schedule would send now"),
        Verb("jobs", "ops.jobs:jobs", "Workflows that start by themselves"),
        Verb("workflows", "ops.workflows:workflows", "What runs do, stage by stage"),
        Verb("campaigns", "ops.campaigns:campaigns", "Campaigns across platforms, and their arms"),
        Verb("keys", "ops.keys:app", "API keys"),
        Verb("drop", "ops.dropping:drop", "Load a file"),
        Verb("map", "ops.mapping.verb:map_file", "Say how a file of another tool is read"),
        Verb("detect", "ops.detecting:detect", "Find the anomalies in a series of a CSV file", local=True),
        Verb("validate", "ops.validation.verb:validate", "Check a file, before it is loaded", local=True),
        Verb("mmm", "ops.mmm:app", "What each channel brought, and where a budget brings more", local=True),
        Verb(
            "contracts",
            "ops.contract_files:write_contracts",
            "Write contracts of the data that others read",
            local=True,
        ),
    ),
    "Mend": (
        Verb("redrive", "ops.runs:redrive", "Try again what failed of a run"),
        Verb("cancel", "ops.runs:cancel", "End a run with what it has"),
        Verb("dead-letters", "ops.dead_letters:app", "Messages that failed: look, send again, drop"),
        Verb("quarantine", "ops.quarantine:app", "Rows that were refused, and another try"),
        Verb("brakes", "ops.brakes:app", "What holds pulls back, and how to release it"),
        Verb("replay", "ops.replaying:replay", "Load stored answers again, without pulling"),
        Verb("reload", "ops.reloading:load_again", "Load a file or a delivery that is stored again"),
    ),
    "This machine": (
        Verb("up", "ops.machine:up", "Start the sandbox, or bring it up to date", local=True),
        Verb("down", "ops.machine:down", "Stop the sandbox", local=True),
        Verb("status", "ops.machine:status", "What of the sandbox runs, and where", local=True),
        Verb("demo", "ops.machine:demo", "Run all of it once, and compare every number", local=True),
        Verb("sam-env", "ops.machine:sam_env", "The variables that `sam local` needs", local=True),
        Verb("completion", "ops.completion:completion", "A shell's script that completes these commands", local=True),
    ),
}
"""The verbs by what they are for. A row's summary stands in `adweir --help`; the verb's own help says more."""


_OBJECTS = (50_000, 20, 50)
"""As `gc.set_threshold` takes it, and functions have it: what a command loads stays, and to look at it took a tenth of
the command's time."""


class _Root(Adweir):
    """All verbs."""

    sections = SECTIONS


app = typer.Typer(
    name="adweir",
    cls=_Root,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="adweir COMMAND --help says more of each. What to do when an alarm rings: docs/operations.md.",
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        from importlib.metadata import version

        typer.echo(f"adweir {version('adweir')}")
        raise typer.Exit


VersionOption = Annotated[
    bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.", show_default=False)
]


@app.callback(invoke_without_command=True)
def adweir(context: typer.Context, _version_wanted: VersionOption = False) -> None:  # noqa: FBT002 - a flag
    """Operate adweir: on the sandbox of this machine, or with --stack on AWS."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point. A SIGTERM ends a command like Ctrl-C: nothing half started is left behind."""
    gc.set_threshold(*_OBJECTS)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as template.yaml has it: a fit here is the fit there
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, interrupt)
    try:
        app(arguments, prog_name="adweir")
    except KeyboardInterrupt:  # once more, while the first was being heeded
        sys.exit(INTERRUPTED)
    finally:
        # After an interrupt inside an evaluated string (namedtuple, dataclass) CPython kills the process by
        # SIGINT at its end, though it was caught (unhandled_keyboard_interrupt, pythonrun.c). Another one clears that.
        exec("")  # noqa: S102


if __name__ == "__main__":
    main()
