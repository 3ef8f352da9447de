"""Objects of other buckets, read only: those that the deployment's parameter lists, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from adweir.model.errors import AccessDenied, RequestRejected, TooMuchData, Transient

_PIECE = 1 << 18
_REFUSED = frozenset({"AccessDenied", "403", "NoSuchBucket", "AllAccessDisabled"})


class SourceObjects:
    """Lists and reads objects. `buckets`: names or ARNs separated by commas.

    Methods raise RequestRejected for a bucket that is not listed, AccessDenied for one that may not be read, Transient.
    """

    def __init__(self, client: Callable[[], Any], buckets: str) -> None:
        self._client = client
        self._buckets = {name.strip().rpartition(":")[2] for name in buckets.split(",")} - {""}

    def refusal(self, bucket: str) -> str:
        """Why a bucket may not be read, and what to do; "" for one that may."""
        if bucket in self._buckets:
            return ""
        return f"is a bucket that this deployment does not read: add {bucket} to its parameter SourceBuckets"

    def keys(self, bucket: str, prefix: str, most: int) -> list[str]:
        """The keys that begin so, in order, at most so many."""
        self._check(bucket)
        found: list[str] = []
        with _errors(f"s3://{bucket}/{prefix}"):
            pages = self._client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            for page in pages:
                found += [each["Key"] for each in page.get("Contents", ())]
                if len(found) >= most:
                    break
        return found[:most]

    def read(self, bucket: str, key: str, most: int) -> Iterator[bytes]:
        """An object of at most so many bytes, piece by piece. Raises TooMuchData; Transient where it is gone."""
        self._check(bucket)
        with _errors(f"s3://{bucket}/{key}"):
            answer = self._client().get_object(Bucket=bucket, Key=key)
            if answer["ContentLength"] > most:
                raise TooMuchData(f"s3://{bucket}/{key} has more than {most} bytes")
            yield from answer["Body"].iter_chunks(_PIECE)

    def _check(self, bucket: str) -> None:
        why = self.refusal(bucket)
        if why:
            raise RequestRejected(f"{bucket} {why}")


@contextmanager
def _errors(what: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        kind = AccessDenied if code in _REFUSED else Transient
        raise kind(f"S3 answers {code} for {what}") from error
    except BotoCoreError as error:
        raise Transient(f"S3 does not answer for {what}: {type(error).__name__}") from error
