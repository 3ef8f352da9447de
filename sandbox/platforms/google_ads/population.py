"""Who advertises on Google, in which campaigns, below which managers, and how Google's numbers restate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from sandbox.platforms.google_ads.accounts import CANCELED, CLOSED, GoogleAccount, GoogleEstate
from sandbox.platforms.google_ads.creatives import AdBrief, creative, group_assets
from sandbox.world.catalog import (
    Advertiser,
    Company,
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
from sandbox.world.crowd import ad_accounts
from sandbox.world.draw import seed_of
from sandbox.world.numbers import MICRO
from sandbox.world.plan import recent
from sandbox.world.traits import Billing, Channel, LineKind, Restatement, Traits

PLATFORM = "google_ads"

_TRAITS = Traits(
    # Conversions belong to the day of the click and grow for the conversion window; invalid clicks are credited later.
    Restatement(
        growth=((30, 1000), (21, 985), (14, 960), (7, 900), (5, 860), (3, 780), (2, 710), (1, 610), (0, 420)),
        corrections=(1,),
        late_corrections=(1, 2, 9, 24),
        late_one_in=9,
    ),
    Channel(carry=200, half=1_200 * MICRO, effect=5_000 * MICRO, name="search"),
    half_credits=2,
    whole_views=True,
    channels={
        "SHOPPING": Channel(carry=150, half=120 * MICRO, effect=900 * MICRO, name="shopping"),
        "DISPLAY": Channel(carry=450, half=900 * MICRO, effect=1_600 * MICRO, name="display"),
        "VIDEO": Channel(carry=600, half=700 * MICRO, effect=1_800 * MICRO, name="video"),
        "DEMAND_GEN": Channel(carry=500, half=600 * MICRO, effect=1_500 * MICRO, name="demand_gen"),
        "PERFORMANCE_MAX": Channel(carry=350, half=400 * MICRO, effect=2_200 * MICRO, name="performance_max"),
    },
)
CHANNELS = (
    "SEARCH", "SHOPPING", "DISPLAY", "VIDEO", "DEMAND_GEN", "PERFORMANCE_MAX", "MULTI_CHANNEL", "SMART",
    "LOCAL_SERVICES",
)  # fmt: skip
SHARING = ("SEARCH",)
"""Channels whose campaigns of an account share one budget."""
_WINDOWS = dict.fromkeys(CHANNELS, 30)
"""The default click window; conversions after views are in no campaign's default, but in view-throughs of a day."""
_VIEW_WINDOWS = {"": 1}


class _GoogleCustomer(NamedTuple):
    """An ad account. `awkward`: ads that are gone, spend without ads. `leads`: it sells nothing. `direct`: the user
    has access to it without the manager too. `billing`: None for one that pays by card.
    """

    id: str
    name: str
    currency: str
    timezone: str
    country: str
    scale: int
    awkward: bool = False
    leads: bool = False
    direct: bool = False
    billing: Billing | None = None


_MEMOS = frozenset({LineKind.ADJUSTMENT})
_CUSTOMERS = {
    "halden": (_GoogleCustomer("4820117365", "Halden Outdoor US", "USD", "America/Los_Angeles", "US", 3800),),
    "mori": (
        _GoogleCustomer(
            "6091742283", "Mori Küche", "EUR", "Europe/Berlin", "DE", 4100, direct=True,
            billing=Billing(2, tax=190, overdelivery=4, promotion=15, correction=10, memos=_MEMOS),
        ),
    ),
    "kestrel": (
        _GoogleCustomer(
            "7350918846", "Kestrel Audio 日本", "JPY", "Asia/Tokyo", "JP", 3300, awkward=True,
            billing=Billing(2, tax=100, overdelivery=6),
        ),
        _GoogleCustomer(
            "7350918917", "Kestrel Audio UK", "GBP", "Europe/London", "GB", 2700, direct=True,
            billing=Billing(2, tax=200, fee=20, correction=7, memos=_MEMOS),
        ),
    ),
    "lumen": (_GoogleCustomer("5217390064", "Lumen Solar UK", "GBP", "Europe/London", "GB", 2900, leads=True),),
}  # fmt: skip
"""By advertiser. Scale: minor units that an ad spends on a typical day. Ads that Google serves in the United Kingdom
cost a regulatory fee of 20 per mille there (Google Ads Help, "About jurisdiction-specific surcharges").
"""


class _GooglePlan(NamedTuple):
    """A campaign: its channel, and the types of the ads of each of its groups.

    A group without types is an asset group in a Performance Max campaign; elsewhere it is what the campaign spends that
    nothing below it has.
    """

    name: str
    channel: str
    groups: tuple[tuple[str, ...], ...]


_TEXTS = ("RESPONSIVE_SEARCH_AD", "RESPONSIVE_SEARCH_AD", "EXPANDED_TEXT_AD")
_BANNERS = ("RESPONSIVE_DISPLAY_AD", "RESPONSIVE_DISPLAY_AD", "IMAGE_AD")
_FEEDS = (
    "DEMAND_GEN_MULTI_ASSET_AD", "DEMAND_GEN_CAROUSEL_AD", "DEMAND_GEN_VIDEO_RESPONSIVE_AD", "DEMAND_GEN_PRODUCT_AD",
)  # fmt: skip
_PLANS = (
    _GooglePlan("Brand | Search", "SEARCH", (_TEXTS, _TEXTS)),
    _GooglePlan("Generic | Search", "SEARCH", (_TEXTS, _TEXTS, ("EXPANDED_DYNAMIC_SEARCH_AD",))),
    _GooglePlan("Catalogue | Shopping", "SHOPPING", (("SHOPPING_PRODUCT_AD",),)),
    _GooglePlan("Prospecting | Display", "DISPLAY", (_BANNERS, _BANNERS)),
    _GooglePlan(
        "Stories | Video", "VIDEO", (("VIDEO_RESPONSIVE_AD",), ("VIDEO_TRUEVIEW_IN_STREAM_AD",), ("VIDEO_BUMPER_AD",))
    ),
    _GooglePlan("Discover | Demand Gen", "DEMAND_GEN", (_FEEDS,)),
    _GooglePlan("Everything | PMax", "PERFORMANCE_MAX", ((), ())),
)
_AWKWARD_PLANS = (
    _GooglePlan("Install | App", "MULTI_CHANNEL", (("APP_AD",),)),
    _GooglePlan("Corner shop | Smart", "SMART", (("SMART_CAMPAIGN_AD",),)),
    _GooglePlan("Repairs | Local Services", "LOCAL_SERVICES", ((),)),
    _GooglePlan("Hotline | Search", "SEARCH", (("CALL_AD",),)),
)
_WITH_KEYWORDS = ("RESPONSIVE_SEARCH_AD", "CALL_AD")
_MATCHES = ("EXACT", "PHRASE", "BROAD")


def holdings(seed: int, advertiser: Advertiser) -> Holdings:
    """The advertiser's customers, and the credential of a user who signs in to their manager."""
    profiles = tuple(_profile(seed, advertiser, one) for one in ad_accounts(advertiser, _CUSTOMERS))
    if not profiles:
        return Holdings((), {})
    project = f"{seed_of(seed, advertiser.key, 'project') % 10**12:012d}"
    client = secret_of(seed, advertiser.key, "google client")[:32]
    credential = {
        "client_id": f"{project}-{client}.apps.googleusercontent.com",
        "client_secret": f"GOCSPX-{secret_of(seed, advertiser.key, 'google client secret')[:28]}",
        "refresh_token": f"1//0g{secret_of(seed, advertiser.key, 'google refresh')}",
    }
    return Holdings(profiles, {PLATFORM: credential})


def estate(company: Company) -> GoogleEstate:
    """The company's accounts: a manager, two managers below it, its customers, a cancelled one, a test account.

    The last customer is linked to both lower managers; test accounts have a manager of their own (Google Ads API, Test
    accounts). A hidden account is one that was hidden in the manager's lists.
    """
    customers = company.on(PLATFORM)
    if not customers:
        return GoogleEstate({}, ())
    first = customers[0]
    stem = first.id[:6]

    def new(suffix: str, name: str, **more: object) -> GoogleAccount:
        made = GoogleAccount(f"{stem}{suffix}", f"{company.name} {name}", first.currency, first.timezone)
        return replace(made, **more)  # type: ignore[arg-type]

    ids = tuple(profile.id for profile in customers)
    accounts = [
        new("1000", "Group", manager=True, below=(f"{stem}1001", f"{stem}1002", f"{stem}2001")),
        new("1001", "Brands", manager=True, below=ids),
        new("1002", "Agency", manager=True, below=(ids[-1], f"{stem}2002")),
        new("2001", "(old)", status=CANCELED),
        new("2002", "Archive", hidden=True, status=CANCELED),
        new("3000", "Test group", manager=True, test=True, status=CLOSED, below=(f"{stem}3001",)),
        new("3001", "Test", test=True, status=CLOSED),
    ]
    direct = {one.id for one in _CUSTOMERS[company.key] if one.direct} if company.key in _CUSTOMERS else set()
    accounts += [GoogleAccount(p.id, p.name, p.currency, p.timezone, profile=p) for p in customers]
    opened = (f"{stem}1000", *(one for one in ids if one in direct), f"{stem}3000")
    return GoogleEstate({account.id: account for account in accounts}, opened)


def budget_owner(profile: WorldProfile, campaign: WorldCampaign) -> WorldCampaign:
    """The first of the campaigns that share a campaign's budget: those of Search have one together."""
    if campaign.product not in SHARING:
        return campaign
    return next(one for one in profile.campaigns if one.product in SHARING)


def _profile(seed: int, advertiser: Advertiser, customer: _GoogleCustomer) -> WorldProfile:
    plans = (*_PLANS, *_AWKWARD_PLANS) if customer.awkward else _PLANS
    campaigns = tuple(_campaigns(seed, advertiser, customer, plans))
    if customer.awkward:
        campaigns = tuple(replace(c, groups=tuple(_thinned(g) for g in c.groups)) for c in campaigns)
        campaigns = (campaigns[0], _removed(campaigns[1]), *campaigns[2:])
    return WorldProfile(
        PLATFORM,
        customer.id,
        customer.name,
        customer.currency,
        customer.timezone,
        customer.country,
        customer.scale,
        _WINDOWS,
        replace(_TRAITS, sells=not customer.leads),
        campaigns,
        view_windows=_VIEW_WINDOWS,
        billing=customer.billing,
    )


def _campaigns(
    seed: int, advertiser: Advertiser, customer: _GoogleCustomer, plans: tuple[_GooglePlan, ...]
) -> Iterator[WorldCampaign]:
    stem, ads_before, groups_before = customer.id[:4], 0, 0
    for c, plan in enumerate(plans, 1):
        groups = []
        for kinds in plan.groups:
            groups_before += 1
            thing = advertiser.things[(c * 3 + groups_before) % len(advertiser.things)]
            numbers = range(ads_before + 1, ads_before + 1 + max(1, len(kinds)))
            briefs = [
                AdBrief(customer.id, advertiser.name, thing, n, seed_of(seed, PLATFORM, customer.id, n))
                for n in numbers
            ]
            ads_before = numbers[-1]
            group_id = f"1{stem}{20_000 + groups_before:06d}"
            groups.append(_group(group_id, kinds, briefs, customer))
        campaign_id = f"2{stem}{10_000 + c:06d}"
        status = "PAUSED" if plan.channel == "MULTI_CHANNEL" else "ACTIVE"
        yield WorldCampaign(campaign_id, plan.name, status, plan.channel, "", customer.scale * 14, tuple(groups))


def _group(group_id: str, kinds: tuple[str, ...], briefs: list[AdBrief], customer: _GoogleCustomer) -> WorldAdGroup:
    name = f"{briefs[0].thing.title()} {group_id[-2:]}"
    if not kinds:
        (brief,) = briefs
        spend = WorldAd("", brief.number, "", "ACTIVE", group_assets(brief), brief.seed, (0, 1_000_000))
        return WorldAdGroup(group_id, name, "ACTIVE", (), unlisted=(spend,), hidden=True)
    ads = tuple(_ad(brief, kind) for brief, kind in zip(briefs, kinds, strict=True))
    keywords = tuple(_keywords(group_id, briefs[0].thing, customer)) if kinds[0] in _WITH_KEYWORDS else ()
    return WorldAdGroup(group_id, name, "ACTIVE", ads, keywords)


def criterion_id(*parts: str) -> str:
    """A criterion's id: equal criteria have equal ids, in every ad group."""
    return str(300_000_000_000 + seed_of("criterion", *parts) % 10**9)


def _keywords(group_id: str, thing: str, customer: _GoogleCustomer) -> Iterator[WorldKeyword]:
    """Three that tell about the thing, and one that every ad group has: its criterion id is everywhere the same."""
    texts = [(thing, match) for match in _MATCHES] + [("gifts for everyone", "BROAD")]
    for place, (text, match) in enumerate(texts):
        state = "PAUSED" if (int(group_id) + place) % 11 == 0 else "ENABLED"
        key = f"{group_id}~{criterion_id(text, match)}"
        yield WorldKeyword(key, text, match, customer.scale // 40 + place, state)


def _ad(brief: AdBrief, kind: str) -> WorldAd:
    made = creative(brief, kind)
    ad_id = f"7{brief.customer[:4]}{30_000 + brief.number:07d}"
    name = made["ad"].get("name", "")
    return WorldAd(ad_id, brief.number, name, status_of(brief.seed), made, brief.seed, flight_of(brief.seed))


# -- what makes an ad account awkward ---------------------------------------------------------------------------------


def _thinned(group: WorldAdGroup) -> WorldAdGroup:
    """One ad in five was removed with a past: queries show it, unless they ask for what is not removed."""

    def thinned(ad: WorldAd) -> WorldAd:
        if ad.number % 5 != 2 or ad.status == "PAUSED":
            return ad
        return replace(ad, status="DELETED", flight=(ad.flight[0], min(ad.flight[1], recent(30 + ad.number % 25))))

    return replace(group, ads=tuple(thinned(ad) for ad in group.ads))


def _removed(campaign: WorldCampaign) -> WorldCampaign:
    """A campaign that was removed, whose ads keep their own statuses."""

    def ended(ad: WorldAd) -> WorldAd:
        return replace(ad, flight=(ad.flight[0], min(ad.flight[1], recent(45))))

    groups = tuple(replace(g, ads=tuple(ended(ad) for ad in g.ads)) for g in campaign.groups)
    return replace(campaign, status="DELETED", groups=groups)
