"""Meta's API for one credential: `platforms.connector.Connector`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.errors import AuthExpired, Narrowable, RequestRejected, TooMuchData, Transient, Unprocessable
from adweir.model.metrics import Grain, Level
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import Clock, Window
from adweir.platforms.connector import Connector, Mode, Page, Report, ReportState, Wiring
from adweir.platforms.meta import API_VERSION, MetaCredential, faults, questions, wire
from adweir.platforms.meta.graph import Graph
from adweir.platforms.meta.ids import account_node, digits
from adweir.platforms.meta.invoices import invoice_pages
from adweir.platforms.meta.lookups import with_media
from adweir.platforms.meta.pages import UNREADABLE
from adweir.platforms.meta.questions import encode

if TYPE_CHECKING:
    from adweir.model.entities import Credential

_T = TypeVar("_T")
SYNC_DAYS = 7
"""Longer windows become an asynchronous job: for breakdowns more than a day, for the account's one row a day none."""

_ENTITIES = {
    Dataset.CAMPAIGNS: ("campaign", wire.CAMPAIGN_FIELDS),
    Dataset.AD_GROUPS: ("adset", wire.ADSET_FIELDS),
    Dataset.ADS: ("ad", wire.AD_FIELDS),
    Dataset.CREATIVES: ("adcreative", wire.ADCREATIVE_FIELDS),
}
_WHOLE_ACCOUNTS = frozenset({Dataset.ACCOUNT_DAILY, Dataset.CREATIVES})
"""A campaign has no creatives of its own, and its numbers are not the account's."""
_WITH_MEDIA = frozenset({Dataset.ADS, Dataset.CREATIVES})
_MEDIA_PAGE = 100
"""Objects with all of their creative are large, and ads bring insights of their own."""
_YEAR_3000 = 32_503_680_000
_DONE, _BROKEN = "Job Completed", frozenset({"Job Failed", "Job Skipped"})


class MetaConnector(Connector):
    """Meta Ads for one long-lived token (it has no refresh: code 190 is AuthExpired).

    Windows of at most `SYNC_DAYS` are fetched as pages, longer ones as a job.
    """

    def __init__(self, graph: Graph, clock: Clock) -> None:
        self._graph = graph
        self._clock = clock

    def profiles(self) -> Iterator[Page]:
        """Pages of `/me/adaccounts`."""
        return self._graph.pages("me/adaccounts", {"fields": wire.ACCOUNT_FIELDS}, limit=200)

    def mode(self, task: Task) -> Mode:
        """A job for daily metrics below the account over more than `SYNC_DAYS`, pages for everything else."""
        dataset = task.dataset
        if dataset.grain is not Grain.DAY or dataset.level is Level.ACCOUNT:
            return Mode.PAGES
        longest = 1 if dataset.breakdown else SYNC_DAYS
        return Mode.REPORT if _window(task).length > longest else Mode.PAGES

    def pages(self, task: Task, resume: str = "") -> Iterator[Page]:
        """The synchronous answer. Raises RequestRejected for a dataset or slice that Meta does not have."""
        if task.dataset is Dataset.PROFILES:
            return self.profiles()
        if task.dataset is Dataset.INVOICES:
            return invoice_pages(self._graph, account_node(task.profile_id), _window(task))
        if task.dataset.grain:
            question = questions.of_dataset(task.dataset, _window(task))
            return self._graph.pages(f"{_subject(task)}/insights", question, after=resume)
        if task.dataset not in _ENTITIES:
            raise RequestRejected(f"Meta has no {task.dataset}")
        level, fields = _ENTITIES[task.dataset]
        subject, account = _subject(task), account_node(task.profile_id)
        params = {"fields": fields}
        if task.dataset is not Dataset.CREATIVES:
            params["effective_status"] = encode(wire.listed_statuses(level))
        if task.dataset is Dataset.CAMPAIGNS and task.slice != ALL:
            params["filtering"] = encode([{"field": "campaign.id", "operator": "IN", "value": [subject]}])
            subject = account
        path = f"{subject}/{level}s"
        if task.dataset not in _WITH_MEDIA:
            return self._graph.pages(path, params, after=resume)
        if task.dataset is Dataset.ADS:
            pages = self._ads(path, params, resume)
        else:
            pages = self._graph.pages(path, params, limit=_MEDIA_PAGE, after=resume)
        return with_media(self._graph, account, pages)

    def _ads(self, path: str, params: dict[str, str], resume: str) -> Iterator[Page]:
        """Ads with their rankings; without them from where Meta finds even the smallest page too much."""
        try:
            ranked = params | {"fields": wire.RANKED_AD_FIELDS}
            for page in self._graph.pages(path, ranked, limit=_MEDIA_PAGE, after=resume):
                resume = page.resume
                yield page
        except TooMuchData:
            yield from self._graph.pages(path, params, limit=_MEDIA_PAGE, after=resume)

    def create_report(self, task: Task) -> Report:
        """Start an insights job. Jobs have no names by which to find an earlier one, so none is adopted."""
        before = self._clock.now()
        question = questions.of_dataset(task.dataset, _window(task), encode)
        created = self._graph.post(f"{_subject(task)}/insights", question)
        return Report(_created(created.body), ReportState.PENDING, before)

    def report(self, task: Task, report_id: str) -> Report:  # noqa: ARG002  the id says it all
        """The job's state; READY only when it is completed and at 100 %, FAILED also where Meta has lost it."""
        try:
            answer = self._graph.get(digits(report_id), {})
        except RequestRejected as error:
            if error.context.get("subcode") != faults.GONE:
                raise
            return Report(report_id, ReportState.FAILED, self._clock.now(), error.message)
        run = _decode(answer.body, wire.ReportRun)
        as_of = datetime.fromtimestamp(run.time_ref, UTC) if 0 < run.time_ref < _YEAR_3000 else self._clock.now()
        if run.async_status in _BROKEN:
            why = f"{run.async_status}: ({run.error_code}) {run.error_message}" if run.error_code else run.async_status
            told = wire.Error(run.error_message or "", code=run.error_code or 0, error_subcode=run.error_subcode or 0)
            too_large = faults.meaning(told, 200) in {faults.Meaning.LESS, faults.Meaning.RETRY_THEN_LESS}
            percent = run.async_percent_completion
            return Report(report_id, ReportState.FAILED, as_of, why[:300], percent, too_large=too_large)
        ready = run.async_status == _DONE and run.async_percent_completion == 100
        return Report(
            report_id,
            ReportState.READY if ready else ReportState.PENDING,
            as_of,
            progress=run.async_percent_completion,
        )

    def report_pages(self, task: Task, report_id: str) -> Iterator[Page]:
        """The job's result, in the same shape as the synchronous answer."""
        return self._graph.pages(f"{digits(report_id)}/insights", {}, after=task.cursor)

    def narrower(self, task: Task, error: Narrowable) -> Sequence[Task]:
        """Half the window; a single day that is too much for one answer becomes a job."""
        parts = super().narrower(task, error)
        one_answer = isinstance(error, TooMuchData) and task.dataset.grain is Grain.DAY and not task.mode
        if parts or not one_answer or self.mode(task) is Mode.REPORT:
            return parts
        return [task.child(mode=Mode.REPORT)]


def connect(
    *,
    credential: Credential,  # noqa: ARG001  its secret says it all
    secret: Mapping[str, str],
    wiring: Wiring,
) -> MetaConnector:
    """The connector of a credential. Raises AuthExpired for a secret that is not one."""
    try:
        values = MetaCredential.read(secret)
    except Unprocessable as error:
        raise AuthExpired(error.message) from None
    graph = Graph(
        wiring.http(),
        wiring.clock,
        base_url=f"{wiring.urls('api', '').rstrip('/')}/{API_VERSION}",
        access_token=values.access_token,
        app_secret=values.app_secret,
        sleep=wiring.sleep,
    )
    for value in graph.proofs:
        wiring.keep_secret(value)
    return MetaConnector(graph, wiring.clock)


def _decode(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except UNREADABLE:
        raise Transient(f"Meta answered with something that is not a {kind.__name__}") from None


def _created(body: bytes) -> str:
    return digits(_decode(body, wire.Created).report_run_id)


def _subject(task: Task) -> str:
    """The node whose edges answer for the task's slice."""
    name, _, identity = task.slice.partition("=")
    if task.slice == ALL:
        return account_node(task.profile_id)
    if name == "campaign" and task.dataset not in _WHOLE_ACCOUNTS:
        return digits(identity)
    raise RequestRejected(f"Meta knows no slice {task.slice[:60]!r} of {task.dataset}")


def _window(task: Task) -> Window:
    if task.window is None:
        raise RequestRejected(f"{task.dataset} needs a window")
    return task.window
