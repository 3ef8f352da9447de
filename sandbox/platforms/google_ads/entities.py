"""Which objects a resource has: the places of a query that has no segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sandbox.outside import Outside
from sandbox.platforms.google_ads.accounts import GoogleAccount, GoogleEstate
from sandbox.platforms.google_ads.actions import NEWSLETTER, account_actions
from sandbox.platforms.google_ads.changes import changes
from sandbox.platforms.google_ads.geography import COUNTRIES, REGIONS, GeoTarget
from sandbox.platforms.google_ads.places import GooglePlace, Label
from sandbox.platforms.google_ads.population import budget_owner, criterion_id
from sandbox.world import WorldProfile

Entities = Callable[[Outside, GoogleEstate, GoogleAccount], Iterator[GooglePlace]]


def _labelled(resource: str, resource_name: str, /, **values: object) -> Label:
    """A label of a resource's own values, with its resource name; two underscores in a name stand for a dot."""
    own = tuple((f"{resource}.{path.replace('__', '.')}", value) for path, value in values.items())
    return ((f"{resource}.resource_name", resource_name), *own)


def _of_profile(places: Callable[[WorldProfile], Iterator[GooglePlace]]) -> Entities:
    return lambda _outside, _estate, account: places(account.profile) if account.profile else iter(())


def _customer(_outside: Outside, _estate: GoogleEstate, _account: GoogleAccount) -> Iterator[GooglePlace]:
    yield GooglePlace()


def _clients(_outside: Outside, estate: GoogleEstate, account: GoogleAccount) -> Iterator[GooglePlace]:
    """The account itself at level 0, and all below a manager, each once."""
    for client, level in estate.under(account.id):
        yield GooglePlace(
            label=_labelled(
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


def _asset_group_assets(profile: WorldProfile) -> Iterator[GooglePlace]:
    for place in _asset_groups(profile):
        group = place.group
        assert group is not None  # noqa: S101 - an asset group's place has one
        for asset, field in group.unlisted[0].creative["fields"].items():
            name = f"customers/{profile.id}/assetGroupAssets/{group.id}~{asset.rpartition('/')[2]}~{field}"
            values = {"asset": asset, "field_type": field, "status": "ENABLED", "performance_label": "GOOD"}
            values |= {"asset_group": f"customers/{profile.id}/assetGroups/{group.id}"}
            yield place._replace(label=_labelled("asset_group_asset", name, **values) + _asset_label(profile, asset))


def _assets(profile: WorldProfile) -> Iterator[GooglePlace]:
    for asset in _made_assets(profile):
        yield GooglePlace(label=_asset_label(profile, f"customers/{profile.id}/assets/{asset}"))


def _made_assets(profile: WorldProfile) -> dict[str, dict[str, object]]:
    """Every ad's and asset group's assets by their ids."""
    return {asset: paths for _, _, ad in profile.delivering() for asset, paths in ad.creative["assets"].items()}


def _asset_label(profile: WorldProfile, name: str) -> Label:
    asset_id = name.rpartition("/")[2]
    values = {path: value for path, value in _made_assets(profile).get(asset_id, {}).items() if value is not None}
    return _labelled("asset", name, id=int(asset_id), **values)


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
    return _labelled(resource, f"customers/{profile.id}/{table}/{key}", **values)


def _conversion_actions(profile: WorldProfile) -> Iterator[GooglePlace]:
    for action in account_actions(profile):
        name = f"customers/{profile.id}/conversionActions/{action.id}"
        yield GooglePlace(
            label=_labelled(
                "conversion_action",
                name,
                id=int(action.id),
                name=action.name,
                status="ENABLED",
                type="WEBPAGE",
                category=action.category,
                origin="WEBSITE",
                primary_for_goal=action.primary,
                include_in_conversions_metric=action.primary,
                counting_type="ONE_PER_CLICK" if action == NEWSLETTER else "MANY_PER_CLICK",
                click_through_lookback_window_days=30,
                view_through_lookback_window_days=1,
                owner_customer=f"customers/{profile.id}",
            )
        )


def _changes(outside: Outside, _estate: GoogleEstate, account: GoogleAccount) -> Iterator[GooglePlace]:
    for name, change in changes(outside, account.profile) if account.profile else ():
        yield GooglePlace(label=_labelled("change_status", name, **change))


def _billing_setups(_outside: Outside, _estate: GoogleEstate, account: GoogleAccount) -> Iterator[GooglePlace]:
    if account.profile is not None:
        name = f"customers/{account.id}/billingSetups/{account.id[-6:]}"
        yield GooglePlace(label=_labelled("billing_setup", name, id=int(account.id[-6:]), status="APPROVED"))


def _geo_targets(_outside: Outside, _estate: GoogleEstate, _account: GoogleAccount) -> Iterator[GooglePlace]:
    """The countries and regions that rows here can name; they are the same in every account."""
    for code, country in COUNTRIES.items():
        yield _geo_target(country, code, country.name)
    for code, region in REGIONS.items():
        home = code.partition("-")[0]
        yield _geo_target(region, home, f"{region.name},{COUNTRIES[home].name}")


def _geo_target(target: GeoTarget, country_code: str, whole: str) -> GooglePlace:
    values = {"id": target.id, "name": target.name, "target_type": target.kind}
    values |= {"country_code": country_code, "canonical_name": whole}
    return GooglePlace(
        label=_labelled("geo_target_constant", f"geoTargetConstants/{target.id}", status="ENABLED", **values)
    )


ENTITIES: Mapping[str, Entities] = {
    "customer": _customer,
    "customer_client": _clients,
    "campaign": _of_profile(_campaigns),
    "campaign_budget": _of_profile(_budgets),
    "campaign_criterion": _of_profile(_campaign_criteria),
    "ad_group": _of_profile(_groups),
    "ad_group_ad": _of_profile(_ads),
    "ad_group_criterion": _of_profile(_criteria),
    "asset": _of_profile(_assets),
    "asset_group": _of_profile(_asset_groups),
    "asset_group_asset": _of_profile(_asset_group_assets),
    "keyword_view": _of_profile(_keywords),
    "conversion_action": _of_profile(_conversion_actions),
    "change_status": _changes,
    "bidding_strategy": lambda _outside, _estate, _account: iter(()),
    "billing_setup": _billing_setups,
    "geo_target_constant": _geo_targets,
}
"""Other resources have rows only where there was activity."""
