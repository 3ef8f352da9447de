"""Dead letters: what they are about, why they failed; to send them again or to drop them."""

from typing import TYPE_CHECKING, Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field, StringConstraints

from adweir.model import limits
from adweir.runtime.app import App
from adweir.runtime.changes import note_change
from adweir.runtime.routes import Caller, Here, Resource
from adweir.store.raw.refused import RefusedMessages
from routes.fields import PAGE_ITEMS, Given, Instant, Limit, NextToken, Shown, Why

if TYPE_CHECKING:
    from adweir.runtime.dead_letter_moves import Moved

Name = Annotated[str, StringConstraints(min_length=1, max_length=limits.MAX_PATH_ID_CHARS)]
QueueName = Annotated[
    str,
    Query(max_length=limits.MAX_PATH_ID_CHARS, description="A queue by its short name; without it, all."),
]
LetterPath = Annotated[str, Path(description="The message's id, as the list has it.")]


class LettersRequest(Given):
    """Which dead letters."""

    queue: str = Field(
        default="", max_length=limits.MAX_PATH_ID_CHARS, description="Of this queue; without it, of all."
    )
    ids: list[Name] = Field(
        default=[], max_length=limits.MAX_DEAD_LETTERS, description="These messages; without ids, all."
    )
    reason: str = Field(default="", max_length=limits.MAX_REASON_CHARS, description="Why, for the record.")


class MessageAbout(Shown):
    """A message of ours, and what it is about."""

    id: str
    queue: str = Field(description="The queue that it was in, or was meant for.", examples=["landing"])
    body: str = Field(description="Its first 4,000 characters.")
    about: str = Field(description="What it wants, and what became of that.")
    reason: str = Field(description="Why it could not be worked on.")
    again: str = Field(description="What comes of sending it again.")
    receives: int = Field(description="How often it was received, reading it here included.")
    run_id: str | None
    task_id: str | None
    object_key: str | None


class DeadLetterAnswer(MessageAbout):
    """A message that failed five times, or that could not be delivered."""

    sent_at: Instant
    age_seconds: int


class DeadLetterList(Shown):
    """Dead letters, queue by queue. SQS has no pages: `warnings` says where there are more than are shown."""

    dead_letters: list[DeadLetterAnswer]
    warnings: list[str]
    next_token: NextToken = None


class UnmovedLetter(Shown):
    """A dead letter that stays where it is, and why."""

    id: str
    reason: str


class MovedLetters(Shown):
    """What was done with dead letters. `more`: some were not looked at; ask again."""

    moved: list[str] = Field(description="The ids of the messages that were sent again, or dropped.")
    left: list[UnmovedLetter]
    more: bool
    outcome: str = Field(description="What was done, or why nothing was.")
    by: str = Field(description="The API key that asked.")
    at: Instant


dead_letters = Resource("Dead letters", "Messages that failed")


@dead_letters.route("GET", "/api/v1/dead-letters", "List the dead letters", errors=(422,))
def list_dead_letters(app: Here, queue: QueueName = "", limit: Limit = PAGE_ITEMS) -> DeadLetterList:
    """What each is about, why it failed as far as that is known, and what comes of sending it again.

    Reading them changes nothing: for half a minute at most nobody else can read them.
    """
    from adweir.runtime.dead_letter_list import listed

    found, warnings = listed(app, queue, limit)
    return DeadLetterList(dead_letters=[DeadLetterAnswer.of(each) for each in found], warnings=warnings)


@dead_letters.route("POST", "/api/v1/dead-letters/all/send", "Send dead letters again", scope="write")
def send_dead_letters(app: Here, caller: Caller, asked: LettersRequest | None = None) -> MovedLetters:
    """To the queue that they were in or were meant for: those that are named, or without a body all; 200 per call at
    most.

    May be repeated. A message is deleted here after it was sent, so that a crash in between sends it twice: what it
    wants is done once all the same.
    """
    return _send(app, caller, asked or LettersRequest())


@dead_letters.route("POST", "/api/v1/dead-letters/all/drop", "Drop dead letters", scope="write")
def drop_dead_letters(app: Here, caller: Caller, asked: LettersRequest) -> MovedLetters:
    """Into the quarantine, where they are kept with the reason: those that are named, or all; 200 per call at most."""
    return _drop(app, caller, asked)


@dead_letters.route("POST", "/api/v1/dead-letters/{id}/send", "Send a dead letter again", scope="write")
def send_dead_letter(app: Here, caller: Caller, id: LetterPath, reason: Why = "") -> MovedLetters:  # noqa: A002
    """The same for one message."""
    return _send(app, caller, LettersRequest(ids=[id], reason=reason))


@dead_letters.route("DELETE", "/api/v1/dead-letters/{id}", "Drop a dead letter", scope="write")
def drop_dead_letter(app: Here, caller: Caller, id: LetterPath, reason: Why = "") -> MovedLetters:  # noqa: A002
    """The same for one message: it goes into the quarantine."""
    return _drop(app, caller, LettersRequest(ids=[id], reason=reason))


def _moved(app: App, caller: str, asked: LettersRequest, action: str, moved: "Moved") -> MovedLetters:
    subject = ", ".join(asked.ids[:5]) or asked.queue or "all queues"
    deed = note_change(app, caller, action, subject, moved.outcome, reason=asked.reason, kind="message")
    left = [UnmovedLetter(id=one, reason=why) for one, why in moved.left.items()]
    return MovedLetters(moved=moved.ids, left=left, more=moved.more, outcome=deed.outcome, by=deed.who, at=deed.at)


def _send(app: App, caller: str, asked: LettersRequest) -> MovedLetters:
    from adweir.runtime.dead_letter_list import letters_of
    from adweir.runtime.dead_letter_moves import move, sending

    letters = letters_of(app)
    return _moved(app, caller, asked, "send dead letters", move(letters, asked.queue, asked.ids, sending(letters)))


def _drop(app: App, caller: str, asked: LettersRequest) -> MovedLetters:
    from adweir.runtime.dead_letter_list import letters_of
    from adweir.runtime.dead_letter_moves import dropping, move

    letters = letters_of(app)
    drop = dropping(letters, RefusedMessages(app.raw), app.ledger.last_words, app.clock, asked.reason)
    return _moved(app, caller, asked, "drop dead letters", move(letters, asked.queue, asked.ids, drop))
