"""The page that the demonstration leaves: one HTML file that needs no network and no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ops.demo import charts
from ops.demo.display import cells
from ops.demo.money import count, ratio, shown
from ops.demo.truth import Compared
from ops.demo.verdict import Verdict

_COLUMNS = ("Ad account", "Platform", "Profile", "Rows", "Spend", "Clicks", "Conversions", "ROAS", "Quality")


@dataclass(frozen=True)
class Chart:
    """A drawing, what it shows, and its numbers as a table."""

    id: str
    heading: str
    about: str
    svg: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def write_page(path: Path, verdict: Verdict, made: datetime) -> None:
    """Write the page of a comparison; `made` is when (aware)."""
    found = verdict.results
    days = sorted({day for result in found for day in result.by_day()})
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("report.html").render(
        verdict=verdict,
        first=days[0] if days else "-",
        last=days[-1] if days else "-",
        made=f"{made.astimezone(UTC):%Y-%m-%d at %H:%M} UTC",
        columns=_COLUMNS,
        accounts=[(result.name, charts.title(result.platform), *cells(result)[1:]) for result in found],
        charts=_charts(found, days),
    )
    path.write_text(page, encoding="utf-8")


def _charts(found: Sequence[Compared], days: Sequence[str]) -> list[Chart]:
    """What there is to draw: nothing without a day, no ROAS of seven days before the seventh."""
    if not days:
        return []
    drawn = [_spend(found, days), _campaigns(found)]
    if any(charts.trailing_roas(result.by_day()) for result in found):
        drawn.insert(1, _roas(found, days))
    return drawn


def _spend(found: Sequence[Compared], days: Sequence[str]) -> Chart:
    columns = [{day: shown(sums.spend, one.currency) for day, sums in one.by_day().items()} for one in found]
    rows = [(day, *(column.get(day, "-") for column in columns)) for day in days]
    return Chart(
        "spend-by-day",
        "Spend by day and platform",
        "One panel per currency: amounts of different currencies are never added. Point at a bar for its amount.",
        charts.spend_by_day(found),
        ("Date", *(f"{charts.title(one.platform)}: {one.name}" for one in found)),
        rows,
    )


def _roas(found: Sequence[Compared], days: Sequence[str]) -> Chart:
    trailing = [charts.trailing_roas(result.by_day()) for result in found]
    rows = [(day, *(ratio(one.get(day)) for one in trailing)) for day in days if any(day in one for one in trailing)]
    return Chart(
        "roas-by-day",
        "Return on ad spend by ad account",
        f"Revenue over spend of the {charts.TRAILING_DAYS} days that end there. It falls at the end because platforms"
        " go on attributing conversions for days: later pulls restate these days.",
        charts.roas_by_day(found),
        ("Date", *(f"{charts.title(one.platform)}: {one.name}" for one in found)),
        rows,
    )


def _campaigns(found: Sequence[Compared]) -> Chart:
    rows = [
        (
            f"{charts.title(one.platform)}: {one.name}: {one.campaign_names.get(campaign, campaign)}",
            shown(sums.spend, one.currency),
            shown(sums.revenue, one.currency),
            count(sums.conversions),
            ratio(sums.roas),
        )
        for one in found
        for campaign, sums in one.by_campaign().items()
    ]
    return Chart(
        "spend-by-campaign",
        "Where the money went",
        "Spend and ROAS by campaign; each ad account has a scale of its own.",
        charts.spend_by_campaign(found),
        ("Campaign", "Spend", "Revenue", "Conversions", "ROAS"),
        rows,
    )
