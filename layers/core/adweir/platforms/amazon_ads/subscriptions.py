"""Subscriptions to Amazon Marketing Stream: brought to what a profile's options ask for, then listed.

A subscription belongs to an application, profile, dataset and queue, and there is at most one of these. One that is
suspended, or failed, never comes back: another has to be made; so has one that nobody confirmed in two days. Only an
active one can be archived. Each of these needs a token of the user who made it: what other users made is not listed.

Sources: Amazon Marketing Stream, "Managing subscriptions" and "FAQ"; amzn/amazon-marketing-stream-examples.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from adweir.model.entities import Status, Subscription
from adweir.model.errors import BadInput, NotApplicable, RequestRejected, Transient
from adweir.model.metrics import BadRow
from adweir.model.times import iso, parse_instant
from adweir.platforms import json_text
from adweir.platforms.amazon_ads import SPEC, envelopes
from adweir.platforms.amazon_ads.api import AmazonCalls, decode
from adweir.platforms.amazon_ads.stream import REGIONS
from adweir.platforms.connector import ObjectBatch, Page, PullContext, RawPage

LABEL = "subscriptions "
"""Pages are labelled with the queue whose subscriptions count."""
_PATH = "/streams/subscriptions"
_MEDIA = "application/vnd.MarketingStreamSubscriptions.StreamSubscriptionResource.v1.0+json"
_PAGE_SIZE = "1000"
_MOST_PAGES = 20
"""A profile has at most one subscription that lives per dataset and queue."""
_ACTIVE, _ARCHIVED = "ACTIVE", "ARCHIVED"
_STARTING = ("PROVISIONING", "PENDING_CONFIRMATION")
_CONFIRMED_WITHIN = timedelta(days=2)
_TRIED_AGAIN_AFTER = timedelta(days=1)
_STATUS: Mapping[str, Status] = {
    _ACTIVE: Status.ACTIVE,
    "PROVISIONING": Status.PENDING,
    "PENDING_CONFIRMATION": Status.PENDING,
    "FAILED_CONFIRMATION": Status.REJECTED,
    "FAILED_PROVISIONING": Status.REJECTED,
    "SUSPENDED": Status.PAUSED,
    _ARCHIVED: Status.ARCHIVED,
}
_BEST = (Status.ACTIVE, Status.PENDING, Status.PAUSED, Status.REJECTED, Status.UNKNOWN, Status.ARCHIVED)


class _Queue(msgspec.Struct, gc=False, rename="camel"):
    queue_arn: str = ""


class _Destination(msgspec.Struct, gc=False, rename="camel"):
    sqs_destination: _Queue = msgspec.field(default_factory=_Queue)


class WireSubscription(msgspec.Struct, gc=False, rename="camel"):
    """`destination` is the newer form of `destinationArn`; both may be there."""

    subscription_id: str
    data_set_id: str
    status: str
    created_date: str = ""
    notes: str | None = None
    destination_arn: str = ""
    destination: _Destination = msgspec.field(default_factory=_Destination)

    @property
    def queue(self) -> str:
        return self.destination.sqs_destination.queue_arn or self.destination_arn

    @property
    def created(self) -> datetime | None:
        """None where Amazon does not say so."""
        try:
            return parse_instant(self.created_date)
        except ValueError:
            return None


class SubscriptionList(msgspec.Struct, gc=False, rename="camel"):
    subscriptions: list[WireSubscription] = []
    next_token: str | None = None


def pages(
    api: AmazonCalls, profile_id: str, wanted: Sequence[str] | None, queue: str, region: str, now: datetime
) -> Iterator[Page]:
    """The subscriptions of a profile, once those to the queue are the wanted datasets. None: nothing is asked for.

    Raises NotApplicable for None, RequestRejected where the queue is not in the profile's region or Amazon refuses,
    Transient.
    """
    if wanted is None:
        raise NotApplicable("the profile's options name no streams")
    _check_region(queue, region)
    listed = list(_list(api, profile_id))
    known = [one for page, _ in listed for one in page.subscriptions if one.queue == queue]
    changed = False
    refused: list[RequestRejected] = []
    for dataset in sorted({one.data_set_id for one in known} | set(wanted)):
        mine = [one for one in known if one.data_set_id == dataset]
        try:
            if dataset in wanted:
                changed |= _make(api, profile_id, dataset, queue, mine, now)
            else:
                changed |= _archive(api, profile_id, mine)
        except RequestRejected as error:
            refused.append(error)
    if refused:
        raise refused[0]
    if changed:
        listed = list(_list(api, profile_id))
    for number, (_, page) in enumerate(listed, 1):
        yield page._replace(label=f"{LABEL}{queue}", last=number == len(listed))


def _check_region(queue: str, region: str) -> None:
    place = queue.split(":")[3] if queue.count(":") >= 5 else ""
    if REGIONS.get(place) != region:
        needed = next((name for name, route in REGIONS.items() if route == region), "no region")
        raise RequestRejected(
            f"Amazon Marketing Stream sends what region {region} has to queues in {needed}; the queue is in"
            f" {place or 'no region'}"
        )


def _list(api: AmazonCalls, profile_id: str) -> Iterator[tuple[SubscriptionList, Page]]:
    params = {"maxResults": _PAGE_SIZE}
    for _ in range(_MOST_PAGES):
        answer = api.get(_PATH, profile_id, params)
        found = decode(answer, SubscriptionList)
        yield found, Page(answer.body, answer.url, answer.status, last=not found.next_token)
        if not found.next_token:
            return
        if params.get("startingToken") == found.next_token:
            raise Transient(f"{answer.url} names the same page again")
        params = params | {"startingToken": found.next_token}
    raise RequestRejected(f"amazon_ads lists more than {_MOST_PAGES} pages of subscriptions")


def _make(
    api: AmazonCalls, profile_id: str, dataset: str, queue: str, mine: Sequence[WireSubscription], now: datetime
) -> bool:
    """Make a subscription unless one lives, or the last one failed less than a day ago. Returns whether it did."""
    if any(_lives(one, now) for one in mine):
        return False
    failed = [one.created for one in mine if one.status.startswith("FAILED_")]
    if any(created is not None and now - created < _TRIED_AGAIN_AFTER for created in failed):
        return False
    # The same request again, as after a lost answer, is the same subscription.
    identity = "\x1f".join((profile_id, dataset, queue, *sorted(one.subscription_id for one in mine)))
    body = {
        "clientRequestToken": hashlib.sha256(identity.encode()).hexdigest()[:32],
        "dataSetId": dataset,
        "destination": {"sqsDestination": {"queueArn": queue}},
        "notes": "adweir",
    }
    api.post(_PATH, profile_id, _MEDIA, body)
    return True


def _lives(one: WireSubscription, now: datetime) -> bool:
    if one.status in _STARTING:
        return one.created is None or now - one.created < _CONFIRMED_WITHIN
    return one.status == _ACTIVE


def _archive(api: AmazonCalls, profile_id: str, mine: Iterable[WireSubscription]) -> bool:
    active = [one for one in mine if one.status == _ACTIVE]
    for one in active:
        api.put(f"{_PATH}/{one.subscription_id}", profile_id, _MEDIA, {"status": _ARCHIVED})
    return bool(active)


def batch(page: RawPage, context: PullContext) -> ObjectBatch:
    """The subscriptions of a page to the queue that it is labelled with, one per dataset. Raises BadInput."""
    queue = page.label.removeprefix(LABEL)
    try:
        elements = envelopes.elements(page.stream.read(), "subscriptions")
    except ValueError as error:
        raise BadInput(f"the answer is no list of subscriptions: {error}") from None
    best: dict[str, Subscription] = {}
    bad: list[BadRow] = []
    for line, element in enumerate(elements, 1):
        try:
            wire = json_text.decoded(bytes(element), WireSubscription)
        except (ValueError, RecursionError) as error:
            fault = {"field": "", "rule": "wire", "message": str(error)}
            bad.append(BadRow(line, bytes(element).decode("utf-8", "replace"), [fault]))
            continue
        one = _subscription(wire, context)
        if wire.queue == queue and (one.id not in best or _rank(one) < _rank(best[one.id])):
            best[one.id] = one
    return ObjectBatch(list(best.values()), bad)


def _subscription(wire: WireSubscription, context: PullContext) -> Subscription:
    return Subscription(
        platform=SPEC.name,
        profile_id=context.profile_id,
        id=wire.data_set_id,
        name=wire.data_set_id,
        status=_STATUS.get(wire.status, Status.UNKNOWN),
        status_raw=wire.status,
        since=iso(wire.created) if wire.created else "",
        subscription_id=wire.subscription_id,
        notes=wire.notes or "",
        as_of=context.as_of,
    )


def _rank(one: Subscription) -> tuple[int, float]:
    """Of several subscriptions to a dataset the one that sends is shown, else the newest of the best."""
    return _BEST.index(one.status), -parse_instant(one.since).timestamp() if one.since else 0.0
