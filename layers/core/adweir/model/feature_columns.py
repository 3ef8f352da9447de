"""The dictionary of columns: what a feature row has, in which unit, and when it is null. The one place that says it.

The online item, the offline table, the API, the feature group and docs/features.md are made of it or compared with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

TEXT, COUNT, MONEY, DAY, MOMENT = "VARCHAR", "BIGINT", "DECIMAL(24,6)", "DATE", "TIMESTAMP"
FLAG, SMALL, RATIO = "BOOLEAN", "INTEGER", "DOUBLE"
SHORT, LONG = 7, 28
"""Days of the two windows. Both end on `through`."""


class FeatureColumn(NamedTuple):
    """A column. `kind` is its SQL type; `about` its meaning and unit, `nulls` when it is null, "" for never."""

    name: str
    kind: str
    about: str
    nulls: str = ""


_METRICS: Mapping[str, tuple[str, str]] = {
    "impressions": (COUNT, "impressions"),
    "clicks": (COUNT, "clicks"),
    "conversions": (MONEY, "conversions, which may be fractions"),
    "spend": (MONEY, "spend in `currency`"),
    "revenue": (MONEY, "value of the conversions in `currency`"),
}
_RATIOS: Mapping[str, str] = {
    "ctr": "clicks per impression",
    "cvr": "conversions per click",
    "cpa": "spend per conversion",
    "cpc": "spend per click",
    "cpm": "spend per 1,000 impressions",
    "roas": "revenue per spend",
    "acos": "spend per revenue",
}
SLOPES = ("ctr", "cvr", "acos", "cpc")
"""Ratios whose slope is estimated."""
_UNKNOWN = "no day is known, or the platform does not report it"
_AD = "of an ad account"


def _keys() -> Iterator[FeatureColumn]:
    yield FeatureColumn("level", TEXT, "`account` or `ad`")
    yield FeatureColumn("platform_name", TEXT, "platform")
    yield FeatureColumn("client_account_id", TEXT, "client company")
    yield FeatureColumn("account_id", TEXT, "ad account, as the platform shows it")
    yield FeatureColumn("entity_id", TEXT, "id within the ad account: `ad_group_id~ad_id`, or the ad account's own")
    yield FeatureColumn("campaign_id", TEXT, "campaign of the ad", _AD)
    yield FeatureColumn("ad_group_id", TEXT, "ad group of the ad", f"{_AD}, or nobody knows it")
    yield FeatureColumn("ad_id", TEXT, "ad", _AD)
    yield FeatureColumn("currency", TEXT, "of all money; ISO 4217")
    yield FeatureColumn("as_of", MOMENT, "moment (UTC) at which the days were read: the row is what was known then")
    yield FeatureColumn("through", DAY, "last day of the windows: the ad account's yesterday at `as_of`")
    yield FeatureColumn("input_hash", TEXT, "of all that the row is made of")


def _reliability() -> Iterator[FeatureColumn]:
    for window in (SHORT, LONG):
        yield FeatureColumn(f"known_days_{window}", SMALL, f"days of the last {window} that are known")
    for window in (SHORT, LONG):
        yield FeatureColumn(f"delivery_days_{window}", SMALL, "known days of them with impressions or spend")
    yield FeatureColumn(
        f"settled_share_{LONG}", RATIO, "part of the known days that the platform restates no more", "no day is known"
    )
    yield FeatureColumn(f"quality_{LONG}", RATIO, "mean score of the ad account's days, 0 to 1", "no day has a score")


def _sums_and_means() -> Iterator[FeatureColumn]:
    for window in (SHORT, LONG):
        for name, (kind, about) in _METRICS.items():
            yield FeatureColumn(f"{name}_{window}", kind, f"sum over the known days: {about}", _UNKNOWN)
    for window in (SHORT, LONG):
        for name in _METRICS:
            yield FeatureColumn(
                f"{name}_mean_{window}", MONEY, f"`{name}_{window}` per known day, rounded to millionths", _UNKNOWN
            )


def _ratios() -> Iterator[FeatureColumn]:
    for window in (SHORT, LONG):
        for name, about in _RATIOS.items():
            nulls = "its denominator is 0, or a number of its days is unknown"
            yield FeatureColumn(f"{name}_{window}", RATIO, f"{about}, of the sums", nulls)


def _slopes() -> Iterator[FeatureColumn]:
    few = "fewer than 10 days tell, or fewer than 5 of them have any"
    for name in SLOPES:
        of = f"{name}_slope_{LONG}"
        yield FeatureColumn(of, RATIO, f"change of the {name.upper()} per day: 0.01 is about 1 % a day", few)
        yield FeatureColumn(f"{of}_low", RATIO, "lower end of its interval of 90 %", few)
        yield FeatureColumn(f"{of}_high", RATIO, "upper end of its interval of 90 %", few)
        yield FeatureColumn(f"{of}_days", SMALL, "days that tell: those with something to be a part of")


def _others() -> Iterator[FeatureColumn]:
    yield FeatureColumn(
        "seasonality_index",
        RATIO,
        "clicks of the weekday after `through`, 1 is the ad account's mean",
        "fewer than 14 days with all their neighbors are known",
    )
    never = "nothing was ever delivered"
    yield FeatureColumn("first_delivery", DAY, "earliest day with delivery that any run has seen", never)
    yield FeatureColumn(
        "launch_known", FLAG, "whether the 28 days before it were known and empty: else it may have run before", never
    )
    yield FeatureColumn("days_since_launch", SMALL, "from `first_delivery` to `through`; 0 on the day itself", never)
    yield FeatureColumn(
        "days_since_start",
        SMALL,
        "from the start that its platform says, of the ad, or of its campaign",
        "it says none, or a day after `through`; of an ad account",
    )
    yield FeatureColumn(
        "days_since_delivery", SMALL, "from the last day with delivery to `through`", "there is none in 28 days"
    )
    yield FeatureColumn(
        f"spend_share_{LONG}", RATIO, "part of the ad account's spend over the days that both know", _AD
    )
    yield FeatureColumn(
        f"budget_use_{SHORT}",
        RATIO,
        "mean spend of a day per daily budget: of an ad its campaign's, of an ad account those of its active campaigns",
        "there is none, or a campaign has a budget of another kind",
    )
    for name in ("spend", "conversions"):
        yield FeatureColumn(
            f"{name}_cv_{LONG}",
            RATIO,
            f"deviation of {name} by day, as a part of their mean",
            "the mean is 0 or unknown",
        )


COLUMNS: Mapping[str, FeatureColumn] = {
    column.name: column
    for group in (_keys, _reliability, _sums_and_means, _ratios, _slopes, _others)
    for column in group()
}
"""By name, in the order of the table."""
TYPES: Mapping[str, str] = {name: column.kind for name, column in COLUMNS.items()}
"""Column → SQL type."""
