"""google-ads: Google's official client reads the rows, and its classes every answer, strictly; google-auth signs in.

The client speaks gRPC over TLS alone: `google_ads_front` puts that before the sandbox. What is not rows is asked by
REST with google-auth's session. An answer is right when protobuf reads it and writes the same JSON again: 64-bit
integers as text, no other spelling of a name, no null.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from driver import Job, Row, metric_row, object_row, run
from google.ads.googleads.errors import GoogleAdsException
from google.ads.googleads.v26.resources.types.google_ads_field import GoogleAdsField
from google.ads.googleads.v26.services.types.google_ads_service import (
    GoogleAdsRow,
    SearchGoogleAdsResponse,
)
from google.ads.googleads.v26.services.types.invoice_service import ListInvoicesResponse
from google.auth.transport.requests import AuthorizedSession
from google.protobuf import json_format
from google_ads_front import API, front, google_client, strict, strict_failure

SUMS = "metrics.impressions, metrics.clicks, metrics.cost_micros, metrics.conversions, metrics.conversions_value"
LEVELS = {
    "account": ("customer", "customer.id"),
    "campaign": ("campaign", "campaign.id"),
    "ad_group": ("ad_group", "campaign.id, ad_group.id"),
    "ad": ("ad_group_ad", "campaign.id, ad_group.id, ad_group_ad.ad.id"),
    "keyword": ("keyword_view", "campaign.id, ad_group.id, ad_group_criterion.criterion_id"),
}
VIEWS = {
    "age_range_view": "ad_group.id, ad_group_criterion.age_range.type",
    "gender_view": "ad_group.id, ad_group_criterion.gender.type",
    "geographic_view": "geographic_view.country_criterion_id, geographic_view.location_type, campaign.id",
    "user_location_view": "user_location_view.country_criterion_id, user_location_view.targeting_location",
    "search_term_view": "search_term_view.search_term, search_term_view.status, segments.search_term_match_type",
    "campaign_search_term_view": "campaign_search_term_view.search_term, campaign.id",
    "landing_page_view": "landing_page_view.unexpanded_final_url, ad_group.id",
    "group_placement_view": "group_placement_view.placement, group_placement_view.placement_type",
    "asset_group": "asset_group.id, asset_group.final_urls, segments.device, segments.ad_network_type",
    "ad_group_ad_asset_view": "ad_group_ad_asset_view.asset, ad_group_ad_asset_view.field_type, ad_group_ad.ad.id",
    "asset_group_asset": "asset_group_asset.asset, asset_group_asset.field_type, asset_group.id",
}
OBJECTS = (
    "ad_group", "ad_group_ad", "ad_group_criterion", "asset", "asset_group", "asset_group_asset", "billing_setup",
    "campaign", "campaign_budget", "campaign_criterion", "conversion_action", "customer", "customer_client",
    "geo_target_constant",
)  # fmt: skip
KINDS = {1: "double", 2: "float", 3: "int64", 5: "int32", 8: "bool", 9: "string", 12: "bytes"}
"""google.protobuf.FieldDescriptor's types."""
REFUSED = (
    "SELECT campaign.start_date FROM campaign",
    "SELECT metrics.clicks, segments.date FROM campaign",
    "SELECT campaign.id FROM campaign WHERE campaign.status = 'NEW'",
    "SELECT segments.conversion_action, metrics.cost_micros FROM campaign",
    "SELECT change_status.resource_type FROM change_status",
)


class Session:
    """Google's answers for one ad account, read through its manager."""

    def __init__(self, endpoint: str, job: Job) -> None:
        self._client, self.roots = google_client(endpoint, job.credential)
        self._service = self._client.get_service("GoogleAdsService")
        self._customer = job.profile_id
        self._session = AuthorizedSession(self._client.credentials)
        self._session.headers["login-customer-id"] = self.roots[0]
        self._url = f"{API}/customers/{job.profile_id}/googleAds"

    def stream(self, query: str) -> list[Any]:
        """The rows of a stream by the client, as the classes write them."""
        batches = self._service.search_stream(customer_id=self._customer, query=query)
        return [json_format.MessageToDict(GoogleAdsRow.pb(row)) for batch in batches for row in batch.results]

    def page(self, query: str) -> dict[str, Any]:
        """The first page, with its summary."""
        settings = {"returnSummaryRow": True, "returnTotalResultsCount": True}
        answer = self._session.post(f"{self._url}:search", json={"query": query, "searchSettings": settings})
        answer.raise_for_status()
        return as_json(strict(answer.json(), SearchGoogleAdsResponse))

    def field(self, name: str) -> dict[str, Any]:
        """What GoogleAdsFieldService says about a name."""
        return as_json(strict(self._session.get(f"{API}/googleAdsFields/{name}").json(), GoogleAdsField))

    def invoices(self, job: Job) -> list[Any]:
        """The invoices of last month, if the customer is on monthly invoicing; else the refusal."""
        (setup,) = self.stream("SELECT billing_setup.resource_name FROM billing_setup")
        last = date.fromisoformat(job.end).replace(day=1) - timedelta(days=1)
        asked = {"issueYear": str(last.year), "issueMonth": last.strftime("%B").upper()}
        asked |= {"billingSetup": setup["billingSetup"]["resourceName"], "includeGranularLevelInvoiceDetails": "true"}
        answer = self._session.get(f"{self._url.removesuffix('/googleAds')}/invoices", params=asked)
        if answer.status_code != 200:
            strict_failure(answer.json())
            return []
        found: list[Any] = as_json(strict(answer.json(), ListInvoicesResponse))["invoices"]
        return found

    def refused(self, query: str) -> None:
        """A query that has to be refused, in a form that the classes and the client read."""
        answer = self._session.post(f"{self._url}:search", json={"query": query})
        strict_failure(answer.json())
        try:
            self.stream(query)
        except GoogleAdsException as error:
            if error.failure.errors:
                return
        raise ValueError(f"not refused: {query}")


def as_json(message: Any) -> dict[str, Any]:
    written: dict[str, Any] = json_format.MessageToDict(message)
    return written


# -- rows ------------------------------------------------------------------------------------------------------------


def ids_of(row: Mapping[str, Any]) -> dict[str, object]:
    """A row's ids by what they are the ids of; a criterion's is one of its ad group."""
    found: dict[str, object] = {}
    for name, kind in (("campaign", "campaign"), ("adGroup", "ad_group")):
        if "id" in row.get(name, {}):
            found[kind] = row[name]["id"]
    if "ad" in row.get("adGroupAd", {}):
        found["ad"] = row["adGroupAd"]["ad"]["id"]
    if "criterionId" in row.get("adGroupCriterion", {}):
        found["keyword"] = f"{row['adGroup']['id']}~{row['adGroupCriterion']['criterionId']}"
    return found


def between(job: Job, stream: str) -> str:
    return f"segments.date BETWEEN '{job.starts[stream]}' AND '{job.end}'"


def insights(endpoint: str, job: Job) -> Iterator[Row]:
    session = Session(endpoint, job)
    for level, (resource, fields) in LEVELS.items():
        stream = f"insights {level}"
        for row in session.stream(
            f"SELECT {fields}, segments.date, {SUMS} FROM {resource} WHERE {between(job, stream)}"
        ):
            m = row["metrics"]
            metrics = {
                "impressions": m["impressions"],
                "clicks": m["clicks"],
                "spend": int(m["costMicros"]) / 1_000_000,
                "conversions": m["conversions"],
                "revenue": m["conversionsValue"],
            }
            yield metric_row(stream, row["segments"]["date"], ids_of(row), metrics)


def hours(endpoint: str, job: Job) -> Iterator[Row]:
    stream = "insights campaign hourly"
    fields = "campaign.id, segments.date, segments.hour, metrics.impressions, metrics.clicks, metrics.cost_micros"
    for row in Session(endpoint, job).stream(f"SELECT {fields} FROM campaign WHERE {between(job, stream)}"):
        m, ids = row["metrics"], ids_of(row) | {"hour": f"{row['segments']['hour']:02d}"}
        metrics = {"impressions": m["impressions"], "clicks": m["clicks"], "spend": int(m["costMicros"]) / 1_000_000}
        yield metric_row(stream, row["segments"]["date"], ids, metrics)


def lists(endpoint: str, job: Job) -> Iterator[Row]:
    session = Session(endpoint, job)
    (account,) = session.stream("SELECT customer.id, customer.currency_code FROM customer")
    ids = {"account": account["customer"]["id"]}
    yield object_row("accounts", ids, currency=account["customer"]["currencyCode"])
    for row in session.stream("SELECT campaign.id, campaign.name FROM campaign"):
        yield object_row("every campaign", ids_of(row), name=row["campaign"]["name"])
    for row in session.stream("SELECT campaign.id, ad_group.id, ad_group.name FROM ad_group"):
        yield object_row("every ad_group", ids_of(row), name=row["adGroup"]["name"])
    for row in session.stream(
        "SELECT campaign.id, ad_group.id, ad_group_ad.ad.id, ad_group_ad.ad.name FROM ad_group_ad"
    ):
        yield object_row("every ad", ids_of(row), name=row["adGroupAd"]["ad"].get("name", ""))


# -- shapes ----------------------------------------------------------------------------------------------------------


def shapes(endpoint: str, job: Job) -> Iterator[Row]:
    """Every other resource, every attribute that is set, pages, refusals and fields are read; they have no truth."""
    session, known = Session(endpoint, job), facts()
    week = between(job, "insights ad")
    for resource, fields in VIEWS.items():
        session.stream(f"SELECT {fields}, segments.date, {SUMS} FROM {resource} WHERE {week}")
    for resource in OBJECTS:
        paths = ", ".join(f"{resource}.{path}" for path in known.RESOURCES[resource].fields)
        session.stream(f"SELECT {paths} FROM {resource}")
    session.page(f"SELECT campaign.id, segments.date, {SUMS} FROM campaign WHERE {week}")
    session.invoices(job)
    for query in REFUSED:
        session.refused(query)
    for name in ("campaign", "campaign.status", "segments.conversion_action", "metrics.cost_micros"):
        session.field(name)
    yield from ()


def facts() -> ModuleType:
    """The stand-in's list of fields and enums."""
    place = Path(__file__).parents[2] / "sandbox/platforms/google_ads/facts.py"
    spec = importlib.util.spec_from_file_location("google_ads_facts_list", place)
    if spec is None or spec.loader is None:
        raise ImportError(str(place))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def listed(_job: Job) -> Iterator[Row]:
    """The stand-in's list of fields and enums is that of the classes."""
    known = facts()
    owners = {name: resource.fields for name, resource in known.RESOURCES.items()} | dict(known.CATEGORIES)
    wrong = [
        f"{owner}.{path}"
        for owner, fields in owners.items()
        for path, fact in fields.items()
        if not agrees(f"{owner}.{path}", fact, known.ENUMS)
    ]
    if wrong:
        raise ValueError(f"not as in the classes: {', '.join(wrong[:10])}")
    yield from ()


def agrees(path: str, fact: Any, enums: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a field of the list is the classes' own, with its enum's values."""
    message: Any = GoogleAdsRow.pb().DESCRIPTOR
    field: Any = None
    for word in path.split("."):
        names = message.fields_by_name if message is not None else {}
        field = names.get(word) or names.get(f"{word}_")
        if field is None:
            return False
        message = field.message_type
    values = tuple(value.name for value in field.enum_type.values) if field.enum_type else ()
    kinds = "enum" if values else "message" if message is not None else KINDS[field.type]
    return bool(field.is_repeated) == fact.repeated and kinds == fact.kind and values == enums.get(fact.name, ())


if __name__ == "__main__":
    with front() as address:
        readers = {"insights": insights, "hours": hours, "lists": lists, "shapes": shapes}
        run({name: partial(reader, address) for name, reader in readers.items()} | {"facts": listed})
