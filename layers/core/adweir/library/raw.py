"""The platform's own answers, for `raw=True`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import msgspec

from adweir.library.pulling import AskedPull, Pulling
from adweir.model import limits
from adweir.model.errors import NotApplicable, TooLarge, Transient


def answers(pulling: Pulling, asked: Iterable[AskedPull]) -> Iterator[Any]:
    """Each answer of the tasks: decoded where it is JSON, else as text. Raises TooLarge."""
    for each in asked:
        with suppress(NotApplicable):
            for page in pulling.pages(each):
                body = page.stream.read(limits.MAX_RESPONSE_BYTES + 1)
                if len(body) > limits.MAX_RESPONSE_BYTES:
                    raise TooLarge(
                        f"an answer has more than {limits.MAX_RESPONSE_BYTES} bytes: read its rows, without raw=True,"
                        " or ask for fewer days"
                    )
                yield _decoded(body) if page.media == "json" else body.decode("utf-8-sig", errors="replace")


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Transient("the platform answered with text that is not JSON") from None
