"""Secrets Manager, cached: credentials and webhook secrets. The values are read nowhere else and logged nowhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypedDict

from botocore.exceptions import BotoCoreError, ClientError

from adweir.model import limits
from adweir.model.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_secretsmanager import SecretsManagerClient

    from adweir.model.times import Clock

MISSING_SECONDS = 60
"""How long a missing secret is remembered as missing."""
REFRESH_SECONDS = 10
"""After a mismatch a secret is read again at most this often: wrong signatures must not become API calls."""
_STAGES = ("AWSCURRENT", "AWSPREVIOUS")
_MISSING = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
_KEPT_DAYS = 7

Values = dict[str, str]


def _oldest(found: list[Values]) -> int:
    """How old in seconds what was found may be, or that nothing was."""
    return limits.MAX_SECRET_AGE_SECONDS if found else MISSING_SECONDS


class _Key(TypedDict, total=False):
    """The argument of CreateSecret that names a key, or none."""

    KmsKeyId: str


class SecretStore:
    """Secrets of this deployment; a secret is a JSON object of strings.

    Ids are whole names (`name()` makes them). Methods raise NotFound and Unavailable.
    """

    def __init__(self, client: SecretsManagerClient, prefix: str, clock: Clock, key_arn: str = "") -> None:
        """`key_arn`: the KMS key of secrets that are created; Secrets Manager's own when it is empty."""
        self._client = client
        self._prefix = prefix
        self._clock = clock
        self._key: _Key = {"KmsKeyId": key_arn} if key_arn else {}
        self._cache: dict[str, tuple[float, list[Values], str]] = {}

    def name(self, *parts: str) -> str:
        """`<prefix>/<part>/<part>`: the whole name of a secret of this deployment."""
        return "/".join((self._prefix, *parts))

    def get(self, secret_id: str, stamp: str = "") -> Values:
        """The current values, of the age and the `stamp` that `versions` says. Raises NotFound."""
        return dict(self.versions(secret_id, stamp)[0])

    def versions(self, secret_id: str, stamp: str = "") -> list[Values]:
        """The current values and, after a rotation, the previous ones, at most `limits.MAX_SECRET_AGE_SECONDS` old.

        What was read under another `stamp` is read again: who changes a secret gives it a new one. Raises NotFound.
        """
        now = self._clock.monotonic()
        cached = self._cache.get(secret_id)
        if cached and cached[2] == stamp and now - cached[0] <= _oldest(cached[1]):
            found = cached[1]
        else:
            found = self._read(secret_id)
            if len(self._cache) >= limits.MAX_CACHED_SECRETS:
                self._cache.clear()
            self._cache[secret_id] = (now, found, stamp)
        if not found:
            raise NotFound(f"no secret {secret_id}")
        return found

    def probe(self) -> None:
        """Ask for a secret that is not there. Raises Unavailable when Secrets Manager does not answer."""
        self._read(self.name("webhook", "health"))

    def forget(self, secret_id: str) -> None:
        """Have the next read ask Secrets Manager: for who is about to change what is stored."""
        self._cache.pop(secret_id, None)

    def refresh(self, secret_id: str) -> bool:
        """Make the next read ask Secrets Manager again; False when that happened a moment ago."""
        cached = self._cache.get(secret_id)
        if cached and self._clock.monotonic() - cached[0] < REFRESH_SECONDS:
            return False
        self._cache.pop(secret_id, None)
        return True

    def put(self, secret_id: str, values: Mapping[str, str], *, alone: bool = False) -> None:
        """Store values as the current version. Creates the secret.

        The version before stays readable as the previous one, unless the values are to stand `alone`: then, and after
        a deletion, both versions have these values.
        """
        text = json.dumps(dict(values))
        with _errors(secret_id):
            try:
                known = self._client.describe_secret(SecretId=secret_id)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceNotFoundException":
                    raise
                self._client.create_secret(Name=secret_id, SecretString=text, **self._key)
            else:
                if known.get("DeletedDate"):
                    self._client.restore_secret(SecretId=secret_id)
                    alone = True
                for _ in range(2 if alone else 1):
                    self._client.put_secret_value(SecretId=secret_id, SecretString=text)
        self._cache.pop(secret_id, None)

    def delete(self, secret_id: str) -> None:
        """Delete a secret: unreadable at once, gone for good in 7 days. A missing one is not an error."""
        with _errors(secret_id):
            try:
                self._client.delete_secret(SecretId=secret_id, RecoveryWindowInDays=_KEPT_DAYS)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _MISSING:
                    raise
        self._cache.pop(secret_id, None)

    def _read(self, secret_id: str) -> list[Values]:
        """The versions, newest first; empty when there is no such secret."""
        versions = []
        for stage in _STAGES:
            with _errors(secret_id):
                try:
                    answer = self._client.get_secret_value(SecretId=secret_id, VersionStage=stage)
                except ClientError as error:
                    if error.response["Error"]["Code"] in _MISSING:
                        break
                    raise
            versions.append(_values(answer.get("SecretString", ""), secret_id))
        return versions


def _values(text: str, secret_id: str) -> Values:
    """Raises NotFound for a secret that somebody made by hand and that is not ours: binary, or other JSON."""
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NotFound(f"secret {secret_id} is not a JSON object")
    return {str(name): value if isinstance(value, str) else json.dumps(value) for name, value in found.items()}


@contextmanager
def _errors(secret_id: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise Unavailable(f"Secrets Manager answers {error.response['Error']['Code']} for {secret_id}") from error
    except BotoCoreError as error:
        raise Unavailable(f"Secrets Manager does not answer: {type(error).__name__}") from error
