"""`adweir`: the operator's command line. It works on the sandbox, and with `--stack` on a stack on AWS."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from adweir.model.times import Window
from adweir.pipeline.workflows import WORKFLOWS
from adweir.reporting.replays import progress
from adweir.store.catalog.keys import SCOPES
from ops import audit, brakes, breaches, quarantine
from ops.backfills import backfill
from ops.commands import (
    create_key,
    drop_key,
    fire,
    is_text,
    put_drop,
    raw_pages,
    receipt_of,
    replay_days,
    replay_of,
    stored_text,
)
from ops.contract_files import write_contracts
from ops.errors import INTERRUPTED, CommandFailed, OneLine
from ops.jobs import jobs
from ops.options import Stack, home_of, moment
from ops.receipts import lines_of
from ops.sam_local import environment_file
from ops.target import Deployment, open_target, sandbox_target
from ops.workflows import workflows
from sandbox import lifecycle
from sandbox.lifecycle import LOOPBACK, Home, Options
from sandbox.processes import interrupt

_REPLAY_SECONDS = 600
"""How long `replay` waits for the end."""
ROOT = Path(__file__).resolve().parent.parent

app = typer.Typer(
    name="adweir",
    cls=OneLine,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(jobs)
app.add_typer(quarantine.app, name="quarantine")
app.command("breaches")(breaches.list_breaches)
app.command(name="contracts")(write_contracts)
app.command()(backfill)
app.add_typer(workflows)
app.add_typer(brakes.app, name="brakes")
app.command(name="audit")(audit.list_deeds)


def days_of(text: str) -> Window:
    """`2026-11-01..2026-11-07` → the days."""
    try:
        return Window.parse(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a range of days such as 2026-11-01..2026-11-07") from None


Moment = Annotated[
    datetime | None,
    typer.Option(parser=moment, metavar="TIME", help="The scheduled time, ISO 8601; now when left out."),
]


@app.callback(invoke_without_command=True)
def adweir(
    context: typer.Context,
    home: Annotated[
        Path, typer.Option(resolve_path=True, help="Folder with the sandbox's state.", show_default=".adweir")
    ] = ROOT / ".adweir",
) -> None:
    """Operate adweir: in the sandbox on this machine, or with --stack on AWS."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)
    context.obj = Home(home)


# -- the sandbox -----------------------------------------------------------------------------------------------------


@app.command()
def up(
    context: typer.Context,
    bind: Annotated[str, typer.Option(help="0.0.0.0 lets containers reach it (sam local).")] = LOOPBACK,
    pace: Annotated[
        Literal["sandbox", "drill"], typer.Option(help="How long things take: drill has time-outs of 5 s.")
    ] = "sandbox",
    awkward: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--awkward", help="Awkward clients too: deleted ads, leads, two regions; they stay.")
    ] = False,
    audit: Annotated[  # noqa: FBT002 - a flag
        bool,
        typer.Option("--audit", help="Hold functions to their roles; AWS calls go to logs/calls.jsonl."),
    ] = False,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter of template.yaml; may be repeated."),
    ] = None,
) -> None:
    """Start the sandbox, or bring a running one up to date with the code."""
    given = dict(parameter(text) for text in parameters or [])
    home = home_of(context)
    found = lifecycle.up(home, ROOT, Options(bind, pace, awkward, audit, given), first_key)
    for line in brought_up(found):
        typer.echo(line)
    show(found.description, home)


@app.command()
def down(
    context: typer.Context,
    forget: Annotated[bool, typer.Option("--forget", help="Delete its state too.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Stop the sandbox; its state stays."""
    stopped = lifecycle.down(home_of(context), forget=forget)
    typer.echo(f"stopped: {', '.join(stopped)}" if stopped else "was not up")


@app.command()
def status(context: typer.Context) -> None:
    """Show what runs and where; exits with 1 when a part is stopped."""
    home = home_of(context)
    states = lifecycle.states(home)
    for name, state in states.items():
        typer.echo(f"  {name:10} {state}")
    if home.description.exists():
        show(home.read(), home)
    if set(states.values()) != {"running"}:
        raise typer.Exit(1)


@app.command()
def demo(
    context: typer.Context,
    keep: Annotated[bool, typer.Option("--keep", help="Leave its sandbox running, to explore.")] = False,  # noqa: FBT002
    whole: Annotated[bool, typer.Option("--all", help="Pull the whole history, not ten days.")] = False,  # noqa: FBT002
) -> None:
    """Run the whole pipeline once in its own sandbox and compare what is stored with the platforms' truth.

    Leaves a page, <home>/demo/report.html. Exits with 1 when a number differs.
    """
    from ops.demo.show import SHORT, WHOLE, demonstrate

    home = Home(home_of(context).path / "demo")
    typer.echo("Starting a sandbox of its own ...")
    lifecycle.down(home, forget=True)
    try:
        extent = WHOLE if whole else SHORT
        options = Options() if whole else Options(parameters={"HistoryDays": str(extent.days)})
        description = lifecycle.up(home, ROOT, options, first_key).description
        right = demonstrate(home, sandbox_target(description), description, extent, kept=keep)
    finally:
        if not keep:
            lifecycle.down(home)
    if not right:
        raise typer.Exit(1)


@app.command(name="sam-env")
def sam_env(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="This machine, as a container sees it.")] = "172.17.0.1",
) -> None:
    """Print the variables that `sam local invoke --env-vars` reads, for the running sandbox."""
    typer.echo(environment_file(home_of(context).read(), ROOT / "template.yaml", host))


# -- the sandbox or a stack on AWS -----------------------------------------------------------------------------------


@app.command(name="fire")
def fire_now(
    context: typer.Context,
    workflow: Annotated[
        str,
        typer.Argument(metavar="WORKFLOW", help=f"{', '.join(WORKFLOWS)} or sweep.", show_default=False),
    ],
    at: Moment = None,
    stack: Stack = "",
) -> None:
    """Send what a schedule would send now; prints the run's id."""
    if workflow not in (*WORKFLOWS, "sweep"):
        raise typer.BadParameter(f"{workflow!r} is not one of {', '.join(WORKFLOWS)}, sweep", param_hint="WORKFLOW")
    target = open_target(stack, home_of(context))
    run_id = fire(target, workflow, at or datetime.now(UTC).replace(microsecond=0))
    typer.echo(run_id or "sweep sent")


@app.command()
def key(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="What the key is for.", show_default=False)],
    scopes: Annotated[str, typer.Option(help="Comma-separated: read, write, admin.")] = "read",
    account: Annotated[list[str] | None, typer.Option(help="Limit it to this client account; repeatable.")] = None,
    days: Annotated[int, typer.Option(min=0, max=3650, help="It stops working after so many days; 0: never.")] = 0,
    stack: Stack = "",
) -> None:
    """Create an API key and print it. It is not shown again."""
    wanted = [scope.strip() for scope in scopes.split(",")]
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(SCOPES)}", param_hint="--scopes")
    typer.echo(create_key(open_target(stack, home_of(context)), name, wanted, account or (), days))


@app.command()
def drop(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV, TSV, JSON or Parquet; .gz and .zip too."),
    ],
    account: Annotated[str, typer.Option(help="The client account (acc_...); needed where there are several.")] = "",
    kind: Annotated[
        str, typer.Option("--as", metavar="SOURCE/DATA_TYPE", help="How it is read; adweir/metrics when left out.")
    ] = "",
    wait: Annotated[int, typer.Option(min=0, help="Seconds to wait for the receipt; 0 does not wait.")] = 60,
    stack: Stack = "",
) -> None:
    """Load a file and report the result; exits with 1 when nothing of it was stored."""
    target = open_target(stack, home_of(context))
    place = drop_key(target, file.name, account, kind)
    receipt = put_drop(target, place, file)
    typer.echo(f"stored {place}")
    if wait:
        for line in outcome(target, receipt, wait):
            typer.echo(line)
    else:
        typer.echo(f"its receipt will be receipts/{receipt}.json")


@app.command("map", context_settings={"allow_extra_args": True}, options_metavar="[OPTIONS] [FIELD=VALUE]...")
def map_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A file of another tool.")],
    kind: Annotated[
        str, typer.Option("--as", metavar="SOURCE[/DATA_TYPE]", help="What it is; found out when left out.")
    ] = "",
    save: Annotated[
        str,
        typer.Option(metavar="ACCOUNT", help="Ask nothing and store it: for a client account (acc_...), or for all."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Ask nothing and print JSON.")] = False,  # noqa: FBT002 - a flag
    stack: Stack = "",
) -> None:
    """Propose how a file of another tool is read, ask where it is not sure, and store that as a mapping.

    FIELD=VALUE after the file is what all its rows have, such as platform=meta_ads or profile_id=1042017731.
    """
    from ops.mapping import command

    source, _, data_type = kind.partition("/")
    proposal, rows = command.proposed(file, source, data_type)
    proposal = proposal.with_constants(command.constants_of(proposal, context.args))
    asks = not (save or as_json)
    if proposal.unsure and asks:
        typer.echo(command.table_of(proposal, rows))
        proposal = command.asked(proposal, answer_to, typer.echo)
    mapping = command.mapping_of(proposal)
    typer.echo(command.as_json(proposal, mapping) if as_json else command.table_of(proposal, rows))
    if asks and proposal.is_known:
        kind = f"{mapping.source}/{mapping.data_type}"
        typer.echo(f"nothing to store: adweir drop {shlex.quote(str(file))} --as {kind}")
    elif asks and typer.confirm("Store it?"):
        save = typer.prompt("For which client account (acc_...), or all?", default=command.ALL)
    if save:
        typer.echo(command.save(open_target(stack, home_of(context)), mapping, save), err=as_json)


@app.command()
def validate(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV, TSV, JSON or Parquet; .gz and .zip too."),
    ],
    kind: Annotated[
        str, typer.Option("--as", metavar="SOURCE/DATA_TYPE", help="What it is; found out when left out.")
    ] = "",
    schema: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Check it by this schema instead, in JSON.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Read it by this mapping, in JSON.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Check a file as loading it would, without AWS or a sandbox; exits with 1 when a row would be refused."""
    from ops.validation import command, report

    found = command.validated(file, kind, schema, mapping, datetime.now(UTC))
    typer.echo(report.as_json(found, file.name) if as_json else "\n".join(report.lines_of(found, file.name)))
    if found.refused:
        raise typer.Exit(1)


@app.command()
def replay(
    context: typer.Context,
    platform: Annotated[str, typer.Argument(help="The platform or an alias of it.", show_default=False)],
    profile: Annotated[str, typer.Argument(help="The ad account's id on its platform.", show_default=False)],
    days: Annotated[Window, typer.Option(parser=days_of, metavar="FIRST..LAST", help="The days.", show_default=False)],
    dataset: Annotated[list[str] | None, typer.Option(help="A dataset; may be repeated. All when left out.")] = None,
    stack: Stack = "",
) -> None:
    """Load an ad account's stored answers again, counted by its present options."""
    target = open_target(stack, home_of(context))
    replay_id, will = replay_days(target, platform, profile, days, dataset or [])
    for name, covered, pulls in will:
        what = "not counted" if covered is None else f"{covered} days of {pulls} pulls"
        typer.echo(f"  {name:30} {what}")
    typer.echo(f"{replay_id}: {replayed(target, replay_id, _REPLAY_SECONDS)}")


@app.command()
def raw(
    context: typer.Context,
    object_key: Annotated[
        str, typer.Argument(metavar="KEY", help="Its key: raw/..., quarantine/..., receipts/... or stream/...")
    ],
    stack: Stack = "",
) -> None:
    """Print a stored object: what a platform answered (each page's status and URL go to standard error), refused rows,
    a receipt."""
    target = open_target(stack, home_of(context))
    if is_text(object_key):
        for piece in stored_text(target, object_key):
            typer.echo(piece, nl=False)
        return
    for page in raw_pages(target, object_key):
        typer.echo(f"page {page.number}: {page.status} {page.url}", err=True)
        while piece := page.stream.read(1 << 20):
            typer.echo(piece, nl=False)
        typer.echo()


def replayed(target: Deployment, replay_id: str, seconds: float) -> str:
    """A replay's end in one line. Raises CommandFailed when an object failed or it did not end in time."""
    record = replay_of(target, replay_id, seconds)
    if record is None:
        raise CommandFailed(f"not done after {seconds:g} s; follow it at GET /api/v1/replays/{replay_id}")
    done = progress(record)
    lost = sum(one.window.length for one in record.lost)
    rest = f"; {lost} days have no stored answer any more" if lost else ""
    if done["failures"]:
        first = done["failures"][0]
        why = f"{first['object_key']}: {first['reason']}"
        raise CommandFailed(f"{done['failed']} of {done['sent']} objects failed, the first is {why}")
    return f"{done['slots_changed']:,} numbers changed, {done['loaded']} objects loaded{rest}"


def outcome(target: Deployment, name: str, seconds: float) -> Iterator[str]:
    """A drop's receipt in lines. Raises CommandFailed when nothing of it was stored or no receipt came in time."""
    receipt = receipt_of(target, name, seconds)
    if receipt is None:
        raise CommandFailed(f"no receipt after {seconds:g} s; it will be receipts/{name}.json in the bucket")
    if receipt["state"] == "rejected":
        raise CommandFailed(f"the file was rejected: {receipt['reason']}")
    if receipt["state"] == "duplicate":
        yield f"nothing changed: these bytes were loaded before ({receipt['duplicate_of']})"
        return
    yield from lines_of(receipt)
    if receipt["rows_quarantined"] and not receipt["rows_stored"]:
        raise CommandFailed("no row was stored")


# -- shared ----------------------------------------------------------------------------------------------------------


def brought_up(found: lifecycle.Up) -> Iterator[str]:
    """What `up` did, in lines."""
    if found.started:
        yield f"started: {', '.join(found.started)}"
    elif found.deployed.was_current:
        yield "was up already; code, template and settings are current"
    else:
        yield "was up already; deployed what changed"
    for name, (before, now) in found.deployed.settings.items():
        yield f"  {name} is {now or 'empty'} now, was {before or 'empty'}"
    for option in found.ignored:
        yield f"  {option} is not applied to what runs: adweir down, then adweir up {option}"


def answer_to(question: str) -> str:
    """What somebody at the terminal answers; "" for Enter alone."""
    return str(typer.prompt(question, default="", show_default=False))


def first_key(description: dict[str, Any]) -> str:
    """The key that sandbox.json names; it may do everything."""
    return create_key(sandbox_target(description), "sandbox", SCOPES)


def show(description: dict[str, Any], home: Home) -> None:
    """Where everything is."""
    typer.echo(f"  API        {description['api_url']}")
    typer.echo(f"  API docs   {description['api_url']}/docs")
    typer.echo(f"  API key    {description['api_key']}")
    typer.echo(f"  AWS        {description['aws_endpoint_url']}   (AWS_ENDPOINT_URL)")
    typer.echo(f"  platforms  {description['platforms_url']}")
    typer.echo(f"  logs       {description['logs']}")
    typer.echo(f"  all of it  {home.description}")


def parameter(text: str) -> tuple[str, str]:
    """`Name=value` of a template parameter."""
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--set")
    return name, value


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point. A SIGTERM ends a command like Ctrl-C: nothing half started is left behind."""
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
