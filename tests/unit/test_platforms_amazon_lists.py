"""The lists of objects: paging, several lists per dataset, what stands for the end, where a pull goes on."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.errors import RequestRejected, Transient
from adweir.platforms import REGISTRY
from adweir.platforms.amazon_ads.client import AmazonConnector
from adweir.platforms.connector import Mode, ReportState
from support.amazon_stub import AmazonStub, Answer, amazon_stub, connected, task
from support.clock import FrozenClock
from support.platforms import AMAZON_ADS


@pytest.fixture
def stub() -> Iterator[AmazonStub]:
    with amazon_stub() as server:
        yield server


@pytest.fixture
def amazon(stub: AmazonStub, clock: FrozenClock) -> Iterator[AmazonConnector]:
    with requests.Session() as session:
        yield connected(stub, session, clock)


class TestLists:
    def test_profiles_are_asked_without_a_scope(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        stub.profiles = [{"profileId": 1}]
        (page,) = amazon.profiles()
        (seen,) = stub.requests("/v2/profiles")
        assert page.last
        assert "amazon-advertising-api-scope" not in seen.headers
        assert seen.headers["amazon-advertising-api-clientid"] == "amzn1.x"

    def test_a_list_is_paged_to_its_end_with_vendor_types_and_scope(
        self, amazon: AmazonConnector, stub: AmazonStub
    ) -> None:
        stub.lists["/sp/keywords/list"] = [{"keywordId": str(i)} for i in range(250)]
        pages = list(amazon.pages(task(Dataset.KEYWORDS)))
        assert [page.last for page in pages] == [False, False, True]
        seen = stub.requests("/sp/keywords/list")
        assert {s.headers["accept"] for s in seen} == {"application/vnd.spKeyword.v3+json"}
        assert {s.headers["amazon-advertising-api-scope"] for s in seen} == {"123"}
        assert seen[0].json() == {"maxResults": 100, "stateFilter": {"include": ["ENABLED", "PAUSED", "ARCHIVED"]}}

    @pytest.mark.parametrize(
        ("dataset", "slice_"),
        [
            (dataset, slice_)
            for dataset, spec in REGISTRY.datasets(AMAZON_ADS).items()
            if dataset not in {Dataset.INVOICES, Dataset.STREAMS}  # asked about in tests of their own
            for slice_ in spec.slices
        ],
    )
    def test_every_dataset_and_slice_can_be_asked(
        self, amazon: AmazonConnector, stub: AmazonStub, dataset: Dataset, slice_: str
    ) -> None:
        asked = task(dataset, slice_)
        if dataset is Dataset.PROFILES:
            assert [page.last for page in amazon.profiles()] == [True]
        elif amazon.mode(asked) is Mode.PAGES:
            *before, last = [page.last for page in amazon.pages(asked)]
            assert (any(before), last) == (False, True)
        else:
            assert amazon.create_report(asked).state is ReportState.PENDING

    @pytest.mark.parametrize(("path", "asked"), [("/sp/keywords/list", "sp"), ("/sd/campaigns", "sd")])
    def test_a_list_goes_on_behind_the_page_it_had(
        self, amazon: AmazonConnector, stub: AmazonStub, path: str, asked: str
    ) -> None:
        stub.lists[path] = [{"campaignId": str(i)} for i in range(250)]
        listed = task(Dataset.KEYWORDS if asked == "sp" else Dataset.CAMPAIGNS, asked)
        first, *rest = amazon.pages(listed)
        again = list(amazon.pages(listed, first.resume))
        assert [(page.body, page.last) for page in again] == [(page.body, page.last) for page in rest]

    def test_display_campaigns_are_paged_by_position(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        stub.lists["/sd/campaigns"] = [{"campaignId": i} for i in range(100)]
        assert [page.last for page in amazon.pages(task(Dataset.CAMPAIGNS, "sd"))] == [False, True]

    def test_a_server_that_ignores_the_position_gives_an_incomplete_list_instead_of_an_endless_one(
        self, amazon: AmazonConnector, stub: AmazonStub
    ) -> None:
        stub.script("/sd/campaigns", *[Answer(200, [{"campaignId": 1}] * 100)] * 3)
        assert [page.last for page in amazon.pages(task(Dataset.CAMPAIGNS, "sd"))] == [False]

    def test_a_server_that_does_not_page_gives_all_at_once(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        stub.script("/sd/campaigns", Answer(200, [{}] * 140))
        assert [page.last for page in amazon.pages(task(Dataset.CAMPAIGNS, "sd"))] == [True]

    def test_a_next_token_that_repeats_itself_is_a_fault(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        stub.script("/sp/campaigns/list", *[Answer(200, {"campaigns": [], "nextToken": "a"})] * 2)
        with pytest.raises(Transient, match="nextToken"):
            list(amazon.pages(task(Dataset.CAMPAIGNS)))

    def test_a_list_that_stops_short_of_its_own_total_is_not_complete(
        self, amazon: AmazonConnector, stub: AmazonStub
    ) -> None:
        stub.script("/sp/campaigns/list", Answer(200, {"campaigns": [{}], "totalResults": 2}))
        assert [page.last for page in amazon.pages(task(Dataset.CAMPAIGNS))] == [False]

    def test_a_dataset_that_amazon_does_not_have_is_rejected(self, amazon: AmazonConnector) -> None:
        with pytest.raises(RequestRejected):
            list(amazon.pages(task(Dataset.KEYWORDS, "sd")))
        with pytest.raises(RequestRejected):
            amazon.create_report(task(Dataset.AD_DAILY, "st"))


NEGATIVES = "/sp/negativeKeywords/list", "/sp/campaignNegativeKeywords/list", "/sp/negativeTargets/list"


class TestSeveralLists:
    def test_they_follow_one_another_and_each_page_says_which_it_is_of(
        self, amazon: AmazonConnector, stub: AmazonStub
    ) -> None:
        stub.lists[NEGATIVES[0]] = [{"keywordId": str(i)} for i in range(150)]
        stub.lists[NEGATIVES[2]] = [{"targetId": "7"}]
        pages = list(amazon.pages(task(Dataset.NEGATIVES)))
        assert [page.label for page in pages] == [
            "negativeKeywords",
            "negativeKeywords",
            "campaignNegativeKeywords",
            "negativeTargets",
            "campaignNegativeTargets",
        ]
        assert [page.last for page in pages] == [False] * 4 + [True]

    @pytest.mark.parametrize("slice_", ["sp", "sb"])
    def test_a_pull_goes_on_behind_any_of_their_pages(
        self, amazon: AmazonConnector, stub: AmazonStub, slice_: str
    ) -> None:
        stub.lists[NEGATIVES[1]] = [{"keywordId": str(i)} for i in range(250)]
        stub.lists["/sb/v4/campaigns/list"] = [{"campaignId": str(1000 + i)} for i in range(250)]
        stub.lists["/sb/negativeKeywords"] = [{"keywordId": i, "campaignId": 1000 + i % 250} for i in range(700)]
        stub.lists["/sb/negativeTargets/list"] = [{"targetId": i} for i in range(130)]
        listed = task(Dataset.NEGATIVES, slice_)
        pages = list(amazon.pages(listed))
        for number, page in enumerate(pages[:-1], 1):
            again = list(amazon.pages(listed, page.resume))
            assert [(one.label, one.body, one.last) for one in again] == [
                (one.label, one.body, one.last) for one in pages[number:]
            ]
        assert (pages[-1].last, pages[-1].resume) == (True, "")

    def test_one_that_stops_short_leaves_the_whole_pull_incomplete_even_when_it_paused(
        self, amazon: AmazonConnector, stub: AmazonStub
    ) -> None:
        short = Answer(200, {"negativeKeywords": [{}], "totalResults": 2})
        stub.script(NEGATIVES[0], short, short)
        assert not any(page.last for page in amazon.pages(task(Dataset.NEGATIVES)))
        first = next(amazon.pages(task(Dataset.NEGATIVES)))
        rest = list(amazon.pages(task(Dataset.NEGATIVES), first.resume))
        assert len(rest) == 3
        assert not any(page.last for page in rest)

    def test_a_server_that_ignores_positions_does_not_make_the_following_list_the_end(
        self, amazon: AmazonConnector, stub: AmazonStub
    ) -> None:
        stub.script("/sb/negativeKeywords", *[Answer(200, [{"keywordId": 1}] * 100)] * 2)
        assert [page.last for page in amazon.pages(task(Dataset.NEGATIVES, "sb"))] == [False, False]


class TestBrands:
    def test_keywords_are_asked_for_by_campaign(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        # given more campaigns than one request may name
        stub.lists["/sb/v4/campaigns/list"] = [{"campaignId": str(1000 + i)} for i in range(150)]
        stub.lists["/sb/keywords"] = [{"keywordId": i, "campaignId": 1000 + i % 150} for i in range(300)]

        # when
        pages = list(amazon.pages(task(Dataset.KEYWORDS, "sb")))

        # then
        found = [keyword["keywordId"] for page in pages for keyword in msgspec.json.decode(page.content())]
        assert sorted(found) == list(range(300))
        assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
        asked = [seen.query["campaignIdFilter"][0].split(",") for seen in stub.requests("/sb/keywords")]
        assert {len(names) for names in asked} == {100, 50}
        assert {seen.headers["accept"] for seen in stub.requests("/sb/keywords")} == {
            "application/vnd.sbkeyword.v3.2+json"
        }

    def test_without_campaigns_one_empty_page_is_the_whole_list(
        self, amazon: AmazonConnector, stub: AmazonStub
    ) -> None:
        assert [page.last for page in amazon.pages(task(Dataset.KEYWORDS, "sb"))] == [True]

    def test_campaigns_that_are_not_all_listed_are_asked_for_again(
        self, amazon: AmazonConnector, stub: AmazonStub
    ) -> None:
        stub.script("/sb/v4/campaigns/list", Answer(200, {"campaigns": [{"campaignId": "1"}], "totalCount": 2}))
        with pytest.raises(Transient, match="fewer campaigns"):
            list(amazon.pages(task(Dataset.KEYWORDS, "sb")))

    @pytest.mark.parametrize("total", ["totalCount", "totalResults"])
    def test_either_total_is_the_list_s(self, amazon: AmazonConnector, stub: AmazonStub, total: str) -> None:
        stub.script("/sb/v4/campaigns/list", *[Answer(200, {"campaigns": [{}], total: count}) for count in (2, 1)])
        assert [page.last for page in amazon.pages(task(Dataset.CAMPAIGNS, "sb"))] == [False]
        assert [page.last for page in amazon.pages(task(Dataset.CAMPAIGNS, "sb"))] == [True]

    def test_targets_are_filtered_in_brands_words(self, amazon: AmazonConnector, stub: AmazonStub) -> None:
        list(amazon.pages(task(Dataset.TARGETS, "sb")))
        (targets,), (themes,) = stub.requests("/sb/targets/list"), stub.requests("/sb/themes/list")
        assert targets.json()["filters"][0]["filterType"] == "TARGETING_STATE"
        assert targets.headers["accept"] == "application/vnd.sblisttargetsresponse.v3.2+json"
        assert themes.json() == {"maxResults": 100, "stateFilter": {"include": ["enabled", "paused", "archived"]}}


def test_a_cursor_of_an_older_version_goes_on_in_the_only_list(amazon: AmazonConnector, stub: AmazonStub) -> None:
    stub.lists["/sp/keywords/list"] = [{"keywordId": str(i)} for i in range(150)]
    stub.lists["/sd/campaigns"] = [{"campaignId": i} for i in range(150)]
    _, second = amazon.pages(task(Dataset.KEYWORDS))
    assert [page.body for page in amazon.pages(task(Dataset.KEYWORDS), "100 100")] == [second.body]
    assert len(list(amazon.pages(task(Dataset.CAMPAIGNS, "sd"), "100"))) == 1


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    "bad", [rb'{"name": "\ud800"}', DEEP, b'{"bid": NaN}', b'{"name": "\xff"}', b"1E99999999999999999999"]
)
def test_an_object_that_no_decoder_takes_stops_no_list(amazon: AmazonConnector, stub: AmazonStub, bad: bytes) -> None:
    first = b'{"nextToken": "n", "campaigns": [{"campaignId": "1"}, ' + bad + b'], "totalResults": 3}'
    stub.script("/sp/campaigns/list", Answer(200, first), Answer(200, {"campaigns": [{}], "totalResults": 3}))
    stub.script("/sd/campaigns", Answer(200, b"[" + bad + b"]"))

    assert [page.last for page in amazon.pages(task(Dataset.CAMPAIGNS))] == [False, True]
    assert [page.last for page in amazon.pages(task(Dataset.CAMPAIGNS, "sd"))] == [True]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"campaigns": [', b'{"campaigns": "x"}', b'{"campaigns": [[}]', b"<html>"]
)
def test_an_answer_without_a_list_may_come_again(amazon: AmazonConnector, stub: AmazonStub, body: bytes) -> None:
    stub.script("/sp/campaigns/list", Answer(200, body))
    with pytest.raises(Transient):
        list(amazon.pages(task(Dataset.CAMPAIGNS)))


def test_while_a_campaign_has_no_id_the_lists_that_are_asked_by_campaign_are_not_complete(
    amazon: AmazonConnector, stub: AmazonStub
) -> None:
    stub.lists["/sb/keywords"] = [{"keywordId": 5, "campaignId": "1"}]
    campaigns = b'{"campaigns": [{"campaignId": 1, "x": %s}, {"campaignId": "2", "name": NaN}%s]}'

    stub.script("/sb/v4/campaigns/list", Answer(200, campaigns % (b"0", b"")))
    assert [page.last for page in amazon.pages(task(Dataset.KEYWORDS, "sb"))] == [True]
    for nameless in (b', {"campaignId": null}', b", 7", b", " + DEEP):
        stub.script("/sb/v4/campaigns/list", Answer(200, campaigns % (b"0", nameless)))
        assert [page.last for page in amazon.pages(task(Dataset.KEYWORDS, "sb"))] == [False]
    assert {seen.query["campaignIdFilter"][0] for seen in stub.requests("/sb/keywords")} == {"1,2"}
