"""The days that a client's arms are learned from, as they are stored.

An arm's days are those of what it is bound to today, each object at its own level, as in reports; of an arm that is
bound to nothing, what was pushed to it. The day that is not over counts nowhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from adweir.insight.agents.update import ArmDay
from adweir.model import limits
from adweir.model.campaigns import Campaign, Claim
from adweir.model.entities import Profile
from adweir.model.errors import TooLarge
from adweir.model.metrics import Grain, Level, Slot, plus
from adweir.model.times import DAY, Window, local_date, parse_instant
from adweir.reporting.bound_to import ARM, BoundTo
from adweir.reporting.breakdowns import split_entity
from adweir.reporting.levels import FINENESS
from adweir.reporting.questions import Query
from adweir.reporting.ranges import TimeSpan
from adweir.reporting.reading import DayCoverage, ProfileQuestion, ReadRow, is_due

if TYPE_CHECKING:
    from adweir.reporting.query import Queries

CONTEXTS = ("device", "placement")
"""Breakdowns by which arms are learned, too, where they are pulled."""
Check = Callable[[], None]
_K = TypeVar("_K", bound=Hashable)
_LOOKS = 5000
"""Rows between two looks at the time."""


class DeliveredDay(NamedTuple):
    """What something delivered on a day in an ad account, in one currency. `age` and `lag` are those of `ArmDay`.

    `told`: clicks and conversions (millionths) of those of its objects of which both are known.
    """

    profile: str
    day: str
    currency: str
    age: int
    lag: int
    slot: Slot
    told: tuple[int, int] | None

    @property
    def platform(self) -> str:
        """Whose ad account it is."""
        return self.profile.partition("#")[0]

    @property
    def learned(self) -> ArmDay | None:
        """What is learned of it; None where its clicks or conversions are unknown, which is not 0."""
        return ArmDay(self.age, self.lag, *self.told) if self.told else None

    @property
    def is_known(self) -> bool:
        """Whether all of its clicks and conversions are."""
        return self.told == self.slot[1:3]


Days = list[DeliveredDay]


class ClientDays:
    """A client's: `accounts` of its ad accounts as a whole, `arms` by arm, `contexts` by arm, breakdown and value.
    `through`: the newest day of any ad account that is over."""

    def __init__(self, queries: Queries, campaigns: Sequence[Campaign], check: Check) -> None:
        self._queries = queries
        self._campaigns = campaigns
        self._check = check
        self.accounts: Days = []
        self.arms: dict[str, Days] = defaultdict(list)
        self.contexts: dict[str, dict[str, dict[str, Days]]] = defaultdict(lambda: defaultdict(dict))
        self.through = ""
        self._size = 0

    def add(self, profile: Profile) -> None:
        """Read an ad account whose time zone is known. Raises TooLarge, Unavailable, and what `check` raises."""
        self._check()
        queries, window = self._queries.in_one_look(), self._window(profile)
        reader = queries.reader(profile, ProfileQuestion(window, Level.ACCOUNT))
        totals = self._delivered(profile, reader.rows(), lambda _: "", reader.coverage)
        self.accounts += totals.get("", [])
        own = str(profile.platform), profile.profile_id
        every = (claim for campaign in self._campaigns for claim in campaign.claims)
        claims = [each for each in every if each.arm_id and each.binding.path[:2] == own]
        if not claims:
            return
        claimed = queries.claimed.of_claims(profile, claims, ProfileQuestion(window, Level.ACCOUNT))
        for arm_id, days in self._delivered(profile, claimed.rows(), _arm_of, claimed.coverage).items():
            self.arms[arm_id] += days
        for breakdown in CONTEXTS:
            self._add_context(queries, profile, claims, breakdown)

    def add_alone(self) -> None:
        """Read the arms that are bound to nothing. Raises TooLarge, Unavailable, and what `check` raises."""
        self._check()
        bound = BoundTo({each.campaign_id: each for each in self._campaigns})
        today = self._queries.now.date() + DAY
        span = TimeSpan(today - limits.MAX_LEARNED_DAYS * DAY, today)
        for profile, reader, rows in self._queries.claimed.of_arms(Query(span, (ARM, "date")), bound):
            for arm_id, days in self._delivered(profile, rows, _arm_of, reader.coverage).items():
                self.arms[arm_id] += days

    def _add_context(self, queries: Queries, profile: Profile, claims: Sequence[Claim], breakdown: str) -> None:
        """Read a breakdown of the arms that it can tell of: their objects are no finer than what is split."""
        served = queries.served(profile)
        levels = [
            dataset.level
            for dataset, spec in served.items()
            if dataset.breakdown == breakdown and dataset.grain is Grain.DAY and is_due(profile, spec)
        ]
        levels = [each for each in levels if each in FINENESS]
        if not levels:
            return
        level = max(levels, key=FINENESS.index)
        too_fine = {each.arm_id for each in claims if FINENESS.index(each.binding.level) > FINENESS.index(level)}
        told = [each for each in claims if each.arm_id not in too_fine]
        if not told:
            return
        asked = ProfileQuestion(self._window(profile, limits.MAX_CONTEXT_DAYS), level, breakdown=breakdown)
        reader = queries.claimed.of_claims(profile, told, asked)
        found = self._delivered(profile, reader.rows(), _split_of, reader.coverage)
        for (arm_id, value), days in found.items():
            self.contexts[arm_id][breakdown].setdefault(value, []).extend(days)

    def _window(self, profile: Profile, days: int = limits.MAX_LEARNED_DAYS) -> Window:
        yesterday = self._queries.today(profile) - DAY
        return Window(yesterday - (days - 1) * DAY, yesterday)

    def _delivered(
        self,
        profile: Profile,
        rows: Iterable[ReadRow],
        key_of: Callable[[ReadRow], _K | None],
        coverage: Callable[[], Mapping[date, DayCoverage]],
    ) -> dict[_K, Days]:
        """The days of rows that are over, by what they belong to; rows of nothing (None) are left out. Raises
        TooLarge."""
        today, sums = self._queries.today(profile), dict[tuple[_K, str, str, Hashable], Slot]()
        for read in self._timed(rows):
            key = key_of(read)
            if key is not None:
                row = read.row
                part = key, row.day, row.currency or profile.currency, read.claim and read.claim.binding.path
                if part not in sums and self._size + len(sums) >= limits.MAX_ARM_DAYS:
                    raise TooLarge(
                        f"the arms of a client have more than {limits.MAX_ARM_DAYS:,} days: bind fewer of them"
                    )
                sums[part] = plus(sums[part], row.slot) if part in sums else row.slot
        by_day: dict[tuple[_K, str, str], list[Slot]] = defaultdict(list)
        for (key, text, currency, _), slot in sums.items():
            by_day[key, text, currency].append(slot)
        self._size += len(by_day)
        covered, found = coverage(), dict[_K, Days]()
        for (key, text, currency), slots in by_day.items():
            day = date.fromisoformat(text)
            age = (today - day).days - 1
            if age >= 0:
                self.through = max(self.through, (today - DAY).isoformat())
                pulled = covered[day].pulled_at if day in covered else None
                known_on = local_date(parse_instant(pulled), profile.timezone) if pulled else today
                lag = max((known_on - day).days, 1)
                delivered = DeliveredDay(profile.key, text, currency, age, lag, reduce(plus, slots), _told(slots))
                found.setdefault(key, []).append(delivered)
        return found

    def _timed(self, rows: Iterable[ReadRow]) -> Iterator[ReadRow]:
        for number, read in enumerate(rows):
            if not number % _LOOKS:
                self._check()
            yield read


def _told(slots: Iterable[Slot]) -> tuple[int, int] | None:
    """Clicks without their conversions would count as if nobody had converted."""
    known = [(clicks, found) for _, clicks, found, _, _ in slots if clicks is not None and found is not None]
    return (sum(each[0] for each in known), sum(each[1] for each in known)) if known else None


def _arm_of(read: ReadRow) -> str | None:
    return read.claim.arm_id if read.claim and read.claim.arm_id else None


def _split_of(read: ReadRow) -> tuple[str, str] | None:
    arm_id, row = _arm_of(read), read.row
    value = split_entity(read.level, row.entity_id, row.ad_group_id)[1]
    return (arm_id, value) if arm_id and value else None
