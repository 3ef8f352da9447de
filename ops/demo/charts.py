"""Three charts of what is stored, as SVG: spend by day, ROAS by day, spend by campaign.

Each mark carries the exact value in words: for a screen reader, and as the tooltip of a browser. Money of different
currencies never shares an axis. The drawing itself is Vega-Lite's; only where a mark stands on the canvas is a float.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import altair as alt
import vl_convert

from adweir.model.money import MICRO
from adweir.model.platforms import Platform
from adweir.platforms import REGISTRY
from ops.demo.money import ratio, shown
from ops.demo.truth import Compared, Figures, total

PALETTE = ("#e8830c", "#2a6fdb", "#0f9d8a", "#8e5bd0", "#d6486f")
TRAILING_DAYS = 7
_WIDTH = 815
_SVG = "http://www.w3.org/2000/svg"
_LABEL_GAP = 0.07
"""Least distance of two labels at the end of lines, as a share of the axis."""


def title(platform: str) -> str:
    """`meta_ads` → `Meta Ads`, as the platform calls itself."""
    return REGISTRY.spec(Platform(platform)).title


def spend_by_day(results: Sequence[Compared]) -> str:
    """Spend by day, stacked by platform, one panel per currency."""
    days = sorted({day for result in results for day in result.by_day()})
    panels = []
    for currency in sorted({result.currency for result in results}, key=lambda name: (name != "USD", name)):
        rows = [
            {
                "day": day,
                "spend": units(sums.spend),
                "platform": title(platform),
                "label": f"{day}, {title(platform)}: {shown(sums.spend, currency)}",
            }
            for platform, by_day in _platform_days(results, currency).items()
            for day, sums in by_day.items()
        ]
        x = _days(days)
        y = alt.Y("spend:Q", title=currency, axis=alt.Axis(tickCount=3, format="~s", titlePadding=10))
        bars = alt.Chart(alt.InlineData(values=rows), width=_WIDTH, height=105).mark_bar(width={"band": 0.82})
        panels.append(bars.encode(x=x, y=y, color=_colour(results), description="label:N"))
    return svg(alt.vconcat(*panels, spacing=14).resolve_scale(color="shared"))


def roas_by_day(results: Sequence[Compared]) -> str:
    """Return on ad spend by ad account: revenue over spend of the seven days that end there."""
    rows: list[dict[str, Any]] = []
    ends: list[dict[str, Any]] = []
    for result in results:
        by_day = result.by_day()
        name = f"{result.name} ({result.currency})"
        line = [
            {"day": day, "roas": float(value), "platform": title(result.platform), "account": name,
             "label": f"{day}, {title(result.platform)}, {name}: {ratio(value)}"}
            for day, value in trailing_roas(by_day).items()
        ]  # fmt: skip
        rows += line
        ends += line[-1:]
    days = sorted({row["day"] for row in rows})
    x = _days(days)
    y = alt.Y("roas:Q", title="ROAS, 7 days", axis=alt.Axis(tickCount=5, titlePadding=10))
    base = alt.Chart(alt.InlineData(values=rows), width=_WIDTH - 150, height=250).encode(
        x=x, y=y, color=_colour(results), detail="account:N"
    )
    lines = base.mark_line(strokeWidth=2, aria=False)
    dots = base.mark_point(filled=True, size=16, opacity=1).encode(description="label:N")
    labels = (
        alt.Chart(alt.InlineData(values=_apart(ends, _LABEL_GAP * max(row["roas"] for row in rows))))
        .mark_text(align="left", dx=9, fontSize=12, aria=False)
        .encode(x=x, y=alt.Y("at:Q"), text="account:N", color=_colour(results))
    )
    return svg(alt.layer(lines, dots, labels))


def spend_by_campaign(results: Sequence[Compared]) -> str:
    """Spend by campaign, one panel per ad account, with each campaign's ROAS."""
    panels = []
    for result in results:
        rows = [
            {
                "campaign": result.campaign_names.get(campaign, campaign),
                "spend": units(sums.spend),
                "platform": title(result.platform),
                "label": f"{shown(sums.spend, result.currency)}, ROAS {ratio(sums.roas)}",
            }
            for campaign, sums in result.by_campaign().items()
        ]
        heading = alt.Title(f"{title(result.platform)}: {result.name}", anchor="start", offset=8)
        base = alt.Chart(alt.InlineData(values=rows), width=230, height=alt.Step(25), title=heading).encode(
            x=alt.X("spend:Q", axis=None, scale=alt.Scale(domainMin=0)),
            y=alt.Y("campaign:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=130)),
        )
        bars = base.mark_bar(height={"band": 0.72}).encode(color=_colour(results, legend=False), description="label:N")
        words = base.mark_text(align="left", dx=6, fontSize=11, aria=False).encode(text="label:N")
        panels.append(bars + words)
    return svg(alt.concat(*panels, columns=2, spacing={"row": 26, "column": 40}).resolve_scale(y="independent"))


# -- values ----------------------------------------------------------------------------------------------------------


def units(micros: int) -> float:
    """Millionths → a place on an axis."""
    return float(Decimal(micros) / MICRO)


def trailing_roas(by_day: dict[str, Figures]) -> dict[str, Decimal]:
    """By day, revenue over spend of the seven days that end there; the days before the seventh are left out."""
    if not by_day:
        return {}
    first = date.fromisoformat(min(by_day))
    found: dict[str, Decimal] = {}
    for day in by_day:
        last = date.fromisoformat(day)
        week = [(last - timedelta(days=back)).isoformat() for back in range(TRAILING_DAYS)]
        roas = total(by_day[one] for one in week if one in by_day).roas
        if roas is not None and (last - first).days >= TRAILING_DAYS - 1:
            found[day] = roas
    return found


def _platform_days(results: Sequence[Compared], currency: str) -> dict[str, dict[str, Figures]]:
    """By platform and day, the sums of all ad accounts in one currency."""
    found: dict[str, dict[str, list[Figures]]] = {}
    for result in results:
        if result.currency == currency:
            for day, sums in result.by_day().items():
                found.setdefault(result.platform, {}).setdefault(day, []).append(sums)
    return {
        platform: {day: total(sums) for day, sums in sorted(days.items())} for platform, days in sorted(found.items())
    }


def _apart(ends: Sequence[dict[str, Any]], gap: float) -> list[dict[str, Any]]:
    """Labels at the ends of lines, moved up where two would overlap."""
    placed: list[dict[str, Any]] = []
    for end in sorted(ends, key=lambda one: float(one["roas"])):
        lowest = placed[-1]["at"] + gap if placed else end["roas"]
        placed.append(end | {"at": max(end["roas"], lowest)})
    return placed


# -- the look --------------------------------------------------------------------------------------------------------

_QUIET: dict[str, Any] = {
    "background": "transparent", "padding": {"left": 4, "top": 4, "right": 36, "bottom": 4},
    "font": "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "domainColor": "#c9ced6", "tickColor": "#c9ced6", "gridColor": "#e8ebf0", "labelColor": "#57606a",
        "titleColor": "#57606a", "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal",
    },
    "axisY": {"domain": False, "ticks": False},
    "title": {"color": "#1f2328", "fontSize": 13, "fontWeight": 600},
    "legend": {"orient": "top", "title": None, "labelColor": "#57606a", "labelFontSize": 12, "symbolType": "circle"},
    "text": {"color": "#57606a"},
    "range": {"category": list(PALETTE)},
}  # fmt: skip


def _colour(results: Sequence[Compared], *, legend: bool = True) -> alt.Color:
    """One colour per platform, the same in every chart."""
    names = sorted({title(result.platform) for result in results})
    scale = alt.Scale(domain=names, range=[PALETTE[number % len(PALETTE)] for number in range(len(names))])
    return alt.Color("platform:N", title=None, scale=scale, legend=alt.Legend() if legend else None)


def _days(days: Sequence[str]) -> alt.X:
    """The horizontal axis: the whole of the first and last day, a tick per week."""
    first, last = date.fromisoformat(days[0]), date.fromisoformat(days[-1]) + timedelta(days=1)
    ticks = [_moment(first + timedelta(days=number)) for number in range(0, (last - first).days, 7)]
    axis = alt.Axis(format="%-d %b", values=ticks, grid=False, labelPadding=6)
    scale = alt.Scale(domain=[_moment(first), _moment(last)])
    return alt.X("utcyearmonthdate(day):T", title=None, axis=axis, scale=scale)


def _moment(day: date) -> alt.DateTime:
    return alt.DateTime(year=day.year, month=day.month, date=day.day, utc=True)


def svg(chart: alt.TopLevelMixin) -> str:
    """A chart as an SVG element that scales with the page; each mark's description is its tooltip."""
    ET.register_namespace("", _SVG)
    root = ET.fromstring(vl_convert.vegalite_to_svg(chart.configure(**_QUIET).to_json()))  # noqa: S314 - our own chart
    for mark in root.iter(f"{{{_SVG}}}path"):
        if "aria-label" in mark.attrib:
            ET.SubElement(mark, f"{{{_SVG}}}title").text = mark.get("aria-label")
    root.attrib.pop("height", None)
    root.set("style", f"width: {root.attrib.pop('width')}px")
    return ET.tostring(root, encoding="unicode")
