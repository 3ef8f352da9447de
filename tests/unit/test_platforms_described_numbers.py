"""Numbers of described APIs that would be wrong, or days that would be zero, without anybody noticing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any, NoReturn

import pytest
import requests
from botocore.exceptions import ClientError

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.errors import AdweirError, BadInput, RequestRejected, TooMuchData, Transient, Unprocessable
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms.connector import OwnTokens, Wiring
from adweir.platforms.described.buckets import BucketConnector
from adweir.platforms.described.language import checked_spec
from adweir.platforms.described.serving import DescribedCredential
from adweir.store.raw.feeds import SourceObjects
from support.clock import FrozenClock
from support.described_api import DAY, FIELDS, OF, WEEK, api_of
from support.stub_http import Answer, Call, StubServer

CSV: dict[str, Any] = {"form": {"type": "csv"}, "records": ""}
ONE_DAY = Window.parse("2026-11-01..2026-11-01")


def answering(stub: StubServer, body: Any, headers: dict[str, str] | None = None) -> None:
    stub.route = lambda _: Answer(200, body, headers or {})


# -- answers that seem to be whole ------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"\xef\xbb\xbf", b"\n\n"])
def test_a_file_without_a_header_is_no_file_without_rows(stub: StubServer, body: bytes) -> None:
    answering(stub, body)

    with pytest.raises((Transient, BadInput)):
        api_of(stub, **CSV).read(OF)


def test_an_empty_file_has_no_rows_where_the_spec_says_so(stub: StubServer) -> None:
    answering(stub, b"")

    assert api_of(stub, **CSV, null_is_empty=True).read(OF) == ([], [])


def test_a_header_alone_has_no_rows(stub: StubServer) -> None:
    answering(stub, b"day,views,cost\n")

    assert api_of(stub, **CSV).read(OF) == ([], [])


def test_what_should_be_a_list_within_a_record_is_not_taken_for_nothing(stub: StubServer) -> None:
    answering(stub, {"campaigns": [{"days": {"2026-11-01": DAY}}]})

    with pytest.raises(Transient, match="no list"):
        api_of(stub, records="campaigns[].days[]").read(OF)


def test_a_page_of_objects_without_days_is_not_the_last_one(stub: StubServer) -> None:
    def route(call: Call) -> Answer:
        page = int(call.query["page"])
        return Answer(200, {"campaigns": [{"id": page, "days": [DAY] if page != 2 else []}] if page < 4 else []})

    stub.route = route
    api = api_of(stub, records="campaigns[].days[]", paging={"type": "page", "parameter": "page"})

    assert len(api.read(OF)[0]) == 2
    assert [call.query["page"] for call in stub.calls] == ["1", "2", "3", "4"]


def test_an_offset_counts_what_pages_are_made_of(stub: StubServer) -> None:
    def route(call: Call) -> Answer:
        at = int(call.query["offset"])
        return Answer(200, {"campaigns": [{"id": n, "days": [DAY] * 2} for n in range(6)][at : at + 2], "total": 6})

    stub.route = route
    paging = {"type": "offset", "parameter": "offset", "total": "total"}

    api_of(stub, records="campaigns[].days[]", paging=paging).pull(OF)

    assert [call.query["offset"] for call in stub.calls] == ["0", "2", "4"]


@pytest.mark.parametrize(
    "header",
    [
        '<{next}>; title="a, b; c"; rel="next"',
        "<{next}>; rel='next'",
        '<{first}>; rel="first"; title="' + "y" * 9000 + '", <{next}>; rel="next"',
        '<{first}>; rel="first", <{next}>; rel=next',
    ],
)
def test_a_next_link_is_found_however_it_is_written(stub: StubServer, header: str) -> None:
    link = header.format(next=f"{stub.url}/v1/stats/77?c=2", first=f"{stub.url}/v1/stats/77")
    stub.route = lambda call: (
        Answer(200, {"rows": []}) if "c" in call.query else Answer(200, {"rows": [DAY]}, {"Link": link})
    )

    assert len(api_of(stub, paging={"type": "link_header"}).pull(OF)) == 2


@pytest.mark.parametrize(
    "paging",
    [{"type": "offset", "parameter": "at", "total": "end"}, {"type": "page", "parameter": "at", "last_page": "end"}],
)
def test_an_end_that_lies_before_the_records_is_none(stub: StubServer, paging: dict[str, Any]) -> None:
    answering(stub, {"rows": [DAY], "end": 0})

    with pytest.raises(Transient, match="beyond the end"):
        api_of(stub, paging=paging).pull(OF)


def test_an_empty_page_before_the_end_is_not_the_end(stub: StubServer) -> None:
    def route(call: Call) -> Answer:
        return Answer(200, {"rows": [] if call.query["at"] in {"1", "2"} else [DAY], "end": 3, "at": call.query["at"]})

    stub.route = route

    pages = api_of(stub, paging={"type": "page", "first": 1, "parameter": "at", "last_page": "end"}).pull(OF)

    assert [page.last for page in pages] == [False, False, True]
    with pytest.raises(Transient, match="says that there are 3"):
        api_of(stub, paging={"type": "offset", "parameter": "at", "total": "end"}).pull(OF)


@pytest.mark.parametrize("way", [{"where": {"level": ["total"]}}, {"fields": FIELDS | {"account_id": "level"}}])
@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_record_that_does_not_say_whose_it_is_is_not_left_out(
    stub: StubServer, way: dict[str, Any], form: str
) -> None:
    answering(stub, b"day,views,cost,level\n2026-11-01,5,1.25,\n" if form == "csv" else {"rows": [DAY]})
    if form == "csv" and "where" in way:
        answering(stub, b"day,views,cost\n2026-11-01,5,1.25\n")

    rows, bad = api_of(stub, **way | (CSV if form == "csv" else {})).read(OF)

    assert (len(rows), len(bad)) == (0, 1)


# -- a spec that is replaced amid a pull ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "paging",
    [
        None,
        {"type": "page", "parameter": "page"},
        {"type": "next_link", "link": "next"},
        {"type": "cursor", "cursor": "next", "parameter": "after"},
    ],
)
def test_a_pull_begins_anew_where_its_place_is_one_of_another_spec(stub: StubServer, paging: Any) -> None:
    answering(stub, {"rows": [DAY], "next": "abc"})
    before = api_of(stub, paging={"type": "cursor", "cursor": "next", "parameter": "cursor"})
    pages = iter(before.connect().pages(before.task(OF)))
    resume = next(pages).resume
    stub.calls.clear()
    stub.route = lambda _: Answer(200, {"rows": []})

    assert resume
    assert api_of(stub, paging=paging).pull(OF, resume=resume)[-1].last

    asked = stub.calls[0]
    assert asked.path == "/v1/stats/77"
    assert {name: asked.query[name] for name in asked.query if name != "page"} == {
        "from": "2026-11-01",
        "to": "2026-11-07",
    }


def test_days_that_the_replaced_spec_no_longer_asks_for_at_once_are_asked_for_apart(stub: StubServer) -> None:
    answering(stub, {"rows": [DAY]})

    with pytest.raises(TooMuchData, match="at most 1 days"):
        api_of(stub, window={"max_days": 1}).pull(OF)
    with pytest.raises(TooMuchData, match="at most 1 days"):
        reading(Folder("in/dt=2026-11-01/a.csv"), days=WEEK)

    assert not stub.calls


def test_an_answer_for_a_week_is_not_taken_for_its_first_day(stub: StubServer) -> None:
    answering(stub, {"rows": [DAY]})
    pages = api_of(stub).pull(OF)
    fields = {name: path for name, path in FIELDS.items() if name != "date"}

    with pytest.raises(BadInput, match="no date"):
        api_of(stub, fields=fields, window={"max_days": 1}).rows(pages, OF)


# -- what a spec cannot say -------------------------------------------------------------------------------------------


def spec_of(base: str = "https://api.example.com/v1", dataset: str = "account_daily", **daily: Any) -> dict[str, Any]:
    described = {"request": {"path": "/x", "query": {"a": "{start}", "b": "{end}"}}, "records": "r[]", "fields": FIELDS}
    named = [{"id": "77", "currency": "USD", "timezone": "America/New_York"}]
    return {"base_url": base, "accounts": {"named": named}, "datasets": {dataset: described | daily}}


@pytest.mark.parametrize(
    ("daily", "said"),
    [
        ({"request": {"path": "/x", "query": {"day": "{start}"}}}, "max_days"),
        ({"request": {"path": "/{end:%Y%m%d}.json"}, "window": {"max_days": 2}}, "max_days"),
        ({"add_up": True, "paging": {"type": "next_link", "link": "next"}}, "add_up"),
        ({"request": {"path": "/x", "headers": {"X-A": "a\r\nX-B: c"}}}, "pattern"),
    ],
)
def test_a_spec_whose_numbers_would_be_wrong_is_refused(daily: dict[str, Any], said: str) -> None:
    with pytest.raises(Unprocessable, match="refused") as refused:
        checked_spec(spec_of(**daily))

    assert said in str(refused.value.details)


@pytest.mark.parametrize(
    "daily",
    [
        {"request": {"path": "/x", "query": {"day": "{start}"}}, "window": {"max_days": 1}},
        {"request": {"path": "/x", "query": {"since": "{start}", "before": "{until}"}}},
        {"request": {"path": "/everything.json"}},
        {"add_up": True},
    ],
)
def test_a_spec_whose_numbers_are_right_is_taken(daily: dict[str, Any]) -> None:
    assert checked_spec(spec_of(**daily))


def test_keys_with_days_in_them_are_asked_for_day_by_day() -> None:
    bucket: dict[str, Any] = {"base": "s3://feed/in", "request": {"path": "/{start}_{end}.csv"}, **CSV}

    with pytest.raises(Unprocessable, match="max_days"):
        checked_spec(spec_of(**bucket))

    assert checked_spec(spec_of(**bucket, window={"max_days": 1}))


def test_for_each_reads_its_ids_from_json() -> None:
    listed = {"request": {"path": "/c.csv"}, "form": {"type": "csv"}, "fields": {"id": "id"}}
    request = {"path": "/x/{ids}", "query": {"a": "{start}", "b": "{end}"}}
    spec = spec_of(
        dataset="campaign_daily",
        request=request,
        for_each={"dataset": "campaigns"},
        fields=FIELDS | {"campaign_id": "id"},
    )
    spec["datasets"]["campaigns"] = listed

    with pytest.raises(Unprocessable, match="for_each"):
        checked_spec(spec)


@pytest.mark.parametrize("identity", ["..", ".", {"x": 1}, [5]])
def test_an_id_that_would_lead_elsewhere_or_is_none_is_not_asked_about(stub: StubServer, identity: Any) -> None:
    answering(stub, {"rows": [{"id": identity}]})
    request = {"path": "/x/{ids}/stats", "query": {"a": "{start}", "b": "{end}"}}
    daily = {"request": request, "records": "rows[]", "fields": FIELDS | {"campaign_id": "id"}}
    daily |= {"for_each": {"dataset": "campaigns"}}
    listed = {"request": {"path": "/campaigns"}, "records": "rows[]", "fields": {"id": "id"}}

    with pytest.raises(RequestRejected):
        api_of(stub, {"datasets": {"campaigns": listed, "campaign_daily": daily}}).pull(Dataset.CAMPAIGN_DAILY)

    assert [call.path for call in stub.calls] == ["/v1/campaigns"]


# -- parts on several answers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dataset", "of", "fine"),
    [
        ("campaign_daily", "campaigns", True),
        ("account_daily", "campaigns", False),
        ("campaign_daily", "ad_groups", False),
        ("ad_daily", "ad_groups", True),
    ],
)
def test_parts_are_added_up_only_where_one_request_brings_them_all(dataset: str, of: str, fine: bool) -> None:
    ids = {"campaign_id": "c", "ad_group_id": "g", "ad_id": "a"} if dataset != "account_daily" else {}
    spec = spec_of(dataset=dataset, add_up=True, for_each={"dataset": of}, fields=FIELDS | ids)
    spec["datasets"][of] = {
        "request": {"path": "/l"},
        "records": "r[]",
        "fields": {"id": "id"} | ({"campaign_id": "c"} if of == "ad_groups" else {}),
    }

    if fine:
        assert checked_spec(spec)
    else:
        with pytest.raises(Unprocessable, match="add_up"):
            checked_spec(spec)


# -- objects of a bucket ----------------------------------------------------------------------------------------------


class Folder:
    """Objects of one bucket."""

    def __init__(self, *keys: str) -> None:
        self.found = sorted(keys)
        self.given: list[str] = []

    def keys(self, _bucket: str, prefix: str, most: int) -> list[str]:
        return [key for key in self.found if key.startswith(prefix)][:most]

    def read(self, _bucket: str, key: str, _most: int) -> Iterator[bytes]:
        self.given.append(key)
        yield b"day,views,cost\n"


def reading(folder: Folder, resume: str = "", days: Window = ONE_DAY) -> list[bool]:
    """Whether each page is the last one."""
    spec = spec_of("s3://feed/in", request={"path": "/dt={start}/"}, window={"max_days": 1}, **CSV)
    clock = FrozenClock(datetime(2026, 11, 2, 12, tzinfo=UTC))
    wiring = Wiring(
        urls=lambda *_: "",
        session=requests.Session(),
        clock=clock,
        rng=Random(1),
        tokens=OwnTokens(clock),
        feeds=folder,
    )
    task = Task("r", "m", "a", Platform("internal"), "feed~77", Dataset.ACCOUNT_DAILY, ALL, days, 0, timezone="UTC")
    pages = BucketConnector("feed", checked_spec(spec), wiring).pages(task, resume)
    return [page.last for page in pages if page.content() or page.last]


def test_what_a_job_leaves_beside_its_files_is_not_read() -> None:
    day = "in/dt=2026-11-01/"
    folder = Folder(
        day, f"{day}_SUCCESS", f"{day}_temporary/0/a.csv", f"{day}.a.csv.crc", f"{day}a.csv", f"{day}b/c.csv"
    )

    assert reading(folder) == [False, True]
    assert folder.given == [f"{day}a.csv", f"{day}b/c.csv"]


def test_marks_alone_are_nothing_that_came() -> None:
    with pytest.raises(AdweirError, match="yet"):
        reading(Folder("in/dt=2026-11-01/_SUCCESS"))


def test_a_list_that_was_cut_off_is_refused_whatever_a_job_leaves_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows which files it lacks: their rows would be missing without a word."""
    monkeypatch.setattr(limits, "MAX_FEED_OBJECTS", 3)
    day = "in/dt=2026-11-01/"
    files = [f"{day}_SUCCESS", f"{day}a.csv", f"{day}b.csv"]

    assert reading(Folder(*files)) == [False, True]
    with pytest.raises(TooMuchData):
        reading(Folder(*files, f"{day}c.csv"))


class Replaced:
    """S3 as it answers for a key that a job took away after it was listed."""

    def get_object(self, **_: str) -> NoReturn:
        raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")


def test_a_file_that_goes_while_it_is_read_is_worth_another_try() -> None:
    with pytest.raises(Transient):
        list(SourceObjects(Replaced, "feed").read("feed", "in/a.csv", 100))


def test_a_pull_ends_where_nothing_is_left_after_its_place_and_begins_anew_where_the_place_is_gone() -> None:
    day = "in/dt=2026-11-01/"

    assert reading(Folder(f"{day}a.csv"), resume=f"{day}a.csv") == [True]
    assert reading(Folder(f"{day}a.csv", f"{day}b.csv"), resume="old/z.csv") == [False, True]


# -- ids are no secrets -----------------------------------------------------------------------------------------------


def test_an_id_of_a_credential_may_be_short_and_is_not_replaced_in_answers(stub: StubServer) -> None:
    DescribedCredential.check_secrets({"customer_id": "1234567"})
    answering(stub, {"rows": [DAY | {"customer": "12345678", "key": "abcdefgh"}]})
    ways = [{"type": "header", "header": f"X-{name[:3]}", "value": name} for name in ("customer_id", "app_key")]

    api = api_of(stub, {"auth": ways})
    api.secret = {"customer_id": "12345678", "app_key": "abcdefgh"}

    body = api.pull(OF)[0].content()
    assert b'"customer":"12345678"' in body.replace(b" ", b"")
    assert b"abcdefgh" not in body
    assert {"12345678", "abcdefgh"} < set(stub.calls[0].headers.values())


def test_a_further_secret_has_its_length() -> None:
    with pytest.raises(Unprocessable, match="pin"):
        DescribedCredential.check_secrets({"pin": "1234567"})


def test_pages_that_never_end_are_refused_whatever_they_say(stub: StubServer) -> None:
    answering(stub, {"wrapped": [{"rows": []}]})

    with pytest.raises(RequestRejected, match="alike"):
        api_of(stub, records="wrapped[].rows[]", paging={"type": "page", "parameter": "page"}).pull(OF)
