"""The stored metrics of a client with ad accounts on two platforms, and what publishes its media-mix datasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from adweir.insight.mmm.publish import Publisher
from adweir.model.campaigns import Campaign
from adweir.model.datasets import Dataset
from adweir.model.entities import Account, AdCampaign, Profile
from adweir.model.errors import NotFound
from adweir.model.media_mix import MediaMix
from adweir.model.metrics import Grain, Level, MetricRow, Source
from adweir.model.platforms import Platform
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window
from adweir.platforms import REGISTRY
from adweir.reporting.query import Queries
from adweir.runtime.app import App
from adweir.store.catalog.references import ReferenceRow
from adweir.store.catalog.store import Catalog
from adweir.store.metrics.store import PullRows
from support.clock import FrozenClock

META = Profile(
    account_id="acme", platform=Platform("meta_ads"), profile_id="11", name="Acme US", currency="USD", timezone="UTC"
)
AMAZON = META.model_copy(update={"platform": Platform("amazon_ads"), "profile_id": "22", "name": "Acme Amazon"})
EUROPE = META.model_copy(update={"profile_id": "33", "currency": "EUR"})
WINDOW = Window(date(2026, 11, 1), date(2026, 11, 19))


class StoryCatalog(Catalog):
    """The accounts and profiles of the story, and what their owners say."""

    def __init__(self, *profiles: Profile) -> None:
        super().__init__(FrozenClock())
        self._profiles = list(profiles)
        self.mix = MediaMix()
        self.own_campaigns: list[Campaign] = []
        self.listed: list[AdCampaign] = []
        self.said: Mapping[str, Sequence[ReferenceRow]] = {}

    def account(self, account_id: str) -> Account:
        company, contact = "Acme, Inc.", "data@acme.example"
        return Account(account_id="acme", company_name=company, primary_contact_email=contact, media_mix=self.mix)

    def profiles(self, account_id: str | None = None, platform: Platform | None = None) -> list[Profile]:
        return self._profiles

    def objects(self, platform: Platform, profile_id: str, dataset: Dataset) -> Iterator[Any]:
        own = (each for each in self.listed if (each.platform, each.profile_id) == (platform, profile_id))
        return own if dataset is Dataset.CAMPAIGNS else iter(())

    def campaign(self, campaign_id: str) -> Campaign:
        found = [each for each in self.own_campaigns if each.campaign_id == campaign_id]
        if not found:
            raise NotFound(f"there is no {campaign_id}")
        return found[0]

    def references(self, account_id: str, data_type: str, source: str = "") -> Iterator[ReferenceRow]:
        return iter(self.said.get(data_type, ()))


def pull(app: App, profile: Profile, slice_: str, window: Window, *rows: MetricRow) -> None:
    loaded = PullRows()
    for row in rows:
        loaded.offer(row)
    app.metrics.load(of_ads(profile, slice_, window), loaded)


def of_ads(profile: Profile, slice_: str, window: Window) -> Pull:
    return Pull(
        platform=profile.platform,
        profile_id=profile.profile_id,
        level=Level.AD,
        grain=Grain.DAY,
        source=Source.PULL,
        slice=slice_,
        window=window,
        stamp=Stamp.of(datetime(2026, 11, 20, 6, tzinfo=UTC), f"{profile.profile_id}{slice_}"),
        complete=True,
        currency=profile.currency,
        account_id=profile.account_id,
    )


def ad_day(entity: str, day: int, spend: int, product: str = "", currency: str = "") -> MetricRow:
    numbers = (1000 + day, 10, 1_500_000 + day, spend, 9_990_000)
    return MetricRow(entity, f"2026-11-{day:02}", *numbers, "c1", "g1", ad_product=product, currency=currency)


def publisher(app: App, *profiles: Profile) -> Publisher:
    return publisher_of(app, StoryCatalog(*profiles))


def publisher_of(app: App, catalog: StoryCatalog) -> Publisher:
    return Publisher(catalog, Queries(catalog, app.metrics, REGISTRY, app.clock), app.raw, app.clock)


def two_platforms(app: App) -> None:
    pull(app, META, "all", WINDOW, *(ad_day("g1~a1", day, day * 1_010_000) for day in range(1, 20)))
    pull(app, AMAZON, "sp", WINDOW, *(ad_day("g1~a2", day, day * 20_000, "sp") for day in range(1, 20, 2)))
    pull(app, AMAZON, "sb", WINDOW)
    pull(app, AMAZON, "sd", WINDOW)
