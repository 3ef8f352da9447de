"""What is made of stored metrics as files: media-mix datasets and sums. Where they are; building datasets again."""

from collections.abc import Iterator
from typing import Any

from pydantic import ConfigDict, Field

from adweir.runtime.app import App
from adweir.runtime.http import Answer, answer
from adweir.runtime.routes import Here, Resource
from routes.campaigns import CampaignPath
from routes.fields import AccountId, AccountPath, Instant, NextToken, Shown
from routes.media_mix import MixLookShown, MixVersion, coefficients_of


class DatasetFile(Shown):
    """One stored file."""

    key: str = Field(description="Its key in the bucket.")
    sha256: str
    url: str = Field(description="A link that works for 15 minutes.")


class DatasetFiles(Shown):
    """The same table in two formats."""

    model_config = ConfigDict(extra="allow")
    csv: DatasetFile
    parquet: DatasetFile


class WideTable(Shown):
    """One table for models: a row per day or week, a column per channel and measure."""

    model_config = ConfigDict(extra="allow")
    ready: bool = Field(description="Whether the table was stored: no finding is an error.")
    cadence: str = Field(examples=["weekly"])
    channels: list[str]
    rows: int
    first: str | None
    last: str | None
    findings: list[dict[str, Any]] = Field(description="What a modeller needs to know, by severity.")
    features: dict[str, Any] | None = Field(
        None,
        description="Facts of each series of a stored national table, and the file of its periods: `.../features`.",
    )
    files: DatasetFiles | None = None


class DatasetManifest(Shown):
    """An account's dataset of one currency."""

    model_config = ConfigDict(extra="allow")
    account_id: AccountId
    account_name: str
    currency: str
    first_date: str
    last_date: str
    last_settled_date: str | None = Field(description="The last day that no platform restates anymore.")
    files: dict[str, DatasetFiles] = Field(description="The exact rows, by table.")
    tables: dict[str, WideTable] = Field(description="The tables for models, by cadence.")


class MixAnswer(Shown):
    """Datasets, one per currency, and what was learned from them."""

    datasets: list[DatasetManifest]
    coefficients: list[MixVersion] = Field(description="The newest version of each currency, table and KPI.")
    looks: list[MixLookShown] = Field(description="What the last look at each table came to: why there is no fit.")


class AggregateFile(Shown):
    """Sums of a client, as Parquet."""

    level: str = Field(description="By what it sums.", examples=["campaign"])
    grain: str = Field(description="Per what: day, week (from Monday) or month.", examples=["week"])
    rows: int
    incomplete_rows: int = Field(description="Rows of periods of which not every day was pulled whole.")
    first: str | None = Field(description="The first day of its first period; null without any row.")
    last: str | None = Field(description="The first day of its last period.")
    as_of: Instant | None = Field(description="When the newest pull began that it rests on; null without any.")
    covered_until: str | None = Field(description="The last day that was pulled whole on every platform.")
    left_out: int = Field(description="Ad accounts that it lacks, since their time zone is unknown.")
    key: str = Field(description="Its key in the bucket.")
    url: str = Field(description="A link that works for 15 minutes.")


class AggregateList(Shown):
    """A client's sums by level and grain, all in one page."""

    aggregates: list[AggregateFile]
    next_token: NextToken = None


_MIX = {"application/json": {"model": MixAnswer}}
datasets = Resource("Datasets", "Media-mix datasets, ready for a model")
_ONE = "/api/v1/accounts/{account_id}/mmm"


@datasets.route("GET", _ONE, "Show the media mix of an account", limited=True, content=lambda: _MIX)
def show_account_mix(app: Here, account_id: AccountPath) -> Answer:
    """Its datasets, one per currency (money is never summed across currencies; those of single campaigns and of the
    last days, too), with the features of every series, and what each channel brought.

    Each file has a link that works for 15 minutes.
    """
    known = app.catalog.account(account_id).account_id
    return answer({"datasets": [*_manifests(app, known)], **coefficients_of(app, known)})


@datasets.route(
    "GET", "/api/v1/campaigns/{campaign_id}/mmm", "Show the media mix of a campaign", limited=True, content=lambda: _MIX
)
def show_campaign_mix(app: Here, campaign_id: CampaignPath) -> Answer:
    """As of an account, for the campaign alone: its numbers are those of what it is bound to."""
    campaign = app.catalog.campaign(campaign_id)
    found = [each for each in _manifests(app, campaign.account_id) if each["campaign_id"] == campaign_id]
    return answer({"datasets": found, **coefficients_of(app, campaign_id)})


def _manifests(app: App, account_id: str) -> Iterator[dict[str, Any]]:
    """The account's manifests, with a link to each file."""
    from adweir.insight.mmm.featured import manifests

    for manifest in manifests(app.raw, account_id):
        link_files(app, manifest)
        yield manifest


def link_files(app: App, entry: Any) -> None:
    """Add a link to every stored file that a manifest, or a part of one, names."""
    for file in _files_in(entry):
        file["url"] = app.raw.presign(file["key"])


def _files_in(entry: Any) -> Iterator[dict[str, Any]]:
    """Every stored file that a manifest names, at any depth."""
    if isinstance(entry, dict):
        if {"key", "sha256"} <= entry.keys():
            yield entry
        else:
            for part in entry.values():
                yield from _files_in(part)


@datasets.route("GET", "/api/v1/accounts/{account_id}/aggregates", "List the sums of an account", limited=True)
def list_aggregates(app: Here, account_id: AccountPath) -> AggregateList:
    """What stages of the kind `aggregate` made: one file per level and grain, which all currencies share."""
    from adweir.store.raw.sums import stored_sums

    known = app.catalog.account(account_id).account_id
    found = [
        AggregateFile(
            level=level,
            grain=grain,
            rows=int(about.rows),
            incomplete_rows=int(about.incomplete),
            first=about.first or None,
            last=about.last or None,
            as_of=about.as_of or None,
            covered_until=about.covered_until or None,
            left_out=int(about.left_out),
            key=key,
            url=app.raw.presign(key),
        )
        for level, grain, key, about in stored_sums(app.raw, known)
    ]
    return AggregateList(aggregates=found)
