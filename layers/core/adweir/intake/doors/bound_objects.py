"""Bindings as somebody writes them → objects of the client's ad accounts, with the objects that they are in.

`{"platform", "profile_id", "campaign_id", "ad_group_id", "ad_id"}`: the most specific id says what is bound; without
any but `profile_id` it is the whole ad account. `profile_id` may be left out where one ad account of the client has the
object, an ad's `ad_group_id` where one ad group of the ad account has it. So do coarser ids: they only have to fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from adweir.model import limits
from adweir.model.campaigns import Binding
from adweir.model.datasets import Dataset
from adweir.model.entities import PlatformObject, Profile
from adweir.model.errors import Unprocessable
from adweir.model.platforms import Platform
from adweir.model.ports import PlatformParser

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog

_KINDS = (("ad_id", Dataset.ADS), ("ad_group_id", Dataset.AD_GROUPS), ("campaign_id", Dataset.CAMPAIGNS))
_LISTS = {Dataset.ADS: "ads", Dataset.AD_GROUPS: "ads", Dataset.CAMPAIGNS: "platform-campaigns"}
_PROFILE = "profile_id"


class BoundObjects:
    """Finds what bindings of a client name."""

    def __init__(self, catalog: Catalog, parse: PlatformParser, account_id: str) -> None:
        self._catalog = catalog
        self._parse = parse
        self._profiles = [each for each in catalog.profiles(account_id) if each.has_ads]

    def find(self, given: Sequence[Mapping[str, str]], platform: Platform | None = None) -> tuple[Binding, ...]:
        """The bindings, sorted and each once. `platform`: that of their arm, which they need not name.

        Raises Unprocessable that names each fault, Unavailable.
        """
        if len(given) > limits.MAX_CAMPAIGN_BINDINGS:
            message = f"at most {limits.MAX_CAMPAIGN_BINDINGS} bindings"
            raise Unprocessable(message, [{"field": "bindings", "message": message}])
        faults: list[dict[str, str]] = []
        sought: list[tuple[int, _Sought]] = []
        for place, one in enumerate(given):
            with _noted(faults, place):
                sought.append((place, self._sought(one, platform)))
        objects = self._objects(wanted for _, wanted in sought)
        found = set[Binding]()
        for place, wanted in sought:
            with _noted(faults, place):
                found.add(_bound(wanted, objects))
        if faults:
            raise Unprocessable.listing("the bindings are refused", sorted(faults, key=lambda each: each["field"]))
        return tuple(sorted(found, key=lambda each: each.path))

    def _sought(self, given: Mapping[str, str], of_arm: Platform | None) -> _Sought:
        platform = self._platform(given.get("platform", ""), of_arm)
        profiles = tuple(each.profile_id for each in self._among(platform, given.get(_PROFILE, "")))
        kind = next(((field, dataset) for field, dataset in _KINDS if given.get(field)), None)
        if kind is None:
            if not given.get(_PROFILE):
                raise _BindingFault(_PROFILE, "is required, or campaign_id, ad_group_id or ad_id")
            return _Sought(platform, profiles, None, _PROFILE, "", given)
        field, dataset = kind
        is_in_group = dataset is Dataset.ADS and given.get("ad_group_id")
        wanted = f"{given['ad_group_id']}~{given[field]}" if is_in_group else given[field]
        return _Sought(platform, profiles, dataset, field, wanted, given)

    def _objects(self, sought: Iterable[_Sought]) -> _Found:
        """What is sought, read together."""
        by_place: dict[_Place, dict[str, None]] = {}
        for one in sought:
            if one.dataset is not None:
                by_place.setdefault((one.platform, one.profiles, one.dataset), {})[one.wanted] = None
        return {place: self._catalog.find_objects(*place, list(ids)) for place, ids in by_place.items()}

    def _platform(self, name: str, of_arm: Platform | None) -> Platform:
        if not name and of_arm is None:
            raise _BindingFault("platform", "is required")
        try:
            platform = self._parse(name) if name else of_arm
        except Unprocessable as error:
            known = {each.platform for each in self._profiles}
            if name.lower() not in known:  # files may be of a platform that nothing here pulls
                raise _BindingFault("platform", error.message) from None
            platform = Platform(name.lower())
        if platform is None or of_arm not in {None, platform}:
            raise _BindingFault("platform", f"is not the arm's, {of_arm}: another platform is another arm")
        return platform

    def _among(self, platform: Platform, profile_id: str) -> list[Profile]:
        of_platform = [each for each in self._profiles if each.platform == platform]
        found = [each for each in of_platform if profile_id in {"", each.profile_id, each.shown_id}]
        if not found:
            what = f"the client has no ad account {profile_id[:64]} of {platform}".replace("  ", " ")
            raise _BindingFault(
                _PROFILE if profile_id else "platform", f"{what}: GET /api/v1/profiles lists what it has"
            )
        return found


class _Sought(NamedTuple):
    """An object that a binding names, and the ad accounts that it may be in; `dataset` is None for an ad account."""

    platform: Platform
    profiles: tuple[str, ...]
    dataset: Dataset | None
    field: str
    wanted: str
    given: Mapping[str, str]


_Place = tuple[Platform, tuple[str, ...], Dataset]
_Found = Mapping[_Place, Mapping[str, Sequence[PlatformObject]]]


class _BindingFault(Exception):
    """What is wrong with a field of a binding."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@contextmanager
def _noted(faults: list[dict[str, str]], place: int) -> Iterator[None]:
    """Notes a fault of the binding at this place."""
    try:
        yield
    except _BindingFault as fault:
        faults.append({"field": f"bindings[{place}].{fault.field}", "message": str(fault)})


def _bound(sought: _Sought, objects: _Found) -> Binding:
    """The binding to what was sought. Raises _BindingFault."""
    dataset, field = sought.dataset, sought.field
    if dataset is None:
        return Binding(platform=sought.platform, profile_id=sought.profiles[0])
    known = objects[sought.platform, sought.profiles, dataset].get(sought.wanted, ())
    found = [each for each in known if _fits(each, sought.given, dataset)]
    if not found:
        where = f"GET /api/v1/{_LISTS[dataset]} lists what is known; what no list has brought yet cannot be bound"
        raise _BindingFault(field, f"is unknown here: {where}")
    if len(found) > 1:
        raise _BindingFault(field, "is not unique here: name profile_id, too, and of an ad its ad_group_id")
    (one,) = found
    campaign_id = one.id if dataset is Dataset.CAMPAIGNS else one.campaign_id
    if not campaign_id:
        raise _BindingFault(
            field, "is in a campaign that is unknown here: bind the campaign, or list it with its campaign_id"
        )
    group = {Dataset.ADS: one.ad_group_id, Dataset.AD_GROUPS: one.id}.get(dataset, "")
    ids = {"profile_id": one.profile_id, "campaign_id": campaign_id, "ad_group_id": group}
    return Binding(platform=one.platform, **ids, ad_id=one.id if dataset is Dataset.ADS else "")


def _fits(found: PlatformObject, given: Mapping[str, str], dataset: Dataset) -> bool:
    """Whether the ids of what it should be in are right."""
    coarser: Iterable[tuple[str, str]] = (("campaign_id", found.campaign_id), ("ad_group_id", found.ad_group_id))
    own = dict(_KINDS)
    return all(given.get(field, "") in {"", id_} for field, id_ in coarser if own[field] is not dataset)
