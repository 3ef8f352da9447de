"""The lists of Microsoft Advertising's connector on real wire traffic to a loopback server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from adweir.model.datasets import Dataset
from adweir.model.errors import Transient
from adweir.model.slices import of_campaign
from adweir.platforms.connector import Connector
from adweir.platforms.microsoft_ads import listing
from support.clock import FrozenClock
from support.microsoft_wire import ACCOUNT, CUSTOMER, SEARCH, MicrosoftStub, body, connected, header, task
from support.stub_http import Answer, serving

CAMPAIGN_API = "/CampaignManagement/v13"
CAMPAIGNS, GROUPS = f"{CAMPAIGN_API}/Campaigns/QueryByAccountId", f"{CAMPAIGN_API}/AdGroups/QueryByCampaignId"
ADS = f"{CAMPAIGN_API}/Ads/QueryByAdGroupId"


@pytest.fixture
def wire() -> Iterator[MicrosoftStub]:
    with serving() as stub:
        yield MicrosoftStub(stub)


@pytest.fixture
def connector(wire: MicrosoftStub, clock: FrozenClock) -> Iterator[Connector]:
    with requests.Session() as session:
        yield connected(wire.stub, session, clock)


def test_ad_accounts_are_searched_by_the_user_page_by_page(
    wire: MicrosoftStub, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE_SIZE", 2)
    wire.answers[SEARCH] = [
        Answer(200, {"Accounts": [{"Id": "1"}, {"Id": "2"}]}),
        Answer(200, {"Accounts": [{"Id": "3"}]}),
    ]
    assert [page.last for page in connector.profiles()] == [False, True]
    first, second = map(body, wire.calls(SEARCH))
    assert first["Predicates"] == [{"Field": "UserId", "Operator": "Equals", "Value": "77"}]
    assert (first["PageInfo"], second["PageInfo"]) == ({"Index": 0, "Size": 2}, {"Index": 1, "Size": 2})
    (who,) = wire.calls("/CustomerManagement/v13/User/Query")
    assert body(who) == {"UserId": None}
    assert (header(who, "Authorization"), header(who, "DeveloperToken")) == ("Bearer a1", "BBD37VB98")
    assert not header(who, "CustomerAccountId")


def test_campaigns_of_every_type_are_asked_for(wire: MicrosoftStub, connector: Connector) -> None:
    wire.answers[CAMPAIGNS] = [Answer(200, {"Campaigns": [{"Id": "1"}]})]
    (page,) = connector.pages(task(Dataset.CAMPAIGNS))
    (asked,) = wire.calls(CAMPAIGNS)
    assert (header(asked, "CustomerAccountId"), header(asked, "CustomerId")) == (ACCOUNT, CUSTOMER)
    types = body(asked)["CampaignType"].split(",")
    assert {"Search", "Shopping", "DynamicSearchAds", "Audience", "PerformanceMax"} <= set(types)
    assert (page.last, page.content()) == (True, b'{"Campaigns":[{"Id":"1"}]}')


def below(wire: MicrosoftStub) -> None:
    """Two campaigns with two ad groups each, in no order, and an ad in each."""
    wire.answers[CAMPAIGNS] = [Answer(200, {"Campaigns": [{"Id": "20"}, None, {"Id": "3"}]})]
    wire.answers[GROUPS] = [
        lambda call: Answer(200, {"AdGroups": [{"Id": body(call)["CampaignId"] + end} for end in "21"]})
    ]
    wire.answers[ADS] = [lambda call: Answer(200, {"Ads": [{"Id": "9" + body(call)["AdGroupId"]}]})]


def test_ads_come_with_their_parents_and_a_pull_goes_on_where_it_paused(
    wire: MicrosoftStub, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    below(wire)
    monkeypatch.setattr(listing, "_A_PAGE", 1)

    # when
    pages = list(connector.pages(task(Dataset.ADS)))

    # then
    answers = [json.loads(page.content())["Answers"] for page in pages]
    named = [
        [(one["Campaign"]["Id"], one["AdGroup"]["Id"], one["Entries"][0]["Id"]) for one in some] for some in answers
    ]
    assert named == [[("3", "31", "931")], [("3", "32", "932")], [("20", "201", "9201")], [("20", "202", "9202")]]
    assert [(page.last, page.resume) for page in pages] == [
        (False, "3~31"), (False, "3~32"), (False, "20~201"), (True, ""),
    ]  # fmt: skip
    for place, page in enumerate(pages[:-1], 1):
        rest = connector.pages(task(Dataset.ADS), page.resume)
        assert [each.content() for each in rest] == [each.content() for each in pages[place:]]
    assert {frozenset(body(call)["AdTypes"]) for call in wire.calls(ADS)} == {frozenset(listing._AD_TYPES)}


def test_the_first_image_and_video_of_an_ad_are_looked_up_once(wire: MicrosoftStub, connector: Connector) -> None:
    # given ads that share an image
    below(wire)
    images, videos = ([{"Asset": {"Id": number, "Type": "X"}}] for number in ("700", "800"))
    wire.answers[ADS] = [Answer(200, {"Ads": [{"Id": "9", "Images": images, "Videos": videos}, {"Id": "8"}]})]
    wire.answers[f"{CAMPAIGN_API}/MediaMetaData/QueryByIds"] = [Answer(200, {"MediaMetaData": [{"Id": "700"}, None]})]

    # when
    (page,) = connector.pages(task(Dataset.ADS))

    # then what is refused, as the video is here, is left out
    assert json.loads(page.content())["Media"] == [{"Id": "700"}]
    assert json.loads(page.content())["Videos"] == []
    (asked,) = wire.calls(f"{CAMPAIGN_API}/MediaMetaData/QueryByIds")
    assert body(asked) == {"MediaIds": ["700"]}


def test_ad_groups_are_a_page_per_campaign_and_a_pull_of_one_campaign_asks_for_it_alone(
    wire: MicrosoftStub, connector: Connector
) -> None:
    below(wire)
    pages = list(connector.pages(task(Dataset.AD_GROUPS)))
    assert [(page.last, page.resume) for page in pages] == [(False, "3"), (True, "")]
    assert [page.content() for page in connector.pages(task(Dataset.AD_GROUPS), "3")] == [pages[1].content()]
    by_ids = f"{CAMPAIGN_API}/Campaigns/QueryByIds"
    wire.answers[by_ids] = [Answer(200, {"Campaigns": [{"Id": "20"}]})]
    (page,) = connector.pages(task(Dataset.AD_GROUPS, of_campaign("20")))
    assert page.content() == pages[1].content()
    assert body(wire.calls(by_ids)[0])["CampaignIds"] == ["20"]


def test_an_account_without_campaigns_has_an_empty_page_that_is_the_last(
    wire: MicrosoftStub, connector: Connector
) -> None:
    wire.answers[CAMPAIGNS] = [Answer(200, {"Campaigns": []})]
    for dataset in (Dataset.AD_GROUPS, Dataset.ADS, Dataset.KEYWORDS):
        (page,) = connector.pages(task(dataset))
        assert (page.last, json.loads(page.content())["Answers"]) == (True, [])


@pytest.mark.parametrize(
    "sent", [b"<html>", {"Campaigns": 7}, {"Campaigns": [{"Name": "x"}]}, {"Campaigns": [{"Id": "x"}]}]
)
def test_a_list_that_cannot_be_gone_through_passes(wire: MicrosoftStub, connector: Connector, sent: Any) -> None:
    wire.answers[CAMPAIGNS] = [Answer(200, sent)]
    with pytest.raises(Transient):
        list(connector.pages(task(Dataset.ADS)))
