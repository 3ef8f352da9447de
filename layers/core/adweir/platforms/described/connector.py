"""A described API over HTTP for one credential."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any

from adweir.model.datasets import Dataset
from adweir.model.errors import (
    NotApplicable,
    RequestRejected,
    Transient,
)
from adweir.model.tasks import Task
from adweir.model.times import DAY
from adweir.platforms.connector import Connector, Mode, Page, Report, ReportState
from adweir.platforms.described import answers, paging, paths
from adweir.platforms.described.calls import Calls, Filled
from adweir.platforms.described.ids import in_account
from adweir.platforms.described.language import Described, DescribedList, Spec
from adweir.platforms.described.objects import named_accounts
from adweir.platforms.described.parts import AsyncReport

if TYPE_CHECKING:
    from adweir.model.times import Clock


class DescribedConnector(Connector):
    """Implements `platforms.connector.Connector`; the route is the spec's name."""

    def __init__(self, name: str, spec: Spec, calls: Calls, clock: Clock) -> None:
        self.route = name
        self._spec, self._calls, self._clock = spec, calls, clock

    def profiles(self) -> Iterator[Page]:
        """The ad accounts that the API lists, or that the spec names."""
        accounts = self._spec.accounts
        if accounts.listed is None or accounts.listed.request is None:
            yield named_accounts(self._spec)
            return
        yield from self._listed(accounts.listed, self._calls.filled(accounts.listed.request, {}))

    def mode(self, task: Task) -> Mode:
        """Raises NotApplicable for a dataset that the spec does not describe."""
        if task.dataset is Dataset.PROFILES:
            return Mode.PAGES
        return Mode.REPORT if self._described(task).report else Mode.PAGES

    def pages(self, task: Task, resume: str = "") -> Iterator[Page]:
        """The records of the dataset, page by page."""
        described = self._described(task)
        if described.request is None:
            raise RequestRejected(f"the spec {self.route} has {task.dataset} as a report only")
        of = described.for_each
        if of is None:
            asked = self._calls.filled(described.request, values_of(task), task.timezone)
            return self._listed(described, asked, resume)
        return self._about(self._ids(Dataset(of.dataset), task), described, task)

    def create_report(self, task: Task) -> Report:
        """Ask for a report; `as_of` is the moment before."""
        before = self._clock.now()
        wanted = self._report(task)
        answer = self._calls.ask(self._calls.filled(wanted.create, values_of(task), task.timezone))
        found = paths.FoundRecord((answers.decoded(answer),)).at(wanted.id)
        if not isinstance(found, str | int) or isinstance(found, bool) or not str(found):
            raise Transient(f"{answer.url} answers without the report's id at {wanted.id!r}")
        return Report(str(found), ReportState.PENDING, before)

    def report(self, task: Task, report_id: str) -> Report:
        """The report's state. One that the spec knows neither as ready nor as failed goes on."""
        wanted, now = self._report(task), self._clock.now()
        _, answer = self._polled(task, report_id)
        state = paths.FoundRecord((answer,)).at(wanted.state)
        if state is paths.MISSING:
            raise Transient(f"the answer has no state of the report at {wanted.state!r}")
        word = answers.word(state)
        if word in wanted.failed:
            return Report(report_id, ReportState.FAILED, now, f"the API says {word[:100]}")
        return Report(report_id, ReportState.READY if word in wanted.ready else ReportState.PENDING, now)

    def report_pages(self, task: Task, report_id: str) -> Iterator[Page]:
        """The report's file as one page."""
        described, wanted = self._described(task), self._report(task)
        if wanted.download is not None:
            asked = self._calls.filled(wanted.download, values_of(task, report_id), task.timezone)
            chunks = self._calls.file(asked, described.form.packed)
        else:
            asked, answer = self._polled(task, report_id)
            link = paths.FoundRecord((answer,)).at(wanted.url or "")
            if not isinstance(link, str) or not link:
                raise Transient(f"the answer has no URL of the report's file at {wanted.url!r}")
            chunks = self._calls.linked_file(link, asked, described.form.packed)
        yield paging.file_page(described, chunks, asked.url)

    # -- datasets -----------------------------------------------------------------------------------------------------

    def _described(self, task: Task) -> Described:
        return described_of(self._spec, self.route, task)

    def _report(self, task: Task) -> AsyncReport:
        found = self._described(task).report
        if found is None:
            raise RequestRejected(f"the spec {self.route} has no report of {task.dataset}")
        return found

    def _polled(self, task: Task, report_id: str) -> tuple[Filled, Any]:
        asked = self._calls.filled(self._report(task).poll, values_of(task, report_id), task.timezone)
        return asked, answers.decoded(self._calls.ask(asked))

    def _about(self, ids: Iterator[str], described: Described, task: Task) -> Iterator[Page]:
        """The answers about so many objects at a time. The last page of all is the end."""
        of, question = described.for_each, described.request
        held: Page | None = None
        while of and question and (batch := list(islice(ids, of.batch))):
            values = {**values_of(task), "ids": of.separator.join(batch)}
            for page in self._listed(described, self._calls.filled(question, values, task.timezone)):
                if held is not None:
                    yield held
                held = page._replace(last=False, resume="")
        yield (held or Page(b"", "", 200, last=True, label=paging.NOTHING))._replace(last=True)

    def _ids(self, dataset: Dataset, task: Task) -> Iterator[str]:
        """The ids of the objects of a dataset, as the API lists them now."""
        listing = self._spec.datasets[dataset]
        if listing.request is not None:
            asked = self._calls.filled(listing.request, values_of(task), task.timezone)
            for page in self._listed(listing, asked):
                yield from paging.texts(page.content(), listing, "id")

    # -- pages --------------------------------------------------------------------------------------------------------

    def _listed(self, listing: DescribedList, asked: Filled, resume: str = "") -> Iterator[Page]:
        if listing.form.type == "csv":
            chunks = self._calls.file(asked, listing.form.packed)
            yield paging.file_page(listing, chunks, asked.url)
            return
        turns, before, last = paging.PageTurns(listing, asked, self._calls.following, resume), b"", False
        while not last:
            answer = self._calls.ask(turns.asked)
            last = turns.turn(answer, answers.decoded(answer))
            digest = hashlib.sha256(answer.body).digest()
            if not last and digest == before:
                raise RequestRejected(f"{answer.url} answers every page alike: is the spec's paging right?")
            before = digest
            yield Page(answer.body, answer.url, answer.status, last=last, resume="" if last else turns.place)


def described_of(spec: Spec, name: str, task: Task) -> Described:
    """What a spec says of a task's dataset.

    Raises NotApplicable where it says nothing, TooMuchData for more days than it asks for at a time.
    """
    found = spec.datasets.get(task.dataset)
    if found is None:
        raise NotApplicable(f"the spec {name} does not describe {task.dataset}")
    found.check_window(task.window)
    return found


def values_of(task: Task, report_id: str = "") -> dict[str, str | date]:
    """What the placeholders of a task's requests stand for."""
    found: dict[str, str | date] = {
        "profile": in_account(task.profile_id),
        "currency": task.currency,
        "timezone": task.timezone,
        "report": report_id,
    }
    if task.window is not None:
        found |= {"start": task.window.start, "end": task.window.end, "until": task.window.end + DAY}
    return found
