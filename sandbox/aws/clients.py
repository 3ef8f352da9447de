"""Clients that the doubles answer: what the core uses of botocore's, without a region, credentials or a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from sandbox.aws.botocore_calls import Answer, as_values
from sandbox.aws.refusals import Refused


class OwnClient:
    """A service's client: `put_object(…)`, `get_paginator("list_objects_v2")`. Refusals are botocore's ClientError."""

    def __init__(self, service: str, answer: Answer) -> None:
        self._service = service
        self._answer = answer
        self._request_signer = None  # PynamoDB looks whether it has credentials
        self.meta = SimpleNamespace(events=_NoEvents())

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        if name.startswith("_"):
            raise AttributeError(name)
        operation = "".join(part.capitalize() for part in name.split("_"))
        return lambda **params: self._make_api_call(operation, params)

    def get_paginator(self, name: str) -> SimpleNamespace:
        """Pages of a list of objects."""
        return SimpleNamespace(paginate=partial(self._pages, getattr(self, name)))

    def _pages(self, ask: Callable[..., dict[str, Any]], **params: Any) -> Iterator[dict[str, Any]]:
        page: Mapping[str, Any] = {"NextContinuationToken": ""}
        while "NextContinuationToken" in page:
            token = page["NextContinuationToken"]
            page = ask(**params, **({"ContinuationToken": token} if token else {}))
            yield dict(page)

    def _make_api_call(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """PynamoDB calls this one, as botocore's."""
        try:
            return self._answer(self._service, operation, as_values(operation, params))
        except Refused as refused:
            response: Any = refused.response
            raise ClientError(response, operation) from None


class _NoEvents:
    """Takes hooks into requests, of which there are none."""

    def register(self, _name: str, _hook: object) -> None:
        """See botocore."""
