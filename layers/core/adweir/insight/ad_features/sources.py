"""What is stored of an ad account at this moment, as features need it: its own days, and those of its ads.

A day is known where it was pulled whole, and where a file or a push says something of it. What is not known is no 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from adweir.insight.ad_features.entity import ACCOUNT, AD, AccountFacts, FeatureEntity, Row, launched
from adweir.insight.ad_features.weekdays import weekday_indices
from adweir.insight.ad_features.windows import Days, is_delivery, summed
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import AdCampaign, PlatformObject, Profile, Status
from adweir.model.feature_columns import LONG, SHORT
from adweir.model.metrics import METRICS, Level, Slot, own_id, plus
from adweir.model.times import DAY, Window
from adweir.reporting.ads import status_on
from adweir.reporting.reading import ProfileQuestion
from adweir.reporting.totals import NOTHING

if TYPE_CHECKING:
    from adweir.reporting.query import Queries
    from adweir.reporting.reading import ReadRow
    from adweir.store.findings.day_scores import DayScores

READ_DAYS = 56
"""Days that are read: eight weeks for the weekdays, and the long window with as long before it."""
Check = Callable[[], None]
_LOOKS = 5000
"""Rows between two looks at the time."""
_SPEND = METRICS.index("spend")


class _AdKey(NamedTuple):
    campaign_id: str
    ad_group_id: str


class ReadFeatures(NamedTuple):
    """What rows are made of. `left_out`: ads beyond the bound, those that spent least."""

    facts: AccountFacts
    entities: list[FeatureEntity]
    left_out: int


@dataclass(slots=True)
class _AdDays:
    """The ads with rows, and the days of which every ad is known."""

    ids: dict[str, _AdKey]
    rows: dict[str, dict[date, Slot | None]]
    whole: frozenset[date]


class FeatureSources:
    """Reads ad accounts. Raises Unavailable, and what `check` raises."""

    def __init__(self, queries: Queries, scores: DayScores) -> None:
        self._queries = queries
        self._scores = scores

    def read(self, profile: Profile, before: Mapping[tuple[str, str], Row], check: Check) -> ReadFeatures | None:
        """What is known of an ad account whose time zone is known; `before` are the newest rows of it, by level and
        entity. None where no day is known, and no row says otherwise."""
        queries = self._queries.in_one_look()
        through = queries.today(profile) - DAY
        account, settled = self._account_days(queries, profile, through, check)
        ads = self._ad_days(queries, profile, through, check)
        if not before and not ads.ids and not any(account[-LONG:]):
            return None
        facts = AccountFacts(
            platform_name=str(profile.platform),
            client_account_id=profile.account_id,
            account_id=profile.shown_id,
            currency=profile.currency,
            through=through,
            settled=settled,
            quality=self._quality(profile, through),
            seasonality=_index_after(account, through),
            days=account,
        )
        campaigns = self._objects(profile, Dataset.CAMPAIGNS)
        own = self._account(profile, facts, campaigns.values(), before.get((ACCOUNT, profile.shown_id)))
        found = self._ads(facts, ads, campaigns, {i: row for (level, i), row in before.items() if level == AD})
        starts = self._objects(profile, Dataset.ADS) if found else {}
        kept = sorted(found, key=lambda each: (-_spent(each.days[-LONG:])[0], each.entity_id))
        left_out = len(kept) - limits.MAX_FEATURE_ADS
        kept = [_started(each, starts, campaigns) for each in kept[: limits.MAX_FEATURE_ADS]]
        return ReadFeatures(facts, [own, *sorted(kept, key=lambda each: each.entity_id)], max(left_out, 0))

    def _account_days(
        self, queries: Queries, profile: Profile, through: date, check: Check
    ) -> tuple[Days, frozenset[date]]:
        window = Window(through - (READ_DAYS - 1) * DAY, through)
        reader = queries.reader(profile, ProfileQuestion(window, Level.ACCOUNT))
        sums: dict[date, Slot | None] = {}
        for read in _timed(reader.rows(), check):
            _add(sums, read, profile.currency)
        covered = reader.coverage()
        partly = {day for day, one in covered.items() if one.pulled_at and not one.whole}
        whole = {day for day, one in covered.items() if one.whole}
        days = [None if day in partly else sums.get(day, NOTHING if day in whole else None) for day in window.days()]
        return days, frozenset(day for day, one in covered.items() if one.settled and one.whole)

    def _ad_days(self, queries: Queries, profile: Profile, through: date, check: Check) -> _AdDays:
        window = Window(through - (READ_DAYS - 1) * DAY, through)
        reader = queries.reader(profile, ProfileQuestion(window, Level.AD))
        found = _AdDays({}, {}, frozenset())
        for read in _timed(reader.rows(), check):
            row = read.row
            if read.level is Level.AD and row.entity_id:
                found.ids[row.entity_id] = _AdKey(row.campaign_id, row.ad_group_id)
                _add(found.rows.setdefault(row.entity_id, {}), read, profile.currency)
        found.whole = frozenset(day for day, one in reader.coverage().items() if one.whole)
        return found

    def _account(
        self, profile: Profile, facts: AccountFacts, campaigns: Iterable[PlatformObject], before: Row | None
    ) -> FeatureEntity:
        return FeatureEntity(
            ACCOUNT,
            profile.shown_id,
            facts.days,
            **launched(facts.days, facts.through, before),
            daily_budget=_all_budgets(campaigns, facts.through),
            budget_spent=_spent(facts.days[-SHORT:]),
        )

    def _ads(
        self, facts: AccountFacts, ads: _AdDays, campaigns: Mapping[str, PlatformObject], before: Mapping[str, Row]
    ) -> list[FeatureEntity]:
        """The ads with delivery in the long window, and those whose newest row says that they had some: their windows
        are empty now, which one more row says."""
        days = [facts.through - ago * DAY for ago in range(READ_DAYS - 1, -1, -1)]
        delivered = {name for name, row in before.items() if row[f"delivery_days_{LONG}"]}
        found, spent = list[FeatureEntity](), dict[str, tuple[int, int]]()
        for name in {*ads.ids, *delivered}:
            rows = ads.rows.get(name, {})
            series = [rows.get(day, NOTHING if day in ads.whole else None) for day in days]
            ids = ads.ids[name] if name in ads.ids else _ids_of(before[name])
            total, known = _spent(series[-SHORT:])
            all_of_it, longest = spent.get(ids.campaign_id, (0, 0))
            spent[ids.campaign_id] = all_of_it + total, max(longest, known)
            if name in delivered or any(slot is not None and is_delivery(slot) for slot in series[-LONG:]):
                own = (ids.campaign_id or None, ids.ad_group_id or None, own_id(name))
                found.append(FeatureEntity(AD, name, series, *own, **launched(series, facts.through, before.get(name))))
        return [_budgeted(each, campaigns, spent[each.campaign_id or ""]) for each in found]

    def _quality(self, profile: Profile, through: date) -> float | None:
        first = (through - (LONG - 1) * DAY).isoformat()
        scores = [each.get("score") for each in self._scores.days(profile.key, first, through.isoformat())]
        known = [float(score) for score in scores if score is not None]
        return sum(known) / len(known) if known else None

    def _objects(self, profile: Profile, dataset: Dataset) -> dict[str, PlatformObject]:
        """What the platform lists, by id: of an ad with that of its group."""
        found = self._queries.catalog.objects(profile.platform, profile.profile_id, dataset)
        return {f"{each.ad_group_id}~{each.id}" if dataset is Dataset.ADS else each.id: each for each in found}


def _timed(rows: Iterable[ReadRow], check: Check) -> Iterator[ReadRow]:
    for number, read in enumerate(rows):
        if number % _LOOKS == 0:
            check()
        yield read


def _add(sums: dict[date, Slot | None], read: ReadRow, currency: str) -> None:
    """Add a row. A day with money of another currency than the ad account's is not known."""
    day = date.fromisoformat(read.row.day)
    if read.row.currency not in {"", currency}:
        sums[day] = None
    elif day not in sums:
        sums[day] = read.row.slot
    elif (known := sums[day]) is not None:
        sums[day] = plus(known, read.row.slot)


def _index_after(days: Days, through: date) -> float | None:
    indices = weekday_indices(days, through)
    return None if indices is None else indices[(through + DAY).weekday()]


def _spent(days: Days) -> tuple[int, int]:
    """What was spent, in millionths, and on how many days it is known."""
    found = summed(days)
    return found.sums[_SPEND] or 0, found.counts[_SPEND]


def _ids_of(row: Row) -> _AdKey:
    return _AdKey(row["campaign_id"] or "", row["ad_group_id"] or "")


def _budgeted(entity: FeatureEntity, campaigns: Mapping[str, PlatformObject], spent: tuple[int, int]) -> FeatureEntity:
    campaign = campaigns.get(entity.campaign_id or "")
    budget = _daily(campaign) if isinstance(campaign, AdCampaign) else None
    return replace(entity, daily_budget=budget, budget_spent=spent)


def _daily(campaign: AdCampaign) -> int | None:
    return campaign.budget if campaign.budget_type == "daily" else None


def _all_budgets(campaigns: Iterable[PlatformObject], through: date) -> int | None:
    """What the active campaigns may spend on a day; None where one of them says nothing of a day."""
    day = through.isoformat()
    active = [
        each
        for each in campaigns
        if isinstance(each, AdCampaign) and status_on(day, each.status, each.end_date) is Status.ACTIVE
    ]
    known = [budget for each in active if (budget := _daily(each))]
    return sum(known) if known and len(known) == len(active) else None


def _started(
    entity: FeatureEntity, ads: Mapping[str, PlatformObject], campaigns: Mapping[str, PlatformObject]
) -> FeatureEntity:
    said = [found.start_date for found in (ads.get(entity.entity_id), campaigns.get(entity.campaign_id or "")) if found]
    return replace(entity, start=next((day for day in said if day), ""))
