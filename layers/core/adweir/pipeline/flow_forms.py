"""Workflows as users write them: JSON (`model.flows`), checked when it is stored.

    {"about": "…", "stages": [
        {"name": "google", "kind": "pull", "datasets": ["campaign_daily"], "platforms": ["google_ads"],
         "threshold": 0.5, "on_failure": "go_on"},
        {"name": "meta", "kind": "pull", "datasets": ["campaign_daily"], "platforms": ["meta_ads"]},
        {"name": "model", "kind": "etl", "after": ["google", "meta"], "timeout_minutes": 60}]}

docs/workflows.md describes every field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from graphlib import CycleError
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import ValidationError

from adweir.intake.collect.planner import Reach
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.errors import AdweirError, TooLarge, Unprocessable
from adweir.model.flows import StageForm, StageKind, SumGrain, SumLevel, WorkflowForm
from adweir.model.labels import PATTERN
from adweir.model.ports import PlatformParser
from adweir.pipeline.pipelines import flow_with
from adweir.pipeline.pipelines import read as check_arguments
from adweir.pipeline.workflows import WORKFLOWS, Stage, Workflow, in_order, unknown_workflow, workflow

if TYPE_CHECKING:
    from adweir.model.entities import StoredWorkflow
    from adweir.model.runs import Run

Details = list[dict[str, str]]
_OF_KIND: Mapping[StageKind, tuple[str, ...]] = {
    StageKind.PULL: ("datasets", "platforms", "reach"),
    StageKind.AGGREGATE: ("levels", "grains"),
}
"""The fields that only stages of a kind have."""


def read(name: str, given: Mapping[str, Any], parse: PlatformParser | None = None) -> Workflow:
    """A workflow from its JSON. With `parse` it is a new one: its platforms have to be known, and its name free.

    Raises Unprocessable that lists every fault, each with its field, its reason, and what may be there.
    """
    try:
        form = WorkflowForm.model_validate_json(json.dumps(given, default=float))
    except ValidationError as error:
        raise _refused([_fault(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors()]) from None
    faults = [*_names(name, form, is_new=parse is not None), *_dependencies(form)]
    for place, stage in enumerate(form.stages):
        faults += [_fault(f"stages.{place}.{field}", why) for field, why in _stage_faults(stage, parse)]
    faults = faults or _shared(form, parse)
    if faults:
        raise _refused(faults)
    return Workflow(name, form.about, in_order(map(_stage, form.stages)))


def to_store(name: str, given: Mapping[str, Any], parse: PlatformParser) -> tuple[Workflow, str]:
    """A new workflow, and the text that is stored of it. Raises Unprocessable, TooLarge."""
    flow = read(name, given, parse)
    body = json.dumps(form_of(flow))
    if len(body.encode()) > limits.MAX_WORKFLOW_BYTES:
        raise TooLarge(f"the workflow has more than {limits.MAX_WORKFLOW_BYTES} bytes as JSON")
    return flow, body


def warnings(flow: Workflow, deployed: Collection[StageKind]) -> list[str]:
    """What a user may not expect of a workflow that is accepted: stages that have no function yet."""
    return [
        f"no function for stages of the kind {stage.kind} is deployed: stage {stage.name} is left out"
        for stage in flow.stages
        if stage.kind not in deployed
    ]


def shadowed(stored: StoredWorkflow) -> list[str]:
    """What is to be done with a workflow that was stored before there was a built-in one of its name."""
    name = stored.name
    return (
        [f"{name} is built in by now, and runs are of that: store this one by another name"]
        if name in WORKFLOWS
        else []
    )


def form_of(flow: Workflow) -> dict[str, Any]:
    """A workflow as JSON, as `read` reads it; the built-in ones, too."""
    return {"about": flow.about, "stages": [_form_of_stage(stage) for stage in flow.stages]}


def _form_of_stage(stage: Stage) -> dict[str, Any]:
    form = StageForm(
        name=stage.name,
        kind=stage.kind,
        after=stage.after,
        datasets=stage.datasets,
        platforms=stage.platforms,
        reach=stage.reach.value if stage.kind is StageKind.PULL else None,
        levels=stage.levels,
        grains=stage.grains,
        threshold=stage.threshold,
        timeout_minutes=None if stage.timeout is None else stage.timeout // timedelta(minutes=1),
        on_failure=stage.on_failure,
    )
    found: dict[str, Any] = form.model_dump(mode="json", exclude={field for _, field in _foreign(stage.kind)})
    return found


def definition_of(flow: Workflow) -> dict[str, Any] | None:
    """What a run keeps of its workflow: nothing of a built-in one."""
    return None if flow.name in WORKFLOWS else form_of(flow)


def flow_of(run: Run) -> Workflow:
    """The workflow of a run, with its arguments, as it was when the run began. Raises Unprocessable."""
    if run.flow is not None:
        return _kept(run.workflow, json.dumps(run.flow, sort_keys=True))
    flow = workflow(run.workflow)
    if not run.args:
        return flow
    return _with_arguments(run.workflow, json.dumps(dict(run.args), sort_keys=True))


@lru_cache(maxsize=64)
def _kept(name: str, text: str) -> Workflow:
    return read(name, json.loads(text))


@lru_cache(maxsize=64)
def _with_arguments(name: str, text: str) -> Workflow:
    return flow_with(name, json.loads(text))


class FlowStore(Protocol):
    """Where stored workflows are (`store.catalog`)."""

    def stored_workflow(self, name: str) -> StoredWorkflow | None: ...
    def stored_workflows(self) -> list[StoredWorkflow]: ...


def find_flow(catalog: FlowStore, name: str, args: Mapping[str, Any] | None = None) -> Workflow:
    """A workflow by name, built-in or stored, as its arguments make it. Raises Unprocessable that lists the known, and
    for arguments that it does not take."""
    if name in WORKFLOWS:
        return flow_with(name, args or {})
    stored = catalog.stored_workflow(name)
    if stored is None:
        raise unknown_workflow(name, known_flows(catalog))
    check_arguments(name, args or {})
    return read(name, json.loads(stored.body))


def known_flows(catalog: FlowStore) -> frozenset[str]:
    """The names of all workflows."""
    return frozenset({*WORKFLOWS, *(each.name for each in catalog.stored_workflows())})


def check_known(name: str, known: Iterable[str]) -> None:
    """Raises Unprocessable for a name that is none of the known workflows."""
    if name not in known:
        raise unknown_workflow(name, known)


# --- checks


def _names(name: str, form: WorkflowForm, *, is_new: bool) -> Details:
    faults = [] if re.fullmatch(PATTERN, name) else [_fault("name", f"does not match {PATTERN}")]
    if is_new and name in WORKFLOWS:  # one may have been stored before there was a built-in one of its name
        faults.append(_fault("name", f"{name} is a built-in workflow: choose another name"))
    seen: set[str] = set()
    for place, stage in enumerate(form.stages):
        if not re.fullmatch(PATTERN, stage.name):
            faults.append(_fault(f"stages.{place}.name", f"does not match {PATTERN}"))
        if stage.name in seen:
            faults.append(_fault(f"stages.{place}.name", f"there are two stages {stage.name}"))
        seen.add(stage.name)
    return faults


def _dependencies(form: WorkflowForm) -> Details:
    known = {stage.name for stage in form.stages}
    faults = [
        _fault(f"stages.{place}.after", f"there is no stage {name!r}; there are {', '.join(sorted(known))}")
        for place, stage in enumerate(form.stages)
        for name in stage.after
        if name not in known
    ]
    if not faults and len(known) == len(form.stages):
        try:
            in_order(map(_bare, form.stages))
        except CycleError as error:
            faults.append(_fault("stages", f"these stages wait for each other: {' after '.join(error.args[1])}"))
    return faults


def _foreign(kind: StageKind) -> Iterable[tuple[StageKind, str]]:
    """The fields that stages of this kind do not have, each with the kind that it belongs to."""
    return ((owner, field) for owner, fields in _OF_KIND.items() if owner is not kind for field in fields)


def _stage_faults(stage: StageForm, parse: PlatformParser | None) -> Iterable[tuple[str, str]]:
    for owner, field in _foreign(stage.kind):
        if getattr(stage, field):
            yield field, f"belongs to {owner}; a stage of the kind {stage.kind} has none"
    if stage.kind is StageKind.PULL:
        yield from _pull_faults(stage, parse)
    if stage.kind is StageKind.AGGREGATE:
        yield from _sum_faults(stage)


def _sum_faults(stage: StageForm) -> Iterable[tuple[str, str]]:
    for field, words, known in (("levels", stage.levels, SumLevel), ("grains", stage.grains, SumGrain)):
        for word in words:
            if word not in set(known):
                yield field, f"{word!r} is not one of {', '.join(known)}"


def _pull_faults(stage: StageForm, parse: PlatformParser | None) -> Iterable[tuple[str, str]]:
    known = {dataset.value for dataset in Dataset}
    if not stage.datasets:
        yield "datasets", "a stage of the kind pull names at least one"
    for name in stage.datasets:
        if name not in known:
            yield "datasets", f"{name!r} is not one of {', '.join(sorted(known))}"
    if Dataset.PROFILES in stage.datasets and len(set(stage.datasets)) > 1:
        yield "datasets", "profiles are listed by a stage of their own: the others need what it finds"
    for name in stage.platforms if parse else ():
        try:
            parse(name) if parse else None
        except AdweirError as error:
            yield "platforms", error.message


def _shared(form: WorkflowForm, parse: PlatformParser | None) -> Details:
    """A run pulls a dataset of an ad account once: two stages that pull the same would share its tasks."""
    pulled: dict[str, list[tuple[str, frozenset[str]]]] = {}
    faults = []
    for place, stage in enumerate(form.stages):
        platforms = frozenset(parse(name) if parse else name for name in stage.platforms)
        for dataset in dict.fromkeys(stage.datasets):
            for other, theirs in pulled.get(dataset, ()):
                if not platforms or not theirs or platforms & theirs:
                    why = f"stage {other} pulls {dataset} too: a run pulls it once, so name different platforms in both"
                    faults.append(_fault(f"stages.{place}.datasets", why))
            pulled.setdefault(dataset, []).append((stage.name, platforms))
    return faults


def _bare(stage: StageForm) -> Stage:
    return Stage(stage.name, after=stage.after)


def _stage(form: StageForm) -> Stage:
    datasets = tuple(dict.fromkeys(map(Dataset, form.datasets)))
    return Stage(
        name=form.name,
        datasets=datasets,
        accepts=datasets,
        reach=Reach(form.reach or Reach.FRESH),
        threshold=form.threshold,
        kind=form.kind,
        after=tuple(dict.fromkeys(form.after)),
        on_failure=form.on_failure,
        timeout=None if form.timeout_minutes is None else timedelta(minutes=form.timeout_minutes),
        platforms=form.platforms,
        levels=tuple(dict.fromkeys(map(SumLevel, form.levels))),
        grains=tuple(dict.fromkeys(map(SumGrain, form.grains))),
        exact=True,
    )


def _fault(field: str, message: str) -> dict[str, str]:
    return {"field": field, "message": message}


def _refused(faults: Sequence[Mapping[str, str]]) -> Unprocessable:
    return Unprocessable.listing("the workflow is refused", faults[: limits.MAX_WORKFLOW_FAULTS])
