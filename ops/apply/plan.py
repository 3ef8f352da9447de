"""From a file to steps, and from steps to what was done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from adweir.model.errors import AdweirError, BadInput, Unavailable
from adweir.runtime.app import App
from ops.apply.accounts import plan_accounts
from ops.apply.documents import plan_jobs, plan_mappings, plan_workflows
from ops.apply.planning import PlannedStep, Planning, StepVerb, ThingKind, suggested
from ops.apply.secrets import plan_credentials, plan_webhooks
from ops.apply.text import FileFault, parsed
from ops.errors import all_faults

VERSION = 1
_SECTIONS = ("version", "accounts", "webhooks", "mappings", "workflows", "jobs")
_SHOWN_FAULTS = 50
_NAMED = 3


class FileRefused(Exception):
    """The file is wrong; nothing was changed. `faults` are all that were found, by line."""

    def __init__(self, faults: Sequence[FileFault]) -> None:
        places = {fault.where for fault in faults}
        self.faults = sorted(fault for fault in set(faults) if not _follows(fault, places))
        super().__init__(f"{len(self.faults)} faults")

    def lines(self, name: str) -> str:
        shown = [f"\n  {fault.text}" for fault in self.faults[:_SHOWN_FAULTS]]
        more = len(self.faults) - len(shown)
        return f"{name} is refused, and nothing was changed:{''.join(shown)}" + (f"\n  and {more} more" if more else "")


def _follows(fault: FileFault, places: Collection[str]) -> bool:
    """Whether a list is called too short only because an entry of it is refused."""
    return "after validation" in fault.message and any(each.startswith(f"{fault.where}.") for each in places)


@dataclass(frozen=True)
class ApplyPlan:
    """What applying would do, in its order; `same`: how many things of the file are stored already as it has them."""

    steps: list[PlannedStep]
    notes: list[str]
    same: int

    def count(self, verb: StepVerb) -> int:
        return sum(step.verb is verb for step in self.steps)


@dataclass
class Outcome:
    """What came of a plan: steps that were done, failed, or were not tried, each with what is worth saying of it."""

    done: list[tuple[PlannedStep, str]] = field(default_factory=list)
    failed: list[tuple[PlannedStep, str]] = field(default_factory=list)
    left: list[tuple[PlannedStep, str]] = field(default_factory=list)
    interrupted: bool = False


def plan(app: App, content: bytes, environ: Mapping[str, str], *, prune: bool = False, reason: str = "") -> ApplyPlan:
    """Compare a file with what is stored. Nothing is written, no platform is asked. Raises FileRefused: every fault."""
    file = parsed(content)
    planning = Planning(app, file, environ, prune, reason, faults=list(file.faults))
    if file.lines or not file.faults:
        _sections(planning, file.value)
    if planning.faults:
        raise FileRefused(planning.faults)
    removals = [step for step in planning.steps if step.verb is StepVerb.REMOVE]
    others = [step for step in planning.steps if step.verb is not StepVerb.REMOVE]
    order = list(ThingKind)
    others.sort(key=lambda step: order.index(step.kind))
    removals.sort(key=lambda step: -order.index(step.kind))
    notes = [*planning.notes, *_stays(list(dict.fromkeys(planning.unset)))]
    return ApplyPlan([*others, *removals], list(dict.fromkeys(notes)), planning.same)


def _stays(unset: Sequence[str]) -> Iterator[str]:
    """One note for all secrets that stay, however many: a deployment has hundreds."""
    if len(unset) == 1:
        yield f"{unset[0]} is not set in the environment: that secret stays as it is stored"
    elif unset:
        more = f" and {len(unset) - _NAMED} more" if len(unset) > _NAMED else ""
        named = f"{', '.join(unset[:_NAMED])}{more}"
        yield f"{len(unset)} secrets stay as they are stored; their variables are not set in the environment: {named}"


def _sections(planning: Planning, value: Any) -> None:
    """Plan a file's sections, in the order in which one may need what another brings."""
    if not _is_readable(planning, value):
        return
    given = {name: _listed(planning, name, value[name]) for name in _SECTIONS[1:] if name in value}
    companies = plan_accounts(planning, given.get("accounts"))
    for company in companies.listed:
        plan_credentials(planning, company)
        if "webhooks" in company.part.model_fields_set:
            plan_webhooks(planning, company.part.webhooks, (*company.place, "webhooks"), company)
        if "mappings" in company.part.model_fields_set:
            plan_mappings(planning, company.part.mappings, (*company.place, "mappings"), company)
    if "webhooks" in given:
        plan_webhooks(planning, given["webhooks"], ("webhooks",), None)
    if "mappings" in given:
        plan_mappings(planning, given["mappings"], ("mappings",), None)
    flows = plan_workflows(planning, given.get("workflows"))
    if "jobs" in given:
        plan_jobs(planning, given["jobs"], companies, flows)


def _is_readable(planning: Planning, value: Any) -> bool:
    """Whether a file has the form that is read here; an unknown section is a fault, but keeps no other back."""
    if not isinstance(value, dict):
        planning.fault((), f"has to be fields: {', '.join(_SECTIONS)}")
        return False
    for name in value:
        if name not in _SECTIONS:
            planning.fault((name,), suggested(name, _SECTIONS))
    version = value.get("version")
    if version != VERSION or isinstance(version, bool):
        why = f"has to be {VERSION}, the version of the file's form that this adweir reads"
        planning.fault(("version",), why if "version" in value else f"is required: version: {VERSION}")
        return False
    return True


def _listed(planning: Planning, name: str, section: Any) -> Any:
    """A section. One without anything behind its name is a fault: with --prune it could mean all or nothing."""
    if section is None:
        empty = "{}" if name == "webhooks" else "[]"
        planning.fault((name,), f"has nothing behind it: write {name}: {empty} where there is none, or leave it out")
        return {} if name == "webhooks" else []
    return section


def carry_out(steps: Sequence[PlannedStep], tell: Callable[[PlannedStep, str], None]) -> Outcome:
    """Do the steps in their order. One that fails keeps back those that need it, and all removals; where AWS does not
    answer, and after Ctrl-C, nothing more is tried. `tell` hears of each that was done."""
    outcome, stopped = Outcome(), ""
    for step in steps:
        why = stopped or _held_back(step, outcome)
        if why:
            outcome.left.append((step, why))
            continue
        try:
            found = step.write()
        except (Unavailable, BotoCoreError, ClientError) as error:
            outcome.failed.append((step, str(error)))
            stopped = "not tried: AWS did not answer"
        except AdweirError as error:
            outcome.failed.append((step, all_faults(error) if isinstance(error, BadInput) else error.message))
        except KeyboardInterrupt:
            outcome.failed.append((step, "interrupted: it may be done or not"))
            outcome.interrupted, stopped = True, "not tried: interrupted"
        else:
            outcome.done.append((step, found))
            tell(step, found)
    return outcome


def _held_back(step: PlannedStep, outcome: Outcome) -> str:
    """Why a step cannot be done after what failed; "" where it can."""
    if not outcome.failed:
        return ""
    if step.verb is StepVerb.REMOVE:
        return "not tried: nothing is removed after something failed"
    missing = {each.key for each, _ in (*outcome.failed, *outcome.left) if each.verb is StepVerb.ADD}
    if missing.intersection(step.needs):
        return "not tried: it needs what was not done"
    return ""
