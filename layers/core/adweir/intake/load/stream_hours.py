"""Stores hours of the stream: records are folded, and what they name is stored from the fold.

An hour's row is the outer join of its traffic and its conversions: a conversion belongs to the hour of its click or
view, which may have no traffic of its own. `sp-conversion` also has rows of other programs: a campaign's own program is
the catalog's word, and without that the one that has traffic; rows of another one are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import Profile, Status, Subscription
from adweir.model.metrics import NO_NUMBERS, Grain, Level, MetricRow, Slot, Source, plus
from adweir.model.slices import ALL
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window, iso, parse_instant
from adweir.platforms.base import ProfileOptions
from adweir.platforms.streams import HourDelta, StreamHooks
from adweir.store.folds import FOLDS, Delta, Fold, counted_once
from adweir.store.metrics.brought import PullRows

if TYPE_CHECKING:
    from adweir.intake.load.stream_records import LocalHour
    from adweir.store.catalog.store import Catalog

LEVELS = (Level.CAMPAIGN, Level.AD)
_LIVE = (Status.ACTIVE, Status.PENDING, Status.UNKNOWN)
"""A pending subscription is confirmed within a minute of being made, long before the next run sees it active."""


class SummedPlace(NamedTuple):
    """What a key of a fold says: whose sums these are, in which currency. `ad_id` is "" where the platform named no ad.

    A key without a campaign marks a dataset of which the hour brings everything (`StreamedProfile.deltas_of`).
    """

    dataset: str
    currency: str
    campaign_id: str = ""
    ad_group_id: str = ""
    ad_id: str = ""

    def __str__(self) -> str:
        return "/".join(self)

    @classmethod
    def parse(cls, key: str) -> SummedPlace:
        return cls(*key.split("/"))

    def entity(self, level: Level) -> str:
        """The entity of a level that it belongs to; "" for none."""
        if level is Level.CAMPAIGN:
            return self.campaign_id
        return f"{self.ad_group_id}~{self.ad_id}" if self.ad_group_id and self.ad_id else ""


@dataclass(slots=True)
class StreamedProfile:
    """An ad account and what decides how its records count.

    `since`: dataset → when its subscription began. `live`: those that still send, so that without a record nothing
    happened. `products`: campaign → its ad product by the catalog.
    """

    profile: Profile
    options: ProfileOptions
    since: dict[str, datetime] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)
    products: dict[str, str] = field(default_factory=dict)

    def learn(self, catalog: Catalog, records: Sequence[HourDelta], received: Callable[[], datetime]) -> None:
        """Look up what records need. A dataset whose subscription nobody has listed begins with its first record."""
        profile = self.profile
        for known in catalog.objects(profile.platform, profile.profile_id, Dataset.STREAMS):
            if isinstance(known, Subscription) and known.since:
                self.since[known.id] = parse_instant(known.since)
                if known.status in _LIVE:
                    self.live.add(known.id)
        unknown = {record.dataset for record in records} - self.since.keys()
        if unknown:
            at = received()
            catalog.put_objects([_first_seen(profile, dataset, at) for dataset in sorted(unknown)], iso(at))
            self.since |= dict.fromkeys(unknown, at)
            self.live |= unknown
        campaigns = sorted({record.campaign_id for record in records})
        found = catalog.find_objects(profile.platform, [profile.profile_id], Dataset.CAMPAIGNS, campaigns)
        self.products |= {campaign: objects[0].ad_product for campaign, objects in found.items()}

    def counts(self, began: datetime) -> frozenset[str]:
        """The datasets that send everything of an hour that began then."""
        return frozenset(dataset for dataset, since in self.since.items() if began >= since)

    def deltas_of(self, records: Iterable[HourDelta], began: datetime) -> list[Delta]:
        """Records of an hour as folds take them.

        With them the fold is told which of their datasets count in the hour. That stays so when a subscription is made
        anew, and begins later.
        """
        given = list(records)
        found = [Delta(counted_once(record.id), str(_place(record)), record.amounts) for record in given]
        marks = (SummedPlace(*each) for each in sorted({(record.dataset, record.currency) for record in given}))
        counts = self.counts(began)
        return found + [Delta(counted_once(str(mark)), str(mark), (1,)) for mark in marks if mark.dataset in counts]


def _first_seen(profile: Profile, dataset: str, received: datetime) -> Subscription:
    return Subscription(
        platform=profile.platform,
        profile_id=profile.profile_id,
        id=dataset,
        name=dataset,
        status=Status.UNKNOWN,
        since=iso(received),
    )


def fold_key(platform: str, hour: LocalHour) -> str:
    """Where an hour's fold is stored."""
    return f"{FOLDS}{platform}/{hour.profile_id}/{hour.day}T{hour.hour:02d}.json"


def _place(record: HourDelta) -> SummedPlace:
    return SummedPlace(record.dataset, record.currency, record.campaign_id, record.ad_group_id, record.ad_id)


class HourSums:
    """What a fold says about one hour that began at `began`."""

    def __init__(self, fold: Fold, streamed: StreamedProfile, hooks: StreamHooks, began: datetime) -> None:
        self._streamed = streamed
        self._hooks = hooks
        self._fold = fold
        places = (SummedPlace.parse(key) for key in fold.sums)
        self._places = [place for place in places if place.currency == streamed.profile.currency]
        counted = {place.dataset for place in self._places if not place.campaign_id}
        self._counts = streamed.counts(began) | counted

    def rows(self, hour: LocalHour, level: Level, named: Collection[HourDelta]) -> list[MetricRow]:
        """The rows of a level that records name, each with the sums of all records that were ever counted.

        Of a campaign that has records of another program, all rows: those may have been stored as its own, before it
        was known which program it is of.
        """
        campaigns = {record.campaign_id for record in named}
        wanted = {_place(record).entity(level) for record in named}
        sums: dict[str, dict[str, tuple[int, ...]]] = {}
        parents: dict[str, SummedPlace] = {}
        own = {campaign: self._product(campaign) for campaign in campaigns}
        places = [place for place in self._places if place.campaign_id in campaigns and place.entity(level)]
        mixed = {place.campaign_id for place in places if self._hooks.products[place.dataset] != own[place.campaign_id]}
        for place in places:
            entity = place.entity(level)
            if entity not in wanted and place.campaign_id not in mixed:
                continue
            mine = sums.setdefault(entity, {})
            parents[entity] = place
            if self._hooks.products[place.dataset] == own[place.campaign_id]:
                added = self._fold.amounts(str(place))
                before = mine.get(place.dataset, (0,) * len(added))
                mine[place.dataset] = tuple(map(sum, zip(before, added, strict=True)))
        found = [self._row(hour, level, parents[entity], own, each) for entity, each in sorted(sums.items())]
        return [row for row in found if row.slot != NO_NUMBERS]

    def _row(
        self,
        hour: LocalHour,
        level: Level,
        place: SummedPlace,
        own: Mapping[str, str],
        sums: Mapping[str, tuple[int, ...]],
    ) -> MetricRow:
        product, profile = own[place.campaign_id], self._streamed.profile
        slot: Slot = NO_NUMBERS
        for dataset in sorted(self._counts):
            if self._hooks.products.get(dataset) == product:
                amounts = sums.get(dataset, ())
                if amounts or dataset in self._streamed.live:
                    slot = plus(slot, self._hooks.numbers(dataset, amounts, self._streamed.options, profile.kind))
        impressions, clicks, conversions, spend, revenue = slot
        return MetricRow(
            entity_id=place.entity(level),
            day=hour.day,
            hour=hour.hour,
            impressions=impressions,
            clicks=clicks,
            conversions=conversions,
            spend=spend,
            revenue=revenue,
            campaign_id=place.campaign_id,
            ad_group_id=place.ad_group_id if level is Level.AD else "",
            currency=profile.currency,
            ad_product=product,
        )

    def _product(self, campaign: str) -> str:
        """A campaign's ad product: as the catalog has it; else of those with records the one that has traffic."""
        known = self._streamed.products.get(campaign)
        if known:
            return known
        mine = [place.dataset for place in self._places if place.campaign_id == campaign]
        ranked = sorted(mine, key=lambda dataset: (not dataset.endswith("-traffic"), dataset == "sp-conversion"))
        return self._hooks.products[ranked[0]] if ranked else ""


def pull_of(profile: Profile, hour: LocalHour, level: Level, fold: Fold, task: str, definition: str) -> Pull:
    """The load of an hour: at the fold's time, so that of several the one from the newest revision wins."""
    day = date.fromisoformat(hour.day)
    return Pull(
        platform=profile.platform,
        profile_id=profile.profile_id,
        level=level,
        grain=Grain.HOUR,
        source=Source.STREAM,
        slice=ALL,
        window=Window(day, day),
        stamp=Stamp(fold.as_of, task),
        complete=False,
        currency=profile.currency,
        timezone=profile.timezone,
        account_id=profile.account_id,
        definition=definition,
    )


def brought(rows: Iterable[MetricRow]) -> tuple[PullRows, list[MetricRow]]:
    """Rows as they are stored, below zero too, and those with a figure that is larger than any real one."""
    good, absurd = PullRows(), []
    for row in rows:
        if any(figure is not None and abs(figure) >> limits.MAX_FIGURE_BITS for figure in row.slot):
            absurd.append(row)
        else:
            good.offer(row)
    return good, absurd
