"""Mappings: how files of a source are read."""

from typing import TYPE_CHECKING, Annotated, Any, Self

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field, GetJsonSchemaHandler, RootModel
from pydantic_core import CoreSchema

from adweir.model import limits
from adweir.model.errors import BadInput, NotFound, Unprocessable
from adweir.runtime.app import App
from adweir.runtime.routes import Here, Resource
from routes.fields import PAGE_ITEMS, Limit, NextToken, OneOf, PageToken, Shown

if TYPE_CHECKING:
    from adweir.store.catalog.mappings import StoredMapping

_OF = "mappings"
_ORIGINS = ("account", "deployment", "built_in")


class MappingBody(RootModel[dict[str, Any]]):
    """Which column of a file is which field, and how it is written: docs/mappings.md."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The model's, which is imported where a mapping is stored or described: other requests do not wait for it."""
        from adweir.model.mappings import Mapping

        schema = Mapping.model_json_schema()
        found: dict[str, Any] = _inlined(schema, schema.pop("$defs", {}))
        return found


class MappingEntry(Shown):
    """A mapping that there is."""

    source: str = Field(examples=["google_ads"])
    data_type: str = Field(examples=["campaign_performance"])
    origin: Annotated[str, OneOf(*_ORIGINS)] = Field(
        description="Whose it is; the first of these that there is counts."
    )
    account_id: str | None = Field(description="The client company; null for all of them.")


class MappingList(Shown):
    """One page of mappings, by source and data type; of each, the one that counts."""

    mappings: list[MappingEntry]
    next_token: NextToken


class MappingAnswer(MappingEntry):
    """A mapping in full."""

    mapping: MappingBody

    @classmethod
    def made(cls, given: "StoredMapping", origin: str) -> Self:
        """Of a stored or built-in one."""
        return cls(
            source=given.source,
            data_type=given.data_type,
            origin=origin,
            account_id=given.account_id or None,
            mapping=MappingBody(given.body),
        )


class SourceMappings(Shown):
    """How files of a source are read, by data type."""

    source: str
    mappings: list[MappingAnswer]


class DeletedMapping(Shown):
    """The mapping that was deleted."""

    source: str
    data_type: str
    account_id: str | None
    status: Annotated[str, OneOf("deleted")] = "deleted"


SourcePath = Annotated[str, Path(description="The tool that the files are from, as in their keys.")]
OfAccount = Annotated[
    str,
    Query(max_length=limits.MAX_PATH_ID_CHARS, description="The client company, acc_…; without it, all of them."),
]
DataTypeQuery = Annotated[str, Query(max_length=limits.MAX_WORD_CHARS, description="Only of this data type.")]

mappings = Resource("Mappings", "How files of other tools are read")


@mappings.route("GET", "/api/v1/mappings", "List the mappings", errors=(404,))
def list_mappings(
    app: Here, account_id: OfAccount = "", limit: Limit = PAGE_ITEMS, next_token: PageToken = ""
) -> MappingList:
    """Those of a client, of the deployment, and those that come with adweir. Mappings in the bucket are not listed."""
    from adweir.store.dynamo.paging import from_token, to_token

    after = from_token(_OF, next_token)
    found = [
        MappingEntry(source=each.source, data_type=each.data_type, origin=origin, account_id=each.account_id or None)
        for each, origin in _counting(app, account_id)
        if f"{each.source}#{each.data_type}" > after
    ]
    shown = found[:limit]
    last = f"{shown[-1].source}#{shown[-1].data_type}" if len(found) > limit else ""
    return MappingList(mappings=shown, next_token=to_token(_OF, last) if last else None)


@mappings.route("GET", "/api/v1/mappings/{source}", "Get the mappings of a source", errors=(404,))
def get_mappings(
    app: Here, source: SourcePath, account_id: OfAccount = "", data_type: DataTypeQuery = ""
) -> SourceMappings:
    """By data type the one that counts for files of the client: its own, else the deployment's, else adweir's."""
    found = [
        MappingAnswer.made(each, origin)
        for each, origin in _counting(app, account_id, source)
        if data_type in {"", each.data_type}
    ]
    if not found:
        raise _unknown(source, data_type)
    return SourceMappings(source=source, mappings=found)


@mappings.route("PUT", "/api/v1/mappings/{source}", "Store a mapping", scope="write", errors=(404, 409))
def put_mapping(app: Here, source: SourcePath, given: MappingBody, account_id: OfAccount = "") -> MappingAnswer:
    """It counts for files that are dropped from now on, and replaces the one of its source and data type."""
    from adweir.model.mappings import parse_mapping
    from adweir.store.catalog.mappings import EVERYONE, StoredMapping

    try:
        mapping = parse_mapping({"source": source} | given.root)
    except BadInput as error:
        raise Unprocessable(error.message, error.details) from None
    if mapping.source != source:
        message = f"is {mapping.source}, the path says {source}"
        raise Unprocessable(f"source {message}", [{"field": "source", "message": message}])
    if account_id:
        app.catalog.account(account_id)
    body = mapping.model_dump(mode="json", exclude_defaults=True)
    stored = StoredMapping(account_id or EVERYONE, source, mapping.data_type, body)
    app.catalog.put_mapping(stored)
    return MappingAnswer.made(stored, "account" if account_id else "deployment")


@mappings.route("DELETE", "/api/v1/mappings/{source}", "Delete a mapping", scope="write", errors=(404,))
def delete_mapping(
    app: Here,
    source: SourcePath,
    data_type: Annotated[str, Query(max_length=limits.MAX_WORD_CHARS, description="Of this data type.")],
    account_id: OfAccount = "",
) -> DeletedMapping:
    """Files that are dropped from now on are read by the next one that counts."""
    from adweir.store.catalog.mappings import EVERYONE

    if not app.catalog.delete_mapping(account_id or EVERYONE, source, data_type):
        raise _unknown(source, data_type)
    return DeletedMapping(source=source, data_type=data_type, account_id=account_id or None)


def _counting(app: App, account_id: str, source: str = "") -> list[tuple["StoredMapping", str]]:
    """Of each source and data type the mapping that counts, with its origin, by source and data type."""
    from adweir.platforms.files import builtin
    from adweir.store.catalog.mappings import EVERYONE, StoredMapping

    if account_id:
        app.catalog.account(account_id)
    own = builtin.of_source(source) if source else builtin.every()
    built_in = (
        StoredMapping(EVERYONE, each.source, each.data_type, each.model_dump(mode="json", exclude_defaults=True))
        for each in own
    )
    found: dict[tuple[str, str], tuple[StoredMapping, str]] = {}
    layers = [(built_in, "built_in"), (app.catalog.list_mappings(EVERYONE, source), "deployment")]
    if account_id:
        layers.append((app.catalog.list_mappings(account_id, source), "account"))
    for layer, origin in layers:
        found |= {(each.source, each.data_type): (each, origin) for each in layer}
    return [found[key] for key in sorted(found)]


def _unknown(source: str, data_type: str) -> NotFound:
    of = f"{source}/{data_type}" if data_type else source
    return NotFound(f"there is no mapping of {of[:100]}", [{"field": "source", "message": "is unknown"}])


def _inlined(value: Any, definitions: dict[str, Any]) -> Any:
    """A JSON schema without references to its own definitions."""
    if isinstance(value, list):
        return [_inlined(each, definitions) for each in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _inlined(definitions[value["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(each, definitions) for name, each in value.items()}
