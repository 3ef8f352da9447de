"""Replays: stored raw answers are loaded again, so that a profile's current options reach the days that are stored.

Nothing is pulled. Each raw object that answers for a day of the range goes to the landing queue once more, with the
number of the replay: it replaces what the same pull stored before, and nothing that a newer pull or replay stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from adweir.intake.collect.planner import contiguous
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import Profile
from adweir.model.errors import BadInput, NotFound, Unprocessable
from adweir.model.messages import ObjectArrived, Replay
from adweir.model.metrics import Grain, Series
from adweir.model.platforms import Platform
from adweir.model.ports import Queues
from adweir.model.tasks import Cause, Stamp
from adweir.model.times import DAY, Window
from adweir.store.raw.header import PullHeader, raw_prefix

if TYPE_CHECKING:
    from adweir.platforms import Platforms
    from adweir.store.ledger import Ledger
    from adweir.store.metrics.store import MetricStore
    from adweir.store.raw.store import RawStore


class ReplayedDataset(NamedTuple):
    """What a replay will load: the pulled days of a dataset, and by how many pulls. None: it is not counted."""

    dataset: Dataset
    days: int | None
    pulls: int | None


class Replayer:
    """Requests replays, and sends their objects. With less than `margin` seconds left a message hands on to another."""

    def __init__(
        self,
        metrics: MetricStore,
        raw: RawStore,
        ledger: Ledger,
        queues: Queues,
        platforms: Platforms,
        margin: float = 15.0,
    ) -> None:
        self._metrics = metrics
        self._raw = raw
        self._ledger = ledger
        self._queues = queues
        self._platforms = platforms
        self._margin = margin

    def request(
        self, replay_id: str, profile: Profile, window: Window, names: Sequence[str], cause: Cause
    ) -> tuple[Replay, list[ReplayedDataset]]:
        """Ask for a replay of a profile's days, of the datasets named (all metrics where none is).

        Raises Unprocessable for a dataset that has no metrics there, and for a range that is too long.
        """
        datasets = self._datasets(profile.platform, names)
        if window.length > limits.MAX_BACKFILL_DAYS:
            message = f"at most {limits.MAX_BACKFILL_DAYS} days"
            raise Unprocessable(f"{window} is too long: {message}", [{"field": "start", "message": message}])
        will = []
        for dataset in datasets:
            if dataset.grain is Grain.HOUR and window.length > limits.MAX_COUNTED_HOURLY_DAYS:
                will.append(ReplayedDataset(dataset, None, None))
                continue
            states = self._metrics.days(_series(profile.platform, profile.profile_id, dataset), window)
            days = [state.slices for state in states.values() if state.slices]
            pulls = {(each.as_of, each.task_id) for slices in days for each in slices.values()}
            will.append(ReplayedDataset(dataset, len(days), len(pulls)))
        replay = Replay(
            replay_id=replay_id,
            account_id=profile.account_id,
            platform=profile.platform,
            profile_id=profile.profile_id,
            datasets=tuple(datasets),
            start=window.start,
            end=window.end,
            load=self._ledger.replays.next_load(profile.key),
            cause=cause,
        )
        self._ledger.replays.begin(replay)
        self._queues.runs.send(replay, group=profile.key)
        return replay, will

    def send(self, replay: Replay, remaining: Callable[[], float]) -> None:
        """Send a replay's objects to the landing queue; a message for the rest when there are many or time runs out.

        Each message gets on by an object or a part at least, however little time it has.
        """
        begin, done = _place(replay.cursor)
        sent: dict[tuple[Dataset, Stamp], str] = {}
        for place, (dataset, window) in islice(enumerate(_parts(replay)), begin, None):
            if place > begin and remaining() < self._margin:
                self._continue(replay, place, done)
                return
            series = _series(replay.platform, replay.profile_id, dataset)
            for stamp, days in sorted(self._metrics.answering(series, window).items()):
                if done is not None and stamp <= done:
                    continue
                if sent and (len(sent) >= limits.MAX_REPLAYED_OBJECTS or remaining() < self._margin):
                    self._continue(replay, place, done)
                    return
                key = sent.get((dataset, stamp))  # a pull over the end of a month was sent with its first
                if key is None:
                    key = sent[dataset, stamp] = self._send(replay, dataset, stamp)
                if not key:
                    lost = contiguous(date.fromisoformat(day) for day in days)
                    self._ledger.replays.lost(replay.replay_id, dataset, lost)
                done = stamp
            done = None
        self._ledger.replays.sent_all(replay.replay_id)

    def _continue(self, replay: Replay, place: int, done: Stamp | None) -> None:
        """Hand on to another message, after what was done of the part at `place`."""
        cursor = f"{place} {done}" if done else str(place)
        self._queues.runs.send(replay.model_copy(update={"cursor": cursor}), group=_group(replay))

    def _send(self, replay: Replay, dataset: Dataset, stamp: Stamp) -> str:
        """Send the raw object of a pull; its key, "" when it is gone."""
        key = self._find(replay, dataset, stamp)
        if key:
            self._ledger.replays.sent(replay.replay_id, key)
            again = ObjectArrived(
                bucket=self._raw.bucket, key=key, load=replay.load, cause=replay.cause, replay_id=replay.replay_id
            )
            self._queues.landing.send(again, group=_group(replay))
        return key

    def _find(self, replay: Replay, dataset: Dataset, stamp: Stamp) -> str:
        """The object of the generation that began at the stamp's time."""
        prefix = raw_prefix(replay.platform, replay.profile_id, dataset, stamp.task_id)
        for info in self._raw.list(prefix):
            try:
                if PullHeader.parse(self._raw.metadata(info.key)).as_of == stamp.as_of:
                    return info.key
            except (BadInput, NotFound):
                continue  # of an older schema, or expired at this moment
        return ""

    def _datasets(self, platform: Platform, names: Sequence[str]) -> list[Dataset]:
        served = [dataset for dataset in self._platforms.datasets(platform) if dataset.grain is not None]
        unknown = [name for name in names if name not in served]
        if unknown:
            message = f"{unknown[0][:40]!r} is not one of {', '.join(served)}"
            raise Unprocessable(
                f"this dataset cannot be replayed: {message}", [{"field": "datasets", "message": message}]
            )
        return [dataset for dataset in served if not names or dataset in names]


def _place(cursor: str) -> tuple[int, Stamp | None]:
    """The part at which a replay goes on, and the last of its objects that were sent. Raises BadInput."""
    at, _, after = cursor.partition(" ")
    try:
        place, done = int(at or 0), Stamp.parse(after) if after else None
    except ValueError:
        place, done = -1, None
    if not 0 <= place <= limits.MAX_REPLAY_PLACE:
        raise BadInput(f"not a cursor of a replay: {cursor[:80]!r}")
    return place, done


def _parts(replay: Replay) -> Iterator[tuple[Dataset, Window]]:
    """The datasets by month: as much as is looked at between two looks at the time left."""
    for dataset in replay.datasets:
        start = replay.start
        while start <= replay.end:
            following = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
            yield dataset, Window(start, min(replay.end, following - DAY))
            start = following


def _series(platform: Platform, profile_id: str, dataset: Dataset) -> Series:
    grain = dataset.grain
    if grain is None:
        raise BadInput(f"{dataset} has no metrics")
    return Series(platform, profile_id, dataset.level, grain, dataset.breakdown)


def _group(replay: Replay) -> str:
    return f"{replay.platform}#{replay.profile_id}"
