"""How the doubles refuse a call: what botocore makes of an error answer."""

from __future__ import annotations

from typing import Any

CONDITION = "ConditionalCheckFailedException"


class Refused(Exception):
    """AWS answers with an error. `extra` are further fields of the answer."""

    def __init__(self, code: str, message: str = "", status: int = 400, **extra: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.extra = extra

    @property
    def response(self) -> dict[str, Any]:
        """The answer as botocore parses it."""
        about = {"HTTPStatusCode": self.status, "HTTPHeaders": {}, "RetryAttempts": 0}
        return {"Error": {"Code": self.code, "Message": self.message}, "ResponseMetadata": about, **self.extra}


def invalid(message: str) -> Refused:
    """DynamoDB's refusal of a request that makes no sense."""
    return Refused("ValidationException", message)
