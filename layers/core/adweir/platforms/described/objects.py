"""Answers of a described API → ad accounts, campaigns, ad groups and ads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCampaign, AdGroup, PlatformObject, Profile, Status
from adweir.model.metrics import BadRow
from adweir.model.platforms import Platform
from adweir.model.times import is_zone
from adweir.platforms.connector import ObjectBatch, Page, PullContext, RawPage
from adweir.platforms.described.fields import FieldReader, Get
from adweir.platforms.described.ids import entity_of, profile_id
from adweir.platforms.described.language import DescribedList, NamedAccount, Spec
from adweir.platforms.described.rows import RecordEntry, entries
from adweir.platforms.described.served import served
from adweir.platforms.json_items import fault

_LABEL = "named"
"""The label of the page that holds the ad accounts which the spec itself names."""
_BATCH = 500
_WORDS = {
    Status.ACTIVE: "active enabled enable running live on valid delivering approved",
    Status.PAUSED: "paused disabled disable stopped inactive off suspended",
    Status.PENDING: "pending draft scheduled in_review pending_review not_started",
    Status.REJECTED: "rejected disapproved",
    Status.ENDED: "ended completed finished expired",
    Status.ARCHIVED: "archived",
    Status.REMOVED: "removed deleted",
}
_STATUSES = {word: status for status, words in _WORDS.items() for word in words.split()}
_NAMED = DescribedList(records="[]", fields={name: {"path": name} for name in NamedAccount.model_fields})


def named_accounts(spec: Spec) -> Page:
    """The ad accounts that the spec itself names, as a page."""
    named = [account.model_dump(mode="json") for account in spec.accounts.named]
    return Page(msgspec.json.encode(named), "", 200, last=True, label=_LABEL)


class DescribedObjects:
    """How the records of one list become objects."""

    def __init__(self, platform: Platform, spec: Spec, context: PullContext) -> None:
        self._platform, self._spec, self._context = platform, spec, context

    def batches(self, page: RawPage) -> Iterator[ObjectBatch]:
        """The objects of a page. Raises BadInput for one that cannot be read at all."""
        listing, make = self._maker(page)
        readers = {name: FieldReader(name, rule) for name, rule in listing.fields.items()}
        found = entries(page, listing)
        while chunk := list(islice(found, _BATCH)):
            objects: list[PlatformObject | Profile] = []
            bad: list[BadRow] = []
            for entry in chunk:
                values = _Values(readers, entry.get)
                try:
                    objects.append(make(values))
                except ValueError as error:
                    bad.append(_bad(entry, values, error))
            yield ObjectBatch(objects, bad)

    def _maker(self, page: RawPage) -> tuple[DescribedList, Callable[[_Values], PlatformObject | Profile]]:
        dataset = self._context.dataset
        if dataset is Dataset.PROFILES:
            listed = _NAMED if page.label == _LABEL else self._spec.accounts.listed
            return listed or _NAMED, self._profile
        makers: Mapping[Dataset, Callable[[_Values], PlatformObject]] = {
            Dataset.CAMPAIGNS: self._campaign,
            Dataset.AD_GROUPS: self._ad_group,
            Dataset.ADS: self._ad,
        }
        return self._spec.datasets[dataset], makers[dataset]

    def _profile(self, values: _Values) -> Profile:
        currency, zone = values.text("currency").upper(), values.text("timezone")
        if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            raise ValueError("currency", f"not a currency: {currency[:20]!r}")
        if not is_zone(zone):
            raise ValueError("timezone", f"not a time zone: {zone[:60]!r}")
        return Profile(
            account_id=self._context.account_id,
            platform=self._platform,
            profile_id=profile_id(self._context.route, values.text("id")),
            name=values.text("name"),
            currency=currency,
            timezone=zone,
            country=values.text("country")[:2].upper(),
            route=self._context.route,
            status_raw=values.text("status"),
            as_of=self._context.as_of,
            serves=served(self._spec),
        )

    def _campaign(self, values: _Values) -> AdCampaign:
        return AdCampaign(
            **self._common(values, campaign_id=values.id("id")),
            budget=self._money(values, "budget"),
            budget_type=values.text("budget_type"),
            objective=values.text("objective"),
        )

    def _ad_group(self, values: _Values) -> AdGroup:
        ids = {"campaign_id": values.id("campaign_id"), "ad_group_id": values.id("id")}
        return AdGroup(**self._common(values, **ids), bid=self._money(values, "bid"))

    def _ad(self, values: _Values) -> Ad:
        ids = {"campaign_id": values.id("campaign_id"), "ad_group_id": values.id("ad_group_id")}
        shown = ("headline", "description", "cta", "image_url", "video_url", "landing_page_url")
        return Ad(**self._common(values, **ids), **{name: values.text(name) or None for name in shown})

    def _common(self, values: _Values, **ids: str) -> dict[str, Any]:
        identity = values.id("id")
        if not identity:
            raise ValueError("id", "is required")
        raw = values.raw("status")
        word = values.text("status")
        return {
            "platform": self._platform,
            "profile_id": self._context.profile_id,
            "id": identity,
            "name": values.text("name"),
            "status": _STATUSES.get(word.lower(), Status.UNKNOWN),
            "status_raw": raw,
            "start_date": values.day("start_date", self._context.timezone),
            "end_date": values.day("end_date", self._context.timezone),
            "as_of": self._context.as_of,
            **ids,
        }

    def _money(self, values: _Values, name: str) -> int | None:
        return values.money(name, self._context.currency)


class _Values:
    """The values of one record by their canonical fields."""

    def __init__(self, readers: Mapping[str, FieldReader], get: Get) -> None:
        self._readers, self._get = readers, get

    def text(self, name: str) -> str:
        reader = self._readers.get(name)
        return reader.text(self._get) if reader else ""

    def raw(self, name: str) -> str:
        """The API's own word, before it is translated."""
        reader = self._readers.get(name)
        return reader.word(self._get) if reader else ""

    def id(self, name: str) -> str:
        return entity_of(self.text(name), name)

    def day(self, name: str, timezone: str) -> str:
        reader = self._readers.get(name)
        return reader.day(self._get, timezone) if reader and reader.word(self._get) else ""

    def money(self, name: str, currency: str) -> int | None:
        reader = self._readers.get(name)
        found = reader.amount(self._get, currency) if reader else None
        return None if found is None else found.micros


def _bad(entry: RecordEntry, values: _Values, error: ValueError) -> BadRow:
    identity = ""
    with suppress(ValueError):
        identity = values.id("id")
    raw = entry.raw if isinstance(entry.raw, dict | list) else {"value": entry.raw}
    return BadRow(entry.number, raw, [fault(error)], identity)
