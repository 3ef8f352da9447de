"""Lists of ads, account days, campaigns, keywords and invoices: chosen, ordered, with the fields that are asked for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query

from adweir.model.errors import TooLarge, Unprocessable
from adweir.runtime.app import App
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Here, Resource
from routes.fields import PAGE_ITEMS, WORDS, AnyLimit, Given, OneOf, PageToken, one, several
from routes.large import LARGE, bounds, sent

if TYPE_CHECKING:
    from adweir.insight.enrichment.listed import EnrichedList
    from adweir.reporting.lists import ListRequest, RecordLists
    from adweir.reporting.query import Queries

_HOW = ("start", "end", "time_range", "fields", "order", "name", "format", "include")
"""What a query says beside its filters."""
_FORMATS = ("json", "csv")
_ENRICHMENT = "enrichment"


class ProfilesQuery(Given):
    """Of which ad accounts."""

    platform: str = several("Only these platforms or aliases")
    account_id: str = several("Only those of these client companies (acc_…), or these ad accounts")
    profile_id: str = several("Only these ad accounts")


class NamingQuery(ProfilesQuery):
    """The days whose spend is counted."""

    time_range: str = one(WORDS)
    start: str = one("The first day; without it 30 days count.")
    end: str = one("The last day; without it today.")


class ListQuery(ProfilesQuery):
    """Which fields, in which order."""

    currency: str = several("Only ad accounts in these currencies")
    format: str = one("json or csv.")
    fields: str = several("Only these fields; without it all")
    order: str = one("The field to sort by, with `-` before it the greatest first; unknown values come last.")


class AccountDaysQuery(ListQuery):
    """Which days."""

    name: str = several("Only ad accounts whose names contain one of these")
    time_range: str = one(WORDS)
    start: str = one("The first day; without it 30 days are listed.")
    end: str = one("The last day; without it today.")


class InvoicesQuery(ListQuery):
    """Which bills."""

    start: str = one("The first month (2026-09), or a day of it; without it 12 months are listed.")
    end: str = one("The last month, or a day of it; without it the current one.")
    kind: str = several("Only lines of this kind")
    document: str = several("invoice, credit_memo, debit_memo")
    status: str = several("Only documents of this status")
    invoice_id: str = several("Only these documents")
    campaign_id: str = several("Only lines of these campaigns")


class PlatformCampaignsQuery(ListQuery):
    """Which campaigns."""

    campaign_id: str = several("Only these campaigns")
    status: str = several("Only those of this status")
    name: str = several("Only what is called so: names, of keywords their texts, that contain one of these")


class KeywordsQuery(PlatformCampaignsQuery):
    """Which keywords."""

    ad_group_id: str = several("Only those of these ad groups")
    keyword_id: str = several("Only these keywords")
    kind: str = several("keyword, product_target, audience, automatic, negative")
    match_type: str = several("The platform's own words")


class AdsQuery(PlatformCampaignsQuery):
    """Which ads, and the days whose metrics are summed."""

    ad_group_id: str = several("Only those of these ad groups")
    ad_id: str = several("Only these ads")
    time_range: str = one(WORDS)
    start: str = one("The first day of the metrics; without it 30 days are summed.")
    end: str = one("The last day of the metrics; without it today.")
    include: Annotated[str, OneOf("", _ENRICHMENT)] = one("enrichment: with what models say of each ad.")


def _answers(name: str) -> Any:
    def content() -> dict[str, Any]:
        from routes.list_answers import LISTS

        return LISTS[name]

    return content


def _list_of(name: str) -> dict[str, Any]:
    """What the routes of lists have in common."""
    return {"limited": True, "content": _answers(name), "others": {303: LARGE}}


lists = Resource("Lists", "Ads, account days, campaigns, keywords and invoices of the platforms")


@lists.route("GET", "/api/v1/ads", "List the ads", **_list_of("ads"))
def list_ads(
    app: Here, asked: Annotated[AdsQuery, Query()], limit: AnyLimit = None, next_token: PageToken = ""
) -> Answer:
    """Each ad with its metrics summed over the days, one record per currency where its ad account changed it.

    Where no metric is asked for, by `fields` and `order`, none is read. `relevance_score` and `quality_score` are on
    the platform's own scale, `score_scale`.
    """
    return _listed(app, "ads", asked, limit, next_token)


@lists.route("GET", "/api/v1/account-days", "List the days of ad accounts", **_list_of("account_days"))
def list_account_days(
    app: Here, asked: Annotated[AccountDaysQuery, Query()], limit: AnyLimit = None, next_token: PageToken = ""
) -> Answer:
    """The numbers of each day, and how many campaigns and ads delivered on it."""
    return _listed(app, "account_days", asked, limit, next_token)


@lists.route("GET", "/api/v1/platform-campaigns", "List the platforms' campaigns", **_list_of("platform_campaigns"))
def list_platform_campaigns(
    app: Here, asked: Annotated[PlatformCampaignsQuery, Query()], limit: AnyLimit = None, next_token: PageToken = ""
) -> Answer:
    """As their platforms describe them, with totals up to yesterday. Budgets are in the ad account's currency."""
    return _listed(app, "platform_campaigns", asked, limit, next_token)


@lists.route("GET", "/api/v1/keywords", "List the keywords", **_list_of("keywords"))
def list_keywords(
    app: Here, asked: Annotated[KeywordsQuery, Query()], limit: AnyLimit = None, next_token: PageToken = ""
) -> Answer:
    """Keywords, targets and negatives, told apart by `kind`; all but negatives with totals up to yesterday."""
    return _listed(app, "keywords", asked, limit, next_token)


@lists.route("GET", "/api/v1/invoices", "List the lines of invoices", **_list_of("invoices"))
def list_invoices(
    app: Here, asked: Annotated[InvoicesQuery, Query()], limit: AnyLimit = None, next_token: PageToken = ""
) -> Answer:
    """What the platforms billed, line by line; documents add up, a credit memo is negative.

    `months` has the sums of each month that a line of the page is of, whatever else is filtered: what all its documents
    bill before tax, the spend that was measured, and their difference.
    """
    from adweir.reporting.ranges import months

    start, end = months(asked.start, asked.end, app.clock.now().date())
    return _listed(app, "invoices", asked.model_copy(update={"start": start, "end": end}), limit, next_token)


@lists.route(
    "GET",
    "/api/v1/quality/naming",
    "List names and landing pages that cannot be read",
    limited=True,
    content=_answers("findings"),
)
def list_naming_findings(app: Here, asked: Annotated[NamingQuery, Query()]) -> Answer:
    """Per ad account, with their share of the spend: names by the client's patterns (`naming` of its account), and
    landing pages.
    """
    from adweir.reporting.naming_findings import NamingFindings
    from adweir.reporting.ranges import parse_range, parse_words

    given, now = asked.model_dump(exclude_defaults=True), app.clock.now()
    _check_range(given)
    start, end, words = (given.pop(name, "") for name in ("start", "end", "time_range"))
    span = parse_words(words, now, "query.time_range") if words else parse_range(start, end, now.date(), field="query")
    queries = app.queries.within(bounds(app))
    filters = queries.filters({name: text.split(",") for name, text in given.items()}, "query")
    try:
        found = NamingFindings(app.catalog, queries).find(filters, span)
    except TooLarge as large:
        message = f"{large.message}: name one ad account, or fewer days"
        raise Unprocessable(message, [{"field": "query", "message": message}]) from None
    return answer({**found._asdict(), "next_token": None})


def _listed(app: App, name: str, asked: ListQuery, limit: int | None, next_token: str) -> Answer:
    """One page. What follows the first one is kept for a day, so that the pages agree whatever is loaded meanwhile.

    As CSV all is one answer.
    """
    from adweir.reporting.freshness import freshness
    from adweir.reporting.lists import RecordLists
    from adweir.reporting.pages import KeptPages

    now, given = app.clock.now(), asked.model_dump(exclude_defaults=True)
    wanted, queries = _request(name, given), app.queries.within(bounds(app))
    found, enriched = RecordLists(app.catalog, queries), _enriched_list(app, queries, asked, wanted)
    size = limit or PAGE_ITEMS
    pages = KeptPages(app.raw, {"list": name, "accounts": sorted(app.accounts or ()), **given})
    try:
        if asked.format == "csv":
            return _csv(app, found, wanted, enriched, limit)
        if next_token:
            records, said, token = pages.page(next_token, size, now)
        else:
            every = found.all(wanted, now)
            if enriched:
                enriched.compare(every.records)
            records, rest = every.records[:size], every.records[size:]
            rests_on = {"freshness": freshness(every.coverage), "coverage": every.coverage}
            said = {"warnings": every.warnings} | (rests_on if wanted.kind.metrics else {}) | found.days(wanted, now)
            token = pages.keep(app.new_id(), rest, said, now) if rest else ""
        said |= _months(app, records) if name == "invoices" else {}
        shown = _with_enrichment(enriched, records, found.shown(wanted, records))
        return answer({name: shown, **said, "next_token": token or None})
    except TooLarge as large:
        message = f"{large.message}: ask for less, or POST /api/v1/data_pipeline/retrieve, which can make an export"
        raise Unprocessable(message, [{"field": "query", "message": message}]) from None


def _csv(
    app: App, found: "RecordLists", wanted: "ListRequest", enriched: "EnrichedList | None", limit: int | None
) -> Answer:
    """All records, or the first of them, as a table. Raises TooLarge."""
    from adweir.reporting.delivery import deliver_text
    from adweir.reporting.formats import CSV, FORMATS
    from adweir.reporting.freshness import freshness
    from adweir.reporting.list_csv import list_csv

    now = app.clock.now()
    every = found.all(wanted, now)
    if enriched:
        enriched.compare(every.records)
    records = every.records[:limit]
    shown = _with_enrichment(enriched, records, found.shown(wanted, records))
    text = list_csv(wanted, shown, (_ENRICHMENT,) if enriched else ())
    delivered = deliver_text(text, FORMATS[CSV][0], app.raw, f"exports/{now:%Y/%m/%d}/{app.new_id()}.{CSV}")
    return sent(delivered, freshness(every.coverage) if wanted.kind.metrics else None)


def _enriched_list(app: App, queries: "Queries", asked: ListQuery, wanted: "ListRequest") -> "EnrichedList | None":
    """What enriches the ads of a list; None where that is not asked for. Raises Unprocessable for anything else that is
    to be included."""
    include = asked.include if isinstance(asked, AdsQuery) else ""
    if include not in {"", _ENRICHMENT}:
        message = f"unknown {include[:20]!r} in include; known: {_ENRICHMENT}"
        raise Unprocessable(message, [{"field": "query.include", "message": "is unknown", "known": [_ENRICHMENT]}])
    if not include:
        return None
    from adweir.insight.enrichment.listed import EnrichedList, ListedParts

    parts = ListedParts(app.catalog, queries, app.findings.enrichments, app.platforms.parse)
    return EnrichedList(parts, wanted, app.clock.now())


def _with_enrichment(
    enriched: "EnrichedList | None", records: Sequence[dict[str, Any]], shown: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """What is shown of these records, with what is known of them where that is asked for."""
    if enriched is None:
        return shown
    from adweir.insight.enrichment.listed import PERFORMANCE

    plain = ({name: value for name, value in each.items() if name != PERFORMANCE} for each in shown)
    return [{**each, _ENRICHMENT: said} for each, said in zip(plain, enriched.of(records), strict=True)]


def _months(app: App, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the months of these lines were billed, and what was measured."""
    from adweir.reporting.invoices import MonthlyBills

    return {"months": MonthlyBills(app.catalog, app.queries.within(bounds(app))).of(records)}


def _request(name: str, given: dict[str, str]) -> "ListRequest":
    """A query as the list that it asks for: `{start, end}` as a range, values with commas as several."""
    from adweir.reporting.lists import LISTS, ListRequest
    from adweir.reporting.relative import check_relative

    _check_range(given)
    if "time_range" in given:
        check_relative(given["time_range"], "query.time_range")
    if given.get("format", "json") not in _FORMATS:
        message = f"unknown format {given['format'][:20]!r}; known: {', '.join(_FORMATS)}"
        raise Unprocessable(message, [{"field": "query.format", "message": message, "known": list(_FORMATS)}])
    several = {field: text.split(",") for field, text in given.items() if field not in _HOW}
    where = {field: frozenset(several.pop(field)) for field in LISTS[name].values if field in several}
    dates = {field: given[field] for field in ("start", "end") if field in given}
    asked_range = given.get("time_range") or dates
    filters = several | ({"date_range": asked_range} if asked_range else {})
    fields, contains = (tuple(given[field].split(",")) if field in given else () for field in ("fields", "name"))
    return ListRequest(name, filters, where, fields, given.get("order", ""), contains)


def _check_range(given: dict[str, str]) -> None:
    """Raises Unprocessable where the range is said twice."""
    if "time_range" in given and {"start", "end"} & given.keys():
        message = "a range is time_range, or start and end"
        raise Unprocessable(message, [{"field": "query.time_range", "message": message}])
