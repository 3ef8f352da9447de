"""What the ids of a delivery stand for: one look at the catalog, at the door, for all that is stored.

An account's door knows that account's profiles, the deployment's door every profile of the platform. An id that is
unknown there, or that several objects have, refuses a push as a whole: its sender can correct it. A platform's own
notification cannot be corrected by its sender, so what is unknown in it is counted and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adweir.intake.doors.faults import FieldFault, refused
from adweir.intake.doors.push_format import Metric
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.deliveries import Repull, StatedHour, StatedSeries
from adweir.model.entities import PlatformObject, Profile
from adweir.model.metrics import Level
from adweir.model.platforms import Platform
from adweir.model.slices import ALL, of_campaign
from adweir.model.times import local_hour
from adweir.platforms.webhooks import ChangedObject

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog

_UNDER_A_GROUP = frozenset({Dataset.ADS, Dataset.KEYWORDS})
_OBJECTS = {dataset.level: dataset for dataset in (Dataset.AD_GROUPS, Dataset.ADS, Dataset.KEYWORDS)}
_Wanted = dict[tuple[str, Dataset], dict[str, None]]
"""(profile id, or "" for all of the door's; kind) → the ids to look up."""


class Resolver:
    """Resolves the deliveries of one door: the profiles of a platform that may be meant there."""

    def __init__(self, catalog: Catalog, platform: Platform, account_id: str) -> None:
        found = catalog.profiles(account_id or None, platform)
        self._catalog = catalog
        self._platform = platform
        self._profiles = {profile.profile_id: profile for profile in found if profile.status != "inactive"}

    def series(self, metrics: Sequence[Metric]) -> tuple[StatedSeries, ...]:
        """The hours that a push states, by profile and level; of two metrics for one hour the later one counts.

        Raises Unprocessable that names each fault: an id that is unknown or not unique, another currency than the
        profile's, or more look-ups than a door has time for.
        """
        found = self._find(metrics)
        faults: list[FieldFault] = []
        hours: dict[tuple[str, Level], dict[tuple[str, str, int], StatedHour]] = {}
        for metric in metrics:
            fitting = [each for each in found(metric) if metric.campaign_id in {"", each.campaign_id}]
            fault = self._fault(metric, fitting)
            if fault:
                faults.append(fault)
                continue
            stated = self._stated(metric, fitting[0])
            series = hours.setdefault((fitting[0].profile_id, metric.dataset.level), {})
            series[stated.entity_id, stated.date, stated.hour] = stated
        if faults:
            raise refused(faults)
        return tuple(self._one(key, stated.values()) for key, stated in sorted(hours.items()))

    def repulls(self, changes: Sequence[ChangedObject]) -> tuple[tuple[Repull, ...], int]:
        """What to pull again for a notification, and how many of its changes are about profiles that are unknown here.

        A profile of which more than 50 objects changed is pulled as a whole.
        """
        known: dict[str, list[ChangedObject]] = {}
        for change in changes:
            if change.profile_id in self._profiles:
                known.setdefault(change.profile_id, []).append(change)
        wanted: list[Repull] = []
        for profile_id, mine in known.items():
            whole = len(mine) > limits.MAX_REPULLS_PER_PROFILE
            wanted += self._of_profile(
                self._profiles[profile_id], [ChangedObject(profile_id, Level.ACCOUNT)] if whole else mine
            )
        return tuple(wanted), len(changes) - sum(map(len, known.values()))

    # -- pushes ------------------------------------------------------------------------------------------------------

    def _find(self, metrics: Sequence[Metric]) -> Callable[[Metric], list[PlatformObject]]:
        """Look everything up at once; the objects that a metric's id stands for. Raises Unprocessable."""
        wanted: _Wanted = {}
        for metric in metrics:
            if metric.profile_id in {"", *self._profiles}:
                wanted.setdefault((metric.profile_id, metric.dataset), {})[metric.wanted] = None
        self._check_effort(metrics, wanted)
        found = {
            (profile_id, dataset): self._catalog.find_objects(
                self._platform, [profile_id] if profile_id else list(self._profiles), dataset, list(ids)
            )
            for (profile_id, dataset), ids in wanted.items()
        }
        return lambda metric: found.get((metric.profile_id, metric.dataset), {}).get(metric.wanted, [])

    def _check_effort(self, metrics: Sequence[Metric], wanted: _Wanted) -> None:
        """Reads by key go by the hundred; an ad or keyword without its group takes a query per profile."""
        reads = queries = 0
        for (profile_id, dataset), ids in wanted.items():
            among = 1 if profile_id else len(self._profiles)
            searched = sum("~" not in each for each in ids) if dataset in _UNDER_A_GROUP else 0
            queries += searched * among
            reads += (len(ids) - searched) * among
        if reads > limits.MAX_PUSH_READS or queries > limits.MAX_PUSH_QUERIES:
            message = (
                f"is required: one of {len(self._profiles)} profiles is meant, and the push is too large to try all"
            )
            unnamed = [metric for metric in metrics if not metric.profile_id]
            raise refused([FieldFault(f"metrics[{metric.position}].profile_id", message) for metric in unnamed])

    def _fault(self, metric: Metric, fitting: Sequence[PlatformObject]) -> FieldFault | None:
        field = f"metrics[{metric.position}].{metric.field}"
        if not fitting:
            return FieldFault(field, "is unknown here")
        if len(fitting) > 1:
            return FieldFault(field, "is not unique here: name profile_id, or an ad's or keyword's ad_group_id")
        profile = self._profiles[fitting[0].profile_id]
        if metric.currency not in {"", profile.currency}:
            return FieldFault(f"metrics[{metric.position}].currency", f"is not the profile's, {profile.currency}")
        if not _has_zone(profile):
            return FieldFault(field, f"belongs to a profile with an unknown time zone, {profile.timezone}")
        return None

    def _stated(self, metric: Metric, found: PlatformObject) -> StatedHour:
        day, hour = local_hour(metric.instant, ZoneInfo(self._profiles[found.profile_id].timezone))
        group = found.ad_group_id if metric.dataset in _UNDER_A_GROUP else ""
        impressions, clicks, conversions, spend, revenue = metric.slot
        return StatedHour(
            entity_id=f"{group}~{found.id}" if group else found.id,
            date=day.isoformat(),
            hour=hour,
            impressions=impressions,
            clicks=clicks,
            conversions=conversions,
            spend=spend,
            revenue=revenue,
            campaign_id=found.campaign_id,
            ad_group_id=found.ad_group_id,
            ad_product=found.ad_product,
        )

    def _one(self, key: tuple[str, Level], hours: Iterable[StatedHour]) -> StatedSeries:
        profile_id, level = key
        profile = self._profiles[profile_id]
        return StatedSeries(
            account_id=profile.account_id,
            profile_id=profile_id,
            level=level,
            currency=profile.currency,
            timezone=profile.timezone,
            hours=tuple(hours),
        )

    # -- notifications -----------------------------------------------------------------------------------------------

    def _of_profile(self, profile: Profile, changes: Sequence[ChangedObject]) -> list[Repull]:
        ids: dict[Dataset, list[str]] = {}
        for change in changes:
            if change.level in _OBJECTS:
                ids.setdefault(_OBJECTS[change.level], []).append(change.object_id)
        found = {
            (dataset.level, object_id): objects[0].campaign_id
            for dataset, wanted in ids.items()
            for object_id, objects in self._catalog.find_objects(
                self._platform, [profile.profile_id], dataset, wanted
            ).items()
        }
        return [
            Repull(
                account_id=profile.account_id,
                profile_id=profile.profile_id,
                level=change.level,
                object_id=change.object_id,
                slice=_slice(change, found),
            )
            for change in changes
        ]


def _slice(change: ChangedObject, campaigns: Mapping[tuple[Level, str], str]) -> str:
    """The campaign of the object; the whole profile for itself and for an object that is not in the catalog yet."""
    own = change.object_id if change.level is Level.CAMPAIGN else ""
    campaign = own or campaigns.get((change.level, change.object_id), "")
    return of_campaign(campaign) if campaign else ALL


def _has_zone(profile: Profile) -> bool:
    try:
        ZoneInfo(profile.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
