"""What is made of stored metrics as files: media-mix datasets and sums. Where they are; building datasets again."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import ConfigDict, Field

from adweir.model.messages import Scope
from adweir.runtime.routes import Here, Resource
from routes.fields import AccountId, AccountPath, Instant, NextToken, Shown, StartedRun
from routes.ingestion import start


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


class DatasetList(Shown):
    """An account's datasets, one per currency, all in one page."""

    datasets: list[DatasetManifest]
    next_token: NextToken = None


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


datasets = Resource("Datasets", "Media-mix datasets, ready for a model")
_ONE = "/api/v1/accounts/{account_id}/mmm"


@datasets.route("GET", _ONE, "List the media-mix datasets of an account", limited=True)
def list_datasets(app: Here, account_id: AccountPath) -> DatasetList:
    """One per currency: money is never summed across currencies; those of single campaigns and of the last days, too.

    Each file has a link that works for 15 minutes.
    """
    known = app.catalog.account(account_id).account_id
    manifests = []
    for found in app.raw.list(f"mmm/{known}/"):
        if found.key.endswith("/mmm_manifest.json"):
            manifest = json.loads(app.raw.get_bytes(found.key))
            for file in _files_in(manifest):
                file["url"] = app.raw.presign(file["key"])
            manifests.append(DatasetManifest.of(manifest))
    return DatasetList(datasets=manifests)


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


@datasets.route("POST", _ONE, "Build the media-mix datasets of an account", limited=True, scope="write", status=202)
def build_account_datasets(app: Here, account_id: AccountPath) -> StartedRun:
    """A run of the workflow `refresh`, which scores the days that changed, too."""
    return start(app, "refresh", Scope(accounts=(app.catalog.account(account_id).account_id,)))


@datasets.route("POST", "/api/v1/etl", "Build the media-mix datasets of all accounts", scope="write", status=202)
def build_datasets(app: Here) -> StartedRun:
    """A run of the workflow `refresh`, which scores the days that changed, too."""
    return start(app, "refresh", Scope())
