"""Rows as callers of the library get them: dicts whose dates are `date`, and whose money is an exact Decimal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import ValidationError

from adweir.library.dates import today_of
from adweir.library.pulling import ACCOUNT
from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, PlatformObject, Profile, Status
from adweir.model.errors import Unprocessable
from adweir.model.invoices import Invoice, InvoiceLine
from adweir.model.metrics import NO_NUMBERS, Level, Slot, plus
from adweir.model.times import HOURS_A_DAY, Clock, parse_instant
from adweir.platforms.base import PlatformSpec
from adweir.reporting.ads import AD_FIELDS, AD_METRICS, ad_records
from adweir.reporting.breakdowns import split_entity, values_of
from adweir.reporting.names import Naming
from adweir.reporting.shown import line_record, object_record
from adweir.reporting.totals import measures
from adweir.store.metrics.brought import Parents, PullRows, slot_key

_CLIENT = "client_account_id"
FIELDS = tuple(name for name in AD_FIELDS if name not in {_CLIENT, "name_parts"})
"""Those of an ad: the 24 canonical ones, and what stands beside them. There is no client company with patterns here."""
GROUPS: Mapping[str, tuple[str, ...]] = {
    "creative": ("headline", "description", "cta", "image_url", "video_url", "landing_page_url"),
    "insights": AD_METRICS,
}
"""Fields that go by one name."""
_NO_NAMING = Naming(())
"""Patterns of names belong to client companies, which are the system's."""
_DATES = ("date", "start_date", "end_date", "issued_on", "due_on")
_IDS = {
    Level.ACCOUNT: (),
    Level.CAMPAIGN: ("campaign_id",),
    Level.AD_GROUP: ("campaign_id", "ad_group_id"),
    Level.AD: ("campaign_id", "ad_group_id", "ad_id"),
    Level.KEYWORD: ("campaign_id", "ad_group_id", "keyword_id"),
}
"""The ids in a row of a level; the last one is its own."""


def chosen(names: Sequence[str] | None, known: Sequence[str], groups: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The fields of these names and groups, each once; all that are known for None. Raises Unprocessable."""
    if names is None:
        return tuple(known)
    if isinstance(names, str):
        names = (names,)
    found = tuple(dict.fromkeys(field for name in names for field in groups.get(name, (name,))))
    unknown = sorted(set(found) - set(known))
    if unknown or not found:
        either = f"; groups: {', '.join(groups)}" if groups else ""
        raise Unprocessable(
            f"unknown: {', '.join(unknown)[:200] or 'no field at all'}; known: {', '.join(known)}{either}",
            [{"field": name[:60], "message": "is unknown"} for name in unknown],
        )
    return found


def plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record of the system's as a row: dates and moments as such, and no client company."""
    row = {name: value for name, value in record.items() if name != _CLIENT}
    for name in _DATES:
        if row.get(name):
            row[name] = date.fromisoformat(row[name])
    if row.get("as_of"):
        row["as_of"] = parse_instant(row["as_of"])
    return row


def profile_row(profile: Profile) -> dict[str, Any]:
    """An ad account."""
    left_out = {"account_id", "credential", "options", "as_of"}
    return profile.model_dump(mode="json", exclude=left_out) | {"account_id": profile.profile_id}


def profile_of(spec: PlatformSpec, given: str | int | Mapping[str, Any]) -> Profile:
    """The ad account of a row of `get_profiles`, or one of which only the id is known. Raises Unprocessable."""
    known = given if isinstance(given, Mapping) else {"profile_id": str(given)}
    if known.get("platform", spec.name) != spec.name:
        message = f"the profile is one of {str(known['platform'])[:60]}, not of {spec.name}"
        raise Unprocessable(message, [{"field": "profile", "message": message}])
    fields = {name: value for name, value in known.items() if name in Profile.model_fields}
    unknown = {"name": "", "currency": "", "timezone": "UTC"}
    try:
        return Profile.model_validate(unknown | fields | {"account_id": ACCOUNT, "platform": spec.name})
    except ValidationError:
        message = "profile is an id, or a row of get_profiles()"
        raise Unprocessable(message, [{"field": "profile", "message": message}]) from None


def ad_row(ad: Ad, slot: Slot, profile: Profile) -> dict[str, Any]:
    """An ad with its numbers."""
    numbers = measures(slot) | {"currency": profile.currency}
    (record,) = ad_records([(ad, numbers)], profile, _NO_NAMING)
    return pick(plain(record), FIELDS)


def pick(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The fields of these names, in their order."""
    return {name: row[name] for name in names}


def object_row(item: PlatformObject, profile: Profile, clock: Clock) -> dict[str, Any]:
    """A campaign or keyword."""
    return plain(object_record(item, profile, today_of(profile, clock).isoformat()))


def invoice_row(invoice: Invoice, line: InvoiceLine, profile: Profile) -> dict[str, Any]:
    """A line of an invoice."""
    return plain(line_record(profile, invoice, line))


def metric_row(dataset: Dataset, profile: Profile, row: tuple[str, str, Slot], parents: Parents) -> dict[str, Any]:
    """One entity's numbers of a day or an hour; `row` is its id, its slot's key and its numbers."""
    entity_id, key, slot = row
    own, value = split_entity(dataset.level, entity_id, parents.ad_group_id) if dataset.breakdown else (entity_id, "")
    group, _, last = own.rpartition("~")
    known = {"campaign_id": parents.campaign_id or None, "ad_group_id": group or parents.ad_group_id or None}
    names = _IDS[dataset.level]
    known |= dict.fromkeys(names[-1:], last)
    day, _, hour = key.partition("T")
    return {
        "platform": str(profile.platform),
        "account_id": profile.profile_id or None,
        **{name: known[name] for name in names},
        **(values_of(dataset.breakdown, value) if dataset.breakdown else {}),
        "date": date.fromisoformat(day),
        **({"hour": int(hour) % HOURS_A_DAY} if hour else {}),
        "currency": profile.currency or None,
        **measures(slot),
    }


def slots(rows: PullRows) -> Iterator[tuple[str, str, Slot]]:
    """Each row's id, slot's key and numbers, in this order; the second pass of an hour is part of the first one."""
    for entity_id in rows.entities():
        found = rows.slots(entity_id)
        for key in sorted(found):
            day, _, hour = key.partition("T")
            if not hour:
                yield entity_id, key, found[key]
                continue
            first, second = slot_key(day, int(hour) % HOURS_A_DAY), slot_key(day, int(hour) % HOURS_A_DAY + HOURS_A_DAY)
            if key == first or first not in found:
                yield entity_id, first, plus(found.get(first, NO_NUMBERS), found.get(second, NO_NUMBERS))


def unlisted(profile: Profile, entity_id: str, parents: Parents) -> Ad:
    """An ad that delivered and is in no list: it was deleted."""
    group, _, own = entity_id.rpartition("~")
    return Ad(
        platform=profile.platform,
        profile_id=profile.profile_id,
        id=own,
        campaign_id=parents.campaign_id,
        ad_group_id=group or parents.ad_group_id,
        ad_product=parents.ad_product,
        status=Status.REMOVED,
    )
