"""The verbs of a platform's client: the same on every platform, in the system's own rows, read while they come."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from adweir.library import reports
from adweir.library.account_days import AccountDays
from adweir.library.dates import DateRange, bills, issue_window, parsed, today_of, window_of
from adweir.library.pulling import AskedPull, Lone, Pulling
from adweir.library.raw import answers
from adweir.library.rows import (
    FIELDS,
    GROUPS,
    ad_row,
    chosen,
    invoice_row,
    metric_row,
    object_row,
    pick,
    profile_of,
    profile_row,
    slots,
    unlisted,
)
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, Profile, ProfileStatus
from adweir.model.errors import NotFound, Unprocessable
from adweir.model.metrics import NO_NUMBERS
from adweir.reporting.ads import AD_METRICS, Flights
from adweir.reporting.ranges import TimeSpan
from adweir.reporting.totals import NOTHING, RowSum
from adweir.store.metrics.brought import Parents

AnyProfile = str | int | Mapping[str, Any] | None
"""An ad account: its id, a row of `get_profiles`, or None for every active one that the credential lists."""
_TARGETING = (Dataset.KEYWORDS, Dataset.TARGETS, Dataset.NEGATIVES)
_FLIGHT = frozenset({"start_date", "end_date", "status"})
_NAMED = 10


class _Sum(NamedTuple):
    total: RowSum
    parents: Parents


class Client:
    """One platform for one credential; made by `adweir.client`. Not for several threads at a time.

    Every verb checks its arguments at once and returns an iterator; requests are sent while that is read. With
    `raw=True` it yields the platform's answers as they came, decoded, instead of rows. What a platform does not have is
    empty. All raise from `adweir.model.errors`: AuthExpired where the credential is dead, AccessDenied where it may not
    read an ad account, Throttled and NotReady where a wait is longer than the client's patience, Transient where the
    platform does not answer or breaks off, BadInput for rows that cannot be read, Unprocessable for wrong arguments.
    """

    def __init__(self, lone: Lone) -> None:
        self._lone = lone
        self._clock = lone.waiting.clock
        self._known: dict[str, Profile] = {}

    def __repr__(self) -> str:
        return f"adweir.client({str(self.platform)!r}, …)"

    @property
    def platform(self) -> str:
        """The platform's stored name."""
        return self._lone.spec.name

    def get_profiles(self, *, raw: bool = False) -> Iterator[Any]:
        """The ad accounts that the credential can read."""
        if raw:
            return self._raw([None], [Dataset.PROFILES])
        return map(profile_row, self._listed())

    def get_campaigns(self, profile: AnyProfile = None, *, raw: bool = False) -> Iterator[Any]:
        """The campaigns of all ad products, budgets as Decimal in the row's currency."""
        if raw:
            return self._raw(self._profiles(profile), [Dataset.CAMPAIGNS])
        return self._objects(profile, (Dataset.CAMPAIGNS,), lambda _: True)

    def get_keywords(
        self,
        profile: AnyProfile = None,
        campaign_id: str | int | None = None,
        ad_group_id: str | int | None = None,
        state: str | None = None,
        match_type: str | None = None,
        *,
        raw: bool = False,
    ) -> Iterator[Any]:
        """Keywords, targets and negatives, told apart by `kind`, bids as Decimal.

        `state` is one of ours (`active`) or the platform's own word (`ENABLED`), `match_type` the platform's, both in
        any case.
        """
        if raw:
            return self._raw(self._profiles(profile), _TARGETING)
        wanted = {"campaign_id": campaign_id, "ad_group_id": ad_group_id}
        ids = {name: str(value) for name, value in wanted.items() if value is not None}

        def keep(item: Any) -> bool:
            return (
                all(getattr(item, name) == value for name, value in ids.items())
                and (state is None or state.lower() in {item.status.value, item.status_raw.lower()})
                and (match_type is None or match_type.lower() == item.match_type.lower())
            )

        return self._objects(profile, _TARGETING, keep)

    def get_ads(
        self,
        profile: AnyProfile = None,
        date_range: DateRange = None,
        fields: Sequence[str] | None = None,
        limit: int | None = None,
        *,
        raw: bool = False,
    ) -> Iterator[Any]:
        """The ads with their numbers summed over the range, at most `limit`.

        `fields` are names, or the groups `creative` and `insights`; without one of the numbers, none are pulled. An ad
        that delivered and is in no list any more comes last, with status `removed`, so that the rows add up.
        """
        names, span = chosen(fields, FIELDS, GROUPS), parsed(date_range, self._clock)
        if limit is not None and limit < 1:
            raise Unprocessable("limit is 1 or more, or None for all", [{"field": "limit", "message": "is too small"}])
        if raw:
            metrics = [Dataset.AD_DAILY] if set(names) & set(AD_METRICS) else []
            return self._raw(self._profiles(profile), [Dataset.ADS, *metrics], span)
        return islice(self._ads(self._profiles(profile), span, names), limit)

    def get_account_stats(
        self,
        profile: AnyProfile = None,
        date_range: DateRange = None,
        metrics: Sequence[str] | None = None,
        *,
        raw: bool = False,
    ) -> Iterator[Any]:
        """The accounts' days, oldest first; a day on which nothing was delivered is not among them.

        A row has the 14 fields of an account day. `metrics` picks among them and all metrics (`spend`, `ctr`, …):
        without `campaign_count` and `ad_count`, which need the rows of all ads, far less is pulled.
        """
        days = AccountDays(self._lone, metrics)
        span = parsed(date_range, self._clock)
        if raw:
            return self._raw(self._profiles(profile), days.datasets, span)
        return days.rows(self._profiles(profile), span)

    def get_invoices(
        self, profile: AnyProfile = None, date_range: DateRange = None, *, raw: bool = False
    ) -> Iterator[Any]:
        """The lines of the invoices of the range's months, each with what its document says, money as Decimal.

        Without a range it is what was issued since the month before last. Documents add up: a credit memo is negative.
        """
        span = parsed(date_range, self._clock)
        return self._invoices(self._profiles(profile), span, raw=raw)

    def create_report_request(
        self, profile: str | int | Mapping[str, Any], date_range: DateRange = None, dataset: str = "ad_daily"
    ) -> str:
        """Ask for the daily or hourly rows of a level, or of a breakdown of it; returns the report's id.

        The id says all that `get_report` and `download_report` need, in another process too. Where the platform
        makes no reports of this kind, the rows are pulled when they are downloaded.
        """
        wanted = self._dataset(dataset)
        span = parsed(date_range, self._clock)
        (found,) = self._profiles(profile)
        self._remember(found)  # whoever asks for the report does so by its id, often by this client
        with Pulling(self._lone) as pulling:
            asked = pulling.begin(found, wanted, window_of(span, found, self._clock))
            made = reports.id_of(self._lone, found, wanted, asked)
            pulling.keep()
        return made

    def get_report(self, report: str) -> dict[str, Any]:
        """A report's state: `pending`, `ready` or `failed`, how far it is (0-100), and the reason of a failure."""
        with self._resumed(report) as (pulling, _, asked):
            return {"report_id": report} | reports.state(pulling, asked)

    def download_report(self, report: str, *, raw: bool = False) -> Iterator[Any]:
        """The rows of a report, waited for until the client's patience ends (NotReady: ask again later)."""
        return self._report(report, raw=raw)

    # How

    def _listed(self) -> Iterator[Profile]:
        """The profiles as the platform lists them, each remembered."""
        with Pulling(self._lone) as pulling:
            for profile in pulling.objects(None, Dataset.PROFILES):
                self._remember(profile)
                yield profile

    def _remember(self, profile: Profile) -> None:
        self._known[profile.profile_id] = profile
        if len(self._known) > limits.MAX_CLIENT_PROFILES:
            del self._known[next(iter(self._known))]

    def _profiles(self, given: AnyProfile) -> Iterator[Profile]:
        """The profiles that are asked about. Raises NotFound for one that the credential does not list."""
        if given is None:
            yield from (profile for profile in self._listed() if profile.status is ProfileStatus.ACTIVE)
        elif isinstance(given, Mapping):
            yield profile_of(self._lone.spec, given)
        else:
            yield self._named(str(given))

    def _named(self, text: str) -> Profile:
        """The profile of an id, written as the platform's own page may show it: `act_123`, `123-456-7890`."""
        written = (text, re.sub(r"\D", "", text))
        shown: list[str] = []
        remembered = (self._known[name] for name in written if name in self._known)
        for profile in chain(remembered, self._listed()):
            if profile.profile_id in written:
                return profile
            shown = [*shown, profile.profile_id][:_NAMED]
        listed = ", ".join(shown) or "none"
        raise NotFound(
            f"this credential lists no ad account {text[:60]!r} on {self.platform}; it lists: {listed}",
            [{"field": "profile", "message": "is not listed"}],
        )

    def _dataset(self, name: str) -> Dataset:
        known = [dataset for dataset in self._lone.spec.datasets if dataset.grain]
        if name not in known:
            raise Unprocessable(
                f"{self.platform} has no metrics {name[:60]!r}; it has: {', '.join(known)}",
                [{"field": "dataset", "message": "is unknown"}],
            )
        return Dataset(name)

    def _objects(self, given: AnyProfile, datasets: Iterable[Dataset], keep: Callable[[Any], bool]) -> Iterator[Any]:
        served = [dataset for dataset in datasets if dataset in self._lone.spec.datasets]
        if not served:
            return
        with Pulling(self._lone) as pulling:
            for profile in self._profiles(given):
                for dataset in served:
                    for item in pulling.objects(profile, dataset):
                        if keep(item):
                            yield object_row(item, profile, self._clock)

    def _ads(self, profiles: Iterable[Profile], span: TimeSpan | None, names: tuple[str, ...]) -> Iterator[Any]:
        measured = bool(set(names) & set(AD_METRICS)) and Dataset.AD_DAILY in self._lone.spec.datasets
        with Pulling(self._lone) as pulling:

            def ask(profile: Profile) -> list[AskedPull]:
                window = window_of(span, profile, self._clock) if measured else None
                return pulling.begin(profile, Dataset.AD_DAILY, window)

            for profile, asked in pulling.ahead(profiles, ask):
                sums = _summed(pulling, asked)
                absent = NOTHING if measured else NO_NUMBERS
                for ad in self._dated(pulling, profile, names):
                    found = sums.pop(f"{ad.ad_group_id}~{ad.id}", None)
                    yield pick(ad_row(ad, found.total.slot if found else absent, profile), names)
                for entity_id, (total, parents) in sums.items():
                    yield pick(ad_row(unlisted(profile, entity_id, parents), total.slot, profile), names)

    def _invoices(self, profiles: Iterable[Profile], span: TimeSpan | None, *, raw: bool) -> Iterator[Any]:
        if Dataset.INVOICES not in self._lone.spec.datasets:
            return
        with Pulling(self._lone) as pulling:
            for profile in profiles:
                window = issue_window(span, profile, self._clock)
                if window and raw:
                    yield from answers(pulling, [pulling.issued(profile, window)])
                elif window:
                    for invoice in pulling.invoices(profile, window):
                        if span is None or bills(invoice, span, profile):
                            yield from (invoice_row(invoice, line, profile) for line in invoice.lines)

    def _dated(self, pulling: Pulling, profile: Profile, names: tuple[str, ...]) -> Iterator[Ad]:
        """The ads as listed, with the dates of their flights where these are wanted."""
        ads = (item for item in pulling.objects(profile, Dataset.ADS) if isinstance(item, Ad))
        if not _FLIGHT & set(names):
            return ads
        above = [list(pulling.objects(profile, dataset)) for dataset in (Dataset.CAMPAIGNS, Dataset.AD_GROUPS)]
        flights, today = Flights(*above), today_of(profile, self._clock).isoformat()
        return (flights.dated(ad, today) for ad in ads)

    def _raw(
        self, profiles: Iterable[Profile | None], datasets: Iterable[Dataset], span: TimeSpan | None = None
    ) -> Iterator[Any]:
        wanted = [dataset for dataset in datasets if dataset in self._lone.spec.datasets]
        if not wanted:
            return
        with Pulling(self._lone) as pulling:
            for profile in profiles:
                for dataset in wanted:
                    if dataset.grain and profile:
                        asked = pulling.begin(profile, dataset, window_of(span, profile, self._clock))
                    else:
                        asked = pulling.lists(profile, dataset)
                    yield from answers(pulling, asked)

    def _resumed(self, report: str) -> reports.Resumed:
        return reports.Resumed(self._lone, report, self._named)

    def _report(self, report: str, *, raw: bool) -> Iterator[Any]:
        with self._resumed(report) as (pulling, profile, asked):
            if raw:
                yield from answers(pulling, asked)
                return
            for task, rows in pulling.rows(asked):
                for row in slots(rows):
                    yield metric_row(task.dataset, profile, row, rows.parents(row[0]))


def _summed(pulling: Pulling, asked: Iterable[AskedPull]) -> dict[str, _Sum]:
    sums: dict[str, _Sum] = {}
    for _, rows in pulling.rows(asked):
        for entity_id, _, slot in rows:
            if entity_id in sums:
                sums[entity_id].total.add(slot)
            else:
                sums[entity_id] = _Sum(RowSum(slot), rows.parents(entity_id))
    return sums
