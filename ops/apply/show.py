"""What is to be done and what was done, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from adweir.model.deeds import FieldChange
from ops.apply.plan import ApplyPlan, Outcome
from ops.apply.planning import HIDDEN, PlannedStep, StepVerb
from ops.output import hanging, printable

_SIGNS = {StepVerb.ADD: "+", StepVerb.CHANGE: "~", StepVerb.REMOVE: "-"}
_DEEPEST = 24
"""A value that takes several lines is indented by so many columns at most."""


def lines_of(plan: ApplyPlan) -> Iterator[str]:
    """The differences, thing by thing, then how many."""
    for step in plan.steps:
        yield f"{_SIGNS[step.verb]} {step.title}"
        if step.verb is StepVerb.CHANGE and not step.fields:
            yield "    the order of its entries"
        for change in step.fields:
            yield from _field(change, step.verb)
    yield summary(plan)


def summary(plan: ApplyPlan) -> str:
    if not plan.steps:
        return f"nothing to do; {plan.same} unchanged"
    added, changed, removed = (plan.count(verb) for verb in StepVerb)
    return f"{added} to add, {changed} to change, {removed} to remove; {plan.same} unchanged"


def _field(change: FieldChange, verb: StepVerb) -> Iterator[str]:
    before, after = ("nothing" if value is None else value for value in (change.before, change.after))
    if HIDDEN in (change.before, change.after):
        said = "a secret" if change.before is None else "is removed" if change.after is None else "another secret"
    else:
        said = after if verb is StepVerb.ADD else f"{before} -> {after}"
    head = f"    {change.field}  "
    yield from hanging(head, printable(said), min(len(head), _DEEPEST))


def plain(plan: ApplyPlan, outcome: Outcome | None) -> dict[str, Any]:
    """For programs: what differs, and, where it was applied, what came of each."""
    found: dict[str, Any] = {"changes": [_plain(step) for step in plan.steps], "same": plan.same, "notes": plan.notes}
    if outcome is not None:
        for name, steps in (("done", outcome.done), ("failed", outcome.failed), ("not_done", outcome.left)):
            found[name] = [_plain(step) | {"message": message} for step, message in steps]
    return found


def _plain(step: PlannedStep) -> dict[str, Any]:
    about = {
        "change": step.verb.value,
        "kind": step.kind.value,
        "name": step.name,
        "account_id": step.account_id or None,
    }
    return about | {"fields": [change._asdict() for change in step.fields]}


def failures(outcome: Outcome) -> Iterable[str]:
    """What was not done, and why."""
    for step, message in outcome.failed:
        yield f"  failed    {step.verb} {step.title}: {message}"
    for step, message in outcome.left:
        yield f"  not done  {step.verb} {step.title}: {message}"
