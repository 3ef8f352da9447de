"""Advertisers, campaigns, flights, ad groups and creatives as the REST API describes them.

Source: the official samples for campaigns and delta queries; clients of the other entities. Nothing is ever deleted:
what the world calls deleted or archived is `Archived`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.platforms.trade_desk.conversions import reporting_columns, tags
from sandbox.platforms.trade_desk.population import CLICK_DAYS, PLATFORM, VIEW_DAYS, Partner, partner_of
from sandbox.world import World, WorldAd, WorldAdGroup, WorldCampaign, WorldProfile
from sandbox.world.catalog import MINOR_DIGITS

Entity = dict[str, Any]
_DAY_SECONDS = 86_400
_ARCHIVED = ("ARCHIVED", "DELETED")
_REJECTED: Entity = {"AuditStatus": "Rejected", "ReasonForStatus": "The landing page does not work."}


def money(profile: WorldProfile, minor: int) -> Decimal:
    """Minor units as the amount of the ad account's currency."""
    return amount(profile.currency, minor)


def amount(currency: str, minor: int) -> Decimal:
    """Minor units as the currency's amount."""
    return Decimal(minor).scaleb(-MINOR_DIGITS[currency])


def _availability(status: str) -> str:
    return "Archived" if status in _ARCHIVED else "Available"


def partner_entity(partner: Partner) -> Entity:
    """A partner seat."""
    return {
        "PartnerId": partner.id,
        "PartnerName": partner.name,
        "CurrencyCode": partner.currency,
        "Availability": "Available",
    }


def advertiser_entity(profile: WorldProfile) -> Entity:
    """An advertiser; it has no time zone, for reporting is in UTC."""
    return {
        "AdvertiserId": profile.id,
        "AdvertiserName": profile.name,
        "PartnerId": partner_of(profile.id).id,
        "Description": None,
        "CurrencyCode": profile.currency,
        "DomainAddress": "https://shop.example",
        "AttributionClickLookbackWindowInSeconds": CLICK_DAYS * _DAY_SECONDS,
        "AttributionImpressionLookbackWindowInSeconds": VIEW_DAYS * _DAY_SECONDS,
        "ClickDedupWindowInSeconds": 7,
        "ConversionDedupWindowInSeconds": 60,
        "Availability": "Available",
    }


def tag_entities(profile: WorldProfile) -> list[Entity]:
    """An advertiser's pixels."""
    return [
        {
            "TrackingTagId": tag,
            "TrackingTagName": name,
            "AdvertiserId": profile.id,
            "TrackingTagType": "Conversion",
            "Availability": "Available",
        }
        for tag, name in tags(profile).items()
    ]


class DeskEntities:
    """An advertiser's entities; `swap` are the options of `swapped_columns`, if that is on."""

    def __init__(self, world: World, profile: WorldProfile, swap: dict[str, Any] | None = None) -> None:
        self._profile = profile
        self._swap = swap
        self._first = world.first_day
        self._today = world.moment(profile).today

    def campaigns(self) -> list[Entity]:
        """Every campaign, archived ones among them."""
        return [self._campaign(campaign) for campaign in self._profile.campaigns]

    def flights(self, campaign_id: str) -> list[Entity]:
        """A campaign's flights: one, of its whole life."""
        found = [campaign for campaign in self._profile.campaigns if campaign.id == campaign_id]
        return [
            {
                "CampaignFlightId": 40_000 + number,
                "CampaignId": campaign.id,
                "StartDateInclusiveUTC": f"{self._first}T00:00:00",
                "EndDateExclusiveUTC": None,
                "BudgetInAdvertiserCurrency": money(self._profile, campaign.budget_minor),
            }
            for number, campaign in enumerate(found)
        ]

    def ad_groups(self) -> list[Entity]:
        """Every ad group."""
        return [self._ad_group(campaign, group) for campaign in self._profile.campaigns for group in campaign.groups]

    def creatives(self) -> list[Entity]:
        """Every creative once, whatever the number of ad groups in which it runs."""
        found: dict[str, list[WorldAd]] = {}
        for _, _, ad in self._profile.ads():
            found.setdefault(ad.id, []).append(ad)
        return [self._creative(ads) for ads in found.values()]

    def _stamps(self) -> Entity:
        return {
            "CreatedAtUTC": f"{self._first}T08:00:00.0000000+00:00",
            "LastUpdatedAtUTC": f"{self._first}T08:00:00.0000000+00:00",
        }

    def _campaign(self, campaign: WorldCampaign) -> Entity:
        return {
            "CampaignId": campaign.id,
            "CampaignName": campaign.name,
            "AdvertiserId": self._profile.id,
            "Version": "Kokai",
            "Description": None,
            "Budget": {
                "Amount": money(self._profile, campaign.budget_minor * 90),
                "CurrencyCode": self._profile.currency,
            },
            "DailyBudget": {
                "Amount": money(self._profile, campaign.budget_minor),
                "CurrencyCode": self._profile.currency,
            },
            "StartDate": f"{self._first}T00:00:00",
            "EndDate": f"{self._ended(campaign)}T23:59:59" if campaign.status in _ARCHIVED else None,
            "TimeZone": "America/New_York",
            "PacingMode": "PaceEvenly",
            "PrimaryChannel": campaign.objective,
            "Availability": _availability(campaign.status),
            "CampaignConversionReportingColumns": reporting_columns(self._profile, self._today, self._swap),
            **self._stamps(),
        }

    def _ended(self, campaign: WorldCampaign) -> date:
        last = max(ad.flight[1] for group in campaign.groups for ad in group.ads)
        return date.fromordinal(self._first.toordinal() + last)

    def _ad_group(self, campaign: WorldCampaign, group: WorldAdGroup) -> Entity:
        bid = {"CurrencyCode": self._profile.currency}
        return {
            "AdGroupId": group.id,
            "AdGroupName": group.name,
            "CampaignId": campaign.id,
            "AdvertiserId": self._profile.id,
            "Description": None,
            "IsEnabled": group.status == "ACTIVE",
            "Availability": _availability(group.status),
            "ChannelId": campaign.objective,
            "FunnelLocation": "Awareness",
            "RTBAttributes": {
                "BaseBidCPM": bid | {"Amount": money(self._profile, self._profile.scale // 20)},
                "MaxBidCPM": bid | {"Amount": money(self._profile, self._profile.scale // 10)},
                "CreativeIds": [ad.id for ad in group.ads if ad.status not in _ARCHIVED],
            },
            **self._stamps(),
        }

    def _creative(self, ads: list[WorldAd]) -> Entity:
        """`ads`: the creative in each of its ad groups."""
        ad, slug = ads[0], ads[0].id
        page, clickthrough = ad.creative["page"], f"https://click.example/{slug}"
        audit: Entity = {"AuditStatus": "Approved", "ReasonForStatus": None}
        if ad.status == "PAUSED":  # it never delivered: the audit did not let it
            audit = _REJECTED if ad.number % 2 else {"AuditStatus": "Pending", "ReasonForStatus": None}
        image = {"Width": 300, "Height": 250, "ImageUrl": f"https://img.example/{PLATFORM}/{slug}.png"}
        attributes: dict[str, tuple[str, Entity]] = {
            "image": ("Image", {"ImageAttributes": image | {"ClickthroughUrl": clickthrough, "LandingPageUrl": page}}),
            "clickthrough": ("Image", {"ImageAttributes": image | {"ClickthroughUrl": page, "LandingPageUrl": None}}),
            "video": (
                "TradeDeskHostedVideo",
                {"TradeDeskHostedVideoAttributes": {"ClickthroughUrl": clickthrough, "LandingPageUrl": page}},
            ),
            "tag": (
                "ThirdPartyTag",
                {"ThirdPartyTagAttributes": {"AdTag": f"<ins id='{slug}'></ins>", "LandingPageUrls": [page]}},
            ),
        }
        kind, described = attributes[ad.creative["type"]]
        return {
            "CreativeId": ad.id,
            "CreativeName": ad.name,
            "AdvertiserId": self._profile.id,
            "Description": ad.creative["description"],
            "CreativeType": kind,
            **described,
            "CreativeAuditStatuses": [{"CreativeAuditor": "TheTradeDesk", **audit}],
            "FlightStartDateUTC": None,
            "FlightEndDateUTC": None,
            "Availability": _availability("ARCHIVED" if all(a.status in _ARCHIVED for a in ads) else "ACTIVE"),
            "ShareLink": f"https://preview.example/{slug}",
            **self._stamps(),
        }
