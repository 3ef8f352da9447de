"""What a notification asks to pull again, resolved: whose objects they are, and which slice contains them.

A platform cannot correct what it sends, so a change of an ad account that is unknown here is counted and left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adweir.intake.doors.known import Known
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.deliveries import Repull
from adweir.model.metrics import Level
from adweir.model.slices import ALL, of_campaign
from adweir.platforms.webhooks import ChangedObject

_UNDER_A_CAMPAIGN = {dataset.level: dataset for dataset in (Dataset.AD_GROUPS, Dataset.ADS, Dataset.KEYWORDS)}


def resolve_changes(known: Known, changes: Sequence[ChangedObject]) -> tuple[tuple[Repull, ...], int]:
    """What to pull again, and how many of the changes are about profiles that are unknown here. Raises Unavailable.

    A profile of which more than 50 objects changed is pulled as a whole.
    """
    ours: dict[str, list[ChangedObject]] = {}
    for change in changes:
        if known.has(change.profile_id):
            ours.setdefault(change.profile_id, []).append(change)
    repulls: list[Repull] = []
    for profile_id, changed in ours.items():
        whole = len(changed) > limits.MAX_REPULLS_PER_PROFILE
        repulls += _of_profile(known, profile_id, [ChangedObject(profile_id, Level.ACCOUNT)] if whole else changed)
    return tuple(repulls), len(changes) - sum(map(len, ours.values()))


def _of_profile(known: Known, profile_id: str, changed: Sequence[ChangedObject]) -> list[Repull]:
    campaigns = _campaigns(known, profile_id, changed)
    return [
        Repull(
            account_id=known.profiles[profile_id].account_id,
            profile_id=profile_id,
            level=change.level,
            object_id=change.object_id,
            slice=_slice(change, campaigns),
        )
        for change in changed
    ]


def _campaigns(known: Known, profile_id: str, changed: Sequence[ChangedObject]) -> dict[tuple[Level, str], str]:
    """(level, object id) → its campaign, of those that are in the catalog."""
    ids: dict[Dataset, list[str]] = {}
    for change in changed:
        if change.level in _UNDER_A_CAMPAIGN:
            ids.setdefault(_UNDER_A_CAMPAIGN[change.level], []).append(change.object_id)
    return {
        (dataset.level, object_id): found[0].campaign_id
        for dataset, wanted in ids.items()
        for object_id, found in known.find(profile_id, dataset, wanted).items()
    }


def _slice(change: ChangedObject, campaigns: Mapping[tuple[Level, str], str]) -> str:
    """The slice of the object's campaign; the whole profile for a profile or an object that is not in the catalog."""
    own = change.object_id if change.level is Level.CAMPAIGN else ""
    campaign = own or campaigns.get((change.level, change.object_id), "")
    return of_campaign(campaign) if campaign else ALL
