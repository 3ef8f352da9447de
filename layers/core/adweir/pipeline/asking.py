"""What somebody asks of a workflow: which stages, on what, with which arguments; checked before a run is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.model import limits
from adweir.model.errors import NotFound, Unprocessable
from adweir.model.messages import Scope
from adweir.pipeline import pipelines
from adweir.pipeline.flow_forms import find_flow
from adweir.pipeline.pipelines import Arguments, Faults, fault
from adweir.pipeline.scopes import account_scope, scope_faults
from adweir.pipeline.workflows import Workflow

if TYPE_CHECKING:
    from adweir.model.entities import Profile
    from adweir.platforms import Platforms
    from adweir.store.catalog.store import Catalog


class AskedFlow(NamedTuple):
    """A workflow as its arguments make it, what its run covers, and the arguments with their defaults."""

    flow: Workflow
    scope: Scope
    args: dict[str, Any]


def check_asked(
    catalog: Catalog, platforms: Platforms, name: str, given: tuple[Scope, Mapping[str, Any]], today: date
) -> AskedFlow:
    """What a run is to do that was `given` a scope and arguments. Raises Unprocessable that lists every fault: the
    fields of the scope by their names, those of arguments behind `args.`."""
    scope, (args, faults) = given[0], pipelines.parse(name, given[1])
    if args is not None:
        args, unknown = _by_its_name(args, platforms.parse)
        faults += unknown
    plain = args.plain() if args is not None else {}
    flow = find_flow(catalog, name, plain)
    faults = scope_faults(platforms, flow, scope, today) + faults
    if args is not None:
        faults += _twice(args, scope)
        days = scope_faults(platforms, flow, Scope.model_validate(_days_of(args)), today)
        faults += [fault(f"date_range.{one['field']}", one["message"]) for one in days]
        try:
            scope = covered_by(catalog, scope, args)
        except Unprocessable as error:
            faults += error.details
    if faults:
        raise Unprocessable.listing(f"workflow {flow.name} does not run so", faults)
    return AskedFlow(flow, scope, plain)


def covered_by(catalog: Catalog, scope: Scope, args: Arguments, profiles: Iterable[Profile] | None = None) -> Scope:
    """What a run with such a scope and arguments covers; `profiles` are those of the catalog, where the caller has just
    read them. Raises Unprocessable for an account that is not there."""
    scope, source = scope.model_copy(update=_days_of(args)), args.source_platform
    if source is not None:
        scope = scope.model_copy(update={"platforms": (source,)})
    if args.account_id is None:
        return scope
    named = args.account_id[: limits.MAX_WORD_CHARS]
    try:
        account = account_scope(catalog, args.account_id, profiles)
    except NotFound:
        raise pipelines.refused([fault("account_id", f"there is no account {named}")]) from None
    if not account.platforms:
        return scope.model_copy(update={"accounts": account.accounts})
    if scope.platforms and source not in account.platforms:
        why = f"{named} is an ad account of {', '.join(account.platforms)}: name that as source_platform, or none"
        raise pipelines.refused([fault("account_id", why)])
    platforms = scope.platforms or account.platforms
    keys = tuple(key for key in account.profiles if key.partition("#")[0] in platforms)
    return scope.model_copy(update={"accounts": account.accounts, "platforms": platforms, "profiles": keys})


def _by_its_name(args: Arguments, parse: Callable[[str], Any]) -> tuple[Arguments, Faults]:
    """With the platform by its own name; without it where nobody knows it."""
    if args.source_platform is None:
        return args, []
    try:
        return args.model_copy(update={"source_platform": str(parse(args.source_platform))}), []
    except Unprocessable as error:
        return args.model_copy(update={"source_platform": None}), [fault("source_platform", error.message)]


def _twice(args: Arguments, scope: Scope) -> Faults:
    """Arguments that say what the scope says, too."""
    parts = {
        "source_platform": ("platforms",),
        "account_id": ("accounts", "profiles"),
        "date_range": ("start", "end", "lookback_days"),
    }
    return [
        fault(name, f"does not go with {part}: both say what the run covers")
        for name, others in parts.items()
        for part in others
        if getattr(args, name) is not None and getattr(scope, part)
    ]


def _days_of(args: Arguments) -> dict[str, str]:
    """The parts of a scope that `date_range` sets."""
    days = args.date_range
    return {} if days is None else {"start": days.start.isoformat(), "end": days.end.isoformat()}
