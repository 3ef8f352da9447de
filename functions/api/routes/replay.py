"""Replays: stored answers of the platforms are loaded again, without pulling."""

from datetime import date
from typing import Annotated, Self

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field, StringConstraints, model_validator

from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.errors import NotFound
from adweir.model.ids import IdKind
from adweir.model.tasks import Cause
from adweir.model.times import Window
from adweir.runtime.app import App
from adweir.runtime.changes import note_change
from adweir.runtime.routes import Caller, Here, Resource
from routes.fields import AccountId, Day, Given, Instant, OneOf, PlatformId, PlatformName, Shown

Name = Annotated[str, StringConstraints(min_length=1, max_length=limits.MAX_PATH_ID_CHARS)]
ObjectKey = Annotated[str, StringConstraints(max_length=limits.MAX_OBJECT_KEY_CHARS)]
ReplayId = Annotated[str, Field(description="The replay's id.", examples=["rpl_5f0c1d2e3b4a59687786"])]


class ReplayRequest(Given):
    """The days of an ad account whose stored answers are to be loaded again."""

    account_id: Name = Field(
        default="", min_length=0, description="The client company that it belongs to; may be left out."
    )
    platform: PlatformName
    profile_id: Name = Field(description="The ad account's id on its platform.")
    start: Day = Field(description="The first day, in the ad account's time zone.")
    end: Day = Field(description="The last day, inclusive.")
    datasets: Annotated[list[Name], Field(max_length=limits.MAX_SCOPE_NAMES)] = Field(
        default=[], description="Datasets with metrics, e.g. ad_daily; none means all.", examples=[["ad_daily"]]
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start > self.end:
            raise ValueError("start is after end")
        return self


class ObjectsRequest(Given):
    """Stored objects to be loaded again as they are: one by its key, or all under a prefix."""

    key: ObjectKey = Field(default="", description="An object under raw/, webhooks/ or drops/.")
    prefix: ObjectKey = Field(default="", description="What the keys of the objects begin with.")
    after: ObjectKey = Field(
        default="", description="With `prefix`: go on behind this key, `after` of the last answer."
    )
    reason: str = Field(default="", max_length=limits.MAX_REASON_CHARS, description="Why, for the record.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.key) == bool(self.prefix):
            raise ValueError("either key or prefix is needed")
        return self


class ReplayedObjects(Shown):
    """The objects that were sent to be loaded again."""

    sent: int
    first_key: str
    last_key: str
    after: str | None = Field(description="There are more: send the same with this `after`. null when that was all.")
    by: str = Field(description="The API key that asked.")
    at: Instant


class DatasetToReplay(Shown):
    """What is loaded again of a dataset: its pulled days, and the pulls that answer for them.

    null: not counted, because it is hourly and the range is long; it is replayed like the others.
    """

    dataset: str
    days: int | None
    pulls: int | None


class StartedReplay(Shown):
    """The replay that was asked for: follow it at `GET /api/v1/replays/{replay_id}`."""

    replay_id: ReplayId
    platform: PlatformId
    profile_id: str
    start: date
    end: date
    datasets: list[DatasetToReplay]


class FailedObject(Shown):
    """A raw object that could not be loaded again; what it stored before stays."""

    object_key: str
    reason: str


class LostRange(Shown):
    """Days that cannot be replayed, because the raw object that answers for them is gone."""

    dataset: str
    start: date
    end: date


class ReplayAnswer(Shown):
    """A replay and what became of it."""

    replay_id: ReplayId
    account_id: AccountId
    platform: PlatformId
    profile_id: str
    start: date
    end: date
    datasets: list[str]
    cause: Annotated[str, OneOf(Cause.REPLAY, Cause.OPTIONS)]
    requested_at: Instant
    state: Annotated[str, OneOf("running", "ended")]
    sent: int = Field(description="Raw objects sent so far.")
    loaded: int
    failed: int
    slots_changed: int = Field(description="Stored numbers that changed, by entity and day or hour.")
    failures: list[FailedObject] = Field(max_length=limits.MAX_FAILED_TASKS_SHOWN)
    not_replayable: list[LostRange] = Field(max_length=limits.MAX_FAILED_TASKS_SHOWN)


replay = Resource("Replays", "Loading stored answers again, so that changed options reach stored days")
ReplayPath = Annotated[str, Path(description="The replay's id, rpl_….")]


@replay.route(
    "POST", "/api/v1/replay", "Load stored answers again", limited=True, scope="write", status=202, errors=(404,)
)
def replay_days(app: Here, asked: ReplayRequest) -> StartedReplay:
    """Stored days are counted anew by the ad account's present options. No platform is asked, and newer pulls win."""
    platform = app.platforms.parse(asked.platform)
    profile = app.catalog.profile(platform, asked.profile_id)
    if profile is None or asked.account_id not in {"", profile.account_id}:
        message = f"there is no ad account {asked.profile_id[:64]} of {platform}"
        raise NotFound(message, [{"field": "profile_id", "message": "is unknown"}])
    return start_replay(app, profile, Window(asked.start, asked.end), asked.datasets, Cause.REPLAY)


@replay.route("POST", "/api/v1/replay/objects", "Load stored objects again", scope="write", status=202, errors=(404,))
def replay_objects(app: Here, caller: Caller, asked: ObjectsRequest) -> ReplayedObjects:
    """Pulls, deliveries and dropped files, as they are, as if they had just arrived: at most 500 per call.

    What was loaded before changes nothing; what could not be loaded before a repair now can. May be repeated.
    """
    from adweir.pipeline.object_replays import send_again

    what = asked.key or asked.prefix
    found = send_again(app.raw, app.queues.landing, what, asked.after, one=bool(asked.key))
    said = f"sent {len(found.keys)} objects, {found.keys[0]} to {found.keys[-1]}"
    deed = note_change(app, caller, "replay objects", what, said, reason=asked.reason, kind="replay")
    return ReplayedObjects(
        sent=len(found.keys),
        first_key=found.keys[0],
        last_key=found.keys[-1],
        after=found.keys[-1] if found.more else None,
        by=deed.who,
        at=deed.at,
    )


@replay.route("GET", "/api/v1/replays/{replay_id}", "Get a replay", limited=True)
def get_replay(app: Here, replay_id: ReplayPath) -> ReplayAnswer:
    """How many objects were loaded, and the days that could not be."""
    from adweir.reporting.replays import progress

    record = app.ledger.replays.get(replay_id)
    if record is None or (app.accounts and record.replay.account_id not in app.accounts):
        raise NotFound(f"there is no replay {replay_id[:64]}", [{"field": "replay_id", "message": "is unknown"}])
    return ReplayAnswer.of(progress(record))


def start_replay(app: App, profile: Profile, window: Window, datasets: list[str], cause: Cause) -> StartedReplay:
    """Ask for a replay. Raises Unprocessable."""
    replay_id = IdKind.REPLAY.make(app.new_id)
    asked, will = app.replayer.request(replay_id, profile, window, datasets, cause)
    listed = [DatasetToReplay(dataset=each.dataset, days=each.days, pulls=each.pulls) for each in will]
    return StartedReplay(
        replay_id=replay_id,
        platform=profile.platform,
        profile_id=profile.profile_id,
        start=asked.start,
        end=asked.end,
        datasets=listed,
    )
