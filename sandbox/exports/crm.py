"""Deals as HubSpot and Salesforce export them: the shop's orders as deals that were won, beside open and lost ones.

Source: a HubSpot export of deals (its columns are the view's); forcedotcom/dataloader@6cc5719 samples for the Data
Loader (all cells quoted, `"500000.0"`, UTC times); a Salesforce report with its currency columns and its footer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

from sandbox.exports.base import MICRO, Export, Span, TrueRow, grouped, lines, units
from sandbox.exports.shop import Order, orders, truth

_OPEN = {"voided": "lost", "pending": "open", "expired": "open"}


def hubspot_deals(span: Span) -> Export:
    """`hubspot-crm-exports-all-deals-<day>.csv`."""
    stages = {"won": "Closed Won", "lost": "Closed Lost", "open": "Contract Sent"}
    header = (
        "Record ID", "Deal Name", "Last Activity Date", "State", "Deal Stage", "Close Date", "Deal owner", "Amount",
        "Pipeline",
    )  # fmt: skip
    found = orders(span)
    body = [
        (
            order.shop_id, f"{order.person.name}: {order.campaign}", f"{order.at:%Y-%m-%d %H:%M}", "",
            stages[_OPEN.get(order.status, "won")], f"{order.at:%Y-%m-%d %H:%M}", "Sam Seller", units(order.total),
            "Sales Pipeline",
        )
        for order in found
    ]  # fmt: skip
    text = lines([header, *body], quoted=True)
    return Export(
        "hubspot", "deals", f"hubspot-crm-exports-all-deals-{span.end}.csv", text.encode(), _deals(found, span)
    )


def salesforce_data_loader(span: Span) -> Export:
    """`opportunities.csv` of the Data Loader."""
    stages = {"won": ("Closed Won", "true", "true"), "lost": ("Closed Lost", "true", "false")}
    header = (
        "ID", "ISDELETED", "ACCOUNTID", "NAME", "DESCRIPTION", "STAGENAME", "AMOUNT", "PROBABILITY", "EXPECTEDREVENUE",
        "CLOSEDATE", "TYPE", "NEXTSTEP", "LEADSOURCE", "ISCLOSED", "ISWON", "CREATEDDATE",
    )  # fmt: skip
    found = orders(span)
    body = []
    for order in found:
        stage, closed, won = stages.get(_OPEN.get(order.status, "won"), ("Negotiation/Review", "false", "false"))
        amount, chance = f"{order.total / MICRO:.2f}".rstrip("0"), "100.0" if won == "true" else "0.0"
        amount = f"{amount}0" if amount.endswith(".") else amount
        body.append(
            (
                f"006{order.shop_id:015}", "false", "001000000000001AAA", f"{order.person.name}, {order.campaign}", "",
                stage, amount, chance, amount if won == "true" else "0.0", f"{order.at:%Y-%m-%d}", "New Customer", "",
                "Web", closed, won, f"{order.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}",
            )
        )  # fmt: skip
    text = lines([header, *body], quoted=True)
    return Export("salesforce", "deals", "opportunities.csv", text.encode(), _deals(found, span))


def salesforce_report(span: Span) -> Export:
    """`report.csv`: labels for names, a currency before each amount, lines of totals and of copyright below."""
    header = (
        "Opportunity Owner", "Account Name", "Opportunity Name", "Stage", "Forecast Category", "Total Amount Currency",
        "Total Amount", "Fiscal Period", "Close Date", "Opportunity ID",
    )  # fmt: skip
    stages = {"won": ("Closed Won", "Closed"), "lost": ("Closed Lost", "Omitted")}
    found = orders(span)
    body: list[Sequence[object]] = [header]
    for order in found:
        stage, category = stages.get(_OPEN.get(order.status, "won"), ("Negotiation/Review", "Commit"))
        body.append(
            (
                "Sam Seller", order.person.name, order.campaign, stage, category, span.profile.currency,
                grouped(order.total), f"Q{(order.at.month + 2) // 3}-{order.at.year}",
                f"{order.at.month}/{order.at.day}/{order.at.year}", f"006{order.shop_id:015}",
            )
        )  # fmt: skip
    footer = [
        (f"Grand Totals ({len(found)} records)",),
        ("Confidential Information - Do Not Distribute",),
        (f"Copyright (c) 2000-{span.end.year} salesforce.com, inc. All rights reserved.",),
    ]
    text = lines([*body, *footer], quoted=True)
    return Export("salesforce", "deals", "report.csv", text.encode(), _deals(found, span))


def _deals(found: Sequence[Order], span: Span) -> tuple[TrueRow, ...]:
    """What was won, by day. What was given back later is not of the deal."""
    return truth((replace(order, refunded=0) for order in found), span.profile.timezone, by_campaign=False)
