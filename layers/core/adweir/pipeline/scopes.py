"""What a run covers: a scope made from a caller's account id, and checked before the run starts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from adweir.model import limits
from adweir.model.entities import ProfileStatus
from adweir.model.errors import Unprocessable
from adweir.model.ids import IdKind
from adweir.model.messages import Scope
from adweir.pipeline.workflows import Workflow

if TYPE_CHECKING:
    from adweir.model.entities import Profile
    from adweir.platforms import Platforms
    from adweir.store.catalog.store import Catalog


def account_scope(catalog: Catalog, account_id: str, profiles: Iterable[Profile] | None = None) -> Scope:
    """The scope of one account: a client company (`acc_…`), or an ad account by its platform's id. Raises NotFound.

    Platforms may use the same id: all ad accounts that have it are in the scope. `profiles` are those of the catalog,
    where the caller has just read them.
    """
    if not IdKind.ACCOUNT.names(account_id):
        known = catalog.profiles() if profiles is None else profiles
        named = (profile for profile in known if profile.profile_id == account_id)
        if found := [profile for profile in named if profile.status != ProfileStatus.INACTIVE]:
            return Scope(
                accounts=tuple(sorted({profile.account_id for profile in found})),
                platforms=tuple(sorted({str(profile.platform) for profile in found})),
                profiles=tuple(profile.key for profile in found),
            )
    return Scope(accounts=(catalog.account(account_id).account_id,))


def check_scheduled(at: datetime, now: datetime) -> None:
    """Raises Unprocessable for a scheduled time whose days no platform keeps, or that is far ahead."""
    days = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).days
    if not -limits.MAX_BACKFILL_DAYS <= days <= limits.MAX_SCHEDULED_AHEAD_DAYS:
        ago, ahead = limits.MAX_BACKFILL_DAYS, limits.MAX_SCHEDULED_AHEAD_DAYS
        message = f"{at.isoformat()} is more than {ago} days ago or {ahead} ahead"
        raise Unprocessable(message, [{"field": "scheduled_at", "message": message}])


def check_scope(platforms: Platforms, flow: Workflow, scope: Scope, today: date) -> None:
    """Raises Unprocessable, listing every fault, when a scope has unknown names or days that no platform keeps."""
    if faults := scope_faults(platforms, flow, scope, today):
        raise Unprocessable.listing(f"this scope does not fit workflow {flow.name}", faults)


def scope_faults(platforms: Platforms, flow: Workflow, scope: Scope, today: date) -> list[dict[str, str]]:
    """What is wrong with a scope: the part that it is about (`field`), and why (`message`)."""
    faults: list[dict[str, str]] = []
    for name in scope.platforms:
        try:
            platforms.parse(name)
        except Unprocessable as error:
            faults.append({"field": "platforms", "message": error.message})
    known = {dataset.value for dataset in flow.accepts}
    faults += [
        {"field": "datasets", "message": f"{name[:40]!r} is not one of {', '.join(sorted(known))}"}
        for name in scope.datasets
        if name not in known
    ]
    days = {}
    for field in ("start", "end"):
        text = getattr(scope, field)
        try:
            days[field] = date.fromisoformat(text) if text else None
        except ValueError:
            faults.append({"field": field, "message": f"{text[:40]!r} is not a date like 2026-11-20"})
    if (start := days.get("start")) and (end := days.get("end")) and start > end:
        faults.append({"field": "end", "message": "is before start"})
    if start and (today - start).days > limits.MAX_BACKFILL_DAYS:
        faults.append(
            {"field": "start", "message": f"more than {limits.MAX_BACKFILL_DAYS} days ago: no platform keeps that"}
        )
    if (end := days.get("end")) and (end - today).days > 1:
        faults.append({"field": "end", "message": "is in the future"})
    return faults
