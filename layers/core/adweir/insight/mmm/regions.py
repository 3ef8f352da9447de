"""Reads ad accounts by region, where every one of them was pulled so.

A region is called as the client's population names it, in any case and spacing, else as its platform does. MixRegions
without a population are left out where others have one: no model takes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import compress
from typing import TYPE_CHECKING, Any

from adweir.insight.mmm.beside import NATIONAL, Beside
from adweir.insight.mmm.sums import RegionSums
from adweir.insight.mmm.wide import Sums
from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.metrics import METRICS
from adweir.model.times import Window
from adweir.reporting.dimensions import RowValues
from adweir.reporting.questions import Query
from adweir.reporting.ranges import parse_range
from adweir.reporting.reading import is_due

if TYPE_CHECKING:
    from adweir.reporting.query import Queries

_REGION = "region"
ChannelOf = Callable[[Profile, str, str], str]
"""An ad account, a campaign's id and an ad product → the channel."""


@dataclass
class MixRegions:
    """Sums by region over a window in which all ad accounts were pulled by region; `about` is the manifest's part.

    Without sums there is no table by region, and `about` says why. `uncovered`: the days that some ad account lacks.
    """

    sums: Mapping[str, Sums] = field(default_factory=dict)
    window: Window | None = None
    uncovered: set[date] = field(default_factory=set)
    unknown: dict[tuple[str, str], set[date]] = field(default_factory=dict)
    """Profile and metric → the days on which some of that number is not known by region."""
    about: dict[str, Any] = field(default_factory=dict)


class RegionReader:
    """Reads a client's ad accounts by region."""

    def __init__(self, queries: Queries, channel_of: ChannelOf, beside: Beside) -> None:
        self._queries = queries
        self._channel_of = channel_of
        self._beside = beside
        self._unknown: dict[tuple[str, str], set[date]] = {}

    def read(self, profiles: Iterable[Profile], window: Window, currency: str) -> MixRegions:
        """What there is over the days of a dataset, in its currency."""
        profiles = list(profiles)
        lacking = [each.key for each in profiles if not self._has_regions(each)]
        if lacking:
            asked = "ask for a dataset by region in the options of the ad account"
            return _without(f"not pulled by region: {', '.join(lacking)}: {asked}, where its platform has one")
        known = {plain(name): name for name in self._beside.population}
        sums, covered = RegionSums(lambda name: known.setdefault(plain(name), name.strip())), []
        for profile in profiles:
            covered.append(self._read_profile(profile, window, currency, sums))
            if not covered[-1]:
                return _without(f"no day was pulled by region: {profile.key}")
        days = Window(max(map(min, covered)), min(map(max, covered)))
        if days.length <= 0:
            return _without("no day was pulled by region on all ad accounts")
        return self._chosen(sums, days, {day for own in covered for day in days.days() if day not in own})

    def _chosen(self, sums: RegionSums, days: Window, uncovered: set[date]) -> MixRegions:
        names = sorted(sums.regions)
        peopled = [name for name in names if name in self._beside.population]
        kept = peopled if len(peopled) > 1 else names
        about: dict[str, Any] = {
            "regions": kept,
            "left_out": [name for name in names if name not in kept],
            "share_of_spend": str(sums.share(kept)),
            "first_date": days.start.isoformat(),
            "last_date": days.end.isoformat(),
        }
        if len(kept) < 2:
            return _without(f"{len(kept)} regions have numbers: a model by region needs two")
        if len(kept) > limits.MAX_MIX_GEOS:
            why = (
                f"{len(kept)} regions are too many, at most {limits.MAX_MIX_GEOS}: drop a population for those to model"
            )
            return _without(why)
        return MixRegions(
            {name: sums.regions[name].by_channel() for name in kept}, days, uncovered, self._unknown, about
        )

    def _has_regions(self, profile: Profile) -> bool:
        """Whether its days are pulled by region: where nobody asks for that, nothing is looked for."""
        served = self._queries.served(profile).items()
        return any(dataset.breakdown == _REGION and is_due(profile, spec) for dataset, spec in served)

    def _read_profile(self, profile: Profile, window: Window, currency: str, sums: RegionSums) -> set[date]:
        """Add a profile's rows; the days on which it was pulled whole by region."""
        span = parse_range(window.start.isoformat(), window.end.isoformat(), window.end)
        query = Query(span, ("date", _REGION, "campaign_id"))
        whole: set[date] = set()
        for found, reader, rows in self._queries.readings(query, [profile]):
            values = RowValues(query.breakdown_on(self._queries.served(found)))
            for read in rows:
                if read.row.currency not in {"", currency}:
                    continue
                values.show(read)
                region, day = values.split_by(_REGION) or NATIONAL, date.fromisoformat(read.row.day)
                channel = self._channel_of(found, values.campaign_id() or "", read.row.ad_product)
                sums.add(day, (region, str(found.platform), channel), read.row.slot)
                for name in compress(METRICS, (region and number is None for number in read.row.slot)):
                    self._unknown.setdefault((profile.key, name), set()).add(day)
            whole |= {day for day, one in reader.coverage().items() if one.whole}
        return whole


def _without(reason: str) -> MixRegions:
    return MixRegions(about={"regions": [], "reason": reason})


def plain(name: str) -> str:
    """A name in small letters and with single spaces, as regions are compared by it."""
    return " ".join(name.casefold().split())
