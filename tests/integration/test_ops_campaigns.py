"""`adweir campaigns`: what is given on the command line becomes the same campaign as through the API."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest

from adweir.intake.doors.campaign_book import CampaignBook
from adweir.model.entities import Ad, AdCampaign, Profile, Status
from adweir.platforms import REGISTRY
from adweir.store.catalog.store import Catalog
from adweir.store.ledger import Ledger
from support.api import META, T1
from support.clock import FrozenClock
from support.command_line import Run, commands_on


class CampaignTarget:
    """As much of the App as the commands use."""

    def __init__(self, clock: FrozenClock) -> None:
        numbers = count(1)
        self.catalog, self.ledger = Catalog(clock), Ledger(clock)
        self.campaigns = CampaignBook(self.catalog, REGISTRY.parse, clock, lambda: f"{next(numbers):032x}"[::-1])

    def app(self) -> CampaignTarget:
        return self


@pytest.fixture
def target(tables: None, clock: FrozenClock) -> CampaignTarget:
    found = CampaignTarget(clock)
    found.catalog.create_account("acc_a", "Company", "a@example.com")
    own: dict[str, Any] = {"platform": META, "profile_id": "111"}
    profile = Profile(account_id="acc_a", name="Main", currency="EUR", timezone="UTC", **own)
    campaign = AdCampaign(id="c1", campaign_id="c1", status=Status.ACTIVE, **own)
    ads = [Ad(id=f"a{n}", campaign_id="c1", ad_group_id="g1", **own) for n in (1, 2)]
    found.catalog.put_objects([profile, campaign, *ads], T1)
    return found


@pytest.fixture
def adweir(target: CampaignTarget, monkeypatch: pytest.MonkeyPatch) -> Run:
    return commands_on(target, monkeypatch, group="campaigns")


def test_a_campaign_is_made_bound_changed_shown_and_deleted(adweir: Run, target: CampaignTarget) -> None:
    adweir("create", "Summer", "budget=12000.50", "start_date=2026-11-01", "bind=meta/111:campaign=c1")
    (made,) = target.catalog.campaigns_of("acc_a")
    assert (made.name, made.budget, made.currency) == ("Summer", 12_000_500_000, "EUR")
    assert [str(each) for each in made.bindings] == ["campaign c1 of meta_ads 111"]

    adweir("add-arm", made.campaign_id, "facebook", "channel=feed", "bid=0.35", "bind=:ad_group=g1:ad=a1")
    adweir("add-arm", made.campaign_id, "radio")
    first, second = target.catalog.campaign(made.campaign_id).arms
    assert (first.bid, [str(each) for each in first.bindings]) == (350_000, ["ad a1 of meta_ads 111"])
    adweir("change-arm", first.arm_id, "bind=meta:ad=a2", "creative=beach")
    adweir("change", made.campaign_id, "budget=", "name=Late summer", "bind=")
    adweir("delete-arm", second.arm_id, "--yes")

    kept = target.catalog.campaign(made.campaign_id)
    assert (kept.name, kept.budget, kept.bindings, len(kept.arms)) == ("Late summer", None, (), 1)
    assert (kept.arms[0].bindings[0].ad_id, kept.arms[0].creative) == ("a2", "beach")
    shown = adweir("list").output
    assert shown == adweir("show", made.campaign_id).output
    assert "    bound to ad a2 of meta_ads 111\n" in shown
    as_json = json.loads(adweir("list", "--account", "acc_a", "--json").stdout)
    assert (as_json["arms"][0]["bid"], as_json["name"]) == (0.35, "Late summer")
    adweir("delete", made.campaign_id, "--yes")
    assert target.catalog.campaigns_of("acc_a") == []


def test_who_did_it_is_in_the_audit(adweir: Run, target: CampaignTarget) -> None:
    adweir("create", "Summer")
    (deed,), _ = target.ledger.audit.page(10, "")
    assert (deed.action, deed.account_id, deed.who.partition(":")[0]) == ("create campaign", "acc_a", "cli")
    assert ("name", None, "Summer") in deed.changes


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["colour=red"], "is not FIELD=VALUE"),
        (["budget=much"], "is a number"),
        (["bind=meta:film=1"], "names nothing to bind"),
        (["bind=meta:ad=a9"], "is unknown here"),
        (["--account", "acc_b"], "there is no client account acc_b; known: acc_a (Company)"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_stored(
    adweir: Run, target: CampaignTarget, words: list[str], said: str
) -> None:
    assert said in adweir("create", "Summer", *words, expect=1).output
    assert target.catalog.campaigns_of("acc_a") == []
    adweir("change", "cmp_nobody", expect=1)
