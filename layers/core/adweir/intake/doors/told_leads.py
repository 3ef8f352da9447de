"""The leads of a delivery, resolved: whose they are, and which campaign brought them.

Nothing about the person is in what comes out of here: an id is a hash, and the answers stay in the body.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from adweir.intake.doors.known import Known
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.deliveries import StatedLead
from adweir.model.entities import PlatformObject
from adweir.platforms.webhooks import SentLead

_Found = dict[str, list[PlatformObject]]


class Resolved(NamedTuple):
    """Leads of known clients, and how many others there are: of unknown ad accounts, or such as could be anybody's."""

    leads: tuple[StatedLead, ...]
    unclaimed: int


def resolve_leads(known: Known, account_id: str, leads: Sequence[SentLead], now: datetime) -> Resolved:
    """Whose leads these are. Raises Unavailable.

    A lead belongs to the client of the ad account or the campaign that it names. One that names no ad account, and no
    campaign that is listed, belongs to the client of the address, at the deployment's to the platform's only client.
    """
    clients = {profile.account_id for profile in known.profiles.values()}
    only = account_id or (next(iter(clients)) if len(clients) == 1 else "")
    unnamed = [lead for lead in leads if not lead.profile_id]
    campaigns = _sought(known, Dataset.CAMPAIGNS, [lead.campaign_id for lead in unnamed], limits.MAX_PUSH_READS)
    ads = _sought(known, Dataset.ADS, [lead.ad_id for lead in unnamed if not lead.campaign_id], limits.MAX_PUSH_QUERIES)
    found: list[StatedLead] = []
    for lead in leads:
        about = _about(lead, campaigns, ads)
        profile = known.profiles.get(about.profile_id if about else lead.profile_id)
        owner = profile.account_id if profile else "" if lead.profile_id else only
        if not owner:
            continue
        found.append(
            StatedLead(
                lead=hashlib.sha256(f"{known.platform}\x1f{lead.id}".encode(errors="surrogatepass")).hexdigest(),
                account_id=owner,
                profile_id=profile.profile_id if profile else "",
                campaign_id=_campaign(about) or lead.campaign_id,
                at=_within(lead.at, now),
            )
        )
    return Resolved(tuple(found), len(leads) - len(found))


def _sought(known: Known, dataset: Dataset, ids: Sequence[str], most: int) -> _Found:
    """Objects of any known ad account, of as many ids as there is time for: each is looked for in every ad account."""
    wanted = list(dict.fromkeys(each for each in ids if each))
    return known.find("", dataset, wanted[: most // max(1, len(known.profiles))])


def _about(lead: SentLead, campaigns: _Found, ads: _Found) -> PlatformObject | None:
    """The campaign or the ad that a lead names, where exactly one known ad account has it."""
    if lead.profile_id:
        return None
    found = campaigns.get(lead.campaign_id, []) if lead.campaign_id else ads.get(lead.ad_id, [])
    return found[0] if len({each.profile_id for each in found}) == 1 else None


def _campaign(about: PlatformObject | None) -> str:
    return (about.campaign_id or about.id) if about else ""


def _within(at: datetime | None, now: datetime) -> datetime:
    """When a lead was sent in; its arrival where that is unknown, in the future or too long ago to be true."""
    oldest = now - timedelta(days=limits.MAX_PUSH_AGE_DAYS)
    newest = now + timedelta(seconds=limits.MAX_CLOCK_SKEW_SECONDS)
    return at if at is not None and oldest <= at <= newest else now
