"""Mappings, workflows and jobs of the file: documents, each of which is written as a whole.

One that is stored as the file has it is not checked again, so that what an earlier version stored stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from pydantic import Field, ValidationError

from adweir.model.entities import Account, StoredWorkflow
from adweir.model.errors import BadInput, NotFound
from adweir.model.flows import WorkflowForm
from adweir.model.jobs import JobState, ScheduledJob, UnderWay
from adweir.model.mappings import Mapping as FileMapping
from adweir.model.mappings import parse_mapping
from adweir.model.schedules import Schedule
from adweir.pipeline.flow_forms import to_store, warnings
from adweir.pipeline.jobs import checks
from adweir.pipeline.recorded import job_changes, workflow_changes
from adweir.store.catalog.mappings import EVERYONE, StoredMapping
from adweir.store.catalog.store import Catalog
from ops.apply.accounts import Companies, Digits, FilePart, ListedCompany
from ops.apply.planning import Planning, StepVerb, ThingKind, audited, differences
from ops.apply.text import Place

JOB_FIELDS = ("workflow", "schedule", "timezone", "args", "accounts", "profiles", "platforms", "lookback_days")
"""What of a job is its document. Its state is not: somebody pauses it for a reason, and the file may leave it out."""


# --- mappings


def plan_mappings(planning: Planning, given: Any, place: Place, company: ListedCompany | None) -> None:
    """Steps for the mappings of a client company, or of the deployment."""
    owner, is_new = (company.account_id, company.stored is None) if company else (EVERYONE, False)
    listed = [] if is_new else planning.app.catalog.list_mappings(owner)
    known = {(each.source, each.data_type): each for each in listed}
    seen: dict[Any, Place] = {}
    called = f"of {company.name}" if company else "of the deployment"
    for body, where in planning.sequence(given, place):
        key = _mapping_key(planning, body, where)
        if key is None or not planning.once(seen, key, where):
            continue
        wanted, stored = body, known.get(key)
        if stored is None or stored.body != wanted:
            wanted = _parsed_mapping(planning, body, where)
        if wanted is None:
            continue
        if stored is not None and stored.body == wanted:
            planning.same += 1
            continue
        name, fresh = f"{'/'.join(key)} {called}", StoredMapping(owner, *key, wanted)
        write = partial(_put_mapping, planning, fresh, stored)
        fields = differences(_inside(stored.body) if stored else {}, _inside(wanted))
        verb = StepVerb.CHANGE if stored else StepVerb.ADD
        planning.add(verb, ThingKind.MAPPING, name, fields=fields, write=write, account_id=owner)
    for key, stored in known.items() if planning.prune else ():
        if key not in seen:
            name, write = f"{'/'.join(key)} {called}", partial(_drop_mapping, planning, stored)
            planning.remove(ThingKind.MAPPING, name, write, owner)


def _mapping_key(planning: Planning, body: Any, place: Place) -> tuple[str, str] | None:
    source, data_type = (body.get("source"), body.get("data_type")) if isinstance(body, dict) else (None, None)
    if not isinstance(source, str) or not isinstance(data_type, str):
        planning.fault(place, "has to be fields, of which `source` and `data_type` say which files are meant")
        return None
    return source, data_type


def _parsed_mapping(planning: Planning, body: Mapping[str, Any], place: Place) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = parse_mapping(body).model_dump(mode="json", exclude_defaults=True)
    except BadInput as error:
        planning.refused(place, error, FileMapping)
        return None
    return found


def _inside(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in {"source", "data_type"}}


def _put_mapping(planning: Planning, fresh: StoredMapping, stored: StoredMapping | None) -> str:
    planning.app.catalog.put_mapping(fresh, read=stored.version if stored else 0)
    changes = audited(stored.body if stored else {}, fresh.body)
    about: dict[str, Any] = {"kind": "mapping", "account_id": fresh.account_id, "changes": changes}
    planning.note("put mapping", fresh.source, f"with data_type {fresh.data_type}", **about)
    return ""


def _drop_mapping(planning: Planning, stored: StoredMapping) -> str:
    planning.app.catalog.delete_mapping(stored.account_id, stored.source, stored.data_type, read=stored.version)
    about: dict[str, Any] = {"kind": "mapping", "account_id": stored.account_id}
    planning.note("delete mapping", stored.source, f"with data_type {stored.data_type}", **about)
    return "files are read by the next mapping that counts"


# --- workflows


def plan_workflows(planning: Planning, given: Any) -> dict[str, StoredWorkflow]:
    """Steps for the stored workflows; returns all that there will be, by name."""
    after = {each.name: each for each in planning.app.catalog.stored_workflows()}
    if given is None:
        return after
    known, seen = dict(after), dict[Any, Place]()
    for body, where in planning.sequence(given, ("workflows",)):
        name = body.get("name") if isinstance(body, dict) else None
        if not isinstance(name, str):
            planning.fault(where, "has to be fields, of which `name` names the workflow")
        elif planning.once(seen, name, where):
            form = {field: value for field, value in body.items() if field != "name"}
            stored = known.get(name)
            text = _plan_workflow(planning, name, form, stored, where)
            if text is None:
                planning.refused_workflows.add(name)
            else:
                times = stored or StoredWorkflow(name=name, body=text, version=0, created_at="", updated_at="")
                after[name] = times.model_copy(update={"body": text})
    for name, stored in known.items() if planning.prune else ():
        if name not in seen:
            del after[name]
            write = partial(_drop_workflow, planning, stored)
            planning.remove(ThingKind.WORKFLOW, name, write)
    return after


def _plan_workflow(
    planning: Planning, name: str, form: Mapping[str, Any], stored: StoredWorkflow | None, place: Place
) -> str | None:
    """The text that will be stored; None with the faults where it is refused."""
    if stored is not None and short_form(form) == short_form(json.loads(stored.body)):
        planning.same += 1
        return stored.body
    try:
        flow, text = to_store(name, form, planning.app.platforms.parse)
    except BadInput as error:
        planning.refused(place, error, WorkflowForm)
        return None
    if stored is not None and json.loads(text) == json.loads(stored.body):
        planning.same += 1
        return stored.body
    planning.notes += [f"workflow {name}: {warning}" for warning in warnings(flow, planning.app.stage_kinds)]

    def write() -> str:
        now = planning.app.catalog.put_workflow(name, text, read=stored.version if stored else 0)
        changes = workflow_changes(stored.body if stored else "", text)
        planning.note("store workflow", name, f"version {now.version}", kind="workflow", changes=changes)
        return ""

    before = short_form(json.loads(stored.body)) if stored else {}
    verb = StepVerb.CHANGE if stored else StepVerb.ADD
    fields = differences(before, short_form(json.loads(text)))
    planning.add(verb, ThingKind.WORKFLOW, name, fields=fields, write=write)
    return text


def short_form(form: Mapping[str, Any]) -> Mapping[str, Any]:
    """A workflow without what it would have anyway; as it is where it is none."""
    try:
        read = WorkflowForm.model_validate_json(json.dumps(form, default=float))
    except ValidationError:
        return form
    found: dict[str, Any] = read.model_dump(mode="json", exclude_defaults=True)
    for stage in found["stages"]:
        if stage.get("reach") == _USUAL_REACH:
            del stage["reach"]
    return found


_USUAL_REACH = "fresh"


def _drop_workflow(planning: Planning, stored: StoredWorkflow) -> str:
    planning.app.catalog.delete_workflow(stored.name, read=stored.version)
    planning.note("delete workflow", stored.name, "deleted", kind="workflow")
    return "runs that are open go on"


# --- jobs


class JobPart(FilePart):
    """A job. `accounts` by id or name."""

    name: str
    workflow: str
    schedule: Schedule
    timezone: str = "UTC"
    args: dict[str, Any] = Field(default_factory=dict)
    accounts: list[str] = Field(default_factory=list)
    profiles: list[Digits] = Field(default_factory=list)
    platforms: list[str] = Field(default_factory=list)
    lookback_days: Annotated[int, Field(ge=0)] = 0
    state: JobState | None = None


class PlannedCatalog(Catalog):
    """The catalog as it will be when accounts and workflows of the file are written: jobs are checked against it."""

    def __init__(
        self, planning: Planning, accounts: Mapping[str, Account], flows: Mapping[str, StoredWorkflow]
    ) -> None:
        super().__init__(planning.app.clock)
        self._accounts, self._flows = accounts, flows

    def account(self, account_id: str) -> Account:
        if account_id not in self._accounts:
            raise NotFound(f"there is no account {account_id[:64]}")
        return self._accounts[account_id]

    def accounts(self) -> list[Account]:
        return list(self._accounts.values())

    def stored_workflow(self, name: str) -> StoredWorkflow | None:
        return self._flows.get(name)

    def stored_workflows(self) -> list[StoredWorkflow]:
        return list(self._flows.values())


def plan_jobs(planning: Planning, given: Any, companies: Companies, flows: Mapping[str, StoredWorkflow]) -> None:
    """Steps for the jobs."""
    known = {job.name: job for job in planning.app.catalog.jobs()}
    catalog = PlannedCatalog(planning, companies.after, flows)
    seen: dict[Any, Place] = {}
    for body, where in planning.sequence(given, ("jobs",)):
        part: JobPart | None = planning.read(JobPart, body, where)
        if part is not None and planning.once(seen, part.name, where):
            job = _meant(planning, part, known.get(part.name), companies)
            _plan_job(planning, job, known.get(part.name), (catalog, companies, where))
    for name, stored in known.items() if planning.prune else ():
        if name not in seen:
            write = partial(_remove_job, planning, stored)
            planning.remove(ThingKind.JOB, name, write)


def _meant(planning: Planning, part: JobPart, stored: ScheduledJob | None, companies: Companies) -> ScheduledJob:
    """The job of the file, with accounts by their ids. What is stored besides stays."""
    args = dict(part.args)
    if isinstance(args.get("account_id"), str):
        args["account_id"] = companies.id_of(args["account_id"])
    now = planning.app.clock.now().isoformat()
    fields = part.model_dump(exclude={"state"}) | {
        "args": args,
        "accounts": tuple(dict.fromkeys(companies.id_of(one) for one in part.accounts)),
        "state": part.state or (stored.state if stored else JobState.ACTIVE),
    }
    bare = stored.model_dump() if stored else {"job_id": "", "anchor": now, "changed_at": now}
    return ScheduledJob.model_validate(bare | fields)


def _plan_job(
    planning: Planning,
    job: ScheduledJob,
    stored: ScheduledJob | None,
    among: tuple[PlannedCatalog, Companies, Place],
) -> None:
    if stored is not None and not stored.under_way and document_of(job) == document_of(stored):
        planning.same += 1
        return
    checked = job if stored is not None and _only_pauses(job, stored) else _checked_job(planning, job, among)
    if checked is None:
        return
    if stored is not None and not stored.under_way and document_of(checked) == document_of(stored):
        planning.same += 1
        return
    planning.notes += [f"job {job.name}: {each}" for each in checks.warnings(checked, planning.app.clock.now())]
    before, after = (document_of(one) if one else {} for one in (stored, checked))
    if stored is not None and stored.under_way:
        before, after = before | {"change": "broke off"}, after | {"change": "whole"}
    write = partial(_put_job, planning, checked, stored)
    verb = StepVerb.CHANGE if stored else StepVerb.ADD
    names = [(ThingKind.WORKFLOW, checked.workflow), *((ThingKind.ACCOUNT, one) for one in checked.accounts)]
    planning.add(verb, ThingKind.JOB, job.name, fields=differences(before, after), write=write, names=names)


def _checked_job(
    planning: Planning, job: ScheduledJob, among: tuple[PlannedCatalog, Companies, Place]
) -> ScheduledJob | None:
    """A job as it is stored; None with its faults where it is refused."""
    catalog, companies, place = among
    unknown = [(number, one) for number, one in enumerate(job.accounts) if one not in companies.after]
    for number, one in unknown:
        planning.fault((*place, "accounts", number), companies.called(one))
    if job.workflow in planning.refused_workflows:
        return None
    asked = job.model_copy(update={"accounts": tuple(one for one in job.accounts if one in companies.after)})
    try:
        checked = checks.JobChecks(catalog, planning.app.platforms).checked(asked, planning.app.clock.now())
    except BadInput as error:
        planning.refused(place, error, JobPart)
        return None
    return None if unknown else checked


def document_of(job: ScheduledJob) -> dict[str, Any]:
    """What a job says, as JSON."""
    found: dict[str, Any] = job.model_dump(mode="json", include={*JOB_FIELDS, "state"}, exclude={"schedule"})
    return found | {"schedule": job.schedule.model_dump(mode="json", exclude_none=True)}


def _put_job(planning: Planning, job: ScheduledJob, stored: ScheduledJob | None) -> str:
    jobs, fields = planning.app.jobs, {name: getattr(job, name) for name in (*JOB_FIELDS, "state")}
    if stored is None:
        now, deed = jobs.create({"name": job.name, **fields}), "create job"
    elif _only_pauses(job, stored):
        now, deed = jobs.pause(job.name, stored.version), "pause job"
    else:
        now, deed = jobs.change(job.name, fields, stored.version), "change job"
    planning.note(deed, job.name, f"version {now.version}", kind="job", changes=job_changes(stored, now))
    return ""


def _only_pauses(job: ScheduledJob, stored: ScheduledJob) -> bool:
    """A job that could not run as it is can be paused all the same."""
    paused = stored.model_copy(update={"state": JobState.PAUSED, "under_way": UnderWay.NOTHING})
    return job.state is JobState.PAUSED and document_of(job) == document_of(paused)


def _remove_job(planning: Planning, stored: ScheduledJob) -> str:
    planning.app.jobs.remove(stored.name, stored.version)
    planning.note("remove job", stored.name, "removed", kind="job")
    return "runs that it started go on"
