"""`adweir validate`: what a file is, and what loading it would refuse."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
from pydantic import ValidationError

from adweir.intake.load.drop_keys import OWN
from adweir.model.errors import AdweirError, BadInput
from adweir.model.mappings import Mapping
from adweir.platforms.files import own
from adweir.platforms.files.delimited import Form
from adweir.platforms.files.table import open_table
from ops.errors import CommandFailed
from ops.mapping.command import is_header
from ops.mapping.known import find
from ops.validation.alone import data_type_of
from ops.validation.by_schema import check_by_schema, read_schema
from ops.validation.dropped import DryRun
from ops.validation.findings import FileFindings


def validated(path: Path, kind: str, schema: Path | None, mapping: Path | None, now: datetime) -> FileFindings:
    """What is found in a file: by a schema, or as a drop of `kind`, which is found out where it is "".

    Raises CommandFailed for a file that is not read at all.
    """
    size = path.stat().st_size
    try:
        if schema is not None:
            compiled = read_schema(schema)
            with path.open("rb") as stream:
                return check_by_schema(stream, size, compiled, now)
        given = _mapping_in(mapping) if mapping else None
        if given and not kind:
            kind = f"{given.source}/{given.data_type}"
        source, _, data_type = (kind or _kind_of(path)).partition("/")
        if not data_type:
            raise CommandFailed(f"--as takes a source and a data type, such as shopify/orders: {kind!r} is not both")
        with path.open("rb") as stream:
            return DryRun(*data_type_of(source, data_type), given, now).check(stream, size, path.name)
    except AdweirError as error:
        raise CommandFailed(f"{path.name}: {error.message}") from None


def _kind_of(path: Path) -> str:
    """What a file is by its header. Raises CommandFailed where that is not certain, BadInput for what is no table."""
    with path.open("rb") as stream:
        header = open_table(stream, path.stat().st_size, Form(is_header=is_header)).header
    try:
        own.METRICS.canonical(header)
        return "/".join(OWN)
    except BadInput:
        known = find(header)
    if known is None:
        raise CommandFailed(
            f"what is {path.name}? Add --as SOURCE/DATA_TYPE, or a --schema; adweir map proposes how to read it"
        )
    return f"{known.source}/{known.data_type}"


def _mapping_in(path: Path) -> Mapping:
    """A mapping as `adweir map --json` prints it, or as the API takes it. Raises CommandFailed."""
    try:
        body = msgspec.json.decode(path.read_bytes())
        return Mapping.model_validate(body.get("mapping", body) if isinstance(body, dict) else body)
    except msgspec.DecodeError as error:
        raise CommandFailed(f"{path.name} is no JSON: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise CommandFailed(f"{path.name} is no mapping: {where} {first['msg']}") from None
