"""Amazon's refusals."""

from __future__ import annotations

from collections.abc import Mapping

from werkzeug.wrappers import Response

from sandbox.web import json_answer


class AmazonRefusal(Exception):
    """An answer with a status, a code and a text."""

    def __init__(self, status: int, detail: str, code: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.code, self.headers = status, detail, code or str(status), headers

    def answer(self, path: str) -> Response:
        """The JSON: reporting's errors carry `detail`, the others `details`."""
        key = "detail" if path.startswith("/reporting") else "details"
        return json_answer({"code": self.code, key: self.detail}, self.status, self.headers)


def unauthorized() -> AmazonRefusal:
    """The access token is not valid."""
    return AmazonRefusal(401, "HTTP 401 Unauthorized", "UNAUTHORIZED")


def bad_request(detail: str) -> AmazonRefusal:
    """An argument is wrong."""
    return AmazonRefusal(400, detail, "INVALID_ARGUMENT")


def storage_error(status: int, code: str, message: str) -> Response:
    """An error of the storage that holds finished reports."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(body, status, content_type="application/xml")
