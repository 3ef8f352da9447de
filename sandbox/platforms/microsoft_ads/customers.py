"""Customer Management: the user with its roles, and the ad accounts that it sees.

Source: GetUser, SearchAccounts, GetAccountsInfo, GetAccount; Predicate, Paging, AdvertiserAccount, CustomerRole.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.microsoft_ads.bodies import Body, ids, long
from sandbox.platforms.microsoft_ads.errors import MicrosoftRefusal, bad_request
from sandbox.platforms.microsoft_ads.login import MicrosoftGrant
from sandbox.platforms.microsoft_ads.population import PLATFORM, MicrosoftAccount
from sandbox.web import json_answer

_MOST_PER_PAGE = 1000
_OPERATORS = {
    "AccountId": ("Equals", "In"),
    "AccountLifeCycleStatus": ("Equals",),
    "AccountName": ("Contains", "Equals"),
    "AccountNumber": ("Contains", "Equals", "In"),
    "CustomerId": ("Equals",),
    "UserId": ("Equals",),
}
_LEAST_TEXT = 4
_SUPER_ADMIN = 41
_ORDERS = {"Id": lambda one: int(one.id), "Name": lambda one: one.name, "Number": lambda one: one.number}


class MicrosoftCustomers:
    """Answers of the Customer Management service."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def user(self, grant: MicrosoftGrant, body: Body) -> Response:
        """`User/Query`: the user, by default the token's own, with one role per customer."""
        if body.get("UserId") is not None and long(body["UserId"]) != grant.user.id:
            raise MicrosoftRefusal(106)
        owners = list(dict.fromkeys(one.customer for one in grant.user.accounts))
        email = grant.company.email
        user = {
            "Id": grant.user.id,
            "CustomerId": owners[0],
            "UserName": email,
            "Name": {"FirstName": grant.company.name, "LastName": "Reporting", "MiddleInitial": None},
            "ContactInfo": {"Email": email},
            "UserLifeCycleStatus": "Active",
        }
        roles = [
            {"CustomerId": owner, "RoleId": _SUPER_ADMIN, "AccountIds": None, "LinkedAccountIds": None}
            for owner in owners
        ]
        return json_answer({"User": user, "CustomerRoles": roles})

    def search(self, grant: MicrosoftGrant, body: Body) -> Response:
        """`Accounts/Search`: the accounts that meet the predicate, a page of them."""
        predicates = body.get("Predicates")
        if not isinstance(predicates, list) or not predicates or not all(isinstance(one, dict) for one in predicates):
            raise bad_request("Predicates")
        fields = [one.get("Field") for one in predicates]
        if len([field for field in fields if field != "AccountLifeCycleStatus"]) != 1:
            raise bad_request("You must include exactly one predicate.")
        index, size = self._page(body.get("PageInfo"))
        found = [one for one in grant.user.accounts if all(_meets(grant, one, predicate) for predicate in predicates)]
        ordering = body.get("Ordering") or []
        if ordering:
            order = ordering[0] if isinstance(ordering[0], dict) else {}
            if order.get("Field") not in _ORDERS:
                raise bad_request("Ordering")
            found = sorted(found, key=_ORDERS[order["Field"]], reverse=order.get("Order") == "Descending")
        shown = found[index * size : (index + 1) * size]
        return json_answer({"Accounts": [self._described(grant, one) for one in shown]})

    def accounts_info(self, grant: MicrosoftGrant, body: Body) -> Response:
        """`AccountsInfo/Query`: the accounts of one customer in brief, by default of the user's own."""
        owner = grant.user.accounts[0].customer if body.get("CustomerId") is None else long(body["CustomerId"])
        found = [one for one in grant.user.accounts if one.customer == owner]
        if not found:
            raise MicrosoftRefusal(106)
        names = ("Id", "Name", "Number", "AccountLifeCycleStatus", "PauseReason")
        brief = [{name: self._described(grant, one)[name] for name in names} for one in found]
        return json_answer({"AccountsInfo": brief})

    def account(self, grant: MicrosoftGrant, body: Body) -> Response:
        """`Account/Query`: one account."""
        found = grant.account(long(body.get("AccountId")) or "")
        if found is None:
            raise MicrosoftRefusal(106)
        return json_answer({"Account": self._described(grant, found)})

    def _page(self, info: Any) -> tuple[int, int]:
        index, size = (info.get("Index"), info.get("Size", 0)) if isinstance(info, dict) else (None, None)
        whole = all(isinstance(number, int) and not isinstance(number, bool) for number in (index, size))
        if not whole or index < 0 or not 0 <= size <= _MOST_PER_PAGE:  # type: ignore[operator]
            raise bad_request("PageInfo")
        return index, size  # type: ignore[return-value]

    def _described(self, grant: MicrosoftGrant, account: MicrosoftAccount) -> Body:
        profile = grant.profiles[account.id]
        return {
            "AccountFinancialStatus": "ClearFinancialStatus",
            "AccountLifeCycleStatus": "Active",
            "AccountMode": "Expert",
            "AutoTagType": "Preserve",
            "BillToCustomerId": account.customer,
            "BusinessAddress": None,
            "CurrencyCode": profile.currency,
            "Id": account.id,
            "Language": "English",
            "LastModifiedTime": f"{self._outside.world.first_day.isoformat()}T09:30:00.000",
            "LinkedAgencies": None,
            "Name": profile.name,
            "Number": account.number,
            "ParentCustomerId": account.customer,
            "PauseReason": None,
            "PrimaryUserId": grant.user.id,
            "TimeStamp": "AAAAAEFwKZE=",
            "TimeZone": account.timezone,
        }

    def owned(self, grant: MicrosoftGrant, account_id: str | None, customer_id: str | None) -> MicrosoftAccount:
        """The account that both headers name. Raises 106 for one that the user does not see, or of another customer."""
        account = grant.account(account_id or "")
        if account is None or account.customer != customer_id:
            raise MicrosoftRefusal(106)
        if self._outside.switches.take("access_denied", PLATFORM, account.id) is not None:
            raise MicrosoftRefusal(106)
        return account


def _meets(grant: MicrosoftGrant, account: MicrosoftAccount, predicate: Body) -> bool:
    field, operator, value = (predicate.get(name) for name in ("Field", "Operator", "Value"))
    if operator not in _OPERATORS.get(str(field), ()) or not isinstance(value, (str, int)):
        raise bad_request(f"{field} {operator}")
    text = str(value)
    if len(text) < _LEAST_TEXT:
        raise bad_request("Value")
    if field == "UserId":
        if text != grant.user.id:
            raise MicrosoftRefusal(106)
        return True
    own = {
        "AccountId": account.id,
        "AccountLifeCycleStatus": "Active",
        "AccountName": grant.profiles[account.id].name,
        "AccountNumber": account.number,
        "CustomerId": account.customer,
    }[str(field)]
    if operator == "In":
        wanted = text.replace(" ", "").split(",")
        if field == "AccountId" and ids(wanted) is None:
            raise bad_request("Value")
        return own in wanted
    return text.lower() in own.lower() if operator == "Contains" else text.lower() == own.lower()
