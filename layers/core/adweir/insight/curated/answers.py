"""Athena as the warehouse of large reports: asked only where its tables are what the store had at that moment.

Per ad account, the state of its tables says what each month was made of. That has to be what is stored now, and the
state has to be older than the question: so the tables have all that was loaded before it, and nothing that came later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from adweir.insight.curated.account import AccountCurator
from adweir.insight.curated.layout import FIRST_MONTH, partition_of, tables
from adweir.insight.curated.months import CuratedAccount
from adweir.insight.curated.parts import CuratingTime, CuratorParts
from adweir.insight.curated.state import AccountState, MonthPart, state_key
from adweir.insight.curated.statements import AskedAccount, can_say, result_rows, statement
from adweir.model.errors import AccessDenied, NotFound, Unprocessable
from adweir.model.log import log
from adweir.model.metrics import Grain
from adweir.model.times import Window, iso
from adweir.reporting.warehouse import BulkQuery, BulkQuestion, BulkRow, BulkState

if TYPE_CHECKING:
    from adweir.store.athena import Athena
    from adweir.store.raw.store import RawStore

_FROM_STORE = "a report is made from the store"
_S3_SECOND = timedelta(seconds=1)
"""S3 tells no parts of a second."""


class CuratedReports:
    """A `reporting.warehouse.Warehouse` over the tables that `parts` make."""

    def __init__(self, athena: Athena, raw: RawStore, parts: CuratorParts) -> None:
        self._athena = athena
        self._raw = raw
        self._parts = parts
        self._tables = tables(tuple(sorted(parts.platforms)))

    def begin(self, asked: BulkQuestion, token: str, check_time: Callable[[], None]) -> BulkQuery | None:
        """Begin a query, or None where the tables are not what the store has, or Athena refuses it."""
        accounts = list(self._accounts(asked))
        text = statement(asked, accounts) if can_say(asked.query.dimensions) else None
        if text is None:
            return None
        made = []
        for account in accounts:
            check_time()
            made.append(self._made(account))
            if not self._is_fresh(account, made[-1], asked):
                log.info(_FROM_STORE, extra={"reason": "tables are older", "profile": account.profile.key})
                return None
        try:
            return BulkQuery(self._athena.start(text, token), _digest(asked, made))
        except (AccessDenied, Unprocessable) as error:
            log.warning(_FROM_STORE, extra={"reason": error.message})
            return None

    def state(self, asked: BulkQuestion, begun: BulkQuery) -> BulkState:
        """How far it is; once it has ended, whether the tables are still those that it was begun on."""
        found = self._athena.state(begun.query_id)
        if found.goes_on:
            return BulkState.RUNNING
        if found.is_ready and _digest(asked, map(self._made, self._accounts(asked))) == begun.basis:
            return BulkState.READY
        reason = found.reason or "its tables changed while it ran"
        log.warning(_FROM_STORE, extra={"reason": reason, "query_id": begun.query_id})
        return BulkState.LOST

    def stop(self, query_id: str) -> None:
        """End a query that is no longer wanted."""
        self._athena.stop(query_id)

    def rows(self, asked: BulkQuestion, query_id: str, begin: int) -> Iterator[BulkRow]:
        """The rows of its file, which stays what it is. Raises Unavailable, NotFound."""
        key = urlsplit(self._athena.state(query_id).output).path.lstrip("/")
        with closing(self._raw.open_stream(key, begin=begin)) as lines:
            yield from result_rows(asked, iter(lines), begin)

    def _accounts(self, asked: BulkQuestion) -> Iterator[AskedAccount]:
        """The ad accounts that have days of the question."""
        query = asked.query
        for profile in asked.queries.dated_profiles(query.filters)[0]:
            window = query.range.window(profile.timezone)
            if window.length > 0:
                yield AskedAccount(profile, partition_of(profile.platform, self._parts.platforms), window)

    def _made(self, account: AskedAccount) -> Mapping[str, str]:
        """Part → what it was made of, of the months that the days are in."""
        profile = account.profile
        state = AccountState.of(self._parts.objects.state(state_key(profile.platform, profile.profile_id)).document)
        return {name: made.basis for name, made in state.parts.items() if _is_of(name, account.window)}

    def _is_fresh(self, account: AskedAccount, made: Mapping[str, str], asked: BulkQuestion) -> bool:
        """Whether the tables are what is stored, and were when the question was asked."""
        profile = account.profile
        if f"{account.window.start:%Y-%m}" < FIRST_MONTH:
            return False
        try:
            made_at = self._parts.objects.state_put_at(state_key(profile.platform, profile.profile_id))
            client = self._parts.catalog.account(profile.account_id).company_name
        except NotFound:  # no table was made yet, or of a client that was deleted no more
            return False
        parts, reported = replace(self._parts, queries=asked.queries), self._parts.reported(profile.platform)
        curated = CuratedAccount(profile, client, self._parts.platforms, reported)
        stored = AccountCurator(parts, self._tables, curated, CuratingTime(lambda: 0.0, 0.0)).bases()
        now = {part.name: basis for part, basis in stored.items() if _is_of(part.name, account.window)}
        return now == made and made_at + _S3_SECOND <= asked.known_at


def _is_of(name: str, window: Window) -> bool:
    """Whether a part has days of a window, and is no breakdown."""
    part = MonthPart.named(name)
    is_plain = part.grain is Grain.DAY and not part.breakdown
    return is_plain and f"{window.start:%Y-%m}" <= part.month <= f"{window.end:%Y-%m}"


def _digest(asked: BulkQuestion, made: Iterable[Mapping[str, str]]) -> str:
    """A short text that differs for another moment, or where any of the tables does."""
    said = [iso(asked.known_at), *(sorted(each.items()) for each in made)]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:32]
