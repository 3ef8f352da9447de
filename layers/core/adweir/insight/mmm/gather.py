"""Reads what a media-mix dataset is made of: the tidy rows, sums by channel and region, and what clients drop."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.insight.mmm.beside import Beside
from adweir.insight.mmm.channels import CampaignFacts, Channels
from adweir.insight.mmm.drops import DropReader, clock_findings, kpi_said
from adweir.insight.mmm.gates import Finding, Severity, named
from adweir.insight.mmm.regions import MixRegions, RegionReader
from adweir.insight.mmm.sums import ChannelSums
from adweir.insight.mmm.tidy import Names, TidyWriter, tidy_row
from adweir.insight.mmm.wide import Sums
from adweir.model import limits
from adweir.model.campaigns import Campaign
from adweir.model.datasets import Dataset
from adweir.model.entities import Account, AdCampaign, Profile, ProfileStatus
from adweir.model.errors import NotFound
from adweir.model.media_mix import MediaMix
from adweir.model.metrics import METRICS, Level, Source
from adweir.model.times import DAY, Clock, Window, is_zone, local_date
from adweir.reporting.bound_to import CROSS_CAMPAIGN, BoundTo
from adweir.reporting.dimensions import RowValues
from adweir.reporting.questions import Query
from adweir.reporting.ranges import parse_range
from adweir.reporting.reading import DayCoverage, ProfileQuestion, ReadRow

if TYPE_CHECKING:
    from adweir.reporting.query import Queries
    from adweir.store.catalog.store import Catalog

_FORM = 2
"""The version of what is made of the same inputs: a greater one has every dataset made anew."""


class MixAsked(NamedTuple):
    """Which dataset: of a client, or of one of its cross-platform campaigns; of all days, or of the last so many."""

    campaign_id: str = ""
    lookback_days: int = 0

    def root(self, account_id: str, currency: str) -> str:
        """Where its files are."""
        campaign = f"/campaign={self.campaign_id}" if self.campaign_id else ""
        days = f"/days={self.lookback_days}" if self.lookback_days else ""
        return f"mmm/{account_id}/{currency}{campaign}{days}"


WHOLE = MixAsked()
_HANDED = (Source.FILE, Source.PUSH)
_KNOWN = DayCoverage(pulled_at=None, missing=(), settled=True, live=False, whole=True)


class _Covered(NamedTuple):
    """A profile's days that were pulled whole or were handed over before the first of those (`handed`), and by metric
    the days on which some of it is unknown."""

    days: Mapping[date, DayCoverage]
    unknown: Mapping[str, set[date]]
    handed: frozenset[date] = frozenset()


@dataclass
class MixFound:
    """What a dataset is made of. `about` is the manifest's part; `tidy` says how many rows were written."""

    profiles: list[Profile]
    window: Window
    about: dict[str, Any]
    mix: MediaMix
    uncovered: set[date] = field(default_factory=set)
    unknown: dict[tuple[str, str], set[date]] = field(default_factory=dict)
    national: Sums = field(default_factory=Sums)
    regions: MixRegions = field(default_factory=MixRegions)
    beside: Beside = field(default_factory=Beside)
    findings: list[Finding] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)

    def hashed(self, tidy: Path, tables: Iterable[Iterable[list[str]]]) -> str:
        """A short text that differs where anything does that a dataset with these rows and tables is made of."""
        unknown = sorted((*key, *map(str, sorted(days))) for key, days in self.unknown.items())
        with tidy.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        said = [[each.gate, each.message] for each in self.findings]
        beside = [_FORM, self.about, [str(day) for day in sorted(self.uncovered)], unknown, said]
        digest.update(json.dumps(beside, sort_keys=True).encode())
        for table in tables:
            for row in table:
                digest.update(",".join(row).encode() + b"\n")
        return digest.hexdigest()[:24]


class Gatherer:
    """Reads one client's datasets."""

    def __init__(self, catalog: Catalog, queries: Queries, clock: Clock, account: Account, asked: MixAsked) -> None:
        self._catalog = catalog
        self._queries = queries
        self._clock = clock
        self._account = account
        self._asked = asked
        self._campaign = self._asked_campaign()
        self._channels = Channels(account.media_mix.channels)
        self._facts: dict[tuple[str, str], AdCampaign] = {}
        self._handed: Mapping[str, frozenset[date]] = {}

    def by_currency(self) -> list[tuple[str, list[Profile]]]:
        """The ad accounts of each dataset."""
        found: dict[str, list[Profile]] = defaultdict(list)
        for profile in self._catalog.profiles(self._account.account_id):
            if self._queries.served(profile) and (self._campaign is None or self._bound.keep_profile(profile)):
                found[profile.currency].append(profile)
        return [(currency, sorted(each, key=lambda one: one.key)) for currency, each in sorted(found.items())]

    def found(self, currency: str, profiles: list[Profile]) -> MixFound | None:
        """What there is of a currency, without its rows; None where nothing was pulled whole."""
        read = {profile.key: self._covered(profile) for profile in profiles if _is_readable(profile)}
        covered = {key: found.days for key, found in read.items()}
        self._handed = {key: found.handed for key, found in read.items()}
        pulled = [profile for profile in profiles if covered.get(profile.key)]
        if not pulled:
            return None
        start = max(min(covered[profile.key]) for profile in pulled)
        end = min(max(covered[profile.key]) for profile in pulled)
        window = Window(min(start, end), end)
        about = {
            "account_id": self._account.account_id,
            "account_name": self._account.company_name,
            "campaign_id": self._asked.campaign_id or None,
            "campaign_name": self._campaign.name if self._campaign else None,
            "lookback_days": self._asked.lookback_days or None,
            "currency": currency,
            "timezones": {profile.key: profile.timezone for profile in pulled},
            "history_handed_over": _said_of(self._handed, window),
            "profiles_left_out": {each.key: _why_left_out(each) for each in profiles if each not in pulled},
            "first_date": start.isoformat(),
            "last_date": end.isoformat(),
            "last_settled_date": _last_settled([covered[profile.key] for profile in pulled], window),
            "channel_rules": self._account.media_mix.model_dump(mode="json")["channels"],
        }
        found = MixFound(pulled, window, about, self._account.media_mix)
        if self._campaign is None:
            found.uncovered = {day for one in pulled for day in window.days() if day not in covered[one.key]}
            found.unknown = {
                (profile.key, metric): days
                for profile in pulled
                for metric, unknown in read[profile.key].unknown.items()
                if (days := unknown & {*window.days()})
            }
        return found

    def fill(self, found: MixFound, tidy: Path) -> TidyWriter:
        """Write the tidy rows, and read the sums and what was dropped. Raises Unavailable."""
        found.channels = self._channels.names({str(profile.platform) for profile in found.profiles})
        national = ChannelSums()
        with tidy.open("w", encoding="utf-8", newline="") as file:
            writer = TidyWriter(file)
            for profile in found.profiles:
                self._fill_profile(found, profile, writer, national)
        found.national = national.by_channel()
        currency = found.about["currency"]
        drops = DropReader(self._catalog, self._queries, self._account, found.mix)
        dropped = drops.read(found.window, currency, found.channels)
        zones = found.about["timezones"]
        found.beside = dropped.beside
        found.findings += [*dropped.findings, *clock_findings(found.mix, dropped.beside, zones)]
        found.about |= dropped.about | {"kpi": kpi_said(found.mix, dropped.beside, zones)}
        if self._campaign is None:
            reader = RegionReader(self._queries, self._channel_of, dropped.beside)
            found.regions = reader.read(found.profiles, found.window, found.about["currency"])
            found.about["regions"] = found.regions.about
        return writer

    def _fill_profile(self, found: MixFound, profile: Profile, writer: TidyWriter, national: ChannelSums) -> None:
        """The ads of a profile, and what they leave of their account, so that the sums are the account level's.

        Ads that were last pulled before their account changed its currency are left out: the rest makes up for them.
        """
        campaigns = list(self._catalog.objects(profile.platform, profile.profile_id, Dataset.CAMPAIGNS))
        self._facts |= {(profile.key, each.id): each for each in campaigns if isinstance(each, AdCampaign)}
        names = Names({each.id: each.name for each in campaigns}, *self._names_below(profile))
        by_ads = self._channels.are_platforms or self._campaign is not None
        values = RowValues("")
        for read in self._ads(found, profile):
            if is_in(profile.currency, read):
                writer.write(tidy_row(read, profile, names))
                if by_ads:
                    values.show(read)
                    channel = self._channel_of(profile, values.campaign_id() or "", read.row.ad_product)
                    national.add(date.fromisoformat(read.row.day), str(profile.platform), channel, read.row.slot)
        if not by_ads:  # what has no ads, such as Performance Max, is known by its campaigns alone
            for read in self._queries.reader(profile, ProfileQuestion(found.window, Level.CAMPAIGN, rest=True)).rows():
                if is_in(profile.currency, read):
                    values.show(read)
                    channel = self._channel_of(profile, values.campaign_id() or "", read.row.ad_product)
                    national.add(date.fromisoformat(read.row.day), str(profile.platform), channel, read.row.slot)

    def _ads(self, found: MixFound, profile: Profile) -> Iterator[ReadRow]:
        """The rows by ad: of the whole ad account, or of what belongs to the campaign."""
        window = found.window
        if self._campaign is None:
            yield from self._queries.reader(profile, ProfileQuestion(window, Level.AD, rest=True)).rows()
            return
        span = parse_range(window.start.isoformat(), window.end.isoformat(), window.end)
        query = Query(span, (CROSS_CAMPAIGN, "ad_id", "date"))
        reader = self._queries.claimed.of_profile(query, self._bound, profile)
        for read in reader.rows():
            for name in compress(METRICS, (number is None for number in read.row.slot)):
                found.unknown.setdefault((profile.key, name), set()).add(date.fromisoformat(read.row.day))
            yield read
        whole = {day for day, one in reader.coverage().items() if one.whole}
        whole |= self._handed.get(profile.key, frozenset())
        found.uncovered |= {day for day in window.days() if day not in whole}

    @property
    def _bound(self) -> BoundTo:
        assert self._campaign is not None  # noqa: S101  the callers look
        return BoundTo({self._campaign.campaign_id: self._campaign})

    def _asked_campaign(self) -> Campaign | None:
        """Raises NotFound for a campaign that this client does not have."""
        if not self._asked.campaign_id:
            return None
        found = self._catalog.campaign(self._asked.campaign_id)
        if found.account_id != self._account.account_id:
            raise NotFound(f"the account has no cross-platform campaign {self._asked.campaign_id}")
        return found

    def _channel_of(self, profile: Profile, campaign_id: str, ad_product: str) -> str:
        if self._channels.are_platforms or not (campaign_id or ad_product):
            return str(profile.platform)
        known = self._facts.get((profile.key, campaign_id))
        product = ad_product or (known.ad_product if known else "")
        objective, name = (known.objective, known.name) if known else ("", "")
        return self._channels.of(CampaignFacts(str(profile.platform), product, objective, name))

    def _names_below(self, profile: Profile) -> tuple[dict[str, str], dict[str, str]]:
        def of(dataset: Dataset) -> dict[str, str]:
            found = self._catalog.objects(profile.platform, profile.profile_id, dataset)
            return {item.id: item.name for item in found}

        return of(Dataset.AD_GROUPS), of(Dataset.ADS)

    def _covered(self, profile: Profile) -> _Covered:
        """The days whose account totals rest on a whole pull, of the account level or of one that stands for it.

        They begin after the last day in another currency: an ad account may change its own. Of a platform that keeps
        its numbers for weeks, older days come as files or pushes: before the first day that was pulled, days with
        rows of such count as known, as far back as none is missing.
        """
        today = local_date(self._clock.now(), profile.timezone)
        history = Window(today - (self._asked.lookback_days or limits.MAX_MIX_DAYS) * DAY, today - DAY)
        reader = self._queries.reader(profile, ProfileQuestion(history, Level.ACCOUNT))
        foreign, unknown, handed = "", defaultdict[str, set[date]](set), set[date]()
        for read in reader.rows():
            if read.row.source in _HANDED:
                handed.add(date.fromisoformat(read.row.day))
            if not is_in(profile.currency, read):
                foreign = max(foreign, read.row.day)
            elif None in read.row.slot:
                for name in compress(METRICS, (number is None for number in read.row.slot)):
                    unknown[name].add(date.fromisoformat(read.row.day))
        found = reader.coverage()
        days = {day: covered for day, covered in found.items() if covered.whole and day.isoformat() > foreign}
        early = _before(min(days), {day for day in handed if day.isoformat() > foreign}) if days else frozenset()
        return _Covered(dict.fromkeys(sorted(early), _KNOWN) | days, unknown, early)


def lacking(found: MixFound, geos: Iterable[str], window: Window) -> list[Finding]:
    """The days of a window on which a KPI of one's own has no value: they may not be zero."""
    return [
        Finding("kpi", Severity.ERROR, f"{column} have no value on {len(days)} days: {named(days)}")
        for column, days in found.beside.lacking(geos, window.days()).items()
    ]


def is_in(currency: str, read: ReadRow) -> bool:
    """Whether a row's amounts are in a currency."""
    return not currency or read.row.currency in {"", currency.strip().upper()}


def _is_readable(profile: Profile) -> bool:
    return profile.status == ProfileStatus.ACTIVE and is_zone(profile.timezone)


def _said_of(handed: Mapping[str, frozenset[date]], window: Window) -> dict[str, dict[str, Any]]:
    """What the manifest says of the days of a window that files or pushes brought, by ad account."""
    within = {key: sorted(day for day in days if window.start <= day <= window.end) for key, days in handed.items()}
    return {
        key: {"days": len(days), "first": days[0].isoformat(), "last": days[-1].isoformat()}
        for key, days in sorted(within.items())
        if days
    }


def _before(first: date, handed: Collection[date]) -> frozenset[date]:
    """The days that end right before the first pulled one and of which none is missing."""
    found, day = set(), first - DAY
    while day in handed:
        found.add(day)
        day -= DAY
    return frozenset(found)


def _why_left_out(profile: Profile) -> str:
    if profile.status != ProfileStatus.ACTIVE:
        return f"profile is {profile.status}"
    return "never pulled" if is_zone(profile.timezone) else f"unknown time zone {profile.timezone[:40]!r}"


def _last_settled(covered: Iterable[Mapping[date, DayCoverage]], window: Window) -> str | None:
    """The last day of the window whose stored numbers are final in every profile."""
    settled = [{day for day, found in days.items() if found.settled} for days in covered]
    common = set.intersection(*settled) & set(window.days())
    return max(common).isoformat() if common else None
