"""Quality reports, the newest first, and the other findings beside them.

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
from adweir.store.dynamo.paging import from_token, to_token
from adweir.store.dynamo.tables import FindingsItem
from adweir.store.findings.agents import AgentStates
from adweir.store.findings.anomalies import Anomalies
from adweir.store.findings.breaches import Breaches
from adweir.store.findings.coefficients import MixCoefficients
from adweir.store.findings.day_scores import DayScores
from adweir.store.findings.enrichments import Enrichments
from adweir.store.findings.features import AdFeatures
from adweir.store.findings.held_rows import HeldRows
from adweir.store.findings.tallies import DayTallies

KEEP = timedelta(days=400)


class QualityReport(FindingsItem):
    """A report is JSON text, because it is read whole and never searched."""

    body = UnicodeAttribute(null=True)
    expires = NumberAttribute(null=True)


class Findings:
    """Stores and lists quality reports; `held` says what is in quarantine, `tallies` what loads found by day, `scores`
    how good each day is, `breaches` what is wrong with the data of ad accounts, `mix` what channels bring, `anomalies`
    which numbers left their expected range, `agents` what bandits know of arms, `enrichments` what
    models say of ads, `features` what ads are like."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.held = HeldRows(clock)
        self.tallies = DayTallies(clock)
        self.scores = DayScores(clock)
        self.breaches = Breaches(clock)
        self.mix = MixCoefficients(clock)
        self.anomalies = Anomalies(clock)
        self.agents = AgentStates(clock)
        self.enrichments = Enrichments(clock)
        self.features = AdFeatures(clock)

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

    def quality(self, profile_key: str, limit: int = 20, token: str = "") -> tuple[list[dict[str, Any]], str]:
        """A page of a profile's reports, newest pull first, and the token of the next, "" after the last.

        At most 200 per page. Raises BadInput for a token of another list, Unavailable.
        """
        pk, now = f"quality#{profile_key}", epoch(self._clock.now())
        most, after = max(1, min(limit, limits.MAX_FINDINGS_READ)), from_token(pk, token)
        older = QualityReport.sk < after if after else None
        try:
            found = list(QualityReport.query(pk, older, scan_index_forward=False, limit=most + 1))
        except PynamoDBException as error:
            raise Unavailable(f"quality reports cannot be read: {error}") from error
        page = found[:most]
        reports = [json.loads(item.body) for item in page if item.body and (item.expires or now + 1) > now]
        return reports, to_token(pk, page[-1].sk) if len(found) > most else ""
