"""Compares what `learn` says of arms with what their platforms report: a campaign of two whole ad accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from adweir.model.money import MICRO
from ops.client import Api
from ops.demo.truth import Figures, total, true_numbers
from ops.demo.world import WorldDoors, known_as

PLATFORMS = ("meta_ads", "trade_desk")
"""Those of the first client that are an arm each."""


class HeldArms(NamedTuple):
    """What came of a comparison: how many arms, the numbers that were compared, and what is wrong, one line each."""

    arms: int = 0
    numbers: int = 0
    wrong: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """In one line."""
        if self.wrong:
            return f"Arms: {len(self.wrong)} things are wrong."
        return f"Arms: {self.numbers} numbers of {self.arms} arms equal the platforms' own."


NO_ARMS = HeldArms()


def create_arms(api: Api, client: Mapping[str, Any], profiles: Sequence[Mapping[str, Any]]) -> str:
    """A campaign across platforms with an arm per ad account; its id."""
    body = {"account_id": client["account_id"], "name": "Everywhere"}
    campaign_id = str(api.post("/api/v1/campaigns", body)["campaign_id"])
    for profile in profiles:
        if profile["account_id"] == client["account_id"] and profile["platform"] in PLATFORMS:
            arm = {"platform": profile["platform"], "bindings": [{"profile_id": profile["profile_id"]}]}
            api.post(f"/api/v1/campaigns/{campaign_id}/arms", arm | {"name": profile["profile_id"]})
    return campaign_id


def arms_learned(api: Api, world: WorldDoors, campaign_id: str) -> HeldArms:
    """What the states of a campaign's arms say, beside the platforms' own totals of the same days."""
    states = {each["arm_id"]: each for each in api.get("/api/v1/agents", campaign_id=campaign_id)["agents"]}
    arms, wrong, compared = api.get(f"/api/v1/campaigns/{campaign_id}/arms")["arms"], [], 0
    for arm in arms:
        state = states.get(arm["arm_id"])
        if state is None or state["first"] is None:
            wrong.append(f"arm {arm['name']} of {arm['platform']} was not learned")
            continue
        ids = known_as({"platform": arm["platform"], "profile_id": arm["bindings"][0]["profile_id"]})
        span = {"start": state["first"], "end": world.day(1).isoformat()}
        truth = total(true_numbers(row) for row in world.get("truth", **ids, **span, level="account")["rows"])
        told = _told(state)
        compared += len(told)
        wrong += [
            f"arm {arm['name']} of {arm['platform']}: {name} {number}, and the platform says {getattr(truth, name)}"
            for name, number in told.items()
            if number != getattr(truth, name)
        ]
    shares = sum(Decimal(str(each["allocation"])) for each in states.values())
    if arms and shares != 1:
        wrong.append(f"the shares of the arms add up to {shares}")
    return HeldArms(len(arms), compared, tuple(wrong))


def _told(state: Mapping[str, Any]) -> dict[str, int]:
    """A state's sums, counts and millionths, by their names among the `Figures`."""
    counts = {"impressions": state["impressions"], "clicks": state["trials"]}
    amounts = {"conversions": state["rewards"], "spend": state["spending"]}
    found = counts | {name: int(Decimal(str(amount)) * MICRO) for name, amount in amounts.items()}
    return {name: found[name] for name in Figures._fields if name in found}
