"""`LocalSystem`: what a script does with the system in its process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from adweir.library.dates import DateRange, parsed
from adweir.model.closing import Closing
from adweir.model.entities import Account
from adweir.model.errors import Conflict, NotFound, NotReady, Unprocessable
from adweir.model.ids import IdKind, run_id_for
from adweir.model.messages import Scope, StartRun
from adweir.model.platforms import Platform
from adweir.model.times import Clock
from adweir.pipeline.asking import check_asked
from adweir.pipeline.flow_forms import form_of, read
from adweir.pipeline.starting import ask_for
from adweir.reporting.formats import check_format, render
from adweir.reporting.moments import parse_moments
from adweir.reporting.ranges import TimeSpan
from adweir.reporting.reports import ReportRequest, report
from adweir.reporting.runs import details, summary
from adweir.runtime.clock import SystemClock
from adweir.runtime.settings import Settings
from ops.local.machine import LocalApp, Machine
from sandbox.aws.disk import Disk, FolderInUse, FolderRefused

MEMORY = "memory"
_NOBODY = "nobody@example.com"
_COMPANY = "local"
_LATER_SECONDS = 60.0
_DAYS = 30


class System(Closing):
    """See `adweir.library.local.LocalSystem`."""

    def __init__(self, machine: Machine) -> None:
        self._machine: Machine | None = machine

    @classmethod
    def opened(
        cls,
        storage: str | Path,
        given: Settings,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Self:
        """A system on this storage. Raises Unprocessable, Conflict."""
        try:
            disk = None if storage == MEMORY else Disk(Path(storage).expanduser())
        except FolderInUse as error:
            raise Conflict(str(error)) from None
        except FolderRefused as error:
            raise Unprocessable(str(error), [{"field": "storage", "message": str(error)}]) from None
        return cls(Machine(given, clock or SystemClock(), disk, sleep))

    # --- doing

    def connect(self, platform: str, *, company: str = "", label: str = "", **secret: str | None) -> dict[str, Any]:
        """See `LocalSystem`."""
        values = {name: value for name, value in secret.items() if value is not None}
        with self._app() as app:
            account = self._account(app, company)
            stored, check = app.registration.register(account.account_id, platform, values, label)
        return {
            "account_id": stored.account_id,
            "platform": str(stored.platform),
            "label": stored.label,
            "ad_accounts": [{"profile_id": seen.profile_id, "name": seen.name} for seen in check.seen],
            "unchecked": check.unchecked,
        }

    def sync(
        self, *, platforms: Sequence[str] = (), date_range: DateRange = None, patience: float = 21_600
    ) -> dict[str, Any]:
        """See `LocalSystem`."""
        return self.run("sync", platforms=platforms, date_range=date_range, patience=patience)

    def run(
        self,
        workflow: str | Mapping[str, Any],
        *,
        platforms: Sequence[str] = (),
        date_range: DateRange = None,
        args: Mapping[str, Any] | None = None,
        patience: float = 21_600,
    ) -> dict[str, Any]:
        """See `LocalSystem`."""
        with self._app() as app:
            now, named = app.clock.now(), tuple(app.platforms.parse(name) for name in platforms)
            _check_connected(app, named)
            span = parsed(date_range, app.clock)
            days = {} if span is None else {"start": span.start.isoformat(), "end": span.end.isoformat()}
            scope = Scope(platforms=named, **days)
            name = workflow if isinstance(workflow, str) else _stored(app, workflow)
            flow, scope, given = check_asked(app.catalog, app.platforms, name, (scope, args or {}), now.date())
            run_id = run_id_for(flow.name, now, app.new_id())
            message = StartRun(
                workflow=flow.name, scheduled_at=now, scope=scope, args=given, run_id=run_id, trigger="local"
            )
            run_id = ask_for(app.ledger, app.queues.runs, message)
            self._work(app, run_id, patience)
            return _shown(app, run_id)

    def resume(self, *, patience: float = 21_600) -> list[dict[str, Any]]:
        """See `LocalSystem`."""
        with self._app() as app:
            _check_connected(app)
            self._here.try_again()
            left = [run.run_id for run in app.ledger.runs_open()]
            for run_id in left:
                self._work(app, run_id, patience)
            return [_shown(app, run_id) for run_id in left]

    # --- seeing

    def report(
        self,
        metrics: Sequence[str],
        dimensions: Sequence[str] = (),
        date_range: DateRange = None,
        *,
        segments: Sequence[Mapping[str, Any]] = (),
        include_live: bool = False,
        format: str = "json",  # noqa: A002  the API's name
    ) -> Any:
        """See `LocalSystem`."""
        check_format(format)
        with self._app() as app:
            today = app.clock.now().date()
            month = TimeSpan(today - timedelta(days=_DAYS), today - timedelta(days=1))
            asked = ReportRequest(
                name="report",
                range=parsed(date_range, app.clock) or month,
                metrics=metrics,
                dimensions=dimensions,
                segments=segments,
                live=include_live,
                moments=parse_moments(None, None, app.clock.now()),
            )
            made = report(app.queries, asked)
        return made.head | {"data": made.rows} if format == "json" else render(made, format)[1]

    def ad_accounts(self) -> list[dict[str, Any]]:
        """See `LocalSystem`."""
        shown = {"account_id", "platform", "profile_id", "name", "currency", "timezone", "status"}
        with self._app() as app:
            return [profile.model_dump(mode="json", include=shown) for profile in app.catalog.profiles()]

    def runs(self, limit: int = 50) -> list[dict[str, Any]]:
        """See `LocalSystem`."""
        with self._app() as app:
            return [summary(run) for run in app.ledger.list_runs(limit)[0]]

    def health(self) -> dict[str, Any]:
        """See `LocalSystem`."""
        with self._app() as app:
            return app.health()

    def close(self) -> None:
        """See `LocalSystem`."""
        if self._machine is not None:
            self._machine.close()
            self._machine = None

    # --- inside

    @property
    def _here(self) -> Machine:
        if self._machine is None:
            raise Conflict("this system is closed: open it again with adweir.local")
        return self._machine

    @contextmanager
    def _app(self) -> Iterator[LocalApp]:
        with self._here.in_place() as app:
            yield app

    def _work(self, app: LocalApp, run_id: str, patience: float) -> None:
        """Work until the run has ended. Raises NotReady, Unavailable."""
        if not self._here.work(_ended(app, run_id), patience):
            said = f"run {run_id} has not ended after {patience:g} seconds: `resume` goes on with it"
            raise NotReady(said, after=_LATER_SECONDS)

    def _account(self, app: LocalApp, company: str) -> Account:
        name = company.strip() or _COMPANY
        known = (account for account in app.catalog.accounts() if account.company_name == name)
        made = next(known, None)
        return made or app.catalog.create_account(IdKind.ACCOUNT.make(app.new_id), name, _NOBODY)


def _ended(app: LocalApp, run_id: str) -> Callable[[], bool]:
    def is_over() -> bool:
        run = app.ledger.get_run(run_id)
        return run is not None and run.state.is_terminal

    return is_over


def _shown(app: LocalApp, run_id: str) -> dict[str, Any]:
    run = app.ledger.get_run(run_id)
    if run is None:
        raise Conflict(f"run {run_id} is gone")
    return details(run, list(app.ledger.tasks(run_id)), app.clock.now())


def _stored(app: LocalApp, form: Mapping[str, Any]) -> str:
    """Store a workflow of the caller's; its name. Raises Unprocessable that lists every fault."""
    name = str(form.get("name", ""))
    flow = read(name, {field: value for field, value in form.items() if field != "name"}, app.platforms.parse)
    app.catalog.put_workflow(name, json.dumps(form_of(flow)), replace=True)
    return name


def _check_connected(app: LocalApp, platforms: Collection[Platform] = ()) -> None:
    """Raises Unprocessable where there is no credential of these platforms (of any), or one without its secret."""
    known = [each for each in app.catalog.credentials() if not platforms or each.platform in platforms]
    missing = sorted(f"{each.platform} ({each.label})" for each in known if not _has_secret(app, each.secret_id))
    if not known:
        raise Unprocessable(f"no {' or '.join(platforms) or 'ad platform'} is connected: call `connect` first")
    if missing:
        raise Unprocessable(f"a folder keeps no secrets: call `connect` again for {', '.join(missing)}")


def _has_secret(app: LocalApp, secret_id: str) -> bool:
    try:
        return bool(app.secrets.get(secret_id))
    except NotFound:
        return False
