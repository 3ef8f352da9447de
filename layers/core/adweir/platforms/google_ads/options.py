"""What counts as a conversion and as revenue in a profile of Google Ads.

Every pull asks for both columns, so another choice is a replay of the same bytes.
"""

from __future__ import annotations

from typing import Literal

from adweir.platforms.base import ProfileOptions


class GoogleOptions(ProfileOptions):
    """`conversions`: Google's column of that name (the primary actions of the advertiser's goals), or of all actions.

    `clock`: the day of the click or view, as Google dates both columns.
    """

    conversions: Literal["conversions", "all_conversions"] = "conversions"
    clock: Literal["interaction"] = "interaction"

    @property
    def definition(self) -> str:
        """In Google's words."""
        return f"{self.conversions} and {self.conversions}_value by the day of the interaction"

    @property
    def columns(self) -> tuple[str, str]:
        """The fields of conversions and revenue, as JSON names them."""
        if self.conversions == "conversions":
            return "conversions", "conversionsValue"
        return "allConversions", "allConversionsValue"
