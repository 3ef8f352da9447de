"""What Performance Max shows, and the images and videos of an account."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import AdCreative, Status
from adweir.model.errors import TooLarge, Transient
from adweir.platforms.connector import ObjectBatch
from adweir.platforms.google_ads import added, creatives
from adweir.platforms.google_ads.client import GoogleConnector
from adweir.platforms.google_ads.normalize import NORMALIZER
from adweir.store.catalog.objects import object_key
from sandbox.platforms.google_ads.facts import ENUMS
from support.bounds import at_the_bound, refuses
from support.clock import FrozenClock
from support.google_wire import GoogleStub, connected, context, failed, page, query_of, task
from support.meta_wire import StoredPage
from support.stub_http import Answer, Call, StubServer

URL = "https://tpc.googlesyndication.com/simgad/1"


def group(number: str = "5", **changes: Any) -> dict[str, Any]:
    about = {"id": number, "name": "Shoes", "status": "ENABLED", "finalUrls": ["https://example.com/shoes"]}
    return {"campaign": {"id": "111"}, "assetGroup": about | changes}


def link(field: str, number: str = "9", status: str = "ENABLED", of: str = "5", **holds: Any) -> dict[str, Any]:
    asset = {"resourceName": f"customers/1/assets/{number}", "id": number} | holds
    return {"assetGroup": {"id": of}, "assetGroupAsset": {"fieldType": field, "status": status}, "asset": asset}


def text(words: str) -> dict[str, Any]:
    return {"textAsset": {"text": words}}


def read(groups: list[Any], links: list[Any]) -> ObjectBatch:
    parts = [("", json.dumps(page(groups)).encode()), ("links", json.dumps(page(links)).encode())]
    stored = StoredPage(1, io.BytesIO(b"".join(added.written(parts))), "+links")
    (found,) = NORMALIZER.object_batches(stored, context(Dataset.CREATIVES))
    return found


def one(groups: list[Any], links: list[Any]) -> AdCreative:
    (found,) = read(groups, links).objects
    assert isinstance(found, AdCreative)
    return found


def test_an_asset_group_shows_the_first_asset_of_each_field() -> None:
    found = one(
        [group()],
        [
            link("HEADLINE", "10", **text("later")),
            link("HEADLINE", "9", **text("first")),
            link("HEADLINE", "1", "PAUSED", **text("paused")),
            link("HEADLINE", "2", "REMOVED", **text("removed")),
            link("LONG_HEADLINE", "3", **text("long")),
            link("DESCRIPTION", **text("Find your pair.")),
            link("CALL_TO_ACTION_SELECTION", callToActionAsset={"callToAction": "SHOP_NOW"}),
            link("SQUARE_MARKETING_IMAGE", imageAsset={"fullSize": {"url": URL}}),
            link("YOUTUBE_VIDEO", youtubeVideoAsset={"youtubeVideoId": "abc"}),
            link("BUSINESS_NAME", **text("Acme")),
            link("HEADLINE", of="6", **text("another group's")),
        ],
    )
    assert (found.id, found.kind, found.campaign_id, found.status) == (
        "asset_group-5", "asset_group", "111", Status.ACTIVE,
    )  # fmt: skip
    assert (found.headline, found.description, found.cta) == ("first", "Find your pair.", "SHOP_NOW")
    assert (found.image_url, found.video_url) == (URL, "https://www.youtube.com/watch?v=abc")
    assert found.landing_page_url == "https://example.com/shoes"


def test_what_a_group_lacks_has_the_next_field_or_nothing() -> None:
    found = one([group(finalUrls=[], finalMobileUrls=["https://m.example.com"])], [link("LONG_HEADLINE", **text("x"))])
    assert (found.headline, found.description, found.landing_page_url) == ("x", None, "https://m.example.com")
    assert one([group(status="PAUSED")], [link("HEADLINE")]).headline is None


def test_the_fields_are_v26_s() -> None:
    named = (*creatives.HEADLINE, *creatives.DESCRIPTION, *creatives.CTA, *creatives.IMAGE, *creatives.VIDEO)
    assert set(named) <= set(ENUMS["AssetFieldType"])


def test_a_group_or_link_that_cannot_be_read_costs_itself_only_and_does_not_count_as_gone() -> None:
    found = read([group(), group("x"), group("7", name=7)], [link("HEADLINE", "?"), {"assetGroup": {"id": "5"}}])
    assert [each.line for each in found.bad] == [2, 3, 4, 5]
    assert [each.entity_id for each in found.bad] == ["", "asset_group-7", "asset_group-5", "asset_group-5"]
    (kept,) = found.objects
    assert isinstance(kept, AdCreative)
    assert object_key(kept) == "asset_group-5"


@at_the_bound("MAX_SUMMED_ROWS", as_if=2)
def test_as_many_groups_as_memory_holds(size: int, *, fits: bool) -> None:
    with refuses(TooLarge, fits=fits):
        assert len(read([group(str(number)) for number in range(1, size + 1)], []).objects) == size


def test_images_and_videos_are_creatives_of_their_own() -> None:
    image, video = {"imageAsset": {"fullSize": {"url": URL}}}, {"youtubeVideoAsset": {"youtubeVideoId": "v"}}
    rows = [
        {"asset": {"resourceName": "a/8", "id": "8", "name": "Red", "type": "IMAGE", **image}},
        {"asset": {"resourceName": "a/9", "id": "9", "type": "YOUTUBE_VIDEO", **video}},
        {"asset": {"resourceName": "a/x", "id": "x"}},
        {"asset": {"id": "10"}},
    ]
    stored = StoredPage(1, io.BytesIO(json.dumps(page(rows)).encode()), "media")
    (found,) = NORMALIZER.object_batches(stored, context(Dataset.CREATIVES))
    read_ones = [each for each in found.objects if isinstance(each, AdCreative)]
    assert [(each.id, each.kind, each.image_url, each.video_url) for each in read_ones] == [
        ("8", "image", URL, None),
        ("9", "youtube_video", None, "https://www.youtube.com/watch?v=v"),
    ]
    assert [each.entity_id for each in found.bad] == ["", "10"]


@pytest.fixture
def google(stub: StubServer, clock: FrozenClock) -> Iterator[tuple[GoogleConnector, GoogleStub]]:
    wire = GoogleStub(stub)
    with requests.Session() as session:
        yield connected(stub, session, clock), wire


def test_groups_and_their_links_are_one_page_and_the_media_another(google: tuple[GoogleConnector, GoogleStub]) -> None:
    connector, wire = google

    def answer(call: Call) -> Answer:
        rows = {"asset_group": [group()], "asset_group_asset": [link("HEADLINE", **text("x"))], "asset": []}
        return Answer(200, page(rows[query_of(call).partition(" FROM ")[2].split()[0]]))

    wire.route = answer
    pages = [(one.label, one.last, one.content()) for one in connector.pages(task(Dataset.CREATIVES))]
    assert [(label, last) for label, last, _ in pages] == [("+links", False), ("media", True)]
    assert [part["part"] for part in json.loads(pages[0][2])] == ["", "links"]
    assert len(wire.calls) == 3
    late = Answer(504, failed(504, "DEADLINE_EXCEEDED", {"internalError": "DEADLINE_EXCEEDED"}))
    wire.route = lambda _: late
    with pytest.raises(Transient):
        next(iter(connector.pages(task(Dataset.CREATIVES)))).content()
