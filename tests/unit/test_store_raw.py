"""The raw store: what is written is what is read, and damage is noticed."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from adweir.model.datasets import Dataset
from adweir.model.errors import BadInput, NotFound, Unavailable
from adweir.model.platforms import Platform
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms.connector import Page
from adweir.store.raw.pages import PageSpool, pack, read_pages
from adweir.store.raw.store import PullHeader, RawStore

BUCKET = "adweir-data"
AS_OF = "2026-11-20T12:00:00.000000Z"


def header(**changes: Any) -> PullHeader:
    task = Task(
        run_id="r1",
        stage="metrics",
        account_id="acme",
        platform=Platform("meta_ads"),
        profile_id="123",
        dataset=Dataset.AD_DAILY,
        slice="all",
        window=Window(date(2026, 11, 1), date(2026, 11, 7)),
        deadline=0,
        timezone="America/New_York",
        currency="USD",
        as_of=AS_OF,
    )
    return replace(PullHeader.of(task), **changes)


@pytest.fixture
def store(aws: None) -> RawStore:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    return RawStore(s3, BUCKET)


pages_strategy = st.lists(
    st.builds(
        Page,
        st.binary(max_size=3000),
        st.sampled_from(["https://host/a?b=1", "https://host/", "not a url", "https://höst/ä\n"]),
        st.integers(100, 599),
        st.booleans(),
    ),
    max_size=6,
)


def spooled(pages: list[Page]) -> tuple[bytes, str]:
    spool = PageSpool()
    try:
        for page in pages:
            spool.write(page)
        digest = spool.finish().hex()
        spool.file.seek(0)
        return spool.file.read(), digest
    finally:
        spool.close()


class Source(io.BytesIO):
    """Gives few bytes at a time, as a network does."""

    def readinto(self, buffer: Any) -> int:
        return super().readinto(memoryview(buffer)[:700])


def read_all(data: bytes, digest: str = "") -> list[bytes]:
    return [page.stream.read() for page in read_pages(Source(data), digest)]  # type: ignore[arg-type]


@given(pages_strategy)
def test_pages_come_back_as_they_were_written(pages: list[Page]) -> None:
    # given pages in a spool
    data, digest = spooled(pages)
    # when they are read back
    read = [(p.number, p.url, p.status, p.stream.read()) for p in read_pages(Source(data), digest)]  # type: ignore[arg-type]
    # then nothing is lost, and one gunzip of the object reads every body
    assert [(n, s, b) for n, _, s, b in read] == [(i, p.status, p.content()) for i, p in enumerate(pages, 1)]
    assert all(page.content() in gzip.decompress(data) for page in pages)
    assert digest == hashlib.sha256(data).hexdigest()


@given(pages_strategy, st.integers(0, 10_000), st.integers(1, 7))
def test_pages_may_be_read_in_part_or_not_at_all(pages: list[Page], size: int, every: int) -> None:
    data, digest = spooled(pages)
    seen = []
    for page in read_pages(Source(data), digest):  # type: ignore[arg-type]
        if page.number % every == 0:
            page.stream.read(size)
        seen.append(page.number)
    assert seen == list(range(1, len(pages) + 1))


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=4), st.data())
def test_damage_anywhere_is_bad_input_and_never_silent(bodies: list[bytes], data: st.DataObject) -> None:
    # given a raw object that lost its end or had a byte changed
    pages = [Page(body, "https://h/", 200, last=False) for body in bodies]
    whole, digest = spooled(pages)
    position = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        damaged = whole[:position]
    else:
        flipped = whole[position] ^ data.draw(st.integers(1, 255))
        damaged = whole[:position] + bytes([flipped]) + whole[position + 1 :]
    # when it is read, then it says so
    with pytest.raises(BadInput):
        read_all(damaged, digest)


@pytest.mark.parametrize(
    "line",
    [b"{}\n", b"no json\n", b'{"length": -1}\n', b'{"length": 9}\nabc', b"x"],
)
def test_a_member_with_an_unreadable_header_is_bad_input(line: bytes) -> None:
    with pytest.raises(BadInput):
        read_all(gzip.compress(line))


@given(st.lists(st.binary(max_size=2000), max_size=8))
def test_a_body_in_chunks_comes_back_whole_and_with_its_label(chunks: list[bytes]) -> None:
    # given a page whose body comes in chunks, between two others; a block holds about 1,000 bytes
    whole = b"".join(chunks)
    around = Page(b"x", "https://h/", 200, last=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adweir.store.raw.pages._BLOCK", 1000)
        page = Page(iter(chunks), "https://h/f", 200, last=True, label="report", media="csv")
        data, digest = spooled([around, page, around])
    # when they are read back
    read = [(p.number, p.label, p.media, p.stream.read()) for p in read_pages(Source(data), digest)]  # type: ignore[arg-type]
    # then it is one page, as it was sent
    assert read == [(1, "", "json", b"x"), (2, "report", "csv", whole), (3, "", "json", b"x")]


def test_a_body_that_breaks_off_is_not_a_page() -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise Unavailable("the transfer broke")

    with pytest.raises(Unavailable):
        spooled([Page(broken(), "https://h/", 200, last=True)])


def test_a_page_that_was_not_read_to_its_end_is_skipped() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adweir.store.raw.pages._BLOCK", 10)
        data, digest = spooled(
            [Page(iter([b"a" * 10] * 5), "https://h/", 200, last=True)] * 1
            + [Page(b"last", "https://h/", 200, last=True)]
        )
    assert [page.stream.read(3) for page in read_pages(Source(data), digest)] == [b"aaa", b"las"]  # type: ignore[arg-type]


def test_secrets_never_reach_the_object() -> None:
    url = "https://u:p@host/v26.0/act_1/insights?limit=5&access_token=SECRET&appsecret_proof=PROOF&after=x"
    member = zlib.decompress(pack(Page(b"{}", url, 200, last=True), b"{}"), 31)
    assert member == (b'{"length":2,"url":"https://host/v26.0/act_1/insights?limit=5&after=x"}\n{}')


def test_a_fault_of_the_writer_thread_reaches_the_caller_and_blocks_nobody() -> None:
    # given a page that cannot be packed
    spool = PageSpool()
    spool.write(Page(b"x", "https://h/", 200, last=False, label=object()))  # type: ignore[arg-type]
    # when more pages follow than the queue holds, then a write or finish raises, and close returns
    with pytest.raises(TypeError):  # noqa: PT012  which call notices depends on the thread
        for _ in range(10):
            spool.write(Page(b"x", "https://h/", 200, last=False))
        spool.finish()
    spool.close()


def test_a_task_lands_exactly_one_object(store: RawStore) -> None:
    # given a committed pull
    with store.writer(header()) as writer:
        writer.write(Page(b'{"data": []}', "https://h/?access_token=SECRET", 200, last=True))
        key = writer.commit(complete=True)
    assert not writer.existed
    # when the same task writes again with other bytes
    with store.writer(header()) as again:
        again.write(Page(b"other", "https://h/", 200, last=True))
        assert again.commit(complete=False) == key
    # then the first one stays
    assert again.existed
    with store.open(key) as opened:
        assert opened.header == header(complete=True)
        assert opened.last_modified.tzinfo is not None
        assert [page.stream.read() for page in opened.pages()] == [b'{"data": []}']
    task = header().task_id
    assert key == f"raw/meta_ads/123/ad_daily/{task}.0.gz"
    assert store.metadata(key)["pages"] == "1"


def test_leaving_without_commit_puts_nothing(store: RawStore) -> None:
    with pytest.raises(RuntimeError, match="pull broke"), store.writer(header()) as writer:  # noqa: PT012
        writer.write(Page(b"half", "https://h/", 200, last=False))
        raise RuntimeError("pull broke")
    assert list(store.list("raw/")) == []


def test_a_large_pull_spills_to_disk_and_streams_back(store: RawStore) -> None:
    import random

    noise = random.Random(1).randbytes(6 << 20)
    with store.writer(header()) as writer:
        for start in range(0, len(noise), 1 << 20):
            writer.write(Page(noise[start : start + (1 << 20)], "https://h/", 200, last=False))
        key = writer.commit(complete=True)
    assert b"".join(page.stream.read() for page in store.open(key).pages()) == noise


def test_headers_survive_the_metadata() -> None:
    for head in (header(), header(complete=True), header(window=None, dataset=Dataset.PROFILES, profile_id="")):
        assert PullHeader.parse(head.metadata()) == head
        assert all(text.isascii() for text in head.metadata().values())
    assert header(profile_id="", dataset=Dataset.PROFILES).key.startswith("raw/meta_ads/@acme/profiles/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schema", "2"),
        ("platform", "My Space"),
        ("window", "yesterday"),
        ("complete", "yes"),
        ("as-of", "2026-11-20"),
        ("generation", ""),
    ],
)
def test_metadata_of_no_pull_is_bad_input(name: str, value: str) -> None:
    with pytest.raises(BadInput):
        PullHeader.parse(header().metadata() | {name: value})
    with pytest.raises(BadInput):
        PullHeader.parse({k: v for k, v in header().metadata().items() if k != name})


def test_a_pull_of_a_platform_that_this_version_does_not_know_can_be_read() -> None:
    assert PullHeader.parse(header().metadata() | {"platform": "myspace_ads"}).platform == "myspace_ads"


def test_the_header_knows_its_pull() -> None:
    pull = header(complete=True, generation=2).pull()
    assert (pull.profile_key, pull.complete, pull.generation, str(pull.stamp)) == (
        "meta_ads#123",
        True,
        2,
        f"{AS_OF}#{header().task_id}",
    )
    with pytest.raises(BadInput):
        header(dataset=Dataset.ADS).pull()


def test_an_object_without_metadata_is_bad_input(store: RawStore) -> None:
    store.put("raw/stray", b"x")
    with pytest.raises(BadInput):
        store.open("raw/stray")


def test_plain_objects(store: RawStore) -> None:
    assert store.put_once("a/1", b"one", {"k": "v"}, "text/plain")
    assert not store.put_once("a/1", b"two")
    store.put("a/2", io.BytesIO(b"line 1\nline 2\n"))
    assert store.get_bytes("a/1") == b"one"
    assert store.metadata("a/1") == {"k": "v"}
    with store.open_stream("a/2") as stream:
        assert list(stream) == [b"line 1\n", b"line 2\n"]
    assert [(o.key, o.size) for o in store.list("a/")] == [("a/1", 3), ("a/2", 14)]
    assert [o.key for o in store.list("a/", start_after="a/1")] == ["a/2"]
    assert store.exists("a/1")
    assert not store.exists("a/3")
    assert "a/1" in store.presign("a/1")
    for read in (store.get_bytes, store.open, store.open_stream):
        with pytest.raises(NotFound):
            read("a/3")


def test_a_presigned_url_downloads_a_file_of_its_own_name(store: RawStore) -> None:
    """So that no browser shows it as a page of the bucket's."""
    asked = dict(parse_qsl(urlsplit(store.presign("exports/2026/report.csv")).query))

    assert asked["response-content-disposition"] == 'attachment; filename="report.csv"'


def test_an_object_is_replaced_only_while_it_is_the_one_that_was_read(store: RawStore) -> None:
    # given an object that two have read
    assert store.tagged("folds/1") is None
    assert store.swap("folds/1", b"one", "")
    assert not store.swap("folds/1", b"other", "")
    body, tag = store.tagged("folds/1") or (b"", "")
    assert body == b"one"
    # when both replace it, then the second has to read it again
    assert store.swap("folds/1", b"two", tag)
    assert not store.swap("folds/1", b"three", tag)
    assert (store.tagged("folds/1") or (b"", ""))[0] == b"two"
    # and one that has expired since is not there to be replaced
    assert not store.swap("folds/2", b"two", tag)


@pytest.mark.parametrize("code", ["PreconditionFailed", "412", "ConditionalRequestConflict", "409", "NoSuchKey"])
def test_a_replacement_that_came_too_late_is_no_fault(code: str) -> None:
    assert not RawStore(Refusing(code), "b").swap("k", b"body", "tag")  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["SlowDown", "timeout", "NoSuchBucket"])
def test_a_replacement_that_s3_refuses_is_unavailable_or_names_what_is_missing(code: str) -> None:
    with pytest.raises(NotFound if code == "NoSuchBucket" else Unavailable):
        RawStore(Refusing(code), "b").swap("k", b"body", "tag")  # type: ignore[arg-type]


class Refusing:
    """An S3 that answers `put_object` with the given codes in turn, then accepts."""

    def __init__(self, *codes: str) -> None:
        self.codes = list(codes)
        self.bodies: list[bytes] = []

    def put_object(self, *, Body: Any, **_: Any) -> None:  # noqa: N803
        self.bodies.append(Body if isinstance(Body, bytes) else Body.read())
        if self.codes:
            code = self.codes.pop(0)
            if code == "timeout":
                raise ReadTimeoutError(endpoint_url="s3")
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "PutObject")


def test_a_conflicting_put_is_tried_again_with_the_whole_body() -> None:
    s3 = Refusing("ConditionalRequestConflict")
    assert RawStore(s3, "b").put_once("k", io.BytesIO(b"body"))  # type: ignore[arg-type]
    assert s3.bodies == [b"body", b"body"]


@pytest.mark.parametrize("codes", [("SlowDown",), ("timeout",), ("ConditionalRequestConflict",) * 3])
def test_a_put_that_s3_refuses_is_unavailable(codes: tuple[str, ...]) -> None:
    with pytest.raises(Unavailable):
        RawStore(Refusing(*codes), "b").put_once("k", io.BytesIO(b"body"))  # type: ignore[arg-type]


def test_a_download_that_breaks_off_is_unavailable() -> None:
    class Breaking:
        def read(self, _: int) -> bytes:
            raise ReadTimeoutError(endpoint_url="s3")

        def close(self) -> None:
            self.closed = True

    class S3:
        def get_object(self, **_: Any) -> Any:
            from datetime import UTC, datetime

            return {"Body": Breaking(), "Metadata": header().metadata(), "LastModified": datetime.now(UTC)}

    with pytest.raises(Unavailable):
        next(RawStore(S3(), "b").open("k").pages())  # type: ignore[arg-type]


def test_a_part_that_names_parts_of_its_own_is_refused(store: RawStore) -> None:
    # given an object that names a part, and a part that was altered to name itself
    whole = header(parts=(1,))
    body = pack(Page(b"[]", "", 200, last=True), b"[]")
    for key in (whole.key, whole.part_key(1)):
        store.put(key, body, whole.metadata())
    # when it is read, then it is refused
    with store.open(whole.key) as opened, pytest.raises(BadInput, match="no parts of its own"):
        list(opened.pages())


@pytest.mark.parametrize("line", [b'{"length":2,"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}", b'{"length":-1}', b"NaN"])
def test_a_page_whose_header_cannot_be_read_is_refused(line: bytes) -> None:
    with pytest.raises(BadInput, match="header"):
        list(read_pages(io.BytesIO(gzip.compress(line + b"\n[]"))))  # type: ignore[arg-type]  # as raw as a download
