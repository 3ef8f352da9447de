"""`adweir.local`: the whole system on this machine, in a script. The tooling brings it; this room only finds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from adweir.model.errors import NotFound

if TYPE_CHECKING:
    from adweir.library.dates import DateRange

GROUP = "adweir.local"
"""The group of entry points in which the tooling names what opens a system."""
Urls = Mapping[str, Mapping[str, str]]
"""Platform → what for → URL, as the setting PLATFORM_URLS has it."""


class LocalSystem(Protocol):
    """The pipeline, its stores and its queues in this process: what it stores is exactly what a deployment stores.

    A context manager. All methods raise the errors of `adweir.model.errors`; one thread uses it at a time.
    """

    def connect(self, platform: str, *, company: str = "", label: str = "", **secret: str | None) -> dict[str, Any]:
        """Try a credential out and keep it in this process; it is never written to a folder.

        `secret` are the credential's fields (docs/platforms.md). `company` is the client company that it belongs to,
        `label` tells its credentials of one platform apart. Returns `account_id`, `platform`, `label`, the
        `ad_accounts` that the platform lists (`profile_id`, `name`), and why it is `unchecked`, "" where it is not.

        Raises Unprocessable where the platform refuses the credential; then it is not kept.
        """
        ...

    def sync(
        self, *, platforms: Sequence[str] = (), date_range: DateRange = None, patience: float = 21_600
    ) -> dict[str, Any]:
        """Pull what is missing or may still be restated: `run("sync")`, or the days of `date_range` instead."""
        ...

    def run(
        self,
        workflow: str | Mapping[str, Any],
        *,
        platforms: Sequence[str] = (),
        date_range: DateRange = None,
        args: Mapping[str, Any] | None = None,
        patience: float = 21_600,
    ) -> dict[str, Any]:
        """Run a workflow to its end: a built-in or stored one by its name, or one of yours by its form
        (`Workflow.build(…).form()`), which is then stored.

        Returns the run as `GET /api/v1/runs/{run_id}` shows it. Raises NotReady after `patience` seconds: the run is
        open, and `resume` goes on with it. Raises Unprocessable for an unknown name, and where a credential is not
        connected; Unavailable where a part of the run fails again and again.
        """
        ...

    def resume(self, *, patience: float = 21_600) -> list[dict[str, Any]]:
        """Go on with the runs that are open, and try again what failed again and again; the runs as they ended."""
        ...

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
        """A report as `POST /api/v1/reports` makes it: a dict whose numbers are exact (`int`, `Decimal`); the text of
        it for the formats `csv`, `html` and `md`. Without a range it is of the last 30 full days."""
        ...

    def ad_accounts(self) -> list[dict[str, Any]]:
        """The ad accounts that are known: after the first sync."""
        ...

    def runs(self, limit: int = 50) -> list[dict[str, Any]]:
        """The newest runs, newest first."""
        ...

    def health(self) -> dict[str, Any]:
        """The state of the pipeline, as `GET /api/v1/pipeline/health` shows it."""
        ...

    def close(self) -> None:
        """Let others have the folder. What was in memory is gone."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_error: object) -> None: ...


def local(storage: str | Path = "memory", *, urls: Urls | None = None, history_days: int = 60) -> LocalSystem:
    """The whole system in this process: no AWS, no account, no other process.

    `storage` is `"memory"`, or a folder: what is stored there is there again when it is opened again, also where the
    process died amid a run. `urls` send platforms' requests elsewhere, such as to the sandbox. `history_days`: how far
    back the first sync of an ad account reaches.

    Raises NotFound where the tooling is not installed, Unprocessable for a folder that is not one of adweir's, Conflict
    for one that is open already.
    """
    found = entry_points(group=GROUP)
    if not found:
        raise NotFound(
            "adweir.local comes with adweir's tooling, which is not installed here: run `pip install .` in a checkout"
            " of adweir"
        )
    opened: Callable[..., LocalSystem] = next(iter(found)).load()
    return opened(storage, urls=urls or {}, history_days=history_days)
