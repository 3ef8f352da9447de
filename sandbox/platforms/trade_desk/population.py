"""Who advertises through The Trade Desk: partner seats with their advertisers, and how its numbers restate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from sandbox.world.catalog import (
    ANGLES,
    Advertiser,
    Holdings,
    WorldAd,
    WorldAdGroup,
    WorldCampaign,
    WorldProfile,
    flight_of,
    secret_of,
    status_of,
)
from sandbox.world.crowd import numbered
from sandbox.world.draw import mix, seed_of
from sandbox.world.numbers import MICRO
from sandbox.world.plan import recent
from sandbox.world.traits import Billing, Channel, Restatement, Traits

PLATFORM = "trade_desk"
CLICK_DAYS, VIEW_DAYS = 30, 14
"""AttributionClickLookbackWindow and AttributionImpressionLookbackWindow of every advertiser here."""

_TRAITS = Traits(
    # Conversions arrive until the longer window has passed; invalid traffic is taken back on the next day.
    Restatement(
        growth=(
            (30, 1000), (21, 985), (14, 950), (7, 870), (5, 820), (4, 780), (3, 730), (2, 660), (1, 540), (0, 350),
        ),
        corrections=(1,),
    ),
    Channel(carry=700, half=2_200 * MICRO, effect=5_000 * MICRO, name="programmatic"),
)  # fmt: skip


class _Seat(NamedTuple):
    """An advertiser of a partner. `awkward`: archived creatives, a campaign with a past. `leads`: it sells nothing.

    `billing`: None for one whose bills nobody has seen.
    """

    id: str
    name: str
    currency: str
    country: str
    scale: int
    awkward: bool = False
    leads: bool = False
    billing: Billing | None = None


class Partner(NamedTuple):
    """A partner seat. `token`: its credential is a long-lived token, not a login."""

    id: str
    name: str
    currency: str
    seats: tuple[_Seat, ...]
    token: bool = False


PARTNERS = {
    "halden": Partner(
        "hal7d0p",
        "Halden Outdoor Group",
        "USD",
        (
            _Seat("hd2k0us", "Halden Outdoor US", "USD", "US", 3400, billing=Billing(5, correction=6)),
            _Seat("hd2k0uk", "Halden Outdoor, UK", "GBP", "GB", 2900, billing=Billing(5, tax=200)),
        ),
    ),
    "mori": Partner(
        "mor1kpa",
        "Mori Kitchen",
        "EUR",
        (
            _Seat("mo9r1de", "Mori Küche", "EUR", "DE", 3100, billing=Billing(5, tax=190)),
            _Seat("mo9r1jp", "Mori Kitchen 日本", "JPY", "JP", 4300),
        ),
    ),
    "kestrel": Partner(
        "kes7rel",
        "Kestrel Audio",
        "USD",
        (
            _Seat("ke5t1us", 'Kestrel "Audio" US', "USD", "US", 2700, awkward=True),
            _Seat("ke5t1kr", "Kestrel Audio KR", "KRW", "KR", 9100, awkward=True),
        ),
        token=True,
    ),
    "lumen": Partner(
        "lum3nso", "Lumen Solar", "GBP", (_Seat("lu4men1", "Lumen Solar UK", "GBP", "GB", 2500, leads=True),)
    ),
}
"""By the world's advertiser. Scale: minor units that a creative spends in an ad group on a typical day."""
_CHANNELS = (("Prospecting", "Display"), ("Streaming", "Video"), ("Retargeting", "Display"))
_GROUPS, _CREATIVES = 2, 3
_ARCHIVED_DAY = recent(44)
"""The last day of the awkward seats' archived campaign, counted from the world's first."""


@cache
def partner_of(profile_id: str) -> Partner:
    """The partner of an advertiser, also of one of a crowd. Raises StopIteration for an id that is none's."""
    present, number = PARTNERS.values(), profile_id[2:5]
    crowd = (_like(partner, int(number)) for partner in present if number.isdigit())
    return next(partner for partner in (*present, *crowd) if any(seat.id == profile_id for seat in partner.seats))


def partner_named(company: str) -> Partner | None:
    """The partner of a company by its key, also of one of a crowd; None when it has none."""
    like, _, number = company.partition("-")
    found = PARTNERS.get(like)
    return _like(found, int(number)) if found and number else found


def _like(partner: Partner, number: int) -> Partner:
    seats = tuple(
        seat._replace(id=numbered(seat.id, number), name=f"{seat.name} {number:03d}") for seat in partner.seats[:1]
    )
    return partner._replace(id=numbered(partner.id, number), name=f"{partner.name} {number:03d}", seats=seats)


def holdings(seed: int, advertiser: Advertiser) -> Holdings:
    """The company's advertisers under one partner, and what opens them: a login, or a long-lived token."""
    partner = partner_named(advertiser.key)
    if partner is None:
        return Holdings((), {})
    if partner.token:
        body = {"token": f"{secret_of(seed, advertiser.key, 'desk token')[:48]}=="}
    else:
        body = {
            "login": f"ttd_api_{partner.id}@{advertiser.email.partition('@')[2]}",
            "password": secret_of(seed, advertiser.key, "desk password")[:24],
        }
    profiles = tuple(_profile(seed, advertiser.things, seat) for seat in partner.seats)
    return Holdings(profiles, {PLATFORM: body})


def _profile(seed: int, things: tuple[str, ...], seat: _Seat) -> WorldProfile:
    campaigns = tuple(_campaigns(seed, things, seat))
    return WorldProfile(
        PLATFORM,
        seat.id,
        seat.name,
        seat.currency,
        "UTC",  # reporting is in UTC, whatever time zone a campaign has
        seat.country,
        seat.scale,
        {"": CLICK_DAYS},
        replace(_TRAITS, sells=not seat.leads),
        tuple(_with_a_past(campaigns)) if seat.awkward else campaigns,
        view_windows={"": VIEW_DAYS},
        billing=seat.billing,
    )


def short_id(*parts: object) -> str:
    """Seven characters that follow from a name, as the platform's ids look."""
    digits, number, found = "0123456789abcdefghijklmnopqrstuvwxyz", seed_of(*parts), ""
    for _ in range(7):
        number, digit = divmod(number, 36)
        found += digits[digit]
    return found


def _campaigns(seed: int, things: tuple[str, ...], seat: _Seat) -> Iterator[WorldCampaign]:
    """Three campaigns; the first creative of a campaign runs in all of its ad groups."""
    number = 0
    for c, (goal, channel) in enumerate(_CHANNELS):
        groups = []
        for g in range(_GROUPS):
            ads = []
            for k in range(_CREATIVES):
                number += 1
                place = (c, "shared") if k == 0 else (c, g, k)
                ads.append(_ad(seed, things[(c * _GROUPS + g) % len(things)] if k else things[c], seat, place, number))
            status = "PAUSED" if (c, g) == (2, 1) else "ACTIVE"
            group_id, name = short_id(seed, seat.id, "group", c, g), f"{channel} {'AB'[g]}"
            groups.append(WorldAdGroup(group_id, name, status, tuple(ads)))
        campaign_id = short_id(seed, seat.id, "campaign", c)
        yield WorldCampaign(campaign_id, f"{goal} {channel}", "ACTIVE", "", channel, seat.scale * 12, tuple(groups))


def _ad(seed: int, thing: str, seat: _Seat, place: tuple[object, ...], number: int) -> WorldAd:
    """A creative in an ad group. Its numbers are the ad group's own; its id, name and content are the creative's."""
    creative_seed = seed_of(seed, PLATFORM, seat.id, *place)
    video = place[0] == 1
    kind = "video" if video else ("image", "tag", "clickthrough")[mix(creative_seed, 12) % 3]
    slug = thing.replace(" ", "-")
    creative: dict[str, Any] = {
        "type": kind,
        "description": ANGLES[creative_seed % 6],
        "page": f"https://shop.example/{slug}?utm_source=ttd&utm_campaign={seat.id}",
    }
    ad_seed = seed_of(seed, PLATFORM, seat.id, "ad", number)
    status = "ACTIVE" if place[1] == "shared" else status_of(creative_seed)
    name = f"{thing.title()}, {'video' if video else 'banner'} {mix(creative_seed, 13) % 90 + 10}"
    return WorldAd(
        short_id(seed, seat.id, "creative", *place), number, name, status, creative, ad_seed, flight_of(ad_seed)
    )


def _with_a_past(campaigns: tuple[WorldCampaign, ...]) -> Iterator[WorldCampaign]:
    """Some creatives are archived with a past, and the last campaign with everything in it."""
    last = campaigns[-1]
    for campaign in campaigns:
        groups = (replace(g, ads=tuple(_aged(ad, whole=campaign is last) for ad in g.ads)) for g in campaign.groups)
        if campaign is last:
            yield replace(
                campaign, status="ARCHIVED", groups=tuple(replace(group, status="ARCHIVED") for group in groups)
            )
        else:
            yield replace(campaign, groups=tuple(groups))


def _aged(ad: WorldAd, *, whole: bool) -> WorldAd:
    if ad.status == "PAUSED" or not (whole or ad.number % _CREATIVES == 0):
        return ad
    return replace(ad, status="ARCHIVED", flight=(ad.flight[0], min(ad.flight[1], _ARCHIVED_DAY)))
