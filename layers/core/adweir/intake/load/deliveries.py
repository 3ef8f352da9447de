"""Loads accepted webhook deliveries: metric pushes → hourly metrics, platform notifications → targeted re-pulls.

The receiver verified a delivery before it stored it; its object's metadata says whose it is: `account_id`, `platform`,
`kind` (push or notification) and `as_of`, the signed time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from adweir.intake.load.commit import Committer, Origin
from adweir.model import limits, trace
from adweir.model.datasets import Dataset
from adweir.model.entities import PlatformObject, Profile
from adweir.model.errors import AdweirError, BadInput
from adweir.model.ids import IdKind
from adweir.model.messages import ObjectArrived, Scope, StartRun
from adweir.model.metrics import BadRow, Grain, Level, MetricRow, Source
from adweir.model.money import to_micros
from adweir.model.platforms import Platform, parse_platform
from adweir.model.ports import Queue
from adweir.model.slices import ALL, of_campaign
from adweir.model.tasks import Pull, Stamp
from adweir.model.times import Window, epoch, parse_instant
from adweir.platforms.meta.webhook import Target, targets
from adweir.quality.quarantine import Quarantine
from adweir.quality.rules import RowLoop
from adweir.store.metrics.brought import PullRows

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog
    from adweir.store.raw.store import RawStore

PREFIX = "webhooks/"
BUCKET_SECONDS = 300
"""One re-pull an object in this time (canonical schema, section 4)."""
_LEVELS = (
    (Level.KEYWORD, "keyword_id"),
    (Level.AD, "ad_id"),
    (Level.AD_GROUP, "ad_group_id"),
    (Level.CAMPAIGN, "campaign_id"),
)
_CHANGEABLE = (Dataset.CAMPAIGNS, Dataset.AD_GROUPS, Dataset.ADS, Dataset.AD_DAILY)
"""What a notification may have changed: a status is the object's, a delivery problem shows in the numbers."""


@dataclass(frozen=True, slots=True)
class _Delivery:
    message: ObjectArrived
    account_id: str
    platform: Platform
    kind: str
    as_of: datetime

    @property
    def task_id(self) -> str:
        return hashlib.sha256(f"push\x1f{self.message.key}".encode()).hexdigest()[:20]

    @property
    def origin(self) -> Origin:
        return Origin(self.kind, self.task_id, self.message.key, platform=self.platform, account_id=self.account_id)


class PushLoader:
    """Loads one stored delivery; again is harmless."""

    def __init__(self, raw: RawStore, catalog: Catalog, committer: Committer, runs: Queue) -> None:
        self._raw = raw
        self._catalog = catalog
        self._committer = committer
        self._runs = runs

    def load(self, message: ObjectArrived, _remaining: Callable[[], float]) -> None:
        """Load a delivery. Raises BadInput for one that cannot be read as a whole."""
        delivery = _delivery(message, self._raw.head(message.key, message.version_id).metadata)
        trace.add(account_id=delivery.account_id, platform=delivery.platform, task_id=delivery.task_id)
        body = self._raw.get_bytes(message.key, message.version_id)
        if delivery.kind == "push":
            self._push(delivery, body)
        elif delivery.platform is Platform.META_ADS:
            self._notify(delivery, body)

    def settle(self, message: ObjectArrived, error: AdweirError) -> None:
        """A delivery that cannot be read: told; the object stays. Raises `error` when its metadata is no delivery's."""
        try:
            delivery = _delivery(message, self._raw.head(message.key, message.version_id).metadata)
        except AdweirError:
            raise error from None
        self._committer.breach(delivery.origin, f"{error.code}: {error.message}")

    # --- metric pushes

    def _push(self, delivery: _Delivery, body: bytes) -> None:
        entries = _entries(body)
        profiles = self._catalog.profiles(delivery.account_id, delivery.platform)
        groups: dict[tuple[str, Level], list[MetricRow]] = {}
        with Quarantine() as quarantine:
            for number, entry in enumerate(entries, 1):
                try:
                    profile, level, row = self._row(entry, number, profiles)
                except ValueError as error:
                    fault = {"field": "", "rule": "push", "message": str(error)[:300]}
                    quarantine.add(BadRow(number, entry, [fault]))
                else:
                    # A later entry of the same hour replaces the earlier one.
                    groups.setdefault((profile.profile_id, level), []).append(row)
            loops = [self._check(delivery, key, rows, profiles, quarantine) for key, rows in sorted(groups.items())]
            origin = delivery.origin
            quarantine_key = quarantine.store(self._raw, origin.quarantine_key)
            for pull, rows, loop in loops:
                if rows.size:
                    self._committer.store(pull, rows, loop, origin, quarantine_key)
            if quarantine.rows:
                self._committer.breach(origin, "rows_quarantined", rows=quarantine.rows, quarantine_key=quarantine_key)

    def _check(
        self,
        delivery: _Delivery,
        key: tuple[str, Level],
        found: list[MetricRow],
        profiles: list[Profile],
        quarantine: Quarantine,
    ) -> tuple[Pull, PullRows, RowLoop]:
        profile = next(profile for profile in profiles if profile.profile_id == key[0])
        newest = {(row.entity_id, row.day, row.hour): row for row in found}
        days = sorted({row.day for row in newest.values()})
        today = delivery.as_of.astimezone(ZoneInfo(profile.timezone)).date()
        plausible = [(today - timedelta(days=n)).isoformat() for n in range(-1, limits.MAX_PUSH_AGE_DAYS + 1)]
        window = Window(*(datetime.fromisoformat(day).date() for day in (days[0], days[-1])))
        pull = Pull(
            platform=delivery.platform,
            profile_id=profile.profile_id,
            level=key[1],
            grain=Grain.HOUR,
            source=Source.PUSH,
            slice=ALL,
            window=window,
            stamp=Stamp.of(delivery.as_of, delivery.task_id),
            complete=False,
            currency=profile.currency,
            timezone=profile.timezone,
            account_id=delivery.account_id,
        )
        rows = PullRows()
        loop = RowLoop(pull, plausible, rows, quarantine)
        loop.take(list(newest.values()), ())
        loop.finish()
        stored = sorted(rows.days())
        if stored:
            pull = replace(
                pull, window=Window(*(datetime.fromisoformat(day).date() for day in (stored[0], stored[-1])))
            )
        return pull, rows, loop

    def _row(self, entry: Mapping[str, Any], number: int, profiles: list[Profile]) -> tuple[Profile, Level, MetricRow]:
        """One entry of a push. Raises ValueError that says what is wrong."""
        profile, level, found = self._resolve(entry, profiles)
        local = _instant(entry.get("timestamp")).astimezone(ZoneInfo(profile.timezone))
        parent = found.ad_group_id if level in {Level.AD, Level.KEYWORD} else ""
        row = MetricRow(
            entity_id=f"{parent}~{found.id}" if parent else found.id,
            day=local.date().isoformat(),
            impressions=_count(entry, "impressions"),
            clicks=_count(entry, "clicks"),
            conversions=_micros(entry, "conversions"),
            spend=_micros(entry, "cost" if "cost" in entry else "spend"),
            revenue=_micros(entry, "revenue"),
            campaign_id=found.campaign_id,
            ad_group_id=found.ad_group_id,
            hour=local.hour,
            currency=str(entry.get("currency") or ""),
            ad_product=found.ad_product,
            line=number,
        )
        return profile, level, row

    def _resolve(self, entry: Mapping[str, Any], profiles: list[Profile]) -> tuple[Profile, Level, PlatformObject]:
        for level, name in _LEVELS:
            value = entry.get(name)
            if value in (None, ""):
                continue
            wanted = str(value)
            group = str(entry.get("ad_group_id") or "")
            if level in {Level.AD, Level.KEYWORD} and group and "~" not in wanted:
                wanted = f"{group}~{wanted}"
            for profile in profiles:
                if entry.get("profile_id") not in (None, "", profile.profile_id):
                    continue
                found = self._catalog.find_object(profile.platform, profile.profile_id, level, wanted)
                if found is not None:
                    return profile, level, found
            raise ValueError(f"{name} {wanted[:60]!r} is not known in this account")
        raise ValueError(f"an entry names one of {', '.join(name for _, name in _LEVELS)}")

    # --- notifications

    def _notify(self, delivery: _Delivery, body: bytes) -> None:
        """Start one re-pull for each object that changed, of it and its numbers; the run's id makes it one in 300 s."""
        for target in targets(body):
            profile = self._catalog.profile(delivery.platform, target.account)
            if profile is None or (delivery.account_id and profile.account_id != delivery.account_id):
                continue
            slice_ = self._slice(profile, target)
            bucket = epoch(delivery.as_of) // BUCKET_SECONDS
            identity = f"{profile.key}\x1f{target.object_type}\x1f{target.object_id}\x1f{bucket}"
            self._runs.send(
                StartRun(
                    workflow="repull",
                    scheduled_at=delivery.as_of,
                    scope=Scope(
                        accounts=(profile.account_id,),
                        platforms=(str(profile.platform),),
                        profiles=(profile.profile_id,),
                        datasets=tuple(dataset.value for dataset in _CHANGEABLE),
                        slice=slice_,
                    ),
                    run_id=IdKind.RUN.of(f"repull-{hashlib.sha256(identity.encode()).hexdigest()[:20]}"),
                    trigger="webhook",
                ),
                group=profile.key,
            )

    def _slice(self, profile: Profile, target: Target) -> str:
        """The campaign of the object; everything when it is not known here yet."""
        if target.object_type == Level.CAMPAIGN:
            return of_campaign(target.object_id)
        if target.object_type == Level.ACCOUNT:
            return ALL
        found = self._catalog.find_object(profile.platform, profile.profile_id, target.object_type, target.object_id)
        return of_campaign(found.campaign_id) if found is not None and found.campaign_id else ALL


def _delivery(message: ObjectArrived, metadata: Mapping[str, str]) -> _Delivery:
    """Raises BadInput when the metadata is none of a delivery."""
    found = {name.replace("-", "_"): value for name, value in metadata.items()}
    try:
        as_of = found["as_of"]
        instant = datetime.fromtimestamp(int(as_of), UTC) if as_of.isdecimal() else parse_instant(as_of)
        if found["kind"] not in {"push", "notification"}:
            raise BadInput(f"a delivery of kind {found['kind'][:40]!r}; known: push, notification")
        return _Delivery(message, found["account_id"], parse_platform(found["platform"]), found["kind"], instant)
    except (KeyError, ValueError) as error:
        raise BadInput(f"the metadata does not describe a delivery: {error!r}"[:200]) from None


def _entries(body: bytes) -> list[Mapping[str, Any]]:
    """The entries of a push, numbers exact. Raises BadInput."""
    try:
        entries = json.loads(body, parse_float=Decimal)["metrics"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadInput('a push is {"metrics": [...]}') from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadInput("metrics is a list of objects")
    return entries


def _instant(value: Any) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(  # noqa: TRY004  one kind of fault for whatever is wrong with an entry
            "timestamp must be ISO 8601 with a zone, or Unix seconds"
        )
    try:
        return datetime.fromtimestamp(value, UTC) if isinstance(value, int) else parse_instant(value)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"timestamp: {error}") from None


def _count(entry: Mapping[str, Any], name: str) -> int:
    value = entry.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} must be a whole number, 0 or more")
    return value


def _micros(entry: Mapping[str, Any], name: str) -> int:
    value = entry.get(name)
    if value is None:
        return 0
    try:
        return to_micros(value)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name}: {error}") from None
