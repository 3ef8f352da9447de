"""Google's pages → metric rows and catalog objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.entities import PlatformObject, Profile
from adweir.model.metrics import BadRow
from adweir.platforms import json_items, json_text
from adweir.platforms.connector import ObjectBatch, PullContext, RawPage, RowBatch, json_page
from adweir.platforms.google_ads import assets, changes, creatives, objects, pages, trees
from adweir.platforms.json_items import UNREADABLE, first


class GoogleNormalizer:
    """`platforms.connector.Normalizer` of Google Ads."""

    def metric_batches(self, page: RawPage, context: PullContext) -> Iterator[RowBatch]:
        """One batch per page, by column, row by row where one of them is faulty; or the sums of answers."""
        yield from pages.batches(page, context)

    def object_batches(self, page: RawPage, context: PullContext) -> Iterator[ObjectBatch]:
        """One batch per page."""
        if context.dataset is Dataset.CHANGES:
            yield changes.batch(page.stream.read(), context)
            return
        if context.dataset is Dataset.CREATIVES:
            yield creatives.batch(page.stream, page.label, context)
            return
        body, urls = assets.apart(page.stream.read(), page.label)
        label = "" if page.label == assets.LABEL else page.label
        batch = ObjectBatch([], [])
        for line, raw in enumerate(json_items.items(body, "results") or (), 1):
            try:
                found = _object(raw, context, label, urls)
            except (ValueError, OverflowError, *UNREADABLE) as error:
                batch.bad.append(_bad(line, raw, error, context.dataset, label))
            else:
                batch.objects.extend(found)
        yield batch

    def page_of(self, rows: Sequence[Mapping[str, Any]], context: PullContext) -> bytes:  # noqa: ARG002  all are alike
        """The rows under `results`; an answer without any has its field mask only."""
        return json_page(rows, "results").removesuffix(b"}") + b',"fieldMask":""}'

    def account_of(self, row: Mapping[str, Any]) -> str:
        """The customer, or the one in the name of the row's campaign (`customers/<id>/campaigns/<id>`)."""
        customer, campaign = row.get("customer"), row.get("campaign")
        if isinstance(customer, Mapping) and customer.get("id"):
            return str(customer["id"])
        name = str(campaign.get("resourceName") or "") if isinstance(campaign, Mapping) else ""
        return name.split("/")[1] if name.startswith("customers/") else ""


NORMALIZER = GoogleNormalizer()


def _object(raw: msgspec.Raw, context: PullContext, label: str, urls: objects.Urls) -> list[PlatformObject | Profile]:
    whole = msgspec.Raw(json_text.without_half_pairs(bytes(raw)))
    if context.dataset is Dataset.PROFILES:
        profile = trees.profile(whole, context, label)
        return [] if profile is None else [profile]
    return [objects.maker(context.dataset, label)(objects.decode_row(whole), context, urls)]


def _bad(line: int, raw: msgspec.Raw, error: Exception, dataset: Dataset, label: str) -> BadRow:
    """An object for quarantine, with its key where that can be read: then it does not count as gone."""
    decoded = json_items.loose(raw)
    if dataset is Dataset.PROFILES:
        key = first(decoded, ("customerClient.id", "customer.id")) or ""
    else:
        key = objects.key_of(decoded, dataset, label)
    return BadRow(line, decoded, [json_items.fault(error)], key)
