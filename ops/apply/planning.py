"""What applying a file means: steps, each of which adds, changes or removes one thing, and what is wrong with it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ValidationError

from adweir.model.deeds import FieldChange, changes_of
from adweir.model.errors import BadInput
from adweir.runtime.app import App
from ops import deeds
from ops.apply.text import FileFault, Parsed, Place, shown

_SHOWN_NAMES = 30
_WRITTEN = {
    "company_name": "has characters that no name has",
    "primary_contact_email": "is not an e-mail address",
    "currency": "is not a currency's code of ISO 4217 in capitals, such as EUR",
}
"""Fields whose patterns nobody wants to read."""
HIDDEN = "(secret)"
"""What is shown in place of a secret."""


class StepVerb(StrEnum):
    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


class ThingKind(StrEnum):
    """What a file has, in the order in which it is written: what comes later may need what came before."""

    ACCOUNT = "account"
    CREDENTIAL = "credential"
    WEBHOOK_SECRETS = "webhook secrets"
    MAPPING = "mapping"
    WORKFLOW = "workflow"
    JOB = "job"


@dataclass(frozen=True)
class PlannedStep:
    """One thing to write. `name` is it in words; `account_id` whose it is, "" for the deployment's.

    `fields`: what differs, in words and never a secret. `write` does it, on condition that nobody changed the thing
    since it was read (Conflict), and returns what is worth saying of it.
    """

    verb: StepVerb
    kind: ThingKind
    name: str
    fields: Sequence[FieldChange]
    write: Callable[[], str]
    account_id: str = ""
    names: Sequence[tuple[ThingKind, str]] = ()

    @property
    def key(self) -> tuple[ThingKind, str]:
        """What others need it by: an account's id, else its name."""
        return self.kind, self.account_id if self.kind is ThingKind.ACCOUNT else self.name

    @property
    def needs(self) -> Sequence[tuple[ThingKind, str]]:
        """The keys of what has to be there before: whose it is, and what it `names`."""
        own = self.account_id and self.kind is not ThingKind.ACCOUNT
        return [(ThingKind.ACCOUNT, self.account_id), *self.names] if own else self.names

    @property
    def title(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass
class Planning:
    """Collects steps and faults. `environ` has the values of secrets; `reason` is kept in the audit."""

    app: App
    file: Parsed
    environ: Mapping[str, str]
    prune: bool = False
    reason: str = ""
    steps: list[PlannedStep] = field(default_factory=list)
    faults: list[FileFault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unset: list[str] = field(default_factory=list)
    """Variables that the file names and the environment lacks, of secrets that are stored already."""
    refused_workflows: set[str] = field(default_factory=set)
    same: int = 0

    @cached_property
    def doors(self) -> list[tuple[str, str]]:
        """`Catalog.doors`, read once for all clients."""
        return self.app.catalog.doors()

    def fault(self, place: Place, message: str) -> None:
        """Something is wrong there; the line is that of the nearest place that the file has."""
        near = place
        while near and near not in self.file.lines:
            near = near[:-1]
        self.faults.append(FileFault(self.file.lines.get(near, 1), shown(place), message))

    def refused(self, place: Place, error: BadInput, model: type[BaseModel] | None = None) -> None:
        """What the API would refuse, fault by fault; with the `model` of it, unknown fields have a suggestion."""
        for detail in error.details or [{"field": "", "message": error.message}]:
            parts = tuple(int(part) if part.isdecimal() else part for part in str(detail["field"]).split(".") if part)
            self.fault((*place, *parts), said(str(detail["message"]), parts, model))

    def read(self, model: type[BaseModel], given: Any, place: Place) -> Any:
        """A part of the file as its model. Where fields of it are refused it is read without them, so that the faults
        of the others are found too; None where that is not possible."""
        if not isinstance(given, dict):
            self.fault(place, f"has to be fields: {', '.join(model.model_fields)}")
            return None
        try:
            return model.model_validate(given)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
        for one in found:
            self.fault((*place, *one["loc"]), said(one["msg"], one["loc"], model))
        refused = {one["loc"][0] for one in found if one["loc"]}
        try:
            return model.model_validate({name: value for name, value in given.items() if name not in refused})
        except ValidationError:
            return None

    def is_refused(self, place: Place) -> bool:
        """Whether something is wrong at this very place."""
        return any(fault.where == shown(place) for fault in self.faults)

    def sequence(self, given: Any, place: Place) -> list[tuple[Any, Place]]:
        """The entries of a list, each with its place."""
        if not isinstance(given, list):
            self.fault(place, "has to be a list: each entry begins with `- `")
            return []
        return [(each, (*place, number)) for number, each in enumerate(given)]

    def once(self, seen: dict[Any, Place], key: Any, place: Place) -> bool:
        """Whether this is the first entry of its key; else it is a fault."""
        first = seen.setdefault(key, place)
        if first is not place:
            self.fault(place, f"is there twice: line {self.file.lines.get(first, 1)} has it, too")
        return first is place

    def remove(
        self,
        kind: ThingKind,
        name: str,
        write: Callable[[], str],
        account_id: str = "",
        fields: Sequence[FieldChange] = (),
    ) -> None:
        """A step that removes something; `fields` are what goes with it."""
        self.add(StepVerb.REMOVE, kind, name, fields=fields, write=write, account_id=account_id)

    def add(self, verb: StepVerb, kind: ThingKind, name: str, **rest: Any) -> None:
        self.steps.append(PlannedStep(verb, kind, name, **rest))

    def note(self, action: str, subject: str, outcome: str, **more: Any) -> None:
        """Record a step in the audit, as the API records the same."""
        deeds.note(self.app, action, subject, outcome, reason=self.reason, **more)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldChange]:
    """What differs between two documents, by the names of the fields and of the entries of lists that have names."""
    was, now = dict(_flat(before)), dict(_flat(after))
    names = list(dict.fromkeys([*was, *now]))
    return [
        FieldChange(name, _text(was.get(name)), _text(now.get(name)))
        for name in names
        if was.get(name) != now.get(name)
    ]


def audited(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """The same, as the audit keeps it."""
    return changes_of(dict(_flat(before)), dict(_flat(after)))


def _flat(value: Mapping[str, Any], within: str = "") -> Iterable[tuple[str, Any]]:
    for name, each in value.items():
        named = _named(each)
        if named or (isinstance(each, Mapping) and each):
            yield from _flat(named or each, f"{within}{name}.")
        else:
            yield within + name, None if each in ("", [], (), {}, None) else each


def _named(value: Any) -> dict[str, Any]:
    """A list of entries with names as a mapping by them, else nothing."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, Mapping) for each in value):
        return {}
    for key in ("name", "field"):
        names = [each.get(key) for each in value]
        if names and None not in names and len(set(names)) == len(names):
            return {str(each[key]): {k: v for k, v in each.items() if k != key} for each in value}
    return {}


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def suggested(name: str, known: Iterable[str]) -> str:
    """`is unknown; did you mean ...?`, with the known names where there are not many."""
    names = list(known)
    near = difflib.get_close_matches(str(name).casefold(), names, n=1)
    meant = f"; did you mean {near[0]}?" if near else ";"
    return f"is unknown{meant} known: {', '.join(names[:_SHOWN_NAMES])}"


def said(message: str, where: tuple[int | str, ...], model: type[BaseModel] | None) -> str:
    """pydantic's words, with what may be there in place of what may not."""
    if message == "Extra inputs are not permitted" and model is not None:
        home = _model_at(model, where[:-1])
        return suggested(str(where[-1]), home.model_fields) if home else message
    if message.startswith("String should match pattern"):
        return _WRITTEN.get(str(where[-1]), message)
    if message == "Field required":
        return "is required"
    if message == "Input should be a valid string":
        return "has to be a text: write it in quotes"
    return message.removeprefix("Value error, ")


def _model_at(model: type[BaseModel], where: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The model of what stands at a place of a model."""
    found: type[BaseModel] | None = model
    for part in where:
        if isinstance(part, str) and found is not None:
            known = found.model_fields.get(part)
            found = _inner(known.annotation) if known else None
    return found


def _inner(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation such as `tuple[StageForm, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_inner(each) for each in getattr(annotation, "__args__", ()))
    return next((each for each in found if each is not None), None)
