"""The plain verbs of a library user: answers in our vocabulary instead of pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, Keyword, Profile
from adweir.model.errors import BadInput, NotApplicable, NotReady, ReportFailed
from adweir.model.metrics import METRICS, NO_NUMBERS, MetricRow, Slot, derive, plus
from adweir.model.money import to_units
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import Clock, Window, epoch, iso
from adweir.platforms.amazon_ads import SP, SPEC
from adweir.platforms.connector import Connector, Page, PageInHand, PullContext, Report, ReportState

_FIRST_WAIT, _LONGEST_WAIT = 5.0, 60.0
_COUNTS = ("impressions", "clicks")
_NOTHING: Slot = (0, 0, 0, 0, 0)


class PlainVerbs(Connector):
    """The calls for scripts. A profile comes from `get_profiles()`; `date_range` is inclusive in its time zone.

    All verbs raise from `model.errors`.
    """

    def __init__(self, account_id: str, clock: Clock, sleep: Callable[[float], None]) -> None:
        self._account_id = account_id
        self._clock = clock
        self._sleep = sleep

    def get_profiles(self) -> list[Profile]:
        """The ad accounts that the credential can read."""
        found: list[Profile] = self._objects(self.profiles(), self._task(None, Dataset.PROFILES, ALL), None)
        return found

    def get_campaigns(self, profile: Profile) -> list[AdCampaign]:
        """The campaigns of all ad products that the profile uses."""
        campaigns: list[AdCampaign] = []
        for product in SPEC.datasets[Dataset.CAMPAIGNS].slices:
            with suppress(NotApplicable):
                task = self._task(profile, Dataset.CAMPAIGNS, product)
                campaigns += self._objects(self.pages(task), task, profile)
        return campaigns

    def get_keywords(self, profile: Profile) -> list[Keyword]:
        """The keywords of Sponsored Products and Brands."""
        found: list[Keyword] = []
        for product in SPEC.datasets[Dataset.KEYWORDS].slices:
            with suppress(NotApplicable):
                task = self._task(profile, Dataset.KEYWORDS, product)
                found += self._objects(self.pages(task), task, profile)
        return found

    def get_ads(
        self,
        profile: Profile,
        date_range: Window,
        fields: Sequence[str] | None = None,
        limit: int | None = None,
        *,
        patience: float = 3600,
    ) -> list[dict[str, Any]]:
        """The ads of all products with their sums and ratios over the range; money and conversions are Decimal.

        `fields` picks keys (default: all). Waits up to `patience` seconds for each of Amazon's reports, then raises
        NotReady.
        """
        ads: list[Ad] = []
        sums: dict[str, Slot] = {}
        for product in SPEC.datasets[Dataset.ADS].slices:
            with suppress(NotApplicable):
                task = self._task(profile, Dataset.ADS, product)
                ads += self._objects(self.pages(task), task, profile)
                for row in self._rows(profile, date_range, Dataset.AD_DAILY, product, patience):
                    sums[row.entity_id] = plus(sums.get(row.entity_id, NO_NUMBERS), row.slot)
        answers = []
        for ad in ads[:limit]:
            totals = sums.get(f"{ad.ad_group_id}~{ad.id}", _NOTHING)
            facts = ad.model_dump(mode="json") | {"ad_id": ad.id, "account_id": profile.profile_id} | _facts(totals)
            answers.append(_pick(facts, fields))
        return answers

    def get_account_stats(
        self, profile: Profile, date_range: Window, metrics: Sequence[str] | None = None, *, patience: float = 3600
    ) -> list[dict[str, Any]]:
        """The account's days, summed over the campaigns of all ad products (Amazon has no totals), oldest first.

        Each has `date` and `currency`; `metrics` picks among impressions, clicks, conversions, spend, revenue and the
        ratios. Days without activity are not among them. Raises NotReady after `patience` seconds.
        """
        days: dict[str, Slot] = {}
        for product in SPEC.datasets[Dataset.CAMPAIGN_DAILY].slices:
            with suppress(NotApplicable):
                for row in self._rows(profile, date_range, Dataset.CAMPAIGN_DAILY, product, patience):
                    days[row.day] = plus(days.get(row.day, NO_NUMBERS), row.slot)
        return [
            {"date": day, "currency": profile.currency} | _pick(_facts(totals), metrics)
            for day, totals in sorted(days.items())
        ]

    def create_report_request(self, profile: Profile, date_range: Window, ad_product: str = SP) -> Report:
        """Ask for a daily ad report (`ad_product`: sp, sb or sd), at most 31 days."""
        return self.create_report(self._task(profile, Dataset.AD_DAILY, ad_product, date_range))

    def get_report(self, profile: Profile, report_id: str) -> Report:
        """A report's state now."""
        return self.report(self._task(profile, Dataset.AD_DAILY, SP), report_id)

    def download_report(self, profile: Profile, report_id: str) -> bytes:
        """A finished report's JSON array, uncompressed."""
        task = self._task(profile, Dataset.AD_DAILY, SP)
        return b"".join(page.content() for page in self.report_pages(task, report_id))

    def _rows(
        self, profile: Profile, window: Window, dataset: Dataset, product: str, patience: float
    ) -> Iterator[MetricRow]:
        from adweir.platforms.amazon_ads.normalize import NORMALIZER  # noqa: PLC0415  only these verbs need it

        for piece in window.pieces(SPEC.datasets[dataset].max_window_days):
            task = self._task(profile, dataset, product, piece)
            report = self._await(task, self.create_report(task), patience)
            for number, page in enumerate(self.report_pages(task, report.id)):
                for batch in NORMALIZER.metric_batches(PageInHand.of(page, number), self._context(task, profile)):
                    if batch.bad:
                        raise BadInput(f"{len(batch.bad)} rows cannot be read", batch.bad[0].errors)
                    yield from batch.rows

    def _await(self, task: Task, report: Report, patience: float) -> Report:
        wait, end = _FIRST_WAIT, self._clock.monotonic() + patience
        while report.state is ReportState.PENDING:
            if self._clock.monotonic() >= end:
                raise NotReady(f"report {report.id} is not ready after {patience} s", after=_LONGEST_WAIT)
            self._sleep(wait)
            wait = min(_LONGEST_WAIT, wait * 1.5)
            report = self.report(task, report.id)
        if report.state is ReportState.FAILED:
            raise ReportFailed(report.reason, report_id=report.id)
        return report

    def _objects(self, pages: Iterator[Page], task: Task, profile: Profile | None) -> list[Any]:
        from adweir.platforms.amazon_ads.normalize import NORMALIZER  # noqa: PLC0415  only these verbs need it

        found: list[Any] = []
        for number, page in enumerate(pages):
            for batch in NORMALIZER.object_batches(PageInHand.of(page, number), self._context(task, profile)):
                if batch.bad:
                    raise BadInput(f"{len(batch.bad)} objects cannot be read", batch.bad[0].errors)
                found += batch.objects
        return found

    def _task(self, profile: Profile | None, dataset: Dataset, slice_: str, window: Window | None = None) -> Task:
        return Task(
            run_id="direct",
            stage="",
            account_id=self._account_id,
            platform=SPEC.name,
            profile_id=profile.profile_id if profile else "",
            dataset=dataset,
            slice=slice_,
            window=window,
            deadline=epoch(self._clock.now()),
        )

    def _context(self, task: Task, profile: Profile | None) -> PullContext:
        return PullContext(
            account_id=self._account_id,
            profile_id=task.profile_id,
            dataset=task.dataset,
            slice=task.slice,
            window=task.window,
            as_of=iso(self._clock.now()),
            currency=profile.currency if profile else "",
            timezone=profile.timezone if profile else "UTC",
            profile_kind=profile.kind if profile else "",
            country=profile.country if profile else "",
        )


def _facts(totals: Slot) -> dict[str, Any]:
    sums = {name: value if name in _COUNTS else to_units(value) for name, value in zip(METRICS, totals, strict=True)}
    return sums | derive(totals)


def _pick(facts: dict[str, Any], names: Sequence[str] | None) -> dict[str, Any]:
    unknown = sorted(set(names or ()) - facts.keys())
    if unknown:
        raise BadInput(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(facts))}")
    return facts if names is None else {name: facts[name] for name in names}
