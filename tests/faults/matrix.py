"""The matrix of faults and platforms, as data: what is switched on, and what the ledger and an operator then see.

Each cell is a story of `test_faults.py`; a cell that a platform does not have is in `ABSENT`, with the reason from the
platform's documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """The rows of the matrix."""

    THROTTLED_BY_HEADER = "throttled by header"
    THROTTLED_BY_CODE = "throttled by code"
    THROTTLED_BY_BODY = "throttled by body"
    TOKEN_EXPIRED = "token expired mid-run"
    REFRESH_TOKEN_DEAD = "refresh token dead"
    PERMISSION_LOST = "permission lost on one account"
    TOO_MUCH_DATA = "too much data"
    REPORT_STUCK = "report stuck"
    REPORT_FAILED = "report failed"
    REPORT_SKIPPED = "report skipped"
    URL_EXPIRED = "download URL expired"
    RESET = "half a page, then a reset connection"
    DUPLICATE_ROWS = "duplicate rows across pages"
    HTML = "HTML instead of JSON"
    NEW_VALUE = "new enum value"
    MISSING_COLUMN = "missing column"
    DECIMAL_COMMAS = "decimal commas"


class Remedy(StrEnum):
    """What an operator does once the platform behaves again."""

    NOTHING = "nothing"
    REDRIVE = "redrive the run"
    NEW_CREDENTIAL = "store a new credential"
    LIST_AND_REDRIVE = "the next listing of ad accounts, then redrive the run"
    PULL_AGAIN = "the next run pulls the days again"


@dataclass(frozen=True)
class Outcome:
    """What is seen of a fault when nobody works any more.

    `code`: the error that the ledger shows of the account, "" where the fault is overcome in place. `ends`: the states
    of the account's tasks; `run`: the run's state; `denied`: whether the account is marked so; `events`: what the bus
    reports beside changes and the run's end; `alarms`: the numbers that ring; `remedy`: what ends them.
    """

    code: str = ""
    ends: frozenset[str] = frozenset({"loaded"})
    run: str = "succeeded"
    events: frozenset[str] = frozenset()
    alarms: Mapping[str, int] = field(default_factory=dict)
    denied: bool = False
    remedy: Remedy = Remedy.NOTHING


OVERCOME = Outcome()
WAITED = Outcome(code="throttled")
TRIED_AGAIN = Outcome(code="transient")
HALVED = Outcome(ends=frozenset({"split", "loaded"}))
READ_LATER = Outcome(remedy=Remedy.PULL_AGAIN)
ROWS_REFUSED = Outcome(events=frozenset({"QualityBreached"}), remedy=Remedy.PULL_AGAIN)
ACCESS_LOST = Outcome(
    code="access_denied",
    ends=frozenset({"failed"}),
    run="partial",
    alarms={"RunsPartial": 1},
    denied=True,
    remedy=Remedy.LIST_AND_REDRIVE,
)
CREDENTIAL_DEAD = Outcome(
    code="auth_expired",
    ends=frozenset({"parked"}),
    run="partial",
    events=frozenset({"CredentialBroken"}),
    alarms={"RunsPartial": 1, "CredentialsBroken": 1},
    remedy=Remedy.NEW_CREDENTIAL,
)


@dataclass(frozen=True)
class Cell:
    """One fault on one platform.

    `switches` are turned on for the ad account number `who` (0 and 1 have one credential, 2 is another client's), from
    the beginning or before the request number `amid` on its behalf. `why`: what of the platform's documents they
    follow. `asks`: constants of the connector with other values, so that little data has several pages or is too much.

    What has to be seen: `waits`, the seconds that the account waits, time after time; `brake`, the scope that has to
    wait, `braked` its ad accounts. `remade`: the seconds after which a report is asked for again, 0 where none is.
    `renews`: whether a new access token is fetched. `unknown`: how many objects have a status that nobody knows.
    `outcome`: what is seen in the end; `shares`: the ad accounts with the same fate, because one report serves several.
    """

    fault: Fault
    platform: str
    switches: tuple[Mapping[str, Any], ...]
    why: str
    outcome: Outcome = OVERCOME
    who: int = 0
    amid: int = 0
    waits: tuple[float, ...] = ()
    brake: str = ""
    braked: tuple[int, ...] = (0,)
    shares: tuple[int, ...] = ()
    remade: float = 0.0
    unknown: int = 0
    renews: bool = False
    asks: Mapping[str, Any] = field(default_factory=dict)
    datasets: tuple[str, ...] = ("ad_daily",)
    days: tuple[str, str] = ("2026-11-10", "2026-11-11")

    @property
    def name(self) -> str:
        """What the test is called."""
        return f"{self.platform}: {self.fault}"
