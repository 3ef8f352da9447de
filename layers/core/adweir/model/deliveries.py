"""Webhook deliveries as they are stored: read, checked and resolved once, at the door that verified them.

The loaders read these models and nothing else. A change of their shape needs a new `version`.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from adweir.model.errors import BadInput
from adweir.model.metrics import Level
from adweir.model.platforms import Platform
from adweir.model.times import SLOT_HOURS

DELIVERIES = "webhooks/"
"""Where deliveries are stored: `webhooks/<platform>/<account, or deployment>/<hash>`."""
LEAD_BODIES = "leads/"
"""Where bodies about persons are kept, as long as a setting of the deployment says: no function of ours reads them."""
Amount = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    # Built on first use, not on import: a cold start pays only for the models that it uses (3 ms instead of 9).
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class StatedHour(_Part):
    """An entity's totals for one hour. `date` and `hour` (one of `SLOT_HOURS`) are local to the profile; an ad's
    `entity_id` is `ad_group_id~ad_id`. Conversions, spend and revenue are millionths; null: not stated."""

    entity_id: str
    date: str
    hour: Annotated[int, Field(ge=0, lt=len(SLOT_HOURS))]
    impressions: Amount | None
    clicks: Amount | None
    conversions: Amount | None
    spend: Amount | None
    revenue: Amount | None
    campaign_id: str = ""
    ad_group_id: str = ""
    ad_product: str = ""


class StatedSeries(_Part):
    """The hours that a push states for one profile and level; amounts are in the profile's currency.

    `platform` is "" for that of the delivery, and then is not stored: what was stored before knows nothing of it.
    """

    account_id: str
    profile_id: str
    level: Level
    currency: str
    timezone: str
    hours: tuple[StatedHour, ...]
    platform: str = Field(default="", exclude_if=lambda name: not name)


class Repull(_Part):
    """An object that a platform reports as changed, and the slice of its profile that has to be pulled for it."""

    account_id: str
    profile_id: str
    level: Level
    object_id: str
    slice: str


class StatedLead(_Part):
    """A lead, counted once. `lead` is a hash of the platform's id, `at` when the form was sent.

    `profile_id` and `campaign_id` are those of the ad that brought it, "" where that is unknown.
    """

    lead: str
    account_id: str
    profile_id: str
    campaign_id: str
    at: AwareDatetime


class _Delivery(_Part):
    """What all deliveries have in common.

    `account_id` is the client account whose door took it, "" at the deployment's door; what the delivery is about
    names its own account. `as_of` is the signed time, or the time of arrival where the platform signs none.
    `body_sha256` identifies the body as it was sent.
    """

    version: Literal[1] = 1
    platform: Platform
    account_id: str
    as_of: AwareDatetime
    body_sha256: str


class MetricPush(_Delivery):
    """Numbers that an advertiser's own system sent. `delivery_id` is the sender's."""

    kind: Literal["push"] = "push"
    delivery_id: str
    series: tuple[StatedSeries, ...]


class Notification(_Delivery):
    """A platform's own delivery: it brings no numbers, only what to read again."""

    kind: Literal["notification"] = "notification"
    repulls: tuple[Repull, ...]


class LeadDelivery(_Delivery):
    """Leads that a platform reports, without anything about the persons."""

    kind: Literal["leads"] = "leads"
    leads: tuple[StatedLead, ...]


Delivery = MetricPush | Notification | LeadDelivery


@cache
def _stored() -> TypeAdapter[Delivery]:
    """Built on the first read: the doors only write deliveries."""
    return TypeAdapter(Annotated[Delivery, Field(discriminator="kind")])


def read_delivery(body: bytes) -> Delivery:
    """A stored delivery. Raises BadInput for anything else."""
    try:
        return _stored().validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"not a stored delivery: {field} {first['msg']}"[:300]) from None
