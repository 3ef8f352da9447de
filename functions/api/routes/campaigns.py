"""Cross-platform campaigns and their arms: what an advertiser calls one campaign on several platforms."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import ConfigDict, Field, StringConstraints, WithJsonSchema

from adweir.model import limits
from adweir.model.campaigns import STATUSES, Arm, Binding, Campaign
from adweir.model.entities import SHOWN_OWN, own_profile_id
from adweir.model.errors import NotFound, Unprocessable
from adweir.model.money import to_units
from adweir.runtime.app import App
from adweir.runtime.changes import note_change
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Caller, Here, Resource
from routes.accounts import only_account
from routes.fields import (
    PAGE_ITEMS,
    AccountId,
    Exact,
    Given,
    Instant,
    Limit,
    NextToken,
    OneOf,
    PageToken,
    PlatformId,
    Shown,
)

_MOST = 10**12
_PRINTED = r"^[^\x00-\x1f\x7f-\x9f]*$"
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=limits.MAX_NAME_CHARS, pattern=_PRINTED)
]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=limits.MAX_NAME_CHARS, pattern=_PRINTED)]
ObjectId = Annotated[str, StringConstraints(max_length=limits.MAX_OBJECT_ID_CHARS)]
AnyPlatform = Annotated[str, StringConstraints(max_length=limits.MAX_WORD_CHARS)]
State = Annotated[str, StringConstraints(max_length=limits.MAX_WORD_CHARS), OneOf(*STATUSES)]
Currency = Annotated[str, StringConstraints(max_length=3, pattern=r"^[A-Z]{3}$")]
Amount = Annotated[Decimal, WithJsonSchema({"type": "number", "minimum": 0, "maximum": _MOST})]
Day = Annotated[str, StringConstraints(max_length=limits.MAX_WORD_CHARS), Field(json_schema_extra={"format": "date"})]
Version = Annotated[int, Field(ge=1, le=_MOST)]
_IF = "The version that was read; where another is stored by now, nothing changes (409)."
IfVersion = Annotated[int | None, Query(ge=1, le=_MOST, description=_IF)]
CampaignId = Annotated[str, Field(examples=["cmp_5f0c1d2e3b4a59687786"])]
ArmId = Annotated[str, Field(examples=["arm_5f0c1d2e3b4a596877860a1b2c3d"])]
CampaignPath = Annotated[str, Path(description="The campaign's id, cmp_….")]
ArmPath = Annotated[str, Path(description="The arm's id, arm_….")]
_HOLDS = "What counts as it, of whatever day; a change replaces all. An object belongs to one campaign and one arm."


class GivenBinding(Given):
    """An object of a platform: the most specific id says which; `profile_id` alone is a whole ad account.

    `profile_id` may be left out where one ad account of the client has the object.
    """

    platform: AnyPlatform = Field(default="", description="Of an arm's binding: the arm's where it is left out.")
    profile_id: ObjectId = ""
    campaign_id: ObjectId = ""
    ad_group_id: ObjectId = ""
    ad_id: ObjectId = ""


Bindings = Annotated[list[GivenBinding], Field(max_length=limits.MAX_CAMPAIGN_BINDINGS, description=_HOLDS)]


class CampaignFields(Given):
    """What people say of a campaign. No number depends on its days or its status."""

    status: State = "active"
    budget: Amount | None = None
    start_date: Day | None = None
    end_date: Day | None = None
    bindings: Bindings = Field(default=[])


class NewCampaign(CampaignFields):
    """A cross-platform campaign."""

    name: Name = Field(examples=["Summer"])
    account_id: AccountId = Field(
        default="",
        max_length=limits.MAX_PATH_ID_CHARS,
        description="The client company; where there is one only, it may be left out.",
    )
    currency: Currency = Field(default="", description="Of budget and bids; the client's where it is left out.")


class CampaignChange(CampaignFields):
    """The fields to change; the others stay."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})
    name: Name = Field(default="", min_length=1)
    currency: Currency = ""
    version: Version | None = Field(default=None, description=_IF)


class ArmFields(Given):
    """What an arm is."""

    name: Words = ""
    channel: Words = Field(default="", examples=["search"])
    creative: Words = Field(default="", examples=["beach"])
    bid: Amount | None = None
    status: State = "active"
    bindings: Bindings = Field(default=[])
    version: Version | None = Field(default=None, description=_IF)


class NewArm(ArmFields):
    """An arm of a campaign. One without bindings takes pushed metrics by itself."""

    platform: AnyPlatform = Field(
        description="Of all that it is bound to; it stays. It need not be connected.", examples=["{a-platform}"]
    )


class ArmChange(ArmFields):
    """The fields to change; the others stay."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})


class BoundObject(Shown):
    """An object that is bound, and what it is in."""

    platform: PlatformId
    level: Annotated[str, OneOf("account", "campaign", "ad_group", "ad")]
    profile_id: str
    campaign_id: str | None = Field(description="The platform's.")
    ad_group_id: str | None
    ad_id: str | None


class ArmAnswer(Shown):
    """An arm."""

    arm_id: ArmId
    campaign_id: CampaignId
    account_id: AccountId
    name: str
    platform: PlatformId
    channel: str
    creative: str
    bid: Exact | None
    status: State
    bindings: list[BoundObject]
    version: int = Field(description="Its campaign's, which grows with each change of it or of an arm.")
    created_at: Instant
    updated_at: Instant


class CampaignAnswer(Shown):
    """A cross-platform campaign."""

    campaign_id: CampaignId
    account_id: AccountId
    name: str
    status: State
    budget: Exact | None
    currency: str
    start_date: str | None
    end_date: str | None
    bindings: list[BoundObject] = Field(description="Its own; its arms have theirs.")
    arms: int = Field(description="How many it has.")
    version: int
    created_at: Instant
    updated_at: Instant


class CampaignList(Shown):
    """One page of campaigns, by id."""

    campaigns: list[CampaignAnswer]
    next_token: NextToken


class ArmList(Shown):
    """All arms of a campaign, in one page."""

    arms: list[ArmAnswer]
    next_token: NextToken


class DeletedCampaign(Shown):
    """The campaign that was deleted."""

    campaign_id: CampaignId
    arms: int = Field(description="How many were deleted with it.")
    status: Literal["deleted"] = "deleted"


class DeletedArm(Shown):
    """The arm that was deleted."""

    arm_id: ArmId
    status: Literal["deleted"] = "deleted"


def _is(model: type[Shown]) -> Any:
    return lambda: {"application/json": {"model": model}}


campaigns = Resource("Campaigns", "Campaigns across platforms, their arms, and what both are bound to")
_PATH, _ARMS = "/api/v1/campaigns", "/api/v1/campaigns/{campaign_id}/arms"
_BY_ONE = {"limited": True, "scope": "write", "errors": (409,)}


@campaigns.route("POST", _PATH, "Create a campaign", status=201, content=_is(CampaignAnswer), **_BY_ONE)
def create_campaign(app: Here, caller: Caller, new: NewCampaign) -> Answer:
    """Then its id may stand where a platform's campaign id does: for all that it and its arms are bound to."""
    given = new.model_dump(exclude_unset=True)
    account_id = given.pop("account_id", "") or only_account(app)
    try:
        made = app.campaigns.create(account_id, given)
    except NotFound as error:  # a client that the body names
        raise Unprocessable(error.message, error.details) from None
    _note(app, caller, "create campaign", None, made)
    return answer(_shown(made), 201)


@campaigns.route("GET", _PATH, "List the campaigns", limited=True, content=_is(CampaignList))
def list_campaigns(
    app: Here,
    account_id: Annotated[
        str, Query(max_length=limits.MAX_PATH_ID_CHARS, description="Only those of this client company, acc_….")
    ] = "",
    limit: Limit = PAGE_ITEMS,
    next_token: PageToken = "",
) -> Answer:
    """Those of platforms are at `GET /api/v1/platform-campaigns`."""
    found, token = app.catalog.list_campaigns(limit, next_token, account_id)
    return answer({"campaigns": [_shown(each) for each in found], "next_token": token or None})


@campaigns.route("GET", f"{_PATH}/{{campaign_id}}", "Get a campaign", limited=True, content=_is(CampaignAnswer))
def get_campaign(app: Here, campaign_id: CampaignPath) -> Answer:
    return answer(_shown(app.catalog.campaign(campaign_id)))


@campaigns.route("PATCH", f"{_PATH}/{{campaign_id}}", "Change a campaign", content=_is(CampaignAnswer), **_BY_ONE)
def change_campaign(app: Here, caller: Caller, campaign_id: CampaignPath, change: CampaignChange) -> Answer:
    """What it is bound to from now on counts for all days, those of the past, too."""
    given, version = _changes(change)
    was, fresh = app.campaigns.change(campaign_id, given, version)
    _note(app, caller, "change campaign", was, fresh)
    return answer(_shown(fresh))


@campaigns.route("DELETE", f"{_PATH}/{{campaign_id}}", "Delete a campaign", **_BY_ONE)
def delete_campaign(app: Here, caller: Caller, campaign_id: CampaignPath) -> DeletedCampaign:
    """Its arms go with it. What was measured stays, under the ids of the platforms."""
    gone = app.campaigns.delete(campaign_id)
    about = {"kind": "campaign", "account_id": gone.account_id}
    note_change(app, caller, "delete campaign", campaign_id, f"named {gone.name}, with {len(gone.arms)} arms", **about)
    return DeletedCampaign(campaign_id=campaign_id, arms=len(gone.arms))


@campaigns.route("POST", _ARMS, "Create an arm", status=201, content=_is(ArmAnswer), **_BY_ONE)
def create_arm(app: Here, caller: Caller, campaign_id: CampaignPath, new: NewArm) -> Answer:
    given, version = _changes(new)
    campaign, arm = app.campaigns.create_arm(campaign_id, given.pop("platform"), given, version)
    _note_arm(app, caller, "create arm", campaign, None, arm)
    return answer(_shown_arm(campaign, arm), 201)


@campaigns.route("GET", _ARMS, "List the arms of a campaign", limited=True, content=_is(ArmList))
def list_arms(app: Here, campaign_id: CampaignPath) -> Answer:
    campaign = app.catalog.campaign(campaign_id)
    return answer({"arms": [_shown_arm(campaign, arm) for arm in campaign.arms], "next_token": None})


@campaigns.route("PATCH", f"{_ARMS}/{{arm_id}}", "Change an arm", content=_is(ArmAnswer), **_BY_ONE)
def change_arm(app: Here, caller: Caller, campaign_id: CampaignPath, arm_id: ArmPath, change: ArmChange) -> Answer:
    """What it is bound to from now on counts for all days. While it is bound, numbers of its own do not count."""
    given, version = _changes(change)
    app.campaigns.arm(arm_id, campaign_id)
    was, campaign, arm = app.campaigns.change_arm(arm_id, given, version)
    _note_arm(app, caller, "change arm", campaign, was, arm)
    return answer(_shown_arm(campaign, arm))


@campaigns.route("DELETE", f"{_ARMS}/{{arm_id}}", "Delete an arm", **_BY_ONE)
def delete_arm(
    app: Here, caller: Caller, campaign_id: CampaignPath, arm_id: ArmPath, version: IfVersion = None
) -> DeletedArm:
    """What it was bound to counts for its campaign as far as that is bound to it, too. Metrics of its own can no longer
    be asked for."""
    app.campaigns.arm(arm_id, campaign_id)
    campaign, gone = app.campaigns.delete_arm(arm_id, version)
    _note_arm(app, caller, "delete arm", campaign, gone, None)
    return DeletedArm(arm_id=arm_id)


def _changes(change: CampaignChange | ArmFields) -> tuple[dict[str, Any], int | None]:
    """The fields that were named, and the version that was read."""
    given = change.model_dump(exclude_unset=True)
    version = given.pop("version", None)
    if not given:
        raise Unprocessable("nothing to change", [{"field": "body", "message": "at least one field is needed"}])
    return given, version


def _shown(campaign: Campaign) -> dict[str, Any]:
    return campaign.model_dump(mode="json") | {
        "budget": to_units(campaign.budget),
        "start_date": campaign.start_date or None,
        "end_date": campaign.end_date or None,
        "bindings": [_bound(campaign, each) for each in campaign.bindings],
        "arms": len(campaign.arms),
    }


def _shown_arm(campaign: Campaign, arm: Arm) -> dict[str, Any]:
    whose = {name: getattr(campaign, name) for name in ("campaign_id", "account_id", "version")}
    bindings = [_bound(campaign, each) for each in arm.bindings]
    return arm.model_dump(mode="json") | whose | {"bid": to_units(arm.bid), "bindings": bindings}


def _bound(campaign: Campaign, binding: Binding) -> dict[str, Any]:
    ids = {name: value or None for name, value in binding.model_dump(mode="json").items()}
    is_own = binding.profile_id == own_profile_id(campaign.account_id)
    return ids | {"level": binding.level, "profile_id": SHOWN_OWN if is_own else binding.profile_id}


def _note(app: App, caller: str, deed: str, was: Campaign | None, fresh: Campaign) -> None:
    from adweir.pipeline.recorded import campaign_changes

    about = {"kind": "campaign", "account_id": fresh.account_id, "changes": campaign_changes(was, fresh)}
    note_change(app, caller, deed, fresh.campaign_id, f"version {fresh.version}", **about)


def _note_arm(app: App, caller: str, deed: str, campaign: Campaign, was: Arm | None, arm: Arm | None) -> None:
    from adweir.pipeline.recorded import arm_changes

    (arm_id, *_) = (one.arm_id for one in (was, arm) if one)
    about = {"kind": "arm", "account_id": campaign.account_id, "changes": arm_changes(was, arm)}
    note_change(app, caller, deed, arm_id, f"version {campaign.version} of {campaign.campaign_id}", **about)
