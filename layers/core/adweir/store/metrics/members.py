"""Members: which entities of a partition belong to which campaign, so that a question about some reads only these.

One item per campaign lists its entity ids: `!!<campaign>`, `ids` (a set of texts), or `many` where there are too many
to list. Entities without a known campaign are in the list of "". Accounts and campaigns need no list: their ids are in
the question. A list is a superset: it is written before the entities' own items are, and nobody is ever taken off it,
so that it also answers for the past. Coverage says whether a partition's lists name all of its entities (`ListState`):
where they do not, as in partitions that earlier versions wrote, readers read the whole partition until a load has read
it whole and listed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from adweir.model import limits
from adweir.model.metrics import Level, Series
from adweir.store.metrics.brought import Parents
from adweir.store.metrics.buckets import LISTS, Bucket, Partition, Raw, can_be_key
from adweir.store.metrics.coverage import ListState
from adweir.store.metrics.partitions import ItemKey, Readable

_CAMPAIGN_BYTES = limits.MAX_ENTITY_KEY_BYTES - len(LISTS)
_LISTS_AT_ONCE = 100
"""A list has up to 300 kB."""
_SET_BYTES = 3
"""What a text in a set takes beside its own bytes."""


class Only(NamedTuple):
    """The entities that a question is about: those that match all that is given. Rows of others may come, too.

    `groups` are ad groups, `own` the ids of ads or keywords without their ad group.
    """

    campaigns: frozenset[str] | None = None
    groups: frozenset[str] | None = None
    own: frozenset[str] | None = None

    def may_match(self, entity_id: str) -> bool:
        """Whether an id of an ad group, ad or keyword, or of a breakdown of them, can be of these groups and ids."""
        first, *others = parts = entity_id.split("~")
        if self.own is not None and self.own.isdisjoint([first, *_beginnings(others)]):
            return False
        return self.groups is None or "" in self.groups or not self.groups.isdisjoint(_beginnings(parts))


class NewMembers:
    """The entities that a load adds to a partition's lists. Until these name all, it has to note each stored one."""

    def __init__(self, series: Series, *, listing: ListState) -> None:
        self._series = series
        self._named = not series.breakdown and series.level in {Level.ACCOUNT, Level.CAMPAIGN}
        self._before = listing
        self._odd = False
        self._added: dict[str, list[str]] = {}

    @property
    def listing(self) -> ListState:
        """What the lists are good for once they are written."""
        return ListState.ODD if self._odd or self._before is ListState.ODD else ListState.ALL

    def note(self, stored: Bucket | None, after: Bucket | None) -> None:
        """Note an entity as it is stored, and as it will be: None where it is not."""
        bucket = after or stored
        if bucket is None or self._before is ListState.ODD:
            return
        if stored is not None and self._before is ListState.ALL and stored.parents == bucket.parents:
            return
        self._odd = self._odd or _is_odd(self._series, bucket.entity_id, bucket.parents)
        if not self._named:
            self._added.setdefault(_list_of(bucket.parents.campaign_id), []).append(bucket.entity_id)

    def items(self, table: Readable, pk: str) -> list[Raw]:
        """The lists to write, with what is on them already; those that stay the same are left out."""
        if self.listing is ListState.ODD or not self._added:
            return []
        keys = {campaign: f"{LISTS}{campaign}" for campaign in self._added}
        known = {item["sk"]["S"]: item for item in table.get_many(ItemKey(pk, key) for key in keys.values())}
        found: list[Raw] = []
        for campaign, added in self._added.items():
            before = known.get(keys[campaign], {})
            if "many" in before:
                continue
            listed = set(before["ids"]["SS"]) if before else set()
            ids = listed.union(added)
            if ids == listed:
                continue
            fits = sum(len(entity_id.encode()) + _SET_BYTES for entity_id in ids) <= limits.MAX_MEMBERS_BYTES
            said = {"ids": {"SS": sorted(ids)}} if fits else {"many": {"BOOL": True}}
            found.append({"pk": {"S": pk}, "sk": {"S": keys[campaign]}, **said})
        return found


Month = Sequence[tuple[Partition, ListState]]
"""The copies of a month that its sources have, and what the lists of each are good for."""


def chosen(table: Readable, series: Series, months: Sequence[Month], only: Only | None) -> list[frozenset[str] | None]:
    """The keys to read in each month's partitions; None: all of them."""
    if only is None or series.level is Level.ACCOUNT:
        return [None] * len(months)
    found = [_without_lists(series, month, only) for month in months]
    listed = [
        number
        for number, month in enumerate(months)
        if found[number] is None and all(listing is ListState.ALL for _, listing in month)
    ]
    names = _names(series.level, only)
    at_once = max(1, _LISTS_AT_ONCE // max(1, len(names or ()) * max(map(len, months), default=1)))
    for begin in range(0, len(listed), at_once):
        numbers = listed[begin : begin + at_once]
        lists = _read(table, [part.pk for number in numbers for part, _ in months[number]], names)
        for number in numbers:
            found[number] = _keys((each for part, _ in months[number] for each in lists[part.pk]), only)
    return found


def _without_lists(series: Series, month: Month, only: Only) -> frozenset[str] | None:
    """The keys where the question names them."""
    listings = {listing for _, listing in month}
    if series.breakdown or ListState.ODD in listings:
        return None
    if series.level is Level.CAMPAIGN:
        return _possible(only.campaigns)
    if listings == {ListState.ALL}:
        return _possible(only.groups if series.level is Level.AD_GROUP else _pairs(only))
    return None


def _pairs(only: Only) -> Iterable[str] | None:
    """The ids of ads or keywords, where the question names ad groups and ads."""
    if only.groups is None or only.own is None or len(only.groups) * len(only.own) > limits.MAX_CHOSEN_ENTITIES:
        return None
    if any("~" in group or not group for group in only.groups):
        return None
    return (f"{group}~{own}" for group in only.groups for own in only.own)


def _possible(ids: Iterable[str] | None) -> frozenset[str] | None:
    """Those that can be keys: people ask for anything."""
    return None if ids is None else frozenset(filter(can_be_key, ids))


def _names(level: Level, only: Only) -> frozenset[str] | None:
    """The campaigns whose lists are looked up; None: all lists are read."""
    if only.campaigns is None or len(only.campaigns) > _LISTS_AT_ONCE:
        return None
    names = frozenset(map(_list_of, only.campaigns))
    return names | {""} if level is Level.CAMPAIGN else names  # a campaign need not name itself among its parents


def _read(table: Readable, pks: Sequence[str], names: frozenset[str] | None) -> Mapping[str, Iterable[Raw]]:
    """Partition → its lists, those of the named campaigns where some are named."""
    if names is None:
        return {pk: table.lists(pk) for pk in pks}
    found: dict[str, list[Raw]] = {pk: [] for pk in pks}
    for item in table.get_many(ItemKey(pk, f"{LISTS}{name}") for pk in pks for name in names):
        found[item["pk"]["S"]].append(item)
    return found


def _keys(lists: Iterable[Raw], only: Only) -> frozenset[str] | None:
    """The keys that lists name; None where they do not say, or are so many that it is better to read all items."""
    keys: set[str] = set()
    for item in lists:
        if "many" in item:
            return None
        keys.update(filter(only.may_match, item["ids"]["SS"]))
        if len(keys) > limits.MAX_CHOSEN_ENTITIES:
            return None
    return frozenset(keys)


def _list_of(campaign_id: str) -> str:
    """The campaign whose list names an entity; one that cannot be a part of a key is with those that are not known."""
    try:
        return campaign_id if len(campaign_id.encode()) <= _CAMPAIGN_BYTES else ""
    except UnicodeEncodeError:
        return ""


def _is_odd(series: Series, entity_id: str, parents: Parents) -> bool:
    """Whether an entity's id does not say which campaign or ad group it is, or which ad group it is in."""
    level = series.level
    parent = {Level.ACCOUNT: "", Level.CAMPAIGN: parents.campaign_id}.get(level, parents.ad_group_id)
    if not parent:
        return False
    is_itself = level in {Level.CAMPAIGN, Level.AD_GROUP} and not series.breakdown
    return entity_id != parent if is_itself else not entity_id.startswith(f"{parent}~")


def _beginnings(parts: Sequence[str]) -> list[str]:
    return ["~".join(parts[:end]) for end in range(1, len(parts) + 1)]
