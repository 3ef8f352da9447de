"""Every bound of `model/limits.py` is tested at the bound and one past it: here, or beside the tests of its room."""

from __future__ import annotations

import ast
import gzip
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import re2

from adweir.model import limits
from adweir.model.errors import BadInput, TooLarge, Unprocessable
from adweir.model.messages import Advance, Scope
from adweir.model.metrics import BadRow
from adweir.model.money import MICRO, to_micros
from adweir.model.tasks import TaskState
from adweir.model.times import iso
from adweir.pipeline.scopes import check_scheduled, check_scope
from adweir.pipeline.workflows import workflow
from adweir.platforms import REGISTRY
from adweir.platforms.files.delimited import Delimited
from adweir.platforms.files.reading import own_metrics
from adweir.platforms.files.table import open_table
from adweir.platforms.files.text_lines import TextLines
from adweir.platforms.http import retry_after
from adweir.platforms.json_array import read_array
from adweir.quality import schema
from adweir.quality.clean import CleaningLog
from adweir.reporting.ranges import parse_range
from adweir.reporting.runs import details
from adweir.runtime.http import is_id, raw_body
from adweir.runtime.outbound import SqsQueue
from adweir.store.catalog.keys import key_id_of
from adweir.store.metrics.buckets import can_be_key
from adweir.store.raw.pages import read_pages
from support.bounds import at_the_bound, refuses
from support.dropped import rows_of
from support.pipeline import a_run, a_task

TESTS = Path(__file__).parents[1]
HEADER = "platform,profile_id,level,date,campaign_id,impressions,clicks,spend"
LINE = "meta,1,campaign,2026-11-01,c1,100,5,12.34"


def bounds_under_test() -> Iterator[str]:
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "at_the_bound":
                (name,) = node.args
                assert isinstance(name, ast.Constant)
                yield str(name.value)


def test_every_bound_is_tested() -> None:
    bounds = {name for name in vars(limits) if name.isupper()}

    assert bounds - set(bounds_under_test()) == set()


def test_a_bound_lives_in_one_file() -> None:
    """Outside `limits.py` and the platforms' folders no constant is called MAX_ or MOST_ something."""
    core = TESTS.parent / "layers/core/adweir"
    strays = {
        f"{path.relative_to(core)}: {target.id}"
        for path in core.rglob("*.py")
        if path.name != "limits.py" and not path.is_relative_to(core / "platforms")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.lstrip("_").startswith(("MAX_", "MOST_", "LARGEST_"))
    }

    assert strays == set()


# --- HTTP doors


@at_the_bound("MAX_BODY_BYTES")
def test_a_body(size: int, fits: bool) -> None:
    with refuses(TooLarge, fits=fits):
        assert len(raw_body({"body": "x" * size})) == size


@at_the_bound("MAX_PATH_ID_CHARS")
def test_an_id_in_a_path(size: int, fits: bool) -> None:
    assert is_id("x" * size) is fits


@at_the_bound("MAX_API_KEY_CHARS")
def test_a_key(size: int, fits: bool) -> None:
    assert (key_id_of("adw_12_".ljust(size, "x")) is not None) is fits


# --- files


def lines_of(data: bytes, size: int | None = None) -> int:
    """How many lines a file has."""
    table = open_table(io.BytesIO(data), len(data) if size is None else size)
    assert isinstance(table, Delimited)
    lines = TextLines(table._open())
    while (block := lines.block()) is not None:
        lines.wait(block)
        while lines.waiting:
            lines.next()
    return lines.passed_lines


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
@at_the_bound("MAX_DROP_LINE_BYTES")
def test_a_line_of_a_file(size: int, fits: bool, end: bytes) -> None:
    (chunk,) = open_table(io.BytesIO(b"x\n" + b"x" * size + end), size).chunks()

    assert (len(chunk.rows), len(chunk.bad)) == ((1, 0) if fits else (0, 1))


@at_the_bound("MAX_DROP_UNPACKED_BYTES", as_if=5000)
def test_a_file_unpacked(size: int, fits: bool) -> None:
    with refuses(BadInput, fits=fits):
        assert lines_of(b"x\n" * (size // 2) + b"x" * (size % 2)) > 2


@at_the_bound("MAX_DROP_LINES", as_if=50)
@pytest.mark.parametrize("line", [b"\n", b"x\n"], ids=["empty", "any"])
def test_the_lines_of_a_file(size: int, fits: bool, line: bytes) -> None:
    with refuses(BadInput, fits=fits):
        assert lines_of(b"x\n" + line * (size - 1)) == size


@at_the_bound("MAX_DROP_COLUMNS")
def test_the_columns_of_a_file(size: int, fits: bool) -> None:
    data = ",".join(map(str, range(size))).encode()
    with refuses(BadInput, fits=fits):
        assert len(open_table(io.BytesIO(data), len(data)).header) == size


@at_the_bound("MIN_DROP_UNPACKED_BYTES", as_if=5000)
def test_what_a_file_may_unpack_to_whatever_its_ratio(size: int, fits: bool) -> None:
    with refuses(BadInput, fits=fits):
        assert lines_of(gzip.compress(b"x" * size), size=1)


@at_the_bound("MAX_DROP_RATIO", as_if=50)
def test_how_much_larger_a_file_may_unpack(size: int, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MIN_DROP_UNPACKED_BYTES", 1)
    stored = 100

    with refuses(BadInput, fits=fits):
        assert lines_of(gzip.compress(b"x" * (stored * size)), size=stored)


@at_the_bound("MAX_OBJECT_ID_CHARS")
def test_an_id_in_a_file(size: int, fits: bool) -> None:
    (row,) = dropped(LINE.replace("c1", "c" * size))

    assert isinstance(row, BadRow) is not fits


@at_the_bound("MAX_COUNT_DIGITS")
def test_the_digits_of_a_count(size: int, fits: bool) -> None:
    (row,) = dropped(LINE.replace(",100,", f",{'9' * size},"))

    assert isinstance(row, BadRow) is not fits


def dropped(*lines: str) -> list[Any]:
    data = "\n".join((HEADER, *lines)).encode()
    return rows_of(data, own_metrics(REGISTRY.parse))


# --- loading


@pytest.mark.parametrize("sign", ["", "-"])
@at_the_bound("MAX_MICROS")
def test_money(size: int, fits: bool, sign: str) -> None:
    text = f"{sign}{size // MICRO}.{size % MICRO:06}"

    with refuses(ValueError, fits=fits):
        assert abs(to_micros(text)) == size


@pytest.mark.parametrize("letter", ["x", "ü"])
@at_the_bound("MAX_ENTITY_KEY_BYTES")
def test_the_key_of_an_entity(size: int, fits: bool, letter: str) -> None:
    width = len(letter.encode())
    entity = letter * (size // width) + "x" * (size % width)

    assert can_be_key(entity) is fits


@at_the_bound("MAX_CLEANING_SAMPLES")
def test_the_examples_of_cleaning(size: int, fits: bool) -> None:
    log = CleaningLog()
    for line in range(size):
        log.add("trim", "entity_id", " 7", "7", line)

    assert (len(log.samples) == size) is fits
    assert log.counts["trim", "entity_id"] == size


# --- collecting


@at_the_bound("MAX_PLATFORM_WAIT_SECONDS")
def test_a_wait_that_a_platform_asks_for(size: int, fits: bool) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)

    assert (retry_after({"Retry-After": str(size)}, now) == size) is fits


@at_the_bound("MAX_PAGE_HEADER_BYTES")
def test_the_header_of_a_raw_page(size: int, fits: bool) -> None:
    begin, end = b'{"length":0,"url":"', b'","status":200}\n'
    source: Any = io.BytesIO(gzip.compress(begin + b"x" * (size - len(begin + end)) + end))

    with refuses(BadInput, fits=fits):
        assert len(list(read_pages(source))) == 1


@at_the_bound("MAX_BACKFILL_DAYS")
def test_how_far_back_a_run_may_reach(size: int, fits: bool) -> None:
    today = date(2026, 11, 20)
    scope = Scope(start=(today - timedelta(days=size)).isoformat())

    with refuses(Unprocessable, fits=fits):
        check_scope(REGISTRY, workflow("backfill"), scope, today)


@at_the_bound("MAX_PIECE_BYTES", as_if=200)
def test_an_element_of_a_streamed_array(size: int, fits: bool) -> None:
    element = b'{"a":"' + b"x" * (size - 8) + b'"}'
    assert len(element) == size

    for array in (b"[" + element + b"," + element + b"]", b"[" + element + b"]"):
        with refuses(BadInput, fits=fits):
            pieces = list(read_array(io.BytesIO(array), msgspec.Raw, chunk=1, max_piece=limits.MAX_PIECE_BYTES))
            assert sum(len(piece.rows) for piece in pieces) == array.count(element)


# --- running and reading


@at_the_bound("MAX_DELAY_SECONDS")
def test_the_delay_of_a_message(size: int, fits: bool) -> None:
    calls: list[dict[str, Any]] = []
    client: Any = type("Sqs", (), {"send_message": lambda _, **call: calls.append(call)})()

    SqsQueue(client, "https://q").send(Advance(run_id="r"), delay=size)

    assert (calls[0]["DelaySeconds"] == size) is fits


@at_the_bound("MAX_FAILED_TASKS_SHOWN")
def test_the_tasks_listed_of_a_run(size: int, fits: bool) -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    tasks = [a_task(slice=str(n), updated_at=iso(now)) for n in range(size)]

    failed = details(a_run(), (replace(task, state=TaskState.FAILED) for task in tasks), now)
    waiting = details(a_run(), tasks, now)

    assert (len(failed["failed_tasks"]) == size) is (len(waiting["waiting_tasks"]) == size) is fits
    assert failed["tasks_failed"] == waiting["tasks_waiting"] == size


@at_the_bound("MAX_QUERY_DAYS")
def test_the_days_of_a_query(size: int, fits: bool) -> None:
    end = date(2026, 11, 20)
    start = end - timedelta(days=size - 1)

    with refuses(Unprocessable, fits=fits):
        assert parse_range(start.isoformat(), end.isoformat(), end).window("UTC").length == size


@at_the_bound("MAX_SCHEMA_FIELDS")
def test_the_fields_of_a_schema(size: int, fits: bool) -> None:
    with refuses(Unprocessable, fits=fits):
        assert len(schema.compile({str(number): {"required": True} for number in range(size)}).fields) == size


@at_the_bound("MAX_SCHEMA_ISSUES")
def test_the_issues_of_an_answer(size: int, fits: bool) -> None:
    answer = schema.validate([{}] * size, {"id": {"required": True}}, datetime.now(UTC))

    assert (len(answer["errors"]) == size) is fits
    assert not answer["valid"]


@at_the_bound("MAX_PATTERN_CHARS")
def test_a_pattern(size: int, fits: bool) -> None:
    with refuses(Unprocessable, fits=fits):
        assert schema.compile({"id": {"regex": "x" * size}})


@at_the_bound("MAX_SCHEDULED_AHEAD_DAYS")
def test_how_far_ahead_a_run_is_scheduled(size: int, fits: bool) -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    with refuses(Unprocessable, fits=fits):
        check_scheduled(now + timedelta(days=size), now)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00"])
def test_a_run_of_no_time_that_any_platform_keeps_is_refused(at: str) -> None:
    with pytest.raises(Unprocessable, match="days ago"):
        check_scheduled(datetime.fromisoformat(at), datetime(2026, 11, 20, 12, tzinfo=UTC))


@at_the_bound("MAX_PATTERN_STEPS")
def test_the_steps_of_a_pattern(size: int, fits: bool) -> None:
    steps = re2.compile("x").programsize - 1
    with refuses(Unprocessable, fits=fits):
        assert schema.compile({"id": {"regex": f"x{{{size - steps - 500}}}x{{500}}"}})


@at_the_bound("MAX_SCHEMA_NAME_CHARS")
def test_the_name_of_a_field(size: int, fits: bool) -> None:
    with refuses(Unprocessable, fits=fits):
        assert schema.compile({"x" * size: {"required": True}})


@at_the_bound("MAX_SCHEMA_ISSUE_CHARS", as_if=150)
def test_the_texts_of_an_answer_s_issues(size: int, fits: bool) -> None:
    """A further issue is listed while the one before leaves a character."""
    value = "x" * (size - 1 - len("a" + "a must be of type integer"))
    answer = schema.validate([{"a": value}, {"a": 1.5}], {"a": {"type": "integer"}}, datetime.now(UTC))
    assert (len(answer["errors"]) == 2) is fits


@at_the_bound("MAX_MATCHED_CHARS")
def test_a_text_that_a_pattern_is_matched_against(size: int, fits: bool) -> None:
    assert schema.validate([{"id": "x" * size}], {"id": {"regex": "x*"}}, datetime.now(UTC))["valid"] is fits
