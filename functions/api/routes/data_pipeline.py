"""The data pipeline's call that reads: retrieve what is stored. `routes.records` has those that take records."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, StringConstraints

from adweir.model import limits
from adweir.model.errors import TooLarge
from adweir.model.times import iso
from adweir.runtime.app import App
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Here, Resource
from routes.fields import AS_KNOWN_AT, CHANGED_SINCE, Given, OneOf, PastInstant
from routes.large import EXPORT, bounds, export

if TYPE_CHECKING:
    from adweir.reporting.moments import Moments
    from adweir.reporting.pages import KeptPages
    from adweir.reporting.records import RecordPage


def _data_types() -> tuple[str, ...]:
    from adweir.reporting.records import DATA_TYPES

    return DATA_TYPES


def _retrieved() -> dict[str, Any]:
    from routes.answers import RETRIEVED

    return RETRIEVED


Word = Annotated[str, StringConstraints(min_length=1, max_length=limits.MAX_WORD_CHARS)]


class RetrieveRequest(Given):
    """What to read. `filters` are ids, platform, currency, source, each one value or a list, and `date_range`.

    Of a data type that belongs to no ad platform (orders, kpi_series, ...), they are the fields of its records.
    With `include_live`, today and other days that only hours cover are answered by their hours.
    """

    data_type: Annotated[Word, OneOf(known=_data_types)]
    filters: dict[str, Any] = Field(default={}, examples=[{"date_range": {"start": "2026-11-01", "end": "2026-11-07"}}])
    limit: int = Field(default=100, ge=1, le=limits.MAX_RETRIEVED_RECORDS, strict=True)
    offset: int = Field(default=0, ge=0, le=limits.MAX_RETRIEVE_OFFSET, strict=True)
    paged: bool = Field(
        default=False,
        strict=True,
        description="Keep the records after this page, so that `next_token` gives the next one without computing it.",
    )
    next_token: str = Field(
        default="",
        max_length=limits.MAX_PAGE_TOKEN_CHARS,
        description="From the answer before: the next page of the same request. Good for a day.",
    )
    include_live: bool = Field(default=False, strict=True)
    as_known_at: PastInstant | None = Field(default=None, description=AS_KNOWN_AT)
    changed_since: PastInstant | None = Field(default=None, description=CHANGED_SINCE)


data_pipeline = Resource("Data pipeline", "Records of your own, and stored data")


@data_pipeline.route(
    "POST",
    "/api/v1/data_pipeline/retrieve",
    "Read stored data by type",
    limited=True,
    content=_retrieved,
    others={202: EXPORT},
)
def retrieve(app: Here, asked: RetrieveRequest) -> Answer:
    """Without a `date_range` the last 30 days. Numbers are exact: read them as decimals, not as floats.

    `coverage` says per day what was pulled, when, and how final it is. null is unknown, which is not zero. With
    `paged`, the answer's `next_token` and the same request give the next page, as of the first one, for a day. By
    `offset`, the first page is as of now, and the others agree among each other for a quarter of an hour. What takes
    longer than an answer may becomes an export (202) of all records, whatever `limit` and `offset` say.
    """
    from adweir.reporting.pages import KeptPages

    now = app.clock.now()
    about = asked.model_dump(mode="json", exclude={"limit", "next_token"}) | {"accounts": sorted(app.accounts or ())}
    if asked.next_token:
        kept = KeptPages(app.raw, about).page(asked.next_token, asked.limit, now)
        return _page(asked, kept.about, kept.records, kept.token)
    try:
        if asked.paged:
            return _first_page(app, asked, KeptPages(app.raw, about))
        return _page_by_offset(app, asked, KeptPages(app.raw, about | {"offset": None}))
    except TooLarge:
        return _export(app, asked)


def _first_page(app: App, asked: RetrieveRequest, pages: "KeptPages") -> Answer:
    """The page at the offset; what follows it is kept for those that ask for it with the token."""
    found, said = _computed(app, asked, limits.MAX_KEPT_RECORDS)
    if found.total > asked.offset + asked.limit + limits.MAX_KEPT_RECORDS:
        raise TooLarge(f"more than {limits.MAX_KEPT_RECORDS} records to page through")
    shown, rest = found.records[: asked.limit], found.records[asked.limit :]
    token = pages.keep(app.new_id(), rest, said, app.clock.now()) if rest else ""
    return _page(asked, said | (found.changes.answer if found.changes else {}), shown, token)


def _page_by_offset(app: App, asked: RetrieveRequest, pages: "KeptPages") -> Answer:
    """The page at the offset: computed if it is the first one, or the second; else from what the second one kept."""
    from adweir.reporting.pages import KeptPage

    now = app.clock.now()
    if not asked.offset:
        found, said = _computed(app, asked, 0)
        if found.total > asked.limit:
            pages.mark(app.new_id(), now)
        return _page(asked, said | (found.changes.answer if found.changes else {}), found.records, "")
    name = pages.marked(now)
    kept = pages.shelved(name, asked.offset, asked.limit)
    if kept is None:
        found, said = _computed(app, asked, limits.MAX_SHELVED_RECORDS)
        said |= found.changes.answer if found.changes else {}
        kept = KeptPage(found.records, said, "")
        if len(found.records) > asked.limit:
            pages.shelve(name or pages.mark(app.new_id(), now), app.new_id(), asked.offset, kept)
    return _page(asked, kept.about, kept.records[: asked.limit], "")


def _computed(app: App, asked: RetrieveRequest, more: int) -> "tuple[RecordPage, dict[str, Any]]":
    """The records of a page and of so many after it, and what an answer says beside them. Raises TooLarge."""
    from adweir.reporting.records import RecordRequest, StoredRecords

    now = app.clock.now()
    moments = _moments(asked, now)
    queries = app.queries.known_at(moments.as_known_at) if moments.as_known_at else app.queries
    limit = asked.limit + more
    wanted = RecordRequest(asked.data_type, asked.filters, limit, asked.offset, asked.include_live, moments)
    found = StoredRecords(app.catalog, queries.within(bounds(app))).retrieve(wanted, moments.now)
    said = {"retrieved_at": iso(now), **moments.notes}
    return found, said | {"total": found.total, "coverage": found.coverage, "warnings": found.warnings}


def _export(app: App, asked: RetrieveRequest) -> Answer:
    """Ask for all records as an export."""
    from adweir.reporting.exported import ExportedRecords

    moments = _moments(asked, app.clock.now())
    known_at, changed_since = moments.as_known_at, moments.changed_since
    records = ExportedRecords(
        data_type=asked.data_type,
        filters=asked.filters,
        live=asked.include_live,
        asked_at=iso(moments.answered_at),
        as_known_at=iso(known_at) if known_at else None,
        changed_since=iso(changed_since) if changed_since else None,
    )
    return export(app, records, moments)


def _moments(asked: RetrieveRequest, now: datetime) -> "Moments":
    from adweir.reporting.moments import parse_moments

    return parse_moments(asked.as_known_at, asked.changed_since, now)


def _page(asked: RetrieveRequest, said: dict[str, Any], records: list[dict[str, Any]], token: str) -> Answer:
    shown = {"records_count": len(records), "records": records, "next_token": token or None, "status": "success"}
    return answer({"success": True, "data_type": asked.data_type, "result": said | shown})
