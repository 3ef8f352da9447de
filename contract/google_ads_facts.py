"""Write the facts about Google Ads' fields that its stand-in knows: `python contract/google_ads_facts.py > FACTS`.

Run it with the Python of an environment that holds google-ads (its protobuf classes say what every field is) and gaql
(it ships what GoogleAdsFieldService answers about each resource: `SELECT name, selectable_with`). `make contract
CLIENT=google-ads` makes one. FACTS is sandbox/platforms/google_ads/facts.txt.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from gaql.lib.google_clients.completion.autocompletions import COMPLETIONS
from google.ads.googleads.v26.errors.types.errors import ErrorCode
from google.ads.googleads.v26.resources.types.invoice import Invoice
from google.ads.googleads.v26.services.types.google_ads_service import GoogleAdsRow

RESOURCES = (  # noqa: SIM905 - a list of words
    "ad_group ad_group_ad ad_group_ad_asset_view ad_group_criterion age_range_view asset asset_group "
    "asset_group_asset bidding_strategy billing_setup campaign campaign_budget campaign_criterion "
    "campaign_search_term_view change_status conversion_action customer customer_client detail_placement_view "
    "gender_view geo_target_constant geographic_view group_placement_view keyword_view landing_page_view "
    "search_term_view user_location_view"
).split()
LEFT_OUT = re.compile(
    r"hotel|vertical_ads|local_services|third_party|travel|_lift|lifted|partner_center|sk_ad|auction_insight|audib"
    r"|units_sold|gross_profit|cost_of_goods|biddable|publisher|real_estate|education|flight|job_asset|custom_asset"
    r"|_lead_|lead_form|business_message|product_sold|product_[a-z_]*(l\d|level|attribute)|proximity|gmail|eu_political"
    r"|p_value|margin_of_error|point_estimate|control_|video_ad_sequence|selective_optimization|dooh|relative_ctr"
)
"""Features that no ad account of the world uses, which only make the list longer."""
ERRORS = (  # noqa: SIM905 - a list of words
    "authentication_error authorization_error change_status_error date_range_error header_error internal_error "
    "invoice_error query_error quota_error request_error"
).split()
KINDS = {1: "double", 2: "float", 3: "int64", 5: "int32", 8: "bool", 9: "string", 12: "bytes"}
"""google.protobuf.FieldDescriptor's types."""


def found(path: str) -> Any:
    """The descriptor of a field by its path in queries; None where v26's classes have none."""
    message, field = GoogleAdsRow.pb().DESCRIPTOR, None
    for word in path.split("."):
        names = {} if message is None else message.fields_by_name
        field = names.get(word) or names.get(f"{word}_")
        if field is None:
            return None
        message = field.message_type
    return field


def kind(field: Any) -> str:
    """A field's type; repeated ones end with a star."""
    if field.enum_type is not None:
        name = f"enum:{field.enum_type.name}"
    elif field.message_type is not None:
        name = f"message:{field.message_type.name}"
    else:
        name = KINDS[field.type]
    return name + "*" * bool(field.is_repeated)


def grouped(fields: dict[str, Any]) -> Iterator[str]:
    """A line per type."""
    by_kind: dict[str, list[str]] = {}
    for path, field in sorted(fields.items()):
        by_kind.setdefault(kind(field), []).append(path)
    for name, paths in sorted(by_kind.items()):
        yield " ".join((name, *paths))


def selectable(resource: str, category: str) -> list[str]:
    """What GoogleAdsFieldService says may be selected with a resource, as far as v26 has it."""
    prefix = f"{category}."
    listed = sorted({path for path in COMPLETIONS[resource] if path.startswith(prefix)})
    return [path.removeprefix(prefix) for path in listed if found(path) is not None and not LEFT_OUT.search(path)]


class Named:
    """The enums and messages of the fields, and the metrics and segments, that were written."""

    def __init__(self) -> None:
        self.enums: dict[str, Any] = {}
        self.messages: dict[str, Any] = {}
        self.fields: dict[str, dict[str, Any]] = {"metrics": {}, "segments": {}}

    def note(self, field: Any) -> None:
        """What a field's type needs."""
        if field.enum_type is not None:
            self.enums[field.enum_type.name] = field.enum_type
        elif field.message_type is not None:
            self.messages[field.message_type.name] = field.message_type
            inner = [one.enum_type for one in field.message_type.fields if one.enum_type is not None]
            self.enums.update({enum.name: enum for enum in inner})

    def note_all(self, message: Any) -> None:
        """A message, with all that are in it."""
        self.messages[message.name] = message
        for field in message.fields:
            self.note(field)
            if field.message_type is not None:
                self.note_all(field.message_type)


def of_resource(resource: str, named: Named) -> Iterator[str]:
    """A resource's lines."""
    yield f"resource {resource}"
    attributes = {path: found(f"{resource}.{path}") for path in selectable(resource, resource)}
    for field in attributes.values():
        named.note(field)
    yield from grouped(attributes)
    others = {path.split(".")[0] for path in COMPLETIONS[resource]} & set(RESOURCES) - {resource}
    yield " ".join(("with", *sorted(others)))
    for category, fields in named.fields.items():
        names = selectable(resource, category)
        fields.update({name: found(f"{category}.{name}") for name in names})
        yield " ".join((category, *names))


def lines() -> Iterator[str]:
    """The whole file."""
    named = Named()
    for resource in RESOURCES:
        yield from of_resource(resource, named)
    for category, fields in named.fields.items():
        yield f"category {category}"
        for field in fields.values():
            named.note(field)
        yield from grouped(fields)
    named.note_all(Invoice.pb().DESCRIPTOR)
    for name, message in sorted(named.messages.items()):
        yield f"message {name}"
        yield from grouped({field.name.rstrip("_"): field for field in message.fields})
    for field in ErrorCode.pb().DESCRIPTOR.fields:
        if field.name in ERRORS:
            named.note(field)
    for name, enum in sorted(named.enums.items()):
        yield " ".join((f"enum {name}", *(value.name for value in enum.values)))


def main() -> None:
    """Write to standard output; a line that begins with a space continues the one before."""
    releases = ", ".join(f"{package} {version(package)}" for package in ("google-ads", "gaql"))
    print(f"# Made by contract/google_ads_facts.py of {releases}, for version v26 of the Google Ads API.")
    for line in lines():
        if " " in line:
            print("\n".join(textwrap.wrap(line, 118, subsequent_indent=" ", break_long_words=False)))


if __name__ == "__main__":
    main()
