"""Requests to the sandbox's Google Ads as a careful client makes them, and a strict reading of its answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import requests

from sandbox.platforms.google_ads import STAND_IN
from sandbox.platforms.google_ads.facts import CATEGORIES, ENUMS, MESSAGES, RESOURCES, FieldFact, camel
from sandbox.server import PlatformServer
from sandbox.world import Company, WorldProfile
from support.platform_server import running

GOOGLE_ADS = "google_ads"
DAYS = "segments.date BETWEEN '2026-11-11' AND '2026-11-20'"
METRICS = (
    "metrics.impressions, metrics.clicks, metrics.interactions, metrics.cost_micros, metrics.conversions, "
    "metrics.conversions_value, metrics.all_conversions, metrics.all_conversions_value, "
    "metrics.view_through_conversions"
)


class GoogleCaller:
    """One company's user. `root`: its manager; `profile`: the first of its customers."""

    def __init__(self, server: PlatformServer, key: str = "halden") -> None:
        self.server = server
        self.company: Company = server.outside.company(key)
        self.profile: WorldProfile = self.company.on(GOOGLE_ADS)[0]
        self.secret: Mapping[str, str] = self.company.credentials[GOOGLE_ADS]
        self.headers = {"Authorization": f"Bearer {self.token().json()['access_token']}"}
        self.root = self.listed()[0]

    def token(self, **changed: str) -> requests.Response:
        form = {**self.secret, "grant_type": "refresh_token", **changed}
        return requests.post(f"{self.server.url}/token", data=form, timeout=5)

    def listed(self) -> list[str]:
        """The accounts that the user has access to directly."""
        url = f"{self.server.url}/v26/customers:listAccessibleCustomers"
        names = requests.get(url, headers=self.headers, timeout=5).json()["resourceNames"]
        return [name.removeprefix("customers/") for name in names]

    def ask(
        self, query: str, *, customer: str = "", login: str | None = None, method: str = "search", **body: Any
    ) -> requests.Response:
        """`login`: the root by default, "" for none."""
        headers = dict(self.headers)
        if login != "":
            headers["login-customer-id"] = login or self.root
        url = f"{self.server.url}/v26/customers/{customer or self.profile.id}/googleAds:{method}"
        return requests.post(url, json={"query": query, **body}, headers=headers, timeout=10)

    def rows(self, query: str, **more: Any) -> list[dict[str, Any]]:
        """All rows of a stream that has to be whole."""
        answer = self.ask(query, method="searchStream", **more)
        assert answer.status_code == 200, answer.text
        return [row for batch in answer.json() for row in batch.get("results", [])]

    def refusal(self, answer: requests.Response) -> tuple[int, str, str]:
        """Status, category and code of a refusal."""
        body = answer.json()
        error = (body[0] if isinstance(body, list) else body)["error"]
        assert error["code"] == answer.status_code
        ((category, code),) = error["details"][0]["errors"][0]["errorCode"].items()
        return answer.status_code, category, code


@contextmanager
def google(key: str = "halden", *, awkward: bool = False) -> Iterator[GoogleCaller]:
    """A caller of a server that has Google Ads alone."""
    with running([STAND_IN], awkward=awkward) as server:
        yield GoogleCaller(server, key)


def select(fields: str, resource: str, where: str) -> str:
    """A query."""
    return f"SELECT {fields} FROM {resource} WHERE {where}"


def value_at(row: Mapping[str, Any], path: str) -> Any:
    """A field of a row by its path in queries; None when it is absent."""
    found: Any = row
    for word in camel(path).split("."):
        found = found.get(word) if isinstance(found, Mapping) else None
    return found


def column(rows: Sequence[Mapping[str, Any]], path: str) -> list[Any]:
    return [value_at(row, path) for row in rows]


# -- a strict reading ------------------------------------------------------------------------------------------------

_FIELDS: dict[str, dict[str, FieldFact]] = {
    camel(name): {camel(path): fact for path, fact in resource.fields.items()} for name, resource in RESOURCES.items()
} | {name: {camel(path): fact for path, fact in facts.items()} for name, facts in CATEGORIES.items()}
_TYPES = {"int64": str, "int32": int, "string": str, "bool": bool, "enum": str, "message": dict}


def misfits(row: Mapping[str, Any]) -> list[str]:
    """What in a row is not as the official classes have it."""
    return [fault for name, part in row.items() for fault in _inside(_FIELDS.get(name, {}), name, "", part)]


def message_misfits(name: str, message: Mapping[str, Any]) -> list[str]:
    """The same of a message that is no row."""
    return list(_leaf(camel(name), FieldFact("message", name, repeated=False), message))


def _inside(facts: Mapping[str, FieldFact], name: str, path: str, value: Any) -> Iterator[str]:
    fact = facts.get(path)
    if fact is not None:
        yield from _leaf(f"{name}.{path}", fact, value)
    elif isinstance(value, dict) and value:
        for word, inner in value.items():
            yield from _inside(facts, name, f"{path}.{word}".lstrip("."), inner)
    else:
        yield f"{name}.{path}: unknown"


def _leaf(path: str, fact: FieldFact, value: Any) -> Iterator[str]:
    if fact.repeated:
        if not isinstance(value, list) or not value:
            yield f"{path}: {value!r} is no list"
            return
        for one in value:
            yield from _leaf(path, fact._replace(repeated=False), one)
        return
    if fact.kind == "double":
        right = type(value) in (int, float)
    else:
        right = type(value) is _TYPES[fact.kind]
        right = right and (fact.kind != "int64" or value.lstrip("-").isdigit())
        right = right and (fact.kind != "enum" or value in ENUMS[fact.name])
    if not right:
        yield f"{path}: {value!r} is no {fact.kind}"
    elif fact.kind == "message":
        facts = {camel(name): inner for name, inner in MESSAGES[fact.name].items()}
        for word, inner in value.items():
            yield from _leaf(f"{path}.{word}", facts[word], inner) if word in facts else [f"{path}.{word}: unknown"]
