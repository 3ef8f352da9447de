"""A report that is asked for in texts, as in a URL or on a command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adweir.reporting.chosen import SEGMENTS
from adweir.reporting.filters import FILTERS

_LISTS = ("metrics", "dimensions", "order", "limit_per")
CONVERSION = ("convert_to", "rates_source", "rates_through")
"""What says the currency of amounts, and by which rates."""


def report_in_texts(given: Mapping[str, Any]) -> dict[str, Any]:
    """What `ExportedReport` takes, of texts by the names of the API's query parameters: lists have commas, a filter is
    a segment, and of names (`campaign_name`, ...) a part of them. `limit` is a number, `names` and `include_live` are
    booleans."""
    first, between, last = str(given.get("compare", "")).partition("..")
    return {
        "name": "report",
        "words": given.get("time_range", ""),
        "start": given.get("start_date", ""),
        "end": given.get("end_date", ""),
        **{name: str(given[name]).split(",") if given.get(name) else [] for name in _LISTS},
        "segments": [
            {"name": name, "contains" if name.endswith("_name") else "values": text.split(",")}
            for name, text in given.items()
            if name in {*FILTERS, *SEGMENTS}
        ],
        "live": given.get("include_live", False),
        "report_of": given.get("data_type", ""),
        "limit": given.get("limit", 0),
        "names": given.get("names", False),
        **{name: given.get(name, "") for name in CONVERSION},
        "compare": ({"start_date": first, "end_date": last} if between else first) or None,
    }
