"""Which pixel stands in which numbered conversion column of a campaign, and since when.

A platform that numbers its conversion columns lists what they mean now. Reassigning a column does not change what it
has reported, so a number alone does not say what it counted: the day does, too. What earlier lists said is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from adweir.model import limits


class ConversionColumn(BaseModel):
    """A column's pixel from a day on: the UTC day of the first list that said so, "" where none said otherwise before.

    `tag_id` is "" since the day on which a list left the column out. `model`: the cross-device attribution model.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    column: str
    tag_id: str
    tag_name: str = ""
    model: str = ""
    since: str = ""


def continued(now: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]], day: str) -> list[dict[str, Any]]:
    """What is listed now behind what was stored before: a column that means something else does so since this day.

    Without anything stored before, it has always meant that, as far as anybody knows. A pixel that was renamed is told
    anew: it may have been chosen by either name.
    """
    if not before:
        return [dict(one) for one in now]
    history = [dict(one) for one in before]
    newest = {one["column"]: one for one in history}
    listed = {one["column"]: dict(one) for one in now}
    for column, last in newest.items():
        if column not in listed and last.get("tag_id"):
            history.append({"column": column, "tag_id": "", "since": day})
    for column, one in listed.items():
        if _meaning(one) != _meaning(newest.get(column, {})):
            history.append(one | {"since": day})
    return history[-limits.MAX_COLUMN_CHANGES :]


def on(history: Iterable[ConversionColumn], day: str) -> dict[str, ConversionColumn]:
    """By column, what it counts on a day (ISO)."""
    return {one.column: one for one in sorted(history, key=lambda each: each.since) if one.since <= day}


def _meaning(column: Mapping[str, Any]) -> tuple[str, str, str]:
    return column.get("tag_id", ""), column.get("tag_name", ""), column.get("model", "")
