"""The sandbox's Amazon: whatever is asked, it does not fail, and takes no junk for a question."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.platforms.amazon_ads.lists import BRAND_CREATIVES, BRAND_TARGETS, CREATIVES_MEDIA, GOTTEN, POSTED
from support.amazon_caller import REPORT_MEDIA, AmazonCaller
from support.platform_server import running

JUNK: list[Any] = [
    True, 0, -1, 10**30, 1.5, "", "abc", "²", "1e9", "\ud800", [[]], [1], ["x"], {"a": {"b": 1}}, {"include": 1},
    {"include": [1]}, {"include": ["\ud800"]}, {"include": ["a"], "x": 1}, {"include": ["a"], "queryTermMatchType": []},
    [{"field": [], "values": 1}], [{"field": "campaignStatus", "values": [[]]}],
]  # fmt: skip
TEXTS = {"name", "keywordText", "locale"}


@pytest.fixture(scope="module")
def halden() -> Iterator[AmazonCaller]:
    with running() as server:
        yield AmazonCaller(server, "halden")


@pytest.mark.parametrize("path", POSTED)
def test_junk_in_a_list_s_body_is_refused(halden: AmazonCaller, path: str) -> None:
    asked = POSTED[path]
    headers = {"Content-Type": asked.media, "Accept": asked.media}
    for name in {*asked.filters, "maxResults", "nextToken", "includeExtendedDataFields", "nonsense"} - TEXTS:
        texts = name.endswith(("TextFilter", "nameFilter", "asinFilter"))
        for junk in JUNK:
            fits = (texts and junk == {"include": ["\ud800"]}) or (name.startswith("include") and junk is True)
            answer = halden.ask("POST", path, {name: junk}, headers)
            assert answer.status_code == (200 if fits else 400), (name, junk)
    assert {halden.ask("POST", path, junk, headers).status_code for junk in JUNK} == {400}


@pytest.mark.parametrize("path", BRAND_TARGETS)
def test_junk_in_a_typed_filter_is_refused(halden: AmazonCaller, path: str) -> None:
    for junk in JUNK:
        for filters in (
            junk,
            [{"filterType": junk, "values": ["1"]}],
            [{"filterType": "CAMPAIGN_ID", "values": junk}],
            [{"filterType": "TARGETING_STATE", "values": [junk]}],
        ):
            numbers = isinstance(junk, list) and junk == [1] and isinstance(filters, list) and filters != junk
            answer = halden.ask("POST", path, {"filters": filters})
            ids = numbers and filters[0]["filterType"] == "CAMPAIGN_ID"
            assert answer.status_code == (200 if ids else 400), filters


def test_junk_for_an_ad_is_refused(halden: AmazonCaller) -> None:
    headers = {"Accept": CREATIVES_MEDIA}
    answers = {halden.ask("POST", BRAND_CREATIVES, {"adId": junk}, headers).status_code for junk in JUNK}
    assert answers == {400, 404}


@pytest.mark.parametrize("path", GOTTEN)
def test_junk_in_a_query_is_refused(halden: AmazonCaller, path: str) -> None:
    for name in {*GOTTEN[path].filters, "startIndex", "count", "nonsense"} - TEXTS:
        for junk in ("", "abc", "-1", "1;2", "²", "9" * 40, "ENABLED"):
            assert halden.got(path, **{name: junk}).status_code == 400, (name, junk)


@pytest.mark.parametrize(
    "name", ["adProduct", "reportTypeId", "groupBy", "columns", "timeUnit", "format", "filters", "nonsense"]
)
def test_junk_in_a_report_s_configuration_is_refused(halden: AmazonCaller, name: str) -> None:
    configuration = {
        "adProduct": "SPONSORED_PRODUCTS",
        "reportTypeId": "spCampaigns",
        "groupBy": ["campaign"],
        "columns": ["date", "cost"],
        "timeUnit": "DAILY",
        "format": "GZIP_JSON",
    }
    for junk in JUNK:
        assert halden.create({**configuration, name: junk}).status_code == 400, junk


def test_junk_for_a_report_is_refused(halden: AmazonCaller) -> None:
    for junk in JUNK:
        for body in (junk, {"startDate": junk}, {"startDate": "2026-11-01", "endDate": junk, "configuration": {}}):
            answer = halden.ask("POST", "/reporting/reports", body, {"Content-Type": REPORT_MEDIA})
            assert answer.status_code == 400, body
