"""The world: its clock, its companies, and its truth at a moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache, partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sandbox.world.catalog import Company, WorldAd, WorldAdGroup, WorldCampaign, WorldKeyword, WorldProfile
from sandbox.world.counting import CONVERSION, DEFAULT, Reading, row_numbers
from sandbox.world.draw import mix
from sandbox.world.happenings import ANOMALY, Event, anomaly_of, happen
from sandbox.world.numbers import Numbers, add, by_conversion_day, hours_of, of_day, split
from sandbox.world.plan import HISTORY_DAYS, AccountPlan, Anomaly, HiddenDemand

NOON = time(12, tzinfo=UTC)
"""At noon UTC the date is the same from Los Angeles to Tokyo, so every profile has the same today."""


DRIVER = "driver"
"""The kind of the event that sets the strength of hidden demand."""
_MOST_DAYS = 4000
"""Days of ad accounts that are kept: a day of fifty ads takes about 60 kB."""
NO_HOUR = -2
"""The hour of an hourly row that does not say which one it is."""
_EVERY_CAMPAIGN = "every_campaign"
"""The campaigns' level, with those that stand apart."""

KEYWORD_WEIGHTS = (5, 3, 2, 1)
"""How an ad's numbers divide over its ad group's keywords or targets, of which there are four at most."""


class WorldRow(NamedTuple):
    """One entity's numbers per day, or per hour (`hour` is -1 in daily rows). What its level does not have is None."""

    day: date
    hour: int
    campaign: WorldCampaign | None
    group: WorldAdGroup | None
    ad: WorldAd | None
    keyword: WorldKeyword | None
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Moment:
    """A profile's local date and hour. A report keeps the numbers of the moment at which it was requested."""

    today: date
    hour: int


class World:
    """The numbers of some companies. `anchor` is the first today; the history begins three years before it.

    `changes`: how many things have happened. `driver`: the strength of hidden demand, per mille.
    """

    def __init__(self, seed: int, anchor: date, companies: tuple[Company, ...]) -> None:
        self.seed = seed
        self.anchor = anchor
        self.offset = timedelta()
        self.companies = companies
        self.first_day = anchor - timedelta(days=HISTORY_DAYS - 1)
        self.changes = 0
        self.driver = 0
        self._day = lru_cache(maxsize=_MOST_DAYS)(self._compute_day)
        self._profiles = {(p.platform, p.id): p for company in companies for p in _everywhere(company)}
        self._later: list[tuple[WorldProfile, Anomaly]] = []
        self._plans = self._planned()

    @property
    def now(self) -> datetime:
        """The world's time: noon UTC on the anchor day, plus how far the clock was moved."""
        return datetime.combine(self.anchor, NOON) + self.offset

    @property
    def profiles(self) -> list[WorldProfile]:
        """Every company's ad accounts on platforms that adweir knows."""
        return [profile for company in self.companies for profile in company.profiles]

    @property
    def elsewhere(self) -> list[WorldProfile]:
        """Every company's ad accounts on platforms that adweir does not know."""
        return [profile for company in self.companies for profile in company.elsewhere.profiles]

    def profile(self, platform: str, profile_id: str) -> WorldProfile | None:
        """An ad account by the platform's stored name and its id without a prefix, or None."""
        return self._profiles.get((platform, profile_id))

    def hidden(self, company: Company) -> HiddenDemand:
        """What moves the company's spend and sales alike, and nobody reports."""
        return HiddenDemand(self.seed, company.key, self.driver)

    def plan(self, profile: WorldProfile) -> AccountPlan:
        """The ad account's budgets, anomalies and level shifts."""
        return self._plans[profile.platform, profile.id]

    def _planned(self) -> dict[tuple[str, str], AccountPlan]:
        weekday = self.first_day.weekday()
        return {
            (profile.platform, profile.id): AccountPlan(
                self.seed, profile.platform, profile.id, weekday, self.hidden(company)
            )
            for company in self.companies
            for profile in _everywhere(company)
        }

    def happen(self, event: Event) -> None:
        """Something happens: hidden demand gets another strength (`per_mille`), or what `happenings` has to the ad
        account that the event names by `platform` and `profile_id`.
        """
        if event.get("kind") == DRIVER:
            self.driver = int(event["per_mille"])
            self._plans = self._planned()
            for each, anomaly in self._later:
                self.plan(each).plant(anomaly)
        else:
            profile = self.profile(str(event.get("platform")), str(event.get("profile_id")))
            if profile is None:
                raise ValueError(f"no ad account {event.get('profile_id')!r}")
            if event.get("kind") == ANOMALY:
                planted = anomaly_of(profile, event, self.first_day)
                self._later.append((profile, planted))
                self.plan(profile).plant(planted)
            else:
                happen(profile, event, self.first_day)
        self.changes += 1
        self._day.cache_clear()

    def moment(self, profile: WorldProfile) -> Moment:
        """The profile's local date and hour now."""
        local = self.now.astimezone(ZoneInfo(profile.timezone))
        return Moment(local.date(), local.hour)

    def window(self, profile: WorldProfile, start: date, end: date, moment: Moment | None = None) -> list[date]:
        """The days of a window that the world has: not before its first, not after the moment's today."""
        start, end = max(start, self.first_day), min(end, (moment or self.moment(profile)).today)
        return [start + timedelta(days=n) for n in range((end - start).days + 1)]

    def days(
        self,
        profile: WorldProfile,
        start: date,
        end: date,
        *,
        moment: Moment | None = None,
        reading: Reading = DEFAULT,
    ) -> Iterator[WorldRow]:
        """All that delivered, day by day (or hour by hour), as the platform knows it at `moment`.

        Rows of a group's `unlisted` are among them: they are in the totals of the parents, and no ad's.
        """
        moment = moment or self.moment(profile)
        for day in self.window(profile, start, end, moment):
            age = min((moment.today - day).days, profile.traits.restatement.settles_after_days)
            hour = moment.hour if age == 0 else 24
            yield from self._day(profile, day, age, hour, (reading.hourly, reading.clock, self.changes))

    def rows(
        self,
        profile: WorldProfile,
        level: str,
        start: date,
        end: date,
        *,
        moment: Moment | None = None,
        reading: Reading = DEFAULT,
    ) -> Iterator[WorldRow]:
        """Rows at a level: ad, ad_group, keyword (the ad group's numbers over its keywords), campaign or account.

        Ads that the platform has forgotten, and spend that belongs to none, are in every level's rows but the ads';
        hidden groups are in those of campaigns and the account alone. Campaigns that stand apart without an id are in
        the account's rows alone (and in those of the level `_EVERY_CAMPAIGN`).
        """
        yield from summed(level, self.delivered(profile, level, start, end, moment=moment, reading=reading))

    def delivered(
        self,
        profile: WorldProfile,
        level: str,
        start: date,
        end: date,
        *,
        moment: Moment | None = None,
        reading: Reading = DEFAULT,
    ) -> Iterator[WorldRow]:
        """The rows of `days` that `rows` sums at a level."""
        days = _of_level(level, self.days(profile, start, end, moment=moment, reading=reading))
        if level != "ad":
            return days
        unlisted = [ad for c in profile.campaigns if not c.apart for g in c.groups for ad in g.unlisted]
        hidden = {id(ad) for ad in unlisted if not (reading.forgotten and ad.id)}
        return (row for row in days if id(row.ad) not in hidden) if hidden else days

    def _compute_day(
        self,
        profile: WorldProfile,
        day: date,
        age: int,
        hour: int,
        kind: tuple[bool, str, int],
    ) -> tuple[WorldRow, ...]:
        """`kind`: hourly or not, the clock, and how much had happened: what is computed meanwhile is not kept."""
        hourly, clock, _ = kind
        index = (day - self.first_day).days
        count = by_conversion_day if clock == CONVERSION else of_day
        plan, traits = self.plan(profile), profile.traits
        days = {
            key: partial(plan.day, traits.channel_of(key[0]).name, campaign_id=key[1])
            for key in {(c.product, c.id) for c in profile.campaigns}
        }
        rows = []
        for campaign, group, ad in profile.delivering():
            whole = count(profile, ad, days[campaign.product, campaign.id], index, age)
            if whole.is_zero:
                continue
            hours = hours_of(whole, ad, index)[:hour] if hourly or hour < 24 else []
            if hourly:
                parts = list(enumerate(hours))
                if profile.patchy:
                    parts = _with_holes(parts, mix(ad.seed, 930_000 + index))
            else:
                parts = [(-1, add(hours) if hour < 24 else whole)]
            rows += [WorldRow(day, h, campaign, group, ad, None, part) for h, part in parts if not part.is_zero]
        if hourly:
            rows.sort(key=lambda row: row.hour)
        return tuple(rows)

    # -- truth ---------------------------------------------------------------------------------------------------

    def truth(
        self,
        profile: WorldProfile,
        start: date,
        end: date,
        level: str = "ad",
        *,
        hourly: bool = False,
        reading: Reading = DEFAULT,
    ) -> Iterator[dict[str, Any]]:
        """The rows that a correct pipeline stores when it pulls now: counts, and micros for the other three numbers.

        Each level answers for itself: the account's rows are what the platform's own page shows, a campaign's or ad
        group's contain what no ad's row does. An hour that the platform does not name is in no row.
        """
        reading = replace(reading, hourly=hourly or reading.hourly)
        if level == "account":
            yield from self._account_truth(profile, start, end, reading)
            return
        for row in self.rows(profile, level, start, end, reading=reading):
            if row.hour != NO_HOUR:
                yield truth_row(profile, row, reading)

    def _account_truth(
        self, profile: WorldProfile, start: date, end: date, reading: Reading
    ) -> Iterator[dict[str, Any]]:
        """Ad products may have different attribution windows, so campaigns are summed, not ads."""
        days: dict[tuple[str, int], dict[str, Any]] = {}
        blank = {"entity_id": profile.id, "campaign_id": "", "ad_group_id": "", "ad_id": "", "ad_product": ""}
        for row in self.truth(profile, start, end, _EVERY_CAMPAIGN, reading=reading):
            day = days.get((row["date"], row.get("hour", -1)))
            if day is None:
                days[row["date"], row.get("hour", -1)] = row | blank
                continue
            for name in ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros"):
                day[name] = None if row[name] is None else day[name] + row[name]
        yield from days.values()


def _everywhere(company: Company) -> tuple[WorldProfile, ...]:
    return (*company.profiles, *company.elsewhere.profiles)


def summed(level: str, rows: Iterable[WorldRow]) -> Iterator[WorldRow]:
    """The delivered rows of ads at a level of `World.rows`."""
    if level == "ad":
        yield from rows
        return
    sums: dict[tuple[date, int, str], list[WorldRow]] = {}
    for row in rows:
        assert row.campaign is not None and row.group is not None  # noqa: S101, PT018 - an ad has both parents
        key = {"campaign": row.campaign.id, _EVERY_CAMPAIGN: row.campaign.id, "account": ""}.get(level, row.group.id)
        sums.setdefault((row.day, row.hour, key), []).append(row)
    for (day, hour, _), group_rows in sums.items():
        first = group_rows[0]
        total = add([row.numbers for row in group_rows])
        if level == "account":
            yield WorldRow(day, hour, None, None, None, None, total)
        elif level in ("campaign", _EVERY_CAMPAIGN):
            yield WorldRow(day, hour, first.campaign, None, None, None, total)
        elif level == "ad_group":
            yield WorldRow(day, hour, first.campaign, first.group, None, None, total)
        elif first.group and first.group.keywords:
            keywords = first.group.keywords
            weights = list(KEYWORD_WEIGHTS[: len(keywords)])
            cells = zip(*(split(row.numbers, weights) for row in group_rows), strict=True)
            for keyword, parts in zip(keywords, cells, strict=True):
                part = add(list(parts))
                if not part.is_zero:
                    yield WorldRow(day, hour, first.campaign, first.group, None, keyword, part)


def truth_row(profile: WorldProfile, row: WorldRow, reading: Reading) -> dict[str, Any]:
    """A row below the account's level as a truth row."""
    campaign, group = row.campaign, row.group
    product = campaign.product if campaign else ""
    group_id = group.id if group else ""
    entity = campaign.id if campaign else ""
    if row.ad:
        entity = f"{group_id}~{row.ad.id}"
    elif row.keyword:
        entity = row.keyword.id
    elif group:
        entity = group_id
    conversions = not reading.hourly or profile.traits.hourly_conversions
    truth = {
        "platform": profile.platform,
        "profile_id": profile.id,
        "entity_id": entity,
        "campaign_id": campaign.id if campaign else "",
        "ad_group_id": group_id,
        "ad_id": row.ad.id if row.ad else "",
        "ad_product": product,
        "date": row.day.isoformat(),
        **row_numbers(profile, row.numbers, reading.windows(profile, product), conversions=conversions),
        "currency": profile.currency,
    }
    return truth | {"hour": row.hour} if reading.hourly else truth


def _of_level(level: str, days: Iterator[WorldRow]) -> Iterator[WorldRow]:
    """What delivered, without the campaigns that nobody is shown and the hidden groups where they do not belong."""
    if level in ("account", _EVERY_CAMPAIGN):
        return days
    shown = (row for row in days if row.campaign is None or row.campaign.id or not row.campaign.apart)
    return shown if level == "campaign" else (row for row in shown if row.group is None or not row.group.hidden)


def _with_holes(hours: list[tuple[int, Numbers]], luck: int) -> list[tuple[int, Numbers]]:
    """An ad-day's hours on a patchy ad account: one day in five lacks an hour, one in seven does not name one."""
    if luck % 5 == 0:
        hours = [(hour, part) for hour, part in hours if hour != luck % 24]
    if luck % 7 == 0:
        hours = [(NO_HOUR if hour == luck % 23 else hour, part) for hour, part in hours]
    return hours
