"""The 24 fields of an ad record: its content, when it runs, and its metrics over a range."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from adweir.model.entities import Ad, PlatformObject, Profile, Status
from adweir.reporting.names import Naming, page_parts
from adweir.reporting.totals import KEPT, LIVE

AD_METRICS = ("impressions", "clicks", "ctr", "spend", "conversions", "conversion_rate", "cpa", "roas", "revenue")
AD_FIELDS = (
    "ad_id",
    "platform",
    "account_id",
    "campaign_id",
    "ad_group_id",
    "headline",
    "description",
    "cta",
    "image_url",
    "video_url",
    "landing_page_url",
    "start_date",
    "end_date",
    "status",
    *AD_METRICS,
    "relevance_score",
    "quality_score",
    "score_scale",
    "status_raw",
    "name",
    "name_parts",
    "landing_page",
    "currency",
    "client_account_id",
)
"""The names in a record: the 24 canonical fields, and what stands beside them."""

Measured = Mapping[str, Any]
"""Every metric by name, as `reporting.totals.measures` gives them, and the notes of the total."""
_NOTES = ("unknown", KEPT, LIVE)


class Flight(NamedTuple):
    """First and last day, ISO; "" where the platform sets none."""

    start: str
    end: str


_OPEN = Flight("", "")


class Flights:
    """When a profile's campaigns and ad groups run; an ad without dates of its own has theirs."""

    def __init__(self, campaigns: Iterable[PlatformObject], groups: Iterable[PlatformObject]) -> None:
        self._campaigns = {item.id: Flight(item.start_date, item.end_date) for item in campaigns}
        self._groups = {(item.campaign_id, item.id): Flight(item.start_date, item.end_date) for item in groups}

    def dated(self, ad: Ad, today: str) -> Ad:
        """The ad with the dates of its flight: each its own, else its ad group's, else its campaign's.

        An active ad whose last day is before `today` (the profile's, ISO) has ended.
        """
        group = self._groups.get((ad.campaign_id, ad.ad_group_id), _OPEN)
        campaign = self._campaigns.get(ad.campaign_id, _OPEN)
        end = ad.end_date or group.end or campaign.end
        return ad.model_copy(
            update={
                "start_date": ad.start_date or group.start or campaign.start,
                "end_date": end,
                "status": status_on(today, ad.status, end),
            }
        )


def status_on(day: str, status: Status, end: str) -> Status:
    """The status on a day (ISO): what is active and had its last day before it has ended."""
    return Status.ENDED if status is Status.ACTIVE and end and end < day else status


def ad_records(ads: Iterable[tuple[Ad, Measured]], profile: Profile, naming: Naming) -> Iterator[dict[str, Any]]:
    """A profile's ads with their metrics as records; `account_id` is the platform's ad account."""
    for ad, metrics in ads:
        yield {
            "ad_id": ad.id,
            "platform": str(ad.platform),
            "account_id": profile.shown_id,
            "campaign_id": ad.campaign_id,
            "ad_group_id": ad.ad_group_id,
            "headline": ad.headline,
            "description": ad.description,
            "cta": ad.cta,
            "image_url": ad.image_url,
            "video_url": ad.video_url,
            "landing_page_url": ad.landing_page_url,
            "start_date": ad.start_date or None,
            "end_date": ad.end_date or None,
            "status": ad.status.value,
            **{name: metrics[name] for name in AD_METRICS},
            "relevance_score": ad.relevance_score,
            "quality_score": ad.quality_score,
            "score_scale": ad.score_scale or None,
            "status_raw": ad.status_raw,
            "name": ad.name,
            "name_parts": naming.parts(profile, ad),
            "landing_page": page_parts(ad),
            "currency": metrics["currency"],
            "client_account_id": profile.account_id,
            **{name: metrics[name] for name in _NOTES if name in metrics},
        }
