"""Entities: what the catalog stores."""

from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from adweir.model.budgets import ListedBudget
from adweir.model.conversion_columns import ConversionColumn
from adweir.model.labels import DEFAULT
from adweir.model.media_mix import MediaMix
from adweir.model.platforms import Platform


class Status(StrEnum):
    """Canonical status of a platform object; `status_raw` beside it keeps the platform's own word.

    ARCHIVED: put away by its owner, and still listed by its platform. REMOVED: deleted, or in no complete list now.
    """

    ACTIVE = "active"
    PAUSED = "paused"
    PENDING = "pending"
    REJECTED = "rejected"
    ENDED = "ended"
    ARCHIVED = "archived"
    REMOVED = "removed"
    UNKNOWN = "unknown"


class ProfileStatus(StrEnum):
    """DENIED: permission was lost. REMOVED: no listing brings it any more. INACTIVE: its client account was deleted."""

    ACTIVE = "active"
    DENIED = "denied"
    REMOVED = "removed"
    INACTIVE = "inactive"


class Entity(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Account(Entity):
    """A client company.

    `naming`: how it names its campaigns, ad groups and ads, by level (`model.naming`). `currency` and `timezone` are
    those of its own figures, "" for those of its first ad account. `media_mix`: how its media-mix datasets are made.
    """

    account_id: str
    company_name: str
    primary_contact_email: str
    status: str = "active"
    naming: dict[str, str] = {}
    media_mix: MediaMix = MediaMix()
    currency: str = ""
    timezone: str = ""
    created_at: str = ""
    updated_at: str = ""


class Credential(Entity):
    """A credential's metadata; the secret values are only in Secrets Manager under `secret_id`.

    An account may have several of one platform, told apart by their `label` (`model.labels`).
    `state`: active or broken. `version` grows with each replacement, so a worker never marks the wrong one broken.
    `route` says where its requests go (a region), `app` is a hash of the application that quotas are counted for.
    `ends_on` is the day on which it ends (YYYY-MM-DD), "" where nobody has said so.
    """

    account_id: str
    platform: Platform
    secret_id: str
    label: str = DEFAULT
    state: str = "active"
    version: int = 1
    created_at: str = ""
    updated_at: str = ""
    reason: str = ""
    route: str = ""
    app: str = ""
    ends_on: str = ""

    def days_left(self, today: date) -> int | None:
        """Days until it ends, negative afterwards; None where nobody has said so."""
        return (date.fromisoformat(self.ends_on) - today).days if self.ends_on else None


class Owner(StrEnum):
    """Who pulls an ad account that a credential lists: the client and the credential that listed it first."""

    THIS_CREDENTIAL = "this_credential"
    OTHER_CREDENTIAL = "other_credential"
    OTHER_CLIENT = "other_client"


class Profile(Entity):
    """One platform ad account. `kind` is the platform's own word for the sort of account, "" where there is one sort.

    `credential` is the label of the credential that reaches it, `route` what a request about it has to say or where it
    goes (a region, a manager account). `options` are the platform's profile options that differ from their defaults.
    `alias` is how the platform's stream names it, "" where it has none.
    `restated_days`: how far back the platform says that this ad account's numbers change; 0 where it does not.
    `serves`: the datasets of this ad account, each with what differs from its platform's; empty: all of the platform's.

    Not every profile is listed by a platform. A client's own figures (orders, KPIs) are of its own profile, one per
    source, whose name stands for the platform. Files may be of a platform that nothing here pulls.
    """

    account_id: str
    platform: Platform
    profile_id: str
    name: str
    currency: str
    timezone: str
    country: str = ""
    kind: str = ""
    status: ProfileStatus = ProfileStatus.ACTIVE
    as_of: str = ""
    status_raw: str = ""
    credential: str = DEFAULT
    route: str = ""
    options: dict[str, Any] = {}
    restated_days: int = 0
    alias: str = ""
    serves: dict[str, dict[str, int | bool | None]] = {}

    @property
    def requested(self) -> frozenset[str]:
        """Datasets that are pulled for it on request: those that its options name, and those that have an option."""
        return frozenset(self.options.get("datasets", ())) | self.options.keys()

    @property
    def pulled_by(self) -> dict[str, Any]:
        """The options, with look-backs as the platform tells them of this ad account where no option says otherwise."""
        told = dict.fromkeys(("lookback_days", "settles_after_days"), self.restated_days) if self.restated_days else {}
        return told | {name: value for name, value in self.options.items() if value is not None}

    @property
    def key(self) -> str:
        return f"{self.platform}#{self.profile_id}"

    @property
    def is_listed(self) -> bool:
        """Whether a credential lists it. Of one that is not, nothing is pulled, so nothing can be missing."""
        return bool(self.credential)

    @property
    def is_own(self) -> bool:
        """Whether it is the account's own."""
        return self.profile_id.startswith(_OWN)

    @property
    def has_ads(self) -> bool:
        """Whether it may have ads: the account's own only where a file brought some."""
        return not self.is_own or self.kind == WITH_ADS

    @property
    def shown_id(self) -> str:
        """Its id as answers show it."""
        return SHOWN_OWN if self.is_own else self.profile_id


_OWN = "direct~"
SHOWN_OWN = "direct"
"""What answers show in place of the id of an account's own profile."""
WITH_ADS = "ads"
"""The kind of an account's own profile that a file brought ads of."""


def own_profile_id(account_id: str) -> str:
    """The id of an account's own profile. No two accounts share one."""
    return f"{_OWN}{account_id}"


class PlatformObject(Entity):
    """Common to campaigns, ad groups, ads and keywords of a platform. `as_of` orders versions."""

    platform: Platform
    profile_id: str
    id: str
    name: str = ""
    status: Status = Status.UNKNOWN
    status_raw: str = ""
    campaign_id: str = ""
    ad_group_id: str = ""
    ad_product: str = ""
    start_date: str = ""
    end_date: str = ""
    as_of: str = ""


class AdCampaign(PlatformObject):
    """`budget` in millionths of the profile's currency.

    `reported` is False for a campaign that the platform leaves out of its reports: its numbers are unknown, not 0.
    `budgets`: the one of today and those before, once a list had another one.
    `conversion_columns`: what numbered columns count, where the platform numbers them, with what they counted before.
    """

    budget: int | None = None
    budgets: tuple[ListedBudget, ...] = ()
    budget_type: str = ""
    objective: str = ""
    targeting_type: str = ""
    reported: bool = True
    conversion_columns: tuple[ConversionColumn, ...] = ()


class AdGroup(PlatformObject):
    bid: int | None = None


class Ad(PlatformObject):
    """An ad. The API adds its metrics over the requested range: `reporting.ads`."""

    headline: str | None = None
    description: str | None = None
    cta: str | None = None
    image_url: str | None = None
    video_url: str | None = None
    landing_page_url: str | None = None
    relevance_score: float | None = None
    quality_score: float | None = None
    score_scale: str = ""


class KeywordKind(StrEnum):
    """What an ad group is targeted by. NEGATIVE: a keyword or target that ads are not shown for."""

    KEYWORD = "keyword"
    PRODUCT_TARGET = "product_target"
    AUDIENCE = "audience"
    AUTOMATIC = "automatic"
    NEGATIVE = "negative"


class Keyword(PlatformObject):
    """A keyword, target or negative. `text` of a target is its expression as the platform writes it.

    `bid` in millionths of the profile's currency. A campaign's negative has no `ad_group_id`.
    """

    kind: KeywordKind = KeywordKind.KEYWORD
    text: str = ""
    match_type: str = ""
    bid: int | None = None
    quality_score: float | None = None


class AdCreative(PlatformObject):
    """What an ad shows, where the platform keeps it apart from the ad. `kind` is the platform's own word."""

    kind: str = ""
    headline: str | None = None
    description: str | None = None
    cta: str | None = None
    image_url: str | None = None
    video_url: str | None = None
    landing_page_url: str | None = None


class ChangedCampaign(PlatformObject):
    """A campaign of which something changed, as the platform tells; never stored. `id` "": the whole ad account.

    `changed_at` is the moment of the latest change, in the platform's words.
    """

    changed_at: str = ""


class Subscription(PlatformObject):
    """A profile's subscription to a dataset of its platform's stream; `id` is the dataset.

    `since` (`model.times.iso`): from when on it sends everything; hours that began before are incomplete.
    `subscription_id` is the platform's, "" where somebody else made it. `notes`: what the platform says besides.
    """

    since: str = ""
    subscription_id: str = ""
    notes: str = ""


class NamedDocument(Entity):
    """A document of the deployment that is stored whole; `body` is its JSON."""

    name: str
    body: str
    version: int = 1
    created_at: str = ""
    updated_at: str = ""


class SourceSpec(NamedDocument):
    """A stored description of an API (`platforms.described`)."""


class StoredWorkflow(NamedDocument):
    """A workflow that a user defined (`pipeline.flow_forms`)."""


class ApiKey(Entity):
    """An API key's record; the key itself is shown once and stored as a SHA-256.

    `accounts`: the client companies that it is limited to; none means all. `expires_at`: "" for a key without an end.
    After a rotation the value before works until `previous_ends_at`, "" when there is none.
    """

    key_id: str
    name: str
    hash: str
    scopes: tuple[str, ...]
    accounts: tuple[str, ...] = ()
    expires_at: str = ""
    status: str = "active"
    created_at: str = ""
    revoked_at: str | None = None
    rotations: int = 0
    rotated_at: str | None = None
    previous_hash: str = ""
    previous_ends_at: str = ""
