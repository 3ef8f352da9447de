"""Who left a name in a form below an ad: invented people with addresses that cannot exist.

Leads follow from the seed, like the numbers, and do not change when those restate. Their names, telephone numbers and
addresses are made up: example.com is reserved, as are the numbers 555-0100 to 555-0199.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from sandbox.world.catalog import WorldAd, WorldAdGroup, WorldCampaign, WorldProfile
from sandbox.world.draw import mix, seed_of
from sandbox.world.world import World

_FIRST: Final = ("Ada", "Bo", "Chloé", "Dmitri", "Ève", "Fatou", "Göran", "Hana", "Íñigo", "Jun", "Kaito", "Łucja")
_LAST: Final = ("Example", "Sample", "Specimen", "Muster", "Ejemplo", "Présentoir")
_CITIES: Final = ("Exampleton", "Samplebury", "Musterstadt")
_ONE_AD_IN: Final = 3
"""Ads with a form below them."""
_MOST_A_DAY: Final = 3
"""Leads of an ad on a day."""


class Applicant(NamedTuple):
    """Nobody."""

    first: str
    last: str
    email: str
    phone: str
    city: str


class Lead(NamedTuple):
    """`number`: 15 digits that no other lead has. `at`: when the form was sent."""

    profile: WorldProfile
    campaign: WorldCampaign
    group: WorldAdGroup
    ad: WorldAd
    number: int
    at: datetime
    person: Applicant

    def day(self, timezone: str = "") -> date:
        """The local day in a time zone, by default in the ad account's."""
        return self.at.astimezone(ZoneInfo(timezone or self.profile.timezone)).date()


def leads(world: World, profile: WorldProfile, start: date, end: date) -> Iterator[Lead]:
    """An ad account's leads of these local days, as far as they are past, in the order of days and ads."""
    for day in world.window(profile, start, end):
        for campaign, group, ad in profile.ads():
            if campaign.apart or not ad.id or ad.seed % _ONE_AD_IN or not _runs(ad, (day - world.first_day).days):
                continue
            luck = seed_of("leads", ad.seed, day.isoformat())
            for place in range(luck % (_MOST_A_DAY + 1)):
                lead = _lead(profile, (campaign, group, ad), day, mix(luck, place))
                if lead.at <= world.now:
                    yield lead


def _runs(ad: WorldAd, index: int) -> bool:
    return ad.status != "PAUSED" and ad.flight[0] <= index <= ad.flight[1]


def _lead(profile: WorldProfile, place: tuple[WorldCampaign, WorldAdGroup, WorldAd], day: date, luck: int) -> Lead:
    """Between six in the morning and ten at night: no night of a change of clocks."""
    seconds = 6 * 3600 + mix(luck, 1) % (16 * 3600)
    local = datetime.combine(day, datetime.min.time(), ZoneInfo(profile.timezone)) + timedelta(seconds=seconds)
    number = 10**14 + luck % (9 * 10**14)
    first, last = _FIRST[mix(luck, 2) % len(_FIRST)], _LAST[mix(luck, 3) % len(_LAST)]
    person = Applicant(
        first,
        last,
        f"lead.{number}@example.com",
        f"+1202555{100 + mix(luck, 4) % 100:04d}",
        _CITIES[mix(luck, 5) % len(_CITIES)],
    )
    return Lead(profile, *place, number, local.astimezone(UTC), person)


def counted(found: list[Lead], timezone: str = "") -> list[dict[str, Any]]:
    """How many leads each campaign had on each local day, in a time zone or in the ad account's own."""
    sums: dict[tuple[str, date, str], int] = {}
    for lead in found:
        key = (lead.profile.id, lead.day(timezone), lead.campaign.id)
        sums[key] = sums.get(key, 0) + 1
    platforms = {lead.profile.id: lead.profile.platform for lead in found}
    return [
        {
            "platform": platforms[profile_id],
            "profile_id": profile_id,
            "campaign_id": campaign_id,
            "date": day.isoformat(),
            "leads": count,
        }
        for (profile_id, day, campaign_id), count in sorted(sums.items())
    ]
