"""What counts as a conversion and as revenue in a profile of Google Ads.

Every pull asks for both columns, so another column is a replay of the same bytes. What is counted by named conversion
actions or by the day of the conversion takes a question more per pull, so it is asked for only where it is chosen.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from adweir.model.datasets import Dataset
from adweir.platforms.base import Applies, ProfileOptions

ActionName = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
BY_ACTION = "by_action"
BY_CONVERSION_DATE = "by_conversion_date"
MOST_ACTIONS = 50
_COLUMNS = {
    ("conversions", False): ("conversions", "conversionsValue"),
    ("all_conversions", False): ("allConversions", "allConversionsValue"),
    ("conversions", True): ("conversionsByConversionDate", "conversionsValueByConversionDate"),
    ("all_conversions", True): ("allConversionsByConversionDate", "allConversionsValueByConversionDate"),
}


class GoogleOptions(ProfileOptions):
    """`conversions`: Google's column of that name (the primary actions of the advertiser's goals), or of all actions.

    `actions`: of that column, only what these conversion actions brought; each is an action's name, its id, or a
    category of actions (`PURCHASE`). None: all of the column. `clock`: the day of the click or view, as Google dates
    both columns, or the day of the conversion (its columns `…_by_conversion_date`).
    """

    conversions: Literal["conversions", "all_conversions"] = "conversions"
    actions: Annotated[tuple[ActionName, ...], Field(max_length=MOST_ACTIONS), Applies.REPULL] = ()
    clock: Annotated[Literal["interaction", "conversion"], Applies.REPULL] = "interaction"

    @field_validator("actions")
    @classmethod
    def _each_once(cls, actions: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(actions)) < len(actions):
            raise ValueError("names an action twice")
        return actions

    @property
    def definition(self) -> str:
        """In Google's words."""
        of = f" of the actions {', '.join(self.actions)}" if self.actions else ""
        return f"{self.conversions} and {self.conversions}_value{of} by the day of the {self.clock}"

    @property
    def columns(self) -> tuple[str, str]:
        """The fields of conversions and revenue, as JSON names them."""
        return _COLUMNS[self.conversions, self.clock == "conversion"]

    def on(self, dataset: Dataset) -> GoogleOptions:
        """The options as they concern a dataset: one that shows each conversion action leaves none out."""
        by_action = dataset is Dataset.CAMPAIGN_BY_CONVERSION_ACTION_DAILY
        return self.model_copy(update={"actions": ()}) if by_action else self

    @property
    def part(self) -> str:
        """What a pull asks for beside its own question, so that these options can be applied; "" for nothing."""
        by_date = BY_CONVERSION_DATE if self.clock == "conversion" else ""
        return "_".join(filter(None, (BY_ACTION if self.actions else "", by_date)))
