"""What `detect` does for a client: learns the settled days of its ad accounts, and tells what is unusual."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from adweir.insight.anomalies.batches import Learning
from adweir.insight.anomalies.kept import KeptIncidents
from adweir.insight.anomalies.sources import ProfileDays
from adweir.insight.anomalies.watched import WatchSettings
from adweir.model.breaches import Look
from adweir.model.errors import NotReady
from adweir.model.times import Clock, is_zone

if TYPE_CHECKING:
    from adweir.model.ports import Bus
    from adweir.reporting.query import Queries
    from adweir.store.catalog.store import Catalog
    from adweir.store.findings.anomalies import Anomalies


class WatchParts(NamedTuple):
    """What a watch works with."""

    catalog: Catalog
    queries: Queries
    store: Anomalies
    bus: Bus
    clock: Clock


class Watched(NamedTuple):
    """What a look at a client came to: days that were learned, incidents that are new, and what is to be told.

    `left_out`: incidents that are not kept, since more than `limits.MAX_ANOMALIES_PER_DAY` began on one day.
    """

    days: int
    anomalies: int
    looks: list[Look]
    left_out: int = 0


class AnomalyWatch:
    """Looks after the ad accounts of clients. Repeated, it learns nothing twice and finds the same."""

    def __init__(self, parts: WatchParts, settings: WatchSettings) -> None:
        self._parts = parts
        self._settings = settings

    def look(self, account_id: str, remaining: Callable[[], float], margin: float, run_id: str = "") -> Watched:
        """Learn what is new of a client's ad accounts.

        Raises NotReady when less than `margin` seconds are left: the same call goes on. Raises Unavailable.
        """

        def check() -> None:
            if remaining() < margin:
                raise NotReady("the search for anomalies goes on in another invocation", after=1)

        parts, found = self._parts, Watched(0, 0, [])
        for profile in parts.catalog.profiles(account_id=account_id):
            if not (profile.has_ads and is_zone(profile.timezone)):
                continue
            check()
            days = ProfileDays(parts.queries.in_one_look(), parts.catalog, profile)
            kept = KeptIncidents(parts.store, parts.bus, parts.clock, days.watcher, run_id)
            learned = Learning(parts.store, days, kept, self._settings, check).go()
            kept.tell()
            looks, left_out = [*found.looks, *kept.looks()], found.left_out + kept.left_out
            found = Watched(found.days + learned, found.anomalies + kept.found, looks, left_out)
        return found
