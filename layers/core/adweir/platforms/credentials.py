"""The fields of a platform's credential, one pydantic model per platform, and the messages about wrong values.

Each field is text that goes into a request: `Secret`, or one of the kinds that say more about it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from adweir.model import limits
from adweir.model.errors import Unprocessable

_SHOWN = 30
_TEXT = StringConstraints(
    min_length=1, max_length=limits.MAX_CREDENTIAL_VALUE_CHARS, pattern=r"^[!-~]*[0-9A-Za-z][!-~]*$"
)
"""A value without a letter or digit is a placeholder (`...`) that was not replaced."""


class FieldKind(StrEnum):
    """What a field of a credential is, beside its value.

    SECRET is never shown. PLAIN may be. ROUTE says where requests go (a region, a manager account) and is kept with the
    profiles. APP identifies the application that the platform counts quotas for. ENDS is the day (YYYY-MM-DD) on which
    the credential ends, of those that cannot be renewed: the health says so before.
    """

    SECRET = "secret"  # noqa: S105  a kind of field
    PLAIN = "plain"
    ROUTE = "route"
    APP = "app"
    ENDS = "ends"


Secret = Annotated[str, _TEXT, FieldKind.SECRET]
SecretApp = Annotated[str, _TEXT, FieldKind.SECRET, FieldKind.APP]
Plain = Annotated[str, _TEXT, FieldKind.PLAIN]
PlainApp = Annotated[str, _TEXT, FieldKind.PLAIN, FieldKind.APP]
PlainEnd = Annotated[str, _TEXT, FieldKind.PLAIN, FieldKind.ENDS]


class CredentialFields(BaseModel):
    """Base of a platform's credential: unknown fields are refused, no message repeats a value."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"  # into no log and no traceback

    __str__ = __repr__

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        """Check and read a credential's values. Raises Unprocessable that names each field, never a value."""
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            faults = [cls._fault(fault) for fault in error.errors(include_url=False, include_input=False)][:_SHOWN]
        raise Unprocessable.listing("the credential is refused", faults)

    @classmethod
    def check_secrets(cls, values: Mapping[str, str]) -> None:
        """Refuse secrets that are too short to be told from other text in what the platform answers.

        Raises Unprocessable; checked when a credential is stored, so that one stored before can still be read.
        """
        least = limits.MIN_CREDENTIAL_SECRET_CHARS
        short = [name for name in cls.named(FieldKind.SECRET) if 0 < len(values.get(name, "")) < least]
        if short:
            faults = [{"field": name, "message": f"needs at least {least} characters"} for name in short]
            raise Unprocessable.listing("the credential is refused", faults)

    @classmethod
    def check_given(cls, values: Mapping[str, str]) -> None:
        """Refuse an end that is no date, and what else a platform has against values that it could read.

        Raises Unprocessable; checked when a credential is stored, as secrets are.
        """
        wrong = [name for name in cls.named(FieldKind.ENDS) if values.get(name) and _day(values[name]) is None]
        if wrong:
            faults = [{"field": name, "message": "is a date, YYYY-MM-DD"} for name in wrong]
            raise Unprocessable.listing("the credential is refused", faults)

    @classmethod
    def named(cls, kind: FieldKind) -> tuple[str, ...]:
        """The names of the fields of a kind."""
        return tuple(name for name, field in cls.model_fields.items() if kind in field.metadata)

    @classmethod
    def secrets_in(cls, values: Mapping[str, str]) -> list[str]:
        """The secret ones of a credential's values, as they are stored; a field that is not known counts as secret."""
        shown = set(cls.model_fields) - set(cls.named(FieldKind.SECRET))
        return [value for name, value in values.items() if name not in shown]

    @property
    def route(self) -> str:
        """The value of the route field; "" where the platform has none."""
        return self._value(FieldKind.ROUTE)

    @property
    def ends(self) -> date | None:
        """The day on which it ends; None where nobody has said so."""
        return _day(self._value(FieldKind.ENDS))

    @property
    def app_hash(self) -> str:
        """16 hex digits that distinguish applications without showing a secret; "" where none is given."""
        app = self._value(FieldKind.APP)
        return hashlib.sha256(app.encode()).hexdigest()[:16] if app else ""

    def _value(self, kind: FieldKind) -> str:
        return next((str(value) for name in self.named(kind) if (value := getattr(self, name))), "")

    @classmethod
    def _fault(cls, fault: Mapping[str, Any]) -> dict[str, str]:
        field = str(fault["loc"][0])[:64] if fault["loc"] else ""
        kind = fault["type"]
        if kind in {"missing", "string_type"}:  # a platform's own validator names a field that is missing with None
            message = "is required"
        elif kind == "extra_forbidden":
            message = f"is unknown; known: {', '.join(cls.model_fields)}"
        elif kind in {"literal_error", "enum"}:
            known = fault["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            message = f"is one of {', '.join(filter(None, known))}"
            if "" in known:
                message += ", or is left out"
        else:
            most = limits.MAX_CREDENTIAL_VALUE_CHARS
            message = f"is 1 to {most} printable ASCII characters without spaces, a letter or digit among them"
        return {"field": field, "message": message}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
