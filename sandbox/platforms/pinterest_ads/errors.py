"""What Pinterest refuses: a status, and a body with a code and a message.

Source: the description's schema `Error`, the examples of its operations, and the answers in issue 31 of
pinterest/pinterest-python-generated-api-client (a 401 also has `status`) and issue 16 of pinterest/pinterest-api-demo
(a dead grant is code 283; its status is assumed).
"""

from __future__ import annotations

from collections.abc import Mapping

from werkzeug.wrappers import Response

from sandbox.web import json_answer


class PinterestRefusal(Exception):
    """An error answer."""

    def __init__(self, status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self._status, self._code, self._headers = status, code, headers

    def answer(self) -> Response:
        """The refusal as HTTP."""
        body = {"code": self._code, "message": str(self), "status": "failure"}
        return json_answer(body, self._status, self._headers)


def invalid(message: str) -> PinterestRefusal:
    """A parameter that is missing or wrong."""
    return PinterestRefusal(400, 1, f"Invalid request: {message}")


def unauthorized() -> PinterestRefusal:
    """No access token, or one that is none, has expired or was revoked."""
    return PinterestRefusal(401, 2, "Authentication failed.")


def forbidden() -> PinterestRefusal:
    """An ad account that the user may not see; one that does not exist is no different."""
    return PinterestRefusal(403, 29, "You are not permitted to access that resource.")
