"""The rows of a report, and its file: a zip archive with one CSV or TSV in UTF-8 behind a byte order mark.

Source: "Reports" (Report File Schema, Report Format Version, Columns that Group the Data, Time Period Column), and the
note on Performance Max at the reports that have asset groups.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import product
from typing import Any

from sandbox.platforms.microsoft_ads.columns import ATTRIBUTES, SPLITS, MicrosoftLine, attribute, statistic
from sandbox.platforms.microsoft_ads.questions import DAILY, HOURLY, MicrosoftQuestion, plain
from sandbox.world import Numbers, Reading, World, WorldProfile, WorldRow
from sandbox.world.numbers import add, split
from sandbox.world.world import Moment, summed

_OF_AD_GROUPS = {"AdGroupName", "AdGroupId", "AdGroupStatus", "AdId", "AdStatus"}
_OF_ASSETS = {"AssetGroupId", "AssetGroupName", "AssetGroupStatus", "CampaignType"}
_WITH_ASSETS = ("AgeGenderAudienceReportRequest", "PublisherUsagePerformanceReportRequest")
Asked = list[tuple[WorldProfile, Moment]]
"""The ad accounts of a report, each with the moment whose numbers it has."""
_Cells = list[list[str]]


def cells(world: World, question: MicrosoftQuestion, asked: Asked, spoilt: Mapping[str, Any]) -> _Cells:
    """The report's rows in its columns' order: one per combination of the attributes that has any activity."""
    if "empty" in spoilt:
        return []
    period = _time_period(question)
    keys = [column for column in question.columns if column in ATTRIBUTES]
    sums: dict[tuple[str, ...], list[Numbers]] = {}
    owners: dict[tuple[str, ...], WorldProfile] = {}
    ads: dict[tuple[str, ...], str] = {}
    for line in _lines(world, question, asked):
        key = tuple(attribute(line, column, period) for column in keys)
        sums.setdefault(key, []).append(line.numbers)
        owners[key] = line.profile
        ads[key] = line.row.ad.id if line.row.ad else ""
    version = question.body.get("FormatVersion") or "1.0"
    found, bad = [], spoilt.get("bad_row")
    for key, parts in sums.items():
        numbers, named = add(parts), dict(zip(keys, key, strict=True))
        row = {c: named[c] if c in named else statistic(owners[key], numbers, c, version) for c in question.columns}
        if bad is not None and str(bad.get("ad_id", "")) in ("", ads[key]):
            row |= _malformed(row, str(bad.get("mode", "negative")))
            bad = None
        found.append(list(row.values()))
    return found


def _lines(world: World, question: MicrosoftQuestion, asked: Asked) -> Iterator[MicrosoftLine]:
    filters = question.filters
    splits = [name for name in SPLITS if name in question.columns or name in filters]
    labels = [dict(zip(splits, found, strict=True)) for found in product(*(SPLITS[name] for name in splits))]
    weights = [_weight(label) for label in labels]
    for profile, moment in asked:
        wanted = question.scope[profile.id]
        for row in _rows(world, question, profile, moment):
            if wanted and not wanted & {row.campaign.id if row.campaign else "", row.group.id if row.group else ""}:
                continue
            parts = split(row.numbers, weights) if splits else [row.numbers]
            for label, part in zip(labels, parts, strict=True):
                line = MicrosoftLine(profile, row, label, question.level, part)
                if not part.is_zero and all(_allowed(line, column, only) for column, only in filters.items()):
                    yield line


def _rows(world: World, question: MicrosoftQuestion, profile: WorldProfile, moment: Moment) -> Iterator[WorldRow]:
    reading = Reading(hourly=question.aggregation == HOURLY)
    days = (question.start, question.end)
    yield from world.rows(profile, question.level, *days, moment=moment, reading=reading)
    chosen = set(question.columns)
    if question.kind in _WITH_ASSETS and (chosen & _OF_ASSETS or not chosen & _OF_AD_GROUPS):
        every = world.days(profile, *days, moment=moment, reading=reading)
        yield from summed("ad_group", (row for row in every if row.group and row.group.hidden))


def _weight(label: Mapping[str, str]) -> int:
    weight = 1
    for name, value in label.items():
        weight *= SPLITS[name][value]
    return weight


def _allowed(line: MicrosoftLine, column: str, only: frozenset[str]) -> bool:
    return plain(attribute(line, column, lambda _: "")) in only


def _time_period(question: MicrosoftQuestion) -> Callable[[WorldRow], str]:
    if question.aggregation == DAILY:
        return lambda row: row.day.isoformat()
    if question.body.get("FormatVersion") == "2.0":
        return lambda row: f"{row.day.isoformat()}|{row.hour}"
    return lambda row: f"{_american(row.day)} 12:00:00 AM|{row.hour}"


def _american(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"


def _malformed(row: Mapping[str, str], mode: str) -> dict[str, str]:
    """A negative count, text for a number, or no key."""
    if mode == "no_key":
        return {name: "" for name in row if name.endswith("Id")}
    return {"Impressions": "-5" if mode == "negative" else "many"} if "Impressions" in row else {}


def file_of(question: MicrosoftQuestion, rows: _Cells, name: str, missing: str = "") -> bytes:
    """The archive. `name`: of the report, which is that of the file inside too. `missing`: a column to leave out."""
    body, text = question.body, io.StringIO(newline="")
    tabs = body.get("Format") == "Tsv"
    out = csv.writer(text, delimiter="\t" if tabs else ",", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    kept = [place for place, column in enumerate(question.columns) if column != missing]
    if body.get("ExcludeReportHeader") is not True:
        out.writerows([line] for line in _header(question, rows, str(body.get("ReportName") or name)))
        text.write("\r\n")
    if body.get("ExcludeColumnHeaders") is not True:
        out.writerow([question.columns[place] for place in kept])
    out.writerows([row[place] for place in kept] for row in rows)
    if body.get("ExcludeReportFooter") is not True:
        text.write("\r\n")
        out.writerow([f"@{question.end.year} Microsoft Corporation. All rights reserved. "])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.{'tsv' if tabs else 'csv'}", text.getvalue().encode("utf-8-sig"))
    return packed.getvalue()


def _header(question: MicrosoftQuestion, rows: _Cells, name: str) -> Iterator[str]:
    days = dict.fromkeys((_american(question.start), _american(question.end)))
    yield f"Report Name: {name}"
    yield f"Report Time: {','.join(days)}"
    yield "Time Zone: (GMT) Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London"
    yield f"Last Completed Available Day: {_american(question.end)} 11:00:00 PM (GMT)"
    yield f"Last Completed Available Hour: {_american(question.end)} 11:00:00 PM (GMT)"
    yield f"Report Aggregation: {question.aggregation}"
    yield "Report Filter: "
    yield "Potential Incomplete Data: true"
    yield f"Rows: {len(rows)}"
