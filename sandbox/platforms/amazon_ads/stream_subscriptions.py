"""Marketing Stream: subscriptions, and how their queue confirms them.

Source: docs/en-us/guides/amazon-marketing-stream/{onboarding/sqs/get-started, managing-subscriptions, faq}, the Postman
collection of amzn/ads-advanced-tools-docs, and the SDK's docstrings for lengths. What no document says is assumed: 400
for what is refused, an unknown member of a request among it; FAILED_PROVISIONING for a queue that the reviewer cannot
look at, and for every Firehose, of which there are none here; a policy that forbids the topic keeps the confirmation
away.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.amazon_ads.errors import AmazonRefusal, bad_request
from sandbox.platforms.amazon_ads.login import Grant
from sandbox.platforms.amazon_ads.population import PLATFORM
from sandbox.platforms.amazon_ads.stream_datasets import AWS_REGIONS, DATASETS, REVIEWER, topic_arn
from sandbox.queues import Arn, NoQueue, allows
from sandbox.web import PlatformRequest, json_answer
from sandbox.world import WorldProfile
from sandbox.world.catalog import secret_of

SUBSCRIPTIONS: Final = "subscriptions"
"""Where the platform keeps them: by id, each with what was sent of it (`stream`)."""
PENDING, ACTIVE, ARCHIVED, SUSPENDED = "PENDING_CONFIRMATION", "ACTIVE", "ARCHIVED", "SUSPENDED"
_UNCONFIRMED, _UNPROVISIONED = "FAILED_CONFIRMATION", "FAILED_PROVISIONING"
_OVER: Final = (ARCHIVED, SUSPENDED, _UNCONFIRMED, _UNPROVISIONED)
_CONFIRM_WITHIN: Final = timedelta(days=2)
_MOST_OF_DATASET: Final = 2
_MOST_PENDING: Final = 1500
_MOST_PAGE: Final = 5000
_LENGTHS: Final = {"clientRequestToken": (22, 36), "destinationArn": (20, 2048), "notes": (0, 128)}
_ASKED: Final = {"clientRequestToken", "dataSetId", "destinationArn", "destination", "notes"}

Subscription = dict[str, Any]


class Subscriptions:
    """`/streams/subscriptions`. A subscription is visible to the user alone whose token made it."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def create(self, request: PlatformRequest, grant: Grant, profile: WorldProfile) -> Response:
        """`POST`: the subscription is pending until its queue has confirmed it."""
        body = _object(request)
        destination, arn = _checked(body, profile)
        with self._outside.kept(PLATFORM) as kept:
            held = self._held(kept, grant)
            token, dataset = body["clientRequestToken"], body["dataSetId"]
            again = [id_ for id_, one in held.items() if one["token"] == token and one["profile_id"] == profile.id]
            if again and held[again[0]]["asked"] != body:
                raise bad_request("clientRequestToken was used for another request")
            if not again:
                living = [one for one in held.values() if self.status(one) not in _OVER]
                _limit(living, profile, dataset, arn)
                name = secret_of(self._outside.world.seed, grant.name, profile.id, token)[:22]
                again = [f"amzn1.fead.cs1.{name}"]
                kept.setdefault(SUBSCRIPTIONS, {})[again[0]] = self._made(body, grant, profile, destination)
        self._outside.save()
        return json_answer({"subscriptionId": again[0], "clientRequestToken": token})

    def listed(self, request: PlatformRequest, grant: Grant, profile: WorldProfile) -> Response:
        """`GET`: all of the profile's, the archived ones too, oldest first."""
        try:
            most = int(request.args.get("maxResults", _MOST_PAGE))
            first = int(request.args.get("startingToken") or 0)
        except ValueError:
            raise bad_request("maxResults and startingToken must be those that were given") from None
        if not 1 <= most <= _MOST_PAGE or first < 0:
            raise bad_request(f"maxResults must be between 1 and {_MOST_PAGE}")
        with self._outside.kept(PLATFORM) as kept:
            held = {id_: one for id_, one in self._held(kept, grant).items() if one["profile_id"] == profile.id}
            entries = [self._entry(id_, one) for id_, one in list(held.items())[first : first + most]]
        more = {"nextToken": str(first + most)} if first + most < len(held) else {}
        return json_answer({"subscriptions": entries, **more})

    def one(self, _request: PlatformRequest, grant: Grant, profile: WorldProfile, subscription_id: str) -> Response:
        """`GET` of one."""
        with self._outside.kept(PLATFORM) as kept:
            found = self._found(kept, grant, profile, subscription_id)
            return json_answer({"subscription": self._entry(subscription_id, found)})

    def update(self, request: PlatformRequest, grant: Grant, profile: WorldProfile, subscription_id: str) -> Response:
        """`PUT`: an active subscription is archived, for good; notes may be rewritten."""
        body = _object(request)
        unknown = sorted(set(body) - {"status", "notes"})
        if unknown or body.get("status", ARCHIVED) != ARCHIVED:
            raise bad_request(f"status can only be {ARCHIVED}" if not unknown else f"unknown fields: {unknown}")
        with self._outside.kept(PLATFORM) as kept:
            found = self._found(kept, grant, profile, subscription_id)
            if "status" in body and self.status(found) != ACTIVE:
                raise bad_request("Only ACTIVE subscriptions can be archived")
            found |= {name: body[name] for name in ("status", "notes") if name in body}
            found["updated"] = self._now()
        self._outside.save()
        return json_answer({})

    def confirm(self, request: PlatformRequest) -> Response:
        """SNS's ConfirmSubscription, as the SubscribeURL of a confirmation asks for it."""
        asked = request.args.to_dict() | request.form.to_dict()
        if asked.get("Action") != "ConfirmSubscription":
            return _sns_error("InvalidAction", "The action or operation requested is invalid")
        with self._outside.kept(PLATFORM) as kept:
            for id_, one in kept.get(SUBSCRIPTIONS, {}).items():
                if one["sns_token"] != asked.get("Token") or self.topic(one) != asked.get("TopicArn"):
                    continue
                if self.status(one) == PENDING:
                    one |= {"status": ACTIVE, "start": self._now(), "updated": self._now()}
                elif self.status(one) == _UNCONFIRMED:
                    break
                answer = _confirmed(f"{asked['TopicArn']}:{id_.rpartition('.')[2]}")
                self._outside.save()
                return answer
        return _sns_error("InvalidParameter", "Invalid parameter: Token")

    def status(self, one: Subscription) -> str:
        """What it is now: one that nobody confirmed has failed after two days of the world."""
        if one["status"] == PENDING:
            waited = self._outside.world.now - datetime.fromisoformat(one["created"])
            return _UNCONFIRMED if waited >= _CONFIRM_WITHIN else PENDING
        return str(one["status"])

    def topic(self, one: Subscription) -> str:
        """The topic that sends its records."""
        profile = self._outside.world.profile(PLATFORM, one["profile_id"])
        assert profile is not None  # noqa: S101 - ad accounts never go
        return topic_arn(one["asked"]["dataSetId"], profile.region)

    def _made(
        self, body: dict[str, Any], grant: Grant, profile: WorldProfile, destination: dict[str, Any]
    ) -> Subscription:
        made: Subscription = {
            "grant": grant.name,
            "profile_id": profile.id,
            "token": body["clientRequestToken"],
            "asked": body,
            "destination": destination,
            "notes": body.get("notes", ""),
            "status": PENDING,
            "created": self._now(),
            "updated": self._now(),
            "made_at": time.time(),
            "sns_token": secret_of(self._outside.world.seed, "sns", profile.id, body["clientRequestToken"]),
        }
        try:
            arn = destination["sqsDestination"]["queueArn"]
            policy = self._outside.queues.policy(arn)
        except (KeyError, NoQueue):
            return made | {"status": _UNPROVISIONED}
        if not allows(policy, arn, REVIEWER, "SQS:GetQueueAttributes"):
            return made | {"status": _UNPROVISIONED}
        if allows(policy, arn, "sns.amazonaws.com", "SQS:SendMessage", self.topic(made)):
            self._outside.queues.send(arn, [json.dumps(self._confirmation(made))])
        return made

    def _confirmation(self, one: Subscription) -> dict[str, Any]:
        """The first message in a queue: SNS's, with its own host in the link whatever stands in for it."""
        topic, token = self.topic(one), one["sns_token"]
        host = f"https://sns.{Arn.of(topic).region}.amazonaws.com"
        query = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic, "Token": token})
        return {
            "Type": "SubscriptionConfirmation",
            "MessageId": str(uuid4()),
            "Token": token,
            "TopicArn": topic,
            "Message": f"You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, visit the "
            "SubscribeURL included in this message.",
            "SubscribeURL": f"{host}/?{query}",
            "Timestamp": f"{self._outside.world.now:%Y-%m-%dT%H:%M:%S}.000Z",
            "SignatureVersion": "1",
            "Signature": "c2FuZGJveA==",
            "SigningCertURL": f"{host}/SimpleNotificationService-sandbox.pem",
        }

    def _held(self, kept: Mapping[str, Any], grant: Grant) -> dict[str, Subscription]:
        return {id_: one for id_, one in kept.get(SUBSCRIPTIONS, {}).items() if one["grant"] == grant.name}

    def _found(self, kept: Mapping[str, Any], grant: Grant, profile: WorldProfile, id_: str) -> Subscription:
        found = self._held(kept, grant).get(id_)
        if found is None or found["profile_id"] != profile.id:
            raise AmazonRefusal(404, f"Subscription {id_} does not exist", "NOT_FOUND")
        return found

    def _entry(self, id_: str, one: Subscription) -> dict[str, Any]:
        """As both GETs show it; for a moment after its creation it is provisioned."""
        status = self.status(one)
        if status == PENDING and time.time() - one["made_at"] < self._outside.report_seconds:
            status = "PROVISIONING"
        queue = one["destination"].get("sqsDestination", {}).get("queueArn")
        return {
            "subscriptionId": id_,
            "dataSetId": one["asked"]["dataSetId"],
            "destination": one["destination"],
            **({"destinationArn": queue} if queue else {}),
            "status": status,
            "notes": one["notes"],
            "createdDate": one["created"],
            "updatedDate": one["updated"],
        }

    def _now(self) -> str:
        return f"{self._outside.world.now:%Y-%m-%dT%H:%M:%S}.000Z"


def _object(request: PlatformRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise bad_request("The body must be a JSON object")
    return body


def _checked(body: dict[str, Any], profile: WorldProfile) -> tuple[dict[str, Any], str]:
    """The destination in its newer form, and its ARN. Raises Amazon's 400."""
    if unknown := sorted(set(body) - _ASKED):
        raise bad_request(f"Unknown fields: {', '.join(unknown)}")
    for name, (least, most) in _LENGTHS.items():
        text = body.get(name)
        if text is not None and not (isinstance(text, str) and least <= len(text) <= most):
            raise bad_request(f"{name} must have a length between {least} and {most}")
    if "clientRequestToken" not in body or body.get("dataSetId") not in DATASETS:
        raise bad_request("clientRequestToken and a known dataSetId are required")
    if ("destinationArn" in body) == ("destination" in body):
        raise bad_request("Exactly one of destinationArn and destination is required")
    destination = body.get("destination", {"sqsDestination": {"queueArn": body.get("destinationArn")}})
    arn = _arn_of(destination)
    if arn.region != AWS_REGIONS[profile.region]:
        raise bad_request(f"The destination of an advertiser in {profile.region} is in {AWS_REGIONS[profile.region]}")
    if arn.service == "sqs" and arn.name.endswith(".fifo"):
        raise bad_request("FIFO queues are not supported")
    return destination, ":".join(("arn", "aws", *arn))


def _arn_of(destination: Any) -> Arn:
    readers: dict[str, Callable[[Any], Any]] = {
        "sqsDestination": lambda one: one["queueArn"],
        "firehoseDestination": lambda one: one["deliveryStreamArn"],
    }
    try:
        ((kind, one),) = destination.items()
        arn = Arn.of(readers[kind](one))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise bad_request("The destination is no queue and no delivery stream") from None
    if (kind, arn.service) not in (("sqsDestination", "sqs"), ("firehoseDestination", "firehose")):
        raise bad_request("The destination's ARN is of another service")
    return arn


def _limit(living: Sequence[Subscription], profile: WorldProfile, dataset: str, arn: str) -> None:
    """Raise where one more subscription is too many."""
    of_dataset = [one for one in living if one["profile_id"] == profile.id and one["asked"]["dataSetId"] == dataset]
    if any(arn in one["destination"].get("sqsDestination", {}).values() for one in of_dataset):
        raise bad_request("Cannot have more than one subscription per advertiser, dataSetId, & destination combination")
    if len(of_dataset) >= _MOST_OF_DATASET:
        raise bad_request(
            "Cannot have more than two subscriptions per application, advertiser, & dataSetId combination"
        )
    if sum(one["status"] == PENDING for one in living) >= _MOST_PENDING:
        raise bad_request(f"Application's pending confirmation limit of {_MOST_PENDING} exceeded")


def _confirmed(arn: str) -> Response:
    result = f"<ConfirmSubscriptionResult><SubscriptionArn>{escape(arn)}</SubscriptionArn></ConfirmSubscriptionResult>"
    return _sns(
        200, f"{result}<ResponseMetadata><RequestId>{uuid4()}</RequestId></ResponseMetadata>", "ConfirmSubscription"
    )


def _sns_error(code: str, message: str) -> Response:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return _sns(400, f"{error}<RequestId>{uuid4()}</RequestId>", "Error")


def _sns(status: int, inner: str, name: str) -> Response:
    space = 'xmlns="http://sns.amazonaws.com/doc/2010-03-31/"'
    return Response(f"<{name}Response {space}>{inner}</{name}Response>", status, content_type="text/xml")
