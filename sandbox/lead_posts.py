"""What the senders of leads have in common: which leads a door is asked for, and in which order they go out."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from sandbox.deliveries import Perseverance
from sandbox.outside import BadQuestion, Outside
from sandbox.world import Company, WorldProfile
from sandbox.world.draw import mix, seed_of
from sandbox.world.leads import Lead, counted, leads

_TWICE_ONE_IN = 8


class LeadWish(NamedTuple):
    """`{"url", "account", "profile_id", "start", "end", "in_order", "attempts", "pause"}` of a door.

    `found`: the leads of these days, some of them twice and in any order, unless `in_order`.
    """

    url: str
    company: Company
    found: list[Lead]
    perseverance: Perseverance


def lead_wish(outside: Outside, platform: str, body: Mapping[str, Any]) -> LeadWish:
    """Without days, those since yesterday. Raises BadQuestion for a client that is not on the platform."""
    company = outside.company(str(body.get("account") or body.get("profile_id", "")))
    wanted = outside.bare_id(str(body.get("profile_id", "")))
    profiles = [profile for profile in company.on(platform) if wanted in ("", profile.id)]
    if not profiles:
        raise BadQuestion(f"{company.name} is not on {platform}, or has no such ad account there")
    found = [lead for profile in profiles for lead in _of_days(outside, profile, body)]
    if not body.get("in_order"):
        luck = seed_of("lead order", platform, company.key)
        found += [lead for lead in found if mix(luck, lead.number) % _TWICE_ONE_IN == 0]
        order = sorted(range(len(found)), key=lambda place: mix(luck, place))
        found = [found[place] for place in order]
    return LeadWish(str(body["url"]), company, found, Perseverance.of(body))


def lead_truth(outside: Outside, platforms: Container[str], query: Mapping[str, str]) -> dict[str, Any]:
    """How many leads each campaign had on each day; `platform`, `profile_id`, `start` (default: yesterday), `end`.

    Days are the ad account's own; `timezone` counts those of these days by the days of another time zone. `platforms`:
    those with forms.
    """
    wanted = outside.bare_id(query.get("profile_id", ""))
    found = [
        lead
        for profile in outside.world.profiles
        if profile.platform in platforms
        and query.get("platform", profile.platform) == profile.platform
        and wanted in ("", profile.id)
        for lead in _of_days(outside, profile, query)
    ]
    return {"as_of": outside.world.now.isoformat(), "rows": counted(found, query.get("timezone", ""))}


def _of_days(outside: Outside, profile: WorldProfile, asked: Mapping[str, Any]) -> list[Lead]:
    today = outside.world.moment(profile).today
    start = date.fromisoformat(asked["start"]) if "start" in asked else today - timedelta(days=1)
    end = date.fromisoformat(asked["end"]) if "end" in asked else today
    return list(leads(outside.world, profile, start, end))
