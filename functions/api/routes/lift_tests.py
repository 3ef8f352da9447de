"""Lift tests: experiments that calibrate the media-mix coefficients of a client. `data_pipeline/store` takes them."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field

from adweir.model import limits
from adweir.model.errors import NotFound, Unprocessable
from adweir.model.times import iso
from adweir.runtime.changes import note_change
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Caller, Here, Resource
from routes.fields import AccountId, AccountPath, Instant, NextToken, Number, Shown

_TYPE = "lift_tests"
TestId = Annotated[str, Field(examples=["geo-2026-09"])]


class LiftTestAnswer(Shown):
    """An experiment, as it was handed over (docs/data-types.md)."""

    test_id: TestId
    source: str = Field(description="Who says so: of a file the folder, of a call its `source`.", examples=["lab"])
    start_date: str
    end_date: str
    platform: str | None
    channel: str | None
    campaign_id: str | None
    geo: str | None
    incremental_conversions: Number
    incremental_conversions_lower: Number
    incremental_conversions_upper: Number
    incremental_revenue: Number
    incremental_revenue_lower: Number
    incremental_revenue_upper: Number
    confidence: Number
    spend: Number
    currency: str | None
    as_of: Instant


class LiftTestList(Shown):
    """A client's lift tests by source and id, all in one page."""

    lift_tests: list[LiftTestAnswer]
    next_token: NextToken = None


class RemovedLiftTest(Shown):
    """The lift test that was removed."""

    account_id: AccountId
    test_id: TestId
    source: str
    status: Literal["removed"] = "removed"


lift_tests = Resource("Lift tests", "Experiments that calibrate the media-mix coefficients")
_ALL = "/api/v1/accounts/{account_id}/lift-tests"


@lift_tests.route(
    "GET",
    _ALL,
    "List the lift tests of an account",
    limited=True,
    content=lambda: {"application/json": {"model": LiftTestList}},
)
def list_lift_tests(app: Here, account_id: AccountPath) -> Answer:
    """`POST /api/v1/data_pipeline/store` stores them, and so does a file under `drops/`, as the data type `lift_tests`.
    Numbers are exact. They are part of the media-mix datasets."""
    from adweir.model.data_types import DATA_TYPES
    from adweir.reporting.references import ReferenceQuestion

    known = app.catalog.account(account_id).account_id
    asked = ReferenceQuestion.of(DATA_TYPES[_TYPE], {"client_account_id": known}, None)
    return answer({"lift_tests": [_shown(each) for each in asked.records(app.catalog)], "next_token": None})


@lift_tests.route(
    "DELETE", f"{_ALL}/{{test_id}}", "Remove a lift test", limited=True, scope="write", errors=(404, 409, 422)
)
def remove_lift_test(
    app: Here,
    caller: Caller,
    account_id: AccountPath,
    test_id: Annotated[str, Path(description="The experiment.")],
    source: Annotated[
        str, Query(max_length=limits.MAX_WORD_CHARS, description="Whose; needed where several have one of this id.")
    ] = "",
) -> RemovedLiftTest:
    """The next dataset is without it. Loading its file again does not bring it back, a newer one does."""
    known = app.catalog.account(account_id).account_id
    found = [row for row in app.catalog.references(known, _TYPE, source) if row.cells.get("test_id") == test_id]
    if len(found) > 1:
        message = (
            f"several sources have a lift test {test_id[:64]}: {', '.join(str(row.source) for row in found)[:300]}"
        )
        raise Unprocessable(message, [{"field": "source", "message": "names one of them"}])
    if not found or not app.catalog.remove_reference(known, _TYPE, found[0], iso(app.clock.now())):
        message = f"there is no lift test {test_id[:64]}; GET {_ALL.format(account_id=known)} lists them"
        raise NotFound(message, [{"field": "test_id", "message": "is unknown"}])
    gone = str(found[0].source)
    note_change(app, caller, "remove lift test", test_id, f"of {gone}", kind="lift test", account_id=known)
    return RemovedLiftTest(account_id=known, test_id=test_id, source=gone)


def _shown(record: dict[str, Any]) -> dict[str, Any]:
    return {name: record[name] for name in LiftTestAnswer.model_fields}
