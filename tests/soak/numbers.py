"""Every stored number against the platforms' own: row by row at each level, the sums of each level, and hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from adweir.model.money import MICRO
from ops.client import Api
from ops.demo.world import WorldDoors
from soak.plan import Owned

LEVELS: Final = {
    "account": (),
    "campaign": ("campaign_id",),
    "ad_group": ("ad_group_id",),
    "ad": ("ad_group_id", "ad_id"),
}
"""By level, what names a row beside the ad account and its day."""
_COUNTS = ("impressions", "clicks")
_MICROS = ("conversions", "spend", "revenue")
_NOT_BY_HOUR: Final = {"google_ads": _MICROS.index("revenue") + len(_COUNTS)}
"""What a platform shows by day and nobody has seen it report by the hour: nothing is stored of it (docs/sandbox.md)."""

Key = tuple[str, ...]
Numbers = tuple[int | None, ...]
Rows = dict[Key, Numbers]


@dataclass
class Compared:
    """How many rows and numbers were compared, and a line per difference."""

    rows: int = 0
    numbers: int = 0
    totals: int = 0
    hours: int = 0
    wrong: list[str] = field(default_factory=list)

    def differences(self, what: str, stored: Mapping[Key, Numbers], truth: Mapping[Key, Numbers]) -> None:
        """Compare two sides; a key that only one of them has is a difference."""
        for key in sorted({*stored, *truth}):
            if stored.get(key) != truth.get(key):
                self.wrong.append(f"{what} {' '.join(key)}: stored {stored.get(key)}, platform {truth.get(key)}")


def days(
    api: Api, world: WorldDoors, owned: Iterable[Owned], span: tuple[str, str], kept: Mapping[str, Rows]
) -> Compared:
    """The days of `span` at each level. `kept`: by ad account, the rows of ads that its platform no longer shows."""
    found = Compared()
    accounts: dict[str, list[Owned]] = defaultdict(list)
    for one in owned:
        accounts[one.account_id].append(one)
    for account_id, members in accounts.items():
        totals: dict[str, Rows] = {}
        for level, names in LEVELS.items():
            truth = _true(world, members, level, span)
            if level == "ad":
                truth = dict(item for one in members for item in kept.get(one.profile_id, {}).items()) | truth
            stored, sums = _stored(api, account_id, level, names, span)
            totals[level] = sums
            found.rows += len(truth)
            found.numbers += 5 * len(truth)
            found.differences(level, stored, truth)
        own = {key: row for key, row in _true(world, members, "account", span).items() if any(row)}
        for level in LEVELS:
            found.totals += len(own)
            found.differences(f"sum of level {level}", totals[level], own)
    return found


def hours(api: Api, world: WorldDoors, owned: Iterable[Owned], span: tuple[str, str]) -> Compared:
    """The hours of campaigns."""
    found = Compared()
    for account_id in dict.fromkeys(one.account_id for one in owned):
        members = [one for one in owned if one.account_id == account_id]
        truth = _true(world, members, "campaign", span, hourly="1")
        ids = {one.profile_id for one in members}
        rows = api.records("campaign_performance_hourly", {"client_account_id": account_id, "date_range": _range(span)})
        stored = {
            (row["profile_id"], row["campaign_id"], row["date"], f"{row['hour']:02}"): _numbers(row) for row in rows
        }
        by_hour = {one.profile_id for one in members if any(key[0] == one.profile_id for key in stored)}
        wanted = {key: row for key, row in truth.items() if key[0] in by_hour}
        found.hours += len(wanted)
        found.numbers += 5 * len(wanted)
        found.differences("hour", {key: row for key, row in stored.items() if key[0] in ids}, wanted)
    return found


def ads_of(api: Api, owner: Owned, span: tuple[str, str], ad_id: str) -> Rows:
    """What is stored of an ad."""
    filters = {"profile_id": owner.profile_id, "date_range": _range(span)}
    rows = api.records("ad_performance", filters)
    return {
        (owner.profile_id, f"{row['ad_group_id']}~{ad_id}", row["date"]): _numbers(row)
        for row in rows
        if row["ad_id"] == ad_id
    }


def _stored(api: Api, account_id: str, level: str, names: tuple[str, ...], span: tuple[str, str]) -> tuple[Rows, Rows]:
    """Rows of a level, and their sums by day: what belongs to no entity is in the sums alone."""
    rows: Rows = {}
    sums: dict[Key, list[Numbers]] = defaultdict(list)
    for row in api.records(f"{level}_performance", {"client_account_id": account_id, "date_range": _range(span)}):
        own = {name.removeprefix("daily_"): value for name, value in row.items()}
        profile, numbers = row.get("profile_id", row["account_id"]), _numbers(own)
        sums[profile, row["date"]].append(numbers)
        if all(row[name] for name in names):
            rows[(profile, "~".join(row[name] for name in names), row["date"]) if names else (profile, row["date"])] = (
                numbers
            )
    added = {key: tuple(sum(column) for column in zip(*several, strict=True)) for key, several in sums.items()}
    return rows, {key: row for key, row in added.items() if any(row)}


def _true(world: WorldDoors, members: Iterable[Owned], level: str, span: tuple[str, str], **more: str) -> Rows:
    return dict(_true_rows(world, members, level, span, more))


def _true_rows(
    world: WorldDoors, members: Iterable[Owned], level: str, span: tuple[str, str], more: Mapping[str, str]
) -> Iterator[tuple[Key, Numbers]]:
    for one in members:
        asked = {"platform": one.platform, "profile_id": one.profile_id, "level": level}
        for row in world.get("truth", **asked, start=span[0], end=span[1], **more)["rows"]:
            numbers = tuple(row[name] for name in _COUNTS) + tuple(row[f"{name}_micros"] for name in _MICROS)
            named = () if level == "account" else (row["entity_id"],)
            hour = (f"{row['hour']:02}",) if "hour" in row else ()
            if hour and one.platform in _NOT_BY_HOUR:
                place = _NOT_BY_HOUR[one.platform]
                numbers = (*numbers[:place], None, *numbers[place + 1 :])
            yield (one.profile_id, *named, row["date"], *hour), numbers


def _numbers(row: Mapping[str, Any]) -> Numbers:
    counts = tuple(row[name] for name in _COUNTS)
    return counts + tuple(None if row[name] is None else int(Decimal(str(row[name])) * MICRO) for name in _MICROS)


def _range(span: tuple[str, str]) -> dict[str, str]:
    return {"start": span[0], "end": span[1]}
