"""How numbers are read: which conversions count, and on which day, as platforms let advertisers choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.world.catalog import WorldProfile
from sandbox.world.numbers import VIEW_WINDOWS, WINDOWS, Numbers

BASES = ("default", "click", "click_or_view")
INTERACTION, CONVERSION = "interaction", "conversion"
CLOCKS = (INTERACTION, CONVERSION)


@dataclass(frozen=True, slots=True)
class Reading:
    """`basis`: after clicks, after clicks or views, or (default) as the platform counts the ad product by itself.

    `window` and `view_window`: days, 0 for the profile's own. `clock`: the day that a conversion belongs to, that of
    the click or view (interaction) or its own (conversion). `hourly`: hours, not days. `forgotten`: ads that the
    platform has forgotten have rows too, as a pull of before has them.
    """

    basis: str = "default"
    window: int = 0
    view_window: int = 0
    clock: str = INTERACTION
    hourly: bool = False
    forgotten: bool = False

    def __post_init__(self) -> None:
        if self.basis not in BASES or self.clock not in CLOCKS:
            raise ValueError(f"basis is one of {', '.join(BASES)}, clock one of {', '.join(CLOCKS)}")
        if self.window not in (0, *WINDOWS) or self.view_window not in (0, *VIEW_WINDOWS):
            raise ValueError(f"window is one of {list(WINDOWS)}, view_window one of {list(VIEW_WINDOWS)}")

    def windows(self, profile: WorldProfile, product: str) -> tuple[int, int]:
        """The days after a click and after a view (0: none) that count for an ad product."""
        views = {
            "default": profile.view_windows.get(product, 0),
            "click": 0,
            "click_or_view": self.view_window or profile.view_windows.get(product, 1),
        }
        return self.window or profile.windows[product], views[self.basis]


DEFAULT = Reading()


def row_numbers(
    profile: WorldProfile, numbers: Numbers, windows: tuple[int, int], *, conversions: bool
) -> dict[str, Any]:
    """A truth row's five numbers: counts, and micros; null where the platform does not report conversions."""
    return {
        "impressions": numbers.impressions,
        "clicks": numbers.clicks,
        "conversions_micros": numbers.conversions(*windows) * 500_000 if conversions else None,
        "spend_micros": numbers.spend * profile.minor_micros,
        "revenue_micros": numbers.value(*windows) * profile.minor_micros if conversions else None,
    }
