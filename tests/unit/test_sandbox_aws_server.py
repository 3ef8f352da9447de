"""MiniStack, sped up: its DynamoDB remembers and answers the same, workers share packages, logs are taken at once."""

from __future__ import annotations

import asyncio
import copy
import io
import json
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

VALUES = {":one": {"N": "1"}, ":two": {"N": "2"}, ":a": {"S": "a"}, ":s": {"S": "b"}, ":t": {"S": "bd"}}
NAMES = {"#n": "n"}
EXPRESSIONS = (
    "#n = :one",
    "#n < :two AND attribute_exists(s)",
    "begins_with(s, :s) OR NOT attribute_exists(#n)",
    "#n BETWEEN :one AND :two",
    "#n BETWEEN :two AND :one",
    "#n = :unknown",
    "#n = ((:one))",
    "#n = ",
    "name = :s",
    "s = :s",
    "(#n = :one AND s >= :s)",
    "(s = :s AND begins_with (#n, :s))",
    "(begins_with (s, :s) AND s < :t)",
    "s BETWEEN :s AND :t",
    "s BETWEEN :t AND :s",
    "(s <= :t AND s BETWEEN :a AND :s)",
    "s > :t OR #n BETWEEN :one AND :two",
    "s.t = :s",
    "",
)
ITEMS: tuple[dict[str, Any], ...] = (
    {"n": {"N": "1"}, "s": {"S": "bc"}},
    {"n": {"N": "2"}},
    {},
    {"s": {"S": "a"}},
    {"s": {"S": "b"}},
)
NUMBERS: tuple[Any, ...] = ("0", "1", "-12.50", "1e3", "1E-131", "9" * 39, " 5", "", "abc", None, 7, ["1"])


PATCHED = (
    "_number_error",
    "_number_size_bytes",
    "_ddb_canonicalize_number",
    "_evaluate_condition",
    "_attribute_value_size",
    "_attribute_value_error",
    "_item_size_bytes",
    "_validate_attribute_value",
    "_validate_item",
    "_batch_write_item",
)
ATTRIBUTES: tuple[Any, ...] = (
    {"N": "-12.50"},
    {"N": "none"},
    {"S": "größer"},
    {"S": ""},
    {"B": "AQID"},
    {"BOOL": True},
    {"NULL": True},
    {"SS": ["a", "ä"]},
    {"SS": ["a", "a"]},
    {"NS": ["1", "2.5"]},
    {"NS": ["1", "x"]},
    {"BS": ["AQID"]},
    {"L": []},
    {"L": [{"N": "1"}, {"S": "two"}, {"L": [{"N": "3"}]}]},
    {"L": [{"N": "1"}, "two"]},
    {"L": [{"N": "01.50"}, {"NULL": True}, {"N": "1E2"}, {"N": "-0"}]},
    {"L": [{"N": "1"}, {"N": "one"}, {"N": "x"}]},
    {"L": [{"N": "1"}, {"N": 2}, {"N": "3", "S": "3"}, {}]},
    {"L": [{"L": [{"L": [{"N": "9"}]}]}]},
    {"L": "no list"},
    {"M": {"ä": {"N": "1"}, "list": {"L": [{"M": {"deep": {"N": "1e9"}}}]}}},
    {"M": {"good": {"S": "a"}, "bad": {"N": "1x"}, "worse": {"SS": ["a", "a"]}}},
    {"X": "unknown"},
    {"S": "a", "N": "1"},
    {},
    None,
)


@pytest.fixture(autouse=True)
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """MiniStack's DynamoDB, which forgets what it was made to remember."""
    from ministack.services import dynamodb

    with monkeypatch.context() as patch:
        for name in PATCHED:
            patch.setattr(dynamodb, name, getattr(dynamodb, name))
        yield dynamodb


def _as_written(dynamodb: Any) -> Callable[[Any, int], Any]:
    """Validates a copy of a value: the error, and the value with its numbers as they are written then."""

    def written(value: Any, depth: int) -> Any:
        given = copy.deepcopy(value)
        return dynamodb._validate_attribute_value("name", given, depth), given

    return written


def _outcomes(dynamodb: Any) -> list[object]:
    calls = [
        *((dynamodb._evaluate_condition, (text, item, VALUES, NAMES)) for text in EXPRESSIONS for item in ITEMS),
        *((dynamodb._number_error, (number,)) for number in NUMBERS),
        *((dynamodb._number_size_bytes, (number,)) for number in NUMBERS),
        *((dynamodb._ddb_canonicalize_number, (number,)) for number in NUMBERS if isinstance(number, str)),
        *((dynamodb._attribute_value_size, (value,)) for value in ATTRIBUTES),
        *((dynamodb._attribute_value_error, (value,)) for value in ATTRIBUTES),
        *((_as_written(dynamodb), (value, depth)) for value in ATTRIBUTES for depth in (1, 30, 32)),
        (dynamodb._item_size_bytes, ({f"ü{number}": value for number, value in enumerate(ATTRIBUTES)},)),
        (dynamodb._item_size_bytes, (None,)),
    ]
    found: list[object] = []
    for function, given in calls:
        try:
            found.append(function(*given))
        except ValueError as refused:
            found.append(str(refused))
    return found


def test_answers_and_refusals_are_the_same_the_first_and_the_second_time(dynamodb: Any) -> None:
    from sandbox.aws_server import remember

    before = _outcomes(dynamodb)
    remember()
    assert _outcomes(dynamodb) == before
    assert _outcomes(dynamodb) == before
    assert len({str(outcome) for outcome in before}) > 8


def test_an_expression_that_is_right_is_split_once_for_all_items(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sandbox.aws_server import remember

    split = mock.Mock(side_effect=dynamodb._tokenize)
    monkeypatch.setattr(dynamodb, "_tokenize", split)
    remember()
    for item in ITEMS * 3:
        dynamodb._evaluate_condition("#n = :one", item, VALUES, NAMES)
        dynamodb._evaluate_condition("(#n = :one AND s BETWEEN :a AND :s)", item, VALUES, NAMES)
    assert split.call_count == 4  # each by MiniStack's own check, and to be remembered


def test_a_batch_is_written_and_charged_as_before(dynamodb: Any) -> None:
    from sandbox.aws_server import remember

    schema = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    kinds = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    made = {"KeySchema": schema, "AttributeDefinitions": kinds, "BillingMode": "PAY_PER_REQUEST"}

    def answers(table: str) -> list[Any]:
        dynamodb._create_table({"TableName": table, **made})
        found: list[Any] = []
        for size in (10, 3000, 410_000, 5):
            items = [{"pk": {"S": "p"}, "sk": {"S": str(number)}, "n": {"L": [{"N": "01"}]}} for number in range(3)]
            items[1]["text"] = {"S": "x" * size}
            puts = [{"PutRequest": {"Item": item}} for item in items]
            request = {"RequestItems": {table: puts}, "ReturnConsumedCapacity": "TOTAL"}
            status, _, body = dynamodb._batch_write_item(request)
            stored = dynamodb._query(
                {
                    "TableName": table,
                    "KeyConditionExpression": "pk = :p",
                    "ExpressionAttributeValues": {":p": {"S": "p"}},
                }
            )
            found.append((status, body.replace(table.encode(), b""), stored[2]))
        dynamodb._delete_table({"TableName": table})
        return found

    before = answers("plain")
    remember()

    assert answers("quick") == before
    assert {status for status, *_ in before} == {200, 400}


def _package(path: Path, text: str) -> Path:
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("python/adweir/__init__.py", text)
    return path


def _unpack(package: Path, folder: Path) -> Path:
    from sandbox.aws_server import UnpackedOnce

    folder.mkdir()
    with UnpackedOnce(package) as opened:
        opened.extractall(folder)
    return folder / "python/adweir/__init__.py"


def test_workers_share_the_files_of_a_package_and_not_those_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    one, other = _package(tmp_path / "one.zip", "a = 1"), _package(tmp_path / "other.zip", "a = 2")

    first, again, third = (
        _unpack(package, tmp_path / name) for package, name in ((one, "w1"), (one, "w2"), (other, "w3"))
    )

    assert first.samefile(again)
    assert [each.read_text() for each in (first, again, third)] == ["a = 1", "a = 1", "a = 2"]


def test_half_a_package_is_never_taken_for_a_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given: unpacking is cut short
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    package = _package(tmp_path / "one.zip", "a = 1")
    with (
        mock.patch.object(zipfile.ZipFile, "_extract_member", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        _unpack(package, tmp_path / "w1")

    # when
    file = _unpack(package, tmp_path / "w2")

    # then
    assert file.read_text() == "a = 1"


def test_only_files_that_are_not_unpacked_yet_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox.aws_server import UnpackedOnce

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    package = _package(tmp_path / "one.zip", "a = 1")

    def looked_at() -> list[str]:
        with UnpackedOnce(package) as opened:
            return opened.namelist()

    before = looked_at()
    _unpack(package, tmp_path / "w1")
    assert (before, looked_at()) == (["python/adweir/__init__.py"], [])


def test_the_workers_of_functions_unpack_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from ministack.core import lambda_runtime

    from sandbox import aws_server

    monkeypatch.setattr(lambda_runtime, "zipfile", zipfile)
    aws_server.unpack_once()
    assert lambda_runtime.zipfile.ZipFile is aws_server.UnpackedOnce
    assert lambda_runtime.zipfile.BadZipFile is zipfile.BadZipFile


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A worker of a function that logs as many lines as its event says."""
    from ministack.core import lambda_runtime

    from sandbox import aws_server

    monkeypatch.setattr(lambda_runtime.Worker, "_drain_stderr_bounded", lambda_runtime.Worker._drain_stderr_bounded)
    aws_server.take_logs_at_once()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        package.writestr("app.py", "def handler(lines, _):\n    [print('line', n, 'x' * 200) for n in range(lines)]\n")
    arn = "arn:aws:lambda:us-east-1:000000000000:function:talker"
    runtime = f"python3.{sys.version_info.minor}"
    config = {"FunctionName": "talker", "FunctionArn": arn, "Handler": "app.handler", "Runtime": runtime}
    found = lambda_runtime.Worker("talker", config, packed.getvalue())
    yield found
    process = found._proc
    found.kill()
    found._stderr_thread.join(5)
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()


def test_the_log_of_an_invocation_is_whole_and_waited_for_only_while_it_comes(worker: Any) -> None:
    took = {}
    for lines in (0, 1, 2000, 0):
        began = time.monotonic()
        answer = worker.invoke(lines, "request")
        took[lines] = time.monotonic() - began
        assert [line.split()[1] for line in answer["log"].splitlines()] == [str(number) for number in range(lines)]

    assert took[0] < 0.045


HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]}
BODY = {"type": "http.response.body", "body": b"whole"}
PARTS = [BODY | {"body": b"wh", "more_body": True}, BODY | {"body": b"ole"}]


@pytest.mark.parametrize(
    ("method", "messages", "writes"),
    [("GET", [BODY], 1), ("GET", PARTS, 2), ("HEAD", [BODY | {"body": b""}], 1)],
    ids=["whole", "in parts", "head"],
)
def test_the_head_of_an_answer_is_written_with_what_follows_it(
    method: str, messages: list[dict[str, Any]], writes: int
) -> None:
    # given: an answer as uvicorn writes it, and as it is written here
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from sandbox.one_write import OneWrite

    written = {}
    for kind in (RequestResponseCycle, OneWrite):
        transport, quiet = mock.Mock(), mock.Mock(write_paused=False)
        event = asyncio.Event()
        cycle = kind({"method": method}, transport, quiet, quiet, quiet, False, [], event, False, True, quiet)  # type: ignore[typeddict-item]

        # when
        for message in (HEAD, *messages):
            asyncio.run(cycle.send(message))  # type: ignore[arg-type]

        # then
        written[kind] = [call.args[0] for call in transport.write.call_args_list]
    assert b"".join(written[OneWrite]) == b"".join(written[RequestResponseCycle])
    assert len(written[OneWrite]) == writes


def test_the_look_for_messages_after_one_in_vain_is_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is called in MiniStack, and that MiniStack looks at it, may change with its version."""
    from ministack.services import lambda_svc

    from sandbox import aws_server

    monkeypatch.setattr(lambda_svc, "_ESM_IDLE_WAKE_GAP_SECONDS", lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS)
    aws_server.look_for_messages_sooner()

    assert "_ESM_IDLE_WAKE_GAP_SECONDS" in lambda_svc._poll_loop.__code__.co_names
    assert lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS < 0.01


def test_the_state_that_is_written_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    from ministack.core import persistence
    from ministack.core.responses import AccountRegionScopedDict

    from sandbox import aws_server

    kept = AccountRegionScopedDict()
    kept.set_scoped("000000000000", "eu-west-1", "größe", {"body": b"\x00\xff", "n": [1, None, "ä"]})
    monkeypatch.setattr(persistence, "PERSIST_STATE", True)
    monkeypatch.setattr(persistence, "STATE_DIR", str(tmp_path))
    monkeypatch.setattr(persistence, "json", persistence.json)
    persistence.save_state("before", {"kept": kept})

    # when
    aws_server.write_state_in_one_piece()
    with mock.patch.object(json, "dump", side_effect=AssertionError("bit by bit")):
        persistence.save_state("after", {"kept": kept})

    # then
    assert (tmp_path / "after.json").read_bytes() == (tmp_path / "before.json").read_bytes()
    assert persistence.load_state("after")["kept"]._data == kept._data


@pytest.mark.parametrize(
    "answer", [*({"Item": {"a": value}} for value in ATTRIBUTES), {1: [0.5, None]}, {"n": 1 << 70}]
)
def test_an_answer_says_the_same_with_msgspec(
    answer: dict[str, Any], dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    from sandbox import aws_server

    monkeypatch.setattr(dynamodb, "json_response", dynamodb.json_response)
    before = dynamodb.json_response(answer, 400)

    # when
    aws_server.answer_with_msgspec(dynamodb)
    status, headers, body = dynamodb.json_response(answer, 400)

    # then
    assert (status, headers, json.loads(body)) == (*before[:2], json.loads(before[2]))
