"""MiniStack behind a faster HTTP server. Run by file name in place of `-m ministack` (sandbox/ministack.py).

MiniStack answers every request in one thread of one process, so its time per request is the sandbox's pace. With
hypercorn, its own server, HTTP alone takes 0.7 ms of a request; uvicorn with httptools and uvloop takes 0.3 ms. And
MiniStack checks an expression anew for each item that it compares, and works out each number's size and canonical form
wherever it stands: here these are worked out once for each expression and for each number.

MiniStack also unpacks the code and the layer of a function anew for each worker: with a thousand files for each, a used
sandbox had 65,000 files to delete when it stopped, which took longer than all else. Here a package is unpacked once.

And it waits 50 ms for the log of an invocation that logs nothing, and 5 ms after the last line of another. Here it
waits while there is something to read. It looks for messages 50 ms after a look in vain: here 5 ms.
What its Athena answers in other ways than Athena is in athena.py.
"""

from __future__ import annotations

import fcntl
import json
import operator
import os
import re
import runpy
import struct
import tempfile
import termios
import threading
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache, partial
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import msgspec
import uvicorn
from ministack import app as ministack_app
from ministack.core import lambda_runtime, persistence
from ministack.services import dynamodb, lambda_svc, s3, scheduler
from uvicorn.protocols.http import httptools_impl

_NUMBERS = 100_000
_EXPRESSIONS = 1000
_DRAIN_SECONDS = 3
"""How long requests that are being answered may go on after SIGTERM."""


def remember() -> None:
    """Have MiniStack's DynamoDB remember what depends on a number's text or an expression's text alone."""
    for name in ("_number_error", "_number_size_bytes", "_ddb_canonicalize_number"):
        setattr(dynamodb, name, _of_text(getattr(dynamodb, name)))
    dynamodb._evaluate_condition = _checked_once(dynamodb._evaluate_condition)  # noqa: SLF001
    of_number = _KnownTexts(dynamodb._number_size_bytes)  # noqa: SLF001
    dynamodb._attribute_value_size = size = _size_of(dynamodb._attribute_value_size, of_number)  # noqa: SLF001
    dynamodb._item_size_bytes = partial(_size_of_item, size)  # noqa: SLF001
    _once_in_a_batch()
    dynamodb._attribute_value_error = _error_in(  # noqa: SLF001
        dynamodb._attribute_value_error,  # noqa: SLF001
        _KnownTexts(dynamodb._number_error),  # noqa: SLF001
    )
    dynamodb._validate_attribute_value = _validated(  # noqa: SLF001
        dynamodb._validate_attribute_value,  # noqa: SLF001
        _KnownTexts(dynamodb._ddb_canonicalize_number),  # noqa: SLF001
    )


class _KnownTexts(dict[str, Any]):
    """What `work_out` makes of texts, worked out once for each."""

    def __init__(self, work_out: Callable[[str], Any]) -> None:
        super().__init__()
        self._work_out = work_out

    def __missing__(self, text: str) -> Any:
        if len(self) >= _NUMBERS:
            self.clear()
        found = self[text] = self._work_out(text)
        return found


def _number_in(value: Any) -> str | None:
    """The text of a value that is a number."""
    text = value.get("N") if type(value) is dict and len(value) == 1 else None
    return text if type(text) is str else None


def _size_of(work_out: Callable[[Any], int], of_number: Mapping[str, int]) -> Callable[[Any], int]:
    """`work_out`, MiniStack's size of a value, quicker for texts and for lists, whose elements are mostly numbers.

    Each item that is read or written is measured up to four times, which took a third of the time of all requests.
    """

    def size(value: Any) -> int:
        if type(value) is not dict or len(value) != 1:
            return work_out(value)
        ((kind, held),) = value.items()
        if kind == "S" and type(held) is str:
            return _bytes_of(held)
        if kind != "L" or type(held) is not list:
            return work_out(value)
        total = 3
        for each in held:
            number = _number_in(each)
            if number is not None:
                total += 1 + of_number[number]
            elif type(each) is dict:
                total += 1 + size(each)
        return total

    return size


def _bytes_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _size_of_item(size: Callable[[Any], int], item: Any) -> int:
    return sum([_bytes_of(name) + size(value) for name, value in item.items()]) if isinstance(item, dict) else 0


def _once_in_a_batch() -> None:
    """Have MiniStack validate and measure each item of a batch once: it does so before it writes any, and again."""
    write, validate, measure = dynamodb._batch_write_item, dynamodb._validate_item, dynamodb._item_size_bytes  # noqa: SLF001
    right: dict[int, Any] = {}
    sizes: dict[int, tuple[Any, int]] = {}
    """By identity: the item stays in here, so that nothing else can have it."""
    writing = threading.local()

    def written(request: Any) -> Any:
        writing.now = True
        try:
            return write(request)
        finally:
            writing.now = False
            right.clear()
            sizes.clear()

    def validated(item: Any, *more: Any, **named: Any) -> Any:
        if not getattr(writing, "now", False):
            return validate(item, *more, **named)
        wrong = None if id(item) in right else validate(item, *more, **named)
        if wrong is None:
            right[id(item)] = item
        return wrong

    def measured(item: Any) -> int:
        if not getattr(writing, "now", False):
            return int(measure(item))
        if id(item) not in sizes:
            sizes[id(item)] = item, measure(item)
        return sizes[id(item)][1]

    dynamodb._batch_write_item, dynamodb._validate_item = written, validated  # noqa: SLF001
    dynamodb._item_size_bytes = measured  # noqa: SLF001


def _error_in(find: Callable[[Any], str | None], in_number: Mapping[str, str | None]) -> Callable[[Any], str | None]:
    """`find`, MiniStack's first error in a value, quicker for lists."""

    def error(value: Any) -> str | None:
        held = value.get("L") if type(value) is dict and len(value) == 1 else None
        if type(held) is not list:
            return find(value)
        for each in held:
            number = _number_in(each)
            wrong = error(each) if number is None else in_number[number]
            if wrong:
                return wrong
        return None

    return error


def _validated(validate: Callable[..., Any], canonical: Mapping[str, str | None]) -> Callable[..., Any]:
    """`validate`, MiniStack's check of a value, in which it writes numbers as DynamoDB does, quicker for lists."""

    def validated(name: str, value: Any, depth: int = 1) -> Any:
        held = value.get("L") if type(value) is dict and len(value) == 1 else None
        if type(held) is not list or depth >= dynamodb._DDB_MAX_NESTING_DEPTH:  # noqa: SLF001
            return validate(name, value, depth)
        for each in held:
            number = _number_in(each)
            written = None if number is None else canonical[number]
            if written is not None:
                each["N"] = written
            elif wrong := validated(name, each, depth + 1):
                return wrong
        return None

    return validated


def _of_text(work_out: Callable[[Any], Any]) -> Callable[[Any], Any]:
    known = lru_cache(_NUMBERS)(work_out)
    return lambda given: known(given) if type(given) is str else work_out(given)


class _RightExpression(NamedTuple):
    """An expression that was right: its tokens, the parts of one that `_part` knows, the bounds of each BETWEEN."""

    tokens: Any
    parts: tuple[tuple[str, str, tuple[str, ...]], ...]
    bounds: tuple[tuple[str, str], ...]


_NAME, _VALUE = r"(#?\w+)", r"(:\w+)"
_PART = rf"{_NAME} (=|<|<=|>|>=) {_VALUE}|{_NAME} BETWEEN {_VALUE} AND {_VALUE}|(begins_with) ?\({_NAME}, {_VALUE}\)"
_PARTS = re.compile(rf"\(?(?:{_PART})(?: AND (?:{_PART}))?\)?")


def _checked_once(evaluate: Callable[..., bool]) -> Callable[..., bool]:
    """`evaluate`, which splits and checks an expression that was right before no second time."""
    right: dict[tuple[str, str], _RightExpression] = {}

    def evaluated(
        expression: str, item: Any, values: Any, names: Any, slot: str = "ConditionExpression", **named: Any
    ) -> bool:
        known = right.get((expression, slot))
        if known is not None:
            with suppress(Exception):  # what is wrong with the values is said below
                quick = _of_strings(known.parts, item, values, names) if known.parts else None
                if quick is not None:
                    return quick
                bounds = ((values.get(low), values.get(high)) for low, high in known.bounds)
                if not any(dynamodb._between_bounds_error(*each) for each in bounds):  # noqa: SLF001
                    return bool(dynamodb._ExprEval(known.tokens, item, values, names).evaluate())  # noqa: SLF001
        found = evaluate(expression, item, values, names, slot, **named)
        if expression and len(right) < _EXPRESSIONS:
            right[expression, slot] = _checked(expression)
        return found

    return evaluated


def _checked(expression: str) -> _RightExpression:
    tokens = dynamodb._tokenize(expression)  # noqa: SLF001
    bounds = tuple(
        (low[1], high[1])
        for (kind, text), low, _, high in zip(tokens, tokens[1:], tokens[2:], tokens[3:], strict=False)
        if kind == "IDENT" and text.upper() == "BETWEEN" and low[0] == high[0] == "VALUE_REF"
    )
    found = _PARTS.fullmatch(expression)
    texts = [each for each in found.groups() if each] if found else []
    return _RightExpression(tokens, tuple(_split(texts)), bounds)


def _split(texts: Sequence[str]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """What `_PARTS` found → each part's name, operator and values."""
    left = list(texts)
    while left:
        if left[0] == "begins_with":
            _, name, prefix, *left = left
            yield name, "begins_with", (prefix,)
        elif left[1].startswith(":"):
            name, low, high, *left = left
            yield name, "BETWEEN", (low, high)
        else:
            name, compared, value, *left = left
            yield name, compared, (value,)


_COMPARED: dict[str, Callable[..., bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "begins_with": str.startswith,
    "BETWEEN": lambda text, low, high: low <= text <= high,
}


def _of_strings(parts: Iterable[tuple[str, str, tuple[str, ...]]], item: Any, values: Any, names: Any) -> bool | None:
    """Whether all parts hold; None unless each compares a string that is there with strings. Keys are mostly strings,
    and a query compares each item of its partition.
    """
    holds = True
    for name, compared, given in parts:
        text = item.get(names.get(name, name), {}).get("S")
        with_these = [values[each].get("S") for each in given]
        if text is None or None in with_these or (compared == "BETWEEN" and with_these[0] > with_these[1]):
            return None
        holds = holds and _COMPARED[compared](text, *with_these)
    return holds


_unpacking = threading.Lock()


class UnpackedOnce(zipfile.ZipFile):
    """A package whose files are shared by all who extract the same content: their folder is a link to them.

    Functions must not change their own files, as on AWS, where these cannot be written.
    """

    @cached_property
    def _files(self) -> Path:
        content = repr([(each.filename, each.file_size, each.CRC) for each in self.infolist()])
        return Path(tempfile.gettempdir()) / "packages" / sha256(content.encode()).hexdigest()

    def namelist(self) -> list[str]:
        """The files that are still to be unpacked: MiniStack looks where each would go, which takes 50 ms for a layer.

        Of a package that is there it has done so.
        """
        return [] if self._files.exists() else super().namelist()

    def extractall(self, path: Any = None, *_: Any, **__: Any) -> None:
        """Make `path`, an empty folder, a link to the package's files."""
        files = self._files
        packages = files.parent
        with _unpacking:
            if not files.exists():
                packages.mkdir(exist_ok=True)
                # A kill would leave half a package under the name of a whole one: it gets its name at the end.
                half = tempfile.mkdtemp(dir=packages)
                super().extractall(half)
                Path(half).rename(files)
        Path(path).rmdir()
        Path(path).symlink_to(files, target_is_directory=True)


def unpack_once() -> None:
    """Have MiniStack's workers of functions share what their packages contain."""
    lambda_runtime.zipfile = SimpleNamespace(**vars(zipfile) | {"ZipFile": UnpackedOnce})


_LOG_SECONDS, _LOOK_SECONDS, _LOOKS = 0.25, 0.001, 2


def take_logs_at_once() -> None:
    """Have MiniStack wait for the log of an invocation no longer than lines are on their way."""
    lambda_runtime.Worker._drain_stderr_bounded = _logged  # noqa: SLF001


def _logged(worker: Any) -> str:
    """What a worker logged until it answered: it is in the pipe by then, or with the thread that reads the pipe.

    The thread has what it read in the queue within a look; two looks at nothing in a row are the end.
    """
    if worker._proc is None:  # noqa: SLF001  it failed, and was ended
        return str(worker._drain_stderr())  # noqa: SLF001
    lines: list[str] = []
    quiet, deadline = 0, time.monotonic() + _LOG_SECONDS
    while quiet < _LOOKS and time.monotonic() < deadline:
        is_empty = not _waiting(worker._proc.stderr)  # noqa: SLF001
        found = worker._drain_stderr()  # noqa: SLF001
        lines += [found] if found else []
        quiet = quiet + 1 if is_empty and not found else 0
        time.sleep(_LOOK_SECONDS)
    return "\n".join(lines)


def _waiting(pipe: Any) -> int:
    """How many bytes of a pipe nobody has read yet."""
    (count,) = struct.unpack("i", fcntl.ioctl(pipe.fileno(), termios.FIONREAD, b"\0" * 4))
    return int(count)


_GAP_SECONDS = 0.005


def look_for_messages_sooner() -> None:
    """Have MiniStack look for messages 5 ms after a look in vain, not 50 ms.

    It looks when a message is sent and when an invocation ends. A message for a function whose workers are busy is such
    a look: for 50 ms after it, workers that had become free were given nothing.
    """
    lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS = _GAP_SECONDS  # noqa: SLF001


def answer_with_msgspec(dynamodb_module: Any) -> None:
    """Have MiniStack's DynamoDB write its answers with msgspec; what that cannot write goes the way it went before."""
    before = dynamodb_module.json_response

    def answer(data: Any, status: int = 200, **how: Any) -> Any:
        with suppress(TypeError, ValueError, OverflowError):
            body = msgspec.json.encode(data)
            return (*before({}, status, **how)[:2], body)
        return before(data, status, **how)

    dynamodb_module.json_response = answer


def write_state_in_one_piece() -> None:
    """Have MiniStack make the text of its state at once: written bit by bit, the same text takes five times as long."""

    def dump(state: Any, file: Any, **how: Any) -> None:
        file.write(json.dumps(state, **how))

    persistence.json = SimpleNamespace(**vars(json) | {"dump": dump})


def _nothing() -> None:
    """What stands for a part of MiniStack that the sandbox has itself."""


def main() -> None:
    """Serve until SIGTERM, then write the state."""
    remember()
    unpack_once()
    take_logs_at_once()
    look_for_messages_sooner()
    write_state_in_one_piece()
    answer_with_msgspec(dynamodb)
    runpy.run_path(str(Path(__file__).with_name("aws_reads.py")))["mend"](dynamodb)
    runpy.run_path(str(Path(__file__).with_name("aws_ids.py")))["mend"](ministack_app)
    runpy.run_path(str(Path(__file__).with_name("aws_objects.py")))["mend"](s3)
    runpy.run_path(str(Path(__file__).with_name("one_write.py")))["mend"](httptools_impl)
    runpy.run_path(str(Path(__file__).with_name("athena.py")))["mend"]()
    runpy.run_path(str(Path(__file__).with_name("forks.py")))["mend"](lambda_runtime)
    scheduler.start_scheduler = _nothing  # it knows no time zones: sandbox/clock.py fires the schedules
    runpy.run_path(str(Path(__file__).with_name("memory.py")))["collect_seldom"]()
    uvicorn.run(
        ministack_app.app,
        host=os.environ["BIND_HOST"],
        port=int(os.environ["GATEWAY_PORT"]),
        http="httptools",
        loop="uvloop",
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )


if __name__ == "__main__":
    main()
