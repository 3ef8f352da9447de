"""Filters: which profiles, objects and rows a question is about.

`account_id` takes either kind of id: `acc_…` is a client company, any other an ad account of a platform; so does
`campaign_id`: `cmp_…` is a cross-platform campaign, which stands for all that is bound to it. `client_account_id` and
`profile_id` take one kind only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adweir.model.entities import Ad, AdCampaign, AdGroup, Keyword, PlatformObject, Profile
from adweir.model.errors import Unprocessable
from adweir.model.ids import IdKind
from adweir.model.metrics import SOURCE_ORDER, Level, Source
from adweir.model.ports import PlatformParser
from adweir.reporting.bound_to import ARM, BoundTo, FindCampaigns, read_bound
from adweir.reporting.breakdowns import DIMENSIONS as BREAKDOWN_DIMENSIONS
from adweir.store.metrics.store import Only

NEEDS = {
    "campaign_id": Level.CAMPAIGN,
    "ad_group_id": Level.AD_GROUP,
    "ad_id": Level.AD,
    "keyword_id": Level.KEYWORD,
}
"""Filters and dimensions by the level of the rows that they need."""

OF_PROFILE: Mapping[str, Callable[[Profile], str]] = {
    "platform": lambda profile: str(profile.platform),
    "account_id": lambda profile: profile.shown_id,
    "client_account_id": lambda profile: profile.account_id,
    "profile_id": lambda profile: profile.profile_id,
    "currency": lambda profile: profile.currency,
}
"""Filters and dimensions that a profile answers: name → its value."""

FILTERS = (*OF_PROFILE, *NEEDS, ARM, *BREAKDOWN_DIMENSIONS)
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class ChosenIds:
    """Ids of objects, each of a profile (by its key): the same id of another profile is not chosen."""

    name: str
    by_profile: Mapping[str, frozenset[str]]
    every: frozenset[str]

    @classmethod
    def of(cls, name: str, by_profile: Mapping[str, frozenset[str]]) -> ChosenIds:
        """Those of a filter's name (`campaign_id`)."""
        return cls(name, by_profile, frozenset().union(*by_profile.values()))


@dataclass(frozen=True, slots=True)
class Filters:
    """Name → allowed values; every name has to match, all of `also`, and all of `chosen`. An empty one matches
    everything. `profiles`: only these, by their keys; None: all. `bound`: only what belongs to these cross-platform
    campaigns and arms."""

    allowed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    also: tuple[Filters, ...] = ()
    chosen: tuple[ChosenIds, ...] = ()
    profiles: frozenset[str] | None = None
    bound: BoundTo | None = None

    @property
    def platform(self) -> str:
        """The only platform that is asked for; "" when there are several or any."""
        names = self.allowed.get("platform", frozenset())
        return next(iter(names)) if len(names) == 1 else ""

    @property
    def of_rows(self) -> dict[str, frozenset[str]]:
        """The part that is decided row by row; of chosen ids those of all profiles (`within` has those of one)."""
        found = {name: values for name, values in self.allowed.items() if name not in OF_PROFILE}
        for each in self.chosen:
            found[each.name] = found[each.name] & each.every if each.name in found else each.every
        return found

    def within(self, profile: Profile) -> Filters:
        """The filters as they are for the rows of one profile."""
        if not self.chosen:
            return self
        merged = dict(self.allowed)
        for each in self.chosen:
            ids = each.by_profile.get(profile.key, frozenset())
            merged[each.name] = merged[each.name] & ids if each.name in merged else ids
        return Filters(merged, self.also, (), self.profiles, self.bound)

    @property
    def only(self) -> Only | None:
        """The entities whose rows can match; None where all can."""
        asked = self.of_rows
        own = asked.get("ad_id", asked.get("keyword_id"))
        found = Only(asked.get("campaign_id"), asked.get("ad_group_id"), own)
        return None if found == Only() else found

    def keep_profile(self, profile: Profile) -> bool:
        """Whether the profile can have rows that match."""
        if self.bound is not None and not self.bound.keep_profile(profile):
            return False
        if not all(profile.key in each.by_profile for each in self.chosen):
            return False
        return self.keep_own(profile)

    def keep_own(self, profile: Profile) -> bool:
        """The same, whatever is chosen of it."""
        if self.profiles is not None and profile.key not in self.profiles:
            return False
        own = (_matches(name, values, profile) for name, values in self.allowed.items() if name in OF_PROFILE)
        return all(own) and all(each.keep_profile(profile) for each in self.also)

    def keep_object(self, item: PlatformObject, account_id: str) -> bool:
        """Whether a campaign, ad group, ad or keyword of a client matches by its own id and its parents'."""
        if self.bound is not None and not self.bound.keep_object(item, account_id):
            return False
        own = {"campaign_id": item.campaign_id, "ad_group_id": item.ad_group_id} | {
            name: item.id for kind, name in _OWN_ID.items() if isinstance(item, kind)
        }
        return all(own[name] in values for name, values in self.of_rows.items() if name in own)

    def both(self, other: Filters) -> Filters:
        """What matches this and the other."""
        merged, also = dict(self.allowed), (*self.also, *other.also)
        for name, values in other.allowed.items():
            if name == "account_id" and name in merged:
                also = (*also, Filters({name: values}))  # a client's id and its ad account's have no text in common
            else:
                merged[name] = merged[name] & values if name in merged else values
        named = [each for each in (self.profiles, other.profiles) if each is not None]
        profiles = frozenset.intersection(*named) if named else None
        bound = other.bound if self.bound is None else self.bound.both(other.bound)
        return Filters(merged, also, (*self.chosen, *other.chosen), profiles, bound)


EVERYTHING = Filters()
_OWN_ID: Mapping[type[PlatformObject], str] = {
    AdCampaign: "campaign_id",
    AdGroup: "ad_group_id",
    Ad: "ad_id",
    Keyword: "keyword_id",
}


def parse_filters(
    given: Mapping[str, Any],
    parse_platform: PlatformParser,
    where: str = "filters",
    find: FindCampaigns = lambda _: {},
) -> Filters:
    """Name → value or list of values → filters; `find` looks up cross-platform campaigns.

    Raises Unprocessable that names what is unknown.
    """
    filters = Filters()
    for name, texts, at in given_texts(given, FILTERS, where):
        bound = read_bound(name, texts, at, find) if name in {"campaign_id", ARM} else None
        if bound is not None:
            filters = filters.both(Filters(bound=bound))
        elif name == "platform":
            filters = filters.both(Filters({name: frozenset(str(parse_platform(each)) for each in texts)}))
        else:
            filters = filters.both(Filters({name: texts}))
    return filters


def given_texts(
    given: Mapping[str, Any], known: Collection[str], where: str, of: str = ""
) -> Iterator[tuple[str, frozenset[str], str]]:
    """Name → value or list of values → (name, values as texts, place in the request) of each filter.

    `of`: the data type that has the `known` filters, "" for the numbers of ads. Raises Unprocessable that names what is
    unknown.
    """
    for name, value in given.items():
        shown, values = name[:_SHOWN], value if isinstance(value, list) else [value]
        at = f"{where}.{shown}"
        if name not in known:
            message = f"{of} has no filter {shown!r}" if of else f"unknown filter {shown!r}"
            fault = {"field": at, "message": "is unknown", "known": list(known)}
            raise Unprocessable(f"{message}; known: {', '.join(known)}", [fault])
        if not all(isinstance(each, str | int) and not isinstance(each, bool) for each in values):
            message = f"{name} is a text or a list of texts"
            raise Unprocessable(message, [{"field": at, "message": message}])
        yield name, frozenset(str(each) for each in values), at


def parse_sources(given: Any) -> tuple[Source, ...]:
    """A source or a list of them → sources in the order of preference; all when none is named. Raises Unprocessable."""
    names = [] if given is None else given if isinstance(given, list) else [given]
    if not all(isinstance(name, str) and name in set(SOURCE_ORDER) for name in names):
        message = f"source is one or more of {', '.join(SOURCE_ORDER)}"
        raise Unprocessable(message, [{"field": "filters.source", "message": message, "known": list(SOURCE_ORDER)}])
    return tuple(source for source in SOURCE_ORDER if not names or source in names)


def _matches(name: str, allowed: frozenset[str], profile: Profile) -> bool:
    if OF_PROFILE[name](profile) in allowed:
        return True
    return name == "account_id" and IdKind.ACCOUNT.names(profile.account_id) and profile.account_id in allowed
