"""What the objects of an ad account are called, as metric rows show it, and which of them are called otherwise now."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from adweir.insight.parquet import CsvLines
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, Keyword, PlatformObject, Profile
from adweir.model.errors import TooLarge
from adweir.model.naming import landing_page
from adweir.reporting.object_names import OF_OBJECTS, name_of
from adweir.store.catalog.objects import object_key

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog

_UTM = ("source", "medium", "campaign", "content", "term")
COLUMNS: Mapping[str, str] = dict.fromkeys(
    (
        *("kind", "ad_group_id", "id", "name", "match_type", "base_url", "url_host", "url_path"),
        *(f"utm_{name}" for name in _UTM),
    ),
    "VARCHAR",
)
"""Of the file of names: column → SQL type. An object of a group has two rows: as one of its group, and without a group
where no other object of its id is called otherwise."""
_KINDS: Mapping[Dataset, str] = {
    dataset: column.removesuffix("_id") for column, (_, datasets) in OF_OBJECTS.items() for dataset in datasets
}
_IN_GROUPS = ("ad", "keyword")


class Renamed(NamedTuple):
    """The campaigns of which an object is called otherwise than before, and those of which one was not known."""

    renamed: frozenset[str]
    added: frozenset[str]


class ObjectNames:
    """The objects of an ad account, read once. Raises TooLarge, Unavailable."""

    def __init__(self, catalog: Catalog, profile: Profile, datasets: Iterable[Dataset]) -> None:
        self.objects: dict[Dataset, list[PlatformObject]] = {}
        count = 0
        for dataset in datasets:
            found = self.objects[dataset] = []
            for item in catalog.objects(profile.platform, profile.profile_id, dataset):
                count += 1
                if count > limits.MAX_CURATED_OBJECTS:
                    raise TooLarge(f"{profile.platform} {profile.profile_id} has more than {count - 1:,} objects")
                found.append(item)

    def digests(self) -> dict[str, dict[str, str]]:
        """Dataset → object → a text that differs where it is called otherwise."""
        return {
            dataset.value: {object_key(item): _digest(item) for item in items}
            for dataset, items in self.objects.items()
            if dataset in _KINDS
        }

    def compared(self, before: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]) -> Renamed:
        """What differs from earlier digests. An object never leaves the catalog."""
        renamed, added = set[str](), set[str]()
        for dataset, items in self.objects.items():
            known, fresh = before.get(dataset, {}), now.get(dataset, {})
            for item in items if dataset in _KINDS else ():
                key = object_key(item)
                campaign = item.id if dataset is Dataset.CAMPAIGNS else item.campaign_id
                if key not in known:
                    added.add(campaign)
                elif known[key] != fresh[key]:
                    renamed.add(campaign)
        return Renamed(frozenset(renamed), frozenset(added))

    def write(self, target: Path) -> None:
        """Write the file of names."""
        with target.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(CsvLines(file))
            writer.writerow(COLUMNS)
            writer.writerows(self._rows())

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for kind in dict.fromkeys(_KINDS.values()):
            items = [item for dataset in self.objects if _KINDS.get(dataset) == kind for item in self.objects[dataset]]
            alone: dict[str, set[tuple[str, ...]]] = {}
            for item in {(item.ad_group_id, item.id): item for item in items}.values():
                said = (name_of(item), item.match_type if isinstance(item, Keyword) else "", *_page(item))
                alone.setdefault(item.id, set()).add(said)
                if kind in _IN_GROUPS and item.ad_group_id:
                    yield kind, item.ad_group_id, item.id, *said
            yield from ((kind, "", item_id, *said.pop()) for item_id, said in alone.items() if len(said) == 1)


def _page(item: PlatformObject) -> tuple[str, ...]:
    """An ad's landing page, taken apart as dbt_ad_reporting does."""
    url = (item.landing_page_url or "") if isinstance(item, Ad) else ""
    found = landing_page(url) if url else None
    if found is None:
        return ("",) * (3 + len(_UTM))
    return url.partition("?")[0], found.host, found.path, *(found.utm.get(name, "") for name in _UTM)


def _digest(item: PlatformObject) -> str:
    page = (item.landing_page_url or "") if isinstance(item, Ad) else ""
    match = item.match_type if isinstance(item, Keyword) else ""
    return hashlib.blake2b("\x1f".join((name_of(item), match, page)).encode(), digest_size=6).hexdigest()
