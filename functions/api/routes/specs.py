"""Specs: descriptions of APIs that adweir has no connector for. They hold no secret."""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import ConfigDict, Field

from adweir.model import limits
from adweir.model.errors import Conflict, TooLarge, Unprocessable
from adweir.model.labels import PATTERN
from adweir.runtime.app import App
from adweir.runtime.routes import Here, Resource
from routes.fields import Given, Instant, NextToken, Shown

if TYPE_CHECKING:
    from adweir.model.entities import SourceSpec
    from adweir.platforms.described.language import Spec

_NAME = re.compile(PATTERN)
SpecPath = Annotated[str, Path(description="The spec's name: lower-case letters, digits, - and _, at most 32.")]


def _language(schema: dict[str, Any]) -> None:
    """What a spec has to have. The rest is in docs/specs.md: it would double the API's description."""
    from adweir.platforms.described.language import Spec

    schema["required"] = [name for name, field in Spec.model_fields.items() if field.is_required()]


class NewSpec(Given):
    """How the API is asked, and what its answers mean: docs/specs.md."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_language)
    __pydantic_extra__: dict[str, Any] = Field(init=False)


class SpecAnswer(Shown):
    """A stored spec."""

    name: str
    spec: dict[str, Any] = Field(description="As it was stored.")
    version: int = Field(description="Grows by 1 with each replacement.", ge=1)
    credential_fields: list[str] = Field(description="What a credential for it has to have, besides platform and spec.")
    created_at: Instant
    updated_at: Instant


class SpecList(Shown):
    """The specs, all in one page."""

    specs: list[SpecAnswer]
    next_token: NextToken = None


class DeletedSpec(Shown):
    """The spec that was deleted."""

    name: str
    status: Literal["deleted"] = "deleted"


specs = Resource("Specs", "APIs that adweir pulls by a description")


@specs.route("PUT", "/api/v1/specs/{name}", "Store or replace a spec", scope="admin", errors=(409, 413, 422))
def put_spec(app: Here, name: SpecPath, new: NewSpec) -> SpecAnswer:
    """It is checked first; a refused one (422) changes nothing, and each detail names a field and what to do.

    Answers that are loaded from now on, replays too, are read by the new spec. Which datasets are pulled, and how far
    back, changes with the next list of ad accounts.
    """
    if not _NAME.fullmatch(name):
        raise Unprocessable("the name is refused", [{"field": "name", "message": f"does not match {PATTERN}"}])
    text = json.dumps(new.model_extra or {}, default=float)
    if len(text.encode()) > limits.MAX_SPEC_BYTES:
        raise TooLarge(f"the spec has more than {limits.MAX_SPEC_BYTES} bytes as JSON")
    spec = _checked(app, json.loads(text))
    return _shown(app.catalog.put_spec(name, text), spec)


@specs.route("GET", "/api/v1/specs", "List the specs")
def list_specs(app: Here) -> SpecList:
    return SpecList(specs=[_shown(each) for each in app.catalog.specs()])


@specs.route("GET", "/api/v1/specs/{name}", "Get a spec")
def get_spec(app: Here, name: SpecPath) -> SpecAnswer:
    return _shown(app.catalog.spec(name))


@specs.route("DELETE", "/api/v1/specs/{name}", "Delete a spec", scope="admin", errors=(409,))
def delete_spec(app: Here, name: SpecPath) -> DeletedSpec:
    """Refused (409) while a credential names it. Stored numbers stay."""
    users = [
        f"{each.account_id} ({each.platform}, label {each.label})"
        for each in app.catalog.credentials()
        if each.platform in app.platforms
        and app.platforms.spec(each.platform).described
        and (each.route or each.label) == name
    ]
    if users:
        raise Conflict(f"credentials use the spec {name}; delete them first: {', '.join(users[: limits.MAX_WARNINGS])}")
    return DeletedSpec(name=app.catalog.delete_spec(name).name)


def _checked(app: App, given: Mapping[str, Any]) -> "Spec":
    """Raises Unprocessable for a spec that is not well-formed, or names a host that the deployment does not allow."""
    from adweir.platforms.described.language import checked_spec

    spec = checked_spec(given)
    refused = [(field, why) for field, url in spec.urls() if (why := app.source_hosts.refusal(url))]
    if spec.bucket and (why := app.feeds.refusal(spec.bucket)):
        refused.append(("base_url", why))
    if refused:
        faults = [{"field": field, "message": why} for field, why in refused]
        raise Unprocessable(f"the spec is refused: {refused[0][0]} {refused[0][1]}", faults)
    return spec


def _shown(stored: "SourceSpec", spec: "Spec | None" = None) -> SpecAnswer:
    from adweir.platforms.described.language import read_spec

    try:
        needed = (spec or read_spec(stored.body)).credential_fields()
    except Unprocessable:  # another version stored it: it is shown as it is
        needed = []
    return SpecAnswer(
        name=stored.name,
        spec=json.loads(stored.body),
        version=stored.version,
        credential_fields=needed,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )
