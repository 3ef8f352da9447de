"""Ad accounts (profiles): what the credentials reach, and the options by which their numbers are counted."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import ConfigDict, Field

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import Profile
from adweir.model.errors import BadInput, NotFound, Unprocessable
from adweir.model.platforms import Platform
from adweir.model.tasks import Cause
from adweir.model.times import DAY, Window
from adweir.runtime.app import App
from adweir.runtime.changes import note_change
from adweir.runtime.routes import Caller, Here, Resource
from routes.fields import (
    PAGE_ITEMS,
    AccountId,
    Given,
    Limit,
    NextToken,
    OneOf,
    PageToken,
    PlatformId,
    PlatformName,
    PlatformPath,
    Shown,
)
from routes.replay import StartedReplay, start_replay

if TYPE_CHECKING:
    from adweir.platforms.base import Applies


def _by_platform(schema: dict[str, Any]) -> None:
    """Which options each platform has, with its defaults."""
    from adweir.platforms import REGISTRY

    models = [spec.options.model_json_schema() | {"title": f"Options of {spec.title}"} for spec in REGISTRY.specs()]
    for model in models:
        definitions = model.pop("$defs", {})
        model["properties"] = {
            name: {"anyOf": [_inlined(field, definitions), {"type": "null"}]}
            for name, field in model["properties"].items()
        }
    schema.clear()
    schema |= {"anyOf": models, "description": "An option that is left out stays, null resets it to its default."}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """A schema without references."""
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        schema = {**definitions[schema["$ref"].rpartition("/")[2]], **{k: v for k, v in schema.items() if k != "$ref"}}
    return {name: _inlined(value, definitions) for name, value in schema.items()}


class ProfileAnswer(Shown):
    """One platform ad account; `account_id` is the client company that it belongs to."""

    account_id: AccountId
    platform: PlatformId
    profile_id: str = Field(description="The ad account's id on its platform.")
    name: str
    currency: str = Field(description="ISO 4217.", examples=["EUR"])
    timezone: str = Field(description="An IANA time zone; metrics' dates are local to it.", examples=["Europe/Berlin"])
    country: str
    kind: str = Field(description="The platform's own kind of account, e.g. seller or vendor.")
    status: Annotated[str, OneOf("active", "denied", "inactive", "removed")]
    status_raw: str = Field(description="The platform's own word for the status.")
    credential: str = Field(description="The label of the credential that reaches it.", examples=["default"])
    route: str = Field(description="Where its requests go (a region, a manager account); empty where there is one way.")
    options: dict[str, Any] = Field(description="How it is pulled and counted, defaults included.")
    restated_days: int = Field(
        description="How far back the platform says that its numbers change, where it says so; 0 where it does not. The"
        " look-backs follow it, unless the options have their own.",
        ge=0,
    )
    definition: str = Field(description="How conversions and revenue are counted, in words; empty by default.")
    as_of: str = Field(description="When the platform said so (ISO 8601).")
    subscriptions: list[dict[str, str]] = Field(
        default=[], description="To what the platform sends by itself, one per dataset, as the last run found them."
    )


class ProfileList(Shown):
    """One page of ad accounts."""

    profiles: list[ProfileAnswer]
    next_token: NextToken


class ProfileChange(Given):
    """Options to change; the others stay, null resets one to its default."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})
    options: Annotated[dict[str, Any], Field(json_schema_extra=_by_platform)]
    replay: bool = Field(default=False, description="Replay all stored days at once, where that applies all changes.")


def _ways() -> list[str]:
    from adweir.platforms.base import Applies

    return list(Applies)


class OptionChange(Shown):
    """An option that was changed, and how it reaches the days that are stored already."""

    option: str
    applies: Annotated[str, OneOf(known=_ways)] = Field(
        description="replay: by `POST /api/v1/replay`; repull: when they are pulled again;"
        " next_run: it says what is pulled from now on."
    )
    how: str = Field(description="The call that applies it to stored days.")


class ChangedProfile(ProfileAnswer):
    """The ad account with its new options."""

    changed: list[OptionChange]
    replay: StartedReplay | None = Field(description="The replay that was started, where one was asked for.")


profiles = Resource("Ad accounts", "Platform ad accounts and the options by which their numbers are counted")
ProfilePath = Annotated[str, Path(description="The ad account's id on its platform.")]


@profiles.route("GET", "/api/v1/profiles", "List the ad accounts", limited=True)
def list_profiles(
    app: Here,
    account_id: Annotated[
        str,
        Query(
            max_length=limits.MAX_PATH_ID_CHARS,
            description="Only those of this client company (acc_…), or this ad account.",
        ),
    ] = "",
    platform: Annotated[PlatformName, Query(description="Only those of this platform or alias.")] = "",
    limit: Limit = PAGE_ITEMS,
    next_token: PageToken = "",
) -> ProfileList:
    """The ad accounts that the stored credentials reach. With a filter all that match come in one page."""
    given = {name: value for name, value in (("account_id", account_id), ("platform", platform)) if value}
    if given:
        found, token = app.queries.profiles(app.queries.filters(given, "query")), ""
    else:
        found, token = app.catalog.list_profiles(limit, next_token)
    return ProfileList(profiles=[ProfileAnswer(**_shown(app, each)) for each in found], next_token=token or None)


@profiles.route("GET", "/api/v1/profiles/{platform}/{profile_id}", "Get an ad account", limited=True, errors=(422,))
def get_profile(app: Here, platform: PlatformPath, profile_id: ProfilePath) -> ProfileAnswer:
    profile = ad_account(app, app.platforms.parse(platform), profile_id)
    return ProfileAnswer(**_shown(app, profile), subscriptions=list(_subscriptions(app, profile)))


@profiles.route(
    "PATCH",
    "/api/v1/profiles/{platform}/{profile_id}",
    "Change the options of an ad account",
    limited=True,
    scope="write",
)
def update_profile(
    app: Here, caller: Caller, platform: PlatformPath, profile_id: ProfilePath, change: ProfileChange
) -> ChangedProfile:
    """What is pulled from now on is counted by the new options; `changed` says how stored days get them too."""
    from adweir.model.deeds import changes_of
    from adweir.platforms import options
    from adweir.platforms.base import Applies

    spec = app.platforms.spec(app.platforms.parse(platform))
    before: dict[str, Any] = {}

    def apply(stored: Mapping[str, Any]) -> dict[str, Any]:
        before.update(was=options.usable(spec.options, stored))
        return options.changed(spec, stored, change.options)

    profile = app.catalog.change_options(spec.name, profile_id, apply)
    was, now = (options.read(spec.options, stored) for stored in (before["was"], profile.options))
    changed = [
        OptionChange(option=name, applies=applies, how=_how(applies, profile))
        for name, applies in options.differences(spec.options, was, now).items()
    ]
    started = None
    how = {each.applies for each in changed}
    if change.replay and Applies.REPLAY in how and Applies.REPULL not in how:
        today = app.clock.now().date() + DAY  # somewhere it is tomorrow already
        whole = Window(today - timedelta(days=limits.MAX_BACKFILL_DAYS - 1), today)
        started = start_replay(app, profile, whole, [], Cause.OPTIONS)
    note_change(
        app,
        caller,
        "update profile",
        profile.key,
        f"replay_id {started.replay_id}" if started else "done",
        kind="profile",
        account_id=profile.account_id,
        changes=changes_of(was.model_dump(mode="json"), now.model_dump(mode="json")),
    )
    return ChangedProfile(**_shown(app, profile), changed=changed, replay=started)


def _how(applies: "Applies", profile: Profile) -> str:
    from adweir.platforms.base import Applies

    body = f'{{"platform": "{profile.platform}", "profile_id": "{profile.profile_id}", "start": …, "end": …}}'
    if applies is Applies.REPLAY:
        return f'POST /api/v1/replay {body}, or "replay": true beside the options: nothing is pulled'
    scope = f'{{"scope": {{"profiles": ["{profile.key}"], "start": …, "end": …}}}}'
    if applies is Applies.REPULL:
        call = f"POST /api/v1/workflows/repull/runs {scope}"
        return f"{call}: stored answers lack what it asks for, so a replay would make conversions and revenue null"
    return f"the next runs pull what it names; earlier days: POST /api/v1/workflows/backfill/runs {scope}"


def ad_account(app: App, platform: Platform, profile_id: str) -> Profile:
    """The ad account of a platform. Raises NotFound."""
    profile = app.catalog.profile(platform, profile_id)
    if profile is None:
        message = f"there is no ad account {profile_id[:64]} of {platform}"
        raise NotFound(message, [{"field": "profile_id", "message": "is unknown"}])
    return profile


def _subscriptions(app: App, profile: Profile) -> Iterator[dict[str, str]]:
    """As the last run found them."""
    if app.platforms.spec(profile.platform).stream:
        for one in app.catalog.objects(profile.platform, profile.profile_id, Dataset.STREAMS):
            known = one.model_dump(mode="json")
            names = ("status", "status_raw", "since", "subscription_id", "notes", "as_of")
            yield {"dataset": one.id} | {name: known[name] for name in names}


def _shown(app: App, profile: Profile) -> dict[str, Any]:
    """A profile's fields as they are shown: its options with their defaults, and what they mean.

    Options of another version, or of a platform that is not connected any more, are shown as they are stored.
    """
    from adweir.platforms import options

    shown = profile.model_dump(mode="json")
    try:
        read = options.read(app.platforms.spec(profile.platform).options, profile.options)
    except (BadInput, Unprocessable):
        return shown | {"definition": ""}
    return shown | {"options": read.model_dump(mode="json"), "definition": read.definition}
