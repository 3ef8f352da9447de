"""What stands apart from ads: asset groups of Performance Max with what they show, and the account's images and videos.

An asset group has no ad. Google makes ads of its assets, each linked with the field that it fills, so a creative shows
the first asset of each field: one that is on before one that is paused, then the lowest id. The groups and their links
are two answers on one page (`added`); a link comes with its asset's attributes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

import msgspec

from adweir.model import limits
from adweir.model.entities import AdCreative, Status
from adweir.model.errors import TooLarge
from adweir.model.metrics import BadRow
from adweir.platforms import json_items, json_text
from adweir.platforms.connector import ObjectBatch, PullContext
from adweir.platforms.google_ads import SPEC, added
from adweir.platforms.google_ads.added import OWN, PartLabel
from adweir.platforms.google_ads.assets import GoogleAsset
from adweir.platforms.google_ads.queries import MEDIA
from adweir.platforms.google_ads.rows import ASSET_GROUP
from adweir.platforms.json_items import UNREADABLE, first

# The fields of an asset group's links (`AssetFieldType`), best first.
HEADLINE = ("HEADLINE", "LONG_HEADLINE")
DESCRIPTION = ("DESCRIPTION", "LONG_DESCRIPTION")
CTA = ("CALL_TO_ACTION_SELECTION", "CALL_TO_ACTION")
IMAGE = ("MARKETING_IMAGE", "SQUARE_MARKETING_IMAGE", "PORTRAIT_MARKETING_IMAGE", "TALL_PORTRAIT_MARKETING_IMAGE")
VIDEO = ("YOUTUBE_VIDEO", "VIDEO")
KIND = "asset_group"
_STATUS = {"ENABLED": Status.ACTIVE, "PAUSED": Status.PAUSED, "REMOVED": Status.REMOVED}


class _Text(msgspec.Struct, gc=False):
    text: str = ""


class LinkedAsset(GoogleAsset, rename="camel"):
    """An asset with what it holds."""

    id: str = ""
    name: str = ""
    type: str = ""
    text_asset: _Text = msgspec.field(default_factory=_Text)

    @property
    def shown(self) -> str:
        """Its text, its call to action, or its URL."""
        return self.text_asset.text or self.call_to_action_asset.call_to_action or self.url


class _AssetGroup(msgspec.Struct, rename="camel"):
    id: str = ""
    name: str = ""
    status: str = ""
    final_urls: list[str] = []
    final_mobile_urls: list[str] = []


class _Campaign(msgspec.Struct, gc=False):
    id: str = ""


class _GroupRow(msgspec.Struct, rename="camel"):
    asset_group: _AssetGroup
    campaign: _Campaign = msgspec.field(default_factory=_Campaign)


class _Link(msgspec.Struct, gc=False, rename="camel"):
    field_type: str = ""
    status: str = ""


class _LinkRow(msgspec.Struct, rename="camel"):
    asset_group: _AssetGroup
    asset_group_asset: _Link
    asset: LinkedAsset


class MediaRow(msgspec.Struct):
    asset: LinkedAsset


_group = msgspec.json.Decoder(_GroupRow).decode
_link = msgspec.json.Decoder(_LinkRow).decode
_media = msgspec.json.Decoder(MediaRow).decode


class _Shown(NamedTuple):
    """What fills a field, and how it is ordered among others that could."""

    order: tuple[bool, int]
    text: str


class _AssetGroups:
    """The asset groups of a page, and the first asset of each of their fields."""

    def __init__(self) -> None:
        self.rows: list[_GroupRow] = []
        self.shown: dict[tuple[str, str], _Shown] = {}

    def take(self, part: str, raw: msgspec.Raw) -> None:
        """Read a row. Raises ValueError (field, message) or what decoding raises, TooLarge for too many."""
        if len(self.rows) + len(self.shown) >= limits.MAX_SUMMED_ROWS:
            raise TooLarge(f"the list has more than {limits.MAX_SUMMED_ROWS} asset groups and fields of them")
        whole = json_text.without_half_pairs(bytes(raw))
        if part == OWN:
            row = _group(whole)
            _check_id(row.asset_group.id, "asset_group.id")
            _check_id(row.campaign.id, "campaign.id")
            self.rows.append(row)
            return
        found = _link(whole)
        _check_id(found.asset_group.id, "asset_group.id")
        _check_id(found.asset.id, "asset.id")
        link = found.asset_group_asset
        if link.status != "REMOVED" and found.asset.shown:
            key = found.asset_group.id, link.field_type
            mine = _Shown((link.status != "ENABLED", int(found.asset.id)), found.asset.shown)
            self.shown[key] = min(mine, self.shown.get(key, mine))

    def creatives(self, context: PullContext) -> Iterator[AdCreative]:
        """A creative per asset group."""
        for row in self.rows:
            group = row.asset_group
            yield AdCreative(
                platform=SPEC.name,
                profile_id=context.profile_id,
                id=f"{ASSET_GROUP}{group.id}",
                name=group.name,
                status=_STATUS.get(group.status, Status.UNKNOWN),
                status_raw=group.status,
                campaign_id=row.campaign.id,
                ad_group_id=f"{ASSET_GROUP}{group.id}",
                as_of=context.as_of,
                kind=KIND,
                headline=self._first(group, HEADLINE),
                description=self._first(group, DESCRIPTION),
                cta=self._first(group, CTA),
                image_url=self._first(group, IMAGE),
                video_url=self._first(group, VIDEO),
                landing_page_url=next(iter([*group.final_urls, *group.final_mobile_urls]), None),
            )

    def _first(self, group: _AssetGroup, fields: Sequence[str]) -> str | None:
        found = (self.shown.get((group.id, name)) for name in fields)
        return next((each.text for each in found if each), None)


def batch(stream: BinaryIO, label: str, context: PullContext) -> ObjectBatch:
    """The creatives of a page. Raises BadInput."""
    if label == MEDIA:
        return _of_media(stream.read(), context)
    has_parts = bool(PartLabel.parse(label).parts)
    return _of_groups(added.read(stream) if has_parts else [(OWN, stream.read())], context)


def _of_groups(parts: Iterable[tuple[str, bytes]], context: PullContext) -> ObjectBatch:
    """Asset groups with what they show."""
    groups, bad = _AssetGroups(), list[BadRow]()
    line = 0
    for part, answer in parts:
        for raw in json_items.items(answer, "results") or ():
            line += 1
            try:
                groups.take(part, raw)
            except (ValueError, *UNREADABLE) as error:
                bad.append(_bad(line, raw, error))
    return ObjectBatch(list(groups.creatives(context)), bad)


def _of_media(body: bytes, context: PullContext) -> ObjectBatch:
    """Images and videos."""
    found = ObjectBatch([], [])
    for line, raw in enumerate(json_items.items(body, "results") or (), 1):
        try:
            asset = _media(json_text.without_half_pairs(bytes(raw))).asset
            _check_id(asset.id, "asset.id")
        except (ValueError, *UNREADABLE) as error:
            decoded = json_items.loose(raw)
            key = first(decoded, ("asset.id",)) or ""
            found.bad.append(BadRow(line, decoded, [json_items.fault(error)], key if _is_id(key) else ""))
            continue
        is_image = bool(asset.image_asset.full_size.url)
        found.objects.append(
            AdCreative(
                platform=SPEC.name,
                profile_id=context.profile_id,
                id=asset.id,
                name=asset.name,
                status=Status.ACTIVE,
                as_of=context.as_of,
                kind=asset.type.lower(),
                image_url=asset.url or None if is_image else None,
                video_url=None if is_image else asset.url or None,
            )
        )
    return found


def _bad(line: int, raw: msgspec.Raw, error: Exception) -> BadRow:
    """A group or a link for quarantine, with the group's key: then it does not count as gone."""
    decoded: Mapping[str, Any] = json_items.loose(raw)
    group = first(decoded, ("assetGroup.id",)) or ""
    return BadRow(line, decoded, [json_items.fault(error)], f"{ASSET_GROUP}{group}" if _is_id(group) else "")


def _is_id(text: str) -> bool:
    return text.isdecimal() and text.isascii()


def _check_id(text: str, name: str) -> None:
    if not _is_id(text):
        raise ValueError(name, f"not an id: {text[:40]!r}")
