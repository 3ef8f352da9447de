"""What the audit keeps of a change: the fields that differ, with their values before and after, and never a secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from adweir.model.deeds import FieldChange, changes_of
from adweir.model.money import to_units

if TYPE_CHECKING:
    from adweir.model.campaigns import Arm, Campaign
    from adweir.model.entities import Account, ApiKey
    from adweir.model.jobs import ScheduledJob

_OF_A_JOB = {"workflow", "timezone", "args", "accounts", "profiles", "platforms", "lookback_days", "state"}
_OF_AN_ACCOUNT = {"company_name", "primary_contact_email", "currency", "timezone", "naming", "media_mix"}
_OF_A_KEY = {"status", "scopes", "accounts", "expires_at", "rotations", "previous_ends_at"}
_OF_A_CAMPAIGN = {"name", "status", "budget", "currency", "start_date", "end_date"}
_OF_AN_ARM = {"name", "platform", "channel", "creative", "bid", "status"}
Changes = tuple[FieldChange, ...]


def job_changes(was: ScheduledJob | None, job: ScheduledJob) -> Changes:
    """What differs between two states of a job; None before it was made."""

    def terms(one: ScheduledJob | None) -> dict[str, Any]:
        if one is None:
            return {}
        when = one.schedule.model_dump(mode="json", exclude_none=True)
        return {"schedule": when, **one.model_dump(mode="json", include=_OF_A_JOB)}

    return changes_of(terms(was), terms(job))


def workflow_changes(was: str, body: str) -> Changes:
    """What differs between two bodies of a stored workflow, field by field of its stages; "" before it was stored."""
    if not was:
        return changes_of({}, _names(body))
    return changes_of(_by_stage(was), _by_stage(body))


def account_changes(was: Account, account: Account) -> Changes:
    """What differs; of the contact's address it says only that it changed."""
    hidden = frozenset({"primary_contact_email"})
    before, after = (one.model_dump(mode="json", include=_OF_AN_ACCOUNT) for one in (was, account))
    return changes_of(before, after, hidden=hidden)


def key_changes(was: ApiKey | None, key: ApiKey) -> Changes:
    """What a key may, and whether it works."""
    before, after = (
        one.model_dump(mode="json", include=_OF_A_KEY, exclude={"rotations"} if not one.rotations else None)
        if one
        else {}
        for one in (was, key)
    )
    return changes_of(before, after)


def campaign_changes(was: Campaign | None, campaign: Campaign) -> Changes:
    """What differs between two states of a cross-platform campaign; its arms have entries of their own."""
    return changes_of(_bound(was, _OF_A_CAMPAIGN), _bound(campaign, _OF_A_CAMPAIGN))


def arm_changes(was: Arm | None, arm: Arm | None) -> Changes:
    """What differs between two states of an arm; None before it was made, and once it is gone."""
    return changes_of(_bound(was, _OF_AN_ARM), _bound(arm, _OF_AN_ARM))


def _bound(one: Campaign | Arm | None, fields: set[str]) -> dict[str, Any]:
    """Fields and bindings, amounts in units."""
    if one is None:
        return {}
    shown = one.model_dump(mode="json", include=fields)
    amounts = {name: str(to_units(shown[name])) for name in ("budget", "bid") if shown.get(name) is not None}
    return shown | amounts | {"bindings": ", ".join(map(str, one.bindings))}


def _names(body: str) -> dict[str, Any]:
    return {"stages": ", ".join(stage["name"] for stage in json.loads(body)["stages"])}


def _by_stage(body: str) -> dict[str, Any]:
    form = json.loads(body)
    fields = ((stage["name"], *field) for stage in form["stages"] for field in stage.items())
    return {"about": form.get("about", "")} | {
        f"{stage}.{name}": value for stage, name, value in fields if name != "name"
    }
