"""Leads of Meta's forms: notifications of a page that name a lead, and the lead itself, which has the personal data.

Source: Webhooks for Leads, and Retrieving Leads (Lead Ads).
"""

from __future__ import annotations

from datetime import timedelta
from itertools import chain
from typing import Any

from sandbox.deliveries import persist, summary, unless_taken
from sandbox.lead_posts import lead_wish
from sandbox.outside import Outside
from sandbox.platforms.meta.population import PLATFORM
from sandbox.platforms.meta.webhooks import MOST_CHANGES, signed
from sandbox.world import Company
from sandbox.world.draw import seed_of
from sandbox.world.leads import Lead, leads

_ORGANIC = 2
"""Leads without an ad among those of a door: of nobody's ad, or of the testing tool."""

_KEPT_DAYS = 90
"""Meta keeps a lead for ninety days."""


def page_of(company: Company) -> int:
    """The page on which a company's forms are."""
    return 10**14 + seed_of("page", company.key) % 10**14


def form_of(lead: Lead) -> int:
    """The form below an ad: one for each campaign."""
    return 10**11 + seed_of("form", lead.campaign.id) % 10**11


def send_leads(outside: Outside, body: dict[str, Any]) -> dict[str, Any]:
    """The notifications of a company's leads, at most `batch` (default and most 1,000) in a delivery."""
    wish = lead_wish(outside, PLATFORM, body)
    page = page_of(wish.company)
    secret = wish.company.credentials[PLATFORM]["app_secret"]
    changes = [_change(lead, page) for lead in wish.found]
    at = int(outside.world.now.timestamp())
    changes += [_organic(page, place, at) for place in range(_ORGANIC)]
    size = max(1, min(MOST_CHANGES, int(body.get("batch", MOST_CHANGES))))
    answers = []
    for place in range(0, len(changes), size):
        entry = {"id": str(page), "time": at, "changes": changes[place : place + size]}
        delivery = signed("page", [entry], secret, bad_signature=bool(body.get("bad_signature")))
        answers.append(persist(wish.url, delivery, wish.perseverance, unless_taken))
    return summary(answers, leads=len({lead.number for lead in wish.found}))


def _change(lead: Lead, page: int) -> dict[str, Any]:
    """Ids are integers in some and text in others, as in the samples of the documents; of one lead, always the same."""
    at = int(lead.at.timestamp())
    value = {"leadgen_id": lead.number, "page_id": page, "form_id": form_of(lead), "created_time": at}
    value |= {"ad_id": int(lead.ad.id), "adgroup_id": int(lead.ad.id)}
    if lead.number % 2:
        value = {name: one if name == "created_time" else str(one) for name, one in value.items()}  # type: ignore[misc]
    return {"field": "leadgen", "value": value}


def _organic(page: int, place: int, at: int) -> dict[str, Any]:
    lead = 10**13 + seed_of("organic", page, place) % 10**12
    return {"field": "leadgen", "value": {"leadgen_id": lead, "page_id": page, "form_id": 10**11, "created_time": at}}


def lead_node(outside: Outside, company: Company, node: str) -> dict[str, Any] | None:
    """A lead of the company by its id, as long as Meta keeps it; None for another node."""
    world = outside.world

    def kept() -> dict[str, Lead]:
        spans = ((profile, world.moment(profile).today) for profile in company.on(PLATFORM))
        found = (leads(world, profile, today - timedelta(days=_KEPT_DAYS), today) for profile, today in spans)
        return {str(lead.number): lead for lead in chain.from_iterable(found)}

    lead = outside.remember((PLATFORM, "leads", company.key, world.now), kept).get(node)
    return _fields(lead) if lead else None


def _fields(lead: Lead) -> dict[str, Any]:
    person = lead.person
    answers = {"full_name": f"{person.first} {person.last}", "email": person.email, "phone_number": person.phone}
    return {
        "id": str(lead.number),
        "created_time": f"{lead.at:%Y-%m-%dT%H:%M:%S}+0000",
        "ad_id": lead.ad.id,
        "adset_id": lead.group.id,
        "campaign_id": lead.campaign.id,
        "form_id": str(form_of(lead)),
        "is_organic": False,
        "field_data": [{"name": name, "values": [value]} for name, value in answers.items()],
    }
