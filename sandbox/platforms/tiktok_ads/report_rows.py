"""The rows of a report: who delivered, added up by the dimensions, in no particular order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from sandbox.platforms.tiktok_ads.breakdowns import few, parts
from sandbox.platforms.tiktok_ads.metrics import LEVELS, METRICS, NONE, ReportFacts
from sandbox.platforms.tiktok_ads.questions import DAY, HOUR, ReportAsked
from sandbox.world import Numbers, Reading, World, WorldAd, WorldAdGroup, WorldCampaign, WorldProfile, WorldRow
from sandbox.world.counting import CONVERSION, INTERACTION
from sandbox.world.draw import mix, seed_of
from sandbox.world.numbers import ZERO, add
from sandbox.world.world import NO_HOUR, Moment


class _RowKey(NamedTuple):
    """Equal for what is one row."""

    entity: str
    day: date | None
    hour: int
    cut: tuple[str, ...]


class _RowSum:
    """What a row adds up."""

    def __init__(self, row: WorldRow) -> None:
        self.first = row
        self.numbers: dict[str, list[Numbers]] = {INTERACTION: [], CONVERSION: []}
        self.film: list[Numbers] = []

    def add(self, clock: str, row: WorldRow, part: Numbers) -> None:
        """Take in a part of what an ad delivered."""
        self.numbers[clock].append(part)
        if clock == INTERACTION and row.ad is not None and "video_id" in row.ad.creative:
            self.film.append(part)

    def total(self, clock: str) -> Numbers:
        """The sum by one clock."""
        return add(self.numbers[clock]) if self.numbers[clock] else ZERO


class TikTokRow(NamedTuple):
    """A written row, with its facts to sort and to total by."""

    facts: ReportFacts
    body: dict[str, Any]


def report_rows(world: World, profile: WorldProfile, asked: ReportAsked, moment: Moment) -> list[TikTokRow]:
    """All rows of one advertiser; unsorted, as TikTok leaves them when no order is asked for."""
    sums = _summed(world, profile, asked, moment)
    written = [_written(profile, asked, key, one) for key, one in sums.items()]
    kept = [row for row in written if asked.filters.counts(_numbers(row, asked))]
    kept.sort(key=lambda row: mix(seed_of(*row.body["dimensions"].values()), 7))
    return kept


def _numbers(row: TikTokRow, asked: ReportAsked) -> dict[str, str]:
    return {name: METRICS[name].value(row.facts) for name in asked.filters.numbers}


def _summed(world: World, profile: WorldProfile, asked: ReportAsked, moment: Moment) -> dict[_RowKey, _RowSum]:
    sums: dict[_RowKey, _RowSum] = {}
    today = (moment.today - world.first_day).days
    for clock in (INTERACTION, CONVERSION) if asked.real_time else (INTERACTION,):
        reading = Reading(clock=clock, hourly=asked.time == HOUR)
        for row in world.days(profile, asked.start, asked.end, moment=moment, reading=reading):
            if not asked.filters.passes(profile, row, today):
                continue
            for cut, part in parts(profile, row.ad, row.numbers, asked.cuts):
                key = _RowKey(_entity(profile, asked, row), row.day if asked.time else None, row.hour, cut)
                sums.setdefault(key, _RowSum(row)).add(clock, row, part)
    if asked.id_name and not asked.time and not asked.cuts:
        _add_idle(world, profile, asked, sums, today)
    return sums


def _add_idle(
    world: World, profile: WorldProfile, asked: ReportAsked, sums: dict[_RowKey, _RowSum], today: int
) -> None:
    """With nothing but an id asked for, what did not deliver has a row of zeros; some ads are left out by a rule of
    TikTok's own.
    """
    for campaign, group, ad in profile.delivering():
        row = WorldRow(world.first_day, -1, campaign, group, ad, None, ZERO)
        key = _RowKey(_entity(profile, asked, row), None, -1, ())
        if key in sums or not asked.filters.passes(profile, row, today):
            continue
        if asked.level != LEVELS[3] or mix(ad.seed, 960_000) % 3:
            sums[key] = _RowSum(row)


def _entity(profile: WorldProfile, asked: ReportAsked, row: WorldRow) -> str:
    match asked.id_name:
        case "advertiser_id":
            return profile.id
        case "campaign_id":
            return row.campaign.id if row.campaign else ""
        case "adgroup_id":
            return row.group.id if row.group else ""
        case "ad_id":
            return row.ad.id if row.ad else ""
        case "ad_id_v2":
            return str(row.ad.creative.get("smart_plus_ad_id", row.ad.id)) if row.ad else ""
    return ""


def _written(profile: WorldProfile, asked: ReportAsked, key: _RowKey, one: _RowSum) -> TikTokRow:
    campaign, group, ad = _about(asked, one.first)
    numbers = one.total(INTERACTION)
    facts = ReportFacts(
        profile,
        asked.level,
        numbers,
        one.total(CONVERSION),
        sum(part.impressions for part in one.film),
        campaign,
        group,
        ad,
        by_creative=asked.id_name != "ad_id_v2",
        named=bool(asked.id_name),
        whole_money=asked.together,
    )
    metrics = {name: METRICS[name].value(facts) for name in asked.metrics}
    if "search_terms" in asked.cuts and "impressions" in metrics:
        metrics["impressions"] = few(metrics["impressions"])
    return TikTokRow(facts, {"dimensions": dict(_dimensions(asked, key)), "metrics": metrics})


def _about(asked: ReportAsked, row: WorldRow) -> tuple[WorldCampaign | None, WorldAdGroup | None, WorldAd | None]:
    """The objects that a row of this level is about."""
    depth = LEVELS.index(asked.level) if asked.id_name else 0
    return row.campaign if depth >= 1 else None, row.group if depth >= 2 else None, row.ad if depth >= 3 else None


def _dimensions(asked: ReportAsked, key: _RowKey) -> Iterator[tuple[str, str]]:
    cuts = dict(zip(asked.cuts, key.cut, strict=True))
    for name in asked.dimensions:
        if name == DAY:
            yield name, f"{key.day} 00:00:00"
        elif name == HOUR:
            yield name, NONE if key.hour == NO_HOUR else f"{key.day} {key.hour:02d}:00:00"
        else:
            yield name, cuts.get(name, key.entity)
