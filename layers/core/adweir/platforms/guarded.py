"""The boundary of a connector: nothing that it hands on, pages, reports or errors, has a secret of its credential.

What is stored, logged, published and answered about a platform comes from here, so it is replaced here and nowhere
else.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from adweir.model.errors import AdweirError, BadInput, Narrowable, NotReady
from adweir.model.tasks import Task
from adweir.platforms.base import ProfileOptions
from adweir.platforms.call_log import GuardedCalls
from adweir.platforms.connector import Connector, Mode, Page, Report, TokenCache, Wiring
from adweir.platforms.credentials import CredentialFields
from adweir.platforms.redaction import Redactor

if TYPE_CHECKING:
    from adweir.model.entities import Credential

_T = TypeVar("_T")


class ConnectorFault(Exception):
    """A fault of ours in a connector. Its message is the traceback, without secrets."""


class RememberingTokens:
    """The shared access tokens; each that a connector gets is one that its answers must not show."""

    def __init__(self, tokens: TokenCache, redactor: Redactor, calls: GuardedCalls | None) -> None:
        self._tokens = tokens
        self._redactor = redactor
        self._calls = calls

    def get(self, key: str, refresh: Callable[[], tuple[str, int]]) -> str:
        def made() -> tuple[str, int]:
            with self._calls.hushed() if self._calls else nullcontext():
                return refresh()

        token = self._tokens.get(key, made)
        self._redactor.add(token)
        return token

    def forget(self, key: str) -> None:
        self._tokens.forget(key)


class Guarded(Connector):
    """A connector whose answers and errors have `REDACTED` for each secret value."""

    def __init__(self, inner: Connector, redactor: Redactor, calls: GuardedCalls | None = None) -> None:
        self.inner = inner
        self._redactor = redactor
        self._calls = calls
        self.route = inner.route

    def under(self, options: ProfileOptions) -> Guarded:
        return Guarded(self.inner.under(options), self._redactor, self._calls)

    def profiles(self) -> Iterator[Page]:
        return self._pages(self.inner.profiles)

    def mode(self, task: Task) -> Mode:
        return self._call(lambda: self.inner.mode(task))

    def pages(self, task: Task, resume: str = "") -> Iterator[Page]:
        return self._pages(lambda: self.inner.pages(task, resume) if resume else self.inner.pages(task))

    def report_key(self, task: Task) -> str:
        return self._call(lambda: self.inner.report_key(task))

    def create_report(self, task: Task) -> Report:
        return self._report(self._call(lambda: self.inner.create_report(task)))

    def report(self, task: Task, report_id: str) -> Report:
        return self._report(self._call(lambda: self.inner.report(task, report_id)))

    def report_pages(self, task: Task, report_id: str) -> Iterator[Page]:
        return self._pages(lambda: self.inner.report_pages(task, report_id))

    def discard_report(self, task: Task, report_id: str) -> None:
        self._call(lambda: self.inner.discard_report(task, report_id))

    def narrower(self, task: Task, error: Narrowable) -> Sequence[Task]:
        return self._call(lambda: self.inner.narrower(task, error))

    def _call(self, ask: Callable[[], _T]) -> _T:
        with self._clean():
            return ask()

    def _report(self, report: Report) -> Report:
        return report._replace(id=self._redactor.text(report.id), reason=self._redactor.text(report.reason))

    def _pages(self, ask: Callable[[], Iterator[Page]]) -> Iterator[Page]:
        with self._clean():
            for page in ask():
                body = page.body
                yield page._replace(
                    body=self._redactor.body(body) if isinstance(body, bytes) else self._chunks(body),
                    url=self._redactor.text(page.url),
                    label=self._redactor.text(page.label),
                    resume=self._redactor.text(page.resume),
                )

    def _chunks(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        with self._clean():
            yield from self._redactor.chunks(chunks)

    @contextmanager
    def _clean(self) -> Iterator[None]:
        """Errors go on without secrets, and without the exceptions behind them, whose messages have the URL."""
        if self._calls:
            self._calls.begin()
        try:
            yield
        except AdweirError as error:
            if self._calls and not isinstance(error, NotReady):
                self._calls.failed(error.message)
            error.__cause__ = error.__context__ = None
            error.message = self._redactor.text(error.message)
            error.args = self._redactor.anything(error.args)
            error.context = self._redactor.anything(error.context)
            if isinstance(error, BadInput):
                error.details = self._redactor.anything(error.details)
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, its message may have the URL, and with it the token
            text = "".join(traceback.format_exception(error))
            raise ConnectorFault(self._redactor.text(text)) from None


def connect(
    make: Callable[..., Connector],
    fields: type[CredentialFields],
    credential: Credential,
    secret: Mapping[str, str],
    wiring: Wiring,
) -> Guarded:
    """The connector that a platform makes of a credential, guarded. Raises what `make` raises."""
    redactor = Redactor(fields.secrets_in(secret))
    calls = GuardedCalls(wiring.calls, str(credential.platform), redactor, wiring.clock) if wiring.calls else None
    tokens = RememberingTokens(wiring.tokens, redactor, calls)
    known = replace(wiring, tokens=tokens, keep_secret=redactor.add, calls=None, seen=calls)
    return Guarded(make(credential=credential, secret=secret, wiring=known), redactor, calls)
