"""Every fault accounted for: what the platforms served has a trace, and what failed names something that was served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from soak.evidence import Evidence, Refusals, Whose
from soak.kinds import AGAIN, FAILS, REFUSED, TRACES
from soak.plan import Switched


@dataclass
class Account:
    """Of each kind: how often it was switched on and served, and by what it was seen. `wrong`: a line per fault
    without a trace and per failure without a fault.
    """

    switched: Counter[str] = field(default_factory=Counter)
    served: Counter[str] = field(default_factory=Counter)
    seen: dict[str, Counter[str]] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def add(
        self,
        where: str,
        switched: Iterable[Switched],
        served: Iterable[Mapping[str, Any]],
        evidence: Evidence,
        refusals: Refusals,
    ) -> None:
        """What was served while a run was under way."""
        self.switched.update(f"{one.kind} {one.owner.platform}" for one in switched)
        for fault in served:
            name, owner = f"{fault['kind']} {fault['platform']}", Whose(fault["platform"], fault["profile"])
            self.served[name] += 1
            traces = {*evidence.get(owner, ())} | ({AGAIN} if fault["again"] else set())
            traces |= {REFUSED} if refusals.has(fault) else set()
            found = sorted(
                traces & TRACES.get(fault["kind"], frozenset()), key=lambda each: (each == "rows read", each)
            )
            if found:
                self.seen.setdefault(name, Counter())[found[0]] += 1
            else:
                of = f"{owner.platform} {owner.profile_id}"
                self.wrong.append(f"{where}: {fault['kind']} was served to {of} at {fault['path']}, and left no trace")

    def failures(self, where: str, tasks: Iterable[tuple[Whose, str]], served: Iterable[Mapping[str, Any]]) -> None:
        """Tasks that failed, each by its ad account and code: one of the faults that were served explains it."""
        kinds: dict[Whose, set[str]] = {}
        for fault in served:
            kinds.setdefault(Whose(fault["platform"], fault["profile"]), set()).add(fault["kind"])
        for owner, code in tasks:
            self.failed[code] += 1
            had = kinds.get(owner, set())
            if not had & FAILS.get(code, frozenset(had)):
                self.wrong.append(
                    f"{where}: a task of {owner.platform} {owner.profile_id} failed with {code}, and nothing that was"
                    f" served to it explains that: {', '.join(sorted(had)) or 'no fault'}"
                )

    def lines(self) -> Iterator[str]:
        """A table: kind, platform, how often switched on, served and seen, and how."""
        yield f"{'fault':20}{'platform':14}{'on':>4}{'served':>8}  seen as"
        for name in sorted(self.switched | self.served):
            kind, platform = name.split()
            seen = ", ".join(f"{how} {times}" for how, times in sorted(self.seen.get(name, {}).items()))
            yield f"{kind:20}{platform:14}{self.switched[name]:>4}{self.served[name]:>8}  {seen or '-'}"
