"""Options that several commands take, and what they choose. It imports the product only when a target is opened."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from ops.where import Where

if TYPE_CHECKING:
    from adweir.model.times import Window
    from adweir.runtime.app import App
    from ops.target import Deployment
    from sandbox.home import Home

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", resolve_path=True, metavar="DIR", help="The sandbox's folder. Default: .adweir here."),
]
StackOption = Annotated[
    str,
    typer.Option(
        "--stack",
        metavar="NAME",
        envvar="ADWEIR_STACK",
        help="Work on this stack on AWS, not on the sandbox.",
        show_default=False,
    ),
]
ProfileOption = Annotated[
    str, typer.Option("--profile", metavar="NAME", help="With --stack: the AWS profile.", show_default=False)
]
RegionOption = Annotated[
    str, typer.Option("--region", metavar="NAME", help="With --stack: the AWS region.", show_default=False)
]
NoInputOption = Annotated[
    bool, typer.Option("--no-input", help="Never ask: what is missing is an error.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON: an object per line.", show_default=False)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether you are sure.", show_default=False)]


class Everywhere:
    """The options that every command takes, as typer reads them: fields of `Where`, each with `where_` before its name,
    for a verb may have an argument `profile` of its own."""

    @staticmethod
    def anywhere(
        where_stack: StackOption = "",
        where_profile: ProfileOption = "",
        where_region: RegionOption = "",
        where_home: HomeOption = None,
        where_no_input: NoInputOption = False,  # noqa: FBT002 - a flag
    ) -> None:
        """Of the commands that work on a sandbox or a stack."""

    @staticmethod
    def local(where_home: HomeOption = None, where_no_input: NoInputOption = False) -> None:  # noqa: FBT002 - a flag
        """Of the commands that work on this machine alone."""


def group(about: str) -> typer.Typer:
    """Commands under one name, as the table of verbs takes them."""
    return typer.Typer(help=about, add_completion=False, rich_markup_mode=None)


def moment(text: str) -> datetime:
    """ISO 8601 → UTC; a time without a zone is UTC."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time such as 2026-11-21T05:30Z") from None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def day(text: str) -> date:
    """`2026-11-01` → the day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day such as 2026-11-01") from None


def days_of(text: str) -> Window:
    """`2026-11-01..2026-11-07` → the days."""
    from adweir.model.times import Window

    try:
        return Window.parse(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a range of days such as 2026-11-01..2026-11-07") from None


def where_of(context: typer.Context) -> Where:
    """What the options of every command chose."""
    where: Where = context.obj
    return where


def home_of(context: typer.Context) -> Home:
    """The sandbox's folder."""
    from sandbox.home import Home

    return Home(where_of(context).home)


def target_of(context: typer.Context) -> Deployment:
    """The system that a command works on. Raises SandboxError, CommandFailed."""
    from ops import target

    return target.open_target(where_of(context))


def app_of(context: typer.Context) -> App:
    """The composition root on that system."""
    return target_of(context).app()


def with_records(command: Callable[..., None], *records: type[Any]) -> Callable[..., None]:
    """The command with the records' fields as its options: typer reads a function's signature."""
    known = inspect.signature(command, eval_str=True).parameters.values()
    parameters = [one for one in known if one.kind is not inspect.Parameter.VAR_KEYWORD]
    for record in records:
        for name, form in get_type_hints(record, include_extras=True).items():
            default = record._field_defaults.get(name, inspect.Parameter.empty)
            parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=form))
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # inspect's own protocol
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    return command
