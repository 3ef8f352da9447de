"""Receipts of dropped files: what became of each version of each file."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from adweir.model import limits
from adweir.runtime.routes import Here, Resource
from routes.accounts import only_account
from routes.fields import PAGE_ITEMS, AccountId, Instant, Limit, NextToken, OneOf, PageToken, Shown


class DropReceipt(Shown):
    """What became of one version of a dropped file; the counts are null for a file that was not loaded."""

    key: str = Field(description="The object that was dropped.")
    version: str = Field(description="Its S3 version.")
    account_id: AccountId
    state: Annotated[str, OneOf("loaded", "rejected", "duplicate")] = Field(
        description="duplicate: the account dropped these bytes before; nothing changed."
    )
    size: int = Field(description="In bytes, as it was stored.")
    dropped_at: Instant
    task_id: str | None = Field(None, description="The id that its rows, findings and quarantine carry.")
    sha256: str | None = None
    rows_read: int | None = None
    rows_stored: int | None = None
    duplicates: int | None = Field(None, description="Rows that repeat another row of the file.")
    rows_left_out: dict[str, int] | None = Field(None, description="Rows that are no data: how often by reason.")
    rows_quarantined: int | None = None
    slots_changed: int | None = Field(None, description="Stored numbers that the file changed.")
    reasons: dict[str, int] | None = Field(None, description="Why rows were refused: how often by rule.")
    first_quarantined: list[dict[str, Any]] | None = Field(None, description="The first refused lines, and why.")
    quarantine_key: str | None = Field(None, description="The object with the refused lines, if there are any.")
    quarantine_keys: list[str] | None = Field(None, description="One per share of a file that was loaded in shares.")
    shares: int | None = Field(None, description="In how many loads its rows were stored; null for a file of one.")
    stored_for: list[str] | None = Field(None, description="Platform, ad account, level and grain of what was stored.")
    duplicate_of: str | None = Field(None, description="Key and version of the file that had these bytes first.")
    code: str | None = Field(None, description="Why the whole file was rejected: the error's code.")
    reason: str | None = Field(None, description="The same in words.")
    details: list[dict[str, Any]] | None = Field(None, description="Each fault of a rejected file.")


class ReceiptList(Shown):
    """A page of receipts, the newest drop first."""

    receipts: list[DropReceipt]
    next_token: NextToken = None


receipts = Resource("Receipts", "What became of dropped files")


@receipts.route(
    "GET", "/api/v1/receipts", "List the receipts of an account's dropped files", limited=True, errors=(404, 422)
)
def list_receipts(
    app: Here,
    account_id: Annotated[
        str,
        Query(
            max_length=limits.MAX_PATH_ID_CHARS,
            description="The client company; may be left out where there is only one.",
        ),
    ] = "",
    limit: Limit = PAGE_ITEMS,
    next_token: PageToken = "",
) -> ReceiptList:
    """Of the last 90 days. A file without a receipt is not taken in yet."""
    account_id = account_id or only_account(app)
    found, following = app.ledger.receipts.page(account_id, limit, next_token)
    app.catalog.account(account_id)  # one that does not exist is no empty list
    return ReceiptList(receipts=[_shown(receipt) for receipt in found], next_token=following or None)


def _shown(stored: dict[str, Any]) -> DropReceipt:
    known = {name: value for name, value in stored.items() if name in DropReceipt.model_fields}
    return DropReceipt(
        **known | {"quarantine_key": stored.get("quarantine_key") or None}, dropped_at=stored["last_modified"]
    )
