"""Amazon's refusals, in the four forms that its services have.

The gateway, Sponsored Display and Brands v3 answer `{"code", "details"}` (source: docs/en-us/reference/concepts/errors
and the OpenAPI files of sponsored-display/3-0 and sponsored-brands/3-0); reporting `{"code", "detail"}` (source:
OfflineReport_prod_3p.json); Sponsored Products v3, Brands v4 and portfolios `{"code", "message", "errors"}` (source:
SponsoredProducts_prod_3p.json, SponsoredBrands_prod_3p.json); report polling now and then `{"message"}` alone (source:
airbyte issue #54650).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from sandbox.web import json_answer


class AmazonRefusal(Exception):
    """An answer with a status and a text. `code`: by default the status, as reporting writes it."""

    def __init__(self, status: int, detail: str, code: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail.encode("utf-8", "replace").decode()  # half a character that was asked for is no text
        self.status, self.code, self.headers = status, code or str(status), headers

    def answer(self, path: str) -> Response:
        """The JSON, in the form of the path's service."""
        return json_answer(self.body(path), self.status, self.headers)

    def body(self, path: str) -> dict[str, Any]:
        """`{"code", "detail"}` from reporting, `{"code", "details"}` from elsewhere."""
        return {"code": self.code, "detail" if path.startswith("/reporting") else "details": self.detail}


class PassingRefusal(AmazonRefusal):
    """The 401 that polling a report answers at times, though nothing is wrong with the token."""

    def __init__(self) -> None:
        super().__init__(401, "Unauthorized")

    def body(self, path: str) -> dict[str, Any]:  # noqa: ARG002 - the same from everywhere
        """Nothing but a message."""
        return {"message": self.detail}


class InvalidArgument(AmazonRefusal):
    """A request that a list of Sponsored Products v3, Brands v4 or portfolios refuses.

    `location`: a JSON path. `kind`: rangeError, invalidInputError or otherError, with its `reason` and limits.
    """

    def __init__(self, message: str, location: str, kind: str = "otherError", **error: Any) -> None:
        super().__init__(400, message, "INVALID_ARGUMENT")
        self._value = {"reason": "OTHER_ERROR", "message": self.detail, "cause": {"location": location}} | error
        self._kind = kind

    def body(self, path: str) -> dict[str, Any]:  # noqa: ARG002 - the same from each of these services
        """`code`, `message`, and one error with its place."""
        errors = [{"errorType": self._kind, "errorValue": {self._kind: self._value}}]
        return {"code": self.code, "message": self.detail, "errors": errors}


class ServiceRefusal(AmazonRefusal):
    """Another refusal of these services: `{"code", "message"}`."""

    def body(self, path: str) -> dict[str, Any]:  # noqa: ARG002 - the same from each of these services
        """`code` and `message`."""
        return {"code": self.code, "message": self.detail}


def unauthorized() -> AmazonRefusal:
    """The access token is not valid."""
    return AmazonRefusal(401, "HTTP 401 Unauthorized", "UNAUTHORIZED")


def bad_request(detail: str) -> AmazonRefusal:
    """A header or a query parameter is wrong."""
    return AmazonRefusal(400, detail, "INVALID_ARGUMENT")


class ProductRefusal(AmazonRefusal):
    """A healthy advertiser who has no access to an ad product (source: airbyte PR #5023, for Sponsored Display)."""

    def __init__(self, product: str) -> None:
        name = {"sp": "Sponsored Products", "sb": "Sponsored Brands", "sd": "Sponsored Display"}[product]
        super().__init__(403, f"Advertiser is not authorized for {name}.")

    def body(self, path: str) -> dict[str, Any]:
        """With a request's id, as clients received it."""
        return super().body(path) | {"requestId": "Y1MSNQKCSANDBOX00000"}


def storage_error(status: int, code: str, message: str) -> Response:
    """An error of the storage that holds finished reports."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(body, status, content_type="application/xml")
