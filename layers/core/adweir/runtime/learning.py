"""Puts together what learns the arms of campaigns, for `learn`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adweir.insight.agents.learner import Learner, LearnParts

if TYPE_CHECKING:
    from adweir.runtime.resources import Resources


def learner_of(app: Resources) -> Learner:
    """What learns a client's arms from its stored days."""
    return Learner(LearnParts(app.catalog, app.queries, app.metrics, app.findings.agents, app.clock))
