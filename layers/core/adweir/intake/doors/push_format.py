"""The body of a metric push as its sender writes it (docs/data-model.md, "Metric pushes").

`{"metrics": [{campaign_id | ad_group_id | ad_id | keyword_id | arm_id, timestamp, impressions, clicks, conversions,
revenue, cost, currency}]}`, with `profile_id` where an id alone is ambiguous. The most specific id says what a metric
is about. `campaign_id` may be that of a cross-platform campaign (`cmp_…`), `arm_id` that of one of its arms. Here a
metric is read and its numbers and time are checked; `pushed_campaigns` and `pushed_hours` find what its ids stand for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from decimal import Decimal, DecimalException
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from adweir.intake.doors.faults import FieldFault, refused
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.errors import BadInput, TooLarge, Unprocessable
from adweir.model.ids import IdKind
from adweir.model.metrics import Slot
from adweir.model.money import from_micros, to_micros
from adweir.model.times import parse_instant

_MICROS_END = 1 << limits.MAX_FIGURE_BITS
_ABOUT: tuple[tuple[str, Dataset], ...] = (
    ("keyword_id", Dataset.KEYWORDS),
    ("ad_id", Dataset.ADS),
    ("ad_group_id", Dataset.AD_GROUPS),
    ("campaign_id", Dataset.CAMPAIGNS),
)
"""What a metric can be about, the most specific first."""
_ARM = "arm_id"
_OTHER_IDS = ("profile_id", *(name for name, _ in _ABOUT))
_Id = str | int


class Metric(NamedTuple):
    """One metric of a push, read and within its bounds; its ids are the sender's words.

    `field` names the id that says what the metric is about, `dataset` its kind, `wanted` the id (an ad's or keyword's
    with its group in front, `group~id`, where the sender gave one). `is_ours`: the id is that of a cross-platform
    campaign or an arm, and its kind is not known yet. `slot` has counts and millionths.
    """

    position: int
    field: str
    dataset: Dataset
    wanted: str
    profile_id: str
    campaign_id: str
    currency: str
    instant: datetime
    slot: Slot
    is_ours: bool = False


class _SentMetric(msgspec.Struct, forbid_unknown_fields=True):
    """One metric as it is sent. Ratios are accepted and ignored: they are derived from sums.

    Amounts are read by `_amount`: a decoder of Decimals would also take " 1_0 ".
    """

    timestamp: str | int
    platform: str = ""
    profile_id: _Id = ""
    campaign_id: _Id = ""
    ad_group_id: _Id = ""
    ad_id: _Id = ""
    keyword_id: _Id = ""
    arm_id: _Id = ""
    impressions: int | UnsetType = UNSET
    clicks: int | UnsetType = UNSET
    conversions: Any = UNSET
    revenue: Any = UNSET
    cost: Any = UNSET
    spend: Any = UNSET
    currency: str = ""
    roas: Decimal | None = None
    ctr: Decimal | None = None
    cvr: Decimal | None = None


class _SentPush(msgspec.Struct, forbid_unknown_fields=True):
    metrics: list[_SentMetric]


def _exact(text: str) -> Decimal:
    """A JSON number with a point or an exponent. Raises ValueError when not even Decimal can hold it."""
    try:
        return Decimal(text)
    except DecimalException:
        raise ValueError("a number out of range") from None


_decode = msgspec.json.Decoder(_SentPush, float_hook=_exact).decode


def read_push(body: bytes, names: Collection[str], now: datetime) -> list[Metric]:
    """The metrics of a push for the door of the platform that has these names.

    Raises BadInput for a body that is not JSON, TooLarge for too many metrics, and Unprocessable that names each fault
    (`metrics[3].clicks`): wrong types, and numbers or times out of bounds.
    """
    metrics: list[Metric] = []
    faults: list[FieldFault] = []
    for index, sent in enumerate(_sent(body)):
        read = _read(sent, index, names, now)
        if isinstance(read, Metric):
            metrics.append(read)
        else:
            faults += read
    if faults:
        raise refused(faults)
    return metrics


def _sent(body: bytes) -> list[_SentMetric]:
    try:
        metrics = _decode(body).metrics
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at ")
        field = path.strip("`").removeprefix("$").removeprefix(".") or "body"
        raise refused([FieldFault(field, text)]) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadInput("the body is not JSON", [{"field": "body", "message": "is not JSON"}]) from None
    if len(metrics) > limits.MAX_PUSHED_METRICS:
        raise TooLarge(f"a push has at most {limits.MAX_PUSHED_METRICS} metrics: send several, or drop a file")
    if not metrics:
        raise Unprocessable("the push is empty", [{"field": "metrics", "message": "at least one is required"}])
    return metrics


def _read(sent: _SentMetric, index: int, names: Collection[str], now: datetime) -> Metric | list[FieldFault]:
    """A metric, or all its faults that can be seen without looking up its ids."""
    reader = _Reader(sent)
    about = reader.about(names)
    instant = reader.instant(now)
    slot = reader.slot()
    if about is None or instant is None or reader.faults:
        return [FieldFault(f"metrics[{index}].{field}", message) for field, message in reader.faults]
    field, dataset = about
    wanted, group = str(getattr(sent, field)), str(sent.ad_group_id)
    if group and dataset in {Dataset.ADS, Dataset.KEYWORDS}:
        wanted = f"{group}~{wanted}"
    ids = (str(sent.profile_id), "" if field == "campaign_id" else str(sent.campaign_id))
    is_ours = field == _ARM or (field == "campaign_id" and IdKind.CAMPAIGN.names(wanted))
    return Metric(index, field, dataset, wanted, *ids, sent.currency, instant, slot, is_ours)


class _Reader:
    """Reads one metric field by field and collects what is wrong with it."""

    def __init__(self, sent: _SentMetric) -> None:
        self.faults: list[FieldFault] = []
        self._sent = sent

    def about(self, names: Collection[str]) -> tuple[str, Dataset] | None:
        """The field that says what the metric is about, and its kind."""
        if self._sent.platform and self._sent.platform.lower() not in names:
            self._fault("platform", f"must be {' or '.join(sorted(names))} at this address")
        if self._sent.arm_id != "":
            if beside := [name for name in _OTHER_IDS if getattr(self._sent, name) != ""]:
                self._fault(beside[0], "cannot stand beside arm_id, which says what the metric is about")
            return _ARM, Dataset.CAMPAIGNS
        found = next((about for about in _ABOUT if getattr(self._sent, about[0]) != ""), None)
        if found is None:
            self._fault("campaign_id", "or another entity's id, or arm_id, is required")
        return found

    def instant(self, now: datetime) -> datetime | None:
        value = self._sent.timestamp
        try:
            instant = datetime.fromtimestamp(value, UTC) if isinstance(value, int) else parse_instant(value)
        except (ValueError, OverflowError, OSError):
            self._fault("timestamp", "must be an ISO 8601 time with an offset, or Unix seconds")
            return None
        if instant > now + timedelta(seconds=limits.MAX_CLOCK_SKEW_SECONDS):
            self._fault("timestamp", "is in the future")
        elif instant < now - timedelta(days=limits.MAX_PUSH_AGE_DAYS):
            self._fault("timestamp", f"is more than {limits.MAX_PUSH_AGE_DAYS} days ago: drop a file")
        return instant

    def slot(self) -> Slot:
        """The five numbers; what was not sent is unknown."""
        sent = self._sent
        numbers = (sent.impressions, sent.clicks, sent.conversions, sent.cost, sent.spend, sent.revenue)
        if all(value is UNSET for value in numbers):
            self._fault("impressions", "or another number is required")
        spend = "cost"
        if sent.spend is not UNSET:
            spend = "spend"
            if sent.cost is not UNSET:
                self._fault("spend", "is another name of cost: send one of them")
        return (
            self._number("impressions", _count),
            self._number("clicks", _count),
            self._number("conversions", _amount),
            self._number(spend, _amount),
            self._number("revenue", _amount),
        )

    def _number(self, field: str, read: Callable[[Any], int]) -> int | None:
        value = getattr(self._sent, field)
        try:
            return None if value is UNSET else read(value)
        except ValueError as error:
            self._fault(field, str(error))
            return None

    def _fault(self, field: str, message: str) -> None:
        self.faults.append(FieldFault(field, message))


def _count(value: int) -> int:
    """Raises ValueError for what is not a count."""
    if not 0 <= value <= limits.MAX_PUSHED_COUNT:
        raise ValueError(f"must be a whole number from 0 to {limits.MAX_PUSHED_COUNT}")
    return value


def _amount(value: Any) -> int:
    """A JSON number, or one as text → millionths. Raises ValueError for anything else."""
    try:
        micros = to_micros(value)
    except (TypeError, ValueError):
        micros = None
    if micros is None or not 0 <= micros < _MICROS_END:
        raise ValueError(f"must be a number from 0 to {from_micros(_MICROS_END - 1)} with at most six decimals")
    return micros
