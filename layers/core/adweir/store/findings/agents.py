"""What bandits know of the arms of cross-platform campaigns, and how late the numbers of ad accounts come.

`agents#<campaign>` / `<arm>` is an arm's state, the newest of it. `delays#<platform>#<profile>` / `known` is what was
measured of an ad account's restatements on one of its days: all of that day's work uses the same.

A state is put on the condition that none is there that was read later. So a worker that was slow, or died and is
repeated, replaces nothing newer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from adweir.model.times import Clock, epoch
from adweir.store.dynamo.keyed import Keyed
from adweir.store.dynamo.tables import FindingsItem, JsonText

KEEP = timedelta(days=400)
_KNOWN = "known"


@dataclass(frozen=True, slots=True)
class AgentState:
    """An arm's state. Numbers other than counts are texts of exact decimals.

    `as_of`: when the metrics were read (`model.times.iso`), which orders states; `through`: the newest day that counts.
    `input_hash`: of all that the campaign's states are made of. `trials` (clicks), `rewards` (conversions),
    `impressions` and `spending` are plain sums over `days` days from `first` to `last`, `unknown_days` of them where
    not all clicks and conversions are known; `spending` is None where it is unknown or there are several currencies
    (`spending_by_currency`).
    `alpha` and `beta` are what is known of the conversion rate, made of delay-corrected, discounted days: they are no
    counts. `effective_trials`: how many clicks these days come to. `reward_variance` is that of this distribution.
    `risk_score`, `p_best` and `allocation` are None of an arm that is said not to run. `beyond_clicks`: conversions
    that days had beyond their clicks. `contextual_state`: dimension → value → posterior, and their `as_of`.
    """

    campaign_id: str
    arm_id: str
    account_id: str
    platform: str
    as_of: str
    through: str
    input_hash: str
    run_id: str
    version: int
    alpha: str
    beta: str
    trials: int
    rewards: str
    reward_mean: str
    reward_variance: str
    impressions: int
    spending: str | None
    currency: str | None
    spending_by_currency: Mapping[str, str]
    risk_score: str | None
    p_best: str | None
    allocation: str | None
    beyond_clicks: str
    days: int
    unknown_days: int
    first: str | None
    last: str | None
    effective_trials: str
    prior: Mapping[str, Any]
    delay: Mapping[str, Any]
    last_updated: str
    contextual_state: Mapping[str, Any] | None = None


class AgentItem(FindingsItem):
    """A state, or what was measured of restatements. `version` counts the changes of a state."""

    as_of = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    body = JsonText(null=True)
    expires = NumberAttribute(null=True)


class AgentStates(Keyed[AgentItem]):
    """The states of a deployment's arms. Every call may be repeated. All raise Unavailable."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(AgentItem, "findings", clock)

    def of(self, campaign_id: str) -> dict[str, AgentState]:
        """The states of a campaign by arm, those of arms that are gone, too: one request."""
        return {each.arm_id: each for each in self._readable(self._query(_pk(campaign_id)), _state)}

    def put(self, state: AgentState) -> bool:
        """Store a state. False when there is one that was read later: then nothing is stored."""
        item = AgentItem(
            _pk(state.campaign_id), state.arm_id, as_of=state.as_of, version=state.version, body=asdict(state)
        )
        item.expires = self._ends
        absent = AgentItem.pk.does_not_exist() | (AgentItem.expires <= epoch(self._clock.now()))
        return self._put(item, absent | (AgentItem.as_of <= state.as_of))

    def delays(self, profile_key: str, day: str) -> list[list[int]] | None:
        """What was measured of an ad account on this day, a list of numbers per lag; None where nothing was yet."""
        found = self._query(f"delays#{profile_key}", _KNOWN, up_to=_KNOWN)
        return next((known for at, known in self._readable(found, _delays) if at == day), None)

    def put_delays(self, profile_key: str, day: str, known: Iterable[Iterable[int]]) -> None:
        """Store what was measured on a day, in place of the day before's."""
        body = {"day": day, "known": [list(each) for each in known]}
        self._put(AgentItem(f"delays#{profile_key}", _KNOWN, as_of=day, body=body, expires=self._ends))

    @property
    def _ends(self) -> int:
        return epoch(self._clock.now() + KEEP)

    def _is_there(self, item: AgentItem) -> bool:
        return (item.expires or 0) > epoch(self._clock.now())


def _pk(campaign_id: str) -> str:
    return f"agents#{campaign_id}"


def _state(item: AgentItem) -> AgentState:
    known = {name: value for name, value in item.body.items() if name in AgentState.__dataclass_fields__}
    return AgentState(**known)


def _delays(item: AgentItem) -> tuple[str, list[list[int]]]:
    return item.body["day"], [[int(each) for each in known] for known in item.body["known"]]
