"""Which objects a resource has: the places of a query that has no segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sandbox.outside import Outside
from sandbox.platforms.google_ads.accounts import GoogleAccount, GoogleEstate
from sandbox.platforms.google_ads.actions import account_actions, action_label
from sandbox.platforms.google_ads.changes import changes
from sandbox.platforms.google_ads.geography import COUNTRIES, REGIONS, GoogleGeoTarget
from sandbox.platforms.google_ads.linked import ad_assets, asset_labels, group_assets
from sandbox.platforms.google_ads.places import GooglePlace, Label, labelled
from sandbox.platforms.google_ads.population import budget_owner, criterion_id
from sandbox.world import WorldProfile

Places = Callable[[WorldProfile], Iterator[GooglePlace]]
Entities = Callable[[Outside, GoogleEstate, GoogleAccount], Iterator[GooglePlace]]


def _of_profile(places: Places) -> Entities:
    return lambda _outside, _estate, account: places(account.profile) if account.profile else iter(())


def _customer(_outside: Outside, _estate: GoogleEstate, _account: GoogleAccount) -> Iterator[GooglePlace]:
    yield GooglePlace()


def _clients(_outside: Outside, estate: GoogleEstate, account: GoogleAccount) -> Iterator[GooglePlace]:
    """The account itself at level 0, and all below a manager, each once."""
    for client, level in estate.under(account.id):
        yield GooglePlace(
            label=labelled(
                "customer_client",
                f"customers/{account.id}/customerClients/{client.id}",
                client_customer=f"customers/{client.id}",
                id=int(client.id),
                descriptive_name=client.name,
                currency_code=client.currency,
                time_zone=client.timezone,
                manager=client.manager,
                test_account=client.test,
                hidden=client.hidden,
                status=client.status,
                level=level,
            )
        )


def _campaigns(profile: WorldProfile) -> Iterator[GooglePlace]:
    for campaign in profile.campaigns:
        yield GooglePlace(campaign)


def _budgets(profile: WorldProfile) -> Iterator[GooglePlace]:
    """Each budget once, as that of its first campaign."""
    for campaign in profile.campaigns:
        if budget_owner(profile, campaign) is campaign:
            yield GooglePlace(campaign)


def _groups(profile: WorldProfile) -> Iterator[GooglePlace]:
    for campaign in profile.campaigns:
        for group in campaign.groups:
            if not group.hidden:
                yield GooglePlace(campaign, group)


def _ads(profile: WorldProfile) -> Iterator[GooglePlace]:
    for campaign, group, ad in profile.ads():
        yield GooglePlace(campaign, group, ad)


def _asset_groups(profile: WorldProfile) -> Iterator[GooglePlace]:
    for campaign in profile.campaigns:
        if campaign.product == "PERFORMANCE_MAX":
            for group in campaign.groups:
                yield GooglePlace(campaign, group)


def _links(places: Places, links: Callable[[WorldProfile, GooglePlace], Mapping[str, list[Label]]]) -> Places:
    """The places of the assets that are linked to other places."""

    def found(profile: WorldProfile) -> Iterator[GooglePlace]:
        for place in places(profile):
            for labels in links(profile, place).values():
                yield from (place._replace(label=label) for label in labels)

    return found


def _assets(profile: WorldProfile) -> Iterator[GooglePlace]:
    for label in asset_labels(profile).values():
        yield GooglePlace(label=label)


def _keywords(profile: WorldProfile) -> Iterator[GooglePlace]:
    for place in _groups(profile):
        for keyword in place.group.keywords if place.group else ():
            yield place._replace(keyword=keyword)


def _criteria(profile: WorldProfile) -> Iterator[GooglePlace]:
    """Keywords, and one negative keyword of each ad group that has any."""
    for place in _groups(profile):
        group = place.group
        assert group is not None  # noqa: S101 - an ad group's place has one
        for keyword in group.keywords:
            yield place._replace(keyword=keyword)
        if group.keywords:
            criterion = criterion_id("free", "BROAD")
            yield place._replace(label=_negative("ad_group_criterion", profile, f"{group.id}~{criterion}", "free"))


def _campaign_criteria(profile: WorldProfile) -> Iterator[GooglePlace]:
    """A negative keyword of each search campaign."""
    for campaign in profile.campaigns:
        if campaign.product == "SEARCH":
            key = f"{campaign.id}~{criterion_id('repair', 'BROAD')}"
            yield GooglePlace(campaign, label=_negative("campaign_criterion", profile, key, "repair"))


def _negative(resource: str, profile: WorldProfile, key: str, text: str) -> Label:
    table = "adGroupCriteria" if resource == "ad_group_criterion" else "campaignCriteria"
    values = {"type": "KEYWORD", "status": "ENABLED", "negative": True, "keyword__text": text}
    values |= {"criterion_id": int(key.partition("~")[2]), "keyword__match_type": "BROAD", "display_name": text}
    return labelled(resource, f"customers/{profile.id}/{table}/{key}", **values)


def _conversion_actions(profile: WorldProfile) -> Iterator[GooglePlace]:
    for action in account_actions(profile):
        yield GooglePlace(label=action_label(profile, action))


def _changes(outside: Outside, _estate: GoogleEstate, account: GoogleAccount) -> Iterator[GooglePlace]:
    for name, change in changes(outside, account.profile) if account.profile else ():
        yield GooglePlace(label=labelled("change_status", name, **change))


def _billing_setups(_outside: Outside, _estate: GoogleEstate, account: GoogleAccount) -> Iterator[GooglePlace]:
    if account.profile is not None:
        name = f"customers/{account.id}/billingSetups/{account.id[-6:]}"
        yield GooglePlace(label=labelled("billing_setup", name, id=int(account.id[-6:]), status="APPROVED"))


def _geo_targets(_outside: Outside, _estate: GoogleEstate, _account: GoogleAccount) -> Iterator[GooglePlace]:
    """The countries and regions that rows here can name; they are the same in every account."""
    for code, country in COUNTRIES.items():
        yield _geo_target(country, code, country.name)
    for code, region in REGIONS.items():
        home = code.partition("-")[0]
        yield _geo_target(region, home, f"{region.name},{COUNTRIES[home].name}")


def _geo_target(target: GoogleGeoTarget, country_code: str, whole: str) -> GooglePlace:
    values = {"id": target.id, "name": target.name, "target_type": target.kind}
    values |= {"country_code": country_code, "canonical_name": whole}
    return GooglePlace(
        label=labelled("geo_target_constant", f"geoTargetConstants/{target.id}", status="ENABLED", **values)
    )


ENTITIES: Mapping[str, Entities] = {
    "customer": _customer,
    "customer_client": _clients,
    "campaign": _of_profile(_campaigns),
    "campaign_budget": _of_profile(_budgets),
    "campaign_criterion": _of_profile(_campaign_criteria),
    "ad_group": _of_profile(_groups),
    "ad_group_ad": _of_profile(_ads),
    "ad_group_ad_asset_view": _of_profile(_links(_ads, ad_assets)),
    "ad_group_criterion": _of_profile(_criteria),
    "asset": _of_profile(_assets),
    "asset_group": _of_profile(_asset_groups),
    "asset_group_asset": _of_profile(_links(_asset_groups, group_assets)),
    "keyword_view": _of_profile(_keywords),
    "conversion_action": _of_profile(_conversion_actions),
    "change_status": _changes,
    "bidding_strategy": lambda _outside, _estate, _account: iter(()),
    "billing_setup": _billing_setups,
    "geo_target_constant": _geo_targets,
}
"""Other resources have rows only where there was activity."""
