"""What the routes' models share: base classes, ids, page parameters, and values that come from a registry."""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Self

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema

from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.model.times import parse_instant

PAGE_ITEMS = 50
"""Items per page when the caller gives no limit."""


class Given(BaseModel):
    """What a caller sends: a field that the model does not have is refused."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class Shown(BaseModel):
    """What a caller gets: the model's fields and no others, whatever is stored beside them."""

    model_config = ConfigDict(from_attributes=True, defer_build=True)

    @classmethod
    def of(cls, value: Any) -> Self:
        """The public form of a stored entity."""
        return cls.model_validate(value)


class OneOf:
    """An annotation that lists a text's values in the API's description, where they are looked up when it is made.

    The values are checked where they are used, because that code also accepts aliases.
    """

    def __init__(self, *values: str, known: Callable[[], Iterable[str]] | None = None) -> None:
        self._values = values
        self._known = known

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(core) | {"enum": list(self._known() if self._known else self._values)}


def _platform_names() -> list[str]:
    from adweir.platforms import REGISTRY

    return REGISTRY.names()


def _written_out(value: Any) -> Any:
    """A day as the description says it: pydantic alone would take 0 and "0" for one of 1970."""
    if value is None or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("is no date, YYYY-MM-DD")


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
Day = Annotated[date, BeforeValidator(_written_out)]
"""A date that a caller gives."""
Exact = Annotated[Decimal, WithJsonSchema({"type": "number", "examples": [12.345678]})]
"""An exact decimal: the digits of the JSON number are the stored ones."""
Number = Annotated[Exact | None, Field(description="null where the platform does not report it.")]
Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-20T06:00:00.000000Z"])]
PastInstant = Annotated[
    str,
    StringConstraints(min_length=10, max_length=limits.MAX_WORD_CHARS),
    Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-20T06:00:00Z"]),
]
PlatformId = Annotated[
    str,
    Field(
        description="As it is stored. A described one and a source of a client's own figures stand here, too.",
        examples=["meta_ads"],
    ),
]
PlatformName = Annotated[str, StringConstraints(max_length=limits.MAX_WORD_CHARS), OneOf(known=_platform_names)]
"""What a caller may call a platform: its name or an alias, in upper or lower case."""
AccountId = Annotated[str, Field(description="The client company's id.", examples=["acc_5f0c1d2e3b4a59687786"])]
RunId = Annotated[str, Field(description="The run's id.", examples=["run_daily-20261120T060000-5f0c1d2e"])]

AS_KNOWN_AT = "Answer as at this moment: the same rows and coverage as the same request was answered then."
CHANGED_SINCE = "List in `changes` each number that changed after this moment: old, new, how late, and why."

AccountPath = Annotated[str, Path(description="The client company's id, acc_….")]
PlatformPath = Annotated[PlatformName, Path(description="A platform or an alias of it.")]
RunPath = Annotated[str, Path(description="The run's id.")]

Why = Annotated[str, Query(max_length=limits.MAX_REASON_CHARS, description="Why, for the record.")]
"""A reason that the audit keeps."""
Limit = Annotated[
    int, Query(ge=1, le=limits.MAX_PAGE_ITEMS, description="The most items to return; a page may have fewer.")
]
AnyLimit = Annotated[
    int | None,
    Query(ge=1, le=limits.MAX_PAGE_ITEMS, description="The most items to return; without it 50, and of a CSV all."),
]
PageToken = Annotated[
    str,
    Query(
        max_length=limits.MAX_PAGE_TOKEN_CHARS,
        description="The next_token of the page before; without it the first page.",
    ),
]
NextToken = Annotated[
    str | None, Field(description="Send it as next_token to get the next page; null on the last page.")
]


WORDS = "Days in each ad account's time zone: yesterday, last_7_days, this_month, last_quarter, ..."


def several(what: str) -> Any:
    """A query parameter of several values."""
    return Field(default="", max_length=limits.MAX_LIST_FILTER_CHARS, description=f"{what}; several with commas.")


def one(what: str) -> Any:
    """A query parameter of one value."""
    return Field(default="", max_length=limits.MAX_WORD_CHARS, description=what)


def moment_of(text: str, field: str) -> datetime:
    """A moment with an offset. Raises Unprocessable."""
    try:
        return parse_instant(text)
    except (ValueError, OverflowError):
        message = "is not a moment like 2027-01-31T00:00:00Z"
        raise Unprocessable(f"{field} {message}", [{"field": field, "message": message}]) from None


class StartedRun(Shown):
    """The run that was asked for: follow it at `GET /api/v1/runs/{run_id}`."""

    run_id: RunId
