"""The rows of a report, and its file."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import product
from typing import Any, NamedTuple

from sandbox.platforms.trade_desk.columns import COST, Columns, DeskLine
from sandbox.platforms.trade_desk.formats import DATE_FORMATS, NUMERIC_FORMATS, SEPARATORS
from sandbox.platforms.trade_desk.geography import PLACES
from sandbox.platforms.trade_desk.templates import Template
from sandbox.world import World, WorldProfile, WorldRow
from sandbox.world.located import Located, located_rows
from sandbox.world.numbers import split
from sandbox.world.world import Moment


class DeskQuestion(NamedTuple):
    """What a report asks: `end` is exclusive. `spoilt`: the switches that were on when it was asked for."""

    template: Template
    profiles: list[WorldProfile]
    start: date
    end: date
    file_format: str
    numeric: str
    dates: str
    headers: bool
    spoilt: Mapping[str, Any]


def lines(world: World, question: DeskQuestion, moments: Mapping[str, Moment]) -> Iterator[DeskLine]:
    """Every row with activity, advertiser by advertiser. `moments`: by advertiser, what is known by then."""
    last = date.fromordinal(question.end.toordinal() - 1)
    splits = question.template.splits
    labels = [dict(zip(splits, found, strict=True)) for found in product(*splits.values())]
    weights = [_weight(splits, found) for found in labels]
    for profile in question.profiles:
        swap = question.spoilt.get("swapped_columns", {}).get(profile.id)
        for place, row in _placed(world, question, profile, (question.start, last), moments[profile.id]):
            parts = split(row.numbers, weights) if splits else [row.numbers]
            for found, part in zip(labels, parts, strict=True):
                if not part.is_zero:
                    label = dict(zip(question.template.places, place, strict=True)) | found
                    yield DeskLine(profile, row.campaign, row.group, row.ad, row.day, label, part, swap)


def _placed(
    world: World, question: DeskQuestion, profile: WorldProfile, days: tuple[date, date], moment: Moment
) -> Iterator[tuple[tuple[str, ...], WorldRow]]:
    """The rows of the template's level, with the labels of their place, by which they are divided only if asked."""
    level, labels = question.template.level, [PLACES[name] for name in question.template.places]
    if labels:

        def named(place: Located) -> tuple[str, ...]:
            return tuple(label(place) for label in labels)

        yield from located_rows(profile, level, world.delivered(profile, level, *days, moment=moment), named)
    else:
        yield from (((), row) for row in world.rows(profile, level, *days, moment=moment))


def _weight(splits: Mapping[str, Mapping[str, int]], labels: Mapping[str, str]) -> int:
    weight = 1
    for name, value in labels.items():
        weight *= splits[name][value]
    return weight


def file_of(world: World, question: DeskQuestion, moments: Mapping[str, Moment]) -> bytes:
    """The file's bytes, UTF-8: 0 of them when there are no rows."""
    if question.file_format == "ExcelPivot":
        return workbook()
    columns = dict(question.template.columns(question.profiles))
    missing = question.spoilt.get("missing_column")
    if missing is not None:
        columns.pop(str(missing.get("column", COST)), None)
    found = list(lines(world, question, moments))
    empty = question.spoilt.get("empty")
    if empty is not None:
        found = []
    if not found and not (empty or {}).get("header"):
        return b""
    rows = [list(columns)] if question.headers else []
    spoilt_at = _spoilt_at(found, question.spoilt.get("bad_row"))
    write, values = _writers(question), list(columns.values())
    for place, each in enumerate(found):
        cells = [value(each) for value in values]
        fields = [write[type(cell)](cell) for cell in cells]
        if place == spoilt_at:
            mode = str(question.spoilt["bad_row"].get("mode", "negative"))
            fields = list((dict(zip(columns, fields, strict=True)) | _malformed(mode, columns)).values())
        rows.append(fields)
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=SEPARATORS[question.file_format], lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _writers(question: DeskQuestion) -> Mapping[type[Any], Callable[[Any], str]]:
    """How cells are written, by their type."""
    dated = DATE_FORMATS[question.dates]
    timed = "T00:00:00" if question.dates == "Sortable" and "date_text" in question.spoilt else ""
    return {**NUMERIC_FORMATS[question.numeric], str: str, date: lambda day: dated(day) + timed}


def _spoilt_at(found: list[DeskLine], options: Mapping[str, Any] | None) -> int:
    if options is None:
        return -1
    wanted = str(options.get("ad_id", ""))
    return next((place for place, each in enumerate(found) if not wanted or (each.ad and each.ad.id == wanted)), -1)


def _malformed(mode: str, columns: Columns) -> dict[str, str]:
    """A negative count, text for a number, or no key."""
    if mode == "no_key":
        return {name: "" for name in ("Creative ID", "Ad Group ID", "Campaign ID", "Advertiser ID") if name in columns}
    return {"Impressions": "-5" if mode == "negative" else "many"}


def workbook() -> bytes:
    """The beginning of what an Excel template delivers: a zip archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return packed.getvalue()
