"""Brakes: what holds pulls back, and how to release it."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field

from adweir.model.times import iso_of
from adweir.runtime.changes import note_change
from adweir.runtime.routes import Caller, Here, Resource
from routes.fields import PAGE_ITEMS, Instant, Limit, NextToken, OneOf, PageToken, PlatformId, Shown, Why

_BRAKES = "brakes"
BrakeName = Annotated[str, Field(examples=["meta_ads:1042017731", "amazon_ads:region:eu"])]


class BrakeAnswer(Shown):
    """A pause that a platform asked for, or a circuit breaker that its faults opened."""

    key: BrakeName
    platform: PlatformId
    profile_id: str = Field(description="The ad account that it holds back; empty for a wider one.")
    scope: str = Field(description="profile, or what else it covers.", examples=["profile", "app:1f0c", "region:eu"])
    state: Annotated[str, OneOf("paused", "open", "half_open")]
    reason: str = Field(examples=["503 six times"])
    says: str = Field(examples=["503 six times, next try 12:05 UTC"])
    failures: int = Field(description="Faults in a row.")
    since: Instant | None = Field(description="Since when nothing has succeeded; null where that is not known.")
    until: Instant = Field(description="When it lets the next task through.")
    waiting: int = Field(description="How many tasks wait for it.")


class BrakeList(Shown):
    """The brakes that are on, by key."""

    brakes: list[BrakeAnswer]
    next_token: NextToken


class ReleasedBrake(Shown):
    """What was done to a brake."""

    key: BrakeName
    released: bool
    outcome: str = Field(description="What was done, or why nothing was.")
    by: str = Field(description="The API key that asked.")
    at: Instant
    reason: str


brakes = Resource("Brakes", "What holds pulls back, and how to release it")


@brakes.route("GET", "/api/v1/brakes", "List the brakes that are on", limited=True)
def list_brakes(app: Here, limit: Limit = PAGE_ITEMS, next_token: PageToken = "") -> BrakeList:
    """An ad account, a credential, an application or a region that has to wait, and why."""
    from adweir.pipeline.health import brakes_on, says
    from adweir.pipeline.held_back import Concerned, waiting
    from adweir.store.dynamo.paging import from_token, to_token

    now, after = app.clock.now(), from_token(_BRAKES, next_token)
    known = brakes_on(app.ledger, app.catalog)
    if app.accounts:
        ours = Concerned(app.catalog).keys()
        # What several clients wait for was set by one of them, and its reason may name what that one asked for.
        known = [
            brake if brake.profile_id else brake._replace(reason="the platform asked to wait")
            for brake in known
            if brake.key in ours
        ]
    on = sorted((brake for brake in known if brake.key > after), key=lambda one: one.key)
    tasks = waiting(app.ledger, app.catalog, {brake.key for brake in on[:limit]})
    shown = [
        BrakeAnswer(
            **brake._asdict()
            | {
                "key": brake.key,
                "says": says(brake, now),
                "waiting": tasks[brake.key],
                "since": iso_of(brake.since) if brake.since else None,
                "until": iso_of(brake.until),
            }
        )
        for brake in on[:limit]
    ]
    return BrakeList(brakes=shown, next_token=to_token(_BRAKES, shown[-1].key) if len(on) > limit else None)


@brakes.route("DELETE", "/api/v1/brakes/{key}", "Release a brake", scope="write", errors=(404, 409))
def release_brake(
    app: Here,
    caller: Caller,
    key: Annotated[str, Path(description="The brake's key, as the list has it.")],
    reason: Why = "",
) -> ReleasedBrake:
    """The tasks that wait for it are tried again at once. A platform that still refuses puts it on again.

    May be repeated: a brake that is not on stays off, and the answer says so. An unknown platform is a 404; a brake
    that a worker sets again at this moment stays, and is a 409.
    """
    from adweir.pipeline.held_back import release

    released, outcome = release(app.ledger, app.queues.runs, app.platforms, key)
    deed = note_change(app, caller, "release brake", key, outcome, reason=reason, kind="brake")
    return ReleasedBrake(key=key, released=released, outcome=outcome, by=deed.who, at=deed.at, reason=reason)
