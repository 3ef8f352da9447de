"""What counts as a conversion and as revenue in an advertiser of The Trade Desk.

A campaign maps its pixels to up to twenty reporting columns, `01 - Click Conversion` and so on; which of them means a
purchase is the advertiser's own. Some templates name the columns by the pixel's tag instead.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from adweir.platforms.base import ProfileOptions

Choice = Annotated[str, StringConstraints(pattern=r"^[^\s~](?:[^~\n]{0,198}[^\s~])?$")]


class CreditedTo(StrEnum):
    """Which interactions count; the platform reports those after clicks and after views apart."""

    CLICK = "click"
    VIEW = "view"
    CLICK_OR_VIEW = "click_or_view"


class TradeDeskOptions(ProfileOptions):
    """`conversions`: the columns that count and are added up: numbers (`01`), or a pixel's tag name or id.

    `cross_device`: where a pixel has columns for several cross-device models, the model that counts; they are never
    added, because they count the same conversions.
    """

    conversions: tuple[Choice, ...] = Field(default=("01",), min_length=1, max_length=20)
    basis: CreditedTo = CreditedTo.CLICK_OR_VIEW
    cross_device: str = Field(default="", max_length=100)

    @property
    def definition(self) -> str:
        """How conversions and revenue are counted."""
        after = {"click": "after a click", "view": "after a view", "click_or_view": "after a click or a view"}
        model = f", cross-device model {self.cross_device}" if self.cross_device else ""
        return f"reporting columns {', '.join(self.conversions)} {after[self.basis]}{model}, by UTC day"
