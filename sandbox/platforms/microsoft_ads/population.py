"""Who advertises on Microsoft Advertising, in which campaigns, and how its numbers restate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from sandbox.world.catalog import (
    Advertiser,
    Holdings,
    WorldAd,
    WorldAdGroup,
    WorldCampaign,
    WorldKeyword,
    WorldProfile,
    flight_of,
    secret_of,
    status_of,
)
from sandbox.world.draw import seed_of
from sandbox.world.numbers import MICRO
from sandbox.world.plan import recent
from sandbox.world.traits import Channel, Restatement, Traits

PLATFORM = "microsoft_ads"
SEARCH, SHOPPING, AUDIENCE, PERFORMANCE_MAX = TYPES = ("Search", "Shopping", "Audience", "PerformanceMax")
"""CampaignType Value Set, those that the world has."""
COMMON = "common"

_TRAITS = Traits(
    # Conversions belong to the day of the click; books close after hours, a complaint about traffic takes a week.
    Restatement(
        growth=((30, 1000), (21, 985), (14, 955), (7, 880), (5, 840), (3, 760), (2, 690), (1, 580), (0, 390)),
        corrections=(1,),
        late_corrections=(1, 8),
        late_one_in=11,
    ),
    Channel(carry=200, half=900 * MICRO, effect=900 * MICRO, name="search"),
    half_credits=3,
    whole_views=True,
    channels={
        SHOPPING: Channel(carry=150, half=120 * MICRO, effect=300 * MICRO, name="shopping"),
        AUDIENCE: Channel(carry=450, half=600 * MICRO, effect=300 * MICRO, name="audience"),
        PERFORMANCE_MAX: Channel(carry=350, half=300 * MICRO, effect=300 * MICRO, name="performance_max"),
    },
)


class MicrosoftAccount(NamedTuple):
    """An ad account. `number`: as the web application shows it. `timezone`: the default of its campaigns, which reports
    do not follow. `customer`: the manager account that owns it. `awkward`: deleted ads, a deleted campaign.
    """

    id: str
    number: str
    name: str
    currency: str
    country: str
    timezone: str
    customer: str
    scale: int
    awkward: bool = False
    leads: bool = False


class MicrosoftUser(NamedTuple):
    """Who gave consent. `public`: the application has no secret. `tenant`: the only one whose users it admits."""

    id: str
    accounts: tuple[MicrosoftAccount, ...]
    public: bool = False
    tenant: str = COMMON


USERS = {
    "halden": MicrosoftUser(
        "61203344",
        (
            MicrosoftAccount(
                "180204417", "F1194GHK", "Halden Outdoor US", "USD", "US", "PacificTimeUSCanadaTijuana", "250417730",
                2100,
            ),
        ),
    ),
    "mori": MicrosoftUser(
        "61203351",
        (
            MicrosoftAccount(
                "180209926", "F119MK3R", "Mori Küche", "EUR", "DE", "AmsterdamBerlinBernRomeStockholmVienna",
                "250418066", 1900,
            ),
        ),
    ),
    "kestrel": MicrosoftUser(
        "61203389",
        (
            MicrosoftAccount(
                "180311502", "F120KA7P", "Kestrel Audio 日本", "JPY", "JP", "OsakaSapporoTokyo", "250419310", 2300,
                awkward=True,
            ),
            MicrosoftAccount(
                "180311577", "F120KA8Q", 'Kestrel "Audio" UK', "GBP", "GB",
                "GreenwichMeanTimeDublinEdinburghLisbonLondon", "250419311", 1700, awkward=True,
            ),
        ),
        public=True,
    ),
    "lumen": MicrosoftUser(
        "61203402",
        (
            MicrosoftAccount(
                "180417733", "F121LS2T", "Lumen Solar UK", "GBP", "GB",
                "GreenwichMeanTimeDublinEdinburghLisbonLondon", "250420154", 1600, leads=True,
            ),
        ),
        tenant="7c1f0b64-3f52-4d0e-9a5e-2b1f6f0a9d10",
    ),
}  # fmt: skip
"""By the world's advertiser. Scale: minor units that an ad spends on a typical day. Kestrel's user sees two
customers.
"""


class _MicrosoftPlan(NamedTuple):
    """A campaign, and the ad types of each of its groups; a group without any is an asset group."""

    name: str
    kind: str
    groups: tuple[tuple[str, ...], ...]


_TEXTS = ("ResponsiveSearch", "ResponsiveSearch", "ExpandedText")
_PLANS = (
    _MicrosoftPlan("Brand, exact", SEARCH, (_TEXTS, _TEXTS)),
    _MicrosoftPlan("Generic", SEARCH, (_TEXTS, ("ResponsiveSearch", "DynamicSearch"))),
    _MicrosoftPlan("Catalogue", SHOPPING, (("Product",),)),
    _MicrosoftPlan("Prospecting", AUDIENCE, (("ResponsiveAd", "ResponsiveAd"),)),
    _MicrosoftPlan("Everything | PMax", PERFORMANCE_MAX, ((), ())),
)
_MATCHES = ("Exact", "Phrase", "Broad")


def account_of(profile_id: str) -> MicrosoftAccount:
    """An ad account of the world by its id."""
    return next(account for user in USERS.values() for account in user.accounts if account.id == profile_id)


def holdings(seed: int, advertiser: Advertiser) -> Holdings:
    """The advertiser's ad accounts, and the credential of the user who sees them."""
    user = USERS.get(advertiser.key)
    if user is None:
        return Holdings((), {})
    client = secret_of(seed, advertiser.key, "microsoft client")
    body = {
        "client_id": "-".join((client[:8], client[8:12], client[12:16], client[16:20], client[20:32])),
        "refresh_token": f"M.C519_{secret_of(seed, advertiser.key, 'microsoft refresh')}",
        "developer_token": secret_of(seed, advertiser.key, "microsoft developer")[:18].upper(),
    }
    if not user.public:
        body["client_secret"] = f"q8Q~{secret_of(seed, advertiser.key, 'microsoft client secret')[:36]}"
    if user.tenant != COMMON:
        body["tenant"] = user.tenant
    return Holdings(tuple(_profile(seed, advertiser.things, one) for one in user.accounts), {PLATFORM: body})


def _profile(seed: int, things: tuple[str, ...], account: MicrosoftAccount) -> WorldProfile:
    campaigns = tuple(_campaigns(seed, things, account))
    if account.awkward:
        campaigns = tuple(replace(c, groups=tuple(_thinned(g) for g in c.groups)) for c in campaigns)
        campaigns = (campaigns[0], _ended(campaigns[1]), *campaigns[2:])
    return WorldProfile(
        PLATFORM,
        account.id,
        account.name,
        account.currency,
        "UTC",  # "Reports", Time Zones in Reporting: data is always relative to UTC
        account.country,
        account.scale,
        dict.fromkeys(TYPES, 30),
        replace(_TRAITS, sells=not account.leads),
        campaigns,
        view_windows={"": 1},
    )


def _campaigns(seed: int, things: tuple[str, ...], account: MicrosoftAccount) -> Iterator[WorldCampaign]:
    stem, number, place = account.id[3:], 0, 0
    for c, plan in enumerate(_PLANS):
        groups = []
        for kinds in plan.groups:
            place += 1
            thing = things[(c + place) % len(things)]
            ads = []
            for kind in kinds or ("",):
                number += 1
                ads.append(_ad(seed, thing, account, number, kind))
            group_id = f"121{stem}{7_300_000 + place}"
            name = f"{thing.title()} {place}"
            if kinds:
                keywords = tuple(_keywords(group_id, thing, account)) if kinds[0] == "ResponsiveSearch" else ()
                groups.append(WorldAdGroup(group_id, name, "ACTIVE", tuple(ads), keywords))
            else:
                groups.append(WorldAdGroup(group_id, name, "ACTIVE", (), unlisted=tuple(ads), hidden=True))
        yield WorldCampaign(f"5{stem}{40 + c}", plan.name, "ACTIVE", plan.kind, "", account.scale * 14, tuple(groups))


def _keywords(group_id: str, thing: str, account: MicrosoftAccount) -> Iterator[WorldKeyword]:
    for place, match in enumerate(_MATCHES):
        state = "PAUSED" if (int(group_id) + place) % 11 == 0 else "ACTIVE"
        key = f"{group_id}~{80_000_000_000_000 + int(group_id) % 10**10 * 10 + place}"
        yield WorldKeyword(key, thing, match, account.scale // 40 + place, state)


def _ad(seed: int, thing: str, account: MicrosoftAccount, number: int, kind: str) -> WorldAd:
    """An ad, which has no name; without a kind what an asset group spends."""
    own = seed_of(seed, PLATFORM, account.id, number)
    if not kind:
        return WorldAd("", number, "", "ACTIVE", {}, own, (0, 1_000_000))
    content = {"type": kind, "thing": thing, "page": f"https://shop.example/{thing.replace(' ', '-')}?utm_source=bing"}
    return WorldAd(f"74{account.id[3:]}{500_000 + number}", number, "", status_of(own), content, own, flight_of(own))


# -- what makes an ad account awkward ---------------------------------------------------------------------------------


def _thinned(group: WorldAdGroup) -> WorldAdGroup:
    """One ad in four was deleted with a past: reports have it, lists do not."""

    def thinned(ad: WorldAd) -> WorldAd:
        if ad.number % 4 != 2 or ad.status == "PAUSED":
            return ad
        return replace(ad, status="DELETED", flight=(ad.flight[0], min(ad.flight[1], recent(30 + ad.number % 25))))

    return replace(group, ads=tuple(thinned(ad) for ad in group.ads))


def _ended(campaign: WorldCampaign) -> WorldCampaign:
    """A campaign that was deleted."""

    def ended(ad: WorldAd) -> WorldAd:
        return replace(ad, flight=(ad.flight[0], min(ad.flight[1], recent(45))))

    groups = tuple(replace(g, status="DELETED", ads=tuple(ended(ad) for ad in g.ads)) for g in campaign.groups)
    return replace(campaign, status="DELETED", groups=groups)
