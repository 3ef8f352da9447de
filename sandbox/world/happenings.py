"""Things that happen to ad accounts beside the passing of days: deletions, credits, moves, lost products."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from sandbox.world.catalog import MINOR_DIGITS, Credit, WorldAd, WorldAdGroup, WorldCampaign, WorldProfile
from sandbox.world.plan import METRICS, Anomaly

Event = Mapping[str, Any]
ANOMALY = "anomaly"
"""The kind of the event that plants one: the world's plan changes, not the ad account."""
_MOST_PER_MILLE = 100_000


def happen(profile: WorldProfile, event: Event, first_day: date) -> None:
    """Change the ad account as the event says: `kind`, `day` (its local today), and what the kind takes.

    `first_day`: the world's. Raises ValueError or KeyError for what cannot happen to this ad account.
    """
    if event["kind"] not in KINDS:
        raise ValueError(f"unknown happening {event['kind']!r}; known: {', '.join(KINDS)}")
    KINDS[event["kind"]](profile, event, first_day)


def _today(event: Event, first_day: date) -> int:
    return (date.fromisoformat(event["day"]) - first_day).days


def _change_groups(profile: WorldProfile, change: Callable[[WorldAdGroup], WorldAdGroup]) -> None:
    profile.campaigns = tuple(replace(c, groups=tuple(change(g) for g in c.groups)) for c in profile.campaigns)


def _change_ad(profile: WorldProfile, ad_id: str, change: Callable[[WorldAd], WorldAd]) -> None:
    if not any(ad.id == ad_id for _, _, ad in profile.ads()):
        raise ValueError(f"{profile.id} shows no ad {ad_id!r}")
    _change_groups(
        profile, lambda group: replace(group, ads=tuple(change(ad) if ad.id == ad_id else ad for ad in group.ads))
    )


def _delete(profile: WorldProfile, event: Event, first_day: date) -> None:
    """`ad_id`, `forget`: the ad is deleted; its parents keep its numbers. Forgotten, no request brings it any more."""
    _end(profile, event, first_day, "DELETED")
    if event.get("forget"):
        ad_id = event["ad_id"]
        _change_groups(
            profile,
            lambda group: replace(
                group,
                ads=tuple(ad for ad in group.ads if ad.id != ad_id),
                unlisted=(*group.unlisted, *(ad for ad in group.ads if ad.id == ad_id)),
            ),
        )


def _archive(profile: WorldProfile, event: Event, first_day: date) -> None:
    """`ad_id`: the ad is archived."""
    _end(profile, event, first_day, "ARCHIVED")


def _end(profile: WorldProfile, event: Event, first_day: date, status: str) -> None:
    """The ad delivers until the end of its day, and has the status from now on."""
    last = _today(event, first_day)

    def ended(ad: WorldAd) -> WorldAd:
        if ad.status == "PAUSED":  # it never ran, and does not begin to have a past now
            return replace(ad, status=status, flight=(0, -1))
        return replace(ad, status=status, flight=(ad.flight[0], min(ad.flight[1], last)))

    _change_ad(profile, event["ad_id"], ended)


def _credit(profile: WorldProfile, event: Event, first_day: date) -> None:
    """`ad_id`, `start`, `end`, `keep` (per mille, default 0): invalid traffic of these days is taken back."""
    keep = int(event.get("keep", 0))
    if not 0 <= keep <= 1000:
        raise ValueError("keep is per mille, 0 to 1000")
    first, last = ((date.fromisoformat(event[name]) - first_day).days for name in ("start", "end"))
    credit = Credit(first, last, keep, _today(event, first_day))
    _change_ad(profile, event["ad_id"], lambda ad: replace(ad, credits=(*ad.credits, credit)))


def _move(profile: WorldProfile, event: Event, _first_day: date) -> None:
    """`ad_id`, `ad_group_id`: the ad stands in another group, with all its days."""
    ad_id, target = event["ad_id"], event["ad_group_id"]
    moved = [ad for _, _, ad in profile.ads() if ad.id == ad_id]
    if not moved or not any(group.id == target for campaign in profile.campaigns for group in campaign.groups):
        raise ValueError(f"{profile.id} has no ad {ad_id!r} or no ad group {target!r}")

    def regrouped(group: WorldAdGroup) -> WorldAdGroup:
        others = tuple(ad for ad in group.ads if ad.id != ad_id)
        return replace(group, ads=(*others, *moved) if group.id == target else others)

    _change_groups(profile, regrouped)


def _currency(profile: WorldProfile, event: Event, _first_day: date) -> None:
    """`currency`: every amount is the same count of the new currency's smallest units, of past days too."""
    if event["currency"] not in MINOR_DIGITS:
        raise ValueError(f"currency is one of {', '.join(MINOR_DIGITS)}")
    profile.currency = event["currency"]


def _decimals(profile: WorldProfile, _event: Event, _first_day: date) -> None:
    """The spend of the account's first ad is written with more than six decimals, where the wire allows it."""
    profile.dusty = True


def _product(profile: WorldProfile, event: Event, first_day: date) -> None:
    """`product`; `authorized` false takes the access to it away, true gives it back; `paused` ends its delivery."""
    product = event["product"]
    if "authorized" in event:
        profile.lacking = profile.lacking - {product} if event["authorized"] else profile.lacking | {product}
    if event.get("paused"):
        last = _today(event, first_day)

        def paused(campaign: WorldCampaign) -> WorldCampaign:
            if campaign.product != product:
                return campaign
            groups = tuple(
                replace(g, ads=_ended(g.ads, last), unlisted=_ended(g.unlisted, last)) for g in campaign.groups
            )
            return replace(campaign, status="PAUSED", groups=groups)

        profile.campaigns = tuple(paused(campaign) for campaign in profile.campaigns)


def _ended(ads: tuple[WorldAd, ...], last: int) -> tuple[WorldAd, ...]:
    return tuple(replace(ad, flight=(ad.flight[0], min(ad.flight[1], last))) for ad in ads)


def anomaly_of(profile: WorldProfile, event: Event, first_day: date) -> Anomaly:
    """`metric`, `start`, `end`, `per_mille` of its usual, and `campaign_id` where it is of one campaign alone.

    Raises ValueError or KeyError.
    """
    metric, per_mille, campaign = event["metric"], int(event["per_mille"]), str(event.get("campaign_id") or "")
    first, last = ((date.fromisoformat(event[name]) - first_day).days for name in ("start", "end"))
    if metric not in METRICS:
        raise ValueError(f"metric is one of {', '.join(METRICS)}")
    if not 0 <= per_mille <= _MOST_PER_MILLE:
        raise ValueError(f"per_mille is 0 to {_MOST_PER_MILLE}")
    if not 0 <= first <= last:
        raise ValueError(f"start and end are days from {first_day} on, start first")
    if campaign and campaign not in {each.id for each in profile.campaigns}:
        raise ValueError(f"{profile.id} has no campaign {campaign!r}")
    return Anomaly(metric, first, last, per_mille, campaign)


KINDS: Mapping[str, Callable[[WorldProfile, Event, date], None]] = {
    "delete": _delete,
    "archive": _archive,
    "credit": _credit,
    "move": _move,
    "currency": _currency,
    "product": _product,
    "decimals": _decimals,
}
"""Each kind's docstring says what it takes."""
