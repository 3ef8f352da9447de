"""`adweir map`: shows what a file's columns are, asks where it is not sure, and stores the mapping."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from adweir.model import limits
from adweir.model.data_types import DATA_TYPES
from adweir.model.errors import AdweirError, BadInput
from adweir.model.mappings import Mapping, Unit
from adweir.model.metrics import BadRow
from adweir.platforms.files.delimited import Form
from adweir.platforms.files.in_order import mapped
from adweir.platforms.files.lines import Record
from adweir.platforms.files.mapped import BoundMapping
from adweir.platforms.files.table import open_table, records
from adweir.store.catalog.mappings import EVERYONE, StoredMapping
from ops import deeds
from ops.errors import CommandFailed
from ops.mapping import words
from ops.mapping.fields import NOT_NEEDED
from ops.mapping.known import find
from ops.mapping.matching import EXACT, label_of, nearness
from ops.mapping.propose import ROWS, Proposal, Suggestion, propose

if TYPE_CHECKING:
    from ops.target import Deployment

ALL = "all"
"""In place of a client account."""
_NOT_READ = "-"
_WIDE, _NARROW = 30, 18
_TOLD = 2
"""Columns of a line that are known before it counts as a header."""

Ask = Callable[[str], str]
"""A question → what was answered."""


def proposed(path: Path, source: str, data_type: str) -> tuple[Proposal, list[Record]]:
    """What a file's columns are, and its first rows. Raises CommandFailed for what is no table."""
    if data_type and data_type not in DATA_TYPES:
        raise CommandFailed(f"there is no data type {data_type}; known: {', '.join(DATA_TYPES)}")
    try:
        with path.open("rb") as stream:
            table = open_table(stream, path.stat().st_size, Form(is_header=is_header))
            rows = [found for found in islice(records(table), ROWS) if isinstance(found, Record)]
            header = list(table.header)
    except (OSError, AdweirError) as error:
        raise CommandFailed(f"{path.name}: {error.message if isinstance(error, AdweirError) else error}") from None
    cells = [row.cell for row in rows]
    return propose(header, cells, source=source, data_type=data_type, file=path.name), rows


def is_header(cells: Sequence[str]) -> bool:
    """Whether a line says what columns are: several of its cells are names that are known."""
    if len(cells) < _TOLD:
        return False
    if find(cells) is not None:
        return True
    fields = [
        words.FIELDS[each] for each in ("impressions", "clicks", "spend", "date", "currency", "conversions", "revenue")
    ]
    more = [
        *fields,
        *words.MOMENTS.values(),
        *words.AMOUNTS.values(),
        words.FIELDS["order_id"],
        words.FIELDS["sessions"],
    ]
    known = sum(any(nearness(label_of(cell), one) >= EXACT - 5 for one in more) for cell in cells if cell)
    return known >= _TOLD


def asked(proposal: Proposal, ask: Ask, tell: Callable[[str], object]) -> Proposal:
    """With the answers of somebody to each column that is not sure; an empty answer agrees.

    Somebody who names no field is told which there are, and asked again.
    """
    fields = DATA_TYPES[proposal.data_type].names
    for each in proposal.unsure:
        while True:
            shown = ", ".join(each.samples) or "no values"
            answer = ask(
                f"{each.column!r} ({shown}) is {each.field or 'not read'}? Enter, a field, or {_NOT_READ}"
            ).strip()
            field = each.field if not answer else "" if answer == _NOT_READ else answer
            if not field or field in fields:
                proposal = proposal.answered(each.column, field)
                break
            tell("\n".join(_wrapped(f"{proposal.data_type} has no field {field}; it has {', '.join(fields)}")))
    return proposal


def table_of(proposal: Proposal, rows: Sequence[Record]) -> str:
    """The proposal for people, at most 80 characters wide."""
    origin = "built in" if proposal.is_known else "proposed"
    lines = [f"{proposal.source}/{proposal.data_type} ({origin})", ""]
    lines += [f"{'column':{_WIDE}} {'field':{_NARROW}} {'values'}", f"{'-' * _WIDE} {'-' * _NARROW} {'-' * 29}"]
    unused = [each.column for each in proposal.columns if each.sure and not each.field and each.why == NOT_NEEDED]
    for each in sorted(proposal.columns, key=lambda one: not one.field):
        if each.column in unused:
            continue
        unit = "" if each.unit is Unit.ONES else f" {each.unit}"
        field = f"{each.sign} {each.field or _NOT_READ}{unit}{'' if each.sure else ' ?'}".lstrip()
        shown = ", ".join(each.samples) if each.field or not each.sure else each.why
        lines.append(f"{_cut(each.column, _WIDE):{_WIDE}} {_cut(field, _NARROW):{_NARROW}} {_cut(shown, 29)}".rstrip())
    if unused:
        lines += ["", *_wrapped(f"not needed: {', '.join(unused)}")]
    lines += ["", *_said(proposal), *_tried(proposal, rows)]
    return "\n".join(lines)


def _said(proposal: Proposal) -> Iterator[str]:
    for name, text in proposal.constants.items():
        yield _cut(f"every row has {name} = {text}", 80)
    for kept in proposal.keep:
        wanted = ", ".join(kept.equals) or "nothing"
        yield _cut(f"read are rows whose {kept.column[0]} is {wanted}", 80)
    for skipped in proposal.skip:
        about = f"whose {skipped.column[0]}" if skipped.column else "whose first cell"
        what = " or ".join(
            filter(None, [", ".join((*skipped.begins, *skipped.equals)), "empty" if skipped.empty else ""])
        )
        yield _cut(f"left out are rows {about} is {what}", 80)
    if proposal.adds_up:
        yield "rows of one object and day are added up"
    for note in proposal.notes:
        yield from _wrapped(f"note: {note}")


def _tried(proposal: Proposal, rows: Sequence[Record]) -> Iterator[str]:
    """What the mapping makes of the first rows."""
    try:
        mapping = proposal.mapping()
        bound = BoundMapping(mapping, [each.column for each in proposal.columns])
        found = list(mapped(rows, bound))
    except (BadInput, ValueError) as error:
        yield from _wrapped(f"the first {len(rows)} rows cannot be read: {getattr(error, 'message', error)}")
        return
    good = [each for each in found if isinstance(each, Record) and each.counts]
    yield f"of the first {len(rows)} rows {len(good)} can be read, {sum(bound.left_out.values())} are left out"
    if good:
        shown = ", ".join(f"{name} {text}" for name, text in good[0].cell.items() if text)
        yield from _wrapped(f"the first: {shown}")
    faults = [each.errors[0]["message"] for each in found if isinstance(each, BadRow)]
    for fault in dict.fromkeys(faults[:3]):
        yield from _wrapped(f"refused: {fault}")


def as_json(proposal: Proposal, mapping: Mapping) -> str:
    """The proposal for programs: the mapping, and each column with what it is and whether that is sure."""
    columns = [_column(each) for each in proposal.columns]
    body = mapping.model_dump(mode="json", exclude_defaults=True)
    return json.dumps({"mapping": body, "columns": columns, "notes": list(proposal.notes)}, ensure_ascii=False)


def _column(each: Suggestion) -> dict[str, Any]:
    return {"column": each.column, "field": each.field or None, "sure": each.sure, "why": each.why, "unit": each.unit}


def mapping_of(proposal: Proposal) -> Mapping:
    """The mapping of a proposal. Raises CommandFailed for one that cannot be."""
    try:
        return proposal.mapping()
    except ValidationError as error:
        told = "; ".join(each["msg"].removeprefix("Value error, ") for each in error.errors())
        raise CommandFailed(f"no mapping can be made of these columns: {told}") from None


def save(target: Deployment, mapping: Mapping, account_id: str) -> str:
    """Store a mapping, for one client account or for `ALL`; returns what was done. Raises CommandFailed."""
    app = target.app()
    catalog = app.catalog
    account_id = "" if account_id == ALL else account_id
    try:
        if account_id:
            catalog.account(account_id)
        body = mapping.model_dump(mode="json", exclude_defaults=True)
        catalog.put_mapping(StoredMapping(account_id or EVERYONE, mapping.source, mapping.data_type, body))
    except AdweirError as error:
        raise CommandFailed(error.message) from None
    whose = account_id or "all client accounts"
    kind = f"{mapping.source}/{mapping.data_type}"
    deeds.note(app, "put mapping", kind, f"stored for {whose}", kind="mapping", account_id=account_id)
    return f"stored for {whose}: adweir drop FILE --as {mapping.source}/{mapping.data_type}"


def constants_of(proposal: Proposal, given: Sequence[str]) -> dict[str, str]:
    """`field=value` texts. Raises CommandFailed for another form, and for a field that there is not."""
    fields = DATA_TYPES[proposal.data_type].names
    found = {}
    for each in given:
        name, _, text = each.partition("=")
        if not text or name not in fields:
            raise CommandFailed(f"{each!r} is no FIELD=VALUE; fields: {', '.join(fields)}")
        found[name] = text
    return found


def _wrapped(text: str) -> list[str]:
    return wrap(" ".join(text.split()), 80, subsequent_indent="  ", break_on_hyphens=False)


def _cut(text: str, most: int) -> str:
    line = " ".join(text.split())[: limits.MAX_MATCHED_CHARS]
    return line if len(line) <= most else f"{line[: most - 1]}…"
