"""`adweir`: the operator's command line, for the sandbox and for stacks on AWS alike."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from adweir.model.errors import AdweirError
from ops.commands import ADMIN_SCOPES, create_key, drop, fire
from ops.demo import Demo, DemoFailed
from ops.sam_local import environment_file
from ops.target import open_target, sandbox_target
from sandbox import lifecycle
from sandbox.lifecycle import LOOPBACK, Home, Options
from sandbox.processes import SandboxError, interrupt

ROOT = Path(__file__).resolve().parent.parent


def say(text: str = "") -> None:
    """To the person at the terminal."""
    sys.stdout.write(text + "\n")


def first_key(description: dict[str, Any]) -> str:
    """The key that sandbox.json names; it may do everything."""
    return create_key(sandbox_target(description), "sandbox", ADMIN_SCOPES)


def up(arguments: argparse.Namespace) -> int:
    """Start the sandbox, or bring a running one up to date."""
    options = Options(bind=arguments.bind, pace=arguments.pace, parameters=dict(arguments.parameters))
    found = lifecycle.up(Home(arguments.home), ROOT, options, first_key)
    say(f"started: {', '.join(found.started)}" if found.started else "was up already; code and template are current")
    show(found.description, arguments.home)
    return 0


def show(description: dict[str, Any], home: Path) -> None:
    """Where everything is."""
    say(f"  API        {description['api_url']}/api/v1/...   (Swagger UI: {description['api_url']}/docs)")
    say(f"  API key    {description['api_key']}")
    say(f"  AWS        {description['aws_endpoint_url']}   (AWS_ENDPOINT_URL)")
    say(f"  platforms  {description['platforms_url']}")
    say(f"  logs       {description['logs']}")
    say(f"  all of it  {home / 'sandbox.json'}")


def down(arguments: argparse.Namespace) -> int:
    """Stop the sandbox; its state stays unless told otherwise."""
    stopped = lifecycle.down(Home(arguments.home), forget=arguments.forget)
    say(f"stopped: {', '.join(stopped)}" if stopped else "was not up")
    return 0


def status(arguments: argparse.Namespace) -> int:
    """What runs and where; exits 1 when a part is stopped."""
    home = Home(arguments.home)
    states = lifecycle.states(home)
    for name, state in states.items():
        say(f"  {name:10} {state}")
    if home.description.exists():
        show(home.read(), arguments.home)
    return 0 if set(states.values()) == {"running"} else 1


def fire_now(arguments: argparse.Namespace) -> int:
    """Send what a schedule would send."""
    target = open_target(arguments.stack, Home(arguments.home))
    run_id = fire(target, arguments.workflow, arguments.at or datetime.now(UTC).replace(microsecond=0))
    say(run_id or "sweep sent")
    return 0


def new_key(arguments: argparse.Namespace) -> int:
    """Create an API key and print it."""
    target = open_target(arguments.stack, Home(arguments.home))
    say(create_key(target, arguments.name, arguments.scopes.split(",")))
    return 0


def drop_file(arguments: argparse.Namespace) -> int:
    """Hand a file in, as another system would."""
    target = open_target(arguments.stack, Home(arguments.home))
    version = drop(target, arguments.key or arguments.file.name, arguments.file.read_bytes())
    say(f"dropped; version {version}")
    return 0


def sam_env(arguments: argparse.Namespace) -> int:
    """Print the file that sam local's --env-vars reads, for the running sandbox."""
    say(environment_file(Home(arguments.home).read(), ROOT / "template.yaml", arguments.host))
    return 0


def demo(arguments: argparse.Namespace) -> int:
    """The whole river once, in a fresh sandbox of its own, compared with the world's truth; exits 1 on a difference."""
    home = Home(arguments.home / "demo")
    lifecycle.down(home, forget=True)
    try:
        description = lifecycle.up(home, ROOT, Options(), first_key).description
        target = sandbox_target(description)
        started = datetime.now(UTC).replace(microsecond=0)
        console = Console(record=True, width=None if sys.stdout.isatty() else 110)
        story = Demo(
            description,
            fire=lambda: fire(target, "daily", started),
            drop=lambda name, content: drop(target, name, content),
            console=console,
        )
        code = story.run()
        console.save_html(str(home.path / "report.html"), clear=False)
        say(f"the same as a page: {home.path / 'report.html'}")
        if arguments.keep:
            show(description, home.path)
        return code
    finally:
        if not arguments.keep:
            lifecycle.down(home)


def moment(text: str) -> datetime:
    """ISO 8601 → UTC; a time without a zone is UTC."""
    when = datetime.fromisoformat(text)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def parameter(text: str) -> tuple[str, str]:
    """`Name=value` of a template parameter."""
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="adweir", description="Operate adweir: in the sandbox, or with --stack on AWS."
    )
    parser.add_argument(
        "--home", type=lambda text: Path(text).resolve(), default=ROOT / ".adweir", help="sandbox state"
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run: Callable[[argparse.Namespace], int], *, stack: bool = False) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        added.set_defaults(run=run)
        if stack:
            added.add_argument("--stack", default="", help="a stack on AWS instead of the sandbox")
        return added

    starting = command("up", up)
    starting.add_argument("--bind", default=LOOPBACK, help="0.0.0.0 lets containers reach it (sam local)")
    starting.add_argument("--pace", default="sandbox", choices=["sandbox", "drill"], help="which time-outs")
    starting.add_argument(
        "--set", dest="parameters", type=parameter, action="append", default=[], metavar="NAME=VALUE",
        help="a parameter of template.yaml, e.g. HistoryDays=30; may be repeated",
    )  # fmt: skip
    command("down", down).add_argument("--forget", action="store_true", help="delete all state too")
    command("status", status)
    firing = command("fire", fire_now, stack=True)
    firing.add_argument("workflow", help="daily, hourly, ... or sweep")
    firing.add_argument("--at", type=moment, help="the scheduled time, ISO 8601; now when left out")
    keys = command("key", new_key, stack=True)
    keys.add_argument("--name", required=True)
    keys.add_argument("--scopes", default="read", help="comma-separated: read, write, admin")
    dropping = command("drop", drop_file, stack=True)
    dropping.add_argument("file", type=Path)
    dropping.add_argument("--key", default="", help="path under drops/; the file's name when left out")
    command("demo", demo).add_argument("--keep", action="store_true", help="leave its sandbox running")
    command("sam-env", sam_env).add_argument("--host", default="172.17.0.1", help="this machine, seen from a container")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point. A SIGTERM ends like Ctrl-C: nothing that was half started stays."""
    arguments = build_parser().parse_args(argv)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, interrupt)
    try:
        code: int = arguments.run(arguments)
    except (SandboxError, AdweirError, DemoFailed, OSError) as error:
        sys.stderr.write(f"adweir: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("adweir: interrupted\n")
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
