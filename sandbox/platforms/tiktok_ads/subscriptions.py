"""TikTok's webhooks: subscriptions, and what they deliver.

Source: TikTok's documents as bububa/tiktok-business quotes them (model/subscription). The app proves itself with its
secret, in a GET too. `object` is an integer, ids of a review or of fatigue are integers, a suspension is flat, and a
report's change is told by UTC day. Neither a signature nor a schedule of repetitions is documented: what is not taken
is sent again, some deliveries come twice, and `signed` adds the header that one adapter has seen.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from werkzeug.wrappers import Response

from sandbox.deliveries import Delivery, Perseverance, persist, summary, unless_taken
from sandbox.lead_posts import lead_wish
from sandbox.outside import Outside
from sandbox.platforms.tiktok_ads.answers import TikTokRefusal, envelope, wrong
from sandbox.platforms.tiktok_ads.parameters import TikTokParameters
from sandbox.platforms.tiktok_ads.population import PLATFORM
from sandbox.world import Company, WorldProfile
from sandbox.world.catalog import MINOR_DIGITS
from sandbox.world.draw import seed_of
from sandbox.world.leads import Lead
from sandbox.world.numbers import add

SUBSCRIPTIONS: Final = "subscriptions"
ENTITIES: Final = {
    "LEAD": 1,
    "AD_GROUP": 2,
    "AD": 3,
    "CREATIVE_FATIGUE": 8,
    "TCM_VIDEOS": 10,
    "REPORT_DATA_CHANGE": 11,
    "API_SERVICE_STATUS": 14,
    "AD_ACCOUNT_SUSPENSION": 0,
}
"""By what is subscribed to, the integer that a delivery has as its `object`; a suspension has none."""
_FREQUENCIES: Final = ("5_MINUTE", "15_MINUTE", "30_MINUTE", "60_MINUTE")
_NEEDED: Final = {"AD_GROUP": ("advertiser_id", "adgroup_id"), "AD": ("advertiser_id", "ad_id")}
_TWICE_ONE_IN: Final = 3


def webhook_secrets(company: Company, seed: int) -> dict[str, str]:
    """What the receiver may know: the app's secret, and a token for the callback URL, which the receiver chooses."""
    credential = company.credentials.get(PLATFORM)
    if credential is None:
        return {}
    token = sha256(f"callback {seed} {company.key}".encode()).hexdigest()[:32]
    return {"tiktok_app_secret": credential["secret"], "tiktok_callback_token": token}


class SubscriptionPaths:
    """`/subscription/subscribe/`, `/subscription/get/`, `/subscription/unsubscribe/`."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def subscribe(self, given: TikTokParameters) -> Response:
        """`POST`: an entity of an advertiser (some need the ad or ad group, too) is told of at a callback URL."""
        company, entity, url = self._app(given), given.required("subscribe_entity"), given.required("callback_url")
        if entity not in ENTITIES:
            raise wrong(f"subscribe_entity: Must be one of {', '.join(ENTITIES)}.")
        if not url.startswith(("http://", "https://")):
            raise wrong("callback_url: Not a valid URL.")
        detail = TikTokParameters(given.members("subscription_detail"))
        if detail.required("access_token") != company.credentials[PLATFORM]["access_token"]:
            raise TikTokRefusal(40105)
        advertisers = self._advertisers(company, entity, detail)
        if detail.text("notify_frequency", _FREQUENCIES[0]) not in _FREQUENCIES:
            raise wrong(f"notify_frequency: Must be one of {', '.join(_FREQUENCIES)}.")
        with self._outside.kept(PLATFORM) as kept:
            held = kept.setdefault(SUBSCRIPTIONS, {})
            id_ = str(10**18 + seed_of("subscription", company.key, entity, url, *advertisers, len(held)) % 10**18)
            held[id_] = {
                "company": company.key,
                "entity": entity,
                "url": url,
                "advertisers": advertisers,
                "detail": given.members("subscription_detail"),
            }
        self._outside.save()
        return envelope({"subscription_id": id_})

    def get(self, given: TikTokParameters) -> Response:
        """`GET`: the app's subscriptions, in pages."""
        company, wanted = self._app(given), given.text("subscribe_entity")
        page, size = given.number("page", 1, 10**6), given.number("page_size", 10, 1000)
        with self._outside.kept(PLATFORM) as kept:
            own = [
                {
                    "app_id": company.credentials[PLATFORM]["app_id"],
                    "subscription_id": id_,
                    "subscribe_entity": one["entity"],
                    "callback_url": one["url"],
                    "subscription_detail": one["detail"],
                }
                for id_, one in kept.get(SUBSCRIPTIONS, {}).items()
                if one["company"] == company.key and wanted in ("", one["entity"])
            ]
        pages = -(-len(own) // size)
        info = {"page": page, "page_size": size, "total_number": len(own), "total_page": pages}
        return envelope({"subscriptions": own[(page - 1) * size : page * size], "page_info": info})

    def unsubscribe(self, given: TikTokParameters) -> Response:
        """`POST`."""
        company, id_ = self._app(given), given.required("subscription_id")
        with self._outside.kept(PLATFORM) as kept:
            held = kept.setdefault(SUBSCRIPTIONS, {})
            if held.get(id_, {}).get("company") != company.key:
                raise TikTokRefusal(40007)
            del held[id_]
        self._outside.save()
        return envelope({"subscription_id": id_})

    def _app(self, given: TikTokParameters) -> Company:
        """Whose app it is. Raises 40101 for another secret."""
        app_id, secret = given.required("app_id"), given.required("secret")
        for company in self._outside.world.companies:
            credential = company.credentials.get(PLATFORM)
            if credential is not None and (credential["app_id"], credential["secret"]) == (app_id, secret):
                return company
        raise TikTokRefusal(40101)

    def _advertisers(self, company: Company, entity: str, detail: TikTokParameters) -> list[str]:
        for name in _NEEDED.get(entity, ()):
            detail.required(name)
        several = entity in ("REPORT_DATA_CHANGE", "AD_ACCOUNT_SUSPENSION")
        ids = detail.words("advertiser_ids", 100) if several else [detail.required("advertiser_id")]
        owned = {profile.id for profile in company.on(PLATFORM)}
        if not ids or not set(ids) <= owned:
            raise TikTokRefusal(40001)
        return ids


# -- deliveries -------------------------------------------------------------------------------------------------------


def send_events(outside: Outside, body: dict[str, Any]) -> dict[str, Any]:
    """What each subscription has to tell: `{"account", "entities": [...], "signed", "numbers", ...}`, of leads also
    `start` and `end`. With `numbers` the ids of leads are integers. The answer counts deliveries and leads.
    """
    company = outside.company(str(body.get("account", "")))
    wanted = body.get("entities") or list(ENTITIES)
    with outside.kept(PLATFORM) as kept:
        held = {id_: one for id_, one in kept.get(SUBSCRIPTIONS, {}).items() if one["company"] == company.key}
    answers, counted = [], set[int]()
    for id_, one in held.items():
        if one["entity"] not in wanted:
            continue
        for advertiser_id in one["advertisers"]:
            profile = next(profile for profile in company.on(PLATFORM) if profile.id == advertiser_id)
            if one["entity"] == "LEAD":
                wish = lead_wish(outside, PLATFORM, body | {"profile_id": advertiser_id, "url": one["url"]})
                counted |= {lead.number for lead in wish.found}
                entries = [[_lead(lead, numbers=bool(body.get("numbers")))] for lead in wish.found]
            else:
                entries = [_ENTRIES[one["entity"]](outside, profile, one)]
            for place, entry in enumerate(entries):
                event = _event(one, id_, entry, place, int(outside.world.now.timestamp()))
                again = 2 if place % _TWICE_ONE_IN == 0 else 1
                secret = company.credentials[PLATFORM]["secret"] if body.get("signed") else ""
                for repeat in range(again):
                    delivery = _delivery(event | {"request_id": f"{place:06d}{repeat}{id_}"}, secret)
                    answers.append(persist(one["url"], delivery, Perseverance.of(body), unless_taken))
    return summary(answers, leads=len(counted))


def _event(one: Mapping[str, Any], id_: str, entries: list[dict[str, Any]], place: int, at: int) -> dict[str, Any]:
    """The envelope; a suspension is in the envelope itself."""
    if one["entity"] == "AD_ACCOUNT_SUSPENSION":
        return {"time": at, "subscription_id": id_, **entries[0]}
    return {"object": ENTITIES[one["entity"]], "time": at + place, "entry": entries}


def _delivery(event: Mapping[str, Any], secret: str) -> Delivery:
    """`secret`: signed over the body with non-ASCII escaped, which the body on the wire is not."""
    body = json.dumps(event, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    if secret:
        escaped = json.dumps(event, ensure_ascii=True).encode()
        headers["X-Open-Signature"] = hmac.new(secret.encode(), escaped, sha256).hexdigest()
    return Delivery(body, headers)


def lead_id(lead: Lead) -> str:
    """Nineteen digits, more than a double holds."""
    return f"7{lead.number:018d}"


def _lead(lead: Lead, *, numbers: bool) -> dict[str, Any]:
    person = lead.person
    answers = {"name": f"{person.first} {person.last}", "email": person.email, "phone_number": person.phone}
    form = str(seed_of("tiktok form", lead.campaign.id) % 10**18)
    return {
        "id": int(lead_id(lead)) if numbers else lead_id(lead),
        "lead_source": "INSTANT_FORM",
        "page_id": form,
        "page_name": f"{lead.campaign.name} form",
        "advertiser_id": lead.profile.id,
        "advertiser_name": lead.profile.name,
        "library_id": f"lib{form[:6]}",
        "campaign_id": lead.campaign.id,
        "campaign_name": lead.campaign.name,
        "adgroup_id": lead.group.id,
        "adgroup_name": lead.group.name,
        "ad_id": lead.ad.id,
        "ad_name": lead.ad.name,
        "create_time": int(lead.at.timestamp()),
        "changes": [{"field": name, "value": value} for name, value in answers.items()],
    }


_Subscription = Mapping[str, Any]


def _review(_outside: Outside, profile: WorldProfile, one: _Subscription) -> list[dict[str, Any]]:
    """The review of the ad or ad group that was subscribed to."""
    wanted = str(one["detail"].get("ad_id") or one["detail"].get("adgroup_id"))
    campaign, group, ad = next(found for found in profile.ads() if wanted in (found[1].id, found[2].id))
    entry = {"log_id": f"log{wanted}", "adv_id": int(profile.id), "campaign_id": campaign.id}
    entry |= {"campaign_name": campaign.name, "adgroup_id": group.id, "adgroup_name": group.name, "reject_reason": ""}
    return [entry | ({"ad_id": ad.id, "ad_name": ad.name} if one["entity"] == "AD" else {})]


def _fatigue(outside: Outside, profile: WorldProfile, one: _Subscription) -> list[dict[str, Any]]:
    """Of the ad or ad group that was subscribed to, or of some of the advertiser's ads."""
    about = {"adv_id": int(profile.id), "date": outside.world.moment(profile).today.isoformat()}
    for name in ("ad_id", "adgroup_id"):
        if name in one["detail"]:
            return [about | {name: int(one["detail"][name])}]
    some = profile.ads()[:3]
    groups = list(dict.fromkeys(group.id for _, group, _ in some))
    return [about | {"adgroup_ids": [int(id_) for id_ in groups], "ad_ids": [int(ad.id) for _, _, ad in some]}]


def _changed(outside: Outside, profile: WorldProfile, _one: _Subscription) -> list[dict[str, Any]]:
    """The advertiser's numbers of the UTC day: a notice that they changed, no numbers to be stored."""
    day = outside.world.now.astimezone(UTC).date()
    numbers = add([row.numbers for row in outside.world.days(profile, day, day)])
    spend = Decimal(numbers.spend).scaleb(-MINOR_DIGITS[profile.currency])
    metrics = {"spend": f"{spend:f}", "impressions": str(numbers.impressions), "clicks": str(numbers.clicks)}
    return [{"data_level": "AUCTION_ADVERTISER", "changed_metrics_values": {profile.id: metrics}}]


def _suspension(outside: Outside, profile: WorldProfile, _one: _Subscription) -> list[dict[str, Any]]:
    return [
        {
            "advertiser_id": profile.id,
            "advertiser_name": profile.name,
            "owner_bc_id": str(seed_of("business center", profile.id) % 10**18),
            "status": "STATUS_LIMIT",
            "status_change_time": f"{outside.world.now:%Y-%m-%d %H:%M:%S}",
            "suspension_reason": "An invented reason",
        }
    ]


def _service(_outside: Outside, _profile: WorldProfile, _one: _Subscription) -> list[dict[str, Any]]:
    return [{"product": "REPORTING_API", "status": "AVAILABLE"}]


def _video(_outside: Outside, profile: WorldProfile, _one: _Subscription) -> list[dict[str, Any]]:
    return [{"item_id": str(seed_of("video", profile.id) % 10**18), "campaign_id": profile.campaigns[0].id}]


_ENTRIES: Final[dict[str, Callable[[Outside, WorldProfile, _Subscription], list[dict[str, Any]]]]] = {
    "AD_GROUP": _review,
    "AD": _review,
    "CREATIVE_FATIGUE": _fatigue,
    "REPORT_DATA_CHANGE": _changed,
    "AD_ACCOUNT_SUSPENSION": _suspension,
    "API_SERVICE_STATUS": _service,
    "TCM_VIDEOS": _video,
}
