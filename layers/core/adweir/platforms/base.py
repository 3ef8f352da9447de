"""What a platform's folder says about itself; the rooms above know platforms only through this file and `connector`.

A folder's `__init__.py` holds one `SPEC`. It is imported to list the platforms, so it imports nothing
heavy: `client`, `normalize` and `webhook` beside it are imported when a function works on that platform.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from adweir.model import limits
from adweir.model.datasets import Dataset, Gap
from adweir.model.entities import Profile
from adweir.model.errors import ThrottleScope
from adweir.model.metrics import Grain
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.platforms.credentials import CredentialFields


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a dataset's reports come, in seconds; None leaves it to the deployment's settings.

    `poll_seconds` is the first wait for a report, `poll_max_seconds` the longest; a report that is not ready after
    `report_timeout_seconds` is abandoned, a task that is not finished `deadline_seconds` after it was planned fails.
    """

    poll_seconds: float | None = None
    poll_max_seconds: float | None = None
    report_timeout_seconds: int | None = None
    deadline_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """How a platform serves a dataset.

    `slices`: the pulls that together answer for everything. `lookback_days`: how far back every daily run pulls again;
    `settles_after_days`: how far back the platform may restate at all, which the weekly run pulls again.
    `max_window_days`: the longest window of one request (0: entities). `retention_days`: how long data is kept, by
    slice; key `all` where slices do not differ. `sums_to_parent`: the rows of all slices add up to what the platform
    shows one level higher, so they may answer for it. `on_request`: pulled only for profiles whose option `datasets`
    names it, or that have an option of its name, and where a run's scope does (breakdowns, which cost a request each).
    `lookback_months`: of a dataset by month, how many months before the current one every run asks for. `lacks`: why
    its rows may add up to less than the level above, where they do not sum to it.
    """

    dataset: Dataset
    slices: tuple[str, ...] = (ALL,)
    lookback_days: int = 0
    max_window_days: int = 0
    retention_days: Mapping[str, int] | None = None
    settles_after_days: int = 0
    sums_to_parent: bool = False
    pace: Pace = Pace()
    on_request: bool = False
    lookback_months: int = 0
    lacks: tuple[Gap, ...] = ()

    def under(self, options: Mapping[str, Any]) -> DatasetSpec:
        """The dataset as a profile's options have it: its own look-backs, of metrics by day."""
        own = options.get("lookback_days"), options.get("settles_after_days")
        if own == (None, None) or self.dataset.grain is not Grain.DAY:
            return self
        lookback = self.lookback_days if own[0] is None else int(own[0])
        settles = self.settles_after_days if own[1] is None else int(own[1])
        return replace(self, lookback_days=lookback, settles_after_days=max(settles, lookback))

    def told(self, of_account: Mapping[str, int | bool | None]) -> DatasetSpec:
        """The dataset as it is for one ad account (`Profile.serves`)."""
        kept = of_account.get("retention_days", None)
        own = {name: value for name, value in of_account.items() if name in _TOLD and value is not None}
        if "retention_days" in of_account:
            own["retention_days"] = None if kept is None else {ALL: int(kept)}  # type: ignore[assignment]
        return replace(self, **own) if own else self  # type: ignore[arg-type]

    def oldest(self, slice_: str, today: date) -> date | None:
        """The first day the platform still keeps, or None when it keeps all."""
        kept = (self.retention_days or {}).get(slice_) or (self.retention_days or {}).get(ALL)
        return None if kept is None else date.fromordinal(today.toordinal() - kept)


_TOLD = frozenset({"lookback_days", "max_window_days", "settles_after_days", "sums_to_parent"})


def datasets(*specs: DatasetSpec) -> Mapping[Dataset, DatasetSpec]:
    """Specs by their dataset, as `PlatformSpec.datasets` has them."""
    return {spec.dataset: spec for spec in specs}


def told_of(profile: Profile, known: Mapping[Dataset, DatasetSpec]) -> Mapping[Dataset, DatasetSpec]:
    """Of the datasets that a platform has, those of one ad account, as the platform tells of it."""
    told = profile.serves
    return {dataset: spec.told(told[dataset]) for dataset, spec in known.items() if dataset in told} if told else known


_Days = Annotated[int, Field(ge=1, le=limits.MAX_LOOKBACK_DAYS, strict=True)]


class Applies(StrEnum):
    """How a changed option reaches the days that are stored already.

    REPLAY: the stored raw objects hold what it needs, so a replay applies it. REPULL: it takes a question that earlier
    pulls did not ask (`ProfileOptions.part`), so a replay would leave days unknown, and they are pulled again.
    NEXT_RUN: it says what is pulled; the next runs do, and a backfill where earlier days are wanted.
    """

    REPLAY = "replay"
    REPULL = "repull"
    NEXT_RUN = "next_run"


class ProfileOptions(BaseModel):
    """Base of a platform's profile options (which conversions count, …); each has a sensible default.

    A field's annotation says how it `Applies` to stored days, REPLAY where it says nothing; its `description` is shown
    to people. `datasets`: those that are pulled on request only and wanted for this profile. `lookback_days`,
    `settles_after_days`: instead of those of the platform's datasets by day (`DatasetSpec.under`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    datasets: Annotated[tuple[Dataset, ...], Applies.NEXT_RUN] = ()
    lookback_days: Annotated[_Days | None, Applies.NEXT_RUN] = Field(
        default=None, description="Days that each daily run pulls again; null: as many as the platform restates often."
    )
    settles_after_days: Annotated[_Days | None, Applies.NEXT_RUN] = Field(
        default=None,
        description="Days after which numbers are settled; until then the weekly run pulls them again.",
    )

    @property
    def definition(self) -> str:
        """How conversions and revenue are counted under these options, kept beside the numbers; "": as ever."""
        return ""

    @property
    def part(self) -> str:
        """What a pull asks for beside its own question, so that these options can be applied; "" for nothing."""
        return ""


def _never(_values: Mapping[str, str]) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class PlatformSpec:
    """One platform.

    `name` is stored; people may also use the `aliases`. `package` is the folder as a module, in which `client.connect`
    and `normalize.NORMALIZER` are found, with `webhook` also the hooks of `webhooks.Webhook` in `webhook.HOOKS`,
    with `stream` those of `streams.StreamHooks` in `stream.HOOKS`.
    `recognizes` says whether a credential's values can only be this platform's. `urls`: base URLs by name; a name
    `<name>.<route>` holds for credentials and profiles of that route only. `options` are the options of a profile.
    `throttles`: the scopes of the platform's rate limits; their brakes are read before each task. `keeps_reports`:
    whether reports stay, and count, until they are discarded (`Connector.discard_report`). `described`: what it is
    comes from specs that people store; their hosts are asked with care (`platforms.addresses`). `channel`: the field of
    a campaign (`AdCampaign`) that says what the platform calls its kind, like search or video. `dbt_name`: what
    dbt_ad_reporting calls it, where that is another name.
    """

    name: Platform
    title: str
    package: str
    credential: type[CredentialFields]
    urls: Mapping[str, str]
    datasets: Mapping[Dataset, DatasetSpec]
    aliases: tuple[str, ...] = ()
    recognizes: Callable[[Mapping[str, str]], bool] = _never
    options: type[ProfileOptions] = ProfileOptions
    throttles: tuple[ThrottleScope, ...] = (ThrottleScope.PROFILE,)
    webhook: bool = False
    stream: bool = False
    keeps_reports: bool = False
    described: bool = False
    channel: str = "ad_product"
    dbt_name: str = ""
    url_names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "url_names", frozenset(name.partition(".")[0] for name in self.urls))

    def nothing_listed(self, route: str) -> str:
        """Why a credential that works may list no ad account, in words that follow its name."""
        others = sorted({name.partition(".")[2] for name in self.urls} - {"", route})
        if not others:
            return "lists no ad account of its own: its user has access to none, or another credential lists them first"
        return (
            f"lists no ad account of its own in region {route}: a credential lists those of one region, and it may"
            f" be one of {' or '.join(others)}"
        )

    def url(self, name: str, route: str = "", overrides: Mapping[str, str] | None = None) -> str:
        """The base URL of that name, without a slash at its end. Raises KeyError for a name or route without one."""
        own, routed = overrides or {}, f"{name}.{route}"
        chosen = own.get(routed) or own.get(name) or self.urls.get(routed) or self.urls[name]
        return chosen.rstrip("/")
