"""What `enrich` stores of a client's ads: each copy once, from the ads alone, whoever was killed among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from typing import Any

import pytest

from adweir.insight.enrichment import enricher as enricher_module
from adweir.insight.enrichment.enricher import Enricher, EnrichParts, names_of
from adweir.insight.enrichment.enriching import MODELS, EnrichmentKind
from adweir.insight.enrichment.shown import NO_WORDS, NOT_YET, shown_enrichments
from adweir.model import limits
from adweir.model.entities import Account, Ad, AdCampaign, Profile
from adweir.model.errors import NotFound, NotReady
from adweir.model.platforms import Platform
from adweir.store.catalog.store import Catalog
from adweir.store.findings.enrichments import KEEP, LOOK, EnrichmentItem, Enrichments
from support.bounds import at_the_bound
from support.clock import FrozenClock

META = Platform("meta_ads")
AT = "2026-11-20T06:00:00.000000Z"


def an_ad(number: int, headline: str | None = "Merino socks, 20% off", **more: Any) -> Ad:
    own: dict[str, Any] = {"platform": META, "profile_id": "111", "campaign_id": "c1", "ad_group_id": "g1"}
    return Ad(id=f"a{number}", headline=headline, **own | more)


class EnrichWorld:
    """A client with two ad accounts, `has` ads there, which `enrich` enriches; `stored` is what is stored of a text."""

    def __init__(self, clock: FrozenClock) -> None:
        self.clock = clock
        self.catalog = Catalog(clock)
        self.store = Enrichments(clock)
        self.catalog.create_account("acc_a", "Halden Outdoor GmbH", "a@b.example")
        profiles = [
            Profile(
                account_id="acc_a",
                platform=META,
                profile_id=name,
                name="Shop",
                currency="EUR",
                timezone="Europe/Berlin",
            )
            for name in ("111", "222")
        ]
        self.catalog.put_objects(profiles, AT)

    def has(self, *ads: Ad | AdCampaign, at: str = AT) -> None:
        self.catalog.put_objects(ads, at)

    def enrich(self, remaining: Callable[[], float] = lambda: inf) -> dict[str, int]:
        return Enricher(EnrichParts(self.catalog, self.store)).enrich("acc_a", remaining, 1.0)

    def shown(self, headline: str | None) -> dict[str, Any]:
        (found,) = shown_enrichments(self.store, [{"headline": headline, "client_account_id": "acc_a"}])
        return found

    def items(self) -> dict[str, dict[str, Any]]:
        """All that is stored, by sort key, without what each write leaves."""
        found = (item.serialize() for item in EnrichmentItem.query("enriched#acc_a"))
        return {item["sk"]["S"]: {k: v for k, v in item.items() if k != "writer"} for item in found}


@pytest.fixture
def world(tables: None, clock: FrozenClock) -> EnrichWorld:
    return EnrichWorld(clock)


def test_ads_that_say_the_same_share_what_is_said_of_them(world: EnrichWorld) -> None:
    """Given an ad in each of two ad accounts with one text, and one with another, then two are stored."""
    world.has(an_ad(1), an_ad(2, profile_id="222"), an_ad(3, "The museum opens at nine"), an_ad(4, None))

    assert world.enrich() == {"ads": 4, "copies": 2, "stored": 2, "left_out": 0}

    said = world.shown("Merino socks, 20% off")
    assert said["sentiment"]["provider"] == "local"
    assert {name: said[name]["model_version"] for name in EnrichmentKind} == MODELS
    (discount,) = said["entities"]["entities"]
    assert (discount["kind"], discount["value"], discount["unit"]) == ("discount", 20, "%")
    assert said["reason"] is None


def test_an_ad_without_words_and_one_that_is_new_say_why_they_have_nothing(world: EnrichWorld) -> None:
    world.has(an_ad(1))
    world.enrich()

    for headline, reason in ((None, NO_WORDS), ("Of today", NOT_YET)):
        found = world.shown(headline)
        assert (found["reason"], found["sentiment"], found["topics"], found["entities"]) == (reason, None, None, None)


def test_a_second_look_at_the_same_ads_stores_nothing(world: EnrichWorld) -> None:
    world.has(an_ad(1), an_ad(2, "Another"))
    world.enrich()
    before = world.items()
    world.clock.advance(3600)

    assert world.enrich()["stored"] == 0

    assert world.items() == before


def test_only_a_copy_that_is_new_is_enriched(world: EnrichWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.has(an_ad(1))
    world.enrich()
    before = world.items()
    world.clock.advance(3600)
    world.has(an_ad(1), an_ad(2, "Another"), at="2026-11-21T06:00:00.000000Z")

    assert world.enrich()["stored"] == 1

    after = world.items()
    assert len(after) == len(before) + 1
    assert all(after[sk] == before[sk] for sk in before if not sk.startswith("!"))


def test_another_version_of_a_model_enriches_all_anew(world: EnrichWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.has(an_ad(1), an_ad(2, "Another"))
    world.enrich()

    newer = {**MODELS, EnrichmentKind.TOPICS: "adweir-topics-2"}
    monkeypatch.setattr(enricher_module, "MODELS", newer)

    assert (world.enrich()["stored"], world.enrich()["stored"]) == (2, 0)


def test_names_of_the_company_its_ad_accounts_and_its_brands_are_entities(world: EnrichWorld) -> None:
    """Given names of campaigns that name the brand, then its ads name it, and are enriched again once it is known."""
    world.has(an_ad(1, "Torden boots by Halden Outdoor"))
    world.enrich()
    world.catalog.update_account("acc_a", naming={"campaign": "{brand}_{region}"})
    world.has(
        AdCampaign(platform=META, profile_id="111", id="c1", campaign_id="c1", name="Torden_DE"),
        AdCampaign(platform=META, profile_id="111", id="c2", campaign_id="c2", name="unreadable"),
    )

    assert world.enrich()["stored"] == 1

    named = [each["text"] for each in world.shown("Torden boots by Halden Outdoor")["entities"]["entities"]]
    assert named == ["Torden", "Halden Outdoor"]


@pytest.mark.parametrize("calls", range(2, 8))
def test_a_worker_without_time_leaves_the_rest_to_the_next_one(
    world: EnrichWorld, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    """Given workers that may look at their time only so often, when one with time follows, then all is there."""
    monkeypatch.setattr(enricher_module, "_TOGETHER", 1)
    monkeypatch.setattr(enricher_module, "_LOOKS", 2)
    world.has(*(an_ad(number, f"Socks {number}") for number in range(4)))

    def remaining() -> Callable[[], float]:
        left: Iterator[float] = iter([inf] * calls)
        return lambda: next(left, 0.0)

    ended = 0
    for _ in range(20):
        try:
            world.enrich(remaining() if ended < 5 else lambda: inf)
        except NotReady:
            ended += 1
        else:
            break
    found = world.items()
    for item in EnrichmentItem.query("enriched#acc_a"):
        item.delete()
    world.enrich()

    assert ended
    assert found == world.items()
    assert len(found) == 5


def test_what_would_end_soon_is_made_again(world: EnrichWorld) -> None:
    world.has(an_ad(1))
    world.enrich()
    world.clock.advance((KEEP - 2 * LOOK).total_seconds() + 1)

    assert world.enrich()["stored"] == 1

    world.clock.advance((2 * LOOK).total_seconds())
    assert world.shown("Merino socks, 20% off")["reason"] is None


def test_what_cannot_be_read_is_not_yet_there_and_is_made_again(world: EnrichWorld) -> None:
    world.has(an_ad(1))
    world.enrich()
    for item in EnrichmentItem.query("enriched#acc_a"):
        if item.sk == "!mark":
            item.delete()
        else:
            item.update([EnrichmentItem.body.set([])])

    assert world.shown("Merino socks, 20% off")["reason"] == NOT_YET
    assert world.enrich()["stored"] == 1
    assert world.shown("Merino socks, 20% off")["reason"] is None


def test_a_client_without_ads_has_nothing_stored(world: EnrichWorld) -> None:
    assert world.enrich() == {"ads": 0, "copies": 0, "stored": 0, "left_out": 0}
    assert world.items() == {}


def test_a_client_that_is_gone_has_no_ads(world: EnrichWorld) -> None:
    with pytest.raises(NotFound):
        Enricher(EnrichParts(world.catalog, world.store)).enrich("acc_gone", lambda: inf, 1.0)


@at_the_bound("MAX_ENRICHED_COPIES", as_if=2)
def test_copies_beyond_the_bound_are_left_out_and_counted(
    world: EnrichWorld, monkeypatch: pytest.MonkeyPatch, size: int, fits: bool
) -> None:
    monkeypatch.setattr(limits, "MAX_ENRICHED_COPIES", 2)
    world.has(an_ad(0, "Number 0"), *(an_ad(number, f"Number {number}") for number in range(size)))

    found = world.enrich()

    assert (found["copies"], found["left_out"], found["stored"]) == (2, 0 if fits else 1, 2)


def test_a_client_with_far_more_copies_than_the_bound_is_not_counted_to_the_end(
    world: EnrichWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_ENRICHED_COPIES", 1)
    world.has(*(an_ad(number, f"Number {number}") for number in range(5)))

    assert world.enrich() == {"ads": 3, "copies": 1, "stored": 1, "left_out": 2}


@at_the_bound("MAX_ENRICHED_NAMES", as_if=3)
def test_names_are_those_of_the_client_without_legal_forms(
    monkeypatch: pytest.MonkeyPatch, size: int, fits: bool
) -> None:
    """Given a company's name, with and without its form, then its ad account's, which is short, is none."""
    monkeypatch.setattr(limits, "MAX_ENRICHED_NAMES", 3)
    account = Account(account_id="a", company_name="Weir & Sons, Ltd.", primary_contact_email="a@b.example")
    profile = Profile(account_id="a", platform=META, profile_id="1", name="A", currency="EUR", timezone="UTC")
    brands = ["Torden", "Zeta"][: size - 2]

    names = names_of(account, [profile], brands)

    assert names == ["Torden", "Weir & Sons", "Weir & Sons, Ltd."]
    assert (set(brands) <= set(names)) == fits
