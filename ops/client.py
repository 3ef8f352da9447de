"""A small client of adweir's HTTP API, as any caller would write it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import requests

_TIMEOUT = (5, 35)
_PAGE = 5000


class ApiError(Exception):
    """The API answered with an error; the message is the API's own."""


class Api:
    """Calls the API with a key. Every call has a time-out and raises ApiError with the API's message.

    Threads may share it; each has connections of its own.
    """

    def __init__(self, base_url: str, api_key: str) -> None:
        self._base = base_url.rstrip("/")
        self._key = api_key
        self._own = threading.local()
        self._opened: list[requests.Session] = []

    @property
    def _session(self) -> requests.Session:
        found: requests.Session | None = getattr(self._own, "session", None)
        if found is None:
            found = self._own.session = requests.Session()
            found.headers["Authorization"] = f"Bearer {self._key}"
            self._opened.append(found)
        return found

    def close(self) -> None:
        """Close the connections."""
        for session in self._opened:
            session.close()

    def get(self, path: str, **params: Any) -> Any:
        return self._call("GET", path, params=params)

    def find(self, path: str) -> Any:
        """GET, with None for a 404."""
        response = self._session.get(self._base + path, timeout=_TIMEOUT)
        return None if response.status_code == 404 else self._checked(response)

    def post(self, path: str, body: Any = None) -> Any:
        return self._call("POST", path, json={} if body is None else body)

    def post_text(self, path: str, body: Any) -> str:
        """POST, for an answer that is no JSON."""
        response = self._session.post(self._base + path, json=body, timeout=_TIMEOUT)
        if response.status_code >= 400:
            self._checked(response)
        return response.text

    def put(self, path: str, body: Any) -> Any:
        return self._call("PUT", path, json=body)

    def patch(self, path: str, body: Any) -> Any:
        return self._call("PATCH", path, json=body)

    def delete(self, path: str) -> Any:
        return self._call("DELETE", path)

    def records(self, data_type: str, filters: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """All records of a `data_pipeline/retrieve`, page by page."""
        offset = 0
        while True:
            body = {"data_type": data_type, "filters": filters, "limit": _PAGE, "offset": offset}
            result = self.post("/api/v1/data_pipeline/retrieve", body)["result"]
            yield from result["records"]
            offset += len(result["records"])
            if offset >= result["total"] or not result["records"]:
                return

    def _call(self, method: str, path: str, **kwargs: Any) -> Any:
        return self._checked(self._session.request(method, self._base + path, timeout=_TIMEOUT, **kwargs))

    @staticmethod
    def _checked(response: requests.Response) -> Any:
        if response.status_code >= 400:
            where = f"{response.request.method} {response.request.path_url}"
            raise ApiError(f"{where} answered {response.status_code}: {response.text[:500]}")
        return response.json() if response.content else None
