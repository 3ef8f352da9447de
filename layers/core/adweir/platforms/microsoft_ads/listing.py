"""Campaigns, ad groups, ads and keywords as lists. None is paged, and none has what was deleted.

An ad group does not say which campaign it is in, nor an ad or a keyword which ad group: each list is about one parent,
and the pages name it beside what it answered ("GetAdGroupsByCampaignId", "GetAdsByAdGroupId" and
"GetKeywordsByAdGroupId Service Operation").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from adweir.model.datasets import Dataset
from adweir.model.errors import BadInput, RequestRejected, Transient
from adweir.model.slices import ALL, campaign_of
from adweir.model.tasks import Task
from adweir.platforms.connector import Page
from adweir.platforms.http import Response
from adweir.platforms.json_items import UNREADABLE, items
from adweir.platforms.microsoft_ads import media, wire
from adweir.platforms.microsoft_ads.api import ME, WHO, MicrosoftCalls, decode
from adweir.platforms.microsoft_ads.reports import digits

PAGE_SIZE = 1000
"""The most of `Accounts/Search` ("Paging Data Object")."""
_CAMPAIGN_TYPES = "Search,Shopping,DynamicSearchAds,Audience,Hotel,PerformanceMax,App"
"""Without them only search campaigns are listed ("GetCampaignsByAccountId Service Operation")."""
_AD_TYPES = [
    "AppInstall", "DynamicSearch", "ExpandedText", "Hotel", "Image", "Product", "ResponsiveAd", "ResponsiveSearch",
    "Text",
]  # fmt: skip
_A_PAGE = 100
"""Ad groups whose ads or keywords make a page."""
_MOST_PAGES = 1000
_id = msgspec.json.Decoder(wire.Identified).decode


class _Below(NamedTuple):
    """A list below an ad group: its path, the member of its answer, what is asked beside the ad group's id."""

    path: str
    member: str
    more: Mapping[str, Any]


_LISTS = {
    Dataset.ADS: _Below("/Ads/QueryByAdGroupId", "Ads", {"AdTypes": _AD_TYPES}),
    Dataset.KEYWORDS: _Below("/Keywords/QueryByAdGroupId", "Keywords", {}),
}


class MicrosoftListing:
    """The lists of one credential's ad accounts."""

    def __init__(self, calls: MicrosoftCalls, customer: str) -> None:
        self._calls = calls
        self._customer = customer

    def profiles(self) -> Iterator[Page]:
        """The ad accounts that the user may see, through whichever customer."""
        user = decode(self._calls.listed(WHO, ME), wire.UserAnswer).user
        mine = [{"Field": "UserId", "Operator": "Equals", "Value": str(user.id)}]
        for index in range(_MOST_PAGES):
            body = {"Predicates": mine, "PageInfo": {"Index": index, "Size": PAGE_SIZE}}
            answer = self._calls.listed("/Accounts/Search", body)
            found = decode(answer, wire.MsAccountPage).accounts or []
            last = len(found) < PAGE_SIZE
            yield Page(answer.body, answer.url, answer.status, last)
            if last:
                return
        raise RequestRejected(f"the list of ad accounts has no end after {_MOST_PAGES} pages")

    def objects(self, task: Task, resume: str = "") -> Iterator[Page]:
        """The objects of a dataset. `resume`: the ids of the campaign and ad group that were the last to be listed.

        Raises RequestRejected for a dataset or slice that Microsoft does not have.
        """
        campaign = campaign_of(task.slice)
        if task.slice != ALL and not campaign:
            raise RequestRejected(f"Microsoft Advertising knows no slice {task.slice[:60]!r} of {task.dataset}")
        account = digits(task.profile_id)
        if task.dataset is Dataset.CAMPAIGNS:
            answer = self._campaigns(account, campaign)
            yield Page(answer.body, answer.url, answer.status, last=True)
        elif task.dataset is Dataset.AD_GROUPS:
            yield from self._groups(account, campaign, resume)
        elif task.dataset in _LISTS:
            yield from self._below(account, campaign, _LISTS[task.dataset], resume)
        else:
            raise RequestRejected(f"Microsoft Advertising has no list {task.dataset}")

    def _campaigns(self, account: str, campaign: str) -> Response:
        asked: dict[str, Any] = {"AccountId": account, "CampaignType": _CAMPAIGN_TYPES}
        path = "/Campaigns/QueryByAccountId"
        if campaign:
            path, asked = "/Campaigns/QueryByIds", asked | {"CampaignIds": [digits(campaign)]}
        return self._calls.campaigns(path, asked, account, self._customer)

    def _parents(self, account: str, campaign: str) -> list[_Listed]:
        return _listed(self._campaigns(account, campaign), "Campaigns")

    def _groups(self, account: str, campaign: str, resume: str) -> Iterator[Page]:
        """A page per campaign."""
        campaigns = [one for one in self._parents(account, campaign) if one.id > int(resume or 0)]
        for one in campaigns:
            answer = self._calls.campaigns(_GROUPS, {"CampaignId": str(one.id)}, account, self._customer)
            held = [wire.ListedBelow(campaign=one.raw, entries=[group.raw for group in _listed(answer, "AdGroups")])]
            yield _page(wire.AnswersBelow(held), answer.url, "" if one is campaigns[-1] else str(one.id))
        if not campaigns:
            yield _page(wire.AnswersBelow([]), self._calls.hosts.campaign)

    def _below(self, account: str, campaign: str, below: _Below, resume: str) -> Iterator[Page]:
        """Pages of many ad groups each, so that a large account is no page per ad group."""
        campaign_done, _, group_done = resume.partition("~")
        held: list[wire.ListedBelow] = []
        url, following = self._calls.hosts.campaign, ""
        for one in self._parents(account, campaign):
            if one.id < int(campaign_done or 0):
                continue
            answer = self._calls.campaigns(_GROUPS, {"CampaignId": str(one.id)}, account, self._customer)
            for group in _listed(answer, "AdGroups"):
                if str(one.id) == campaign_done and group.id <= int(group_done):
                    continue
                if len(held) >= _A_PAGE:
                    yield _page(self._shown(account, held), url, following)
                    held = []
                body = {"AdGroupId": str(group.id), **below.more}
                found = self._calls.campaigns(below.path, body, account, self._customer)
                entries = [entry.raw for entry in _listed(found, below.member)]
                held.append(wire.ListedBelow(campaign=one.raw, ad_group=group.raw, entries=entries))
                url, following = found.url, f"{one.id}~{group.id}"
        yield _page(self._shown(account, held), url)

    def _shown(self, account: str, held: list[wire.ListedBelow]) -> wire.AnswersBelow:
        """A page with what is known about the images and videos of its ads."""

        def question(path: str, body: Mapping[str, Any]) -> bytes:
            return self._calls.campaigns(path, body, account, self._customer).body

        found = media.about([entry for below in held for entry in below.entries], question)
        return wire.AnswersBelow(held, *found)


class _Listed(NamedTuple):
    """An object of a list, undecoded, and its id."""

    id: int
    raw: msgspec.Raw


_GROUPS = "/AdGroups/QueryByCampaignId"


def _listed(answer: Response, member: str) -> list[_Listed]:
    """The objects of a list by their ids; a null stands for what is gone. Raises Transient for anything else."""
    try:
        found = [one for one in items(answer.body, member) or () if one != wire.NOTHING]
        return sorted(_Listed(int(digits(str(_id(one).id))), one) for one in found)
    except (BadInput, RequestRejected, *UNREADABLE) as error:
        raise Transient(f"{answer.url} answered {answer.status} with an unexpected list: {error}"[:300]) from None


def _page(page: wire.AnswersBelow, url: str, resume: str = "") -> Page:
    return Page(msgspec.json.encode(page), url, 200, last=not resume, resume=resume)
