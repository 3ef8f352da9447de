"""What `adweir` prints: tables that fit, colour only where it is wanted, data apart from remarks."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from ops import healthy, logs, output
from ops.cli import app
from ops.frame import every
from ops.logs import LogFilter, LogLine
from ops.target import Deployment
from support.command_line import Run, commands_on

LONG = "run_a-workflow-with-a-name-that-is-as-long-as-names-may-be-20261123T053000-5f0c1a2b"
RED = typer.style("failed   ", fg="red")
AT = datetime(2026, 11, 20, 5, 30, tzinfo=UTC)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("shutil.get_terminal_size", lambda _fallback: SimpleNamespace(columns=100))


def test_columns_are_aligned_numbers_to_the_right_and_the_last_one_wraps() -> None:
    lines = list(output.table(("NAME", ">ROWS", "WHY"), [["a", "1,200", "word " * 30], ["bc", "7", "short"]]))

    assert lines[0] == "NAME   ROWS  WHY"
    assert lines[1].startswith("a     1,200  word word")
    assert lines[2].startswith("             word")
    assert lines[-1] == "bc        7  short"
    assert max(map(len, lines)) <= output.WIDTH


def test_no_id_is_ever_cut() -> None:
    for rows in ([[LONG, "why it failed, in several words"]], [["why", LONG]]):
        assert LONG in "\n".join(output.table(("A", "B"), rows))


def test_what_a_terminal_would_take_for_a_command_is_shown_as_text() -> None:
    told = "gone\x1b[2J\x9b2J\nand more"

    assert output.folded(told, 60) == ["gone\\x1b[2J\\x9b2J and more"]
    assert output.hanging("a: ", told) == ["a: gone\\x1b[2J\\x9b2J and more"]


def test_no_cell_of_a_table_ends_its_line_or_moves_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_table(("A", "B"), [("x\x1b[2J", "y\nz")], "")
    output.show_fields({"names": ("x\x1b[2J", "y")})

    assert capsys.readouterr().out.splitlines() == [f"{'A':8}  B", "x\\x1b[2J  y\\x0az", "names  x\\x1b[2J, y"]


def test_further_lines_are_below_the_text_or_as_deep_as_is_said() -> None:
    below, deep = (output.hanging("begins: ", "word " * 20, indent) for indent in (None, 2))

    assert [line[:12] for line in below] == ["begins: word", "        word"]
    assert [line[:6] for line in deep] == ["begins", "  word"]
    assert max(map(len, (*below, *deep))) <= output.WIDTH
    assert output.hanging("nothing: ", "") == ["nothing: "]


def test_what_has_no_row_is_a_remark_and_no_data(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_table(("A",), [], "there is none")

    assert capsys.readouterr() == ("", "there is none\n")


def test_a_state_has_a_colour_on_a_terminal(terminal: None) -> None:
    assert output.painted("failed   ") == RED
    assert output.painted("unknown") == "unknown"
    assert output.width() == 100


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_state_has_no_colour_where_nobody_wants_it(
    terminal: None, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    assert output.painted("failed   ") == "failed   "


def test_a_state_has_no_colour_in_a_file_whose_lines_have_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)

    assert (output.painted("failed"), output.width()) == ("failed", 80)


def test_names_and_values_leave_out_what_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_fields({"run": "r", "reason": "", "rows": 1200, "covers": ("a", "b"), "none": None})

    assert capsys.readouterr().out.splitlines() == ["run     r", "rows    1,200", "covers  a, b"]


def health_of(status: str, **parts: Any) -> Any:
    found = {"status": status, "checked_at": "2026-11-20T05:30:00.000000Z", "parts": parts}
    return SimpleNamespace(app=lambda: SimpleNamespace(health=lambda: found))


def test_the_health_names_what_is_wrong_and_the_command_that_shows_more(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {"status": "degraded", "reason": f"refused: meta_ads default of acc_1 ({'too long ' * 20})"}
    adweir = commands_on(health_of("degraded", runs={"status": "healthy"}, credentials=broken), monkeypatch)

    done = adweir("health", expect=1)

    assert done.stdout.splitlines()[0] == "degraded, as of 2026-11-20 05:30 UTC"
    assert "refused: meta_ads default of acc_1" in done.stdout
    assert "adweir connect stores a new one" in done.stderr
    assert max(map(len, done.stdout.splitlines())) <= output.WIDTH
    assert json.loads(adweir("health", "--json", expect=1).stdout)["status"] == "degraded"
    assert commands_on(health_of("healthy"), monkeypatch)("health").exit_code == 0


def test_the_commands_of_the_health_name_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong: dict[str, Any] = {
        "profiles": {"items": [{"account_id": "acc_1", "reason": "denied"}] * 2 + [{"account_id": "acc_2"}]},
        "credentials": {
            "broken": [{"account_id": "acc_1", "platform": "meta_ads", "label": "eu"}],
            "ending": [{"account_id": "acc_2", "platform": "trade_desk", "label": "default"}],
        },
        "runs": {"troubled": [{"run_id": f"run_{number}"} for number in range(5)]},
        "jobs": {"items": [{"name": "nightly"}]},
        "brakes": {},
    }
    parts = {name: part | {"status": "degraded", "reason": "something"} for name, part in wrong.items()}

    said = commands_on(health_of("degraded", **parts), monkeypatch)("health", expect=1).stderr.splitlines()

    assert [line.removeprefix("  see: adweir ") for line in said] == [
        "accounts show acc_1",
        "connect meta_ads --account acc_1 --label eu",
        "connect trade_desk --account acc_2 --label default",
        *("run run_0", "run run_1", "run run_2", "runs"),
        "jobs show nightly",
        "brakes list",
    ]


def test_the_commands_that_the_health_names_exist_and_are_of_its_parts() -> None:
    source = (Path(output.__file__).parents[1] / "layers/core/adweir/pipeline/health.py").read_text()
    there_are = {f"adweir {name}" for name, _ in every(typer.main.get_command(app))}

    parts = re.findall(r'^        "(\w+)": lambda: ', source, re.MULTILINE)

    assert set(parts) - set(healthy._MORE) == {"queues"}, "a long one is no fault of its own"
    assert set(healthy._MORE) <= set(parts)
    named = [each.split() for more in healthy._MORE.values() for each in more.split(", ")]
    assert [each for each in named if not {" ".join(each[:2]), " ".join(each[:3])} & there_are] == []


# -- logs ------------------------------------------------------------------------------------------------------------


def line(minutes: int, **keys: str) -> str:
    stamp = f"{AT + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S},000+0000"
    return json.dumps({"level": "INFO", "message": "done", "timestamp": stamp, "service": "collect"} | keys)


class GroupsOfLogs:
    """As much of CloudWatch Logs' client as is used; a page has one event."""

    def __init__(self, groups: dict[str, list[str]]) -> None:
        self.groups = groups

    def describe_log_groups(self, logGroupNamePrefix: str) -> dict[str, Any]:  # noqa: N803  as botocore names it
        return {"logGroups": [{"logGroupName": name} for name in self.groups if name.startswith(logGroupNamePrefix)]}

    def filter_log_events(self, logGroupName: str, startTime: int, **more: str) -> dict[str, Any]:  # noqa: N803
        place, events = int(more.get("nextToken", 0)), self.groups[logGroupName]
        following = {"nextToken": str(place + 1)} if place + 1 < len(events) else {}
        stamp = int((AT + timedelta(minutes=20)).timestamp() * 1000)
        return {"events": [{"message": text, "timestamp": stamp} for text in events[place : place + 1]], **following}


@pytest.fixture
def adweir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Logs as the sandbox has them: a file, and log groups of what no queue calls."""
    ours = [line(1, task_id="t1", run_id="r"), line(5, task_id="t2", level="ERROR")]
    (tmp_path / "ministack.log").write_text("\n".join(["INFO [lambda] {", *ours, "{"]))
    groups = {
        "/aws/lambda/adweir-api": [line(0, request_id="q1", service="api"), line(3, request_id="q2", service="api")],
        "/aws/lambda/adweir-collect": [line(9, task_id="twice")],
        "/aws/lambda/other-api": [line(9, task_id="theirs")],
    }
    app = SimpleNamespace(client=lambda _service: GroupsOfLogs(groups))
    target = Deployment({"SecretPrefix": "adweir"}, logs=tmp_path)
    monkeypatch.setattr(Deployment, "app", lambda _self: app)
    at = SimpleNamespace(
        now=lambda _zone: AT + timedelta(hours=1), strptime=datetime.strptime, fromtimestamp=datetime.fromtimestamp
    )
    monkeypatch.setattr(logs, "datetime", at)
    return commands_on(target, monkeypatch)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), [None, "t1", None, "t2"]),
        (("--task", "t1"), ["t1"]),
        (("r",), ["t1"]),
        (("q2",), [None]),
        (("--level", "warning"), ["t2"]),
        (("nobody",), []),
    ],
)
def test_lines_of_the_file_and_of_log_groups_come_in_order_each_once(
    adweir: Run, arguments: tuple[str, ...], found: list[str | None]
) -> None:
    done = adweir("logs", *arguments, "--json")

    assert [json.loads(each).get("task_id") for each in done.stdout.splitlines()] == found
    assert ("no line fits; --since 30d looks further back than 1 d 0 h" in done.stderr) == (not found)


MISSING = "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'duckdb'\nTraceback (most"
SETTING = "[ERROR] ValidationError: 1 validation error for Settings\nTraceback (most recent call last):\n  File ..."
ENDED = "2026-11-20T05:30:00.000Z 1f2e Task timed out after 600.00 seconds\n"
KILLED = "RequestId: 1f2e Error: Runtime exited with error: signal: killed\nRuntime.ExitError"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MISSING, "Runtime.ImportModuleError: Unable to import module 'app': No module named 'duckdb'"),
        (SETTING, "ValidationError: 1 validation error for Settings"),
        (ENDED, "Task timed out after 600.00 seconds"),
        (KILLED, "Runtime exited with error: signal: killed"),
    ],
)
def test_a_function_that_lambda_could_not_start_or_ended_has_a_line(text: str, said: str) -> None:
    groups = GroupsOfLogs({"/aws/lambda/adweir-etl": ["START RequestId: 1f2e", text, "END RequestId: 1f2e"]})
    target = SimpleNamespace(
        outputs={"SecretPrefix": "adweir"}, logs=None, app=lambda: SimpleNamespace(client=lambda _service: groups)
    )

    (found,) = logs.lines_of(target, LogFilter("", "", "ERROR", AT))  # type: ignore[arg-type]

    assert (found.line["service"], found.line["level"], found.line["message"]) == (
        "etl",
        "ERROR",
        f"the function ended: {said}",
    )
    assert found.at == AT + timedelta(minutes=20)


def test_a_function_that_ended_in_the_sandbox_has_a_line(adweir: Run, tmp_path: Path) -> None:
    begun = f"{(AT + timedelta(minutes=7)).astimezone():%Y-%m-%d %H:%M:%S} WARNING [lambda] ESM: Lambda adweir-etl"
    why = "(errorType=Runtime.HandlerError errorMessage=ModuleNotFoundError: No module named 'duckdb')"
    with (tmp_path / "ministack.log").open("a") as file:
        file.write(f"\n{begun} failed processing SQS batch from adweir-etl {why}\n")

    lines = adweir("logs", "--level", "ERROR").stdout

    assert "etl           ERROR    the function ended: Runtime.HandlerError:" in lines
    assert "No module named 'duckdb'" in " ".join(lines.split())
    assert "duckdb" not in adweir("logs", "t2").stdout


def test_a_traceback_is_shown_once_as_python_prints_it() -> None:
    raised = 'Traceback (most recent call last):\n  File "app.py", line 5, in handle\nEOFError: it ended'
    data = {"exception": raised, "exception_name": "EOFError", "stack_trace": {"type": "EOFError"}}
    head = {"level": "ERROR", "service": "curate", "message": "unexpected fault"}

    first, *below = logs.shown(LogLine(AT, head | data))

    assert first.endswith("curate        ERROR    unexpected fault")
    assert below == [f"    {each}" for each in raised.splitlines()]


def test_a_line_for_people_has_its_reason_in_lines_that_fit(adweir: Run) -> None:
    told = {"level": "WARNING", "service": "collect", "message": "settled", "task_id": "t", "reason": "word " * 40}

    lines = logs.shown(LogLine(AT, told))

    assert lines[0] == "11-20 05:30:00  collect       WARNING  settled"
    assert lines[1].startswith("    task_id=t  reason=word")
    assert max(map(len, lines)) <= output.WIDTH
    assert "no line fits" not in adweir("logs").stderr


@pytest.mark.parametrize("wrong", [("--since", "soon"), ("--since", "0h"), ("--level", "loud")])
def test_a_span_or_a_level_that_there_is_not_is_wrong_usage(adweir: Run, wrong: tuple[str, ...]) -> None:
    assert "is not" in adweir("logs", *wrong, expect=2).stderr


def test_what_is_older_than_the_span_is_left_out() -> None:
    wanted = LogFilter("", "", "INFO", AT)

    assert not wanted.has({"level": "INFO"}, AT - timedelta(seconds=1))
    assert wanted.has({"level": "INFO"}, AT)


def test_numbers_in_the_last_column_are_aligned_too() -> None:
    assert list(output.table(("NAME", ">MOST"), [("a", "9.50"), ("b", "12,000.00")])) == [
        "NAME       MOST",
        "a          9.50",
        "b     12,000.00",
    ]


HEADINGS = ("CHANNEL", ">SPEND", "BROUGHT", "ROI", "MARGINAL ROI")


def test_a_table_that_is_too_wide_is_several_that_begin_with_the_same_column(
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = (
        "search",
        "1,234,567",
        "12,345,678 (10,123,456 to 14,567,890)",
        "10.01 (8.02 to 12.03)",
        "3.00 (1.00 to 5.00)",
    )

    output.show_parts(HEADINGS, [row, ("tv", "8", "9 (1 to 9)", "1.00 (0.50 to 1.50)", "0.40 (0.10 to 0.90)")], "")

    assert capsys.readouterr().out.splitlines() == [
        "CHANNEL      SPEND  BROUGHT                                ROI",
        "search   1,234,567  12,345,678 (10,123,456 to 14,567,890)  10.01 (8.02 to 12.03)",
        "tv               8  9 (1 to 9)                             1.00 (0.50 to 1.50)",
        "",
        "CHANNEL  MARGINAL ROI",
        "search   3.00 (1.00 to 5.00)",
        "tv       0.40 (0.10 to 0.90)",
    ]


@pytest.mark.parametrize(("fill", "tables"), [(36, 1), (37, 2)])
def test_a_table_that_just_fits_is_one(capsys: pytest.CaptureFixture[str], fill: int, tables: int) -> None:
    output.show_parts(("A", "B", "C"), [("x" * 20, "y" * 20, "z" * fill)], "")

    printed = capsys.readouterr().out
    assert printed.count("A ") == tables
    assert max(map(len, printed.splitlines())) <= 80


def test_a_table_in_parts_without_a_row_is_a_remark(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_parts(HEADINGS, [], "there is no channel")
    assert capsys.readouterr() == ("", "there is no channel\n")
