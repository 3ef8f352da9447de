"""Answers of reports as the API's description shows them. Only the description imports this file."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from routes.answers import A_DAY, AsKnownAt, Changes, ChangesTotal, CoveredDay, NamesAsOf, Warnings
from routes.fields import Exact, Instant, Shown


class AdjustedMetric(Shown):
    """shown = raw + held + kept + unattributed - quarantined - overridden + cleaned + converted, exactly."""

    shown: Exact = Field(description="The total of the rows.")
    raw: Exact = Field(description="What the sources sent.")
    held: Exact = Field(description="The older numbers behind quarantined rows.")
    kept: Exact = Field(description="What the newest pull no longer brings though the account's total has it.")
    unattributed: Exact = Field(description="What the rows leave of the account's total.")
    quarantined: Exact = Field(description="What the quarantined rows would have said.")
    overridden: Exact = Field(description="What a preferred source hides.")
    cleaned: Exact = Field(description="What cleaning and rounding added.")
    converted: Exact = Field(description="What conversion added, or took to another currency; 0 without `convert_to`.")


class CurrencyAdjustments(Shown):
    """How the numbers of one currency follow from what was sent."""

    currency: str
    impressions: AdjustedMetric
    clicks: AdjustedMetric
    conversions: AdjustedMetric
    spend: AdjustedMetric
    revenue: AdjustedMetric


class AnswerFreshness(Shown):
    """How fresh an answer is: its coverage in a few words."""

    as_of: Instant | None = Field(description="The newest `pulled_at` of its coverage; null: nothing was pulled.")
    complete_through: str | None = Field(description="The last day up to which nothing is missing.")
    provisional_from: str | None = Field(description="The first day that was pulled and may still change.")
    days: int
    days_missing: int = Field(description="Days of which something was not pulled.")
    days_provisional: int


class LocalDays(Shown):
    """Days of a time zone."""

    start_date: str
    end_date: str


class AnsweredRange(LocalDays):
    """The range that was asked for; of words as `last_7_days` with what they mean in each ad account's time zone."""

    relative: str | None = None
    zones: dict[str, LocalDays] | None = None


class WrittenRateAnswer(Shown):
    """A rate as its file has it: one unit of `base` is worth `rate` of `quote`."""

    base: str = Field(examples=["EUR"])
    quote: str = Field(examples=["USD"])
    rate: Exact


class UsedRate(Shown):
    """What amounts of a client, currency and day were converted by."""

    client_account_id: str
    currency: str = Field(description="That of the amounts before.")
    date: str
    source: str = Field(description="The source of the file that has the rate.")
    rate_date: str = Field(description="The day of the rate: `date`, or the nearest earlier one.")
    rates: list[WrittenRateAnswer] = Field(description="One, or two that were multiplied.")


class ConversionAnswer(Shown):
    """How amounts came into one currency."""

    to: str = Field(examples=["EUR"])
    through: str | None
    rounding: str
    max_age_days: int = Field(description="How much older than its day a rate may be.")
    rates: list[UsedRate]
    rates_more: int | None = Field(default=None, description="How many more were used and are not listed.")


class ComparedRange(Shown):
    """The range that the numbers are compared with, and what it rests on."""

    with_: str = Field(alias="with", examples=["previous_period"])
    time_range: AnsweredRange
    conversion: ConversionAnswer | None = None
    freshness: AnswerFreshness
    coverage: list[CoveredDay]


class ReportAnswer(Shown):
    """A report. Rows and totals are per currency as soon as one metric involves money."""

    name: str
    time_range: AnsweredRange
    compared: ComparedRange | None = None
    conversion: ConversionAnswer | None = None
    columns: list[str] = Field(description="The fields of each row, in order.")
    row_count: int
    made_at: Instant = Field(description="When the report was made: an `as_known_at` that repeats it.")
    totals: list[dict[str, Any]]
    freshness: AnswerFreshness
    coverage: list[CoveredDay] = Field(description="By day.")
    adjustments: list[CurrencyAdjustments] = Field(description="By currency.")
    warnings: Warnings
    as_known_at: AsKnownAt = None
    names_as_of: NamesAsOf = None
    changes: Changes = None
    changes_total: ChangesTotal = None
    data: list[dict[str, Any]] = Field(
        description="The rows: dimensions, currency, metrics, and where they apply `unknown`, `kept`, `live` and "
        "`unattributed`; in `before` those of the numbers that they are compared with."
    )


_SPEND = {
    "shown": 118.342561,
    "raw": 120.842561,
    "held": 0,
    "kept": 1.5,
    "unattributed": 0,
    "quarantined": 0,
    "overridden": 4,
    "cleaned": 0,
    "converted": 0,
}
_NOT_ADJUSTED = dict.fromkeys(_SPEND, 0)
REPORT: dict[str, Any] = {
    "application/json": {
        "model": ReportAnswer,
        "examples": {
            "report": {
                "value": {
                    "name": "Last week",
                    "time_range": {"start_date": "{today-7}", "end_date": "{today-1}"},
                    "columns": ["date", "platform", "currency", "impressions", "spend", "roas"],
                    "row_count": 1,
                    "made_at": "{today-0}T12:00:00.000000Z",
                    "totals": [{"currency": "EUR", "impressions": 12040, "spend": 118.342561, "roas": 3.411199}],
                    "freshness": {
                        "as_of": "{today-0}T05:30:12.000000Z",
                        "complete_through": "{today-1}",
                        "provisional_from": "{today-7}",
                        "days": 7,
                        "days_missing": 0,
                        "days_provisional": 7,
                    },
                    "coverage": [A_DAY],
                    "adjustments": [
                        {
                            "currency": "EUR",
                            "impressions": _NOT_ADJUSTED | {"shown": 12040, "raw": 12040},
                            "clicks": _NOT_ADJUSTED | {"shown": 310, "raw": 310},
                            "conversions": _NOT_ADJUSTED | {"shown": 12.5, "raw": 12.5},
                            "spend": _SPEND,
                            "revenue": _NOT_ADJUSTED | {"shown": 403.69, "raw": 403.69},
                        }
                    ],
                    "warnings": [],
                    "data": [
                        {
                            "date": "{today-1}",
                            "platform": "{a-platform}",
                            "currency": "EUR",
                            "impressions": 12040,
                            "spend": 118.342561,
                            "roas": 3.411199,
                        }
                    ],
                }
            }
        },
    },
    "text/csv": {
        "schema": {"type": "string"},
        "examples": {"csv": {"value": "date,clicks\r\n2026-11-01,12\r\n"}},
    },
    "text/html": {"schema": {"type": "string"}},
    "text/markdown": {"schema": {"type": "string"}},
}
