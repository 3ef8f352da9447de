"""Who exists: two client companies, four ad accounts in three currencies and four time zones, about 200 ads."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sandbox.world.draw import between, seed_of

META, AMAZON = "meta_ads", "amazon_ads"

MINOR_DIGITS = {"USD": 2, "EUR": 2, "JPY": 0}


@dataclass(frozen=True, slots=True)
class Keyword:
    id: str
    text: str
    match_type: str
    bid_minor: int
    state: str = "ENABLED"


@dataclass(frozen=True, slots=True)
class Ad:
    """`number` is its place in the profile. `flight` are the days, counted from the world's first, that it may run."""

    id: str
    number: int
    name: str
    status: str
    creative: dict[str, Any]
    seed: int
    flight: tuple[int, int]


@dataclass(frozen=True, slots=True)
class AdGroup:
    id: str
    name: str
    status: str
    ads: tuple[Ad, ...]
    keywords: tuple[Keyword, ...] = ()


@dataclass(frozen=True, slots=True)
class Campaign:
    """`product` is Amazon's sp, sb or sd; empty on Meta. Budgets are minor units a day."""

    id: str
    name: str
    status: str
    product: str
    objective: str
    budget_minor: int
    groups: tuple[AdGroup, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """One ad account. `scale` is how many minor units make a typical day of an ad; `kind` seller or vendor."""

    platform: str
    id: str
    name: str
    currency: str
    timezone: str
    country: str
    kind: str
    region: str
    scale: int
    campaigns: tuple[Campaign, ...] = field(repr=False)

    @property
    def minor_micros(self) -> int:
        """Micros in the currency's smallest unit."""
        return 1_000_000 // int(10 ** MINOR_DIGITS[self.currency])

    def ads(self) -> list[tuple[Campaign, AdGroup, Ad]]:
        return [(c, g, a) for c in self.campaigns for g in c.groups for a in g.ads]


@dataclass(frozen=True, slots=True)
class Company:
    """A client company and the credentials that open its ad accounts."""

    key: str
    name: str
    email: str
    profiles: tuple[Profile, ...]
    meta: dict[str, str]
    amazon: dict[str, str]


_THINGS = ("trail shoes", "rain jacket", "day pack", "camp stove", "head lamp", "wool socks", "tent", "sleeping mat")
_KITCHEN = ("rice cooker", "chef knife", "tea kettle", "bento box", "cast iron pan", "drip coffee", "apron", "wok")
_ANGLES = ("Made to last", "Free returns", "New this season", "Loved by thousands", "Back in stock", "Save on sets")
_CTAS = ("SHOP_NOW", "LEARN_MORE", "GET_OFFER")
_MATCHES = ("EXACT", "PHRASE", "BROAD")


def _secret(seed: int, *parts: str) -> str:
    return sha256("\x1f".join((str(seed), *parts)).encode()).hexdigest()


def _flight(seed: int) -> tuple[int, int]:
    """Three ads in four run all the time; the others begin later, end early, or do both."""
    kind = between(seed, 1, 0, 11)
    start = between(seed, 2, 8, 30) if kind in (0, 1) else 0
    end = between(seed, 3, 36, 55) if kind in (1, 2) else 1_000_000
    return start, end


def _status(seed: int) -> str:
    return "PAUSED" if between(seed, 4, 0, 14) == 0 else "ACTIVE"


def _meta_creative(profile_id: str, number: int, seed: int, thing: str) -> dict[str, Any]:
    """The fields live in different places by ad type, as they do on the platform."""
    title, body = f"{thing.title()}: {_ANGLES[seed % 6]}", f"Find your {thing} today. Ümläut & 日本 {number}."
    link = f"https://shop.example/{thing.replace(' ', '-')}?ad={number}"
    cta = _CTAS[seed % 3]
    creative: dict[str, Any] = {"id": f"2386{profile_id[-6:]}{number:06d}", "name": f"Creative {number}"}
    kind = number % 4
    if kind == 0:
        creative |= {
            "title": title,
            "body": body,
            "call_to_action_type": cta,
            "image_url": f"https://img.example/{number}.jpg",
            "object_story_spec": {"page_id": "999", "link_data": {"link": link, "message": body, "name": title}},
        }
    elif kind == 1:
        action = {"type": cta, "value": {"link": link}}
        data = {"link": link, "message": body, "name": title, "description": _ANGLES[number % 6]}
        picture = f"https://img.example/{number}p.jpg"
        creative["object_story_spec"] = {
            "page_id": "999",
            "link_data": data | {"picture": picture, "call_to_action": action},
        }
    elif kind == 2:
        action = {"type": cta, "value": {"link": link}}
        video = {"video_id": f"777{number:04d}", "title": title, "message": body, "call_to_action": action}
        creative |= {"video_id": f"777{number:04d}", "thumbnail_url": f"https://img.example/{number}t.jpg"}
        creative["object_story_spec"] = {"page_id": "999", "video_data": video}
    else:
        creative["asset_feed_spec"] = {
            "titles": [{"text": title}, {"text": thing}],
            "bodies": [{"text": body}],
            "descriptions": [{"text": _ANGLES[number % 6]}],
            "call_to_action_types": [cta],
            "images": [{"hash": f"{seed:032x}"[:32]}],
            "link_urls": [{"website_url": link}],
        }
    return creative


def _meta_campaigns(seed: int, profile_id: str, things: tuple[str, ...], scale: int) -> tuple[Campaign, ...]:
    campaigns, number = [], 0
    stem = f"2385{profile_id[-5:]}"
    for c in range(4):
        groups = []
        for g in range(3):
            ads = []
            for _ in range(4):
                number += 1
                ad_seed = seed_of(seed, META, profile_id, number)
                thing = things[(c * 2 + g) % len(things)]
                ad_id = f"{stem}3{number:07d}"
                creative = _meta_creative(profile_id, number, ad_seed, thing)
                name = f"{thing.title()} {number}"
                ads.append(Ad(ad_id, number, name, _status(ad_seed), creative, ad_seed, _flight(ad_seed)))
            groups.append(AdGroup(f"{stem}2{c * 3 + g + 1:07d}", f"Set {c + 1}.{g + 1}", "ACTIVE", tuple(ads)))
        name = ("Prospecting", "Retargeting", "Brand", "Catalogue")[c]
        campaigns.append(
            Campaign(f"{stem}1{c + 1:07d}", name, "ACTIVE", "", "OUTCOME_SALES", scale * 16, tuple(groups))
        )
    return tuple(campaigns)


def _amazon_campaigns(seed: int, profile_id: str, things: tuple[str, ...], scale: int) -> tuple[Campaign, ...]:
    """Mostly Sponsored Products, two Sponsored Brands campaigns, one Sponsored Display."""
    campaigns, number, keyword_number = [], 0, 0
    stem = profile_id[:4]
    plan = [("sp", 3, 4)] * 4 + [("sb", 1, 2)] * 2 + [("sd", 1, 3)]
    for c, (product, group_count, ad_count) in enumerate(plan):
        groups = []
        for g in range(group_count):
            thing = things[(c * 3 + g) % len(things)]
            ads = []
            for _ in range(ad_count):
                number += 1
                ad_seed = seed_of(seed, AMAZON, profile_id, number)
                asin = f"B0{seed_of('asin', thing, number) % 36**6:08d}"[:10]
                creative = {"asin": asin, "sku": f"SKU-{stem}-{number}"}
                if product == "sb":
                    creative["headline"] = f"{thing.title()}: {_ANGLES[ad_seed % 6]}"
                ad_id = f"{stem}33{number:09d}"
                name = f"{thing.title()} {number}"
                ads.append(Ad(ad_id, number, name, _status(ad_seed), creative, ad_seed, _flight(ad_seed)))
            keywords = []
            for k in range(0 if product == "sd" or c == 0 else 3):
                keyword_number += 1
                keyword_id = f"{stem}44{keyword_number:09d}"
                keywords.append(Keyword(keyword_id, f"{thing} {_MATCHES[k].lower()}", _MATCHES[k], scale // 40 + k))
            group_id = f"{stem}22{c * 3 + g + 1:09d}"
            groups.append(AdGroup(group_id, f"{thing.title()} {g + 1}", "ACTIVE", tuple(ads), tuple(keywords)))
        name = f"{product.upper()} {('Auto', 'Brand', 'Category', 'Rivals', 'Story', 'Video', 'Reach')[c]}"
        status = "PAUSED" if c == 3 else "ACTIVE"
        campaigns.append(Campaign(f"{stem}11{c + 1:09d}", name, status, product, "", scale * 16, tuple(groups)))
    return tuple(campaigns)


def build(seed: int) -> tuple[Company, ...]:
    """The world's companies for a seed: equal seeds give equal companies."""

    def profile(platform: str, id_: str, name: str, place: tuple[str, str, str], kind: str, scale: int) -> Profile:
        things = _THINGS if "Halden" in name else _KITCHEN
        make = _meta_campaigns if platform == META else _amazon_campaigns
        region = {"US": "NA", "JP": "FE", "DE": "EU"}[place[2]]
        return Profile(platform, id_, name, *place, kind, region, scale, make(seed, id_, things, scale))

    def credentials(key: str, region: str) -> dict[str, dict[str, str]]:
        return {
            "meta": {
                "access_token": f"EAAG{_secret(seed, key, 'meta token')[:48]}",
                "app_id": str(10**14 + seed_of(seed, key, "app") % 10**14),
                "app_secret": _secret(seed, key, "app secret")[:32],
            },
            "amazon": {
                "client_id": f"amzn1.application-oa2-client.{_secret(seed, key, 'client')[:32]}",
                "client_secret": f"amzn1.oa2-cs.v1.{_secret(seed, key, 'client secret')}",
                "refresh_token": f"Atzr|{_secret(seed, key, 'refresh')}",
                "region": region,
            },
        }

    outdoor = (
        profile(META, "1042017731", "Halden Outdoor US", ("USD", "America/New_York", "US"), "", 4200),
        profile(AMAZON, "3104477120988101", "Halden Outdoor", ("USD", "America/Los_Angeles", "US"), "seller", 3600),
    )
    kitchen = (
        profile(META, "1077340052", "Mori Küche DE", ("EUR", "Europe/Berlin", "DE"), "", 3900),
        profile(AMAZON, "7208815530417702", "Mori Kitchen 日本", ("JPY", "Asia/Tokyo", "JP"), "vendor", 5200),
    )
    return (
        Company(
            "halden", "Halden Outdoor", "growth@halden.example", outdoor, **credentials("halden", outdoor[1].region)
        ),
        Company("mori", "Mori Kitchen", "data@mori.example", kitchen, **credentials("mori", kitchen[1].region)),
    )


def appsecret_proof(access_token: str, app_secret: str) -> str:
    """Meta's proof that a caller knows the app's secret (hex HMAC-SHA256 of the token)."""
    return hmac.new(app_secret.encode(), access_token.encode(), sha256).hexdigest()
