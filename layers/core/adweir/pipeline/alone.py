"""Goes on past a fault: it is logged, and health shows it for an hour."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from adweir.model.errors import AdweirError, Conflict, Throttled, Transient, Unavailable
from adweir.model.log import log

if TYPE_CHECKING:
    from adweir.store.ledger import Ledger

PASSING = (Conflict, Throttled, Transient, Unavailable)
"""What another try may well do: somebody else works on it at this moment, or storage does not answer."""


@contextmanager
def alone(ledger: Ledger, what: str) -> Iterator[None]:
    """Keep a fault of the body from stopping the work on others. `what` names what the body is about.

    Raises what may pass by itself (`PASSING`).
    """
    try:
        yield
    except PASSING:
        raise
    except Exception as error:  # the boundary between one run, task or ad account and the next
        reason = explain(error)
        log.exception(what)
        with suppress(Unavailable):
            ledger.faults.note(what, reason)


def explain(error: Exception) -> str:
    """A fault in one line."""
    return error.message if isinstance(error, AdweirError) else f"{type(error).__name__}: {error}"
