"""Google Ads for one credential: `platforms.connector.Connector`.

Numbers come by stream, in one request; lists come by pages. A single day that is too much for a stream within one
invocation is asked for by pages as well, where a pull may pause between two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from adweir.model.datasets import Dataset
from adweir.model.errors import (
    AccessDenied,
    AuthExpired,
    Narrowable,
    NotApplicable,
    RequestRejected,
    TooMuchData,
    Transient,
    Unprocessable,
)
from adweir.model.metrics import Grain
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import local_time
from adweir.platforms.base import ProfileOptions
from adweir.platforms.connector import Connector, Mode, Page, Wiring
from adweir.platforms.google_ads import GoogleCredential, assets, changes, invoices, queries
from adweir.platforms.google_ads.added import OWN, PLACES, PartLabel, Regions, written
from adweir.platforms.google_ads.api import GoogleCalls, GoogleHosts, SearchPage
from adweir.platforms.google_ads.faults import PageTokenEnded
from adweir.platforms.google_ads.options import GoogleOptions
from adweir.platforms.google_ads.queries import LINKS, AskedFor
from adweir.platforms.google_ads.trees import is_manager, tree_label

if TYPE_CHECKING:
    from adweir.model.entities import Credential


_NO_SETUP = "Google Ads: the customer has no billing setup: nothing is invoiced"
_PLACES_AT_ONCE = 500
"""Regions per question for their names, some 15 kB of it."""


class GoogleCursor(NamedTuple):
    """Where a pull goes on: the place of the question, and the token of its page ("" for its beginning)."""

    question: int = 0
    token: str = ""

    @classmethod
    def parse(cls, text: str) -> GoogleCursor:
        place, _, token = text.partition(":")
        return cls(int(place), token) if place.isdecimal() else cls()

    def __str__(self) -> str:
        return f"{self.question}:{self.token}"


class GoogleConnector(Connector):
    """`route` is the manager account that requests go through (`login-customer-id`), "" on direct access."""

    def __init__(self, api: GoogleCalls, route: str = "", options: GoogleOptions | None = None) -> None:
        self._api = api
        self.route = route
        self._options = options or GoogleOptions()

    def under(self, options: ProfileOptions) -> GoogleConnector:
        """Asks for conversions by action or by their own day where the profile counts them so."""
        return GoogleConnector(self._api, self.route, options if isinstance(options, GoogleOptions) else None)

    def profiles(self) -> Iterator[Page]:
        """A page per account that is reached directly, then the pages of each manager's accounts.

        An account may be reached on several ways, and the first page that has it decides: directly where that is
        possible, else through the manager with the lowest id. With a manager in the credential only its accounts are
        listed. An account that cannot be read (a cancelled one: CUSTOMER_NOT_ENABLED) does not keep others from being
        listed; AccessDenied is raised when none can.
        """
        roots = [self.route] if self.route else self._api.accessible()
        managers: list[str] = []
        pages: list[Page] = []
        refused: AccessDenied | None = None
        for customer in roots:
            try:
                found = next(self._api.search(_id(customer), self.route, queries.CUSTOMER))
            except AccessDenied as error:
                refused = error
                continue
            if is_manager(found.answer.body):
                managers.append(customer)
            pages.append(_page(found, tree_label(self.route), last=False))
        for manager in managers:
            try:
                answers = self._api.search(manager, manager, queries.CLIENTS)
                pages += [_page(found, tree_label(manager), last=False) for found in answers]
            except AccessDenied as error:
                refused = error
        if refused and not pages:
            raise refused
        yield from pages[:-1]
        yield pages[-1]._replace(last=True) if pages else Page(b"{}", "", 200, last=True)

    def mode(self, task: Task) -> Mode:  # noqa: ARG002  Google Ads makes no reports
        """Pages for everything."""
        return Mode.PAGES

    def pages(self, task: Task, resume: str = "") -> Iterator[Page]:
        """The answers to the dataset's questions. Raises RequestRejected for a dataset or slice that there is not."""
        if task.dataset is Dataset.PROFILES:
            yield from self.profiles()
            return
        if task.dataset is Dataset.CHANGES:
            yield from self._changes(task)
            return
        if task.dataset is Dataset.INVOICES:
            yield from self._invoices(task)
            return
        asked = queries.questions(task.dataset)
        if not asked:
            raise RequestRejected(f"Google Ads has no {task.dataset}")
        cursor = GoogleCursor.parse(resume)
        for place in range(cursor.question, len(asked)):
            start = cursor if place == cursor.question else GoogleCursor(place)
            yield from self._answers(task, asked[place], start, following=place + 1 < len(asked))

    def _changes(self, task: Task) -> Iterator[Page]:
        """What changed lately. A part cannot be asked for alone."""
        if task.slice != ALL:
            raise RequestRejected(f"Google Ads: no slice {task.slice[:60]!r} of {task.dataset}")
        text = changes.question(local_time(self._api.now(), task.timezone))
        for found in self._api.search(_id(task.profile_id), self.route, text):
            yield _page(found, "", last=not found.following)

    def narrower(self, task: Task, error: Narrowable) -> Sequence[Task]:
        """Half the window; a single day that is too much for a stream is asked for by pages."""
        parts = super().narrower(task, error)
        by_stream = task.dataset.grain is not None and not task.mode
        return parts or ([task.child(mode=Mode.PAGES)] if by_stream and isinstance(error, TooMuchData) else [])

    def _answers(self, task: Task, query: AskedFor, start: GoogleCursor, *, following: bool) -> Iterator[Page]:
        try:
            text = queries.gaql(query, task)
        except ValueError as error:
            raise RequestRejected(f"Google Ads: {error}") from None
        after = str(GoogleCursor(start.question + 1)) if following else ""
        customer = _id(task.profile_id)
        beside = self._beside(task, query)
        names = {*beside} | ({PLACES} if task.dataset is Dataset.CAMPAIGN_BY_REGION_DAILY else set())
        if names:
            body = written(self._parts(task, {OWN: text} | beside))
            label = str(PartLabel(query.label, frozenset(names)))
            yield Page(body, f"{customer}/googleAds", 200, last=not following, label=label, resume=after)
            return
        if task.dataset.grain is not None and not task.mode:
            path = f"{customer}/googleAds:searchStream"
            for batch, last in self._api.stream(customer, self.route, text):
                ends = last and not following
                yield Page(batch, path, 200, last=ends, label=query.label, resume=after if last else "")
            return
        with _lists_again(task):
            for found in self._pages(customer, text, start.token):
                page = _page(found, query.label, last=not found.following and not following)
                cursor = str(GoogleCursor(start.question, found.following)) if found.following else after
                yield self._complete(task, page)._replace(resume=cursor)

    def _beside(self, task: Task, query: AskedFor) -> dict[str, str]:
        """The questions whose answers belong on one page with this one's, by the names of their parts."""
        if task.dataset is Dataset.CREATIVES and not query.label:
            return {LINKS: queries.gaql(queries.ASSET_LINKS, task)}
        part = self._options.on(task.dataset).part if task.dataset.grain is Grain.DAY else ""
        found = queries.beside(query, part) if part else None
        return {part: queries.gaql(found, task)} if found else {}

    def _parts(self, task: Task, asked: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        """The answers to these questions, by the parts' names, and then the names of the regions that they mention."""
        customer, regions = _id(task.profile_id), Regions()
        for part, text in asked.items():
            if task.mode or task.dataset.grain is None:
                answers = (found.answer.body for found in self._api.search(customer, self.route, text))
            else:
                answers = (batch for batch, _ in self._api.stream(customer, self.route, text))
            with _lists_again(task):
                for answer in answers:
                    yield part, regions.see(answer)
        if task.dataset is Dataset.CAMPAIGN_BY_REGION_DAILY:
            for names in regions.groups(_PLACES_AT_ONCE):
                for found in self._api.search(customer, self.route, queries.places(names)):
                    yield PLACES, found.answer.body

    def _invoices(self, task: Task) -> Iterator[Page]:
        """The customer's billing setups, then each month's invoices of each of them.

        A customer has a setup more for each payments account that it once had. Raises NotApplicable where none of them
        is on monthly invoicing, or where the user may not see the bills: that says nothing about the numbers.
        """
        if task.window is None:
            raise RequestRejected("Google Ads: invoices are asked for by month")
        customer, refused = _id(task.profile_id), NotApplicable(_NO_SETUP)
        setups = list(self._pages(customer, queries.BILLING_SETUPS, ""))
        held: Page | None = None
        for setup in (name for found in setups for name in invoices.setups(found.answer.body)):
            try:
                for question in invoices.questions(task.window, setup):
                    answer = self._api.invoices(customer, self.route, question)
                    if held:
                        yield held
                    held = Page(answer.body, answer.url, answer.status, last=False)
            except (NotApplicable, AccessDenied) as error:
                refused = NotApplicable(f"no invoices: {error.message}")
        if held is None:
            raise refused
        yield held._replace(last=True)

    def _pages(self, customer: str, text: str, token: str) -> Iterator[SearchPage]:
        """The pages from a token on, or all of them where the token has ended: what comes twice is stored once."""
        try:
            yield from self._api.search(customer, self.route, text, token)
        except PageTokenEnded:
            if not token:
                raise
            yield from self._api.search(customer, self.route, text)

    def _complete(self, task: Task, page: Page) -> Page:
        """A page of ads with the images and videos that it names."""
        if task.dataset is not Dataset.ADS:
            return page
        body = page.content()
        wanted = assets.named(body)
        if not wanted:
            return page
        found = self._assets(task, wanted)
        more = assets.named_by_cards(found)
        if more:
            found += self._assets(task, more)
        return page._replace(body=assets.together(body, found), label=assets.LABEL)

    def _assets(self, task: Task, wanted: set[str]) -> list[bytes]:
        """The rows about these assets."""
        answers = self._api.search(_id(task.profile_id), self.route, queries.ASSETS)
        return assets.chosen((each.answer.body for each in answers), wanted)


def connect(
    *,
    credential: Credential,  # noqa: ARG001  its secret says it all
    secret: Mapping[str, str],
    wiring: Wiring,
) -> GoogleConnector:
    """The connector of a credential. Raises AuthExpired for a secret that is not one."""
    try:
        values = GoogleCredential.read(secret)
    except Unprocessable as error:
        raise AuthExpired(error.message) from None
    hosts = GoogleHosts(wiring.urls("api", ""), wiring.urls("token", ""))
    api = GoogleCalls(values, hosts, wiring.http(), wiring.clock, wiring.tokens)
    return GoogleConnector(api, wiring.route or values.route)


def _page(found: SearchPage, label: str, *, last: bool) -> Page:
    return Page(found.answer.body, found.answer.url, found.answer.status, last=last, label=label)


@contextmanager
def _lists_again(task: Task) -> Iterator[None]:
    """A list that times out cannot be narrowed, so it is asked for again."""
    try:
        yield
    except TooMuchData as error:
        if task.window is None:
            raise Transient(error.message) from error
        raise


def _id(text: str) -> str:
    """A customer's id in a path. Raises RequestRejected."""
    if not (text.isdecimal() and text.isascii()):
        raise RequestRejected(f"not a customer of Google's: {text[:40]!r}")
    return text
