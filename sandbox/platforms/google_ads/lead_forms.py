"""Leads of Google's lead form assets: a POST for each, with the key that the asset has, in the body.

Source: developers.google.com/google-ads/webhook/docs/implementation. What is answered with 4xx is not sent again, what
is answered with 5xx or not at all is; a lead may come twice. `lead_id` is opaque and may be long, members are missing,
and newer bodies have members that older ones did not (`old` leaves them out). Nobody has published Google's schedule.
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.deliveries import Delivered, Delivery, persist, summary
from sandbox.lead_posts import lead_wish
from sandbox.outside import Outside
from sandbox.platforms.google_ads.population import PLATFORM
from sandbox.world import Company
from sandbox.world.catalog import secret_of
from sandbox.world.draw import mix, seed_of
from sandbox.world.leads import Lead

_LONG_ONE_IN = 5
_BARE_ONE_IN = 5


def lead_secrets(company: Company, seed: int) -> dict[str, str]:
    """The key that the company has written into its lead form assets."""
    return {"google_key": google_key(company, seed)} if PLATFORM in company.credentials else {}


def google_key(company: Company, seed: int) -> str:
    """At most 50 characters, as the asset's field takes them."""
    return secret_of(seed, "google lead", company.key)[:32]


def send_leads(outside: Outside, body: dict[str, Any]) -> dict[str, Any]:
    """A POST for each of a company's leads, and one test lead; `bad_key` has another key."""
    wish = lead_wish(outside, PLATFORM, body)
    key = google_key(wish.company, outside.world.seed) + ("x" if body.get("bad_key") else "")
    contents = [_content(lead, old=bool(body.get("old"))) for lead in wish.found]
    if contents:
        contents.append(contents[0] | {"lead_id": "TeSter-123-ABCDEFGHIJKLMNOPQRSTUVWXYZ", "is_test": True})
    answers = [persist(wish.url, _delivery(content, key), wish.perseverance, _unless_settled) for content in contents]
    return summary(answers, leads=len({lead.number for lead in wish.found}))


def _unless_settled(answer: Delivered) -> bool:
    return answer.status == 0 or answer.status >= 500


def _delivery(content: dict[str, Any], key: str) -> Delivery:
    body = json.dumps(content | {"google_key": key}, ensure_ascii=False).encode()
    return Delivery(body, {"Content-Type": "application/json"})


def lead_id(lead: Lead) -> str:
    """Opaque; one in five is longer than 160 characters."""
    luck = seed_of("google lead", lead.number)
    return f"Cj0KCQ-{lead.number}" + (f"-{luck:x}" * 12 if luck % _LONG_ONE_IN == 0 else "")


def _content(lead: Lead, *, old: bool) -> dict[str, Any]:
    person, luck = lead.person, seed_of("google body", lead.number)
    content: dict[str, Any] = {
        "lead_id": lead_id(lead),
        "user_column_data": [
            {"column_name": "Full Name", "string_value": f"{person.first} {person.last}", "column_id": "FULL_NAME"},
            {"column_name": "User Email", "string_value": person.email, "column_id": "EMAIL"},
            {"column_name": "User Phone", "string_value": person.phone, "column_id": "PHONE_NUMBER"},
            {"string_value": person.city, "column_id": "where_do_you_live?"},
        ],
        "api_version": "1.0",
        "form_id": 10**11 + seed_of("google form", lead.campaign.id) % 10**11,
        "campaign_id": int(lead.campaign.id),
        "is_test": False,
    }
    if mix(luck, 1) % _BARE_ONE_IN:
        content |= {"gcl_id": f"Cj0KInvented{luck:x}", "adgroup_id": int(lead.group.id), "creative_id": int(lead.ad.id)}
    if not old:
        content |= {"lead_stage": "NEW", "lead_source": "LEAD_FORM"}
        content["lead_submit_time"] = f"{lead.at:%Y-%m-%dT%H:%M:%SZ}"
    return content
