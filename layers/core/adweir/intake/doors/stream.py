"""The door of the stream: what Amazon SNS delivers to the queue → objects under `stream/`, confirmed subscriptions.

A message is one of three things: a record as it is, a record in an envelope (`Type: Notification`, its text in
`Message`), or the request to confirm a subscription. Records that came together are one object, JSON Lines, each line a
record as it was sent. The object's name is the hash of its lines: the same messages again make no second object.

To confirm is to call a URL that a message brought, so the URL itself is not called. The topic has to be one of the
platform's, the URL one of SNS in the topic's region about this very topic; then SNS is asked to confirm at the address
that the deployment knows, by the token alone.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import parse_qs, urlsplit

import msgspec

from adweir.model.errors import AdweirError, BadInput, RequestRejected, Transient
from adweir.model.log import log
from adweir.model.platforms import Platform
from adweir.model.times import Clock, iso
from adweir.platforms.streams import StreamHooks

if TYPE_CHECKING:
    from adweir.platforms.http import Http

STREAM = "stream/"
"""Where records are stored: `stream/<platform>/<date of arrival>/<hash>.jsonl.gz`."""
_CONFIRMATION, _NOTIFICATION = "SubscriptionConfirmation", "Notification"
_SERVER = 500
_TOO_MANY = 429


class RecordStore(Protocol):
    """Where objects go: the raw store."""

    def put_once(
        self, key: str, body: bytes, metadata: Mapping[str, str] | None = None, content_type: str = ""
    ) -> bool:
        """Put an object unless there is one; returns whether it did."""
        ...


class StreamSource(NamedTuple):
    """Who sends: the platform with its hooks, accounts that the deployment trusts too, and SNS's URL by route."""

    platform: Platform
    hooks: StreamHooks
    further: Collection[str]
    sns: Callable[[str], str]


class Taken(NamedTuple):
    """What became of a batch: the object's key ("" without records), how many records it has, how many subscriptions
    were confirmed, and by message id what went wrong with the others."""

    key: str
    records: int
    confirmed: int
    faults: Mapping[str, AdweirError]


class StreamDoor:
    """Takes batches of messages."""

    def __init__(self, source: StreamSource, store: RecordStore, http: Http, clock: Clock) -> None:
        self._source = source
        self._store = store
        self._http = http
        self._clock = clock

    def take(self, messages: Iterable[tuple[str, str]]) -> Taken:
        """Take messages, given by id and body.

        Of the faults, BadInput is of a message that can never be worked on; with any other the message is tried again.
        """
        lines: dict[str, str] = {}
        faults: dict[str, AdweirError] = {}
        confirmed = 0
        for message_id, body in messages:
            try:
                message = _decoded(body)
                if message.get("Type") == _CONFIRMATION:
                    self._confirm(message)
                    confirmed += 1
                elif line := self._record(message, body):
                    lines[message_id] = line
            except AdweirError as error:
                faults[message_id] = error
        key = ""
        if lines:
            try:
                key = self._keep(list(lines.values()))
            except AdweirError as error:
                faults |= dict.fromkeys(lines, error)
                lines = {}
        return Taken(key, len(lines), confirmed, faults)

    def _record(self, message: Mapping[str, Any], body: str) -> str:
        """The record's line; "" for what brings none. Raises BadInput."""
        kind = message.get("Type")
        if kind == _NOTIFICATION and "Message" in message:
            self._source.hooks.route(_text(message, "TopicArn"), self._source.further)
            body = _text(message, "Message")
            message = _decoded(body)
        elif kind == "UnsubscribeConfirmation":
            log.warning("a subscription of the stream ended", extra={"topic": str(message.get("TopicArn", ""))[:300]})
            return ""
        if "dataset_id" not in message:
            raise BadInput("a record of the stream names no dataset_id")
        return body.replace("\r", " ").replace("\n", " ")

    def _keep(self, lines: list[str]) -> str:
        text = "".join(f"{line}\n" for line in sorted(lines)).encode()
        name = hashlib.sha256(text).hexdigest()
        now = iso(self._clock.now())
        key = f"{STREAM}{self._source.platform}/{now[:10]}/{name}.jsonl.gz"
        about = {"received": now, "records": str(len(lines))}
        self._store.put_once(key, gzip.compress(text, compresslevel=1, mtime=0), about, "application/gzip")
        return key

    def _confirm(self, message: Mapping[str, Any]) -> None:
        """Raises BadInput for a request that is not the platform's, and for one that SNS refuses; Transient."""
        topic, token = _text(message, "TopicArn"), _text(message, "Token")
        route = self._source.hooks.route(topic, self._source.further)
        _check_url(_text(message, "SubscribeURL"), topic, token)
        asked = {"Action": "ConfirmSubscription", "TopicArn": topic, "Token": token}
        try:
            answer = self._http.request("GET", f"{self._source.sns(route)}/", params=asked)
        except RequestRejected as error:
            raise BadInput(f"SNS did not confirm {topic}: {error.message}") from None
        if answer.status >= _SERVER or answer.status == _TOO_MANY:
            raise Transient(f"SNS answered {answer.status} to the confirmation of {topic}")
        if not answer.ok:
            raise BadInput(f"SNS refused to confirm {topic}: {answer.status}")
        log.info("a subscription of the stream is confirmed", extra={"topic": topic})


def _check_url(url: str, topic: str, token: str) -> None:
    """Raises BadInput unless the URL asks SNS in the topic's region to confirm this very subscription."""
    try:
        parts = urlsplit(url)
        asked = parse_qs(parts.query)
        host, port, user = parts.hostname, parts.port, parts.username
    except ValueError:
        raise BadInput("SubscribeURL is no URL") from None
    expected = f"sns.{topic.split(':')[3]}.amazonaws.com"
    if (parts.scheme, host, port, user) != ("https", expected, None, None):
        raise BadInput(f"SubscribeURL does not lead to {expected}: {(host or '')[:80]!r}")
    if (
        asked.get("Action") != ["ConfirmSubscription"]
        or asked.get("TopicArn") != [topic]
        or asked.get("Token") != [token]
    ):
        raise BadInput("SubscribeURL is about another subscription than its message")


def _decoded(body: str) -> dict[str, Any]:
    try:
        message = msgspec.json.decode(body)
    except (ValueError, RecursionError):  # half of a surrogate pair is a ValueError
        raise BadInput("a message of the stream is not JSON") from None
    if not isinstance(message, dict):
        raise BadInput("a message of the stream is not a JSON object")
    return message


def _text(message: Mapping[str, Any], name: str) -> str:
    found = message.get(name)
    if not isinstance(found, str) or not found:
        raise BadInput(f"a message of the stream has no {name}")
    return found
