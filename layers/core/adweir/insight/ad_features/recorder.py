"""What `features` does for a client: computes what changed of its ad accounts and ads, and records it.

Rows as of a moment are recorded in this order: the head says that they are begun; one object of the offline table gets
all of them; the online items become these rows; the feature group gets them; the head says that they are done. The
object is the decision. Whoever finds rows that were begun and not done copies what the object has to where it lacks:
exactly these rows, with their moment. If the object lacks them, nothing was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from adweir.insight.ad_features.entity import Row, rows
from adweir.insight.ad_features.sources import FeatureSources
from adweir.model.errors import NotReady
from adweir.model.times import Clock, is_zone, iso

if TYPE_CHECKING:
    from adweir.insight.ad_features.offline import OfflineFeatures
    from adweir.model.entities import Profile
    from adweir.reporting.query import Queries
    from adweir.store.catalog.store import Catalog
    from adweir.store.findings.day_scores import DayScores
    from adweir.store.findings.features import AdFeatures


class RecordTaker(Protocol):
    """What takes rows besides: a feature group."""

    def put(self, rows: Sequence[Row]) -> None:
        """Take rows; the same ones again are the same."""


class RecorderParts(NamedTuple):
    """What a recorder works with. `taker`: None without a feature group."""

    catalog: Catalog
    queries: Queries
    scores: DayScores
    online: AdFeatures
    offline: OfflineFeatures
    clock: Clock
    taker: RecordTaker | None = None


class FeatureCounts(NamedTuple):
    """`recorded` rows; `mended`: rows that another worker had begun to record; `outdated` ad accounts, of which
    somebody recorded what was read later; `left_out` ads beyond the bound."""

    recorded: int = 0
    mended: int = 0
    outdated: int = 0
    left_out: int = 0

    def plus(self, other: FeatureCounts) -> FeatureCounts:
        """The sum of both."""
        return FeatureCounts(*(one + two for one, two in zip(self, other, strict=True)))


class FeatureRecorder:
    """Records features of clients. Repeated with the same days, it records nothing."""

    def __init__(self, parts: RecorderParts) -> None:
        self._parts = parts
        self._sources = FeatureSources(parts.queries, parts.scores)

    def record(self, account_id: str, remaining: Callable[[], float], margin: float) -> FeatureCounts:
        """Record what is new of a client's ad accounts.

        Raises NotReady when less than `margin` seconds are left (the same call goes on) or another worker records the
        same, Unavailable.
        """

        def check() -> None:
            if remaining() < margin:
                raise NotReady("features are recorded in another invocation", after=1)

        every = self._parts.catalog.profiles(account_id=account_id)
        found = FeatureCounts()
        for profile in sorted((each for each in every if each.has_ads), key=lambda each: each.key):
            if is_zone(profile.timezone):
                check()
                found = found.plus(self._of(profile, check))
        return found

    def _of(self, profile: Profile, check: Callable[[], None]) -> FeatureCounts:
        online, key = self._parts.online, profile.key
        head, mended = online.head(key), 0
        if head.begun != head.done:
            rest = self._parts.offline.rows(profile, head.begun)
            if rest:
                self._keep(profile, rest, head.begun)
                head, mended = head._replace(done=head.begun), len(rest)
        as_of = iso(self._parts.clock.now())
        before = {(row["level"], row["entity_id"]): row for _, row in online.rows(key)}
        read = self._sources.read(profile, before, check)
        if read is None:
            return FeatureCounts(mended=mended)
        hashed = [(entity, entity.hashed(read.facts)) for entity in read.entities]
        fresh = [
            (entity, digest)
            for entity, digest in hashed
            if (old := before.get((entity.level, entity.entity_id))) is None or old["input_hash"] != digest
        ]
        check()
        counts = FeatureCounts(mended=mended, left_out=read.left_out)
        if not fresh:
            return counts
        if not online.begin(key, as_of, head.done):
            return counts._replace(outdated=1)
        found = list(rows(fresh, read.facts, as_of))
        self._parts.offline.add(profile, as_of, found, head.done)
        self._keep(profile, found, as_of)
        return counts._replace(recorded=len(found))

    def _keep(self, profile: Profile, found: Sequence[Row], as_of: str) -> None:
        """Have rows that the offline table has be everywhere."""
        self._parts.online.put(profile.key, found)
        if self._parts.taker is not None:
            self._parts.taker.put(found)
        self._parts.online.finish(profile.key, as_of)
