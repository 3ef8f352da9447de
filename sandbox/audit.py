"""MiniStack with AWS's own strictness: each function's calls are checked against its role, and written down.

Run by file name in place of aws_server.py (sandbox/ministack.py). MiniStack evaluates the policies that the stack
deployed (AUTH=true); this adds the condition key `dynamodb:LeadingKeys`, which it lacks, and appends a line of JSON for
each kind of call that it has not seen before:

    {"function": "adweir-collect", "action": "s3:PutObject", "resource": "arn:…", "grant": "arn:…/raw/*", "keys": []}

`grant` is the pattern of the resource that allowed the call, null when nothing did. `keys` are leading keys of
DynamoDB, or prefixes that S3 was asked to list, up to their first separator.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import sys
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from ministack.core import iam_actions, iam_evaluator

LEADING_KEYS = "dynamodb:leadingkeys"
_KEYED = re.compile(r"(#?\w+)\s*=\s*(:\w+)")


def leading_keys(request: Mapping[str, Any]) -> list[str]:
    """The partition keys (`pk`) that a request to DynamoDB names, as AWS compares them in policies."""
    return sorted(set(_partition_keys(request)))


def _partition_keys(request: Mapping[str, Any]) -> Iterator[str]:
    for name in ("Key", "Item"):
        if name in request:
            yield request[name]["pk"]["S"]
    names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    for name, value in _KEYED.findall(request.get("KeyConditionExpression", "")):
        if names.get(name, name) == "pk":
            yield values[value]["S"]
    for of_table in request.get("RequestItems", {}).values():
        if isinstance(of_table, Mapping):
            yield from (key["pk"]["S"] for key in of_table["Keys"])
        else:
            for write in of_table:
                yield from _partition_keys(next(iter(write.values())))
    for item in request.get("TransactItems", ()):
        yield from _partition_keys(next(iter(item.values())))


def with_groups(resource_of: Callable[..., str]) -> Callable[..., str]:
    """`extract_resource_arn` with the group of a schedule: MiniStack takes every group for the default one."""

    def resource(service: str, *request: Any) -> str:
        found = resource_of(service, *request)
        if service != "scheduler":
            return found
        _method, _path, _headers, body, parameters, *_ = request
        named = parameters.get("groupName", "")
        group = json.loads(body or b"{}").get("GroupName") or (named[0] if isinstance(named, list) else named)
        return found.replace(":schedule/default/", f":schedule/{group or 'default'}/")

    return resource


def _keys(context: Any) -> list[str]:
    named = context.service_context.get(LEADING_KEYS) or context.service_context.get("s3:prefix") or []
    return sorted({re.split(r"[#/]", key)[0] for key in ([named] if isinstance(named, str) else named)})


class CallLog:
    """What was called, each kind of call once. One MiniStack writes it, from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: set[str] = set()
        self._looked_at: set[str] = set()

    def is_new(self, context: Any) -> bool:
        """Whether nothing like this call was looked at before: by resource, or by an object's first two folders."""
        folders = "/".join(context.resource_arn.split("/", 3)[:3])
        kind = f"{context.principal_arn} {context.action} {folders} {_keys(context)}"
        if kind in self._looked_at:
            return False
        self._looked_at.add(kind)
        return True

    def note(self, context: Any, grant: str | None) -> None:
        """Write a call down, as MiniStack evaluated it, and the pattern that allowed it."""
        function = context.principal_arn.rpartition("/")[2]
        keys = _keys(context)
        kind = json.dumps([function, context.action, grant or context.resource_arn, keys])
        if kind in self._seen:
            return
        self._seen.add(kind)
        line = {"function": function, "action": context.action, "resource": context.resource_arn}
        with self._path.open("a") as lines:
            lines.write(json.dumps(line | {"grant": grant, "keys": keys}) + "\n")


def install(log: CallLog) -> None:
    """Have MiniStack know more condition keys, and note how it decided about each call of a role."""
    of_dynamodb, of_request = iam_actions.dynamodb_service_context, iam_actions.request_tag_context
    enforce, evaluate = iam_evaluator.enforce, iam_evaluator.evaluate
    identity = ContextVar[list[tuple[Any, Any]]]("identity")

    parse = iam_evaluator.parse_policy_document
    of_text = cache(parse)

    def parsed_once(document: str | dict[str, Any]) -> list[Any]:
        parsed: list[Any] = of_text(document) if isinstance(document, str) else parse(document)
        return parsed

    def with_leading_keys(body: bytes) -> dict[str, Any]:
        return {**of_dynamodb(body), LEADING_KEYS: leading_keys(json.loads(body or b"{}"))}

    def with_source(service: str, action: str, body: bytes, parameters: Any) -> dict[str, Any]:
        context: dict[str, Any] = of_request(service, action, body, parameters)
        if action == "events:PutEvents":
            sources = {entry["Source"] for entry in json.loads(body)["Entries"]}
            context["events:source"] = sources.pop() if len(sources) == 1 else sorted(sources)
        return context

    def evaluate_and_remember(context: Any, policies: Any, *limits: Any) -> Any:
        context.secure_transport = True  # functions reach MiniStack without TLS, and AWS with it
        if context.action.startswith("sqs:"):  # a batch is authorized as what is in it
            context.action = context.action.removesuffix("Batch")
        identity.get([]).append((context, policies))
        return evaluate(context, policies, *limits)

    def enforce_and_note(*arguments: Any, **named: Any) -> Any:
        asked: list[tuple[Any, Any]] = []
        token = identity.set(asked)
        try:
            denied = enforce(*arguments, **named)
        finally:
            identity.reset(token)
        if asked and ":assumed-role/" in asked[0][0].principal_arn and (denied or log.is_new(asked[0][0])):
            context, policies = asked[0]  # the role's own; the resource's policy comes after it
            patterns = [
                pattern
                for document in policies
                for statement in document
                if evaluate(context, [[statement]]).decision == "Allow"
                for pattern in statement.resources
                if iam_evaluator.fnmatch_iam_cs(context.resource_arn, pattern)
            ]
            log.note(context, None if denied or not patterns else patterns[0])
        return denied

    iam_evaluator.parse_policy_document = parsed_once
    iam_evaluator.authenticate = lambda _key, _account: None  # who calls is known by the key; signatures take long
    iam_actions.dynamodb_service_context = with_leading_keys
    iam_actions.request_tag_context = with_source
    iam_actions.extract_resource_arn = with_groups(iam_actions.extract_resource_arn)
    iam_evaluator.evaluate = evaluate_and_remember
    iam_evaluator.enforce = enforce_and_note


if __name__ == "__main__":
    os.environ["AUTH"] = "true"
    install(CallLog(Path(sys.argv.pop())))
    runpy.run_path(str(Path(__file__).with_name("aws_server.py")), run_name="__main__")
