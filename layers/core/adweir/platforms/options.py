"""Profile options: read, changed, and what a change means for the days that are stored already.

Stored are only those that differ from the platform's defaults, so that a better default reaches who never chose.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from adweir.model import limits
from adweir.model.errors import BadInput, Unprocessable
from adweir.platforms.base import Applies, PlatformSpec, ProfileOptions

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from adweir.model.datasets import Dataset

_SHOWN = 60


def read(model: type[ProfileOptions], stored: Mapping[str, Any]) -> ProfileOptions:
    """A profile's options, defaults included. Raises BadInput for stored ones that this version does not know."""
    try:
        return model.model_validate(dict(stored))
    except ValidationError as error:
        named = ", ".join(_place(fault["loc"]) for fault in error.errors(include_url=False))
        raise BadInput(f"stored profile options that are not the platform's: {named}") from None


def usable(model: type[ProfileOptions], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Stored options without those that this version does not know or would refuse."""
    try:
        model.model_validate(dict(stored))
    except ValidationError as error:
        refused = {fault["loc"][0] for fault in error.errors(include_url=False) if fault["loc"]}
        return {name: value for name, value in stored.items() if name not in refused}
    return dict(stored)


def changed(spec: PlatformSpec, stored: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """What to store after a change: its values replace those of the same name, None resets one to its default.

    Raises Unprocessable that names each unknown option, refused value and dataset that is not pulled on request.
    """
    known = spec.options.model_fields
    faults = [
        {"field": f"options.{name[:60]}", "message": f"is unknown; known: {', '.join(known)}"}
        for name in change
        if name not in known
    ]
    kept = {name: value for name, value in usable(spec.options, stored).items() if name not in change}
    given = {name: value for name, value in change.items() if name in known and value is not None}
    stored_now: dict[str, Any] = {}
    try:
        options = spec.options.model_validate(kept | given)
    except ValidationError as error:
        faults += [
            {"field": f"options.{_place(fault['loc'])}", "message": _refusal(spec, fault)}
            for fault in error.errors(include_url=False)
        ]
    else:
        faults += [
            {"field": "options.datasets", "message": _not_on_request(spec, dataset)}
            for dataset in options.datasets
            if dataset not in _on_request(spec)
        ]
        stored_now = options.model_dump(mode="json", exclude_defaults=True)
        if len(json.dumps(stored_now)) > limits.MAX_OPTIONS_BYTES:
            faults.append({"field": "options", "message": f"have more than {limits.MAX_OPTIONS_BYTES} bytes as JSON"})
    if faults:
        raise Unprocessable(f"these options are refused: {', '.join(fault['field'] for fault in faults)}", faults)
    return stored_now


def differences(model: type[ProfileOptions], before: ProfileOptions, after: ProfileOptions) -> dict[str, Applies]:
    """The options that differ, and how each reaches the days that are stored already.

    REPULL where the options after take a question that those before did not ask; else a replay does.
    """
    asked = after.part in {"", before.part}
    found = {
        name: next((mark for mark in field.metadata if isinstance(mark, Applies)), Applies.REPLAY)
        for name, field in model.model_fields.items()
        if getattr(before, name) != getattr(after, name)
    }
    return {name: Applies.REPLAY if asked and how is Applies.REPULL else how for name, how in found.items()}


def _on_request(spec: PlatformSpec) -> list[Dataset]:
    return [dataset for dataset, served in spec.datasets.items() if served.on_request]


def _not_on_request(spec: PlatformSpec, name: str) -> str:
    return f"{name[:_SHOWN]} is not pulled on request; on request: {', '.join(_on_request(spec)) or 'nothing'}"


def _refusal(spec: PlatformSpec, fault: ErrorDetails) -> str:
    """Pydantic's words, but for the name of a dataset: of all that it lists, few are pulled on request."""
    is_name = fault["loc"][:1] == ("datasets",) and fault["type"] == "enum"
    return _not_on_request(spec, str(fault["input"])) if is_name else fault["msg"]


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "options"
