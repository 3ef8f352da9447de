"""The Findings table: quality reports, the newest first, kept for a limited time.

`quality#<platform>#<profile>` / `<as_of>#<task>.<generation>.<level>.<grain>` is one report.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException

from adweir.model import limits
from adweir.model.errors import Unavailable
from adweir.model.times import Clock, epoch
from adweir.store.dynamo.tables import FindingsItem

KEEP = timedelta(days=400)


class QualityReport(FindingsItem):
    """A report is JSON text, because it is read whole and never searched."""

    body = UnicodeAttribute(null=True)
    expires = NumberAttribute(null=True)


class Findings:
    """What is found out about the stored data."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def put_quality(self, profile_key: str, as_of: str, task: str, report: Mapping[str, Any]) -> None:
        """Store a load's report; the same load again replaces its own.

        `as_of` (`model.times.iso`) orders a profile's reports. Samples of a report over 64 KiB are left out. Raises
        Unavailable.
        """
        body = json.dumps(report, separators=(",", ":"), default=str)
        if len(body) > limits.MAX_FINDING_BYTES:
            body = json.dumps({key: value for key, value in report.items() if not isinstance(value, list)}, default=str)
        item = QualityReport(
            f"quality#{profile_key}",
            f"{as_of}#{task}",
            body=body,
            expires=epoch(self._clock.now() + KEEP),
        )
        try:
            item.save()
        except PynamoDBException as error:
            raise Unavailable(f"the quality report was not stored: {error}") from error

    def quality(self, profile_key: str, limit: int = 20) -> list[dict[str, Any]]:
        """A profile's reports, newest pull first, at most 200. Raises Unavailable."""
        now = epoch(self._clock.now())
        most = max(1, min(limit, limits.MAX_FINDINGS_READ))
        try:
            found = QualityReport.query(f"quality#{profile_key}", scan_index_forward=False, limit=most)
            return [json.loads(item.body) for item in found if item.body and (item.expires or now + 1) > now]
        except PynamoDBException as error:
            raise Unavailable(f"quality reports cannot be read: {error}") from error
