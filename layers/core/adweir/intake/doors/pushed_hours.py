"""The hours that a metric push states, resolved: its ids are objects of known profiles, its times local hours.

An id that is unknown at the door, or that several objects have, refuses the push as a whole: its sender can correct it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from adweir.intake.doors.faults import FieldFault, refused
from adweir.intake.doors.known import Known
from adweir.intake.doors.push_format import Metric
from adweir.intake.doors.pushed_campaigns import hour_of, resolve_campaigns
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.deliveries import StatedHour, StatedSeries
from adweir.model.entities import PlatformObject, Profile
from adweir.model.metrics import Level
from adweir.model.times import is_zone

_UNDER_A_GROUP = frozenset({Dataset.ADS, Dataset.KEYWORDS})
_Wanted = Mapping[tuple[str, Dataset], Mapping[str, None]]
"""(profile id, or "" for all known ones; kind) → the ids to look up."""


def resolve_push(known: Known, metrics: Sequence[Metric]) -> tuple[StatedSeries, ...]:
    """The stated hours by profile and level; of two metrics for one hour the later one counts.

    Raises Unprocessable that names each fault: an id that is unknown or not unique, a currency that is not the
    profile's, or more look-ups than the door has time for. Raises Unavailable.
    """
    found = resolve_campaigns(known, metrics)
    faults = list(found.faults)
    stated = list(found.stated)
    objects = _find(known, found.metrics)
    for metric in found.metrics:
        fitting = [each for each in objects(metric) if metric.campaign_id in {"", each.campaign_id}]
        fault = _fault(known, metric, fitting)
        if fault:
            faults.append(fault)
            continue
        (one,) = fitting
        profile = known.profiles[one.profile_id]
        stated.append((metric, profile, metric.dataset.level, _stated(profile, metric, one)))
    if faults:
        raise refused(sorted(faults, key=lambda fault: int(fault.field[len("metrics[") : fault.field.index("]")])))
    hours: dict[tuple[str, str, Level], dict[tuple[str, str, int], StatedHour]] = {}
    profiles = {}
    for _, profile, level, hour in sorted(stated, key=lambda each: each[0].position):
        own = "" if profile.platform == known.platform else str(profile.platform)
        series = hours.setdefault((own, profile.profile_id, level), {})
        series[hour.entity_id, hour.date, hour.hour] = hour
        profiles[own, profile.profile_id] = profile
    return tuple(
        _series(profiles[own, profile_id], own, level, each.values())
        for (own, profile_id, level), each in sorted(hours.items())
    )


def _find(known: Known, metrics: Sequence[Metric]) -> Callable[[Metric], Sequence[PlatformObject]]:
    """Look up all ids together. Returns a function from a metric to its id's objects. Raises Unprocessable."""
    wanted: dict[tuple[str, Dataset], dict[str, None]] = {}
    for metric in metrics:
        if not metric.profile_id or metric.profile_id in known.profiles:
            wanted.setdefault((metric.profile_id, metric.dataset), {})[metric.wanted] = None
    _check_effort(known, metrics, wanted)
    found = {
        (profile_id, dataset): known.find(profile_id, dataset, ids) for (profile_id, dataset), ids in wanted.items()
    }
    return lambda metric: found.get((metric.profile_id, metric.dataset), {}).get(metric.wanted, [])


def _check_effort(known: Known, metrics: Sequence[Metric], wanted: _Wanted) -> None:
    """Keys are read by the hundred; an ad or keyword without its group takes a query per profile."""
    reads = queries = 0
    for (profile_id, dataset), ids in wanted.items():
        among = 1 if profile_id else len(known.profiles)
        searched = sum("~" not in each for each in ids) if dataset in _UNDER_A_GROUP else 0
        queries += searched * among
        reads += (len(ids) - searched) * among
    if reads <= limits.MAX_PUSH_READS and queries <= limits.MAX_PUSH_QUERIES:
        return
    message = f"is required: the push is too large to look for its ids in {len(known.profiles)} profiles"
    unnamed = [metric for metric in metrics if not metric.profile_id]
    raise refused([FieldFault(f"metrics[{metric.position}].profile_id", message) for metric in unnamed])


def _fault(known: Known, metric: Metric, fitting: Sequence[PlatformObject]) -> FieldFault | None:
    field = f"metrics[{metric.position}].{metric.field}"
    if not fitting:
        return FieldFault(field, "is unknown here")
    if len(fitting) > 1:
        return FieldFault(field, "is not unique here: name profile_id, or an ad's or keyword's ad_group_id")
    profile = known.profiles[fitting[0].profile_id]
    if metric.currency not in {"", profile.currency}:
        return FieldFault(f"metrics[{metric.position}].currency", f"is not the profile's, {profile.currency}")
    if not is_zone(profile.timezone):
        return FieldFault(field, f"belongs to a profile with an unknown time zone, {profile.timezone}")
    return None


def _stated(profile: Profile, metric: Metric, found: PlatformObject) -> StatedHour:
    group = found.ad_group_id if metric.dataset in _UNDER_A_GROUP else ""
    entity_id = f"{group}~{found.id}" if group else found.id
    ids = {"campaign_id": found.campaign_id, "ad_group_id": found.ad_group_id, "ad_product": found.ad_product}
    return hour_of(metric, profile, entity_id, **ids)


def _series(profile: Profile, platform: str, level: Level, hours: Iterable[StatedHour]) -> StatedSeries:
    return StatedSeries(
        platform=platform,
        account_id=profile.account_id,
        profile_id=profile.profile_id,
        level=level,
        currency=profile.currency,
        timezone=profile.timezone,
        hours=tuple(hours),
    )
