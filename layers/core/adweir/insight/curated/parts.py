"""What making the tables takes: the rooms beneath, and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from adweir.model.errors import NotReady, TooLarge

if TYPE_CHECKING:
    from adweir.reporting.query import Queries
    from adweir.store.catalog.store import Catalog
    from adweir.store.findings.day_scores import DayScores
    from adweir.store.metrics.store import MetricStore
    from adweir.store.raw.curated import CuratedObjects


@dataclass(frozen=True, slots=True)
class CuratorParts:
    """What makes tables works with. `platforms` are connected; `reported`: a platform → dbt_ad_reporting's word."""

    catalog: Catalog
    queries: Queries
    metrics: MetricStore
    scores: DayScores
    objects: CuratedObjects
    platforms: Sequence[str]
    reported: Callable[[str], str]


_T = TypeVar("_T")


class TooSlow(TooLarge):
    """A month that takes longer than one invocation."""


@dataclass(slots=True)
class CuratingTime:
    """When an invocation ends. A month that twice does not fit into one of its own is too large."""

    remaining: Callable[[], float]
    margin: float
    got_on: bool = False

    def check(self) -> None:
        """Raises NotReady, or TooSlow where nothing was made yet."""
        if self.remaining() < self.margin:
            if not self.got_on:
                raise TooSlow("a month of an ad account takes longer than one invocation")
            raise NotReady("the tables are made in another invocation", after=1)


def by_turns(items: Sequence[_T], day: date) -> list[_T]:
    """The items in their order, but that another one is the first each day."""
    first = day.toordinal() % max(len(items), 1)
    return [*items[first:], *items[:first]]
