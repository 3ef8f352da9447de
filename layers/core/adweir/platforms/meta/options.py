"""What a profile of Meta's counts as conversions: the advertiser's choice, applied to stored days by a replay.

Each insights row lists its actions by type, each with the number by the ad set's attribution setting (`value`) and, as
every request asks for them, one per attribution window (`7d_click`, `1d_view`, …). So any choice can be made from what
was pulled. There is no choice of the date: since 10 June 2025 Meta disregards `action_report_time`. It reports actions
on Meta on the day of the impression and all others on the day of the conversion, as Ads Manager does (Marketing API,
Insights API, "Limits and Best Practices").
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from adweir.platforms.base import ProfileOptions

GROUPS: Mapping[str, tuple[str, ...]] = {
    "purchases": ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase"),
    "leads": ("lead", "onsite_conversion.lead_grouped", "offsite_conversion.fb_pixel_lead"),
    "app_installs": ("omni_app_install", "mobile_app_install"),
}
"""Action types that report the same conversions in ever narrower ways, the widest first."""

ActionType = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,100}$")]


class Basis(StrEnum):
    """Whom a conversion is credited to: by the ad set's attribution setting, or after a click, a view, or either."""

    PLATFORM = "platform"
    CLICK = "click"
    VIEW = "view"
    CLICK_OR_VIEW = "click_or_view"


class AttributionWindow(StrEnum):
    """The windows that Meta still reports: `7d_view` and `28d_view` ended on 12 January 2026.

    `1d_ev` is a day after an engaged view. (Ads Insights API Metric Availability Updates, 16 October 2025.)
    """

    CLICK_1D = "1d_click"
    CLICK_7D = "7d_click"
    CLICK_28D = "28d_click"
    VIEW_1D = "1d_view"
    ENGAGED_VIEW_1D = "1d_ev"

    @property
    def is_click(self) -> bool:
        return self.value.endswith("_click")


class MetaOptions(ProfileOptions):
    """Which actions count, and by which attribution.

    `conversions`: action types or groups of them in order of preference; of each row the first that is present counts,
    and they are never summed, because Meta reports one conversion under several types. `basis` and `windows`: for a
    basis other than `platform`, the windows of that kind count: one click window (a longer one includes the shorter),
    and views beside it. `clock`: Meta offers no other than its own mixture.
    """

    conversions: Annotated[tuple[ActionType, ...], Field(min_length=1, max_length=20)] = ("purchases",)
    basis: Basis = Basis.PLATFORM
    windows: Annotated[tuple[AttributionWindow, ...], Field(max_length=3)] = (
        AttributionWindow.CLICK_7D,
        AttributionWindow.VIEW_1D,
    )
    clock: Literal["mixed"] = "mixed"

    @model_validator(mode="after")
    def _check_windows(self) -> MetaOptions:
        clicks = sum(window.is_click for window in self.windows)
        views = len(self.windows) - clicks
        if len(set(self.windows)) < len(self.windows) or clicks > 1:
            raise ValueError("windows: at most one click window, none twice; a longer one includes the shorter")
        if (self.basis in {Basis.CLICK, Basis.CLICK_OR_VIEW} and not clicks) or (
            self.basis in {Basis.VIEW, Basis.CLICK_OR_VIEW} and not views
        ):
            raise ValueError(f"windows: the basis {self.basis} needs a window of its kind")
        return self

    @property
    def action_types(self) -> tuple[str, ...]:
        """The action types, groups resolved, best first."""
        return tuple(dict.fromkeys(kind for name in self.conversions for kind in GROUPS.get(name, (name,))))

    @property
    def counted_windows(self) -> tuple[AttributionWindow, ...]:
        """The windows that are added up; none by the ad set's attribution setting."""
        if self.basis is Basis.PLATFORM:
            return ()
        wanted = {Basis.CLICK: (True,), Basis.VIEW: (False,), Basis.CLICK_OR_VIEW: (True, False)}[self.basis]
        return tuple(window for window in self.windows if window.is_click in wanted)

    @property
    def definition(self) -> str:
        """In Meta's words: `omni_purchase, purchase: value`, or `lead: 7d_click + 1d_view`."""
        return f"{', '.join(self.action_types)}: {' + '.join(self.counted_windows) or 'value'}"
