"""EventBridge (one bus) and Secrets Manager, as far as the pipeline and the registration of credentials call them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.aws.refusals import Refused, invalid

_MOST_ENTRIES = 10


class OwnBus:
    """The bus; it keeps what was published: (detail-type, detail)."""

    def __init__(self) -> None:
        self.published: list[tuple[str, dict[str, Any]]] = []
        self.leave: Callable[[list[Any]], int] = lambda _entries: 0
        """How many entries of a batch fail: those at its end."""

    def call(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """One API call. Raises Refused."""
        if operation != "PutEvents":
            raise NotImplementedError(f"there is no double of EventBridge's {operation}: add it")
        entries = params["Entries"]
        if not 1 <= len(entries) <= _MOST_ENTRIES:
            raise invalid("1 validation error detected: Value at 'entries' must have length 1 to 10")
        done = len(entries) - self.leave(entries)
        answers = [self._take(entry) for entry in entries[:done]]
        answers += [{"ErrorCode": "InternalException", "ErrorMessage": "try again"}] * (len(entries) - done)
        return {"FailedEntryCount": sum("ErrorCode" in each for each in answers), "Entries": answers}

    def _take(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        self.published.append((entry["DetailType"], detail))
        return {"EventId": f"e{len(self.published)}"}


class Secrets:
    """Secrets: a name's versions, the newest first."""

    def __init__(self) -> None:
        self._versions: dict[str, list[str]] = {}

    def call(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """One API call. Raises Refused."""
        calls = {
            "GetSecretValue": self._get,
            "DescribeSecret": self._describe,
            "CreateSecret": self._create,
            "PutSecretValue": self._put,
        }
        if operation not in calls:
            raise NotImplementedError(f"there is no double of Secrets Manager's {operation}: add it")
        return calls[operation](params)

    def _get(self, params: Mapping[str, Any]) -> dict[str, Any]:
        name, stage = params["SecretId"], params.get("VersionStage", "AWSCURRENT")
        versions = self._known(name)
        place = ("AWSCURRENT", "AWSPREVIOUS").index(stage)
        if place >= len(versions):
            raise Refused(
                "ResourceNotFoundException",
                f"Secrets Manager can't find the specified secret value for staging label: {stage}",
            )
        return {"Name": name, "SecretString": versions[place], "VersionStages": [stage]}

    def _describe(self, params: Mapping[str, Any]) -> dict[str, Any]:
        self._known(params["SecretId"])
        return {"Name": params["SecretId"]}

    def _create(self, params: Mapping[str, Any]) -> dict[str, Any]:
        if params["Name"] in self._versions:
            raise Refused("ResourceExistsException", "The operation failed because the secret already exists.")
        self._versions[params["Name"]] = [params["SecretString"]]
        return {"Name": params["Name"]}

    def _put(self, params: Mapping[str, Any]) -> dict[str, Any]:
        self._known(params["SecretId"]).insert(0, params["SecretString"])
        return {"Name": params["SecretId"], "VersionStages": ["AWSCURRENT"]}

    def _known(self, name: str) -> list[str]:
        if name not in self._versions:
            raise Refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        return self._versions[name]
