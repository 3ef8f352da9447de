"""Dead letters, and messages in the quarantine, as people see them: what each is about, why it failed, and what comes
of sending it again."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from adweir.model import limits
from adweir.model.errors import Conflict
from adweir.model.times import iso_of
from adweir.pipeline.explained import about
from adweir.runtime.dead_letter_moves import NO_TARGET, UNKNOWN
from adweir.runtime.dead_letters import DeadLetter, DeadLetters
from adweir.store.raw.refused import RefusedMessages

if TYPE_CHECKING:
    from adweir.runtime.resources import Resources
    from adweir.store.ledger import Ledger


def letters_of(app: Resources) -> DeadLetters:
    """The deployment's dead letters."""
    return DeadLetters(app.sqs, app.settings, app.platforms)


def listed(app: Resources, queue: str, most: int) -> tuple[list[dict[str, Any]], list[str]]:
    """The dead letters of a queue, or of all, and where there are more than these.

    Reading them changes nothing: for half a minute at most nobody else can read them. Raises Unprocessable for an
    unknown queue, Unavailable.
    """
    letters, shown, warnings = letters_of(app), list[dict[str, Any]](), list[str]()
    for name in letters.names(queue):
        held, found = letters.count(name), list[DeadLetter]()
        if held and len(shown) < most:
            with letters.reading(name) as messages:
                found = list(islice(messages, most - len(shown)))
        said = app.ledger.last_words.of(letter.message_id for letter in found)
        shown += [_shown(app, letter, said.get(letter.message_id, "")) for letter in found]
        if held > len(found):
            warnings.append(f"{name}: {len(found)} of about {held} are shown")
    return shown, warnings


def refused(app: Resources, most: int, after: str = "") -> tuple[list[dict[str, Any]], str]:
    """Messages in the quarantine, in the order of their keys behind `after`, and the key to go on behind ("": none).

    The `id` of each is what `send_refused` takes. Raises Unavailable.
    """
    found, last = RefusedMessages(app.raw).page(most, after)
    stack = app.settings.runs_queue_url.rpartition("/")[2].removesuffix("runs")  # the names of its queues begin so
    shown = [
        {
            **message_about(app.ledger, message.queue.removeprefix(stack), message.body),
            "id": message.name,
            "reason": message.reason,
            "receives": message.receives,
            "quarantined_at": message.at,
        }
        for message in found
    ]
    return shown, last


def send_refused(app: Resources, name: str) -> str:
    """Send a message of the quarantine to the queue that it was in; says where. It stays in the quarantine, too.

    Raises NotFound, Conflict where that queue is no more.
    """
    message = RefusedMessages(app.raw).get(name)
    urls = app.settings.queue_urls(app.platforms).values()
    url = next((url for url in urls if url.rpartition("/")[2] == message.queue), "")
    if not url:
        raise Conflict(f"there is no queue {message.queue} to send it to")
    letters_of(app).resend(url, message.body, message.group)
    return f"sent to {message.queue}"


def message_about(ledger: Ledger, queue: str, body: str) -> dict[str, str | None]:
    """What a message of a queue is about."""
    found = about(queue, body, ledger)
    return {
        "queue": queue,
        "body": body[: limits.MAX_MESSAGE_SHOWN_CHARS],
        "about": found.words,
        "again": found.again,
        "run_id": found.run_id or None,
        "task_id": found.task_id or None,
        "object_key": found.object_key or None,
    }


def _shown(app: Resources, letter: DeadLetter, said: str) -> dict[str, Any]:
    more = {} if letter.target else {"again": f"impossible: {NO_TARGET}"}
    return {
        **message_about(app.ledger, letter.queue, letter.body),
        **more,
        "id": letter.message_id,
        "reason": letter.fault or said or UNKNOWN,
        "receives": letter.receives,
        "sent_at": iso_of(int(letter.sent_at)),
        "age_seconds": max(0, int(app.clock.now().timestamp() - letter.sent_at)),
    }
