"""Cross-platform campaigns and their arms, made and changed: what is asked for is checked, then stored.

Fields are handed in as a request or a command has them: only those that it named. `bindings` replace all that were
there (`bound_objects`); amounts are Decimals in units.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from adweir.intake.doors.bound_objects import BoundObjects
from adweir.model.campaigns import STATUSES, Arm, Campaign
from adweir.model.errors import Unprocessable
from adweir.model.ids import IdKind, NewId
from adweir.model.money import to_micros
from adweir.model.ports import PlatformParser, platform_named
from adweir.model.times import Clock, iso
from adweir.store.catalog.campaigns import arm_id_in, campaign_id_in, unknown

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog

_AMOUNTS = ("budget", "bid")
_DAYS = ("start_date", "end_date")
_E = TypeVar("_E", Campaign, Arm)


class CampaignBook:
    """Keeps a deployment's cross-platform campaigns; with a limited catalog, those of its clients."""

    def __init__(self, catalog: Catalog, parse: PlatformParser, clock: Clock, new_id: NewId) -> None:
        self._catalog = catalog
        self._parse = parse
        self._clock = clock
        self._new_id = new_id

    def create(self, account_id: str, given: Mapping[str, Any]) -> Campaign:
        """A new campaign of a client. Amounts are in the client's currency where none is named.

        Raises NotFound (the client), Unprocessable, Conflict, Unavailable.
        """
        account = self._catalog.account(account_id)
        campaign_id = IdKind.CAMPAIGN.make(self._new_id)
        fresh = Campaign(campaign_id=campaign_id, account_id=account_id, name="")
        found = self._with(fresh, given, account_id)
        if not found.currency:
            found = found.model_copy(update={"currency": self._catalog.terms(account).currency})
        return self._catalog.create_campaign(found)

    def change(
        self, campaign_id: str, given: Mapping[str, Any], version: int | None = None
    ) -> tuple[Campaign, Campaign]:
        """Change fields of a campaign; it before and after. Raises NotFound, Unprocessable, Conflict, Unavailable."""
        return self._catalog.change_campaign(campaign_id, lambda was: self._with(was, given, was.account_id), version)

    def delete(self, campaign_id: str) -> Campaign:
        """Forget a campaign and its arms. What was measured stays. Raises NotFound, Conflict, Unavailable."""
        return self._catalog.delete_campaign(campaign_id)

    def arm(self, arm_id: str, campaign_id: str = "") -> tuple[Campaign, Arm]:
        """An arm and its campaign, which is this one where it is named. Raises NotFound, Unavailable."""
        if campaign_id not in {"", campaign_id_in(arm_id)}:
            raise unknown("arm", arm_id, "arm_id")
        found = self._catalog.campaign(campaign_id_in(arm_id))
        return found, _arm_of(found, arm_id)

    def create_arm(
        self, campaign_id: str, platform: str, given: Mapping[str, Any], version: int | None = None
    ) -> tuple[Campaign, Arm]:
        """A new arm, and its campaign. `platform` may be one that is not connected. Raises as `change` does."""
        try:
            named = platform_named(platform, self._parse)
        except ValueError:
            message = "is a known platform, or lower-case letters, digits and _"
            raise Unprocessable(f"platform {message}", [{"field": "platform", "message": message}]) from None
        now = iso(self._clock.now())
        fresh = Arm(arm_id="", platform=named, created_at=now, updated_at=now)
        added: list[Arm] = []

        def add(was: Campaign) -> Campaign:
            arm_id = arm_id_in(was.campaign_id, self._new_id)
            if was.arm(arm_id) is not None:  # one in four billion
                raise Unprocessable("the arm's id is taken: try again")
            arm = self._with(fresh.model_copy(update={"arm_id": arm_id}), given, was.account_id)
            added[:] = [arm]
            return was.model_copy(update={"arms": (*was.arms, arm)})

        _, stored = self._catalog.change_campaign(campaign_id, add, version)
        return stored, added[0]

    def change_arm(
        self, arm_id: str, given: Mapping[str, Any], version: int | None = None
    ) -> tuple[Arm, Campaign, Arm]:
        """Change fields of an arm; it before, its campaign and it after. Raises as `change` does."""
        now = {"updated_at": iso(self._clock.now())}

        def change(was: Campaign) -> Campaign:
            arm = _arm_of(was, arm_id)
            fresh = self._with(arm, given, was.account_id).model_copy(update=now)
            return was.model_copy(update={"arms": tuple(fresh if one is arm else one for one in was.arms)})

        was, stored = self._catalog.change_campaign(campaign_id_in(arm_id), change, version)
        return _arm_of(was, arm_id), stored, _arm_of(stored, arm_id)

    def delete_arm(self, arm_id: str, version: int | None = None) -> tuple[Campaign, Arm]:
        """Forget an arm; what it was bound to is free again. Raises as `change` does."""

        def drop(was: Campaign) -> Campaign:
            gone = _arm_of(was, arm_id)
            return was.model_copy(update={"arms": tuple(one for one in was.arms if one is not gone)})

        was, stored = self._catalog.change_campaign(campaign_id_in(arm_id), drop, version)
        return stored, _arm_of(was, arm_id)

    def _with(self, was: _E, given: Mapping[str, Any], account_id: str) -> _E:
        """A campaign or an arm with the fields that were given. Raises Unprocessable."""
        changes = {name: value for name, value in given.items() if name != "bindings"}
        for name in _AMOUNTS:
            if changes.get(name) is not None:
                changes[name] = _amount(name, changes[name])
        for name in _DAYS:
            if name in changes:
                changes[name] = _day(name, changes[name])
        if changes.get("status", STATUSES[0]) not in STATUSES:
            message = f"is one of {', '.join(STATUSES)}"
            raise Unprocessable(f"status {message}", [{"field": "status", "message": message}])
        if "bindings" in given:
            objects = BoundObjects(self._catalog, self._parse, account_id)
            changes["bindings"] = objects.find(given["bindings"], was.platform if isinstance(was, Arm) else None)
        found = was.model_copy(update=changes)
        if isinstance(found, Campaign) and found.start_date and "" < found.end_date < found.start_date:
            message = f"is before start_date, {found.start_date}"
            raise Unprocessable(f"end_date {message}", [{"field": "end_date", "message": message}])
        return found


def _arm_of(campaign: Campaign, arm_id: str) -> Arm:
    found = campaign.arm(arm_id)
    if found is None:
        raise unknown("arm", arm_id, "arm_id")
    return found


def _amount(name: str, value: Decimal) -> int:
    try:
        micros = to_micros(value)
    except ValueError:
        micros = -1
    if micros < 0:
        message = "is a number from 0 to a trillion with at most six decimals"
        raise Unprocessable(f"{name} {message}", [{"field": name, "message": message}])
    return micros


def _day(name: str, value: str | None) -> str:
    try:
        return date.fromisoformat(value).isoformat() if value else ""
    except ValueError:
        message = "is no date like 2026-11-21"
        raise Unprocessable(f"{name} {message}", [{"field": name, "message": message}]) from None
