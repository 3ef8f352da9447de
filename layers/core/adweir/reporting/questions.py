"""What is asked of the stored metrics, and what has to be read of each profile to answer it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from adweir.model.entities import Profile
from adweir.model.errors import Unprocessable
from adweir.model.metrics import SERIES_LEVELS, SOURCE_ORDER, Grain, Level, Source
from adweir.reporting import breakdowns, split_rest
from adweir.reporting.bound_to import DIMENSIONS as OF_CAMPAIGNS
from adweir.reporting.converting import Conversion
from adweir.reporting.dimensions import OF_DAY
from adweir.reporting.filters import EVERYTHING, NEEDS, Filters
from adweir.reporting.levels import FINENESS
from adweir.reporting.ranges import TimeSpan
from adweir.reporting.reading import ProfileQuestion, Served


@dataclass(frozen=True, slots=True)
class Query:
    """What to sum, by which dimensions (names of `DIMENSIONS`, or `source`).

    `sources` are asked in their order, day by day; the dimension `source` says which one answered. `rest`: add what the
    rows leave of the account, unless the query makes that impossible to tell. `live`: days that are not over are
    answered by their hours. `adjusted`: add up the adjustments, too. `moved`: time zone → day → the day that it is
    shown as, in place of itself. `owned`: note whose rows each group sums. `alone`: where it is about cross-platform
    campaigns, also the metrics that their arms have by themselves. `convert`: the currency that amounts are shown in.
    """

    range: TimeSpan
    dimensions: tuple[str, ...]
    filters: Filters = EVERYTHING
    grain: Grain = Grain.DAY
    level: Level = Level.ACCOUNT
    sources: tuple[Source, ...] = SOURCE_ORDER
    rest: bool = True
    live: bool = False
    adjusted: bool = False
    moved: Callable[[str], Callable[[str], str]] | None = None
    owned: bool = False
    alone: bool = False
    convert: Conversion | None = None

    @property
    def is_claimed(self) -> bool:
        """Whether it is about cross-platform campaigns."""
        return self.filters.bound is not None or not OF_CAMPAIGNS.isdisjoint(self.dimensions)

    @property
    def tells_claims(self) -> bool:
        """Whether what finer rows leave of a bound object is told; objects of some campaigns are whole, too."""
        others = self.filters.of_rows.keys() - {"campaign_id"}
        return self.rest and self.finest in FINENESS and not others and not self.breakdown

    @property
    def is_series(self) -> bool:
        """Whether it is about a series that belongs to no ad platform: no other level answers for it."""
        return self.level in SERIES_LEVELS

    @property
    def finest(self) -> Level:
        """The level that the dimensions and filters need. Raises Unprocessable when keywords and ads are mixed."""
        if self.is_series:
            return self.level
        needed = {self.level} | {NEEDS[name] for name in self._names if name in NEEDS}
        if Level.KEYWORD in needed:
            if Level.AD in needed:
                raise Unprocessable("keywords and ads cannot be asked for together: neither is a part of the other")
            return Level.KEYWORD
        return max(needed, key=FINENESS.index)

    @property
    def breakdown(self) -> str:
        """A breakdown that the dimensions and filters name. Raises Unprocessable when no dataset has it."""
        return self.breakdown_on({})

    def breakdown_on(self, served: Served) -> str:
        """The one that a platform has which serves these datasets. Raises Unprocessable."""
        finest = self.finest
        if self.is_series:
            return ""
        if finest is Level.KEYWORD:
            return breakdowns.breakdown_of(self._names, (finest,), served)
        levels = FINENESS[FINENESS.index(finest) :]
        return breakdowns.breakdown_of(self._names, levels if finest is Level.AD else (*levels, Level.KEYWORD), served)

    @property
    def has_split_rest(self) -> bool:
        """Whether what the values of a breakdown leave of an account or its campaigns is told: not of some values."""
        of_values = self.filters.of_rows.keys() & {*breakdowns.DIMENSIONS}
        leaves = self.rest and self.grain is Grain.DAY and breakdowns.leaves_a_rest(self.breakdown)
        return leaves and self.finest in split_rest.LEVELS and not of_values

    @property
    def has_rest(self) -> bool:
        """Whether what the rows leave of the account can be told: not of some objects, nor of what no total sums."""
        is_finer = self.finest in FINENESS[1:]
        return self.rest and is_finer and not self.filters.of_rows and not self.breakdown

    def question(self, profile: Profile, served: Served) -> ProfileQuestion:
        """What to read of one profile, whose platform serves these datasets."""
        return ProfileQuestion(
            self.range.window(profile.timezone),
            self.finest,
            self.grain,
            self.breakdown_on(served),
            self.sources,
            rest=self.has_rest,
            live=self.live,
            hidden=self.adjusted,
            fold=self._fold(profile.timezone),
            only=None if self.is_series else self.filters.within(profile).only,
        )

    def _fold(self, timezone: str) -> Callable[[str], Hashable] | None:
        """What the dimensions show of a day; None where they show the day itself, or each day has a rate of its own."""
        if self.grain is Grain.HOUR or "date" in self.dimensions or self.convert:
            return None
        shown = [OF_DAY[name] for name in self.dimensions if name in OF_DAY]
        if self.moved and shown:
            move = self.moved(timezone)
            return lambda day: tuple([show(move(day)) for show in shown])
        return lambda day: tuple([show(day) for show in shown])

    @property
    def _names(self) -> tuple[str, ...]:
        return (*self.dimensions, *self.filters.of_rows)
