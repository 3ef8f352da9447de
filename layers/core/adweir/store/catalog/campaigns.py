"""Cross-platform campaigns: `campaigns#<account>` / `<campaign>`, each with its arms in one item.

An id leads to its client: `campaign-ids` / `<campaign>`, and an arm's id begins with its campaign's (`arm_id_in`). What
a client's campaigns and arms are bound to changes one write after another: `campaigns#<account>` / `!bindings` counts
them, and is written together with the campaign. A campaign that is deleted leaves its item without its content, so that
its id can never stand for something else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from adweir.model import limits
from adweir.model.campaigns import Campaign, Claim, clash
from adweir.model.errors import Conflict, NotFound, Unprocessable
from adweir.model.ids import IdKind, NewId
from adweir.model.times import iso
from adweir.store.catalog.items import Item, Items, as_read, version_of
from adweir.store.dynamo.keyed import Key
from adweir.store.dynamo.paging import from_token, to_token

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition

_IDS, _BINDINGS = "campaign-ids", "!bindings"
_ACTIVE, _DELETED = "active", "deleted"
_FIRST = "0"
"""What comes before every id, and after the count of bindings."""
_TRIES = 5
_ARM_DIGITS = 8


class Campaigns(Items):
    """Cross-platform campaigns: stored whole, changed on condition that nobody else did."""

    def create_campaign(self, fresh: Campaign) -> Campaign:
        """Store a new campaign with its arms. Raises Conflict for one too many of its client, and for what another
        campaign or arm is bound to; Unprocessable for one that is too large."""
        now = iso(self._clock.now())
        fresh = fresh.model_copy(update={"version": 1, "created_at": now, "updated_at": now})
        for _ in range(_TRIES):
            if self._stored_campaign(fresh, None):
                return fresh
        raise _busy()

    def campaign(self, campaign_id: str) -> Campaign:
        """A campaign. Raises NotFound, UnreadableItem."""
        found = self.few_campaigns([campaign_id])
        if campaign_id not in found:
            raise unknown("cross-platform campaign", campaign_id, "campaign_id")
        return found[campaign_id]

    def campaigns_of(self, account_id: str) -> list[Campaign]:
        """All campaigns of a client, by id."""
        items = self._query(_pk(account_id), after=_FIRST)
        return list(self._entities(Campaign, (item for item in items if item.state != _DELETED)))

    def named_campaigns(self, ids: Iterable[str]) -> dict[str, Campaign]:
        """Campaigns by their ids and by those of their arms; ids of nothing are left out."""
        return self._of_ids(ids, self._fetch_many)

    def few_campaigns(self, ids: Iterable[str]) -> dict[str, Campaign]:
        """The same by queries, which every role may make; each id takes two."""

        def each(keys: Iterable[Key]) -> dict[Key, Item]:
            found = (item for pk, sk in keys for item in self._query(pk, sk, up_to=sk))
            return {(item.pk, item.sk): item for item in found}

        return self._of_ids(ids, each)

    def list_campaigns(self, limit: int = 50, token: str = "", account_id: str = "") -> tuple[list[Campaign], str]:
        """A page of campaigns by id, of a client or of all, and the token of the next. Raises BadInput.

        A page may hold fewer than `limit`, because deleted ones are left out.
        """
        if account_id:
            return self._page_of(self.campaigns_of(account_id), limit, token)
        items, following = self._page(_IDS, limit, token)
        found = self.named_campaigns(item.sk for item in items)
        return [found[item.sk] for item in items if item.sk in found], following

    def change_campaign(
        self, campaign_id: str, change: Callable[[Campaign], Campaign], version: int | None = None
    ) -> tuple[Campaign, Campaign]:
        """Store what `change` makes of a campaign; the campaign before and after. It may be called several times.

        Raises NotFound, what `change` raises, what `create_campaign` does, and Conflict when the campaign has another
        `version` than the one that is given.
        """
        for _ in range(_TRIES):
            was = self.campaign(campaign_id)
            if version not in {None, was.version}:
                raise Conflict(
                    f"{campaign_id} has version {was.version} by now, and {version} was read: read it again",
                    [{"field": "version", "message": f"is {was.version} by now"}],
                )
            now = {"version": was.version + 1, "updated_at": iso(self._clock.now())}
            fresh = change(was).model_copy(update=now)
            if self._stored_campaign(fresh, was):
                return was, fresh
        raise _busy()

    def delete_campaign(self, campaign_id: str) -> Campaign:
        """Forget a campaign and its arms; what they were bound to is free again. Raises NotFound, Conflict."""
        for _ in range(_TRIES):
            was = self.campaign(campaign_id)
            gone = Item(_pk(was.account_id), campaign_id, state=_DELETED, version=was.version + 1)
            if self._put(gone, _is(was)):
                return was
        raise _busy()

    def _page_of(self, found: Sequence[Campaign], limit: int, token: str) -> tuple[list[Campaign], str]:
        """A page of campaigns that were read already, by id."""
        after = from_token(_IDS, token)
        left = sorted((each for each in found if each.campaign_id > after), key=lambda each: each.campaign_id)
        more = len(left) > limit
        return left[:limit], to_token(_IDS, left[limit - 1].campaign_id) if more else ""

    def _of_ids(self, ids: Iterable[str], fetch: Callable[[Iterable[Key]], Mapping[Key, Item]]) -> dict[str, Campaign]:
        wanted = {each: campaign_id_in(each) for each in ids if IdKind.CAMPAIGN.names(campaign_id_in(each))}
        owners = fetch([(_IDS, each) for each in set(wanted.values())])
        items = fetch([(_pk(str(item.state)), sk) for (_, sk), item in owners.items()])
        there = [item for item in items.values() if item.state != _DELETED]
        found = {each.campaign_id: each for each in self._entities(Campaign, there)}
        return {
            each: found[campaign_id]
            for each, campaign_id in wanted.items()
            if campaign_id in found and (each == campaign_id or found[campaign_id].arm(each))
        }

    def _stored_campaign(self, fresh: Campaign, was: Campaign | None) -> bool:
        """Store a campaign in place of the one that was read; False when somebody else changed what it rests on."""
        _check_size(fresh)
        puts = [(_item(fresh), Item.pk.does_not_exist() if was is None else _is(was))]
        if was is None:
            puts.append((Item(_IDS, fresh.campaign_id, state=fresh.account_id), Item.pk.does_not_exist()))
        if was is None or set(fresh.claims) != set(was.claims):
            puts.append(self._counted(fresh, is_new=was is None))
        return self._put_together(puts)

    def _counted(self, fresh: Campaign, *, is_new: bool) -> tuple[Item, Condition]:
        """What says that these bindings go together with all others of the client. Raises Conflict."""
        pk = _pk(fresh.account_id)
        item = self._fetch(pk, _BINDINGS)  # before the campaigns: whoever changes one meanwhile has changed this, too
        stored = list(self._query(pk, after=_FIRST))
        others = [each for each in stored if each.state != _DELETED and each.sk != fresh.campaign_id]
        if is_new and len(others) >= limits.MAX_CAMPAIGNS:
            raise Conflict(f"the client has {limits.MAX_CAMPAIGNS} campaigns: delete one that nobody uses")
        if is_new and len(stored) >= limits.MAX_KEPT_CAMPAIGNS:
            raise Conflict(
                f"the client has had {limits.MAX_KEPT_CAMPAIGNS} campaigns: change one in place of a new one"
            )
        if both := clash([*self._entities(Campaign, others), fresh]):
            raise _twice(*both, of=fresh.campaign_id)
        return Item(pk, _BINDINGS, version=version_of(item) + 1), as_read(item)


def arm_id_in(campaign_id: str, new_id: NewId) -> str:
    """The id of a new arm of a campaign."""
    return IdKind.ARM.of(campaign_id.removeprefix(IdKind.CAMPAIGN.of("")) + new_id()[:_ARM_DIGITS])


def campaign_id_in(id_: str) -> str:
    """The id of the campaign of an arm's id; any other as it is."""
    if not IdKind.ARM.names(id_):
        return id_
    return IdKind.CAMPAIGN.of(id_.removeprefix(IdKind.ARM.of(""))[:-_ARM_DIGITS])


def unknown(noun: str, id_: str, field: str) -> NotFound:
    """Nothing has this id, or not any more."""
    message = f"there is no {noun} {id_[:64]}: GET /api/v1/campaigns lists what there is"
    return NotFound(message, [{"field": field, "message": "is unknown"}])


def _twice(one: Claim, other: Claim, of: str) -> Conflict:
    mine, theirs = (other, one) if other.campaign_id == of else (one, other)
    whose = f"{theirs.owner} is bound to {theirs.binding}: unbind it there first"
    if mine.owner == theirs.owner:
        whose = f"it lies in {theirs.binding}, which is named too: leave one of them out"
    message = f"{mine.binding} would count twice: {whose}"
    return Conflict(message, [{"field": "bindings", "message": message}])


def _busy() -> Conflict:
    return Conflict("somebody else changes campaigns of this client at the same moment: try again")


def _check_size(campaign: Campaign) -> None:
    """Raises Unprocessable for too many arms or bindings, or too much text."""
    bindings = sum(1 for _ in campaign.claims)
    for field, count, most in (
        ("arms", len(campaign.arms), limits.MAX_CAMPAIGN_ARMS),
        ("bindings", bindings, limits.MAX_CAMPAIGN_BINDINGS),
    ):
        if count > most:
            message = f"a campaign has at most {most} {field} with those of its arms, and these are {count}"
            raise Unprocessable(message, [{"field": field, "message": message}])
    size = len(json.dumps(campaign.model_dump(mode="json")))
    if size > limits.MAX_CAMPAIGN_BYTES:
        message = (
            f"a campaign with its arms has at most {limits.MAX_CAMPAIGN_BYTES:,} bytes of JSON, and these are {size:,}"
        )
        raise Unprocessable(message, [{"field": "body", "message": message}])


def _pk(account_id: str) -> str:
    return f"campaigns#{account_id}"


def _item(campaign: Campaign) -> Item:
    body = campaign.model_dump(mode="json")
    return Item(_pk(campaign.account_id), campaign.campaign_id, state=_ACTIVE, version=campaign.version, body=body)


def _is(was: Campaign) -> Condition:
    """The item holds what was read."""
    same: Condition = (Item.state == _ACTIVE) & (Item.version == was.version)
    return same
