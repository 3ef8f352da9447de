"""Which customers a credential reaches: what a listing's pages say, and through which manager.

Managers and their accounts form a graph, not a tree: an account may have several managers, and one that is reached
through a manager may also be shared with the user directly.
"""

from __future__ import annotations

import msgspec

from adweir.model.entities import Profile, ProfileStatus
from adweir.model.times import is_zone
from adweir.platforms.connector import PullContext
from adweir.platforms.google_ads import SPEC
from adweir.platforms.json_items import UNREADABLE

_THROUGH = "login-customer-id="
_NOT_READ = frozenset({"CANCELED", "CLOSED"})


class GoogleCustomer(msgspec.Struct, gc=False, rename="camel"):
    """`customer` or `customer_client`."""

    id: str
    descriptive_name: str = ""
    currency_code: str = ""
    time_zone: str = ""
    manager: bool = False
    test_account: bool = False
    status: str = ""


class CustomerRow(msgspec.Struct, gc=False, rename="camel"):
    customer: GoogleCustomer | None = None
    customer_client: GoogleCustomer | None = None


class _CustomerPage(msgspec.Struct, gc=False):
    results: list[CustomerRow] = []


_row = msgspec.json.Decoder(CustomerRow).decode
_customers = msgspec.json.Decoder(_CustomerPage).decode


def tree_label(manager: str) -> str:
    """The label of a page with accounts that are reached through a manager; "" on direct access."""
    return f"{_THROUGH}{manager}" if manager else ""


def is_manager(body: bytes) -> bool:
    """Whether the one customer of an answer is a manager; one that cannot be read is quarantined as an account."""
    try:
        return any(row.customer is not None and row.customer.manager for row in _customers(body).results)
    except UNREADABLE:
        return False


def profile(raw: msgspec.Raw, context: PullContext, label: str) -> Profile | None:
    """An account of a listing's page; None for a manager, which has no campaigns of its own.

    Raises ValueError (field, message) or msgspec's errors. Every test account is CLOSED; a cancelled account cannot be
    read any more (CUSTOMER_NOT_ENABLED), and keeps its history.
    """
    row = _row(raw)
    customer = row.customer_client or row.customer
    if customer is None:
        raise ValueError("customer", "a row without a customer")
    if customer.manager:
        return None
    if not (customer.id.isdecimal() and customer.id.isascii()):
        raise ValueError("id", f"not an id: {customer.id[:40]!r}")
    if len(customer.currency_code) != 3 or not customer.currency_code.isalpha():
        raise ValueError("currencyCode", f"not a currency: {customer.currency_code[:20]!r}")
    if not is_zone(customer.time_zone):
        raise ValueError("timeZone", f"not a time zone: {customer.time_zone[:60]!r}")
    ended = customer.status in _NOT_READ and not customer.test_account
    return Profile(
        account_id=context.account_id,
        platform=SPEC.name,
        profile_id=customer.id,
        name=customer.descriptive_name,
        currency=customer.currency_code,
        timezone=customer.time_zone,
        kind="test" if customer.test_account else "",
        status=ProfileStatus.REMOVED if ended else ProfileStatus.ACTIVE,
        status_raw=customer.status,
        route=label.removeprefix(_THROUGH),
        as_of=context.as_of,
    )
