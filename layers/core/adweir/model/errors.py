"""The one error tree.

Each class under `AdweirError` says what went wrong in the words of the field. What the queue consumer does about it is
in one place, `adweir.runtime.consumer`, and what the API answers in `adweir.runtime.http`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from adweir.model.tasks import Task


class ThrottleScope(StrEnum):
    """What a platform's rate limit covers: one profile, a whole credential, an application, or a region."""

    PROFILE = "profile"
    CREDENTIAL = "credential"
    APP = "app"
    REGION = "region"


class AdweirError(Exception):
    """Base of all expected failures. `code` is stable and machine-readable; `context` is safe to log and store."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.context = context


class Throttled(AdweirError):
    """The platform, a brake or a lease asks to wait `retry_after` seconds; `scope` says who has to.

    `guessed`: the platform did not say how long, so each further attempt should wait longer.
    """

    code = "throttled"

    def __init__(
        self,
        message: str,
        retry_after: float,
        *,
        guessed: bool = False,
        scope: ThrottleScope = ThrottleScope.PROFILE,
        **context: Any,
    ) -> None:
        super().__init__(message, **context)
        self.retry_after = retry_after
        self.guessed = guessed
        self.scope = scope


class NotReady(AdweirError):
    """A report is not finished yet; ask again in `after` seconds."""

    code = "not_ready"

    def __init__(self, message: str, after: float, **context: Any) -> None:
        super().__init__(message, **context)
        self.after = after


class Transient(AdweirError):
    """Network trouble or a 5xx: the same request may succeed in a moment."""

    code = "transient"


class Narrowable(AdweirError):
    """The task cannot be done as it is. `parts` are narrower tasks that replace it, empty when there are none."""

    parts: Sequence[Task] = ()


class TooMuchData(Narrowable):
    """The platform cannot answer this task in one piece."""

    code = "too_much_data"


class NotApplicable(AdweirError):
    """The profile has no such data (an ad product that it does not use, no hourly data). This is not a failure."""

    code = "not_applicable"


class AuthExpired(AdweirError):
    """The credential is dead (revoked, expired without refresh): a person has to replace it.

    `label` and `credential_version` say which one was used, "" and None when that is not known.
    """

    code = "auth_expired"

    def __init__(self, message: str, *, label: str = "", credential_version: int | None = None, **context: Any) -> None:
        super().__init__(message, **context)
        self.label = label
        self.credential_version = credential_version


class AccessDenied(AdweirError):
    """The credential works, but has lost permission on this one profile."""

    code = "access_denied"


class OutOfRetention(AdweirError):
    """The window begins before what the platform keeps; `oldest` is the first day that it still has."""

    code = "out_of_retention"

    def __init__(self, message: str, oldest: date, **context: Any) -> None:
        super().__init__(message, **context)
        self.oldest = oldest


class RequestRejected(AdweirError):
    """The platform refuses the request as wrong. Asking again cannot help."""

    code = "request_rejected"


class ReportFailed(Narrowable):
    """An asynchronous report ended in failure on the platform's side (its reason is the message)."""

    code = "report_failed"


class DeadlinePassed(AdweirError):
    """A task was still unfinished at its deadline."""

    code = "deadline"


class MassVanish(AdweirError):
    """A pull would zero so much stored spend that it needs a second opinion before it may."""

    code = "mass_vanish"


class BadInput(AdweirError):
    """The caller's input is wrong. `details` lists each fault as {"field", "message", ...}; API status 400."""

    code = "bad_input"

    def __init__(self, message: str, details: list[dict[str, Any]] | None = None, **context: Any) -> None:
        super().__init__(message, **context)
        self.details = details or []

    @classmethod
    def listing(cls, what: str, faults: Sequence[Mapping[str, Any]]) -> Self:
        """The error for faults, of which there is at least one: its message is `what` and the first of them."""
        first = faults[0]
        return cls(f"{what}: {first['field']}: {first['message']}", [dict(fault) for fault in faults])


class Unverified(BadInput):
    """A missing, wrong or stale signature, or no secret configured to check it with; API status 401."""

    code = "unverified"


class Forbidden(BadInput):
    """The API key lacks the scope; API status 403."""

    code = "forbidden"


class NotFound(BadInput):
    """There is no such account, run, profile, ...; API status 404."""

    code = "not_found"


class MethodNotAllowed(BadInput):
    """The path exists, but not with this HTTP method; API status 405. `allowed` are the methods that it has."""

    code = "method_not_allowed"

    def __init__(self, message: str, allowed: list[str], **context: Any) -> None:
        super().__init__(message, [{"field": "method", "message": f"one of {', '.join(allowed)}"}], **context)
        self.allowed = allowed


class Conflict(BadInput):
    """It already exists, or changed in the meantime; API status 409."""

    code = "conflict"


class TooLarge(BadInput):
    """A body, a number of records or an answer over its limit; API status 413."""

    code = "too_large"


class Unprocessable(BadInput):
    """Well-formed, but it names something unknown; API status 422."""

    code = "unprocessable"


class UnreadableItem(AdweirError):
    """A stored item cannot be read: another version wrote it, or it was edited; API status 500. Lists leave it out."""

    code = "unreadable"


class Unavailable(AdweirError):
    """Storage that we depend on does not answer; API status 503, the sender should try again."""

    code = "unavailable"
