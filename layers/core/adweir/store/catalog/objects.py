"""Campaigns, ad groups, ads and keywords as their platforms have them. The newest pull wins here too.

`objects#<platform>#<profile>#<dataset>` / `<id>` (ads and keywords: `<id>~<ad group>`) holds the content of the newest
pull that brought a difference (`as_of`) and the newest complete pull that did not bring the object (`removed_at`).
`!coverage#<slice>` beside them holds the `as_of` of the newest complete pull. It answers for the objects that came
unchanged, so these are not written again. The order in which pulls arrive does not change the result.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.model import limits, slices
from adweir.model.budgets import continued_budgets
from adweir.model.conversion_columns import continued
from adweir.model.datasets import Dataset
from adweir.model.entities import (
    Ad,
    AdCampaign,
    AdCreative,
    AdGroup,
    Keyword,
    KeywordKind,
    PlatformObject,
    Status,
    Subscription,
)
from adweir.model.errors import BadInput
from adweir.model.platforms import Platform
from adweir.store.catalog.items import Effect, Item, Items
from adweir.store.dynamo.keyed import Key

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

_COVERAGE = "!coverage#"
_COLUMNS, _BUDGETS = "conversion_columns", "budgets"
_TRIES = 5
_TOGETHER = 100
_TOGETHER_BYTES = 2 << 20
_KINDS: Mapping[Dataset, type[PlatformObject]] = {
    Dataset.CAMPAIGNS: AdCampaign,
    Dataset.AD_GROUPS: AdGroup,
    Dataset.ADS: Ad,
    Dataset.CREATIVES: AdCreative,
    Dataset.KEYWORDS: Keyword,
    Dataset.TARGETS: Keyword,
    Dataset.NEGATIVES: Keyword,
    Dataset.STREAMS: Subscription,
}
_NEIGHBORS = 1000
"""Keys per query of neighboring ads: what DynamoDB reads for one answer, 1 MB, has about as many."""
_FEW = 5
"""Ids that it pays to look for one by one: reading a thousand neighbors takes 250 read units, an id takes one."""
_LAST, _NEXT = "\U0010ffff", "\0"
"""Behind a text: the last and the first that begin with it, as DynamoDB sorts."""
_UNDER_A_GROUP = (Dataset.ADS, Dataset.KEYWORDS, Dataset.TARGETS, Dataset.NEGATIVES)


class ObjectListing(NamedTuple):
    """A list of a profile's objects of one slice, pulled at `as_of` (`model.times.iso`)."""

    platform: Platform
    profile_id: str
    dataset: Dataset
    slice: str
    as_of: str


class Objects(Items):
    """Platform objects: stored by pull, found by id, listed by profile."""

    def find_objects(
        self, platform: Platform, profile_ids: Sequence[str], dataset: Dataset, ids: Sequence[str]
    ) -> dict[str, list[PlatformObject]]:
        """Objects of several profiles by the requested id; unknown ids are left out.

        An ad or a keyword is found by its own id or by `ad_group_id~id`.
        """
        found: dict[str, list[PlatformObject]] = {}
        asked: dict[Key, list[str]] = {}
        known = [one for one in ids if one and not one.startswith("!") and len(one) <= limits.MAX_OBJECT_ID_CHARS]
        for profile_id in profile_ids:
            pk, under = _pk(platform, profile_id, dataset), dict[str, str]()
            for object_id in known:
                group, _, own = object_id.rpartition("~")
                if group or dataset not in _UNDER_A_GROUP:
                    asked.setdefault((pk, f"{own}~{group}" if group else object_id), []).append(object_id)
                else:
                    under[f"{object_id}~"] = object_id
            for prefix, sk in self._seek(pk, sorted(under)):
                asked.setdefault((pk, sk), []).append(under[prefix])
        items = self._fetch_many(asked)
        for key in sorted(items):
            objects = list(self._as_objects(dataset, [items[key]]))
            for object_id in asked[key] if objects else ():
                found.setdefault(object_id, []).extend(objects)
        return found

    def _seek(self, pk: str, prefixes: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Prefix (`<id>~`) and sort key of the items whose keys begin with these sorted prefixes.

        A push names many ads of few campaigns, whose ids lie close together: a query reads the keys of a thousand
        neighbors. Where hardly one of them is wanted, and for a few ids, each prefix is a query.
        """
        wanted, at, begin = frozenset(prefixes), 0, ""
        while len(prefixes) - at >= _FEW:
            keys = self._query_keys(pk, begin or prefixes[at], prefixes[-1] + _LAST, _NEIGHBORS)
            yield from ((_prefix(sk), sk) for sk in keys if _prefix(sk) in wanted)
            if len(keys) < _NEIGHBORS:
                return
            passed, at = at, bisect_left(prefixes, _prefix(keys[-1]))
            begin = keys[-1] + _NEXT if at < len(prefixes) and prefixes[at] == _prefix(keys[-1]) else ""
            if at - passed < _FEW:
                break
        for prefix in prefixes[at:]:
            first = begin if begin.startswith(prefix) else prefix
            yield from ((prefix, sk) for sk in self._query_keys(pk, first, prefix + _LAST))

    def objects(self, platform: Platform, profile_id: str, dataset: Dataset) -> Iterator[PlatformObject]:
        """All objects of a profile, removed ones included (their `status` says so), by id."""
        items = self._query(_pk(platform, profile_id, dataset))
        return self._as_objects(dataset, (item for item in items if not item.sk.startswith("!")))

    def remove_missing(
        self, listed: ObjectListing, seen: Collection[str], go_on: Callable[[], None] = lambda: None
    ) -> int:
        """End a *complete* pull: what it did not bring of its slice becomes `removed`.

        Returns how many this pull removed, also when it is repeated. `seen` are the keys of what it brought
        (`object_key`), and ids of what it brought but could not be read. `go_on` is called before each removal: what it
        raises ends the call, which goes on when it is repeated.
        """
        platform, profile_id, dataset, slice_, as_of = listed
        pk = _pk(platform, profile_id, dataset)
        coverage: dict[str, str] = {}
        removed = 0
        for item in self._query(pk):  # coverage first: "!" sorts before every id
            if item.sk.startswith("!"):
                coverage |= _covered([item])
                continue
            body = item.body or {}
            if not _within(dataset, body, slice_):
                continue
            if item.sk in seen or body.get("id") in seen:
                self._revive(item, as_of)
                continue
            if item.removed_at == as_of and _is_removed(item):
                removed += 1  # by a worker of this very pull, who may have died before it was announced
                continue
            # A newer complete pull brought it, or has marked it already.
            answered = max((at for named, at in coverage.items() if _within(dataset, body, named)), default="")
            if max(answered, item.removed_at or "", item.as_of or "") >= as_of:
                continue
            go_on()
            gone_before = _is_removed(item)
            newer = Item.removed_at.does_not_exist() | (Item.removed_at < as_of)
            marked = self._change(pk, item.sk, [Item.removed_at.set(as_of)], Item.pk.exists() & newer)
            removed += marked is not None and not gone_before
        self._put(Item(pk, _COVERAGE + slice_, as_of=as_of), Item.pk.does_not_exist() | (Item.as_of < as_of))
        return removed

    def _revive(self, item: Item, as_of: str) -> None:
        """An older pull that did not bring the object marked it between this pull's objects and its end."""
        if _is_removed(item) and (item.removed_at or "") < as_of:
            self._change(item.pk, item.sk, [Item.as_of.set(as_of)], (Item.as_of == item.as_of) & _as_read(item))

    def _put_platform_objects(self, objects: Sequence[PlatformObject], as_of: str) -> list[Effect]:
        by_key = {(_pk(item.platform, item.profile_id, dataset_of(item)), object_key(item)): item for item in objects}
        bodies = {key: _body(item) for key, item in by_key.items()}
        around = {key: [(key[0], _COVERAGE + name) for name in _around(by_key[key], bodies[key])] for key in by_key}
        found = self._fetch_many([*by_key, *chain.from_iterable(around.values())])
        effects, writes = [], list[_Write]()
        for key, body in bodies.items():
            covered = max((found[each].as_of or "" for each in around[key] if each in found), default="")
            step = _next_step(key, body, as_of, found.get(key), covered)
            if isinstance(step, Effect):
                effects.append(step)
            else:
                writes.append(step)
        for batch in _batches(writes):
            together = len(batch) > 1 and self._put_together([(each.item, each.condition) for each in batch])
            for each in batch:
                key = each.item.pk, each.item.sk
                effects.append(each.effect if together else self._put_one(by_key[key], each, as_of))
        return effects

    def _put_one(self, fresh: PlatformObject, first: _Write, as_of: str) -> Effect:
        """Write one object; when somebody else was quicker, decide again by what they left."""
        step: Effect | _Write = first
        for _ in range(_TRIES):
            if isinstance(step, Effect):
                return step
            if self._put(step.item, step.condition):
                return step.effect
            key, body = (step.item.pk, step.item.sk), _body(fresh)
            around = [(key[0], _COVERAGE + name) for name in _around(fresh, body)]
            found = self._fetch_many([key, *around])
            covered = max((found[each].as_of or "" for each in around if each in found), default="")
            step = _next_step(key, body, as_of, found.get(key), covered)
        raise BadInput(f"object {fresh.id} keeps changing")

    def _as_objects(self, dataset: Dataset, items: Iterable[Item]) -> Iterator[PlatformObject]:
        return self._readable(items, lambda item: _object(dataset, item))


class _Write(NamedTuple):
    """An object to be put, on what condition, and what that changes."""

    item: Item
    condition: Condition
    effect: Effect


def _next_step(key: Key, body: dict[str, Any], as_of: str, stored: Item | None, covered: str) -> Effect | _Write:
    """What a pull of `as_of` makes of an object: nothing more to do, or what to write.

    `covered` is the newest complete pull that answered for the object.
    """
    if stored is None:
        # A newer complete pull did not bring it: known, and removed at once.
        item = Item(*key, as_of=as_of, removed_at=covered if covered > as_of else None, body=body)
        return _Write(item, Item.pk.does_not_exist(), Effect.ADDED)
    body = _continued(body, stored.body or {}, as_of)
    same = stored.body == body
    if stored.as_of == as_of:
        return Effect.CHANGED  # by a worker of this very pull, who may have died before it was announced
    if _answered(stored, covered) >= as_of or (same and not _is_removed(stored)):
        return Effect.UNCHANGED
    item = Item(*key, as_of=as_of, removed_at=stored.removed_at, body=body)
    effect = Effect.UNCHANGED if same and _is_removed(item) else Effect.CHANGED
    return _Write(item, (Item.as_of == stored.as_of) & _as_read(stored), effect)


def _continued(body: dict[str, Any], before: Mapping[str, Any], as_of: str) -> dict[str, Any]:
    """The body with what is only known from earlier pulls: what numbered conversion columns counted, and budgets."""
    known = before.get(_COLUMNS) or ()
    kept = {
        _COLUMNS: continued(body.get(_COLUMNS) or (), known, as_of[:10]),
        _BUDGETS: continued_budgets(body, before, as_of[:10]),
    }
    return body | {name: found for name, found in kept.items() if found}


def _batches(writes: Iterable[_Write]) -> Iterator[list[_Write]]:
    """Writes for one transaction each, which takes 100 items and 4 MB."""
    batch, size = list[_Write](), 0
    for write in writes:
        own = len(json.dumps(write.item.body))
        if batch and (len(batch) == _TOGETHER or size + own > _TOGETHER_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(write)
        size += own
    if batch:
        yield batch


def _body(item: PlatformObject) -> dict[str, Any]:
    return item.model_dump(mode="json", exclude_defaults=True, exclude={"as_of"})


def _around(item: PlatformObject, body: Mapping[str, Any]) -> tuple[str, ...]:
    """The slices that an object belongs to (`_within`)."""
    campaign = body.get("campaign_id") or (body.get("id", "") if dataset_of(item) is Dataset.CAMPAIGNS else "")
    return slices.around(campaign, body.get("ad_product", ""))


def _covered(items: Iterable[Item]) -> dict[str, str]:
    return {item.sk[len(_COVERAGE) :]: item.as_of or "" for item in items}


def dataset_of(item: PlatformObject) -> Dataset:
    """The dataset that an object belongs to. Raises BadInput for any other entity."""
    if type(item) is Keyword and item.kind is not KeywordKind.KEYWORD:
        return Dataset.NEGATIVES if item.kind is KeywordKind.NEGATIVE else Dataset.TARGETS
    for dataset, kind in _KINDS.items():
        if type(item) is kind:
            return dataset
    raise BadInput(f"{type(item).__name__} is not a platform object")


def _prefix(sk: str) -> str:
    return sk[: sk.find("~") + 1]


def _pk(platform: Platform, profile_id: str, dataset: Dataset) -> str:
    return f"objects#{platform}#{profile_id}#{dataset}"


def object_key(item: PlatformObject) -> str:
    """What tells an object apart within its profile and dataset: its id, of ads and keywords `<id>~<ad group>`."""
    return f"{item.id}~{item.ad_group_id}" if dataset_of(item) in _UNDER_A_GROUP else item.id


def _within(dataset: Dataset, body: Mapping[str, Any], slice_: str) -> bool:
    """Whether a stored object belongs to the slice that a pull asked for. A campaign need not name itself as parent."""
    campaign = body.get("campaign_id") or (body.get("id", "") if dataset is Dataset.CAMPAIGNS else "")
    return slices.contains(slice_, campaign, body.get("ad_product", ""))


def _is_removed(item: Item) -> bool:
    return (item.removed_at or "") > (item.as_of or "")


def _answered(stored: Item, covered: str) -> str:
    """The newest pull that answered for the content: the coverage counts where that pull brought the object."""
    return max(stored.as_of or "", covered if covered > (stored.removed_at or "") else "")


def _as_read(stored: Item) -> Any:
    if stored.removed_at is None:
        return Item.removed_at.does_not_exist()
    return Item.removed_at == stored.removed_at


def _object(dataset: Dataset, item: Item) -> PlatformObject:
    body = dict(item.body or {}) | {"as_of": item.as_of or ""}
    found = _KINDS[dataset].model_validate(body, extra="ignore")
    return found.model_copy(update={"status": Status.REMOVED}) if _is_removed(item) else found
