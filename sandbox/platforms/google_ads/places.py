"""Who a row is about, and how the numbers of an ad's day or hour divide over keywords, terms, ages, places, pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from sandbox.platforms.google_ads.geography import COUNTRIES, region_name
from sandbox.platforms.google_ads.population import budget_owner
from sandbox.world import Numbers, WorldAd, WorldAdGroup, WorldCampaign, WorldKeyword, WorldProfile
from sandbox.world.located import located
from sandbox.world.numbers import split
from sandbox.world.world import KEYWORD_WEIGHTS

Label = tuple[tuple[str, Any], ...]


class GooglePlace(NamedTuple):
    """Who a row is about; what its resource does not tell apart is None.

    `label`: values of fields by their paths that nothing in the world stands for, such as a search term's text.
    """

    campaign: WorldCampaign | None = None
    group: WorldAdGroup | None = None
    ad: WorldAd | None = None
    keyword: WorldKeyword | None = None
    label: Label = ()

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for equal places."""
        return (*(part.id if part else "" for part in self[:4]), self.label)


class PlaceShare(NamedTuple):
    """A place, and its part of the numbers."""

    place: GooglePlace
    numbers: Numbers


Divide = Callable[[WorldProfile, GooglePlace, Numbers], Iterator[PlaceShare]]
"""The whole place of an ad and its numbers → the places of a resource. What it leaves out is in no row."""

AGES = {
    "AGE_RANGE_18_24": (503001, 10), "AGE_RANGE_25_34": (503002, 22), "AGE_RANGE_35_44": (503003, 20),
    "AGE_RANGE_45_54": (503004, 14), "AGE_RANGE_55_64": (503005, 8), "AGE_RANGE_65_UP": (503006, 6),
    "AGE_RANGE_UNDETERMINED": (503999, 20),
}  # fmt: skip
GENDERS = {"MALE": (10, 40), "FEMALE": (11, 38), "UNDETERMINED": (20, 22)}
"""By type: Google's criterion id, and the part of the traffic."""
_PRESENCE = {"LOCATION_OF_PRESENCE": 9, "AREA_OF_INTEREST": 1}
_TERMS = {"{}": 6, "best {}": 3, "": 1}
"""What was searched for a keyword; what too few people searched is in no row."""
_SITES = {"news.example": 4, "recipes.example": 3, "games.example": 2}
_VIDEOS = {"youtube.com/channel/alpha": 5, "youtube.com/channel/beta": 3}
_PLACED = {"DISPLAY": _SITES, "VIDEO": _VIDEOS, "DEMAND_GEN": _VIDEOS, "PERFORMANCE_MAX": _SITES}


def labelled(resource: str, resource_name: str, /, **values: object) -> Label:
    """A label of a resource's own values, with its resource name; two underscores in a name stand for a dot."""
    own = tuple((f"{resource}.{path.replace('__', '.')}", value) for path, value in values.items())
    return ((f"{resource}.resource_name", resource_name), *own)


def parts(place: GooglePlace, numbers: Numbers, weights: Mapping[Label, int]) -> Iterator[PlaceShare]:
    """The numbers over labels by weights; the part of an empty label is in no row."""
    for label, part in zip(weights, split(numbers, list(weights.values())), strict=True):
        if label:
            yield PlaceShare(place._replace(label=label), part)


def whole(_profile: WorldProfile, place: GooglePlace, numbers: Numbers) -> Iterator[PlaceShare]:
    """Accounts, campaigns, ad groups, ads: nothing is divided."""
    yield PlaceShare(place, numbers)


def by_budget(profile: WorldProfile, place: GooglePlace, numbers: Numbers) -> Iterator[PlaceShare]:
    """Budgets: what shares one is a row together."""
    if place.campaign:
        yield PlaceShare(place._replace(campaign=budget_owner(profile, place.campaign)), numbers)


def by_asset_group(_profile: WorldProfile, place: GooglePlace, numbers: Numbers) -> Iterator[PlaceShare]:
    """Asset groups of Performance Max."""
    if place.campaign and place.campaign.product == "PERFORMANCE_MAX":
        yield PlaceShare(place, numbers)


def by_keyword(_profile: WorldProfile, place: GooglePlace, numbers: Numbers) -> Iterator[PlaceShare]:
    """Keywords; what ad groups without any have is in no row."""
    keywords = place.group.keywords if place.group else ()
    if keywords:
        divided = split(numbers, list(KEYWORD_WEIGHTS[: len(keywords)]))
        for keyword, part in zip(keywords, divided, strict=True):
            yield PlaceShare(place._replace(keyword=keyword), part)


def by_term(profile: WorldProfile, place: GooglePlace, numbers: Numbers) -> Iterator[PlaceShare]:
    """What people searched before they saw an ad of a keyword."""
    for matched, part in by_keyword(profile, place, numbers):
        assert matched.keyword is not None  # noqa: S101 - by_keyword puts one into each place
        yield from _terms("search_term_view", matched, part, matched.keyword.text)


def by_campaign_term(profile: WorldProfile, place: GooglePlace, numbers: Numbers) -> Iterator[PlaceShare]:
    """The same by campaign, and for Performance Max, which has no keywords."""
    if place.group and place.campaign and place.campaign.product == "PERFORMANCE_MAX":
        yield from _terms("campaign_search_term_view", place, numbers, place.group.name.rpartition(" ")[0].lower())
        return
    for matched, part in by_keyword(profile, place, numbers):
        assert matched.keyword is not None  # noqa: S101 - by_keyword puts one into each place
        yield from _terms("campaign_search_term_view", matched, part, matched.keyword.text)


def _terms(view: str, place: GooglePlace, numbers: Numbers, text: str) -> Iterator[PlaceShare]:
    weights: dict[Label, int] = {}
    for pattern, weight in _TERMS.items():
        label: Label = ((f"{view}.search_term", pattern.format(text)),) if pattern else ()
        if label and view == "search_term_view":
            label = (*label, (f"{view}.status", "ADDED" if pattern == "{}" else "NONE"))
        weights[label] = weight
    yield from parts(place, numbers, weights)


def by_age(_profile: WorldProfile, place: GooglePlace, numbers: Numbers) -> Iterator[PlaceShare]:
    """Ages of an ad group; those that Google does not know are a row too."""
    return _by_criterion(place, numbers, "age_range", AGES)


def by_gender(_profile: WorldProfile, place: GooglePlace, numbers: Numbers) -> Iterator[PlaceShare]:
    """Genders of an ad group."""
    return _by_criterion(place, numbers, "gender", GENDERS)


def _by_criterion(
    place: GooglePlace, numbers: Numbers, name: str, known: Mapping[str, tuple[int, int]]
) -> Iterator[PlaceShare]:
    weights: dict[Label, int] = {
        (
            ("ad_group_criterion.criterion_id", criterion),
            (f"ad_group_criterion.{name}.type", value),
            ("ad_group_criterion.type", name.upper()),
            ("ad_group_criterion.status", "ENABLED"),
        ): weight
        for value, (criterion, weight) in known.items()
    }
    return parts(place, numbers, weights)


_REGION = "segments.geo_target_region"
"""In the labels of both views of places; a query that does not ask for regions leaves it out."""


def by_geography(profile: WorldProfile, place: GooglePlace, numbers: Numbers) -> Iterator[PlaceShare]:
    """Where people were, or in which places they were interested: a place of each kind is a row of its own."""
    for where, part in located(profile, numbers):
        weights: dict[Label, int] = {
            (
                ("geographic_view.country_criterion_id", COUNTRIES[where.country].id),
                ("geographic_view.location_type", kind),
                (_REGION, region_name(where.region)),
            ): share
            for kind, share in _PRESENCE.items()
        }
        yield from parts(place, part, weights)


def by_user_location(profile: WorldProfile, place: GooglePlace, numbers: Numbers) -> Iterator[PlaceShare]:
    """Where people were."""
    for where, part in located(profile, numbers):
        label: Label = (
            ("user_location_view.country_criterion_id", COUNTRIES[where.country].id),
            ("user_location_view.targeting_location", where.country == profile.country),
            (_REGION, region_name(where.region)),
        )
        yield PlaceShare(place._replace(label=label), part)


def by_region(profile: WorldProfile, share: PlaceShare) -> list[PlaceShare]:
    """Regions of a row that its view has not divided by place yet; where Google knows none, the segment is absent."""
    label = share.place.label
    if any(name == _REGION for name, _ in label):
        return [share]
    return [
        PlaceShare(share.place._replace(label=(*label, (_REGION, region_name(where.region)))), part)
        for where, part in located(profile, share.numbers)
    ]


def by_landing_page(_profile: WorldProfile, place: GooglePlace, numbers: Numbers) -> Iterator[PlaceShare]:
    """Landing pages of ads that name one."""
    urls = place.ad.creative["ad"].get("final_urls") if place.ad and "ad" in place.ad.creative else None
    if urls:
        yield PlaceShare(place._replace(label=(("landing_page_view.unexpanded_final_url", urls[0]),)), numbers)


def by_group_placement(_profile: WorldProfile, place: GooglePlace, numbers: Numbers) -> Iterator[PlaceShare]:
    """Sites and channels on which ads stood, outside of search."""
    return _placements("group_placement_view", place, numbers)


def by_detail_placement(_profile: WorldProfile, place: GooglePlace, numbers: Numbers) -> Iterator[PlaceShare]:
    """The same with the pages."""
    return _placements("detail_placement_view", place, numbers)


def _placements(view: str, place: GooglePlace, numbers: Numbers) -> Iterator[PlaceShare]:
    sites = _PLACED.get(place.campaign.product, {}) if place.campaign else {}
    if sites:
        kind = "WEBSITE" if sites is _SITES else "YOUTUBE_CHANNEL"
        weights: dict[Label, int] = {
            ((f"{view}.placement", site), (f"{view}.placement_type", kind), (f"{view}.display_name", site)): weight
            for site, weight in sites.items()
        }
        yield from parts(place, numbers, weights)
