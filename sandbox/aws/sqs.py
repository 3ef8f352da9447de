"""SQS: standard queues with delays, visibility time-outs, receive counts and a dead-letter queue."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from sandbox.aws.refusals import Refused

DEAD = "dead-"
"""The name of a dead-letter queue is its queue's behind this."""
_MOST_BATCH = 10
_MOST_DELAY = 900
_MOST_VISIBILITY = 43_200
_MOST_BYTES = 1 << 20
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_GROUP = re.compile(r"[!-~]{1,128}")
_CONTENTS = re.compile(r"[\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]+")


@dataclass(slots=True)
class SentMessage:
    """A message in a queue; times are Unix seconds. `visible_at`: when it may be received (again); `received_at`: when
    it was received last."""

    id: str
    body: str
    group: str
    sent_at: float
    visible_at: float
    receives: int = 0
    handle: str = ""
    received_at: float = 0.0


@dataclass(slots=True)
class Line:
    """A queue's messages, in the order in which they were sent."""

    name: str
    messages: list[SentMessage] = field(default_factory=list)
    dead: list[SentMessage] = field(default_factory=list)


class MessageShelf(Protocol):
    """Where messages outlive a process."""

    def kept(self, queue: str) -> Iterable[tuple[SentMessage, bool]]:
        """A queue's messages, and whether they are dead letters."""
        ...

    def keep(self, queue: str, sent: SentMessage, *, dead: bool) -> None:
        """A message as it is now."""
        ...

    def forget(self, queue: str, sent: SentMessage) -> None:
        """A message that was worked on."""
        ...


class Sqs:
    """The queues by name; a queue's URL ends with its name. `now` gives Unix seconds. With a shelf, they begin with
    what it has kept."""

    def __init__(
        self,
        queues: tuple[str, ...],
        now: Callable[[], float],
        *,
        visibility: int = 30,
        shelf: MessageShelf | None = None,
    ) -> None:
        self.queues = {name: Line(name) for name in queues}
        self._now = now
        self._visibility = visibility
        self._shelf = shelf
        self._count = 0
        self.load()
        self.leave: Callable[[list[Any]], int] = lambda _entries: 0
        """How many entries of a batch fail: those at its end."""

    def load(self) -> None:
        """Begin anew with what the shelf has kept, where there is one: what somebody works on may be received again."""
        if self._shelf is None:
            return
        for line in self.queues.values():
            line.messages.clear()
            line.dead.clear()
            for sent, dead in sorted(self._shelf.kept(line.name), key=lambda each: _number(each[0])):
                (line.dead if dead else line.messages).append(sent)
                self._count = max(self._count, _number(sent))

    def call(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """One API call. Raises Refused."""
        calls: dict[str, Callable[[Line, Mapping[str, Any]], dict[str, Any]]] = {
            "SendMessage": self._send,
            "SendMessageBatch": self._send_batch,
            "ReceiveMessage": self._receive,
            "DeleteMessage": self._delete,
            "ChangeMessageVisibility": self._change,
            "ChangeMessageVisibilityBatch": self._change_batch,
            "GetQueueAttributes": self._attributes,
        }
        name = params["QueueUrl"].rpartition("/")[2]
        if operation not in calls:
            raise NotImplementedError(f"there is no double of SQS's {operation}: add it to {__file__}")
        if name.removeprefix(DEAD) not in self.queues:
            raise Refused("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
        return calls[operation](self._line(name), params)

    def take(self, sent: SentMessage, seconds: float) -> None:
        """Receive this very message: what Lambda's poller does when it gets to it."""
        self._count += 1
        sent.receives += 1
        sent.handle = f"{sent.id}/{self._count}"
        sent.received_at = self._now()
        sent.visible_at = sent.received_at + seconds

    def put_back(self, name: str, sent: SentMessage, seconds: float) -> None:
        """A message that failed comes again, so many seconds from now."""
        sent.visible_at = self._now() + seconds
        self._keep(name, sent)

    def bury(self, name: str, sent: SentMessage) -> None:
        """Make a message a dead letter."""
        line = self.queues[name]
        line.dead.append(sent)  # first: an interrupt must not lose it
        line.messages.remove(sent)
        sent.visible_at, sent.handle = self._now(), ""
        self._keep(DEAD + name, sent)

    def dig_up(self, name: str) -> int:
        """Send the dead letters of a queue once more; how many there were."""
        line = self.queues[name]
        for sent in line.dead:
            sent.receives, sent.handle = 0, ""
            sent.sent_at = sent.visible_at = self._now()
            line.messages.append(sent)
            self._keep(name, sent)
        found = len(line.dead)
        line.dead.clear()
        return found

    def visible(self, name: str) -> list[SentMessage]:
        """The messages that may be received now."""
        return self._visible(self.queues[name])

    def _visible(self, line: Line) -> list[SentMessage]:
        now = self._now()
        return [sent for sent in line.messages if sent.visible_at <= now]

    def _send(self, line: Line, params: Mapping[str, Any]) -> dict[str, Any]:
        body, delay, group = params["MessageBody"], params.get("DelaySeconds", 0), params.get("MessageGroupId", "")
        if not 0 <= delay <= _MOST_DELAY:
            raise Refused("InvalidParameterValue", f"Value {delay} for parameter DelaySeconds is invalid.")
        if not body:
            raise Refused("MissingParameter", "The request must contain the parameter MessageBody.")
        if len(body.encode()) > _MOST_BYTES:
            raise Refused("InvalidParameterValue", "One or more parameters are invalid. Reason: Message is too long.")
        if not _CONTENTS.fullmatch(body):
            raise Refused("InvalidMessageContents", "The message contains characters outside the allowed set.")
        if group and not _GROUP.fullmatch(group):
            raise Refused("InvalidParameterValue", "Value for parameter MessageGroupId is invalid.")
        self._count += 1
        now = self._now()
        sent = SentMessage(f"m{self._count}", body, group, now, now + delay)
        line.messages.append(sent)
        self._keep(line.name, sent)
        return {"MessageId": sent.id}

    def _send_batch(self, line: Line, params: Mapping[str, Any]) -> dict[str, Any]:
        entries = params["Entries"]
        _check_batch(entries)
        if sum(len(entry["MessageBody"].encode()) for entry in entries) > _MOST_BYTES:
            raise Refused("BatchRequestTooLong", "Batch requests cannot be longer than 1048576 bytes.")
        done = len(entries) - self.leave(entries)
        answer = _each(entries[:done], partial(self._send, line))
        for entry in entries[done:]:
            fault = {"Id": entry["Id"], "SenderFault": False, "Code": "InternalError", "Message": "try again"}
            answer.setdefault("Failed", []).append(fault)
        return answer

    def _receive(self, line: Line, params: Mapping[str, Any]) -> dict[str, Any]:
        most = params.get("MaxNumberOfMessages", 1)
        if not 1 <= most <= _MOST_BATCH:
            raise Refused("InvalidParameterValue", f"Value {most} for parameter MaxNumberOfMessages is invalid.")
        seconds = params.get("VisibilityTimeout", self._visibility)
        _check_visibility(seconds)
        found = self._visible(line)[:most]
        for sent in found:
            self.take(sent, seconds)
        if not found:
            return {}
        asked = {*params.get("MessageSystemAttributeNames", ()), *params.get("AttributeNames", ())}
        return {"Messages": [_received(sent, asked) for sent in found]}

    def _delete(self, line: Line, params: Mapping[str, Any]) -> dict[str, Any]:
        known = self._known(line, params["ReceiptHandle"])
        if known is not None:  # deleting again is no error
            line.messages.remove(known)
            if self._shelf is not None:
                self._shelf.forget(line.name.removeprefix(DEAD), known)
        return {}

    def _change_batch(self, line: Line, params: Mapping[str, Any]) -> dict[str, Any]:
        _check_batch(params["Entries"])
        return _each(params["Entries"], partial(self._change, line))

    def _change(self, line: Line, params: Mapping[str, Any]) -> dict[str, Any]:
        seconds = params.get("VisibilityTimeout")
        if seconds is None:
            raise Refused("MissingParameter", "The request must contain the parameter VisibilityTimeout.")
        _check_visibility(seconds)
        known, now = self._known(line, params["ReceiptHandle"]), self._now()
        if known is None:
            raise Refused("InvalidParameterValue", "The message does not exist or is not available for the change.")
        if known.visible_at <= now:
            raise Refused("MessageNotInflight", "The message is not in flight.")
        if now + seconds > known.received_at + _MOST_VISIBILITY:
            said = f"Value {seconds} for parameter VisibilityTimeout is invalid: more than 12 hours since the receipt."
            raise Refused("InvalidParameterValue", said)
        self.put_back(line.name, known, seconds)
        return {}

    def _attributes(self, line: Line, params: Mapping[str, Any]) -> dict[str, Any]:
        now = self._now()
        waiting = [sent for sent in line.messages if sent.visible_at > now]
        in_flight = sum(1 for sent in waiting if sent.handle)
        known = {
            "ApproximateNumberOfMessages": len(line.messages) - len(waiting),
            "ApproximateNumberOfMessagesNotVisible": in_flight,
            "ApproximateNumberOfMessagesDelayed": len(waiting) - in_flight,
        }
        asked = params.get("AttributeNames", ())
        if not known.keys() >= set(asked):
            raise NotImplementedError(f"there is no double of all of a queue's {asked}: add it to {__file__}")
        return {"Attributes": {name: str(known[name]) for name in asked}} if asked else {}

    def _keep(self, name: str, sent: SentMessage) -> None:
        if self._shelf is not None:
            self._shelf.keep(name.removeprefix(DEAD), sent, dead=name.startswith(DEAD))

    def _known(self, line: Line, handle: str) -> SentMessage | None:
        """The message of a receipt handle; None when it is gone, or was received again since."""
        if "/" not in handle:
            raise Refused("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
        return next((sent for sent in line.messages if sent.handle == handle), None)

    def _line(self, name: str) -> Line:
        """A queue's messages, or those of a dead-letter queue."""
        if not name.startswith(DEAD):
            return self.queues[name]
        return Line(name, self.queues[name.removeprefix(DEAD)].dead)


def _check_batch(entries: Sequence[Mapping[str, Any]]) -> None:
    """Whether these can be the entries of a batch. Raises Refused."""
    if not entries:
        raise Refused("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > _MOST_BATCH:
        raise Refused("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10.")
    ids = [entry["Id"] for entry in entries]
    if not all(map(_ENTRY_ID.fullmatch, ids)):
        raise Refused("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, - and _.")
    if len(set(ids)) != len(ids):
        raise Refused("BatchEntryIdsNotDistinct", "Id is repeated.")


def _each(
    entries: Iterable[Mapping[str, Any]], act: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """The answer to a batch: what came of each of its entries."""
    answer: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        try:
            said = act(entry)
        except Refused as error:
            fault = {"Id": entry["Id"], "SenderFault": True, "Code": error.code, "Message": error.message}
            answer.setdefault("Failed", []).append(fault)
        else:
            answer.setdefault("Successful", []).append({"Id": entry["Id"], **said})
    return answer


def _check_visibility(seconds: int) -> None:
    """Raises Refused."""
    if not 0 <= seconds <= _MOST_VISIBILITY:
        raise Refused("InvalidParameterValue", f"Value {seconds} for parameter VisibilityTimeout is invalid.")


def _received(sent: SentMessage, asked: Collection[str]) -> dict[str, Any]:
    """A message as it is received, with the attributes that were asked for; those that nothing of ours reads are left
    out."""
    known = {"SentTimestamp": str(int(sent.sent_at * 1000)), "ApproximateReceiveCount": str(sent.receives)}
    if sent.group:
        known["MessageGroupId"] = sent.group
    message: dict[str, Any] = {"MessageId": sent.id, "ReceiptHandle": sent.handle, "Body": sent.body}
    shown = {name: value for name, value in known.items() if name in asked or "All" in asked}
    return message | ({"Attributes": shown} if shown else {})


def _number(sent: SentMessage) -> int:
    """A message's place in the order in which all were sent."""
    return int(sent.id.removeprefix("m"))
