"""A report of Google Analytics 4 as its web interface saves it, by day and by the session's campaign.

Source: real exports: comment lines that name report, account, property and range, then the header; days as `20260819`,
rates as fractions, no total row; `(direct)`, `(not set)` and `(other)` for what has no name.
"""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.exports.base import Export, Span, TrueRow, lines, units

_RULE = "# ----------------------------------------"
HEADER = (
    "Session campaign", "Date", "Active users", "New users", "Sessions", "Engaged sessions", "Engagement rate",
    "Event count", "Key events", "User key event rate", "Total revenue",
)  # fmt: skip
_NAMELESS = (("(direct)", 3), ("(not set)", 1))


def ga4_report(span: Span) -> Export:
    """`Traffic_acquisition_Session_campaign.csv`."""
    head = [
        _RULE,
        "# Traffic acquisition: Session campaign",
        f"# Account: {span.profile.name}",
        "# Property: Shop",
        _RULE,
        "# ",
        "# All Users",
        f"# Start date: {span.start:%Y%m%d}",
        f"# End date: {span.end:%Y%m%d}",
    ]
    truth = list(_visits(span))
    body = [_cells(row) for row in truth]
    text = "\n".join(head) + "\n" + lines([HEADER, *body])
    stored = (row._replace(entity="" if row.entity.startswith("(") else row.entity) for row in truth)
    return Export(
        "ga4", "web_analytics", "Traffic_acquisition_Session_campaign.csv", text.encode(), tuple(_per_day(stored))
    )


def _visits(span: Span) -> Iterator[TrueRow]:
    """Clicks as visits; beside them what has no campaign, a share of each day."""
    days: dict[object, int] = {}
    for row in span.campaign_rows():
        days[row.day] = days.get(row.day, 0) + (row.clicks or 0)
        name = span.campaign(row.entity).name
        yield TrueRow(row.day, name, clicks=row.clicks, conversions=row.conversions, revenue=row.revenue)
    for day in span.days():
        for name, share in _NAMELESS:
            sessions = days.get(day, 0) * share // 10
            yield TrueRow(day, name, clicks=sessions, conversions=sessions // 40 * 1_000_000, revenue=0)


def _per_day(rows: Iterator[TrueRow]) -> Iterator[TrueRow]:
    sums: dict[tuple[object, str], TrueRow] = {}
    for row in rows:
        before = sums.get((row.day, row.entity))
        sums[row.day, row.entity] = row if before is None else _plus(before, row)
    yield from sums.values()


def _plus(one: TrueRow, other: TrueRow) -> TrueRow:
    return one._replace(
        clicks=(one.clicks or 0) + (other.clicks or 0),
        conversions=(one.conversions or 0) + (other.conversions or 0),
        revenue=(one.revenue or 0) + (other.revenue or 0),
    )


def _cells(row: TrueRow) -> tuple[object, ...]:
    sessions = row.clicks or 0
    engaged = sessions * 11 // 20
    return (
        row.entity, f"{row.day:%Y%m%d}", sessions * 9 // 10, sessions * 6 // 10, sessions, engaged,
        f"{engaged / sessions:.15f}".rstrip("0") if sessions else "0", sessions * 6, units(row.conversions),
        "0.013", units(row.revenue),
    )  # fmt: skip
