"""Pages of a described API → metric rows and catalog objects, by the spec as it is stored now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adweir.model.errors import BadInput, NotFound, Unprocessable
from adweir.model.platforms import Platform
from adweir.platforms.connector import ObjectBatch, PullContext, RawPage, RowBatch, json_page
from adweir.platforms.described.language import Described, Spec, read_spec
from adweir.platforms.described.objects import DescribedObjects
from adweir.platforms.described.rows import batches


class DescribedNormalizer:
    """Implements `platforms.connector.Normalizer` for one platform whose APIs are described."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def metric_batches(self, page: RawPage, context: PullContext) -> Iterator[RowBatch]:
        """The records of a page."""
        spec = _spec(context)
        return batches(page, _described(spec, context), context, {account.id for account in spec.accounts.named})

    def object_batches(self, page: RawPage, context: PullContext) -> Iterator[ObjectBatch]:
        """The ad accounts, campaigns, ad groups or ads of a page."""
        return DescribedObjects(self._platform, _spec(context), context).batches(page)

    def page_of(self, rows: Sequence[Mapping[str, Any]], context: PullContext) -> bytes:  # noqa: ARG002  a seam
        """Rows as a list; only a spec without a path of records reads them."""
        return json_page(rows)

    def account_of(self, row: Mapping[str, Any]) -> str:  # noqa: ARG002  a seam
        """Nobody knows which of its fields names the ad account."""
        return ""


def _spec(context: PullContext) -> Spec:
    """The spec of the page's ad account. Raises BadInput where it is gone, or cannot be read by this version."""
    try:
        return read_spec(context.spec(context.route))
    except (NotFound, Unprocessable) as error:
        raise BadInput(f"the spec {context.route[:40]} cannot be used: {error.message}") from None


def _described(spec: Spec, context: PullContext) -> Described:
    found = spec.datasets.get(context.dataset)
    if found is None:
        raise BadInput(f"the spec {context.route[:40]} no longer describes {context.dataset}")
    return found
