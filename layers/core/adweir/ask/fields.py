"""The tool `fields`: which metrics, dimensions, filters and ranges there are, and what each means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adweir.ask.sized import checked
from adweir.ask.standing import no_numbers
from adweir.ask.tool import Desk, Tool, ToolArguments
from adweir.reporting import breakdowns
from adweir.reporting.chosen import SEGMENTS
from adweir.reporting.dimensions import DIMENSIONS as OF_ROWS
from adweir.reporting.filters import FILTERS
from adweir.reporting.relative import RELATIVE
from adweir.reporting.report_names import METRICS, SHORT_NAMES
from adweir.reporting.series import SERIES

ABOUT_METRICS: Mapping[str, str] = {
    "impressions": "times that ads were shown",
    "clicks": "clicks",
    "conversions": "conversions as the platform attributes them; may be fractions",
    "spend": "cost, in the ad account's currency",
    "cost": "the same as spend",
    "revenue": "value of the conversions, in the ad account's currency",
    "ctr": "clicks / impressions",
    "cvr": "conversions / clicks",
    "conversion_rate": "the same as cvr",
    "cpa": "spend / conversions",
    "cpc": "spend / clicks",
    "cpm": "spend per 1,000 impressions",
    "roas": "revenue / spend",
    "acos": "spend / revenue",
}
ABOUT_DIMENSIONS: Mapping[str, str] = {
    "platform": "google_ads, meta_ads, ...",
    "account_id": "the platform's ad account",
    "client_account_id": "the client company, acc_...",
    "profile_id": "the same",
    "currency": "ISO 4217; amounts of different currencies are never added",
    "campaign_id": "the platform's campaign",
    "ad_group_id": "the platform's ad group or ad set",
    "ad_id": "the platform's ad",
    "keyword_id": "keyword or target; not together with ads",
    "cross_campaign_id": "the client's own campaign across platforms, cmp_...",
    "arm_id": "an arm of one, arm_...",
    "date": "the ad account's local day, YYYY-MM-DD",
    "hour": "local hour, 0 to 23",
    "week": "its Monday, YYYY-MM-DD",
    "month": "YYYY-MM",
}


class NoArguments(ToolArguments, frozen=True):
    """None."""


def fields(desk: Desk, _asked: NoArguments) -> dict[str, Any]:
    """All names, with what they mean."""
    plain = [name for name in OF_ROWS if name not in breakdowns.DIMENSIONS and name in ABOUT_DIMENSIONS]
    return checked(
        no_numbers(profile.currency for profile in desk.queries.catalog.profiles())
        | {
            "metrics": {name: ABOUT_METRICS[name] for name in METRICS},
            "dimensions": {name: ABOUT_DIMENSIONS[name] for name in plain},
            "short_names": dict(SHORT_NAMES),
            "breakdowns": {
                "dimensions": list(breakdowns.DIMENSIONS),
                "about": "for ad accounts that pull them; rows of a breakdown need not add up to the account",
            },
            "filters": {
                "by_value": list(FILTERS),
                "by_name_or_status": list(SEGMENTS),
                "about": "of names a part is enough; statuses: e.g. active, paused, removed",
            },
            "time_ranges": {
                "words": [*RELATIVE, "last_<n>_days"],
                "about": "last_<n>_days ends yesterday, this_ ends today; weeks begin on Monday; days are local to each"
                " ad account; dates are YYYY-MM-DD, both inclusive",
            },
            "data_types": {
                name: {"metrics": list(of.numbers), "dimensions": list(of.fields)} for name, of in SERIES.items()
            },
            "notes": {
                "unattributed": "what the rows leave of the account's total: part of it",
                "kept": "the newest pull no longer brings it, the account's total still has it",
                "live": "of a day that is not over, from its hours",
                "unknown": "the platform does not report the number; the sum leaves it out",
                "null": "unknown, or a ratio whose denominator is zero",
                "settled_share": "days of the range that are pulled whole and final, of all its days, 0 to 1",
                "as_of": "when the newest of the days was pulled",
            },
        }
    )


FIELDS = Tool(
    "fields",
    "List what can be asked",
    "Metrics, dimensions, breakdowns, filters, time ranges and the meaning of each. It has no numbers.",
    NoArguments,
    fields,
    {name: {"type": "object"} for name in ("metrics", "dimensions", "breakdowns", "filters", "time_ranges")},
)
