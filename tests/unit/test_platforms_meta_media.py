"""What Meta's ads show: creatives, the images and videos that they name by hash and by id, and their rankings."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from facebook_business.adobjects.adcreative import AdCreative as SdkCreative
from facebook_business.adobjects.adimage import AdImage
from facebook_business.adobjects.adsinsights import AdsInsights
from facebook_business.adobjects.advideo import AdVideo

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, AdCreative, Credential, Status
from adweir.model.errors import BadInput, RequestRejected, Throttled
from adweir.model.tasks import Task
from adweir.platforms.connector import Connector, Page
from adweir.platforms.meta import client as meta
from adweir.platforms.meta import media, objects, wire
from adweir.platforms.meta.normalize import NORMALIZER
from support.meta_wire import context, error, page, stored
from support.platforms import META_ADS, wiring
from support.stub_http import Answer, Call, StubServer, serving

CREDENTIAL = Credential(account_id="acme", platform=META_ADS, secret_id="s")
HASH = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
VIDEO = {"object_story_spec": {"video_data": {"video_id": "777", "title": "Shoes"}}}
IMAGE = {"object_story_spec": {"link_data": {"image_hash": HASH, "link": "https://e.com"}}}


def task(dataset: Dataset = Dataset.ADS, slice_: str = "all") -> Task:
    return Task("r", "s", "acme", META_ADS, "1234567890", dataset, slice_, None, deadline=0)


def ad(identity: str, creative: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "adset_id": "222",
        "campaign_id": "111",
        "effective_status": "ACTIVE",
        "creative": creative,
    } | more


@contextmanager
def library(ads: list[dict[str, Any]], hidden: Collection[str] = ()) -> Iterator[StubServer]:
    """A server of ads, with images by hash and videos by id of which some may not be seen."""

    def found(call: Call) -> Answer:
        if call.path.endswith("adimages"):
            known = json.loads(call.query["hashes"])
            return Answer(200, page({"hash": name, "permalink_url": f"https://i/{name}.jpg"} for name in known))
        if "ids" in call.query:
            ids = call.query["ids"].split(",")
            if not set(ids).isdisjoint(hidden):
                return Answer(400, error(100, 33, "Unsupported get request"))
            return Answer(200, {name: {"id": name, "source": f"https://v/{name}.mp4"} for name in ids})
        return Answer(200, page(ads))

    with serving() as stub:
        stub.route = found
        yield stub


@pytest.fixture
def connect(clock: Any) -> Iterator[Any]:
    with requests.Session() as session:

        def made(server: StubServer) -> Connector:
            wired = wiring(META_ADS, session, clock, urls={"api": server.url})
            return meta.connect(credential=CREDENTIAL, secret={"access_token": "EAAG"}, wiring=wired)

        yield made


def read(pages: list[Page], dataset: Dataset = Dataset.ADS) -> list[Any]:
    found = []
    for one in pages:
        for batch in NORMALIZER.object_batches(stored(one.content()), context(dataset)):
            assert not batch.bad
            found += batch.objects
    return found


def test_ads_have_the_urls_of_their_images_and_videos(connect: Any) -> None:
    # given an ad with a video, one with an image that only has a hash, and one with a picture of its own
    own = {"image_hash": HASH, "image_url": "https://i/own.jpg"}
    with library([ad("1", VIDEO), ad("2", IMAGE), ad("3", own), ad("4", {})]) as server:
        # when they are pulled
        pages = list(connect(server).pages(task()))
    # then each is looked up once per page, and kept with the page
    assert [call.path.rpartition("/")[2] for call in server.calls] == ["ads", "adimages", ""]
    assert [(one.label, one.last) for one in pages] == [("with_media", True)]
    assert [(found.video_url, found.image_url) for found in read(pages)] == [
        ("https://v/777.mp4", None),
        (None, f"https://i/{HASH}.jpg"),
        (None, "https://i/own.jpg"),
        (None, None),
    ]


@pytest.mark.parametrize("value", [b"[" * 5_000 + b"]" * 5_000, b"NaN", rb'"\ud800"', b'"\xff"'])
def test_an_ad_that_no_decoder_takes_costs_no_other_its_image(connect: Any, value: bytes) -> None:
    # given a page with such an ad, and one whose image has only a hash
    with library([]) as server:
        images = server.route
        body = json.dumps(page([ad("1", {"title": "?"}), ad("2", IMAGE)])).replace(" ", "").encode()
        spoiled = Answer(200, body.replace(b'"?"', value))
        server.route = lambda call: spoiled if call.path.endswith("/ads") else images(call)
        # when it is pulled and read
        (one,) = connect(server).pages(task())
        (batch,) = NORMALIZER.object_batches(stored(one.content()), context(Dataset.ADS))
    # then the other ad has its image
    found: list[Any] = list(batch.objects)
    assert [(each.id, each.image_url) for each in found] == [("2", f"https://i/{HASH}.jpg")]
    assert [bad.entity_id for bad in batch.bad] in (["1"], [""])


def test_a_url_that_is_none_and_answers_that_say_nothing_are_left_out() -> None:
    body = json.dumps(page([ad("2", IMAGE), ad("3", VIDEO)])).encode()
    images = {"data": [{"hash": HASH, "permalink_url": "https://[::1/x"}]}

    whole = Page(media.together([body, json.dumps(images).encode(), b"nonsense"]), "", 200, last=True)

    assert [(found.image_url, found.video_url) for found in read([whole])] == [(None, None)] * 2


@pytest.mark.parametrize("body", [b'{"answers":[', b'{"answers":[]}', b'{"answers":[}', b'{"answers":[1'])
def test_a_page_that_only_begins_like_one_with_media_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput):
        list(NORMALIZER.object_batches(stored(body), context(Dataset.ADS)))


def test_a_page_that_names_no_media_stays_as_it_came(connect: Any) -> None:
    with library([ad("1", {"title": "Shoes"})]) as server:
        (one,) = connect(server).pages(task())
    assert (one.label, json.loads(one.content())["data"][0]["id"]) == ("", "1")
    assert len(server.calls) == 1


def test_a_video_that_may_not_be_seen_does_not_hide_the_others(connect: Any) -> None:
    ads = [ad(str(n), {"video_id": str(1000 + n)}) for n in range(60)]
    with library(ads, {"1007"}) as server:
        found = read(list(connect(server).pages(task())))
    assert [one.id for one in found if one.video_url is None] == ["7"]
    with library(ads, [str(1000 + n) for n in range(60)]) as closed:
        assert not any(one.video_url for one in read(list(connect(closed).pages(task()))))
    assert len(closed.calls) <= 10


def test_a_lookup_that_has_to_wait_pauses_the_pull(connect: Any) -> None:
    with library([ad("1", VIDEO)]) as server:
        server.script = [Answer(200, page([ad("1", VIDEO)])), Answer(400, error(17))]
        with pytest.raises(Throttled):
            list(connect(server).pages(task()))


def test_an_answer_that_is_no_json_is_left_out(connect: Any) -> None:
    with library([]) as server:
        server.script = [Answer(200, page([ad("1", VIDEO)])), Answer(200, b'{"777": {"source": "\\ud800"}}')]
        pages = list(connect(server).pages(task()))
    assert read(pages)[0].video_url is None


def test_the_permanent_url_of_a_video_is_a_path_on_facebook_com() -> None:
    answers = [
        b'{"data":[]}',
        b'{"777":{"permalink_url":"/acme/videos/777/"},"778":{},"x":7}',
        b"[]",
        b'{"data":[{"url":1},7]}',
    ]
    body, found = media.apart(media.together(answers))
    assert body == b'{"data":[]}'
    assert found == media.Media({}, {"777": "https://www.facebook.com/acme/videos/777/"})


@pytest.mark.parametrize(
    ("rankings", "relevance", "quality"),
    [
        (("ABOVE_AVERAGE", "AVERAGE", "BELOW_AVERAGE_35"), 4.0, 5.0),
        (("BELOW_AVERAGE_10", "BELOW_AVERAGE_20", "BELOW_AVERAGE_20"), 1.67, 1.0),
        (("UNKNOWN", "AVERAGE", "UNKNOWN"), 4.0, None),
        (("UNKNOWN", "UNKNOWN", "UNKNOWN"), None, None),
        ((), None, None),
    ],
)
def test_rankings_become_scores(rankings: tuple[str, ...], relevance: float | None, quality: float | None) -> None:
    names = wire.Diagnostics.__struct_fields__
    more = {"insights": {"data": [dict(zip(names, rankings, strict=True))]}} if rankings else {}
    (found,) = read([Page(json.dumps(page([ad("1", {}, **more)])).encode(), "", 200, last=True)])
    assert isinstance(found, Ad)
    assert (found.relevance_score, found.quality_score) == (relevance, quality)
    assert found.score_scale == ("1-5" if relevance else "")


def test_an_ad_without_delivery_has_all_of_its_content() -> None:
    content = {
        "title": "Shoes",
        "body": "Run.",
        "call_to_action_type": "SHOP_NOW",
        "image_url": "https://i",
        "link_url": "https://e",
    }
    (found,) = read([Page(json.dumps(page([ad("1", content)])).encode(), "", 200, last=True)])
    assert (found.headline, found.description, found.cta) == ("Shoes", "Run.", "SHOP_NOW")
    assert (found.image_url, found.landing_page_url, found.status) == ("https://i", "https://e", Status.ACTIVE)


def test_creatives_are_listed_with_their_content(connect: Any) -> None:
    creative = {
        "id": "444",
        "name": "Spring",
        "status": "WITH_ISSUES",
        "object_type": "VIDEO",
        "title": "Shoes",
    } | VIDEO
    with library([creative, {"id": "445", "status": "DELETED"}]) as server:
        pages = list(connect(server).pages(task(Dataset.CREATIVES)))
        with pytest.raises(RequestRejected):
            list(connect(server).pages(task(Dataset.CREATIVES, "campaign=111")))
    assert server.calls[0].path.endswith("/act_1234567890/adcreatives")
    assert "effective_status" not in server.calls[0].query
    first, second = read(pages, Dataset.CREATIVES)
    assert isinstance(first, AdCreative)
    assert (first.id, first.name, first.kind, first.status) == ("444", "Spring", "VIDEO", Status.REJECTED)
    assert (first.headline, first.video_url) == ("Shoes", "https://v/777.mp4")
    assert (second.status, second.headline) == (Status.REMOVED, None)


def test_the_fields_are_those_of_the_official_sdk() -> None:
    def known(kind: Any) -> set[str]:
        return {value for value in vars(kind.Field).values() if isinstance(value, str)}

    assert set(wire.ADCREATIVE_FIELDS.split(",")) <= known(SdkCreative)
    assert set(media.IMAGE_FIELDS.split(",")) <= known(AdImage)
    assert set(media.VIDEO_FIELDS.split(",")) <= known(AdVideo)
    assert set(wire.Diagnostics.__struct_fields__) <= known(AdsInsights)
    assert set(objects.STATUS) >= set().union(*wire.STATUSES.values())


def test_ads_whose_rankings_are_too_much_for_meta_come_without(connect: Any) -> None:
    # given an account for whose second page even the smallest question for rankings is too much
    second = [ad("2", {"title": "Two"})]

    def route(call: Call) -> Answer:
        if "after" not in call.query:
            return Answer(
                200, page([ad("1", {"title": "One"})], f"{server.url}{call.path}?after=x&fields={call.query['fields']}")
            )
        return Answer(500, error(1, 99)) if "insights" in call.query["fields"] else Answer(200, page(second))

    with library([]) as server:
        server.route = route
        pages = list(connect(server).pages(task()))
    # then its ads are listed without them, and no ad twice
    assert [one.headline for one in read(pages)] == ["One", "Two"]
    assert pages[-1].last
    assert [call.query["limit"] for call in server.calls] == ["100", "100", "50", "25", "100"]


def test_a_page_that_cannot_be_decoded_is_kept_as_it_came(connect: Any) -> None:
    body = b'{"data":[{"id":"1","name":"\\ud800"}],"paging":{"cursors":{"before":"a","after":"b"}}}'
    with library([]) as server:
        server.script = [Answer(200, body)]
        (one,) = connect(server).pages(task())
    assert (one.content(), one.label, len(server.calls)) == (body, "", 1)
