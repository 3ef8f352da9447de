"""The days of ad accounts: their own totals, or the campaigns' where the platform has none and these add up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from adweir.library.dates import window_of
from adweir.library.pulling import AskedPull, Lone, Pulling
from adweir.library.rows import chosen, plain
from adweir.model.datasets import Dataset
from adweir.model.entities import Profile
from adweir.model.metrics import NO_NUMBERS
from adweir.reporting.ranges import TimeSpan
from adweir.reporting.shown import ACCOUNT_DAY_METRICS, account_day
from adweir.reporting.totals import NOTHING, RowSum, measures

_LADDER = (Dataset.ACCOUNT_DAILY, Dataset.CAMPAIGN_DAILY, Dataset.AD_GROUP_DAILY, Dataset.AD_DAILY)
_COUNTS = ("campaign_count", "ad_count")
FIELDS = (
    "account_id",
    "platform",
    "account_name",
    "currency",
    "timezone",
    "date",
    *(f"daily_{name}" for name in ACCOUNT_DAY_METRICS),
    *_COUNTS,
)
"""Those of an account day."""
_WHOSE = FIELDS[:6]
_METRICS = tuple(measures(NOTHING))


class AccountDays:
    """What is pulled for the wanted metrics, and the rows made of it. Raises Unprocessable for unknown metrics."""

    def __init__(self, lone: Lone, metrics: Sequence[str] | None) -> None:
        self._lone = lone
        known = (*FIELDS, *_METRICS)
        self._names = FIELDS if metrics is None else tuple(dict.fromkeys((*_WHOSE, *chosen(metrics, known, {}))))
        self._total = _answering(lone)
        counted = (Dataset.CAMPAIGN_DAILY, Dataset.AD_DAILY) if set(_COUNTS) & set(self._names) else ()
        served = [each for each in counted if each in lone.spec.datasets and not lone.spec.datasets[each].on_request]
        self.datasets = tuple(dict.fromkeys((self._total, *served))) if self._total else ()
        """What is pulled."""

    def rows(self, profiles: Iterable[Profile], span: TimeSpan | None) -> Iterator[dict[str, Any]]:
        """The days of each profile, oldest first."""
        if not self.datasets:
            return
        clock = self._lone.waiting.clock
        with Pulling(self._lone) as pulling:

            def ask(profile: Profile) -> list[tuple[Dataset, list[AskedPull]]]:
                window = window_of(span, profile, clock)
                return [(dataset, pulling.begin(profile, dataset, window)) for dataset in self.datasets]

            for profile, asked in pulling.ahead(profiles, ask):
                yield from self._days(pulling, profile, asked)

    def _days(
        self, pulling: Pulling, profile: Profile, asked: list[tuple[Dataset, list[AskedPull]]]
    ) -> Iterator[dict[str, Any]]:
        days: dict[str, RowSum] = {}
        campaigns: defaultdict[str, set[str]] = defaultdict(set)
        ads: defaultdict[str, set[str]] = defaultdict(set)
        for dataset, tasks in asked:
            for _, rows in pulling.rows(tasks):
                for entity_id, day, slot in rows:
                    if dataset is self._total:
                        days.setdefault(day, RowSum(NO_NUMBERS)).add(slot)
                    campaigns[day].add(rows.parents(entity_id).campaign_id)
                    if dataset is Dataset.AD_DAILY:
                        ads[day].add(entity_id)
        has_ads = Dataset.AD_DAILY in self.datasets
        for day, total in sorted(days.items()):
            active = (len(campaigns[day] - {""}), len(ads[day]) if has_ads else None)
            record = measures(total.slot) | account_day(profile, day, profile.currency, total.slot, active)
            yield plain({name: record[name] for name in self._names})


def _answering(lone: Lone) -> Dataset | None:
    """The level that answers for the account: its own, else the coarsest whose rows add up to it.

    One that is pulled on request only (a finer one adds up to it) answers where there is no other.
    """
    on_request: Dataset | None = None
    for dataset in _LADDER:
        served = lone.spec.datasets.get(dataset)
        if served is None:
            continue
        if dataset is not Dataset.ACCOUNT_DAILY and not served.sums_to_parent:
            return on_request
        if not served.on_request:
            return dataset
        on_request = on_request or dataset
    return on_request
