"""The catalog on moto's DynamoDB."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from adweir.model.conversion_columns import ConversionColumn
from adweir.model.datasets import Dataset
from adweir.model.entities import (
    Ad,
    AdCampaign,
    Credential,
    PlatformObject,
    Profile,
    ProfileStatus,
    Status,
    own_profile_id,
)
from adweir.model.errors import BadInput, Conflict, NotFound, Unprocessable
from adweir.model.platforms import Platform
from adweir.model.terms import Terms
from adweir.store.catalog.keys import KnownKey, key_id_of
from adweir.store.catalog.objects import ObjectListing, object_key
from adweir.store.catalog.profiles import Listing
from adweir.store.catalog.store import Catalog
from support.clock import FrozenClock

META, AMAZON = Platform("meta_ads"), Platform("amazon_ads")
T1, T2, T3, T4 = (f"2026-11-2{n}T00:00:00.000000Z" for n in range(4))


@pytest.fixture
def catalog(tables: None, clock: FrozenClock) -> Catalog:
    return Catalog(clock)


def a_credential(account_id: str = "acc", **values: Any) -> Credential:
    return Credential(**({"account_id": account_id, "platform": META, "secret_id": "s"} | values))


def a_profile(profile_id: str = "111", account_id: str = "acc", **values: Any) -> Profile:
    fields = {"platform": META, "name": "Main", "currency": "EUR", "timezone": "Europe/Berlin"} | values
    return Profile(account_id=account_id, profile_id=profile_id, **fields)


def a_campaign(id_: str = "c1", **values: Any) -> AdCampaign:
    return AdCampaign(**({"platform": META, "profile_id": "111", "id": id_, "status": Status.ACTIVE} | values))


def test_accounts_are_unique_by_id_and_may_share_a_name(catalog: Catalog) -> None:
    first = catalog.create_account("a", "Company", "x@example.com")
    second = catalog.create_account("b", "Company", "x@example.com")

    assert catalog.accounts() == [first, second]
    with pytest.raises(Conflict):
        catalog.create_account("a", "Other", "y@example.com")


def test_an_account_changes_by_field(catalog: Catalog, clock: FrozenClock) -> None:
    before = catalog.create_account("a", "Company", "x@example.com")
    clock.advance(1)

    after = catalog.update_account("a", company_name="Renamed")

    assert after == catalog.account("a")
    assert (after.company_name, after.created_at) == ("Renamed", before.created_at)
    assert after.updated_at > before.updated_at


def test_a_deleted_account_is_gone_but_its_profiles_stay_as_inactive(catalog: Catalog) -> None:
    # given
    catalog.create_account("acc", "Company", "x@example.com")
    catalog.put_credential(a_credential(secret_id="adweir/credential/acc/meta_ads"))
    catalog.put_objects([a_profile()], T1)

    # when
    forgotten, marked = catalog.delete_account("acc")

    # then
    assert [c.secret_id for c in forgotten] == ["adweir/credential/acc/meta_ads"]
    assert marked == 1
    assert catalog.credentials() == []
    assert catalog.accounts() == []
    assert [p.status for p in catalog.profiles("acc")] == ["inactive"]
    with pytest.raises(NotFound):
        catalog.account("acc")
    with pytest.raises(NotFound):
        catalog.update_account("acc", company_name="back")
    # and a listing that was still under way does not revive them
    catalog.put_objects([a_profile()], T2)
    assert [p.status for p in catalog.profiles("acc")] == ["inactive"]


def test_lists_page_until_the_end(catalog: Catalog) -> None:
    for n in range(5):
        catalog.create_account(f"a{n}", "C", "x@example.com")

    seen, token = [], ""
    for _ in range(3):
        page, token = catalog.list_accounts(2, token)
        seen += [account.account_id for account in page]

    assert (seen, token) == ([f"a{n}" for n in range(5)], "")


@pytest.mark.parametrize("token", ["?", "ä", "a", "a" * 13, "=" * 4, "gICA"])
def test_a_wrong_page_token_is_bad_input(catalog: Catalog, token: str) -> None:
    with pytest.raises(BadInput):
        catalog.list_accounts(2, token)


def test_replacing_a_credential_makes_a_new_version_that_is_active_again(catalog: Catalog) -> None:
    # given
    catalog.create_account("acc", "Company", "x@example.com")
    first = catalog.put_credential(a_credential())
    assert catalog.mark_broken(first, "revoked")
    assert [(c.state, c.reason) for c in catalog.credentials()] == [("broken", "revoked")]

    # when
    second = catalog.put_credential(a_credential())

    # then: and a worker that still had the old one cannot break the new
    assert (second.version, second.state, second.reason) == (2, "active", "")
    assert not catalog.mark_broken(first, "late")
    assert catalog.credential("acc", META) == second
    assert catalog.credential("acc", AMAZON) is None


def test_a_credential_needs_its_account(catalog: Catalog) -> None:
    with pytest.raises(NotFound):
        catalog.put_credential(a_credential("nobody"))
    with pytest.raises(NotFound):
        catalog.delete_credential("nobody", META)
    assert catalog.credentials() == []


def test_a_listing_keeps_a_profile_s_options(catalog: Catalog) -> None:
    catalog.create_account("acc", "Acme", "a@b.example")
    catalog.put_objects([a_profile(options={"conversions": ["lead"]})], T1)
    catalog.put_objects([a_profile(name="Renamed", route="eu")], T2)
    found = catalog.profile(META, "111")
    assert found is not None
    assert (found.name, found.route, found.options) == ("Renamed", "eu", {"conversions": ["lead"]})


def test_profiles_follow_the_newest_listing(catalog: Catalog) -> None:
    assert catalog.put_objects([a_profile(), a_profile("222")], T1) == (2, 0, 0)
    assert catalog.put_objects([a_profile(name="Renamed")], T3) == (0, 1, 0)
    assert catalog.put_objects([a_profile(name="Late")], T2) == (0, 0, 1)
    removed = catalog.remove_missing_profiles(Listing(META, "acc", "default", T3), {"111"})

    assert removed == 1
    assert [(p.profile_id, p.name, p.status) for p in catalog.profiles(platform=META)] == [
        ("111", "Renamed", "active"),
        ("222", "Main", "removed"),
    ]
    assert catalog.profiles("other") == []


def test_a_denied_profile_is_decided_again_by_a_newer_listing_only(catalog: Catalog) -> None:
    catalog.put_objects([a_profile()], T2)
    assert catalog.mark_profile(META, "111", ProfileStatus.DENIED)

    catalog.put_objects([a_profile()], T1)
    assert [p.status for p in catalog.profiles()] == ["denied"]
    catalog.put_objects([a_profile()], T3)
    assert [p.status for p in catalog.profiles()] == ["active"]
    assert not catalog.mark_profile(META, "unknown", ProfileStatus.DENIED)


def test_an_ad_account_that_two_clients_reach_belongs_to_the_first_until_it_lets_go(catalog: Catalog) -> None:
    catalog.put_objects([a_profile(account_id="acc")], T1)
    assert catalog.put_objects([a_profile(account_id="other")], T2) == (0, 0, 1)
    assert [p.account_id for p in catalog.profiles()] == ["acc"]

    catalog.mark_profile(META, "111", ProfileStatus.INACTIVE)
    catalog.put_objects([a_profile(account_id="other")], T3)
    assert [(p.account_id, p.status) for p in catalog.profiles()] == [("other", "active")]


def test_an_ad_account_whose_owner_s_credential_is_deleted_goes_to_whoever_lists_it_next(catalog: Catalog) -> None:
    catalog.create_account("acc", "Company", "x@example.com")
    catalog.put_credential(a_credential())
    catalog.put_objects([a_profile()], T1)

    catalog.delete_credential("acc", META)

    assert [(p.account_id, p.status) for p in catalog.profiles()] == [("acc", "removed")]
    catalog.put_objects([a_profile()], T2)
    assert [(p.account_id, p.status) for p in catalog.profiles()] == [("acc", "active")]
    catalog.put_credential(a_credential())
    catalog.delete_credential("acc", META)
    catalog.put_objects([a_profile(account_id="other")], T3)
    assert [(p.account_id, p.status) for p in catalog.profiles()] == [("other", "active")]


def test_objects_are_added_changed_and_left_alone(catalog: Catalog) -> None:
    assert catalog.put_objects([a_campaign("c1"), a_campaign("c2")], T1) == (2, 0, 0)
    assert catalog.put_objects([a_campaign("c1", name="New"), a_campaign("c2")], T2) == (0, 1, 1)
    assert catalog.remove_missing(ObjectListing(META, "111", Dataset.CAMPAIGNS, "all", T2), {"c1"}) == 1
    # The same pull says so again, because the worker that removed it may have died; the next one does not.
    assert catalog.remove_missing(ObjectListing(META, "111", Dataset.CAMPAIGNS, "all", T2), {"c1"}) == 1
    assert catalog.remove_missing(ObjectListing(META, "111", Dataset.CAMPAIGNS, "all", T3), {"c1"}) == 0

    assert [(c.id, c.name, c.status.value) for c in catalog.objects(META, "111", Dataset.CAMPAIGNS)] == [
        ("c1", "New", "active"),
        ("c2", "", "removed"),
    ]


def test_a_pull_of_a_slice_removes_nothing_outside_of_it(catalog: Catalog) -> None:
    catalog.put_objects([a_campaign("c1", ad_product="sp"), a_campaign("c2", ad_product="sb")], T1)

    assert catalog.remove_missing(ObjectListing(META, "111", Dataset.CAMPAIGNS, "sb", T2), set()) == 1

    assert [c.status.value for c in catalog.objects(META, "111", Dataset.CAMPAIGNS)] == ["active", "removed"]


def test_pulls_in_any_order_and_twice_leave_the_same_objects(catalog: Catalog) -> None:
    # given: A; A gone and B there; A back and unchanged; A changed
    pulls = {
        T1: [a_campaign("A")],
        T2: [a_campaign("B")],
        T3: [a_campaign("A"), a_campaign("B")],
        T4: [a_campaign("A", name="New")],
    }
    outcomes = set()
    for n, order in enumerate(permutations(pulls)):
        profile = str(n)
        # when
        for as_of in (*order, order[0]):
            objects = [c.model_copy(update={"profile_id": profile}) for c in pulls[as_of]]
            catalog.put_objects(objects, as_of)
            catalog.remove_missing(
                ObjectListing(META, profile, Dataset.CAMPAIGNS, "all", as_of), {c.id for c in objects}
            )
        # then
        outcomes.add(tuple((c.id, c.name, c.status) for c in catalog.objects(META, profile, Dataset.CAMPAIGNS)))
    assert outcomes == {(("A", "New", Status.ACTIVE), ("B", "", Status.REMOVED))}


@pytest.mark.parametrize("order", list(permutations((T1, T2, T3))))
def test_what_the_newest_list_brought_is_there_in_whatever_order_the_lists_came(
    catalog: Catalog, order: tuple[str, ...]
) -> None:
    """A campaign is listed, then missing, then listed again and unchanged."""
    lists: dict[str, list[AdCampaign]] = {T1: [a_campaign()], T2: [], T3: [a_campaign()]}
    for as_of in order:
        catalog.put_objects(lists[as_of], as_of)
        catalog.remove_missing(
            ObjectListing(META, "111", Dataset.CAMPAIGNS, "all", as_of), {one.id for one in lists[as_of]}
        )

    assert [c.status for c in catalog.objects(META, "111", Dataset.CAMPAIGNS)] == [Status.ACTIVE]


def test_an_older_list_that_ends_amid_a_newer_one_removes_nothing_that_the_newer_brings(catalog: Catalog) -> None:
    catalog.put_objects([a_campaign()], T1)
    catalog.put_objects([a_campaign()], T3)  # the newer list's objects; its end follows below
    catalog.remove_missing(ObjectListing(META, "111", Dataset.CAMPAIGNS, "all", T2), set())

    catalog.remove_missing(ObjectListing(META, "111", Dataset.CAMPAIGNS, "all", T3), {"c1"})

    assert [c.status for c in catalog.objects(META, "111", Dataset.CAMPAIGNS)] == [Status.ACTIVE]


def test_an_older_list_does_not_report_as_removed_what_a_newer_one_has_changed(catalog: Catalog) -> None:
    catalog.put_objects([a_campaign()], T1)
    catalog.put_objects([a_campaign(name="New")], T3)  # the newer list has not ended
    assert catalog.remove_missing(ObjectListing(META, "111", Dataset.CAMPAIGNS, "all", T2), set()) == 0
    assert [c.status for c in catalog.objects(META, "111", Dataset.CAMPAIGNS)] == [Status.ACTIVE]


@pytest.mark.parametrize("order", [(T1, T2), (T2, T1)])
def test_an_ad_that_moved_to_another_group_is_gone_from_the_first(catalog: Catalog, order: tuple[str, ...]) -> None:
    ad = Ad(platform=META, profile_id="111", id="a1", campaign_id="c1", ad_group_id="g1", status=Status.ACTIVE)
    lists = {T1: ad, T2: ad.model_copy(update={"ad_group_id": "g2"})}
    for as_of in order:
        catalog.put_objects([lists[as_of]], as_of)
        catalog.remove_missing(ObjectListing(META, "111", Dataset.ADS, "all", as_of), {object_key(lists[as_of])})

    groups = {one.ad_group_id: one.status for one in catalog.objects(META, "111", Dataset.ADS)}
    assert groups == {"g1": Status.REMOVED, "g2": Status.ACTIVE}


def test_an_ad_is_found_by_its_own_id_and_under_its_group(catalog: Catalog) -> None:
    ad = Ad(platform=META, profile_id="111", id="ad1", ad_group_id="g1", campaign_id="c1", headline="Hello")
    catalog.put_objects([ad, ad.model_copy(update={"ad_group_id": "g2"})], T1)

    def find(wanted: str) -> dict[str, list[PlatformObject]]:
        return catalog.find_objects(META, ["111"], Dataset.ADS, [wanted])

    stored = ad.model_copy(update={"as_of": T1})
    under_g2 = stored.model_copy(update={"ad_group_id": "g2"})
    assert find("ad1") == {"ad1": [stored, under_g2]}
    assert find("g2~ad1") == {"g2~ad1": [under_g2]}
    for unknown in ("ad", "", "!coverage#all", "g3~ad1", "x" * 300):
        assert find(unknown) == {}


def test_a_key_is_shown_once_and_stored_as_a_hash(catalog: Catalog) -> None:
    key, plain = catalog.create_key("key_5f0c1a2b", "mine", ["admin", "read"])

    assert (key.key_id, key.name, key.scopes) == ("key_5f0c1a2b", "mine", ("read", "admin"))
    assert plain.startswith("adw_5f0c1a2b_")
    assert plain not in str(catalog.list_keys())
    assert catalog.find_key(plain) == KnownKey(key, "", previous=False)
    assert catalog.find_key(plain + "x") is None
    assert catalog.revoke_key(key.key_id).status == "revoked"
    assert catalog.find_key(plain) is None
    with pytest.raises(NotFound):
        catalog.revoke_key("nobody")


@pytest.mark.parametrize("scopes", [[], ["root"], ["read", "everything"]])
def test_a_key_with_unknown_scopes_or_none_is_refused(catalog: Catalog, scopes: list[str]) -> None:
    with pytest.raises(Unprocessable, match="read, write, admin"):
        catalog.create_key("key_1", "mine", scopes)
    assert catalog.list_keys() == ([], "")


def test_the_id_of_a_key_is_read_from_the_key() -> None:
    assert key_id_of("adw_5f0c1a2b_secret_with_underscores") == "key_5f0c1a2b"


@pytest.mark.parametrize("text", ["", "adw", "adw__s", "adw_a_", "ada_a_b", "adw_ä_b", "adw_a_" + "x" * 300, "_" * 9])
def test_text_of_another_form_is_not_a_key(text: str) -> None:
    assert key_id_of(text) is None


def test_a_campaign_belongs_to_its_own_slice_though_it_does_not_name_itself(catalog: Catalog) -> None:
    catalog.put_objects([a_campaign("c1"), a_campaign("c2"), a_campaign("c3", campaign_id="c3")], T1)

    assert catalog.remove_missing(ObjectListing(META, "111", Dataset.CAMPAIGNS, "campaign=c1", T2), set()) == 1
    assert catalog.remove_missing(ObjectListing(META, "111", Dataset.CAMPAIGNS, "campaign=c3", T2), set()) == 1

    assert [(c.id, c.status.value) for c in catalog.objects(META, "111", Dataset.CAMPAIGNS)] == [
        ("c1", "removed"),
        ("c2", "active"),
        ("c3", "removed"),
    ]


def test_what_a_conversion_column_counted_before_is_kept(catalog: Catalog) -> None:
    def listed(tag: str, as_of: str, name: str = "") -> tuple[int, int, int]:
        columns = (ConversionColumn(column="01", tag_id=tag),)
        return catalog.put_objects([a_campaign(name=name, conversion_columns=columns)], as_of)

    # given lists that say two things, one after the other, and an older one that arrives late
    assert [listed("buy", T1), listed("news", T2), listed("news", T3), listed("buy", T1)] == [
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 1),
        (0, 0, 1),
    ]
    # when something else about the campaign changes
    assert listed("news", T4, name="Renamed") == (0, 1, 0)
    # then what the column counted is known for every day
    (found,) = catalog.objects(META, "111", Dataset.CAMPAIGNS)
    assert isinstance(found, AdCampaign)
    assert [(one.tag_id, one.since) for one in found.conversion_columns] == [("buy", ""), ("news", T2[:10])]


def test_the_budgets_of_a_campaign_are_kept_with_the_day_of_their_first_list(catalog: Catalog) -> None:
    def listed(budget: int, as_of: str, name: str = "") -> tuple[int, int, int]:
        return catalog.put_objects([a_campaign(name=name, budget=budget, budget_type="daily")], as_of)

    # given a list as always, one with another budget that comes again, and an older one that arrives late
    assert [listed(100, T1), listed(300, T2), listed(300, T3), listed(100, T1)] == [
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 1),
        (0, 0, 1),
    ]
    # when something else about the campaign changes
    assert listed(300, T4, name="Renamed") == (0, 1, 0)
    # then both budgets are known
    (found,) = catalog.objects(META, "111", Dataset.CAMPAIGNS)
    assert isinstance(found, AdCampaign)
    assert [(one.amount, one.kind, one.since) for one in found.budgets] == [(100, "daily", ""), (300, "daily", T2[:10])]
    assert found.budget == 300


SHOP = Platform("shop")


def test_a_client_s_own_figures_are_in_its_terms_else_in_those_of_its_first_ad_account(catalog: Catalog) -> None:
    """Given no ad account, then USD and UTC; then the first active ad account's; then what is set."""
    account = catalog.create_account("acc_1", "One", "a@example.com")
    assert catalog.terms(account) == ("USD", "UTC")
    for profile_id, zone in (("1", "America"), ("2", "Europe/Berlin")):
        catalog.put_objects([a_profile(profile_id, "acc_1", currency="EUR", timezone=zone)], T1)
    assert catalog.terms(account) == ("EUR", "Europe/Berlin")
    changed = catalog.update_account("acc_1", currency="CHF")
    assert catalog.terms(changed) == ("CHF", "Europe/Berlin")


def test_an_account_s_own_profile_is_made_once_and_follows_its_terms(catalog: Catalog) -> None:
    account = catalog.create_account("acc_1", "One", "a@example.com")
    own = own_profile_id("acc_1")
    made = catalog.unlisted_profile(account, SHOP, own, Terms("USD", "UTC"))
    assert made is not None
    assert (made.is_own, made.is_listed, made.shown_id, made.name) == (True, False, "direct", "One")
    assert catalog.unlisted_profile(account, SHOP, own, Terms("USD", "UTC")) == made
    followed = catalog.unlisted_profile(account, SHOP, own, Terms("EUR", "Europe/Berlin"))
    assert (
        followed
        == catalog.profile(SHOP, own)
        == made.model_copy(update={"currency": "EUR", "timezone": "Europe/Berlin"})
    )
    catalog.delete_account("acc_1")
    left = catalog.profile(SHOP, own)
    assert left is not None
    assert left.status == ProfileStatus.INACTIVE


def test_an_ad_account_that_files_tell_of_stays_as_it_is_and_with_its_client(catalog: Catalog) -> None:
    """Given an ad account of a file, when its platform lists it, then it is the listed one; nobody else gets it."""
    one, two = (catalog.create_account(f"acc_{n}", n, "a@example.com") for n in "12")
    made = catalog.unlisted_profile(one, SHOP, "7", Terms("USD", "UTC"))
    assert made == catalog.unlisted_profile(one, SHOP, "7", Terms("EUR", "UTC"))
    assert catalog.unlisted_profile(two, SHOP, "7", Terms("USD", "UTC")) is None
    catalog.put_objects([made.model_copy(update={"currency": "GBP"})] if made else [], T1)
    listed = catalog.profile(SHOP, "7")
    assert listed is not None
    assert (listed.is_listed, listed.currency) == (True, "GBP")
