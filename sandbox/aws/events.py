"""EventBridge (one bus) and Secrets Manager, as far as the pipeline and the registration of credentials call them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.aws.refusals import Refused, invalid

_MOST_ENTRIES = 10
_LEAST_DAYS, _MOST_DAYS = 7, 30
_STAGES = ("AWSCURRENT", "AWSPREVIOUS")


class OwnBus:
    """The bus; it keeps what was published: (detail-type, detail)."""

    def __init__(self) -> None:
        self.published: list[tuple[str, dict[str, Any]]] = []
        self.leave: Callable[[list[Any]], int] = lambda _entries: 0
        """How many entries of a batch fail: those at its end."""

    def call(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """One API call. Raises Refused."""
        if operation != "PutEvents":
            raise NotImplementedError(f"there is no double of EventBridge's {operation}: add it to {__file__}")
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


@dataclass(slots=True)
class _KeptSecret:
    """A secret. `versions`: the current value, and the one before. `gone_at`: when a deleted one goes for good."""

    versions: list[str]
    gone_at: datetime | None = None


class Secrets:
    """Secrets by their names. Deleted ones can be restored: Secrets Manager promises no time at which they are gone."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._secrets: dict[str, _KeptSecret] = {}

    def call(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """One API call. Raises Refused."""
        calls = {
            "GetSecretValue": self._get,
            "DescribeSecret": self._describe,
            "CreateSecret": self._create,
            "PutSecretValue": self._put,
            "DeleteSecret": self._delete,
            "RestoreSecret": self._restore,
        }
        if operation not in calls:
            raise NotImplementedError(f"there is no double of Secrets Manager's {operation}: add it to {__file__}")
        return calls[operation](params)

    def _get(self, params: Mapping[str, Any]) -> dict[str, Any]:
        name, stage = params["SecretId"], params.get("VersionStage", "AWSCURRENT")
        versions = self._usable(name).versions
        place = _STAGES.index(stage)
        if place >= len(versions):
            raise Refused(
                "ResourceNotFoundException",
                f"Secrets Manager can't find the specified secret value for staging label: {stage}",
            )
        return {"Name": name, "SecretString": versions[place], "VersionStages": [stage]}

    def _describe(self, params: Mapping[str, Any]) -> dict[str, Any]:
        known = self._known(params["SecretId"])
        return {"Name": params["SecretId"]} | ({"DeletedDate": known.gone_at} if known.gone_at else {})

    def _create(self, params: Mapping[str, Any]) -> dict[str, Any]:
        known = self._secrets.get(params["Name"])
        if known and known.gone_at:
            raise Refused("InvalidRequestException", "A secret with this name is already scheduled for deletion.")
        if known:
            raise Refused("ResourceExistsException", "The operation failed because the secret already exists.")
        self._secrets[params["Name"]] = _KeptSecret([params["SecretString"]])
        return {"Name": params["Name"]}

    def _put(self, params: Mapping[str, Any]) -> dict[str, Any]:
        known = self._usable(params["SecretId"])
        known.versions = [params["SecretString"], known.versions[0]]
        return {"Name": params["SecretId"], "VersionStages": ["AWSCURRENT"]}

    def _delete(self, params: Mapping[str, Any]) -> dict[str, Any]:
        days = params.get("RecoveryWindowInDays", _MOST_DAYS)
        if not _LEAST_DAYS <= days <= _MOST_DAYS:
            raise Refused("InvalidParameterException", "RecoveryWindowInDays must be from 7 to 30 days.")
        known = self._usable(params["SecretId"])
        known.gone_at = self._now() + timedelta(days=days)
        return {"Name": params["SecretId"], "DeletionDate": known.gone_at}

    def _restore(self, params: Mapping[str, Any]) -> dict[str, Any]:
        self._known(params["SecretId"]).gone_at = None
        return {"Name": params["SecretId"]}

    def _known(self, name: str) -> _KeptSecret:
        if name not in self._secrets:
            raise Refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        return self._secrets[name]

    def _usable(self, name: str) -> _KeptSecret:
        """A secret that is not deleted."""
        known = self._known(name)
        if known.gone_at:
            raise Refused("InvalidRequestException", "The secret was marked for deletion.")
        return known
