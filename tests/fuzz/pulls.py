"""From a connector's pages to what would be stored: as `collect` and `validate` do it, without AWS."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import PlatformObject, Profile
from adweir.model.errors import AdweirError
from adweir.model.metrics import BadRow, Grain, MetricRow, Source
from adweir.model.tasks import Pull, Stamp, Task
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.platforms.connector import Connector, Mode, Normalizer, Page, PullContext, RawPage, ReportState
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import RowLoop
from adweir.quality.score import score
from adweir.store.metrics.brought import PullRows
from adweir.store.metrics.buckets import can_be_key
from adweir.store.raw.pages import blocks, pack, read_pages
from fuzz.running import Broken, Case

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AS_OF = "2026-11-20T12:00:00.000000Z"
SECRETS = (
    "EAAGtheAccessTokenOfThisClient",
    "the-app-secret",
    "Atzr|the-refresh-token",
    "Atza|the-access-token",
)
"""Values that no page, report or error may show; answers repeat them as the platforms do."""


@dataclass
class Pulled:
    """What the pages of a pull hold; rows and objects by page and line."""

    rows: dict[tuple[int, int], MetricRow] = field(default_factory=dict)
    objects: list[PlatformObject | Profile] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)

    def add(self, number: int, normalizer: Normalizer, page: RawPage, context: PullContext) -> None:
        """Take in what the normalizer makes of a page."""
        if context.dataset.grain:
            for rows in normalizer.metric_batches(page, context):
                self.rows |= {(number, row.line): row for row in rows.rows}
                self.bad += rows.bad
        else:
            for batch in normalizer.object_batches(page, context):
                self.objects += batch.objects
                self.bad += batch.bad


class Asking(Protocol):
    """A question to a platform."""

    def task(self) -> Task: ...


A = TypeVar("A", bound=Asking)


def checked(
    case: Case, questions: Sequence[A], read: Callable[[A, Case], Pulled], expected: Callable[[A], Pulled]
) -> str:
    """What a platform's case came to, as a target's `check` says it.

    `read` pulls a question from the case's answers, `expected` from the unchanged ones. Raises Broken.
    """
    about = json.loads(case["about"])
    question, spoiled = questions[about["question"]], about["spoiled"]
    try:
        found = read(question, case)
    except AdweirError as error:
        if spoiled:
            raise Broken(f"one bad row costs the page: {error.code} {error.message}"[:300]) from error
        return error.code
    if spoiled:
        keeps_the_others(found, expected(question), spoiled)
    return judge(found, question.task())


def asked(connector: Connector, task: Task) -> Iterator[Page]:
    """The pages of a task, of an answer or of a report. Raises from the error tree."""
    if task.dataset is Dataset.PROFILES:
        return connector.profiles()
    if connector.mode(task) is Mode.PAGES:
        return connector.pages(task)
    made = connector.create_report(task)
    _hides(made.id, made.reason)
    report = connector.report(task, made.id)
    _hides(report.id, report.reason)
    if report.state is not ReportState.READY:
        raise AdweirError(f"the report is {report.state}")
    return connector.report_pages(task, report.id)


def read(connector: Connector, task: Task, context: PullContext) -> Pulled:
    """Fetch, pack, unpack and normalize. Raises from the error tree, and Broken."""
    found = Pulled()
    normalizer = REGISTRY.normalizer(task.platform)
    try:
        for number, page in enumerate(asked(connector, task), 1):
            packed = b"".join(pack(page, block, more=more) for block, more in blocks(page.body))
            _hides(page.url, page.resume, page.label)
            for stored in read_pages(io.BytesIO(packed)):  # type: ignore[arg-type]  # as raw as a download
                body = stored.stream.read()
                _hides(body.decode("utf-8", "replace"))
                found.add(number, normalizer, _Again(number, stored.label, stored.media, io.BytesIO(body)), context)
    except AdweirError as error:
        _hides(error.message, repr(error.args), repr(error.context), repr(getattr(error, "details", "")))
        raise
    return found


@dataclass
class _Again:
    """A page whose body is in memory."""

    number: int
    label: str
    media: str
    stream: io.BytesIO


def judge(found: Pulled, task: Task) -> str:
    """Apply the quality rules and check what would be stored; returns a word for it."""
    for one in found.objects:
        json.dumps(one.model_dump(mode="json")).encode()
        if isinstance(one, Profile) and not one.profile_id:
            raise Broken("an ad account without an id")
    if not task.dataset.grain:
        _quarantined(found.bad)
        return "objects" if found.objects else "no objects"
    assert task.window is not None
    stored = _checked(found, task, task.window)
    return "rows" if stored and not found.bad else "some rows" if stored else "no rows"


def _checked(found: Pulled, task: Task, window: Window) -> int:
    pull = pull_of(task, window)
    rows, days = PullRows(), {day.isoformat() for day in window.days()}
    with Quarantine() as quarantine:
        loop = RowLoop(pull, days, rows, quarantine)
        loop.take(list(found.rows.values()), found.bad)
        loop.finish()
        if quarantine.rows != len(found.rows) + len(found.bad) - loop.tally.stored - loop.tally.duplicates:
            raise Broken("rows are neither stored nor quarantined")
    for entity, key, slot in rows:
        if not can_be_key(entity) or key[:10] not in days:
            raise Broken(f"stored: entity {entity[:50]!r} on {key[:20]!r}")
        if any(number is not None and (number < 0 or number >> limits.MAX_FIGURE_BITS) for number in slot):
            raise Broken(f"stored: the numbers {slot!r}"[:300])
    score(loop.tally, pull.grain, pull.stamp, NOW)
    return len(rows)


def pull_of(task: Task, window: Window) -> Pull:
    """The pull as the metric store gets it."""
    return Pull(
        platform=task.platform,
        profile_id=task.profile_id,
        level=task.dataset.level,
        grain=task.dataset.grain or Grain.DAY,
        source=Source.PULL,
        slice=task.slice,
        window=window,
        stamp=Stamp(AS_OF, task.id),
        complete=True,
        currency=task.currency,
        timezone=task.timezone,
        account_id=task.account_id,
        breakdown=task.dataset.breakdown,
    )


def _quarantined(bad: Iterable[BadRow]) -> None:
    with Quarantine() as quarantine:
        for one in bad:
            quarantine.add(one)


def _hides(*texts: str) -> None:
    for text in texts:
        for secret in SECRETS:
            if secret in text:
                raise Broken(f"shows a secret: {text[:300]!r}")


def context_of(task: Task, **more: Any) -> PullContext:
    """What the normalizer is told about a task's pull."""
    return PullContext(
        account_id=task.account_id,
        profile_id=task.profile_id,
        dataset=task.dataset,
        slice=task.slice,
        window=task.window,
        as_of=AS_OF,
        currency=task.currency,
        timezone=task.timezone,
        **more,
    )


def keeps_the_others(found: Pulled, honest: Pulled, spoiled: int) -> None:
    """Whether every row or object but the one on that line of the first page is as in the honest pull."""
    missing = {at for at, row in honest.rows.items() if at != (1, spoiled) and found.rows.get(at) != row}
    if missing:
        raise Broken(f"one bad row costs others: {sorted(missing)[:5]}")
    lost = [one for one in honest.objects if one not in found.objects]
    if len(lost) > 1:
        raise Broken(f"one bad object costs others: {len(lost)} of {len(honest.objects)}")
