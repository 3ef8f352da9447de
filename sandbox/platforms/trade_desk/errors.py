"""The Trade Desk's refusals: a status and `{"Message", "ErrorDetails"}`.

Source: Foundations, "Return Codes" (the statuses); the official samples (`Message`); clients (`ErrorDetails`).
"""

from __future__ import annotations

from collections.abc import Mapping

from werkzeug.wrappers import Response

from sandbox.web import json_answer

UNAUTHORIZED = "The user does not have valid authentication credentials to access the requested resource."
FORBIDDEN = "The user does not have access to this endpoint or the entity, or it does not exist."


class DeskRefusal(Exception):
    """An answer with a status and a message. `details`: by property, what is wrong with it."""

    def __init__(
        self,
        status: int,
        message: str,
        details: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.details, self.headers = status, message, details or {}, headers

    def answer(self) -> Response:
        """The refusal as JSON."""
        details = [{"Property": name, "Reasons": [reason]} for name, reason in self.details.items()]
        body = {"Message": self.message} | ({"ErrorDetails": details} if details else {})
        return json_answer(body, self.status, self.headers)


def invalid(**details: str) -> DeskRefusal:
    """400: properties that are missing or wrong."""
    return DeskRefusal(400, "The request failed validation.", details)


def forbidden() -> DeskRefusal:
    """403: no access, or no such thing; the platform does not say which."""
    return DeskRefusal(403, FORBIDDEN)


def unauthorized() -> DeskRefusal:
    """401: no token, or one that is not valid any more."""
    return DeskRefusal(401, UNAUTHORIZED)
