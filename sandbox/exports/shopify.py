"""The orders export of Shopify: one line per item, and what is about the order on its first line alone.

Source: real exports of 79 columns (zhangerson/shopify_parsing, ethompson17/Explorer_Analytics): UTF-8 without a mark,
the offset in each time, decimal points. Where an order came from is in its note attributes, as shops' scripts put it
there: no column has it.
"""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.exports.base import Export, Span, lines, units
from sandbox.exports.shop import Order, orders, truth
from sandbox.world.draw import share

_WHERE = ("Name", "Street", "Address1", "Address2", "Company", "City", "Zip", "Province", "Country", "Phone")
HEADER = (
    "Name", "Email", "Financial Status", "Paid at", "Fulfillment Status", "Fulfilled at", "Accepts Marketing",
    "Currency", "Subtotal", "Shipping", "Taxes", "Total", "Discount Code", "Discount Amount", "Shipping Method",
    "Created at",
    "Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem compare at price", "Lineitem sku",
    "Lineitem requires shipping", "Lineitem taxable", "Lineitem fulfillment status",
    *(f"Billing {part}" for part in _WHERE), *(f"Shipping {part}" for part in _WHERE),
    "Notes", "Note Attributes", "Cancelled at", "Payment Method", "Payment Reference", "Refunded Amount", "Vendor",
    "Outstanding Balance", "Employee", "Location", "Device ID", "Id", "Tags", "Risk Level", "Source",
    "Lineitem discount",
    *(f"Tax {place} {part}" for place in range(1, 6) for part in ("Name", "Value")),
    "Phone", "Receipt Number", "Duties", "Billing Province Name", "Shipping Province Name", "Payment ID",
    "Payment Terms Name", "Next Payment Due At", "Payment References",
)  # fmt: skip


def shopify_orders(span: Span) -> Export:
    """`orders_export_1.csv`."""
    found = orders(span)
    body = [cells for order in found for cells in _lines(span, order)]
    text = lines([HEADER, *body])
    return Export(
        "shopify",
        "orders",
        "orders_export_1.csv",
        text.encode(),
        truth(found, span.profile.timezone, by_campaign=False),
    )


def _lines(span: Span, order: Order) -> Iterable[list[str]]:
    created = f"{order.at:%Y-%m-%d %H:%M:%S %z}"
    prices = share(order.total, [2 + place for place in range(order.items)])
    for place, price in enumerate(prices):
        item = {
            "Name": f"#{order.number}",
            "Email": order.person.email,
            "Created at": created,
            "Lineitem quantity": "1",
            "Lineitem name": f"Item {place + 1}, boxed",
            "Lineitem price": units(price, 2),
            "Lineitem requires shipping": "true",
            "Lineitem taxable": "true",
            "Lineitem fulfillment status": "fulfilled",
            "Lineitem discount": "0.00",
            "Vendor": span.profile.name,
        }
        cells = item | (_of_order(span, order, created) if place == 0 else {})
        yield [cells.get(name, "") for name in HEADER]


def _of_order(span: Span, order: Order, created: str) -> dict[str, str]:
    """What stands on an order's first line."""
    total = units(order.total, 2)
    address = {"Name": order.person.name, "Address1": "1 Example Road", "City": "Exampleton", "Zip": "'97000"}
    where = address | {"Country": span.profile.country}
    return {
        "Financial Status": order.status,
        "Paid at": created if order.counts else "",
        "Fulfillment Status": "fulfilled" if order.counts else "unfulfilled",
        "Accepts Marketing": "no",
        "Currency": span.profile.currency,
        "Subtotal": total,
        "Shipping": "0.00",
        "Taxes": "0.00",
        "Total": total,
        "Discount Amount": "0.00",
        "Note Attributes": f"utm_source: ads\nutm_campaign: {order.campaign}",
        "Cancelled at": created if order.status == "voided" else "",
        "Payment Method": "Shopify Payments",
        "Refunded Amount": units(order.refunded, 2),
        "Outstanding Balance": "0.00",
        "Id": str(order.shop_id),
        "Risk Level": "Low",
        "Source": "web",
        **{f"Billing {part}": text for part, text in where.items()},
        **{f"Shipping {part}": text for part, text in where.items()},
    }
