"""How many campaigns and ads were active on a past day: those with numbers stored for it.

A platform says today's status of a campaign only, so the status cannot tell; what was delivered can.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from adweir.model.datasets import Dataset
from adweir.model.entities import Profile
from adweir.model.metrics import Level, Source
from adweir.model.times import Window
from adweir.reporting.query import Queries
from adweir.reporting.reading import ProfileQuestion


class ActiveCounts:
    """Counts distinct campaigns and ads by profile and day."""

    def __init__(self, queries: Queries, sources: tuple[Source, ...]) -> None:
        self._queries = queries
        self._sources = sources
        self._campaigns: dict[tuple[str, str], set[str]] = {}
        self._ads: dict[tuple[str, str], set[str]] = {}

    def read(self, asked: Iterable[tuple[Profile, str]]) -> None:
        """Count for these profiles and days: the ads are read once, the campaigns too where they are pulled."""
        days: dict[str, list[str]] = defaultdict(list)
        profiles: dict[str, Profile] = {}
        for profile, day in asked:
            profiles[profile.key] = profile
            days[profile.key].append(day)
        for key, profile in profiles.items():
            window = Window(date.fromisoformat(min(days[key])), date.fromisoformat(max(days[key])))
            self._read(profile, window, Level.AD)
            if Dataset.CAMPAIGN_DAILY in self._queries.served(profile):
                self._read(profile, window, Level.CAMPAIGN)

    def of(self, profile: Profile, day: str) -> tuple[int | None, int | None]:
        """Campaigns and ads with numbers on the day; None where none was pulled."""
        campaigns, ads = self._campaigns.get((profile.key, day)), self._ads.get((profile.key, day))
        return (None if campaigns is None else len(campaigns), None if ads is None else len(ads))

    def _read(self, profile: Profile, window: Window, level: Level) -> None:
        reader = self._queries.reader(profile, ProfileQuestion(window, level, sources=self._sources))
        for read in reader.rows():
            row = read.row
            if level is Level.AD:
                self._ads.setdefault((profile.key, row.day), set()).add(row.entity_id)
            campaign = row.campaign_id or (row.entity_id if read.level is Level.CAMPAIGN else "")
            if campaign:
                self._campaigns.setdefault((profile.key, row.day), set()).add(campaign)
        for day, covered in reader.coverage().items():
            if covered.pulled_at:
                for counts in (self._campaigns, *([self._ads] if level is Level.AD else [])):
                    counts.setdefault((profile.key, day.isoformat()), set())
