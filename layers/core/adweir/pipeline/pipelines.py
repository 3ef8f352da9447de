"""Pipelines: the built-in workflows that take arguments, and what these change in the stages of a run.

`ad`, `account` and `platform` pull the same whatever the arguments say; `validate`, `enrich` and `destination` add
stages behind the pulls. docs/workflows.md describes each argument.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import ErrorDetails

from adweir.intake.collect.planner import Reach
from adweir.model import limits
from adweir.model.errors import Unprocessable
from adweir.model.flows import StageKind
from adweir.pipeline.workflows import CAMPAIGNS, WORKFLOWS, Stage, Workflow

PIPELINES = ("ad", "account", "platform")
_OF_SEVERAL = "batch_size"
"""The argument to change where two do not go together."""
Faults = list[dict[str, str]]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=limits.MAX_PATH_ID_CHARS)]


class Destination(StrEnum):
    """Where what was pulled goes: it is always in the database; the others are made of what is there."""

    DATABASE = "database"
    FEATURE_STORE = "feature_store"
    MODEL_STORE = "model_store"


_BEHIND: Mapping[Destination, tuple[StageKind, ...]] = {
    Destination.DATABASE: (),
    Destination.FEATURE_STORE: (StageKind.FEATURES,),
    Destination.MODEL_STORE: (StageKind.ETL, StageKind.LEARN),
}


_TYPES = {
    "source_platform": "string",
    "account_id": "string",
    "date_range": "{start, end}",
    "is_validated": "boolean",
    "enrich": "boolean",
    "destination": " | ".join(Destination),
    "batch_size": "integer",
}


class PipelineDays(BaseModel):
    """Days, both inclusive, of each ad account's time zone."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    start: date
    end: date

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.start > self.end:
            raise ValueError("end is before start")
        return self

    @property
    def length(self) -> int:
        return (self.end - self.start).days + 1


class Arguments(BaseModel):
    """What a pipeline may be told."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    source_platform: _Name | None = Field(default=None, description="Pull from this platform alone.")
    account_id: _Name | None = Field(
        default=None,
        description="Only this client account (acc_...) or ad account (its platform's id). When left out: all.",
    )
    date_range: PipelineDays | None = Field(
        default=None,
        description="Pull all of these days, stored ones again. When left out: those that are missing or still change.",
    )
    is_validated: bool = Field(
        default=True,
        alias="validate",
        description="Then score the days and reconcile them with the platform's totals. Rows are checked in any case.",
    )
    enrich: bool = Field(default=False, description="Then add what models say of ads.")
    destination: Destination = Field(
        default=Destination.DATABASE,
        description="feature_store also computes features; model_store also builds the media-mix datasets and updates"
        " what bandits know.",
    )
    batch_size: int | None = Field(
        default=None,
        ge=1,
        le=limits.MAX_BATCH_DAYS,
        description="The most days that one pull asks for: smaller ones are stored sooner and cost more requests. When"
        " left out: as many as the platform allows.",
    )

    @model_validator(mode="after")
    def _is_cut_into_few(self) -> Self:
        days = self.date_range.length if self.date_range else 0
        if self.batch_size and days > self.batch_size * limits.MAX_RANGE_BATCHES:
            least = -(-days // limits.MAX_RANGE_BATCHES)
            raise ValueError(f"{days} days need batches of at least {least}")
        return self

    def plain(self) -> dict[str, Any]:
        """As JSON, with the defaults."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def parse(name: str, given: Mapping[str, Any]) -> tuple[Arguments | None, Faults]:
    """The arguments of a workflow, None for one that takes none; without those that are named in the faults."""
    if name not in PIPELINES:
        why = f"workflow {name[:40]} takes no arguments; these do: {', '.join(PIPELINES)}"
        return None, [fault(each, why) for each in given]
    try:
        return Arguments.model_validate_json(json.dumps(given, default=float)), []
    except ValidationError as error:
        errors = error.errors()
    if errors[0]["type"] == "json_invalid":  # nested too deeply, or half of a surrogate pair: of no argument by name
        return None, [{"field": "args", "message": f"cannot be read: {errors[0]['msg']}"}]
    bad = {each["loc"][0] if each["loc"] else _OF_SEVERAL for each in errors}
    args, more = parse(name, {each: value for each, value in given.items() if each not in bad})
    return args, [*(_said(name, each) for each in errors), *more]


def read(name: str, given: Mapping[str, Any]) -> Arguments | None:
    """The arguments of a workflow, None for one that takes none. Raises Unprocessable that lists every fault."""
    args, faults = parse(name, given)
    if faults:
        raise refused(faults)
    return args


def with_defaults(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a workflow as runs keep them. Raises Unprocessable that lists every fault."""
    args = read(name, given)
    return {} if args is None else args.plain()


def flow_with(name: str, given: Mapping[str, Any]) -> Workflow:
    """A built-in workflow as its arguments make it. Raises Unprocessable."""
    flow, args = WORKFLOWS[name], read(name, given)
    if args is None:
        return flow
    stages = _reconciled(flow) if args.is_validated else flow.stages
    if args.date_range:
        stages = tuple(replace(stage, reach=Reach.WHOLE) for stage in stages)
    kinds = [StageKind.RECONCILE] if args.is_validated else []
    kinds += [StageKind.ENRICH] if args.enrich else []
    for kind in (*kinds, *_BEHIND[args.destination]):
        stages = _then(stages, Stage(kind.value, kind=kind))
    return replace(flow, stages=stages)


def described(name: str) -> list[dict[str, Any]]:
    """The arguments that a workflow takes: name, type, default, what they are for."""
    if name not in PIPELINES:
        return []
    return [
        {"name": field.alias or each, "type": _TYPES[each], "default": field.default, "about": field.description}
        for each, field in Arguments.model_fields.items()
    ]


def from_text(name: str, text: str) -> Any:
    """An argument as it is written on a command line: `validate=false`, `batch_size=7`,
    `date_range=2026-11-01..2026-11-07`. What does not fit stays text, and is refused as such."""
    if name in {"validate", "enrich"} and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if name == "batch_size" and text.isascii() and text.isdecimal():
        return int(text)
    if name == "date_range" and ".." in text:
        start, _, end = text.partition("..")
        return {"start": start, "end": end}
    return text


def fault(field: str, why: str) -> dict[str, str]:
    """A fault of an argument."""
    return {"field": f"args.{field[: limits.MAX_WORD_CHARS]}", "message": why}


def refused(faults: Sequence[Mapping[str, str]]) -> Unprocessable:
    """Arguments that are not taken."""
    shown = [dict(each) for each in faults[: limits.MAX_WORKFLOW_FAULTS]]
    return Unprocessable(f"{shown[0]['field']}: {shown[0]['message']}", shown)


def _reconciled(flow: Workflow) -> tuple[Stage, ...]:
    """The stages that bring what reconciliation compares: a level of rows, then newer totals of the platform."""
    totals = WORKFLOWS["sync"].stage("totals")
    if flow.name == "ad":
        return _then(flow.stages, totals)
    if flow.name == "account":
        return _then(_then(flow.stages[:1], CAMPAIGNS), totals)
    return flow.stages


def _then(stages: tuple[Stage, ...], stage: Stage) -> tuple[Stage, ...]:
    return (*stages, replace(stage, after=(stages[-1].name,)))


def _said(name: str, error: ErrorDetails) -> dict[str, str]:
    place, message = error["loc"], error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden" and len(place) == 1:
        known = ", ".join(each.alias or key for key, each in Arguments.model_fields.items())
        return fault(str(place[0]), f"is no argument of {name}; known: {known}")
    return fault(".".join(map(str, place)) or _OF_SEVERAL, message)
