"""Reads an object of the stream: its lines → what they add to hours of known ad accounts, and what cannot be loaded."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from gzip import GzipFile
from io import BytesIO
from typing import NamedTuple
from zoneinfo import ZoneInfo

from adweir.model import limits
from adweir.model.entities import Profile
from adweir.model.errors import BadInput
from adweir.model.metrics import BadRow
from adweir.model.times import HOURS_A_DAY, is_zone
from adweir.platforms.streams import ChangedLists, HourDelta, StreamHooks
from adweir.quality.quarantine import Quarantine

_AHEAD = timedelta(days=2)
"""No hour comes before it has begun, but a sandbox whose world was moved by a day is up to 36 hours ahead."""


class LocalHour(NamedTuple):
    """An hour on an ad account's clocks; `hour` is one of `SLOT_HOURS`."""

    profile_id: str
    day: str
    hour: int


@dataclass(slots=True)
class Records:
    """The records of an object that can be loaded. `begun`: the instant at which each hour began."""

    hours: dict[LocalHour, list[HourDelta]] = field(default_factory=dict)
    begun: dict[LocalHour, datetime] = field(default_factory=dict)
    changed: dict[ChangedLists, None] = field(default_factory=dict)


class RecordReader:
    """Reads records. `profiles` by `Profile.alias`; numbers are of one alone."""

    def __init__(self, hooks: StreamHooks, profiles: Mapping[str, Sequence[Profile]], now: datetime) -> None:
        self._hooks = hooks
        self._profiles = profiles
        self._oldest = now - timedelta(days=limits.MAX_STREAM_AGE_DAYS)
        self._newest = now + _AHEAD

    def read(self, body: bytes, quarantine: Quarantine) -> Records:
        """The records of an object; those that cannot be loaded go to quarantine. Raises BadInput for other objects."""
        found = Records()
        for number, line in enumerate(_lines(body), 1):
            try:
                record = self._hooks.read(line)
                if isinstance(record, HourDelta):
                    self._add(found, record)
                elif record is not None and record.alias in self._profiles:
                    found.changed[record] = None
            except ValueError as error:
                name, message = error.args if len(error.args) == 2 else ("", str(error))
                fault = {"field": name, "rule": name or "wire", "message": f"{name} {message}".strip()[:300]}
                quarantine.add(BadRow(number, line.decode("utf-8", "replace"), [fault]))
        return found

    def _add(self, found: Records, record: HourDelta) -> None:
        """Raises ValueError (field, message)."""
        named = self._profiles.get(record.alias, ())
        if len(named) != 1:
            which = "more than one ad account" if named else "no ad account that is known here"
            raise ValueError("advertiser_id", f"names {which}: {record.alias[:80]}")
        (profile,) = named
        if record.currency != profile.currency:
            raise ValueError("currency", f"is not the ad account's, {profile.currency}")
        if not self._oldest <= record.start <= self._newest:
            raise ValueError(
                "time_window_start", f"is over {limits.MAX_STREAM_AGE_DAYS} days ago, or ahead of the clock"
            )
        hour = local_hour(record.start, profile)
        found.hours.setdefault(hour, []).append(record)
        found.begun[hour] = record.start


def local_hour(start: datetime, profile: Profile) -> LocalHour:
    """The hour that a time with an offset names: as it is written, and by its offset where that hour comes twice.

    The day is not computed from UTC: what the platform calls 05:00 is 05:00. Raises ValueError (field, message) for a
    time in UTC where the ad account's clocks show another: it may be either.
    """
    if not is_zone(profile.timezone):
        raise ValueError("time_window_start", f"cannot be placed: the ad account's time zone is {profile.timezone!r}")
    zone, written = ZoneInfo(profile.timezone), start.replace(tzinfo=None)
    first, second = (written.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    offset = start.utcoffset()
    if not offset and offset not in (first, second):
        raise ValueError("time_window_start", "is in UTC and not on the clocks of the ad account")
    again = offset == second and first is not None and second is not None and second < first
    return LocalHour(profile.profile_id, written.date().isoformat(), written.hour + HOURS_A_DAY * again)


def _lines(body: bytes) -> Iterator[bytes]:
    """Raises BadInput for what is not packed, damaged, or too large."""
    read = 0
    try:
        for line in GzipFile(fileobj=BytesIO(body)):
            read += len(line)
            if read > limits.MAX_STREAM_BYTES:
                raise BadInput(f"an object of the stream has more than {limits.MAX_STREAM_BYTES} bytes of records")
            if line.strip():
                yield line
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"an object of the stream cannot be unpacked: {error}") from None
