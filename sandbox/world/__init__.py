"""The deterministic world behind the sandbox's platform APIs: who advertises what, and what happened.

Everything follows from a seed and the world's clock by integer arithmetic, so that a stored number can be compared
with the truth to the micro. `World` is the entry; `catalog` says who exists, `numbers` what happened, `plan` what is
planted in them, `mix` what drives sales and `demand` what would sell by itself. Nothing here names a platform: each
platform's package brings its ad accounts and its traits.
"""

from __future__ import annotations

from sandbox.world.catalog import Company, WorldAd, WorldAdGroup, WorldCampaign, WorldKeyword, WorldProfile
from sandbox.world.counting import Reading
from sandbox.world.numbers import Numbers
from sandbox.world.world import World, WorldRow

__all__ = [
    "Company",
    "Numbers",
    "Reading",
    "World",
    "WorldAd",
    "WorldAdGroup",
    "WorldCampaign",
    "WorldKeyword",
    "WorldProfile",
    "WorldRow",
]
