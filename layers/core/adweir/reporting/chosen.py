"""Objects chosen by what they are called or whether they run, as filters: segments of reports and filters of lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, PlatformObject, Profile, Status
from adweir.model.errors import Unprocessable
from adweir.reporting.ads import Flights, status_on
from adweir.reporting.filters import ChosenIds, Filters
from adweir.reporting.object_names import OF_OBJECTS, name_of
from adweir.reporting.query import Queries

_STATUS = "_status"
_OF: Mapping[str, str] = {
    **{column: name for name, (column, _) in OF_OBJECTS.items()},
    **{name.removesuffix("_id") + _STATUS: name for name in OF_OBJECTS},
}
"""Segment → the id of what it chooses."""
_ACCOUNT = "account_name"
SEGMENTS = (_ACCOUNT, *_OF)
_LOOKS = 5000
_SHOWN = 40
Accepts = Callable[[str], bool]


def choose(queries: Queries, asked: Filters, segment: Mapping[str, Any], where: str) -> Filters:
    """The filter of a segment: `{"name", "values"}`, of a name also `{"name", "contains"}`, in upper or lower case.

    Objects are chosen as they are now; what is in no list of its platform has neither name nor status. `asked` are the
    filters of profiles beside it. Raises Unprocessable, TooLarge, Unavailable.
    """
    name = str(segment["name"])
    accepts = _accepts(name, segment, where)
    if name == _ACCOUNT:
        return Filters(profiles=frozenset(each.key for each in queries.profiles(asked) if accepts(each.name)))
    by_profile = {}
    for profile in queries.profiles(asked):
        ids = frozenset(_ids(queries, profile, name, accepts))
        if ids:
            by_profile[profile.key] = ids
    return Filters(chosen=(ChosenIds.of(_OF[name], by_profile),))


def contains(text: str, parts: frozenset[str]) -> bool:
    """Whether a text contains one of these parts, which are casefolded."""
    folded = text.casefold()
    return any(part in folded for part in parts)


def _accepts(name: str, segment: Mapping[str, Any], where: str) -> Accepts:
    """Whether a name or status is one that is asked for. Raises Unprocessable."""
    key = "contains" if "contains" in segment else "values"
    given = segment.get(key, segment.get("value"))
    texts = given if isinstance(given, list) else [given]
    is_status = name.endswith(_STATUS)
    if not texts or not all(isinstance(text, str) and text for text in texts) or (key == "contains" and is_status):
        message = f'a segment {name} is {{"name", "values"}}' + ("" if is_status else ' or {"name", "contains"}')
        raise Unprocessable(message, [{"field": where, "message": message}])
    unknown = [text for text in texts if is_status and text not in set(Status)]
    if unknown:
        message = f"unknown status {unknown[0][:_SHOWN]!r}; known: {', '.join(Status)}"
        raise Unprocessable(message, [{"field": where, "message": message, "known": list(Status)}])
    if key == "contains":
        parts = frozenset(text.casefold() for text in texts)
        return lambda text: contains(text, parts)
    wanted = frozenset(texts)
    return lambda text: text in wanted


def _ids(queries: Queries, profile: Profile, name: str, accepts: Accepts) -> list[str]:
    """The ids of a profile's objects that are accepted."""
    found = []
    says = _status_of(queries, profile) if name.endswith(_STATUS) else name_of
    datasets = OF_OBJECTS[_OF[name]][1]
    number = 0
    for dataset in datasets:
        for item in queries.catalog.objects(profile.platform, profile.profile_id, dataset):
            if not number % _LOOKS:
                queries.check_time()
            number += 1
            if accepts(says(item)):
                found.append(item.id)
    return found


def _status_of(queries: Queries, profile: Profile) -> Callable[[PlatformObject], str]:
    """The status that lists show: what is active and has its last day behind it has ended."""
    today = queries.today(profile).isoformat() if profile.timezone else ""
    flights: list[Flights] = []

    def status(item: PlatformObject) -> str:
        if not isinstance(item, Ad):
            return status_on(today, item.status, item.end_date).value
        if not flights:  # only ads have the dates of their campaigns and ad groups
            of = (
                queries.catalog.objects(profile.platform, profile.profile_id, dataset)
                for dataset in (Dataset.CAMPAIGNS, Dataset.AD_GROUPS)
            )
            flights.append(Flights(*of))
        return flights[0].dated(item, today).status.value

    return status
