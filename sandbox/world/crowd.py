"""A crowd of further clients, each with small ad accounts like those of a client that is always there.

It is for measurements that need many ad accounts and little in each: the numbers of every ad account are its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sandbox.world.catalog import ADVERTISERS, Advertiser, WorldCampaign, WorldProfile

MOST: Final = 999
"""Clients of a crowd: their number has three digits in the ids of their ad accounts."""
_FIRST_DIGIT: Final = 4
_CAMPAIGNS, _ADS = 3, 2


def advertiser(number: int) -> Advertiser:
    """The client of this number, from 1. Its ad accounts are like those of one of two clients in turn."""
    like = ADVERTISERS[number % len(ADVERTISERS)]
    return replace(
        like,
        key=f"{like.key}-{number:03d}",
        name=f"{like.name} {number:03d}",
        email=f"client{number:03d}@{like.email.partition('@')[2]}",
        like=like.key,
        number=number,
    )


def numbered(account_id: str, number: int) -> str:
    """The id of a crowd's ad account that is like this one; `number` is its client's.

    Ids of what is in an ad account may follow from its last four digits, and ids of managers from its first six.
    """
    if account_id.isdigit():
        return f"{account_id[:-4]}{_FIRST_DIGIT}{number:03d}"
    return f"{account_id[:2]}{number:03d}{account_id[-2:]}"


def ad_accounts(owner: Advertiser, known: Mapping[str, tuple[Any, ...]]) -> tuple[Any, ...]:
    """What an advertiser has of a platform's ad accounts, which are named tuples with an `id` and a `name`.

    One of a crowd has one, like the first of the advertiser that it is like.
    """
    if not owner.number:
        return known.get(owner.key, ())
    like = known.get(owner.like, ())[:1]
    return tuple(one._replace(id=numbered(one.id, owner.number), name=f"{one.name} {owner.number:03d}") for one in like)


def make_small(profile: WorldProfile) -> None:
    """Leave three campaigns, of different ad products where there are any, with two ads in each."""
    kept: list[WorldCampaign] = []
    for campaign in profile.campaigns:
        if len(kept) < _CAMPAIGNS and not (campaign.product and any(one.product == campaign.product for one in kept)):
            group = campaign.groups[0]
            kept.append(replace(campaign, groups=(replace(group, ads=group.ads[:_ADS]),)))
    profile.campaigns = tuple(kept)
