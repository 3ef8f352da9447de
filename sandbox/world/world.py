"""The world: its clock, its companies, and its truth at a moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sandbox.world.catalog import Company, WorldAd, WorldAdGroup, WorldCampaign, WorldKeyword, WorldProfile
from sandbox.world.numbers import Numbers, add, hours_of, of_day, split

HISTORY_DAYS = 60
NOON = time(12, tzinfo=UTC)
"""At noon UTC the date is the same from Los Angeles to Tokyo, so every profile has the same today."""


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
    """The numbers of some companies. `anchor` is the first today; the history begins 59 days before it."""

    def __init__(self, seed: int, anchor: date, companies: tuple[Company, ...]) -> None:
        self.seed = seed
        self.anchor = anchor
        self.offset = timedelta()
        self.companies = companies
        self.first_day = anchor - timedelta(days=HISTORY_DAYS - 1)
        self._day = lru_cache(maxsize=40_000)(self._compute_day)

    @property
    def now(self) -> datetime:
        """The world's time: noon UTC on the anchor day, plus how far the clock was moved."""
        return datetime.combine(self.anchor, NOON) + self.offset

    @property
    def profiles(self) -> list[WorldProfile]:
        """Every company's ad accounts."""
        return [profile for company in self.companies for profile in company.profiles]

    def profile(self, platform: str, profile_id: str) -> WorldProfile | None:
        """An ad account by the platform's stored name and its id without a prefix, or None."""
        return next((p for p in self.profiles if p.platform == platform and p.id == profile_id), None)

    def moment(self, profile: WorldProfile) -> Moment:
        """The profile's local date and hour now."""
        local = self.now.astimezone(ZoneInfo(profile.timezone))
        return Moment(local.date(), local.hour)

    def window(self, profile: WorldProfile, start: date, end: date, moment: Moment | None = None) -> list[date]:
        """The days of a window that the world has: not before its first, not after the moment's today."""
        start, end = max(start, self.first_day), min(end, (moment or self.moment(profile)).today)
        return [start + timedelta(days=n) for n in range((end - start).days + 1)]

    def ad_days(
        self, profile: WorldProfile, start: date, end: date, *, moment: Moment | None = None, hourly: bool = False
    ) -> Iterator[WorldRow]:
        """Every ad's rows with activity, day by day (or hour by hour), as the platform knows them at `moment`."""
        moment = moment or self.moment(profile)
        for day in self.window(profile, start, end, moment):
            age = min((moment.today - day).days, profile.traits.restatement.settles_after_days)
            yield from self._day(profile.platform, profile.id, day, age, moment.hour if age == 0 else 24, hourly)

    def rows(
        self,
        profile: WorldProfile,
        level: str,
        start: date,
        end: date,
        *,
        moment: Moment | None = None,
        hourly: bool = False,
    ) -> Iterator[WorldRow]:
        """Rows at a level: ad, ad_group, keyword (the ad group's numbers over its keywords), campaign or account."""
        ads = self.ad_days(profile, start, end, moment=moment, hourly=hourly)
        if level == "ad":
            yield from ads
            return
        sums: dict[tuple[date, int, str], list[WorldRow]] = {}
        for row in ads:
            assert row.campaign is not None and row.group is not None  # noqa: S101, PT018 - an ad has both parents
            key = {"campaign": row.campaign.id, "account": ""}.get(level, row.group.id)
            sums.setdefault((row.day, row.hour, key), []).append(row)
        for (day, hour, _), group_rows in sums.items():
            first = group_rows[0]
            total = add([row.numbers for row in group_rows])
            if level == "account":
                yield WorldRow(day, hour, None, None, None, None, total)
            elif level == "campaign":
                yield WorldRow(day, hour, first.campaign, None, None, None, total)
            elif level == "ad_group":
                yield WorldRow(day, hour, first.campaign, first.group, None, None, total)
            elif first.group and first.group.keywords:
                keywords = first.group.keywords
                parts = split(total, [5, 3, 2][: len(keywords)])
                for keyword, part in zip(keywords, parts, strict=True):
                    if not part.is_zero:
                        yield WorldRow(day, hour, first.campaign, first.group, None, keyword, part)

    def _compute_day(
        self,
        platform: str,
        profile_id: str,
        day: date,
        age: int,
        hour: int,
        hourly: bool,  # noqa: FBT001 - part of the cache's key
    ) -> tuple[WorldRow, ...]:
        profile = self.profile(platform, profile_id)
        if profile is None:
            return ()
        index = (day - self.first_day).days
        rows = []
        for campaign, group, ad in profile.ads():
            whole = of_day(profile, ad, index, day.weekday(), age)
            if whole.is_zero:
                continue
            hours = hours_of(whole, ad, index)[:hour] if hourly or hour < 24 else []
            if hourly:
                parts = [(h, part) for h, part in enumerate(hours)]
            else:
                parts = [(-1, add(hours) if hour < 24 else whole)]
            rows += [WorldRow(day, h, campaign, group, ad, None, part) for h, part in parts if not part.is_zero]
        if hourly:
            rows.sort(key=lambda row: row.hour)
        return tuple(rows)

    # -- truth ---------------------------------------------------------------------------------------------------

    def truth(
        self, profile: WorldProfile, start: date, end: date, level: str = "ad", *, hourly: bool = False
    ) -> Iterator[dict[str, Any]]:
        """The rows that a correct pipeline stores when it pulls now: counts, and micros for the other three numbers.

        Ad products may have different attribution windows, so an account's row is the sum of its campaigns' rows.
        """
        if level == "account":
            yield from self._account_truth(profile, start, end, hourly=hourly)
            return
        for row in self.rows(profile, level, start, end, hourly=hourly):
            campaign, group = row.campaign, row.group
            product = campaign.product if campaign else ""
            days = profile.windows[product]
            group_id = group.id if group else ""
            entity = campaign.id if campaign else ""
            if row.ad:
                entity = f"{group_id}~{row.ad.id}"
            elif row.keyword:
                entity = row.keyword.id
            elif group:
                entity = group_id
            truth = {
                "platform": profile.platform,
                "profile_id": profile.id,
                "entity_id": entity,
                "campaign_id": campaign.id if campaign else "",
                "ad_group_id": group_id,
                "ad_id": row.ad.id if row.ad else "",
                "ad_product": product,
                "date": row.day.isoformat(),
                "impressions": row.numbers.impressions,
                "clicks": row.numbers.clicks,
                "conversions_micros": row.numbers.halves[days] * 500_000,
                "spend_micros": row.numbers.spend * profile.minor_micros,
                "revenue_micros": row.numbers.revenue[days] * profile.minor_micros,
                "currency": profile.currency,
            }
            yield truth | {"hour": row.hour} if hourly else truth

    def _account_truth(
        self, profile: WorldProfile, start: date, end: date, *, hourly: bool
    ) -> Iterator[dict[str, Any]]:
        days: dict[tuple[str, int], dict[str, Any]] = {}
        blank = {"entity_id": profile.id, "campaign_id": "", "ad_group_id": "", "ad_id": "", "ad_product": ""}
        for row in self.truth(profile, start, end, "campaign", hourly=hourly):
            day = days.get((row["date"], row.get("hour", -1)))
            if day is None:
                days[row["date"], row.get("hour", -1)] = row | blank
                continue
            for name in ("impressions", "clicks", "conversions_micros", "spend_micros", "revenue_micros"):
                day[name] += row[name]
        yield from days.values()
