"""Reads what is stored of an ad account's levels by day, for scoring: sums, and which pulls they rest on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import NamedTuple

from adweir.model.datasets import Dataset, Gap
from adweir.model.entities import AdCampaign, Profile
from adweir.model.metrics import AD_LEVELS, Grain, Level, Series, Source
from adweir.model.ports import ServedDataset
from adweir.model.times import Window
from adweir.quality.reconcile import LevelDay
from adweir.reporting.levels import FINENESS, Rung
from adweir.reporting.reading import Served, is_due, specs_of
from adweir.reporting.views import MetricsSnapshot
from adweir.store.catalog.store import Catalog


def pulled_levels(profile: Profile, served: Served) -> dict[Level, ServedDataset]:
    """The levels whose days are pulled of an ad account, by day and without breakdowns: not those that a finer one
    sums to."""
    specs = specs_of(served, Grain.DAY, "")
    due = {level: spec for level, spec in specs.items() if level in AD_LEVELS and is_due(profile, spec)}
    return {
        level: spec
        for level, spec in due.items()
        if level not in FINENESS
        or not any(specs[finer].sums_to_parent for finer in FINENESS[FINENESS.index(level) + 1 :] if finer in specs)
    }


class GapCampaigns:
    """The campaigns of an ad account that levels below may lack, by the reasons of these gaps."""

    def __init__(self, catalog: Catalog, profile: Profile, gaps: Collection[Gap]) -> None:
        self._reasons: dict[str, list[str]] = {}
        named = [gap for gap in gaps if gap.objectives]
        found = catalog.objects(profile.platform, profile.profile_id, Dataset.CAMPAIGNS) if named else ()
        for campaign in found:
            reasons = [gap.reason for gap in named if _objective(campaign) in gap.objectives]
            if reasons:
                self._reasons[campaign.id] = reasons

    def of(self, campaign_id: str) -> list[str]:
        """The reasons that concern a campaign."""
        return self._reasons.get(campaign_id, [])


class LevelSums(NamedTuple):
    """A level's days as they are stored, and what was pulled of them."""

    rung: Rung
    days: Mapping[str, LevelDay]


def read_levels(
    metrics: MetricsSnapshot,
    profile: Profile,
    specs: Mapping[Level, ServedDataset],
    days: Collection[str],
    campaigns: GapCampaigns,
) -> dict[Level, LevelSums]:
    """The sums of these days (ISO, of one month) by level, keywords apart, which no level sums."""
    window = Window(date.fromisoformat(min(days)), date.fromisoformat(max(days)))
    found = {}
    for level in FINENESS:
        if level in specs:
            series = Series(profile.platform, profile.profile_id, level, Grain.DAY)
            rung = Rung(level, specs[level], metrics.days(series, window))
            sums = {day: LevelDay() for day in days}
            for row in metrics.read(series, window, sources=(Source.PULL,)):
                if row.day in sums:
                    campaign_id = row.entity_id if level is Level.CAMPAIGN else row.campaign_id
                    sums[row.day].add(row, campaigns.of(campaign_id))
            for adjustment in metrics.adjusted(series, window):
                if adjustment.day in sums:
                    sums[adjustment.day].adjust(adjustment)
            found[level] = LevelSums(rung, sums)
    return found


def _objective(campaign: object) -> str:
    return campaign.objective if isinstance(campaign, AdCampaign) else ""
