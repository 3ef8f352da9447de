"""What reads ad accounts, and arms alone, by what is bound to cross-platform campaigns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from adweir.model.campaigns import Claim, alone_profile
from adweir.model.entities import Profile
from adweir.model.errors import NotFound
from adweir.model.metrics import Grain, Level
from adweir.model.times import is_zone
from adweir.reporting.alone import AloneReader, by_platform
from adweir.reporting.bound_to import ARM, BoundTo, within_campaigns
from adweir.reporting.claimed import ClaimedChanges, ClaimedReader
from adweir.reporting.questions import Query
from adweir.reporting.reading import ProfileQuestion, ProfileReader, ReadRow, Served

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog

Reading = tuple[Profile, ProfileReader | ClaimedReader | AloneReader, Iterator[ReadRow]]
"""A profile as answers show it, what reads it, and its rows."""


class ClaimedReaders:
    """Makes readers for questions about cross-platform campaigns."""

    def __init__(
        self,
        catalog: Catalog,
        served: Callable[[Profile], Served],
        reader: Callable[[Profile, ProfileQuestion], ProfileReader],
    ) -> None:
        self._catalog = catalog
        self._served = served
        self._reader = reader

    def readers(self, query: Query, profiles: Iterable[Profile]) -> Iterator[Reading]:
        """Of each profile, then of the arms that have metrics by themselves. Raises Unprocessable, Unavailable."""
        profiles = list(profiles)
        bound = query.filters.bound or self.everything({each.account_id for each in profiles})
        for profile in profiles:
            reader = self.of_profile(query, bound, profile)
            yield profile, reader, reader.rows()
        if query.alone and not query.filters.of_rows and not query.breakdown:
            yield from self.of_arms(query, bound)

    def everything(self, accounts: Iterable[str]) -> BoundTo:
        """All cross-platform campaigns of some clients, and what belongs to none. Raises Unavailable."""
        found = (each for account_id in sorted(accounts) for each in self._catalog.campaigns_of(account_id))
        return BoundTo({each.campaign_id: each for each in found}, others=True)

    def of_profile(self, query: Query, bound: BoundTo, profile: Profile) -> ClaimedReader:
        """What reads of a profile what belongs to campaigns and arms. Raises Unprocessable."""
        claims = bound.claims(profile)
        if campaigns := query.filters.within(profile).of_rows.get("campaign_id"):
            claims = within_campaigns(claims, campaigns)
        first, last = query.range.hours(profile.timezone)
        by_hour = query.grain is Grain.HOUR
        return ClaimedReader(
            claims,
            query.question(profile, self._served(profile)),
            partial(self._reader, profile),
            shown=query.dimensions,
            tell=query.tells_claims,
            keep=lambda read: not by_hour or first <= (read.row.day, read.row.hour) <= last,
        )

    def of_claims(self, profile: Profile, claims: Sequence[Claim], asked: ProfileQuestion) -> ClaimedReader:
        """What reads of a profile what belongs to some arms, each object at its own level; of a breakdown at the level
        that is asked, which none of them is finer than."""
        tell = not asked.breakdown
        return ClaimedReader(claims, asked, partial(self._reader, profile), shown=(ARM,), tell=tell)

    def of_arms(self, query: Query, bound: BoundTo) -> Iterator[Reading]:
        """What reads the arms that have metrics by themselves, as profiles of their platforms; but of deleted clients.

        Raises Unavailable.
        """
        arms = list(bound.alone)
        for account_id in sorted({campaign.account_id for campaign, _ in arms}):
            try:
                terms = self._catalog.terms(self._catalog.account(account_id))
            except NotFound:
                continue
            stored = alone_profile(account_id, terms)
            for platform, claims in sorted(by_platform(arms, account_id).items()):
                profile = alone_profile(account_id, terms, platform)
                if query.filters.keep_own(profile) and is_zone(profile.timezone):
                    window = query.range.window(profile.timezone)
                    asked = ProfileQuestion(window, Level.ARM, Grain.HOUR, sources=query.sources, hidden=query.adjusted)
                    below = query.finest is not Level.ACCOUNT
                    reader = AloneReader(self._reader(stored, asked), claims, below=below)
                    yield profile, reader, reader.rows()

    def changes(self, query: Query, profile: Profile, sums_to_parent: Mapping[Level, bool]) -> ClaimedChanges:
        """Which stored rows of a profile can show in the answer."""
        bound = query.filters.bound or BoundTo({}, others=True)
        return ClaimedChanges(bound.claims(profile), query.finest, sums_to_parent)
