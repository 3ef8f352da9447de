"""What counts as a conversion and as revenue in an ad account of Microsoft Advertising.

Every report asks for both pairs of columns, so another choice is a replay of the same bytes. `Conversions` and
`AllConversions` themselves are deprecated and 0 since 2022; the columns that count are those called "qualified"
("Report Attributes and Performance Statistics").
"""

from __future__ import annotations

from typing import Literal

from adweir.platforms.base import ProfileOptions


class MicrosoftOptions(ProfileOptions):
    """`conversions`: those of the goals that bids are optimized for, or `all_conversions`, those of every goal.

    `clock`: the day of the click, as Microsoft dates both.
    """

    conversions: Literal["conversions", "all_conversions"] = "conversions"
    clock: Literal["interaction"] = "interaction"

    @property
    def columns(self) -> tuple[str, str]:
        """The report's columns of conversions and of revenue."""
        if self.conversions == "conversions":
            return "ConversionsQualified", "Revenue"
        return "AllConversionsQualified", "AllRevenue"

    @property
    def definition(self) -> str:
        """In Microsoft's words."""
        return f"{' and '.join(self.columns)} by the day of the click"
