"""Compares what `learn` says of arms with reports, whose numbers were compared with the truth: a campaign of whole ad
accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from ops.client import Api

PLATFORMS = ("trade_desk",)
"""Those whose ad accounts of the first client are an arm each: two small ones."""


_TOLD = {"impressions": "impressions", "clicks": "trials", "conversions": "rewards", "spend": "spending"}
"""Metric of a report → field of a state."""
_METRICS = [{"name": name} for name in _TOLD]


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
        return f"Arms: {self.numbers} numbers of {self.arms} arms equal those of reports."


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


def arms_learned(api: Api, campaign_id: str) -> HeldArms:
    """What the states of a campaign's arms say, beside reports of the same days."""
    states = {each["arm_id"]: each for each in api.get("/api/v1/agents", campaign_id=campaign_id)["agents"]}
    arms = [each["arm_id"] for each in api.get(f"/api/v1/campaigns/{campaign_id}/arms")["arms"]]
    wrong = [f"arm {each} was not learned" for each in arms if each not in states or not states[each]["days"]]
    if wrong:
        return HeldArms(len(arms), 0, tuple(wrong))
    span = {"start_date": min(each["first"] for each in states.values()), "end_date": states[arms[0]]["through"]}
    asked = {"name": "arms", "time_range": span, "metrics": _METRICS, "dimensions": [{"name": "arm"}, {"name": "date"}]}
    segments = [{"name": "campaign", "values": [campaign_id]}]
    rows = api.post("/api/v1/reports", asked | {"segments": segments})["data"]
    for arm_id in arms:
        state = states[arm_id]
        own = [row for row in rows if row["arm"] == arm_id and row["date"] <= state["last"]]
        for metric, field in _TOLD.items():
            told, reported = Decimal(str(state[field])), sum(Decimal(str(row[metric])) for row in own)
            wrong += [f"arm {arm_id}: {field} {told}, and a report says {reported}"] if told != reported else []
    shares = sum(Decimal(str(each["allocation"])) for each in states.values())
    if shares != 1:
        wrong.append(f"the shares of {len(arms)} arms add up to {shares}")
    return HeldArms(len(arms), len(arms) * len(_TOLD), tuple(wrong))
