"""Which ad accounts are late by their schedules: of whom `pipeline.freshness` has open breaches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from adweir.model.breaches import BreachKind
from adweir.model.labels import DEFAULT

if TYPE_CHECKING:
    from adweir.model.breaches import Breach
    from adweir.model.entities import Profile


class Late(NamedTuple):
    """Since when (`model.times.iso`) ad accounts are late, by the key of one, and by client, platform and label of a
    credential where it is told of all together."""

    alone: Mapping[str, str]
    together: Mapping[tuple[str, str, str], str]

    @classmethod
    def of(cls, breaches: Iterable[Breach]) -> Late:
        """Of breaches of any kind and state."""
        alone: dict[str, str] = {}
        together: dict[tuple[str, str, str], str] = {}
        for breach in breaches:
            if breach.kind is not BreachKind.FRESHNESS or not breach.state.is_open:
                continue
            whose = breach.subject
            if whose.profile_id:
                alone[whose.key] = breach.since
            else:
                label = breach.about.rpartition("#")[0] or DEFAULT
                together[whose.account_id, whose.platform, label] = breach.since
        return cls(alone, together)

    def since(self, profile: Profile) -> str:
        """When the pull was due that has not come; "" where an ad account is not late."""
        whose = (profile.account_id, str(profile.platform), profile.credential)
        return self.alone.get(profile.key, "") or self.together.get(whose, "")
