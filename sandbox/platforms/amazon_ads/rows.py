"""The rows of a finished report, and its file."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import msgspec

from sandbox.platforms.amazon_ads.lines import Question, ReportLine, lines
from sandbox.platforms.amazon_ads.questions import date_of
from sandbox.platforms.amazon_ads.report_types import REPORT_TYPES
from sandbox.platforms.amazon_ads.spelling import state
from sandbox.platforms.amazon_ads.values import VALUES
from sandbox.world import World, WorldProfile
from sandbox.world.world import Moment

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_FILTERED: dict[str, Callable[[ReportLine], str]] = {
    "campaignStatus": lambda line: state(line.place.campaign.status),
    "adStatus": lambda line: state((line.place.ad or line.place.group).status),  # type: ignore[union-attr]
    "adCreativeStatus": lambda line: state(line.place.ad.status) if line.place.ad else "",
    "adKeywordStatus": lambda line: line.place.keyword.state if line.place.keyword else "",
    "keywordStatus": lambda line: line.place.keyword.state if line.place.keyword else "",
    "keywordType": lambda line: line.place.keyword.match_type if line.place.keyword else "",
}
_BUSINESS = "campaignSite"


def report_rows(world: World, profile: WorldProfile, body: dict[str, Any], moment: Moment) -> list[dict[str, Any]]:
    """The report's rows with activity: one per place and day, or per place with SUMMARY."""
    configuration = body["configuration"]
    filters = {f["field"]: f["values"] for f in configuration.get("filters") or []}
    question = Question(
        REPORT_TYPES[configuration["reportTypeId"]],
        configuration["groupBy"],
        date_of(body, "startDate"),
        date_of(body, "endDate"),
        configuration["timeUnit"] == "DAILY",
        _BUSINESS in filters,
    )
    window = {name: body[name] for name in ("startDate", "endDate")}
    columns = [(name, window.get(name), VALUES.get(name)) for name in configuration["columns"]]
    wanted = [(_FILTERED[field], values) for field, values in filters.items() if field != _BUSINESS]
    return [
        {name: read(line) if read else value for name, value, read in columns}
        for line in lines(world, profile, question, moment)
        if all(read(line) in values for read, values in wanted)
    ]


def packed(rows: list[dict[str, Any]]) -> bytes:
    """One JSON array, gzipped; ids are integers and money exact decimals."""
    return gzip.compress(_ENCODER.encode(rows), 1, mtime=0)
