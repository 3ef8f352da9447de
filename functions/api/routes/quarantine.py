"""The quarantine: objects of which rows were refused, and messages that no function can work on."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field

from adweir.model import limits
from adweir.model.errors import BadInput, NotFound
from adweir.model.ids import IdKind
from adweir.runtime.app import App
from adweir.runtime.changes import note_change
from adweir.runtime.routes import Caller, Here, Resource
from adweir.store.dynamo.paging import from_token, to_token, unknown_token
from adweir.store.raw.refused import PREFIX
from routes.dead_letters import MessageAbout
from routes.fields import PAGE_ITEMS, Given, Instant, Limit, NextToken, OneOf, PageToken, Shown, Why

if TYPE_CHECKING:
    from adweir.store.findings.held_rows import HeldObject

_MESSAGES = "quarantine/messages"
State = Annotated[str, OneOf("held", "replaying", "cleared", "superseded", "dropped")]
HeldPath = Annotated[str, Path(description="The entry's id, qrn_…, or a message's, as the list has it.")]


def _only(what: str) -> Any:
    return Field(default="", max_length=limits.MAX_OBJECT_ID_CHARS, description=f"Only objects of this {what}.")


class QuarantineQuery(Given):
    """Which objects."""

    account_id: str = _only("client company")
    platform: str = _only("platform or source")
    profile_id: str = _only("ad account")
    state: Literal["", "held", "replaying", "cleared", "superseded", "dropped"] = Field(
        "", description="Only those in this state."
    )


class RefusedRow(Shown):
    """The first rows that were refused of an object: the line, and what is wrong with it."""

    line: int
    field: str | None = None
    rule: str | None = None
    message: str | None = None


class HeldObjectAnswer(Shown):
    """A stored object of which rows are, or were, in quarantine. The others of its rows are stored."""

    id: str = Field(examples=["qrn_5f0c1d2e3b4a59687786"])
    state: State = Field(
        description="cleared: nothing of it is in quarantine; superseded: a newer pull brought its days faultless;"
        " dropped: somebody said that its rows are not needed any more."
    )
    rows: int = Field(description="How many are in quarantine.")
    reasons: dict[str, int] = Field(description="Rows by the rule that they break.")
    first: list[RefusedRow]
    account_id: str = Field(description="Empty where the object is of no single client company.")
    platform: str = Field(description="Or the source of a dropped file.")
    profile_id: str
    dataset: str = Field(description="Or the data type of a dropped file; push, leads, stream.")
    start: str = Field(description="The first day that it is about; empty where it has none.")
    end: str
    task_id: str
    source_key: str = Field(description="The object that the rows came in: a replay loads it again.")
    keys: list[str] = Field(description="The objects with the rows: adweir raw prints them.")
    held_at: Instant
    updated_at: Instant
    asked_at: str = Field(description="When a replay was asked for last; empty: never.")
    asked_by: str = Field(description="The API key that asked.")
    moved: int | None = Field(description="How many rows the last replay took out of the quarantine; null before one.")
    reason: str = Field(description="Why the last replay failed; empty where it did not.")
    personal: bool = Field(description="The rows are personal data: only their faults are shown.")


class HeldRow(Shown):
    """A refused row as it came, and each of its faults."""

    line: int
    page: int
    row: Any = Field(description="As the source has it; null where it is personal data.")
    errors: list[dict[str, Any]]
    entity_id: str
    day: str


class InspectedObject(HeldObjectAnswer):
    """The same with the rows themselves."""

    refused: list[HeldRow] = Field(description="The first of them.", max_length=limits.MAX_HELD_SHOWN)
    more: bool = Field(description="There are further ones.")


class QuarantinedMessage(MessageAbout):
    """A message that no function can work on, or a dead letter that was dropped."""

    quarantined_at: Instant


class QuarantineList(Shown):
    """One page of the quarantine: objects, the newest first, and behind the last of them messages, by queue."""

    objects: list[HeldObjectAnswer]
    messages: list[QuarantinedMessage]
    next_token: NextToken


class ReplayedMessage(Shown):
    """What was sent again. An object's entry says what came of it; a message stays in the quarantine."""

    id: str
    outcome: str
    by: str = Field(description="The API key that asked.")
    at: Instant


quarantine = Resource("Quarantine", "Rows and messages that were refused: to look at them, and to try them again")


@quarantine.route("GET", "/api/v1/quarantine", "List the quarantine", limited=True, errors=(422,))
def list_quarantine(
    app: Here, asked: Annotated[QuarantineQuery, Query()], limit: Limit = PAGE_ITEMS, next_token: PageToken = ""
) -> QuarantineList:
    """Objects whose rows were refused, and messages that could not be read or that were dropped as dead letters.

    With a filter, or a key that is limited to accounts, objects alone.
    """
    wanted = {name: value for name, value in asked.model_dump().items() if value}
    objects: list[HeldObject] = []
    messages, token = list[QuarantinedMessage](), next_token
    if not _is_of_messages(next_token):
        objects, token = app.findings.held.page(limit, next_token, app.accounts or (), wanted)
        if not (token or wanted or app.accounts):
            token = to_token(_MESSAGES, PREFIX)
    if len(objects) < limit and _is_of_messages(token):
        messages, token = _messages(app, limit - len(objects), token)
    shown = [HeldObjectAnswer.of(each) for each in objects]
    return QuarantineList(objects=shown, messages=messages, next_token=token or None)


@quarantine.route("GET", "/api/v1/quarantine/{id}", "Inspect an object's refused rows", limited=True)
def inspect_quarantine(app: Here, id: HeldPath) -> InspectedObject:  # noqa: A002
    """The rows as they came, each with all that is wrong with it."""
    from adweir.quality.quarantine import held_lines

    found = _found(app, id)
    lines = [_faults_of(each) for each in found.first]
    if not found.personal:
        lines = list(held_lines(app.raw, found.keys, limits.MAX_HELD_SHOWN + 1))
    shown, more = lines[: limits.MAX_HELD_SHOWN], len(lines) > limits.MAX_HELD_SHOWN
    return InspectedObject.of(HeldObjectAnswer.of(found).model_dump() | {"refused": shown, "more": more})


@quarantine.route(
    "POST", "/api/v1/quarantine/{id}/replay", "Try again what was refused", limited=True, scope="write", errors=(409,)
)
def replay_quarantine(app: Here, caller: Caller, id: HeldPath, reason: Why = "") -> ReplayedMessage:  # noqa: A002
    """After a repair of the mapping, the options or the rules: the object is loaded again, by those of now.

    Rows that are valid by then are stored and leave the quarantine, the others stay; nothing else changes. An object
    that is gone is a 409. A message goes to the queue that it was in and stays in the quarantine.
    """
    if IdKind.QUARANTINE.names(id):
        found = app.held_replays.request(_found(app, id).id, caller)
        outcome, whose = f"{found.source_key} is loaded again", found.account_id
    elif app.accounts:
        raise _unknown(id)
    else:
        from adweir.runtime.dead_letter_list import send_refused

        outcome, whose = send_refused(app, id), ""
    more = {"reason": reason, "kind": "quarantine", "account_id": whose}
    deed = note_change(app, caller, "replay quarantine", id, outcome, **more)
    return ReplayedMessage(id=id, outcome=deed.outcome, by=deed.who, at=deed.at)


def _found(app: App, held_id: str) -> "HeldObject":
    found = app.findings.held.get(held_id)
    if app.accounts and found.account_id not in app.accounts:
        raise _unknown(held_id)
    return found


def _unknown(held_id: str) -> NotFound:
    from adweir.store.findings.held_rows import unknown_entry

    return unknown_entry(held_id)


def _faults_of(first: dict[str, Any]) -> dict[str, Any]:
    """A row of personal data: where it is and what is wrong with it."""
    fault = {name: first[name] for name in ("field", "rule") if name in first}
    return {"line": first["line"], "page": 0, "row": None, "errors": [fault], "entity_id": "", "day": ""}


def _is_of_messages(token: str) -> bool:
    try:
        return bool(from_token(_MESSAGES, token))
    except BadInput:
        return False


def _messages(app: App, limit: int, token: str) -> tuple[list[QuarantinedMessage], str]:
    from adweir.runtime.dead_letter_list import refused

    after = from_token(_MESSAGES, token)
    if token and not (after.startswith(PREFIX) and after.isprintable()):
        raise unknown_token()
    found, last = refused(app, limit, after)
    return [QuarantinedMessage(**each) for each in found], to_token(_MESSAGES, last) if last else ""
