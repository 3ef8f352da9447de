"""Pulls by a spec: pages, and answers that are wrong, hostile or endless."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.errors import (
    BadInput,
    RequestRejected,
    TooMuchData,
    Transient,
)
from support.bounds import at_the_bound, refuses
from support.described_api import DAY, FIELDS, OF, api_of, paged
from support.stub_http import Answer, Call, StubServer, serving

# -- pages -----------------------------------------------------------------------------------------------------------


def test_page_numbers_go_on_until_an_empty_page(stub: StubServer) -> None:
    stub.route = paged(3, lambda _: {})
    paging = {"type": "page", "parameter": "page", "size_parameter": "size", "size": 50}

    pages = api_of(stub, paging=paging).pull(OF)

    assert [(call.query["page"], call.query["size"]) for call in stub.calls] == [(str(n), "50") for n in (1, 2, 3, 4)]
    assert [page.last for page in pages] == [False, False, False, True], "a short page is no end"
    assert [page.resume.rpartition(":")[2] for page in pages] == ["2", "3", "4", ""]


def test_a_named_last_page_saves_the_empty_one(stub: StubServer) -> None:
    stub.route = paged(3, lambda _: {"meta": {"pages": 3}})

    pages = api_of(stub, paging={"type": "page", "parameter": "page", "last_page": "meta.pages"}).pull(OF)

    assert [page.last for page in pages] == [False, False, True]


def test_cursors_go_into_the_body_where_the_spec_says_so_and_a_pull_goes_on_at_one(stub: StubServer) -> None:
    def route(call: Call) -> Answer:
        asked = json.loads(call.body)
        return Answer(200, {"rows": [DAY], "next": {"1": "2", "2": None}[asked["page"].get("after", "1")]})

    stub.route = route
    request = {"method": "POST", "path": "/stats", "json": {"page": {"size": 10}, "from": "{start}", "to": "{end}"}}
    paging = {"type": "cursor", "cursor": "next", "parameter": "page.after", "in": "body"}
    api = api_of(stub, request=request, paging=paging)

    pages = api.pull(OF)
    rest = api.pull(OF, resume=pages[0].resume)

    bodies = [json.loads(call.body)["page"] for call in stub.calls]
    assert bodies == [{"size": 10}, {"size": 10, "after": "2"}, {"size": 10, "after": "2"}]
    assert [page.last for page in pages] == [False, True]
    assert [page.last for page in rest] == [True]


@pytest.mark.parametrize("way", ["body", "relative", "header"])
def test_links_are_followed_and_carry_no_secret_into_what_is_stored(stub: StubServer, way: str) -> None:
    def route(call: Call) -> Answer:
        if "cursor" in call.query:
            return Answer(200, {"rows": []})
        host = "" if way == "relative" else stub.url
        link = f"{host}/v1/stats/77?cursor=2&api_key={call.query['api_key']}"
        if way == "header":
            return Answer(200, {"rows": [DAY]}, {"Link": f'<{stub.url}/v1/first>; rel="first", <{link}>; rel="next"'})
        return Answer(200, {"rows": [DAY], "next": link})

    stub.route = route
    paging = {"type": "link_header"} if way == "header" else {"type": "next_link", "link": "next"}
    api = api_of(stub, {"auth": {"type": "query", "parameter": "api_key"}}, paging=paging)

    pages = api.pull(OF)

    assert [page.last for page in pages] == [False, True]
    assert [call.query["api_key"] for call in stub.calls] == ["token-12345678"] * 2
    assert not any("token-12345678" in f"{page.content()!r}{page.url}{page.resume}" for page in pages)


def test_a_next_link_on_another_host_is_not_followed(stub: StubServer) -> None:
    with serving() as other:
        stub.route = lambda _: Answer(200, {"rows": [DAY], "next": f"{other.url}/v1/stats/77?cursor=2"})

        with pytest.raises(RequestRejected, match="another host"):
            api_of(stub, paging={"type": "next_link", "link": "next"}).pull(OF)

        assert not other.calls


@pytest.mark.parametrize("link", ["https://[", "//evil.example/x", "http://169.254.169.254/x", "file:///etc/passwd"])
def test_a_link_that_is_none_is_refused(stub: StubServer, link: str) -> None:
    stub.route = lambda _: Answer(200, {"rows": [DAY], "next": link})

    with pytest.raises(RequestRejected):
        api_of(stub, paging={"type": "next_link", "link": "next"}).pull(OF)

    assert len(stub.calls) == 1


@pytest.mark.parametrize(
    "paging",
    [
        {"type": "page", "parameter": "page"},
        {"type": "cursor", "cursor": "next", "parameter": "c"},
        {"type": "next_link", "link": "link"},
    ],
)
def test_pages_that_go_in_a_circle_end_the_pull(stub: StubServer, paging: dict[str, Any]) -> None:
    stub.route = lambda _: Answer(200, {"rows": [DAY], "next": "again", "link": "/v1/stats/77?again=1"})

    with pytest.raises(RequestRejected):
        api_of(stub, paging=paging).pull(OF)

    assert len(stub.calls) <= 3


@at_the_bound("MAX_DESCRIBED_PAGES", as_if=3)
def test_pages_have_an_end(stub: StubServer, monkeypatch: pytest.MonkeyPatch, size: int, *, fits: bool) -> None:
    monkeypatch.setattr(limits, "MAX_DESCRIBED_PAGES", 3)
    stub.route = paged(size, lambda _: {})

    with refuses(RequestRejected, fits=fits):
        api_of(stub, paging={"type": "page", "parameter": "page"}).pull(OF)


def test_numbers_are_asked_for_by_the_ids_of_a_list(stub: StubServer) -> None:
    def route(call: Call) -> Answer:
        if call.path.endswith("campaigns"):
            return Answer(200, {"rows": [{"id": each} for each in "abc"]})
        return Answer(200, {"rows": [DAY | {"id": each} for each in call.query["ids"].split(",")]})

    stub.route = route
    campaigns = {"request": {"path": "/campaigns"}, "records": "rows[]", "fields": {"id": "id"}}
    request = {"path": "/stats", "query": {"ids": "{ids}", "from": "{start}", "to": "{end}"}}
    daily = {"request": request, "records": "rows[]", "fields": FIELDS | {"campaign_id": "id"}}
    daily |= {"for_each": {"dataset": "campaigns", "batch": 2}}
    api = api_of(stub, {"datasets": {"campaigns": campaigns, "campaign_daily": daily}})

    pages = api.pull(Dataset.CAMPAIGN_DAILY)

    rows, _ = api.rows(pages, Dataset.CAMPAIGN_DAILY)
    assert [row.entity_id for row in rows] == ["a", "b", "c"]
    assert [page.last for page in pages] == [False, True]

    stub.route = lambda _: Answer(200, {"rows": []})
    none = api.pull(Dataset.CAMPAIGN_DAILY)
    assert [page.last for page in none] == [True], "without campaigns the pull is complete, too"
    assert api.rows(none, Dataset.CAMPAIGN_DAILY) == ([], [])


# -- answers that are wrong -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"<html>sorry</html>", b"", b"not json", b'{"rows": [', b'{"rows": null}', b'{"data": []}', b"[]",
     b'{"rows": {"a": 1}}', b'{"rows": ' + b"[" * 5000 + b"]" * 5000 + b"}"],
)  # fmt: skip
def test_another_answer_is_never_an_empty_one(stub: StubServer, body: bytes) -> None:
    stub.route = lambda _: Answer(200, body)

    with pytest.raises(Transient):
        api_of(stub).pull(OF)


def test_one_wrong_record_costs_itself_only(stub: StubServer) -> None:
    wrong: list[Any] = [
        5, None, [], "x", {"day": "never"}, DAY | {"views": "many"}, DAY | {"cost": [1]}, DAY | {"views": -1},
        DAY | {"cost": {"amount": 1}},
    ]  # fmt: skip
    stub.route = lambda _: Answer(200, {"rows": [*wrong, DAY]})

    rows, bad = api_of(stub).read(OF)

    assert [(row.impressions, row.spend) for row in rows] == [(-1, 1_250_000), (5, 1_250_000)], "rules refuse -1"
    assert len(bad) == 8
    keyed = [one for one in bad if one.entity_id and one.day]
    assert [one.slot[0] for one in keyed] == [None, 5, 5], "what can be read of a bad row is known"


def test_numbers_of_json_are_exact(stub: StubServer) -> None:
    stub.route = lambda _: Answer(200, b'{"rows": [{"day": "2026-11-01", "views": 5.0, "cost": 0.1234565}]}')

    rows, bad = api_of(stub).read(OF)

    assert not bad
    assert (rows[0].impressions, rows[0].spend) == (5, 123_456)
    assert rows[0].rounding is not None


def test_half_a_surrogate_pair_costs_nothing(stub: StubServer) -> None:
    stub.route = lambda _: Answer(200, b'{"rows": [{"day": "2026-11-01", "views": 5, "cost": 1, "name": "\\ud83d"}]}')

    assert len(api_of(stub).read(OF)[0]) == 1


@at_the_bound("MAX_DESCRIBED_BYTES", as_if=2000)
def test_a_page_has_a_size(stub: StubServer, monkeypatch: pytest.MonkeyPatch, size: int, *, fits: bool) -> None:
    monkeypatch.setattr(limits, "MAX_DESCRIBED_BYTES", 2000)
    body = json.dumps({"rows": [DAY]}).encode()
    stub.route = lambda _: Answer(200, body + b" " * (size - len(body)))

    with refuses(TooMuchData, fits=fits):
        api_of(stub).pull(OF)


def test_a_packed_answer_that_unpacks_without_end_is_refused(stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_DESCRIBED_BYTES", 1 << 20)
    bomb = gzip.compress(b" " * (8 << 20))
    stub.route = lambda _: Answer(200, bomb, {"Content-Encoding": "gzip"})

    with pytest.raises(TooMuchData):
        api_of(stub).pull(OF)


def test_a_csv_without_its_columns_is_refused(stub: StubServer) -> None:
    stub.route = lambda _: Answer(200, b"day,views\n2026-11-01,5\n")
    api = api_of(stub, records="", form={"type": "csv"})
    pages = api.pull(OF)

    with pytest.raises(BadInput, match="cost not there once"):
        api.rows(pages, OF)


NAMED = "day,views,cost,name\n2026-11-01,5,1.25,Größe €\n"


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (NAMED.encode("utf-8-sig"), {}),
        (NAMED.encode("utf-16"), {}),
        (NAMED.encode("utf-32"), {"encoding": "cp1252"}),
        (b"\xfe\xff" + NAMED.encode("utf-16-be"), {}),
        (NAMED.encode("utf-16-le"), {"encoding": "utf-16-le"}),
        (NAMED.encode("cp1252"), {"encoding": "cp1252"}),
    ],
)
def test_a_csv_is_read_in_the_encoding_of_its_mark_or_of_the_spec(
    stub: StubServer, body: bytes, form: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adweir.platforms.described.rows.CHUNK", 3)  # so that characters are cut
    stub.route = lambda _: Answer(200, body)
    where = {"name": ["Größe €"]}

    rows, bad = api_of(stub, records="", form={"type": "csv", **form}, where=where).read(OF)

    assert [(row.day, row.impressions, row.spend) for row in rows] == [("2026-11-01", 5, 1_250_000)]
    assert not bad


@pytest.mark.parametrize(
    ("body", "form", "says"),
    [
        (NAMED.encode("cp1252"), {}, "not UTF-8"),
        (NAMED.encode("utf-16")[:-1], {}, "not utf-16-le text"),
        (b"day,views,cost\n\x81", {"encoding": "cp1252"}, "not cp1252 text"),
    ],
)
def test_a_csv_in_another_encoding_is_refused_as_a_whole(
    stub: StubServer, body: bytes, form: dict[str, str], says: str
) -> None:
    stub.route = lambda _: Answer(200, body)
    api = api_of(stub, records="", form={"type": "csv", **form})
    pages = api.pull(OF)

    with pytest.raises(BadInput, match=says):
        api.rows(pages, OF)


def test_parts_of_one_day_are_added_up(stub: StubServer) -> None:
    stub.route = lambda _: Answer(200, {"rows": [DAY, DAY, DAY | {"day": "2026-11-02"}]})

    rows, _ = api_of(stub, add_up=True).read(OF)

    assert [(row.day, row.impressions, row.spend) for row in rows] == [
        ("2026-11-01", 10, 2_500_000), ("2026-11-02", 5, 1_250_000),
    ]  # fmt: skip


def test_rows_of_other_ad_accounts_are_left_out(stub: StubServer) -> None:
    stub.route = lambda _: Answer(200, {"rows": [DAY | {"account": 77}, DAY | {"account": 78}]})

    rows, bad = api_of(stub, fields=FIELDS | {"account_id": "account"}).read(OF)

    assert ([row.entity_id for row in rows], bad) == (["api~77"], [])


def test_an_answer_about_nobody_that_the_spec_names_is_refused_and_no_empty_day(stub: StubServer) -> None:
    stub.route = lambda _: Answer(200, {"rows": [DAY | {"account": 79}, DAY | {"account": 78}]})

    with pytest.raises(BadInput, match=r"no record is of an ad account that the spec names \(77.*the first is of '79'"):
        api_of(stub, fields=FIELDS | {"account_id": "account"}).read(OF)
