"""Breaches: what is wrong with an ad account's data, told once when it begins and once when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class BreachKind(StrEnum):
    """FRESHNESS: no pull in time. VOLUME: far fewer or more rows per day. NULLS: a column that is empty more often.
    SCORE: the score of the days fell. BILL: a bill differs from what was measured. REFUSED: rows are in quarantine.
    ANOMALY: an ad account's own numbers are unusual, which is no fault of its data."""

    FRESHNESS = "freshness"
    VOLUME = "volume"
    NULLS = "nulls"
    SCORE = "score"
    BILL = "bill"
    REFUSED = "refused"
    ANOMALY = "anomaly"

    @property
    def is_fault(self) -> bool:
        """Whether something is wrong with the data, rather than with what it is about."""
        return self is not BreachKind.ANOMALY


class BreachState(StrEnum):
    """NOTICED: maybe a breach, nobody was told. OPENING and CLEARING: decided, and the message is on its way. CLEARED:
    over, and told."""

    NOTICED = "noticed"
    OPENING = "opening"
    OPEN = "open"
    CLEARING = "clearing"
    CLEARED = "cleared"

    @property
    def is_open(self) -> bool:
        """Whether there is a breach now."""
        return self in {BreachState.OPENING, BreachState.OPEN}

    @property
    def is_untold(self) -> bool:
        """Whether a message has yet to be sent."""
        return self in {BreachState.OPENING, BreachState.CLEARING}


class Judgement(StrEnum):
    """What a look found. BAD begins a breach and GOOD ends one. NOTICED is written down without a message. UNSURE is in
    between, where nothing changes: so a value near the limit gives no message after message."""

    BAD = "bad"
    GOOD = "good"
    NOTICED = "noticed"
    UNSURE = "unsure"


class Subject(NamedTuple):
    """Whose data it is. `profile_id` is "" for all ad accounts of a client on a platform; of refused rows, for files,
    pushes and streams of a source, where `account_id` is "" for those of no known client."""

    account_id: str
    platform: str
    profile_id: str = ""

    @property
    def key(self) -> str:
        """As cause keys name it: `meta_ads#123`, or `meta_ads#acc_...` for all of a client's."""
        return "#".join(filter(None, (self.platform, self.profile_id or self.account_id)))

    @property
    def words(self) -> str:
        """For people."""
        whose = f"ad account {self.profile_id}" if self.profile_id else "all ad accounts"
        return f"{self.platform} {whose} of client {self.account_id}"


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at one possible cause found, for people: what is wrong (or right again), the value beside what was
    expected, since when, and what to do. `about` tells causes of one kind and subject apart."""

    kind: BreachKind
    subject: Subject
    judgement: Judgement
    says: str
    about: str = ""
    value: str = ""
    expected: str = ""
    since: str = ""
    do: str = ""

    @property
    def cause(self) -> str:
        """The key under which it is told once: `freshness#meta_ads#123#day`."""
        return "#".join(filter(None, (self.kind.value, self.subject.key, self.about)))


@dataclass(frozen=True, slots=True)
class Breach:
    """A breach as it is kept. Times are `model.times.iso`: `since` when the data went wrong, `opened_at` and
    `cleared_at` when that was decided, `looked_at` the newest look that decided or confirmed something.

    `says`, `value`, `expected` and `do` are of the look that opened it; `cleared_because` is of the one that ended it.
    """

    cause: str
    kind: BreachKind
    subject: Subject
    state: BreachState
    says: str
    looked_at: str
    opened_at: str
    since: str = ""
    value: str = ""
    expected: str = ""
    do: str = ""
    about: str = ""
    cleared_at: str = ""
    cleared_because: str = ""
