"""The frame of `adweir`: which verbs there are, what all of them take, and their help.

A verb's module is imported when the verb is called, or asked for its help: `adweir --help` reads the table in `ops.cli`
alone. This module and `ops.cli` therefore import nothing of the product.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.completion import get_completion_inspect_parameters
from typer.core import TyperCommand, TyperGroup

from ops.errors import run_main
from ops.options import Everywhere, group
from ops.where import Where

COMPLETES = "_ADWEIR_COMPLETE"
"""The variable that a completion script sets."""
_ANYWHERE = "Options of every command"


class Verb(NamedTuple):
    """A row of the table: `home` is `module:name` of its function, or of the Typer of its group.

    A verb that is `local` works on this machine alone: it takes neither `--stack` nor what goes with it. A command of
    its group that says `cls=Leaf` does.
    """

    name: str
    home: str
    summary: str
    local: bool = False


class Leaf(TyperCommand):
    """A command that does something. It takes the options of every command too, behind its name as before it."""

    local = False

    def __init__(self, name: str | None, *, params: Any = None, **others: Any) -> None:
        self.shared = _shared(local=self.local)
        super().__init__(name, params=[*map(_named, params or ()), *self.shared], **others)

    def invoke(self, ctx: Any) -> Any:
        """Take out the shared options, which the function reads from the context."""
        ctx.obj = _taken(ctx, self.shared, ctx.obj)
        return super().invoke(ctx)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """`FILE`, where typer writes `{FILE}`."""
        return [piece.removeprefix("{").removesuffix("}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The command's own arguments and options, then what all commands take."""
        for heading, kind, shared in (
            ("Arguments", "argument", False),
            ("Options", "option", False),
            (_ANYWHERE, "option", True),
        ):
            rows = [
                row
                for param in self.get_params(ctx)
                if param.param_type_name == kind and (param in self.shared) == shared
                if (row := param.get_help_record(ctx))
            ]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


class LocalLeaf(Leaf):
    """A command that works on this machine alone. One that is told to work on a stack is not what somebody meant."""

    local = True

    def invoke(self, ctx: Any) -> Any:
        """As any command, without a stack. One that the environment names is for the other commands."""
        root = ctx.find_root()
        if ctx.obj.stack and root.get_parameter_source("where_stack").name == "COMMANDLINE":
            ctx.fail(f"{ctx.info_name} works on this machine, and not on a stack: leave --stack out")
        return super().invoke(ctx)


class Branch(TyperGroup):
    """Commands under one name. Alone, it says which, and that is wrong usage."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As typer does, but the help is no error message."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            ctx.exit(2)
        return super().parse_args(ctx, args)


class Later(TyperCommand):
    """A verb as the help knows it. What it stands for is imported when it is called."""

    def __init__(self, verb: Verb) -> None:
        super().__init__(verb.name, help=verb.summary, short_help=verb.summary)
        self._verb = verb

    @cached_property
    def real(self) -> Any:
        """The command, or the group of commands."""
        module, _, name = self._verb.home.partition(":")
        found = getattr(import_module(module), name)
        leaf = LocalLeaf if self._verb.local else Leaf
        if not isinstance(found, typer.Typer):
            made = group("")
            made.command(self._verb.name, cls=leaf)(found)
            return typer.main.get_command(made)
        for each in found.registered_commands:
            if not (each.cls and issubclass(each.cls, Leaf)):  # a group may have both kinds
                each.cls = leaf
        is_group = found.registered_callback or len(found.registered_commands) > 1
        found.info.cls = Branch if is_group else None
        real = typer.main.get_command(found)
        real.name = self._verb.name
        return real

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """The context of the real command, which is what is invoked."""
        return self.real.make_context(info_name, args, parent=parent, **extra)


class Adweir(TyperGroup):
    """The command line as a whole. `sections` are its verbs by heading; a subclass names them."""

    sections: Mapping[str, Sequence[Verb]]

    def __init__(self, *, params: Any = None, **others: Any) -> None:
        self.shared = _shared(local=False)
        super().__init__(params=[*self.shared, *(params or ())], **others)
        for verbs in self.sections.values():
            for verb in verbs:
                self.commands.setdefault(verb.name, Later(verb))

    def invoke(self, ctx: Any) -> Any:
        """Remember the shared options for the verb; its function reads them from the context."""
        ctx.obj = _taken(ctx, self.shared, Where())
        return super().invoke(ctx)

    def main(self, *args: Any, **options: Any) -> Any:
        """Run one command line as typer does, and end the process unless `standalone_mode` is off."""
        if COMPLETES in os.environ:  # a shell asks what may follow
            get_completion_inspect_parameters()  # has typer know the shells
        return run_main(super().main, *args, **options)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The verbs by heading, then the options."""
        wide = max(len(name) for name in self.commands)
        for heading, verbs in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(verb.name.ljust(wide), verb.summary) for verb in verbs])
        rows = [row for param in self.get_params(ctx) if (row := param.get_help_record(ctx))]
        with formatter.section(_ANYWHERE):
            formatter.write_dl(rows)


def every(group: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """All commands below a group, each as it is typed: the whole tree, imported."""
    for each, found in getattr(group, "commands", {}).items():
        command = found.real if isinstance(found, Later) else found
        yield from every(command, f"{name} {each}".strip())
    if not hasattr(group, "commands"):
        yield name, group


def _named(param: Any) -> Any:
    """An argument in capitals, as the usage line names it."""
    if param.param_type_name == "argument" and param.metavar is None:
        param.metavar = param.name.upper()
    return param


def _shared(*, local: bool) -> tuple[Any, ...]:
    """The options of every command, as typer makes them."""
    made = group("")
    made.command()(Everywhere.local if local else Everywhere.anywhere)
    return tuple(typer.main.get_command(made).params)


def _taken(ctx: Any, shared: Sequence[Any], before: Where) -> Where:
    """What the shared options of a command line chose: they are no arguments of its function."""
    given = {param.name: ctx.params.pop(param.name) for param in shared}
    return replace(before, **{name.removeprefix("where_"): value for name, value in given.items() if value})
