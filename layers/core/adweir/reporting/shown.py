"""Records of catalog objects and of account days, as every reader shows them: money in units, no date as null."""

from __future__ import annotations

from typing import Any

from adweir.model.entities import PlatformObject, Profile
from adweir.model.metrics import Slot
from adweir.model.money import from_micros
from adweir.reporting.ads import status_on
from adweir.reporting.totals import measures

ACCOUNT_DAY_METRICS = ("spend", "impressions", "clicks", "conversions", "revenue", "roas")
"""Those of an account day, in which each is called `daily_<metric>`."""


def object_record(item: PlatformObject, profile: Profile, today: str) -> dict[str, Any]:
    """A campaign, ad group, keyword or creative. `today` is the profile's, ISO; "" where its time zone is unknown."""
    record = item.model_dump(mode="json")
    record["status"] = status_on(today, item.status, item.end_date).value
    for name in ("budget", "bid"):
        if record.get(name) is not None:
            record[name] = from_micros(record[name])
    for name in ("start_date", "end_date"):
        record[name] = record[name] or None
    return record | {"currency": profile.currency} | accounts(profile)


def account_day(
    profile: Profile, day: str, currency: str, slot: Slot, active: tuple[int | None, int | None]
) -> dict[str, Any]:
    """The 14 fields of an account day. `active`: campaigns and ads with numbers on the day, None where unknown."""
    numbers = measures(slot)
    return {
        "account_id": profile.profile_id,
        "platform": str(profile.platform),
        "account_name": profile.name,
        "currency": currency,
        "timezone": profile.timezone,
        "date": day,
        **{f"daily_{name}": numbers[name] for name in ACCOUNT_DAY_METRICS},
        "campaign_count": active[0],
        "ad_count": active[1],
    }


def accounts(profile: Profile) -> dict[str, Any]:
    """Whose a record is: the platform's ad account, and the client beside it."""
    return {"account_id": profile.profile_id, "client_account_id": profile.account_id}
