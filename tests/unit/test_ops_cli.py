"""The operator's command line: help, exit codes, and faults in one line that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner, Result

from ops import errors
from ops.cli import SECTIONS, app
from ops.client import ApiError
from ops.demo import show
from ops.frame import every
from ops.where import Where
from sandbox import lifecycle
from sandbox.deploy import Deployed
from sandbox.processes import SandboxError
from support.template import ROOT

_PATH = {"PYTHONPATH": os.pathsep.join((str(ROOT / "layers/core"), str(ROOT)))}
WITHOUT_JSON = {
    **dict.fromkeys(("up", "down", "status", "demo", "sam-env", "completion"), "it is for people at this machine"),
    "contracts": "it writes files",
    "export": "it writes files",
    "describe": "it writes YAML",
    "accounts media-mix": "it prints JSON",
    "raw": "it prints an object as it is stored",
    "workflows show": "it prints JSON",
    "workflows result": "it prints JSON",
    "workflows run": "it prints the id of a run, and with --wait JSON",
}
"""Commands that take no --json, and why."""


def adweir(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), prog_name="adweir")


def test_given_a_running_sandbox_when_up_has_settings_then_it_says_which_hold_now_and_which_do_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # given
    deployed = Deployed({}, was_current=False, settings={"HistoryDays": ("60", "12"), "SourceHosts": ("a.com", "")})
    description = dict.fromkeys(("api_url", "api_key", "aws_endpoint_url", "platforms_url", "logs"), "")
    found = lifecycle.Up(description, (), deployed, ("--audit",))
    monkeypatch.setattr(lifecycle, "up", lambda *_arguments: found)

    # when
    result = adweir("--home", str(tmp_path), "up", "--set", "HistoryDays=12")

    # then
    assert result.stdout.splitlines()[:4] == [
        "was up already; deployed what changed",
        "  HistoryDays is 12 now, was 60",
        "  SourceHosts is empty now, was a.com",
        "  --audit is not applied to what runs: adweir down, then adweir up --audit",
    ]


def test_given_a_demonstration_when_it_ends_then_its_sandbox_is_stopped_as_one_that_is_started_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # given
    found = lifecycle.Up({}, (), Deployed({}, was_current=False, settings={}), ())
    stopped: list[dict[str, bool]] = []
    monkeypatch.setattr(lifecycle, "up", lambda *_arguments: found)
    monkeypatch.setattr(lifecycle, "down", lambda _home, **how: stopped.append(how))
    monkeypatch.setattr(show, "demonstrate", lambda *_arguments, **_options: True)
    monkeypatch.setattr("ops.machine.sandbox_target", lambda _description: None)

    # when
    result = adweir("--home", str(tmp_path), "demo")

    # then the first stop is of a former demonstration, whose data goes; this one's has to be written
    assert (result.exit_code, stopped) == (0, [{"forget": True}, {}])


def test_given_no_command_when_called_then_it_lists_them_and_exits_with_2() -> None:
    # when
    result = adweir()

    # then
    assert result.exit_code == 2
    assert result.stdout == adweir("--help").stdout


def test_given_any_command_when_asked_for_help_then_it_says_what_it_does() -> None:
    for name, command in every(typer.main.get_command(app)):
        # when
        result = adweir(*name.split(), "--help")

        # then
        first, *lines = result.stdout.splitlines()
        assert (result.exit_code, first.startswith(f"Usage: adweir {name}"), "{" in first) == (0, True, False), name
        assert command.help, name
        assert "--home DIR" in result.stdout, name
        assert [line for line in lines if len(line) > 80] == [], name


def taking(option: str) -> set[str]:
    """The commands with an option."""
    found = every(typer.main.get_command(app))
    return {name for name, command in found if any(option in param.opts for param in command.params)}


def test_given_a_command_that_says_what_came_of_it_then_programs_get_that_as_json() -> None:
    assert {name for name, _ in every(typer.main.get_command(app))} - taking("--json") == set(WITHOUT_JSON)


def test_given_a_command_that_cannot_be_undone_then_it_asks_first() -> None:
    ends = {"delete", "delete-arm", "remove", "revoke", "disconnect", "cancel"}
    deletes = {name for name, _ in every(typer.main.get_command(app)) if name.split()[-1] in ends}

    assert deletes | {"dead-letters drop", "quarantine drop", "reload", "apply"} == taking("--yes")


def test_given_the_help_when_shown_then_it_fits_a_terminal_and_groups_all_verbs() -> None:
    # when
    lines = adweir("--help").stdout.splitlines()

    # then
    assert [line for line in lines if len(line) > 80] == []
    assert [line for line in lines if line.rstrip(":") in SECTIONS] == [f"{heading}:" for heading in SECTIONS]
    for verb in (verb for verbs in SECTIONS.values() for verb in verbs):
        assert any(line.split(maxsplit=1) == [verb.name, verb.summary] for line in lines), verb


@pytest.mark.parametrize(
    ("code", "slow", "said"),
    [
        (
            "from ops.cli import app; app(['--help'], standalone_mode=False)",
            {"adweir", "boto3", "botocore", "psutil", "pydantic", "requests", "rich", "sandbox.lifecycle"},
            "quarantine",
        ),
        ("import ops.target", {"boto3", "requests", "sandbox.lifecycle", "sandbox.platforms", "werkzeug", "yaml"}, ""),
    ],
    ids=["for its help, the product", "for a command, what starts a sandbox"],
)
def test_the_command_line_does_not_import(code: str, slow: set[str], said: str) -> None:
    # when
    ended = subprocess.run(  # noqa: S603  ours
        [sys.executable, "-c", f"import sys; {code}; sys.exit(' '.join({slow!r} & set(sys.modules)) or 0)"],
        cwd=ROOT,
        env=_PATH,
        capture_output=True,
        text=True,
        check=False,
    )

    # then
    assert (ended.returncode, ended.stderr) == (0, "")
    assert said in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        (["brakes", "list", "--stack", "one", "--region", "eu-west-1"], Where(stack="one", region="eu-west-1")),
        (["--stack", "one", "--profile", "p", "brakes", "list"], Where(stack="one", profile="p")),
        (["--stack", "one", "brakes", "list", "--stack", "two", "--no-input"], Where(stack="two", no_input=True)),
        (["--home", "/elsewhere", "brakes", "list"], Where(home=Path("/elsewhere"))),
        (["brakes", "list"], Where()),
    ],
)
def test_given_options_of_every_command_when_they_stand_before_or_after_the_verb_then_both_count(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], chosen: Where
) -> None:
    # given
    opened: list[Where] = []

    def open_target(where: Where) -> None:
        opened.append(where)
        raise errors.CommandFailed("that is all")

    monkeypatch.setattr("ops.target.open_target", open_target)

    # when
    adweir(*arguments)

    # then
    assert opened == [chosen]


@pytest.mark.parametrize("option", ["--profile", "--region"])
def test_given_an_option_for_aws_without_a_stack_when_a_command_runs_then_it_asks_for_the_stack(option: str) -> None:
    # when
    result = adweir("brakes", "list", option, "x")

    # then the sandbox is not worked on in place of what was meant
    assert (result.exit_code, result.stdout) == (1, "")
    assert "add --stack NAME" in result.stderr


def test_given_a_command_of_this_machine_when_a_stack_is_named_then_it_does_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # when
    meant_otherwise = adweir("--stack", "prod", "--home", str(tmp_path), "down", "--forget")
    monkeypatch.setenv("ADWEIR_STACK", "prod")
    for_a_session = adweir("--home", str(tmp_path / "none"), "down")

    # then
    assert (meant_otherwise.exit_code, "leave --stack out" in meant_otherwise.stderr) == (2, True)
    assert tmp_path.exists()
    assert for_a_session.exit_code == 0


def test_given_the_version_when_asked_for_then_it_is_that_of_the_package() -> None:
    assert adweir("--version").stdout == f"adweir {version('adweir')}\n"


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("adweir quar", {"quarantine"}),
        ("adweir quarantine ", {"list", "messages", "show", "replay", "drop"}),
        ("adweir brakes list --st", {"--stack"}),
    ],
)
def test_given_a_beginning_when_a_shell_asks_what_may_follow_then_it_is_offered(
    monkeypatch: pytest.MonkeyPatch, line: str, offered: set[str]
) -> None:
    # given what the script of `adweir completion bash` sets
    monkeypatch.setenv("_ADWEIR_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))

    # when
    result = adweir()

    # then
    assert set(result.stdout.split()) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_given_a_shell_when_its_completion_is_asked_for_then_the_script_calls_adweir(shell: str) -> None:
    assert f"_ADWEIR_COMPLETE=complete_{shell}" in adweir("completion", shell).stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("dorp",), "No such command 'dorp'"),
        (("drop",), "Missing argument"),
        (("drop", "no-such-file.csv"), "no-such-file.csv"),
        (("keys", "create"), "--name"),
        (("keys", "create", "--name", "k", "--scopes", "raed"), "'raed' is not one of read, write, admin"),
        (("up", "--set", "HistoryDays"), "'HistoryDays' is not NAME=VALUE"),
        (("up", "--pace", "slow"), "sandbox"),
        (("fire", "daily", "--at", "noon"), "'noon' is not a time such as 2026-11-21T05:30Z"),
        (("replay", "meta"), "Missing argument"),
        (("runs", "--state", "broken"), "Invalid value for '--state': 'broken' is not one of 'running', 'succeeded'"),
        (("replay", "meta", "1", "--days", "monday"), "'monday' is not a range of days such as 2026-11-01..2026-11-07"),
        (
            ("fire", "dayly"),
            "'dayly' is not one of daily, sync, weekly, hourly, repull, backfill, refresh, ad, account, platform,",
        ),
    ],
)
def test_given_a_wrong_call_when_run_then_one_line_says_why_and_where_help_is(
    arguments: tuple[str, ...], says: str
) -> None:
    # when
    result = adweir(*arguments)

    # then
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("adweir: ")
    assert says in line
    verb = " keys create" if arguments[0] == "keys" else "" if arguments[0] == "dorp" else f" {arguments[0]}"
    assert line.endswith(f" See: adweir{verb} --help")


def test_given_a_file_that_is_not_there_when_it_is_applied_then_one_line_names_it() -> None:
    result = adweir("apply", "no-such.yaml")

    assert (result.exit_code, result.stderr) == (1, "adweir: no-such.yaml: no such file or directory\n")


@pytest.mark.parametrize("arguments", [("fire", "daily"), ("keys", "create", "--name", "k"), ("sam-env",)])
def test_given_a_sandbox_that_was_never_up_when_it_is_needed_then_one_line_says_how_to_start_it(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    # when
    result = adweir("--home", str(tmp_path), *arguments)

    # then
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.endswith("adweir up")


def test_given_a_stopped_sandbox_when_a_command_needs_it_then_it_says_how_to_start_it(tmp_path: Path) -> None:
    # given
    (tmp_path / "sandbox.json").write_text("{}")

    # when
    result = adweir("--home", str(tmp_path), "fire", "daily")

    # then
    assert result.exit_code == 1
    assert result.stderr == "adweir: the sandbox is stopped; start it with: adweir up\n"


def test_given_a_sandbox_of_another_version_when_a_command_needs_it_then_it_says_how_to_bring_it_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a description that does not say where the platforms are: a credential would be tried out on the real ones
    (tmp_path / "sandbox.json").write_text("{}")
    monkeypatch.setattr("ops.target.states_of", lambda _home: {"ministack": "running"})

    # when
    result = adweir("--home", str(tmp_path), "fire", "daily")

    # then
    assert result.exit_code == 1
    assert result.stderr.endswith("bring it up to date with: adweir up\n")


def test_given_nothing_runs_when_asked_for_the_status_then_it_exits_with_1(tmp_path: Path) -> None:
    # when
    result = adweir("--home", str(tmp_path), "status")

    # then
    assert result.exit_code == 1
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["ministack", "stopped"],
        ["platforms", "stopped"],
        ["clock", "stopped"],
    ]


def test_given_nothing_runs_when_stopped_then_it_says_so(tmp_path: Path) -> None:
    # when
    result = adweir("--home", str(tmp_path / "never"), "down")

    # then
    assert (result.exit_code, result.stdout) == (0, "was not up\n")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (SandboxError("no free port"), 1),
        (errors.CommandFailed("no receipt"), 1),
        (ApiError("GET /api/v1/runs answered 503: the store is down"), 1),
        (ConnectionRefusedError("refused"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_given_an_expected_fault_when_a_command_meets_it_then_it_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: BaseException, code: int
) -> None:
    # given
    def broken(*_: object) -> None:
        raise fault

    monkeypatch.setattr("ops.machine.states_of", broken)

    # when
    result = adweir("--home", str(tmp_path), "status")

    # then
    assert result.exit_code == code
    assert result.stderr == f"adweir: {str(fault) or 'interrupted'}\n"


def test_given_an_interrupt_inside_an_evaluated_string_when_a_command_ends_then_it_is_with_130(tmp_path: Path) -> None:
    # given: namedtuple and dataclass evaluate strings, and Ctrl-C may come while a module is imported
    (tmp_path / "told.py").write_text(
        "from ops import cli\n"
        "@cli.app.command()\n"
        "def evaluated() -> None:\n"
        "    eval('signal.raise_signal(signal.SIGINT)', {'signal': cli.signal})\n"
        "cli.main(['evaluated'])\n"
    )

    # when
    ended = subprocess.run(
        [sys.executable, "-m", "told"], cwd=tmp_path, env=_PATH, capture_output=True, text=True, check=False
    )

    # then
    assert (ended.returncode, ended.stderr) == (130, "adweir: interrupted\n")


def test_given_a_fault_of_ours_when_a_command_meets_it_then_its_traceback_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # given
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("ops.machine.states_of", broken)

    # when
    result = adweir("--home", str(tmp_path), "status")

    # then
    assert isinstance(result.exception, ZeroDivisionError)
