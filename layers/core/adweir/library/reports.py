"""Reports that a caller asks for and downloads later: an id that says all that is needed for it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import msgspec

from adweir.library.pulling import AskedPull, Lone, Pulling
from adweir.model.datasets import Dataset
from adweir.model.entities import Profile
from adweir.model.errors import Unprocessable
from adweir.model.times import Window
from adweir.platforms.connector import ReportState


class _ReportPart(msgspec.Struct, array_like=True):
    """One task of a report; `report` is the platform's id, "" where it makes none."""

    slice: str
    window: str
    report: str


class _ReportId(msgspec.Struct, array_like=True):
    platform: str
    profile: str
    dataset: str
    parts: list[_ReportPart]


def id_of(lone: Lone, profile: Profile, dataset: Dataset, asked: Sequence[AskedPull]) -> str:
    """The id of what was asked for."""
    parts = [
        _ReportPart(each.task.slice, str(each.task.window), each.report.id if each.report else "") for each in asked
    ]
    made = _ReportId(str(lone.spec.name), profile.profile_id, str(dataset), parts)
    return base64.urlsafe_b64encode(msgspec.json.encode(made)).decode().rstrip("=")


def state(pulling: Pulling, asked: Sequence[AskedPull]) -> dict[str, Any]:
    """How far it is: as far as the part that is least far."""
    found = [pulling.state(each) for each in asked if each.report is not None]
    states = {each.state for each in found}
    worst = next((one for one in (ReportState.FAILED, ReportState.PENDING) if one in states), ReportState.READY)
    progress = min((100 if each.state is ReportState.READY else each.progress for each in found), default=100)
    return {
        "state": worst.value,
        "progress": progress,
        "reason": next((each.reason for each in found if each.state is ReportState.FAILED), ""),
    }


class Resumed:
    """What was asked for earlier. A context manager: the pulling, the profile and the tasks."""

    def __init__(self, lone: Lone, report: str, profile: Callable[[str], Profile]) -> None:
        self._lone = lone
        self._id = _parsed(report, lone)
        self._profile = profile
        self._pulling = Pulling(lone)

    def __enter__(self) -> tuple[Pulling, Profile, list[AskedPull]]:
        profile, dataset = self._profile(self._id.profile), Dataset(self._id.dataset)
        asked = [
            self._pulling.task(profile, dataset, part.slice, Window.parse(part.window), part.report)
            for part in self._id.parts
        ]
        return self._pulling.__enter__(), profile, asked

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pulling.__exit__(kind, error, at)


def _parsed(report: str, lone: Lone) -> _ReportId:
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(report + "=" * (-len(report) % 4)), type=_ReportId)
        known = found.dataset in lone.spec.datasets and found.platform == lone.spec.name
        for part in found.parts:
            Window.parse(part.window)
    except (ValueError, msgspec.MsgspecError, UnicodeError, RecursionError):
        known = False
    if not known:
        message = f"not a report of {lone.spec.name}: pass what create_report_request returned"
        raise Unprocessable(message, [{"field": "report", "message": "is unknown"}])
    return found
