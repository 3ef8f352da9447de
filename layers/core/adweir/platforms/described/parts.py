"""The parts of a spec: requests, how answers are written, what they mean, pace, days, reports."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from adweir.model import limits
from adweir.model.errors import ThrottleScope
from adweir.model.mappings import TextEncoding
from adweir.platforms.described import paths

Text = Annotated[str, StringConstraints(max_length=limits.MAX_SPEC_TEXT_CHARS)]
_HEADER = r"^[A-Za-z0-9-]{1,100}$"
_RECORDS = rf"^(?:{paths.RECORDS})?$"
_VALUE = rf"^{paths.VALUE}$"
_CREDENTIAL_FIELD = r"^[a-z][a-z0-9_]{0,39}$"
_PATH = r"^(?:/[^\s#]*)?$"
CURRENCY = r"^[A-Z]{3}$"
FORMS = {
    _HEADER: "is no name of a header: letters, digits and -",
    _RECORDS: "is no place of records: members with dots between them, [] after each list, such as data.rows[]",
    _VALUE: "is no path of a value, such as stats.spend, ^.id or $.currency",
    _CREDENTIAL_FIELD: "is no name of a field of the credential: lower-case letters, digits and _, such as api_key",
    _PATH: "begins with a / and has neither spaces nor #",
    CURRENCY: "is no currency: three capital letters, such as EUR",
}
"""Patterns in words, for people who write specs."""
HeaderText = Annotated[str, StringConstraints(max_length=limits.MAX_SPEC_TEXT_CHARS, pattern=r"^[ -~]*$")]
"""The value of a header: no line break, with which another header would begin."""
_RESERVED = (
    "accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization",
    "proxy-connection", "range", "te", "trailer", "transfer-encoding", "upgrade",
)  # fmt: skip
"""Headers that say where a request goes, where it ends, or that a part of the answer is enough."""


def _is_not_reserved(name: str) -> str:
    if name.lower() in _RESERVED:
        raise ValueError(f"the header {name} is not the spec's: leave it out")
    return name


Header = Annotated[str, StringConstraints(pattern=_HEADER), AfterValidator(_is_not_reserved)]
RecordPath = Annotated[str, StringConstraints(max_length=200, pattern=_RECORDS)]
ValuePath = Annotated[str, StringConstraints(max_length=200, pattern=_VALUE)]
CredentialField = Annotated[str, StringConstraints(pattern=_CREDENTIAL_FIELD)]
"""The name of a field of the credential, which has its value."""


class SpecPart(BaseModel):
    """Base of what a spec consists of: a name that it does not have is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class SpecRequest(SpecPart):
    """A request. `path` follows the base URL and may hold a query that is sent as it is written.

    `query` is encoded; a list repeats its parameter. `json` or `form` is the body.
    """

    method: Literal["GET", "POST"] = "GET"
    path: Text = Field(pattern=_PATH)
    query: dict[Text, Text | list[Text]] = Field(default={}, max_length=100)
    headers: dict[Header, HeaderText] = Field(default={}, max_length=50)
    body: Any = Field(default=None, alias="json")
    form: dict[Text, Text] | None = Field(default=None, max_length=100)

    @field_validator("body")
    @classmethod
    def _is_shallow(cls, body: Any) -> Any:
        for _ in _texts(body):
            pass
        return body

    @model_validator(mode="after")
    def _has_the_body_of_its_method(self) -> Self:
        if self.body is not None and self.form is not None:
            raise ValueError("has a body in json and one in form: leave one out")
        if self.method == "GET" and (self.body is not None or self.form is not None):
            raise ValueError("is a GET, which has no body: make it a POST or use query")
        return self

    def check_file(self) -> None:
        """Raises ValueError for a request by which no file can be asked for."""
        if self.method == "POST" and self.body is None:
            raise ValueError("a file is asked for by GET, or by POST with a body in json")

    def texts(self) -> Iterator[str]:
        """Every text that may have placeholders."""
        yield self.path
        for value in self.query.values():
            yield from value if isinstance(value, list) else (value,)
        yield from self.headers.values()
        yield from _texts(self.body)
        yield from (self.form or {}).values()


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    """The texts of a JSON value. Raises ValueError for one that is nested too deep."""
    if depth > limits.MAX_SPEC_DEPTH:
        raise ValueError(f"is nested more than {limits.MAX_SPEC_DEPTH} times")
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(each, depth + 1)


class Packing(StrEnum):
    PLAIN = "plain"
    GZIP = "gzip"
    ZIP = "zip"


class WrittenForm(SpecPart):
    """How an answer with records is written.

    `skip_lines`: those above the header of a CSV. `encoding`: of a CSV without a byte order mark.
    """

    type: Literal["json", "csv"] = "json"
    packed: Packing = Packing.PLAIN
    delimiter: Literal[",", ";", "\t", "|"] = ","
    skip_lines: int = Field(default=0, ge=0, le=50)
    encoding: TextEncoding = "utf-8"


class AnswerMeaning(StrEnum):
    """What an answer means: each is the error of that name (docs/adding-a-platform.md)."""

    THROTTLED = "throttled"
    TRANSIENT = "transient"
    NOT_READY = "not_ready"
    TOO_MUCH_DATA = "too_much_data"
    NOT_APPLICABLE = "not_applicable"
    AUTH_EXPIRED = "auth_expired"
    ACCESS_DENIED = "access_denied"
    REJECTED = "rejected"


class Sign(SpecPart):
    """What tells an answer's meaning: its status, a value in its body, or both.

    Of the value: one of `values`, none of `but`, or a text that it `contains`; without any of them it only has to be
    there.
    """

    means: AnswerMeaning
    status: int | None = Field(default=None, ge=200, le=599)
    path: ValuePath | None = None
    values: tuple[Text, ...] = Field(default=(), max_length=100)
    but: tuple[Text, ...] = Field(default=(), max_length=100)
    contains: Text = ""
    wait_seconds: float | None = Field(default=None, ge=0, le=limits.MAX_PLATFORM_WAIT_SECONDS)

    @model_validator(mode="after")
    def _tells_something(self) -> Self:
        if self.status is None and self.path is None:
            raise ValueError("needs a status or a path, by which it is recognized")
        if self.path is None and (self.values or self.but or self.contains):
            raise ValueError("compares a value but has no path to it")
        return self


class Tempo(SpecPart):
    """How fast the API may be asked, and whom its refusals concern.

    `requests_per_minute` spaces the requests of one worker. `wait_header` names the header that says how many seconds
    to wait, `wait_seconds` is used where it is missing.
    """

    requests_per_minute: float | None = Field(default=None, gt=0, le=6000)
    wait_header: Header = "Retry-After"
    wait_seconds: float | None = Field(default=None, ge=1, le=limits.MAX_PLATFORM_WAIT_SECONDS)
    scope: Literal["profile", "credential", "spec"] = "credential"

    @property
    def concerns(self) -> ThrottleScope:
        """The scope of the brake; the region of a spec's ad accounts is the spec."""
        return ThrottleScope.REGION if self.scope == "spec" else ThrottleScope(self.scope)


class Days(SpecPart):
    """Which days are asked for, in the words of docs/platforms.md. A request is for at most `max_days`."""

    max_days: int = Field(default=31, ge=1, le=366)
    lookback_days: int = Field(default=7, ge=1, le=limits.MAX_LOOKBACK_DAYS)
    settles_after_days: int = Field(default=28, ge=1, le=limits.MAX_LOOKBACK_DAYS)
    retention_days: int | None = Field(default=None, ge=1, le=limits.MAX_BACKFILL_DAYS)


class ForEach(SpecPart):
    """Ask about so many objects at a time; `{ids}` stands for their ids."""

    dataset: Literal["campaigns", "ad_groups", "ads"]
    batch: int = Field(default=1, ge=1, le=1000)
    separator: str = Field(default=",", min_length=1, max_length=5)


class AsyncReport(SpecPart):
    """An asynchronous report: ask for it, look at it until it is ready, fetch it.

    Its file is at the `url` that the answer to `poll` names, or is the answer to `download`.
    """

    create: SpecRequest
    id: ValuePath
    poll: SpecRequest
    state: ValuePath
    ready: tuple[Text, ...] = Field(min_length=1, max_length=20)
    failed: tuple[Text, ...] = Field(default=(), max_length=20)
    url: ValuePath | None = None
    download: SpecRequest | None = None

    @model_validator(mode="after")
    def _has_a_file(self) -> Self:
        if (self.url is None) == (self.download is None):
            raise ValueError("needs either url (a path in the answer to poll) or download (a request)")
        if self.download is not None:
            self.download.check_file()
        return self
