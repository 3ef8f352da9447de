"""What a report for people says beside its table: warnings, coverage in a few lines, and how its numbers add up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from adweir.model.metrics import METRICS
from adweir.reporting.adjustments import TERMS
from adweir.reporting.reports import MetricReport

ADJUSTMENTS = "How the numbers add up"
ADJUSTED_COLUMNS = ("currency", "metric", *TERMS)
_NAMED = 10


def said(report: MetricReport) -> Iterator[str]:
    """Lines of text."""
    yield from report.warnings
    yield from _rests_on(report.coverage)
    yield from _converted(report.conversion)
    if report.compared:
        yield f"Compared with {span_text(report.compared['time_range'])} ({report.compared['with']})."
        yield from _rests_on(report.compared["coverage"])
        yield from _converted(report.compared.get("conversion", {}))


def span_text(time_range: Mapping[str, Any]) -> str:
    """A range as the head of an answer has it, in a few words."""
    days = f"{time_range['start_date']} to {time_range['end_date']}"
    zones = time_range.get("zones", {})
    if not zones:
        return days
    shown = ", ".join([*zones][:_NAMED]) + (f" and {len(zones) - _NAMED} more" if len(zones) > _NAMED else "")
    words = f"{time_range['relative']}: " if "relative" in time_range else ""
    return f"{words}{days}, by the days of {shown}"


def _rests_on(days: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Coverage in a few lines."""
    if not days:
        return
    settled = sum(day["settled"] for day in days)
    pulled = [day["pulled_at"] for day in days if day["pulled_at"]]
    since = f", pulled {min(pulled)} or later" if pulled else ""
    yield f"{settled} of {len(days)} days are settled{since}."
    live = [day["date"] for day in days if day["live"]]
    if live:
        yield f"Not over yet, from their hours: {', '.join(live)}."
    gaps = [f"{day['date']} ({_slices(day)})" for day in days if day["missing"] or "missing_more" in day]
    if gaps:
        more = f" and {len(gaps) - _NAMED} more days" if len(gaps) > _NAMED else ""
        yield f"Not pulled: {', '.join(gaps[:_NAMED])}{more}."


def _converted(conversion: Mapping[str, Any]) -> Iterator[str]:
    """The rates of a conversion in a line per currency and source."""
    used: dict[tuple[str, ...], list[tuple[str, str, str]]] = {}
    for each in conversion.get("rates", ()):
        days = (each["rate_date"], each["date"], _written(each["rates"]))
        used.setdefault((each["currency"], each["source"], each["client_account_id"]), []).append(days)
    for (currency, source, _), rates in used.items():
        first, last = min(rates), max(rates)
        late = max(date.fromisoformat(day) - date.fromisoformat(of) for of, day, _ in rates).days
        old = f", at most {late} days old" if late else ""
        shown = first[2] if first[2] == last[2] else f"{first[2]} to {last[2]}"
        yield (
            f"{currency} is converted to {conversion['to']} day by day by the rates of {source}"
            f" ({first[0]} to {last[0]}{old}): {shown}."
        )


def _written(rates: Sequence[Mapping[str, Any]]) -> str:
    return " and ".join(f"1 {each['base']} = {each['rate']:f} {each['quote']}" for each in rates)


def adjusted_rows(report: MetricReport) -> list[dict[str, Any]]:
    """The adjustments as rows: one per currency and metric."""
    return [
        {"currency": each["currency"], "metric": metric, **each[metric]}
        for each in report.adjustments
        for metric in METRICS
    ]


def _slices(day: dict[str, Any]) -> str:
    named = [f"{each['platform']} {each['profile_id']} {each['slice']}" for each in day["missing"]]
    hidden = len(named) - _NAMED + day.get("missing_more", 0)
    return "; ".join([*named[:_NAMED], *([f"{hidden} more"] if hidden > 0 else [])])
