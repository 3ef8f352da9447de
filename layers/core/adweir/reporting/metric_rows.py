"""The data type `metrics`: the stored rows of ad accounts as they are, of every level, by day and by hour.

Nothing is summed, no level stands in for another, and no rest is told: what was stored for an object is a record. Its
`timestamp` is the begin of its day or hour in the ad account's time zone.

Of cross-platform campaigns and arms they are the rows of what is bound: of the bound objects themselves, with a `level`
of all that lies in them. Then each says whose it is, and arms that are bound to nothing have rows of the level `arm`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

from adweir.model.campaigns import Claim
from adweir.model.entities import Profile
from adweir.model.errors import Unprocessable
from adweir.model.metrics import AD_LEVELS, IN_GROUP, Grain, Level, Mark, Series, own_id
from adweir.reporting.bound_to import ARM, CROSS_CAMPAIGN, BoundTo
from adweir.reporting.filters import Filters
from adweir.reporting.query import Queries
from adweir.reporting.questions import Query
from adweir.reporting.shown import accounts
from adweir.reporting.totals import KEPT, measures
from adweir.store.metrics.store import StoredRow

LEVEL = "level"
_LOOKS = 5000


def asked_levels(given: Any, where: str) -> tuple[Level, ...]:
    """A level or a list of them; all where none is named. Raises Unprocessable that lists them."""
    names = [] if given is None else given if isinstance(given, list) else [given]
    if not all(isinstance(name, str) and name in AD_LEVELS for name in names):
        message = f"level is one or more of {', '.join(AD_LEVELS)}"
        raise Unprocessable(message, [{"field": f"{where}.{LEVEL}", "message": message, "known": list(AD_LEVELS)}])
    return tuple(level for level in AD_LEVELS if not names or level in names)


def metric_rows(
    queries: Queries, asked: Query, levels: Sequence[Level], *, within: bool = True
) -> Iterator[dict[str, Any]]:
    """The records, by ad account, level, grain, object and time; those of arms alone last.

    `within`: of what is bound also what lies in it. Raises TooLarge (no time is left), Unavailable.
    """
    profiles, _ = queries.dated_profiles(asked.filters)
    view, number = queries.view.snapshot(), 0
    for profile, level, grain in product(profiles, levels, Grain):
        series = Series(profile.platform, profile.profile_id, level, grain)
        filters = asked.filters.within(profile)
        shown, is_asked = _shown_of(profile, level), _asked_of(filters, level)
        whose = _whose(filters, profile, level, within=within)
        window = asked.range.window(profile.timezone)
        first, last = asked.range.hours(profile.timezone)
        for row in view.read(series, window, sources=asked.sources, only=filters.only):
            number += 1
            if not number % _LOOKS:
                queries.check_time()
            in_range = grain is Grain.DAY or first <= (row.day, row.hour) <= last
            said = whose(row) if in_range and is_asked(row) else None
            if said is not None:
                yield shown(row) | said
    if asked.filters.bound is not None and not asked.filters.of_rows and not within:
        yield from _alone(queries, asked, asked.filters.bound)


def _alone(queries: Queries, asked: Query, bound: BoundTo) -> Iterator[dict[str, Any]]:
    """The records of arms that are bound to nothing."""
    for profile, _, rows in queries.claimed.of_arms(asked, bound):
        shown, (first, last) = _shown_of(profile, Level.ARM), asked.range.hours(profile.timezone)
        for read in rows:
            if first <= (read.row.day, read.row.hour) <= last and read.claim is not None:
                yield shown(read.row) | _said(read.claim)


def _whose(
    filters: Filters, profile: Profile, level: Level, *, within: bool
) -> Callable[[StoredRow], dict[str, Any] | None]:
    """What a row says of cross-platform campaigns, where they are asked for; None where it belongs to none of them."""
    bound = filters.bound
    if bound is None:
        return lambda _: {}
    ordered = sorted(bound.claims(profile), key=lambda each: bool(each.arm_id))
    claims: dict[tuple[str, ...], Claim] = {(each.binding.level, *each.binding.own_ids): each for each in ordered}

    def whose(row: StoredRow) -> dict[str, Any] | None:
        ids = _ids(row, level)
        campaign, group, ad = (ids.get(name) or "" for name in ("campaign_id", "ad_group_id", "ad_id"))
        places = (Level.AD, group, ad), (Level.AD_GROUP, group), (Level.CAMPAIGN, campaign), (Level.ACCOUNT,)
        found = next((claims[place] for place in places if place in claims), None)
        return _said(found) if found and (within or found.binding.level is level) else None

    return whose


def _said(claim: Claim) -> dict[str, Any]:
    return {CROSS_CAMPAIGN: claim.campaign_id, ARM: claim.arm_id or None}


def _ids(row: StoredRow, level: Level) -> dict[str, str | None]:
    """The ids of a row's object and of those that it is in."""
    own = own_id(row.entity_id) if level in IN_GROUP else row.entity_id
    if level is Level.ARM:
        return {"campaign_id": None, "ad_group_id": None}
    found: dict[str, str | None] = {"campaign_id": row.campaign_id or None, "ad_group_id": row.ad_group_id or None}
    return found | {f"{level}_id": own} if level is not Level.ACCOUNT else found


def _asked_of(filters: Filters, level: Level) -> Callable[[StoredRow], bool]:
    wanted = filters.of_rows

    def is_asked(row: StoredRow) -> bool:
        ids = _ids(row, level)
        return all(ids.get(name) in values for name, values in wanted.items())

    return is_asked


def _shown_of(profile: Profile, level: Level) -> Callable[[StoredRow], dict[str, Any]]:
    zone = ZoneInfo(profile.timezone)

    def shown(row: StoredRow) -> dict[str, Any]:
        numbers = measures(row.slot)
        begin = datetime.combine(date.fromisoformat(row.day), time(max(row.hour, 0)), zone)
        return {
            "platform": str(profile.platform),
            "profile_id": profile.shown_id,
            LEVEL: level.value,
            **_ids(row, level),
            "date": row.day,
            "hour": row.hour if row.hour >= 0 else None,
            "timestamp": _offset(begin),
            "currency": row.currency or profile.currency,
            **numbers,
            "cost": numbers["spend"],
            "source": row.source.value,
            **accounts(profile),
            **({KEPT: True} if row.mark is Mark.KEPT else {}),
        }

    return shown


def _offset(moment: datetime) -> str:
    """ISO 8601 with the offset of the zone; of a local time that clocks leave out, the moment that it means."""
    return moment.astimezone(UTC).astimezone(moment.tzinfo).isoformat()
