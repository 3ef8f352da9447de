"""Publishes an account's media-mix datasets: tidy and wide, CSV and Parquet, and the manifest that lists them.

One dataset per account and currency (money is never summed across currencies), under `mmm/<account>/<currency>/`:

    ad_reporting.csv|.parquet            the tidy layer, exact decimals
    daily|weekly/mmm_input.csv|.parquet  the wide layer; Parquet has doubles and `time` as text, as Meridian wants it
    mmm_manifest.json                    written last: the files that it lists, with their SHA-256, are complete

The same stored metrics give the same bytes. The manifest has a hash of what its dataset is made of, `inputs`: where
that is the same, nothing is made or stored.
"""

from __future__ import annotations

import csv
import hashlib
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from io import BytesIO
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.insight.mmm.gates import Finding, Severity, check
from adweir.insight.mmm.tidy import COLUMNS, Names, TidyWriter, guard, tidy_row
from adweir.insight.mmm.wide import Cadence, Sums, Wide, build
from adweir.insight.parquet import to_parquet
from adweir.model.datasets import Dataset
from adweir.model.entities import Account, Profile, ProfileStatus
from adweir.model.errors import NotFound
from adweir.model.metrics import METRICS, Level
from adweir.model.times import DAY, Clock, Window, is_zone, local_date
from adweir.reporting.reading import DayCoverage, ProfileQuestion, ReadRow

if TYPE_CHECKING:
    from adweir.reporting.query import Queries
    from adweir.store.catalog.store import Catalog
    from adweir.store.raw.store import RawStore

_HISTORY = 1096 * DAY
_FORM = 1
"""The version of what is made of the same inputs: a greater one has every dataset made anew."""


class _Covered(NamedTuple):
    """A profile's days that were pulled whole, and by metric the days on which some of it is unknown."""

    days: dict[date, DayCoverage]
    unknown: Mapping[str, set[date]]


class _Found(NamedTuple):
    """What a dataset is made of: the ad accounts, and what is known of their days; `about` is the manifest's part."""

    profiles: list[Profile]
    window: Window
    uncovered: set[date]
    unknown: Mapping[tuple[str, str], set[date]]
    about: dict[str, Any]

    def hashed(self, tidy: Path) -> str:
        """A short text that differs where anything does that a dataset with these rows is made of."""
        unknown = sorted((*key, *map(str, sorted(days))) for key, days in self.unknown.items())
        with tidy.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
        beside = [_FORM, self.about, [str(day) for day in sorted(self.uncovered)], unknown]
        digest.update(json.dumps(beside, sort_keys=True).encode())
        return digest.hexdigest()[:24]


class Publisher:
    """Builds and stores the datasets of accounts."""

    def __init__(
        self,
        catalog: Catalog,
        queries: Queries,
        objects: RawStore,
        clock: Clock,
    ) -> None:
        self._catalog = catalog
        self._queries = queries
        self._objects = objects
        self._clock = clock

    def publish(self, account_id: str) -> list[dict[str, Any]]:
        """Make the account's datasets that are not up to date, and return the manifests of all.

        Raises NotFound when there is no such account.
        """
        account = self._catalog.account(account_id)
        by_currency: dict[str, list[Profile]] = defaultdict(list)
        for profile in self._catalog.profiles(account_id):
            if self._queries.served(profile):
                by_currency[profile.currency].append(profile)
        manifests = []
        for currency, profiles in sorted(by_currency.items()):
            found = self._read(account, currency, sorted(profiles, key=lambda profile: profile.key))
            if found is not None:
                manifests.append(self._publish_currency(f"mmm/{account.account_id}/{currency}", found))
        return manifests

    def _read(self, account: Account, currency: str, profiles: list[Profile]) -> _Found | None:
        """What there is to publish of a currency; None where nothing was pulled whole."""
        read = {profile.key: self._covered(profile) for profile in profiles if _is_readable(profile)}
        covered = {key: found.days for key, found in read.items()}
        pulled = [profile for profile in profiles if covered.get(profile.key)]
        if not pulled:
            return None
        start = max(min(covered[profile.key]) for profile in pulled)
        end = min(max(covered[profile.key]) for profile in pulled)
        window = Window(min(start, end), end)
        unknown = {
            (profile.key, metric): days
            for profile in pulled
            for metric, found in read[profile.key].unknown.items()
            if (days := found & {*window.days()})
        }
        about = {
            "account_id": account.account_id,
            "account_name": account.company_name,
            "currency": currency,
            "timezones": {profile.key: profile.timezone for profile in pulled},
            "profiles_left_out": {each.key: _why_left_out(each) for each in profiles if each not in pulled},
            "first_date": start.isoformat(),
            "last_date": end.isoformat(),
            "last_settled_date": _last_settled([covered[profile.key] for profile in pulled], window),
        }
        uncovered = {day for profile in pulled for day in window.days() if day not in covered[profile.key]}
        return _Found(pulled, window, uncovered, unknown, about)

    def _publish_currency(self, root: str, found: _Found) -> dict[str, Any]:
        sums = Sums()
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            tidy = place / "ad_reporting.csv"
            written = self._write_tidy(tidy, found.profiles, found.window, sums)
            inputs, before = found.hashed(tidy), self._manifest(root)
            if before.get("inputs") == inputs:
                return before
            if before:
                self._put_manifest(root, before | {"inputs": None})  # its files are about to be replaced
            stored = self._store(root, tidy, dict(COLUMNS), formulas=written.has_formulas)
            files = {"ad_reporting": stored | {"rows": written.count}}
            tables = {}
            for cadence in Cadence:
                wide = build(sums, found.window, {profile.platform for profile in found.profiles}, cadence)
                gates = check(wide, found.uncovered, found.unknown)
                tables[cadence.value] = self._wide_entry(root, place, wide, gates)
            manifest: dict[str, Any] = {
                "schema": 1,
                **found.about,
                "geos": [],
                "kpi": {
                    "conversions": "attributed by the platforms, summed; replace with your own KPI where you have one",
                    "revenue": "attributed by the platforms, summed",
                },
                "controls": [],
                "files": files,
                "tables": tables,
                "inputs": inputs,
            }
            self._put_manifest(root, manifest)
        return manifest

    def _manifest(self, root: str) -> dict[str, Any]:
        """The manifest that is stored; empty when there is none."""
        try:
            found: dict[str, Any] = json.loads(self._objects.get_bytes(f"{root}/mmm_manifest.json"))
        except NotFound:
            return {}
        return found

    def _put_manifest(self, root: str, manifest: Mapping[str, Any]) -> None:
        body = json.dumps(manifest, indent=2).encode() + b"\n"
        self._objects.put(f"{root}/mmm_manifest.json", BytesIO(body), content_type="application/json")

    def _covered(self, profile: Profile) -> _Covered:
        """The days whose account totals rest on a whole pull, of the account level or of one that stands for it.

        They begin after the last day in another currency: an ad account may change its own.
        """
        today = local_date(self._clock.now(), profile.timezone)
        history = Window(today - _HISTORY, today - DAY)
        reader = self._queries.reader(profile, ProfileQuestion(history, Level.ACCOUNT))
        foreign, unknown = "", defaultdict[str, set[date]](set)
        for read in reader.rows():
            if not _is_in(profile.currency, read):
                foreign = max(foreign, read.row.day)
            elif None in read.row.slot:
                for name in compress(METRICS, (number is None for number in read.row.slot)):
                    unknown[name].add(date.fromisoformat(read.row.day))
        found = reader.coverage()
        days = {day: covered for day, covered in found.items() if covered.whole and day.isoformat() > foreign}
        return _Covered(days, unknown)

    def _write_tidy(self, target: Path, profiles: Iterable[Profile], window: Window, sums: Sums) -> TidyWriter:
        """The ads, and what they leave of their accounts, so that the sums are what the account level answers.

        Ads that were last pulled before their account changed its currency are left out: the rest makes up for them.
        """
        with target.open("w", encoding="utf-8", newline="") as file:
            writer = TidyWriter(file)
            for profile in profiles:
                names = self._names(profile)
                for read in self._queries.reader(profile, ProfileQuestion(window, Level.AD, rest=True)).rows():
                    if _is_in(profile.currency, read):
                        sums.add(date.fromisoformat(read.row.day), profile.platform, read.row.slot)
                        writer.write(tidy_row(read, profile, names))
            return writer

    def _names(self, profile: Profile) -> Names:
        def of(dataset: Dataset) -> dict[str, str]:
            found = self._catalog.objects(profile.platform, profile.profile_id, dataset)
            return {item.id: item.name for item in found}

        return Names(of(Dataset.CAMPAIGNS), of(Dataset.AD_GROUPS), of(Dataset.ADS))

    def _wide_entry(self, root: str, place: Path, wide: Wide, findings: list[Finding]) -> dict[str, Any]:
        """The manifest's entry of one cadence; a table with an error is described, not stored."""
        ready = all(finding.severity is not Severity.ERROR for finding in findings)
        entry: dict[str, Any] = {
            "ready": ready,
            "cadence": wide.cadence.value,
            "channels": list(wide.channels),
            "organic": list(wide.organic),
            "dropped": [asdict(dropped) for dropped in wide.dropped],
            "findings": [asdict(finding) for finding in findings],
            "rows": len(wide.times),
            "first": wide.times[0] if wide.times else None,
            "last": wide.times[-1] if wide.times else None,
        }
        if ready:
            folder = place / wide.cadence
            folder.mkdir()
            target = folder / "mmm_input.csv"
            with target.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(wide.rows())
            types = {"time": "VARCHAR"} | dict.fromkeys(wide.columns, "DOUBLE")
            entry["files"] = self._store(f"{root}/{wide.cadence}", target, types)
        return entry

    def _store(self, root: str, csv_file: Path, types: Mapping[str, str], *, formulas: bool = False) -> dict[str, Any]:
        """Store a CSV and its Parquet twin; `{"csv": {"key", "sha256"}, "parquet": ...}`.

        With `formulas`, texts that a spreadsheet would run have an apostrophe in front, in the CSV only.
        """
        parquet = csv_file.with_suffix(".parquet")
        to_parquet(csv_file, parquet, types)
        if formulas:
            plain = csv_file.rename(csv_file.with_suffix(".plain"))
            with (
                plain.open(encoding="utf-8", newline="") as source,
                csv_file.open("w", encoding="utf-8", newline="") as target,
            ):
                guard(source, target)
        stored = {}
        for kind, path, content_type in (
            ("csv", csv_file, "text/csv; charset=utf-8"),
            ("parquet", parquet, "application/vnd.apache.parquet"),
        ):
            key = f"{root}/{path.name}"
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                file.seek(0)
                self._objects.put(key, file, content_type=content_type)
            stored[kind] = {"key": key, "sha256": digest}
        return stored


def _is_in(currency: str, read: ReadRow) -> bool:
    return not currency or read.row.currency in {"", currency.strip().upper()}


def _is_readable(profile: Profile) -> bool:
    return profile.status == ProfileStatus.ACTIVE and is_zone(profile.timezone)


def _why_left_out(profile: Profile) -> str:
    if profile.status != ProfileStatus.ACTIVE:
        return f"profile is {profile.status}"
    return "never pulled" if is_zone(profile.timezone) else f"unknown time zone {profile.timezone[:40]!r}"


def _last_settled(covered: Iterable[Mapping[date, DayCoverage]], window: Window) -> str | None:
    """The last day of the window whose stored numbers are final in every profile."""
    settled = [{day for day, found in days.items() if found.settled} for days in covered]
    common = set.intersection(*settled) & set(window.days())
    return max(common).isoformat() if common else None
