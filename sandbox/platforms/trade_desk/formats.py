"""How MyReports writes numbers and dates: by the schedule's ReportNumericFormat and ReportDateFormat.

Source: clients that read these files: US numbers are grouped (`"1,411"`), International ones have a decimal comma
and no groups; dates are 2026-11-30 (Sortable), 11/30/2026 (US) or 30/11/2026 (International).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

NUMERIC_FORMATS: dict[str, Mapping[type[Any], Callable[[Any], str]]] = {
    "US": {int: "{:,}".format, Decimal: "{:,f}".format},
    "International": {int: str, Decimal: lambda value: f"{value:f}".replace(".", ",")},
}
DATE_FORMATS: dict[str, Callable[[date], str]] = {
    "Sortable": date.isoformat,
    "US": lambda day: f"{day.month:02d}/{day.day:02d}/{day.year}",
    "International": lambda day: f"{day.day:02d}/{day.month:02d}/{day.year}",
}
SEPARATORS = {"CSV": ",", "TSV": "\t"}
