"""The sandbox of this machine: start it, stop it, look at it, and the demonstration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import typer

from adweir.store.catalog.keys import SCOPES
from ops.commands import create_key
from ops.options import home_of
from ops.sam_local import environment_file
from ops.target import sandbox_target
from ops.where import ROOT
from sandbox import lifecycle
from sandbox.home import Home, states_of
from sandbox.lifecycle import LOOPBACK, Options


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


def down(
    context: typer.Context,
    forget: Annotated[bool, typer.Option("--forget", help="Delete its state too.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Stop the sandbox; its state stays."""
    stopped = lifecycle.down(home_of(context), forget=forget)
    typer.echo(f"stopped: {', '.join(stopped)}" if stopped else "was not up")


def status(context: typer.Context) -> None:
    """Show what runs and where; exits with 1 when a part is stopped."""
    home = home_of(context)
    states = states_of(home)
    for name, state in states.items():
        typer.echo(f"  {name:10} {state}")
    if home.description.exists():
        show(home.read(), home)
    if set(states.values()) != {"running"}:
        raise typer.Exit(1)


def demo(
    context: typer.Context,
    keep: Annotated[bool, typer.Option("--keep", help="Leave its sandbox running, to explore.")] = False,  # noqa: FBT002
    whole: Annotated[bool, typer.Option("--all", help="Pull the whole history, not ten days.")] = False,  # noqa: FBT002
) -> None:
    """Run the whole pipeline once in its own sandbox and compare what is stored with the platforms' truth.

    Leaves a page, <home>/demo/report.html. Exits with 1 when a number differs.
    """
    from ops.demo.show import SHORT, WHOLE, demonstrate  # the charts' packages take a second

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


def sam_env(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="This machine, as a container sees it.")] = "172.17.0.1",
) -> None:
    """Print the variables that `sam local invoke --env-vars` reads, for the running sandbox."""
    typer.echo(environment_file(home_of(context).read(), ROOT / "template.yaml", host))


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


def first_key(description: dict[str, Any]) -> str:
    """The key that sandbox.json names; it may do everything."""
    _, plain = create_key(sandbox_target(description), "sandbox", SCOPES)
    return plain


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
