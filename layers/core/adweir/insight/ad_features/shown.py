"""The newest rows as people and programs read them: page by page, exact numbers."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.model import limits
from adweir.store.dynamo.paging import from_token, to_token

if TYPE_CHECKING:
    from adweir.model.entities import Profile
    from adweir.store.catalog.store import Catalog
    from adweir.store.findings.features import AdFeatures

_LIST, _BETWEEN = "features", "\n"


class FeatureFilter(NamedTuple):
    """Whose rows; "" leaves nothing out."""

    account_id: str = ""
    platform: str = ""
    profile_id: str = ""
    level: str = ""
    campaign_id: str = ""
    ad_id: str = ""

    def keeps_profile(self, profile: Profile) -> bool:
        """Whether rows of an ad account are asked for."""
        return (
            self.account_id in {"", profile.account_id}
            and self.platform in {"", str(profile.platform)}
            and self.profile_id in {"", profile.shown_id, profile.profile_id}
        )

    def keeps(self, row: dict[str, Any]) -> bool:
        """Whether a row is asked for."""
        return self.campaign_id in {"", row["campaign_id"]} and self.ad_id in {"", row["ad_id"]}


class FeaturePages:
    """Lists the newest rows of the ad accounts that a catalog has."""

    def __init__(self, catalog: Catalog, store: AdFeatures) -> None:
        self._catalog = catalog
        self._store = store

    def page(self, only: FeatureFilter, limit: int, token: str = "") -> tuple[list[dict[str, Any]], str]:
        """At most `limit` rows, by ad account and entity, and the token of the next page, "" after the last.

        Raises BadInput for a token of another list, Unavailable.
        """
        rows, before = list[dict[str, Any]](), ""
        for seen, (place, row) in enumerate(self._rows(only, from_token(_LIST, token))):
            if len(rows) == limit or seen == limits.MAX_FEATURES_LOOKED_AT:
                return rows, to_token(_LIST, before)
            if only.keeps(row):
                rows.append(row)
            before = place
        return rows, ""

    def _rows(self, only: FeatureFilter, position: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The rows after a place, each with its own."""
        first, _, after = position.partition(_BETWEEN)
        every = self._catalog.profiles(account_id=only.account_id or None)
        for profile in sorted(filter(only.keeps_profile, every), key=lambda each: each.key):
            if profile.key >= first:
                begin = after if profile.key == first else ""
                for at, row in self._store.rows(profile.key, begin, only.level):
                    yield f"{profile.key}{_BETWEEN}{at}", row


def shown_row(row: dict[str, Any]) -> dict[str, Any]:
    """Floats as the shortest decimals that are the same floats."""
    return {name: Decimal(repr(value)) if isinstance(value, float) else value for name, value in row.items()}
