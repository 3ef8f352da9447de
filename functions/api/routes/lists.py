"""Lists of ads, account days, campaigns, keywords and invoices: chosen, ordered, with the fields that are asked for."""

from collections.abc import Sequence
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Query

from adweir.model.errors import TooLarge, Unprocessable
from adweir.runtime.app import App
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Here, Resource
from routes.fields import PAGE_ITEMS, Given, Limit, PageToken, one, several
from routes.large import bounds

_HOW = ("start", "end", "fields", "order")
"""What a query says beside its filters."""


class ProfilesQuery(Given):
    """Of which ad accounts."""

    platform: str = several("Only these platforms or aliases")
    account_id: str = several("Only those of these client companies (acc_…), or these ad accounts")
    profile_id: str = several("Only these ad accounts")


class NamingQuery(ProfilesQuery):
    """The days whose spend is counted."""

    start: str = one("The first day; without it 30 days count.")
    end: str = one("The last day; without it today.")


class ListQuery(ProfilesQuery):
    """Which fields, in which order."""

    fields: str = several("Only these fields; without it all")
    order: str = one("The field to sort by, with `-` before it the greatest first; unknown values come last.")


class AccountDaysQuery(ListQuery):
    """Which days."""

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
    start: str = one("The first day of the metrics; without it 30 days are summed.")
    end: str = one("The last day of the metrics; without it today.")


def _answers(name: str) -> Any:
    def content() -> dict[str, Any]:
        from routes.list_answers import LISTS

        return LISTS[name]

    return content


lists = Resource("Lists", "Ads, account days, campaigns, keywords and invoices of the platforms")


@lists.route("GET", "/api/v1/ads", "List the ads", limited=True, content=_answers("ads"))
def list_ads(
    app: Here, asked: Annotated[AdsQuery, Query()], limit: Limit = PAGE_ITEMS, next_token: PageToken = ""
) -> Answer:
    """Each ad with its metrics summed over the days, one record per currency where its ad account changed it.

    Where no metric is asked for, by `fields` and `order`, none is read. `relevance_score` and `quality_score` are on
    the platform's own scale, `score_scale`.
    """
    return _listed(app, "ads", asked, limit, next_token)


@lists.route(
    "GET", "/api/v1/account-days", "List the days of ad accounts", limited=True, content=_answers("account_days")
)
def list_account_days(
    app: Here, asked: Annotated[AccountDaysQuery, Query()], limit: Limit = PAGE_ITEMS, next_token: PageToken = ""
) -> Answer:
    """The numbers of each day, and how many campaigns and ads delivered on it."""
    return _listed(app, "account_days", asked, limit, next_token)


@lists.route(
    "GET",
    "/api/v1/platform-campaigns",
    "List the campaigns of the platforms",
    limited=True,
    content=_answers("platform_campaigns"),
)
def list_platform_campaigns(
    app: Here, asked: Annotated[PlatformCampaignsQuery, Query()], limit: Limit = PAGE_ITEMS, next_token: PageToken = ""
) -> Answer:
    """As their platforms describe them, with totals up to yesterday. Budgets are in the ad account's currency."""
    return _listed(app, "platform_campaigns", asked, limit, next_token)


@lists.route("GET", "/api/v1/keywords", "List the keywords", limited=True, content=_answers("keywords"))
def list_keywords(
    app: Here, asked: Annotated[KeywordsQuery, Query()], limit: Limit = PAGE_ITEMS, next_token: PageToken = ""
) -> Answer:
    """Keywords, targets and negatives, told apart by `kind`; all but negatives with totals up to yesterday."""
    return _listed(app, "keywords", asked, limit, next_token)


@lists.route("GET", "/api/v1/invoices", "List the lines of invoices", limited=True, content=_answers("invoices"))
def list_invoices(
    app: Here, asked: Annotated[InvoicesQuery, Query()], limit: Limit = PAGE_ITEMS, next_token: PageToken = ""
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
    from adweir.reporting.ranges import parse_range

    given = asked.model_dump(exclude_defaults=True)
    span = parse_range(given.pop("start", None), given.pop("end", None), app.clock.now().date(), field="query")
    queries = app.queries.within(bounds(app))
    filters = queries.filters({name: text.split(",") for name, text in given.items()}, "query")
    try:
        found = NamingFindings(app.catalog, queries).find(filters, span)
    except TooLarge as large:
        message = f"{large.message}: name one ad account, or fewer days"
        raise Unprocessable(message, [{"field": "query", "message": message}]) from None
    return answer({**found._asdict(), "next_token": None})


def _listed(app: App, name: str, asked: ListQuery, limit: int, next_token: str) -> Answer:
    """One page. What follows the first one is kept for a day, so that the pages agree whatever is loaded meanwhile."""
    from adweir.reporting.lists import RecordLists
    from adweir.reporting.pages import KeptPages

    now, given = app.clock.now(), asked.model_dump(exclude_defaults=True)
    wanted, found = _request(name, given), RecordLists(app.catalog, app.queries.within(bounds(app)))
    pages = KeptPages(app.raw, {"list": name, "accounts": sorted(app.accounts or ()), **given})
    try:
        if next_token:
            records, said, token = pages.page(next_token, limit, now)
        else:
            every = found.all(wanted, now)
            records, rest = every.records[:limit], every.records[limit:]
            said = {"warnings": every.warnings} | ({"coverage": every.coverage} if wanted.kind.metrics else {})
            token = pages.keep(app.new_id(), rest, said, now) if rest else ""
        said |= _months(app, records) if name == "invoices" else {}
        return answer({name: found.shown(wanted, records), **said, "next_token": token or None})
    except TooLarge as large:
        message = f"{large.message}: ask for less, or POST /api/v1/data_pipeline/retrieve, which can make an export"
        raise Unprocessable(message, [{"field": "query", "message": message}]) from None


def _months(app: App, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the months of these lines were billed, and what was measured."""
    from adweir.reporting.invoices import MonthlyBills

    return {"months": MonthlyBills(app.catalog, app.queries.within(bounds(app))).of(records)}


def _request(name: str, given: dict[str, str]) -> Any:
    """A query as the list that it asks for: `{start, end}` as a range, values with commas as several."""
    from adweir.reporting.lists import LISTS, ListRequest

    several = {field: text.split(",") for field, text in given.items() if field not in _HOW}
    where = {field: frozenset(several.pop(field)) for field in LISTS[name].values if field in several}
    dates = {field: given[field] for field in ("start", "end") if field in given}
    filters = several | ({"date_range": dates} if dates else {})
    fields = tuple(given["fields"].split(",")) if "fields" in given else ()
    return ListRequest(name, filters, where, fields, given.get("order", ""))
