"""The deterministic world behind the sandbox's platform APIs: who advertises what, and what came of it.

Everything follows from a seed and the world's clock by integer arithmetic, so that a stored number can be compared
with the truth to the micro. `World` is the door; `catalog` says who exists, `numbers` what happened, `mix` why it sold.
"""

from __future__ import annotations

from sandbox.world.catalog import Ad, AdGroup, Campaign, Company, Keyword, Profile
from sandbox.world.numbers import Numbers
from sandbox.world.world import World

__all__ = ["Ad", "AdGroup", "Campaign", "Company", "Keyword", "Numbers", "Profile", "World"]
