"""What a seed asks for: which faults, when, of whom. The same seed and extent ask for the same."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from adweir.model.messages import Scope
from adweir.model.platforms import Platform
from adweir.pipeline.workflows import workflow
from adweir.platforms import REGISTRY
from adweir.platforms.base import DatasetSpec
from soak.kinds import FUNCTIONS, HAPPENINGS, SLOW, Kind, kinds


@dataclass(frozen=True)
class Extent:
    """How much: ad accounts, days with a daily run each, ad accounts with hourly runs, and how many of those in all.

    `kills`, `copies`: workers that die and messages that come twice, per run. `datasets`: what daily runs
    pull, all when empty. `slow`: whether faults are switched on after which it takes a minute until all goes on.
    `behind`: whether the end waits for what follows the runs, scores and datasets, too.
    """

    profiles: int = 100
    days: int = 3
    hourly_profiles: int = 20
    hourly_runs: int = 6
    kills: int = 3
    copies: int = 5
    datasets: tuple[str, ...] = ()
    slow: bool = True
    behind: bool = True


class Owned(NamedTuple):
    """An ad account of the crowd."""

    account_id: str
    platform: str
    profile_id: str


@dataclass(frozen=True)
class Switched:
    """A switch that is on while a run is under way, for one ad account."""

    kind: str
    owner: Owned
    options: Mapping[str, Any]

    @property
    def body(self) -> dict[str, Any]:
        """As `/_world/switches` takes it."""
        about = {"kind": self.kind, "platform": self.owner.platform, "profile_id": self.owner.profile_id}
        return about | dict(self.options)


@dataclass(frozen=True)
class Phase:
    """A run, and what goes wrong meanwhile.

    `day`: how many days after the world's first. `hour`: hours after its noon; a daily run is at noon. `kills`: seconds
    after its beginning, and the function whose workers die. `copies`: seconds after which a message comes a second
    time. `happenings`: what happens to ad accounts before it.
    """

    name: str
    workflow: str
    day: int
    hour: int
    faults: tuple[Switched, ...]
    kills: tuple[tuple[float, str], ...]
    copies: tuple[float, ...]
    happenings: tuple[tuple[str, Owned], ...]


def chosen(platform: str, name: str, extent: Extent) -> list[DatasetSpec]:
    """The datasets that a workflow pulls of a platform."""
    specs = REGISTRY.spec(Platform(platform)).datasets
    scope = Scope(datasets=extent.datasets if name == "daily" else ())
    return [spec for stage in workflow(name).stages for spec in stage.choose(specs, scope)]


def plan(seed: int, extent: Extent, owned: Sequence[Owned]) -> list[Phase]:
    """The runs in order. Every kind of fault of every platform is switched on once before any is a second time."""
    rng = random.Random(f"soak {seed}")
    deck = _Deck(rng, owned, slow=extent.slow)
    hourly = [one for one in owned[: extent.hourly_profiles] if chosen(one.platform, "hourly", extent)]
    phases = []
    runs = -(-extent.hourly_runs // max(1, extent.days))
    left = extent.hourly_runs
    for day in range(extent.days):
        phases.append(_phase(rng, ("daily", day, 0), deck.draw(owned, len(owned) // 2), extent, owned if day else ()))
        for number in range(min(runs, left)):
            faults = deck.draw(hourly, (len(hourly) + 1) // 2)
            phases.append(_phase(rng, ("hourly", day, 3 * (number + 1)), faults, extent, ()))
        left -= min(runs, left)
    return phases


def _phase(
    rng: random.Random,
    what: tuple[str, int, int],
    faults: tuple[Switched, ...],
    extent: Extent,
    struck: Sequence[Owned],
) -> Phase:
    workflow, day, hour = what
    kills = sorted((rng.uniform(2.0, 45.0), rng.choice(FUNCTIONS)) for _ in range(extent.kills))
    copies = sorted(rng.uniform(1.0, 30.0) for _ in range(extent.copies))
    happenings = [
        (kind, rng.choice([one for one in struck if one.platform in platforms]))
        for kind, platforms in HAPPENINGS.items()
        if any(one.platform in platforms for one in struck)
    ]
    name = f"{workflow}-{day}-{hour}" if hour else f"{workflow}-{day}"
    return Phase(name, workflow, day, hour, faults, tuple(kills), tuple(copies), tuple(happenings))


class _Deck:
    """Kinds of faults in an order that chance decides; all come before one comes again."""

    def __init__(self, rng: random.Random, owned: Sequence[Owned], *, slow: bool) -> None:
        self._rng = rng
        present = {one.platform for one in owned}
        self._all = [kind for kind in kinds() if kind.platform in present and (slow or kind.name not in SLOW)]
        self._left: list[Kind] = []

    def draw(self, owned: Sequence[Owned], number: int) -> tuple[Switched, ...]:
        """So many faults, at most one for an ad account, each for one that its platform can have."""
        free = list(owned)
        self._rng.shuffle(free)
        drawn: list[Switched] = []
        looked_at = 0
        while len(drawn) < number and looked_at < 2 * len(self._all):
            if not self._left:
                self._left = self._rng.sample(self._all, len(self._all))
            kind, looked_at = self._left.pop(), looked_at + 1
            owner = next((one for one in free if one.platform == kind.platform), None)
            if owner is None:
                self._left.insert(0, kind)
                continue
            free.remove(owner)
            drawn.append(Switched(kind.name, owner, kind.options))
        return tuple(drawn)
