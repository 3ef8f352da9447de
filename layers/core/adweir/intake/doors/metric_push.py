"""Metric pushes at the door: what has to be true of one before it is stored (canonical schema, section 4).

`{"metrics": [{campaign_id | ad_group_id | ad_id | keyword_id, timestamp, impressions, clicks, conversions, revenue,
cost, currency}]}`, perhaps with `profile_id`. The most specific id says what a metric is about. `intake.pushes` loads
what was stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, DecimalException
from typing import Any, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import PlatformObject, Profile
from adweir.model.errors import BadInput, TooLarge, Unprocessable
from adweir.model.money import MICRO, to_micros
from adweir.model.platforms import Platform
from adweir.model.times import parse_instant

_NUMBERS = ("impressions", "clicks", "conversions", "revenue", "cost", "spend")
_Id = str | int


class _Metric(msgspec.Struct, forbid_unknown_fields=True):
    """One metric as it is sent. Ratios are accepted and ignored: they are derived from sums.

    Amounts stay as they were sent, for a decoder of Decimals also takes " 1_0 "; `_number_fault` reads them.
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


class _Push(msgspec.Struct, forbid_unknown_fields=True):
    metrics: list[_Metric]


class Finder(Protocol):
    """What is read of the catalog."""

    def find_objects(
        self, platform: Platform, profile_ids: Sequence[str], dataset: Dataset, ids: Sequence[str]
    ) -> dict[str, list[PlatformObject]]:
        """Objects by the id that was asked for; more than one when several profiles have it."""
        ...


_KINDS: tuple[tuple[str, Dataset], ...] = (
    ("keyword_id", Dataset.KEYWORDS),
    ("ad_id", Dataset.ADS),
    ("ad_group_id", Dataset.AD_GROUPS),
    ("campaign_id", Dataset.CAMPAIGNS),
)


def _exact(text: str) -> Decimal:
    """A JSON number with a point or an exponent. Raises ValueError when not even Decimal can hold it."""
    try:
        return Decimal(text)
    except DecimalException:
        raise ValueError("a number out of range") from None


_decode = msgspec.json.Decoder(_Push, float_hook=_exact).decode


def check(body: bytes, platform: Platform, profiles: Sequence[Profile], finder: Finder, now: datetime) -> None:
    """Whether every metric of a push can be stored for the given profiles.

    Raises BadInput for what is no JSON, TooLarge for more than 1,000 metrics, and Unprocessable that names each fault
    (`metrics[3].clicks`) for wrong types, unknown ids, and numbers or times that cannot be.
    """
    metrics = parse(body)
    faults: list[dict[str, Any]] = []
    for index, metric in enumerate(metrics):
        faults += [{"field": f"metrics[{index}].{field}", "message": text} for field, text in _faults(metric, now)]
        if len(faults) >= limits.MAX_PUSH_FAULTS:
            break
    if not faults:
        faults = _unknown(metrics, platform, {profile.profile_id: profile for profile in profiles}, finder)
    if faults:
        raise Unprocessable(f"the push is refused: {faults[0]['field']} {faults[0]['message']}", faults)


def parse(body: bytes) -> list[_Metric]:
    """The metrics of a push, types checked. Raises BadInput, TooLarge, Unprocessable."""
    try:
        metrics = _decode(body).metrics
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at ")
        field = path.strip("`").removeprefix("$").removeprefix(".") or "body"
        raise Unprocessable(f"the push is refused: {field}: {text}", [{"field": field, "message": text}]) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise BadInput("the body is no JSON", [{"field": "body", "message": "is no JSON"}]) from None
    if len(metrics) > limits.MAX_PUSHED_METRICS:
        raise TooLarge(f"more than {limits.MAX_PUSHED_METRICS} metrics in one push: send several, or drop a file")
    if not metrics:
        raise Unprocessable("the push is empty", [{"field": "metrics", "message": "at least one is needed"}])
    return metrics


def _unknown(
    metrics: Sequence[_Metric], platform: Platform, profiles: Mapping[str, Profile], finder: Finder
) -> list[dict[str, Any]]:
    """The faults of ids: unknown, ambiguous, or of a profile with another currency. Looks all up at once."""
    wanted: dict[Dataset, dict[str, None]] = {}
    for metric in metrics:
        field, dataset = _kind(metric)
        wanted.setdefault(dataset, {})[_asked(metric, field)] = None
    known = {kind: finder.find_objects(platform, list(profiles), kind, list(ids)) for kind, ids in wanted.items()}
    faults: list[dict[str, Any]] = []
    for index, metric in enumerate(metrics):
        field, dataset = _kind(metric)
        found = known[dataset].get(_asked(metric, field), [])
        found = [each for each in found if _fits(each, metric, field)]
        if metric.platform and metric.platform != platform.value:
            field, message = "platform", f"this door takes {platform.value}"
        elif len(found) != 1:
            message = "is unknown here" if not found else "is not unique: name profile_id or ad_group_id"
        elif metric.currency and metric.currency != profiles[found[0].profile_id].currency:
            field, message = "currency", f"is not the profile's, {profiles[found[0].profile_id].currency}"
        else:
            continue
        faults.append({"field": f"metrics[{index}].{field}", "message": message})
        if len(faults) >= limits.MAX_PUSH_FAULTS:
            break
    return faults


def _kind(metric: _Metric) -> tuple[str, Dataset]:
    """The field that says what a metric is about; `_faults` saw to it that there is one."""
    return next(kind for kind in _KINDS if _names(metric, kind[0]))


def _names(metric: _Metric, field: str) -> bool:
    return str(getattr(metric, field)) != ""


def _asked(metric: _Metric, field: str) -> str:
    """What to look for: an ad or a keyword together with its group where that is given."""
    own = str(getattr(metric, field))
    group = str(metric.ad_group_id)
    return f"{group}~{own}" if group and field in {"ad_id", "keyword_id"} else own


def _fits(found: PlatformObject, metric: _Metric, field: str) -> bool:
    """Whether the profile and the parent that the metric names are the object's."""
    own_campaign = field == "campaign_id" or str(metric.campaign_id) in {"", found.campaign_id}
    return own_campaign and str(metric.profile_id) in {"", found.profile_id}


def _faults(metric: _Metric, now: datetime) -> list[tuple[str, str]]:
    """What is wrong with a metric whatever it is about."""
    faults = _time_faults(metric.timestamp, now)
    if _names(metric, "arm_id"):
        faults.append(("arm_id", "is unknown here"))
    elif not any(_names(metric, field) for field, _ in _KINDS):
        faults.append(("campaign_id", "or another entity's id is required"))
    if metric.cost is not UNSET and metric.spend is not UNSET:
        faults.append(("spend", "is another name of cost: send one"))
    numbers = {name: value for name in _NUMBERS if (value := getattr(metric, name)) is not UNSET}
    if not numbers:
        faults.append(("impressions", "or another number is required"))
    for name, value in numbers.items():
        if message := _number_fault(value):
            faults.append((name, message))
    return faults


def _number_fault(value: object) -> str:
    """What is wrong with a count or an amount: a JSON number, or one as text."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return "must be a number"
    try:
        micros = to_micros(value)
    except ValueError as error:
        if "six decimals" in str(error):
            return "has more than six decimals"
        if "not a number" in str(error):
            return "must be a number"
        below = str(value).startswith("-")
        return "must not be negative" if below else f"must be less than {(limits.MAX_MICROS + 1) // MICRO}"
    return "must not be negative" if micros < 0 else ""


def _time_faults(value: str | int, now: datetime) -> list[tuple[str, str]]:
    try:
        instant = datetime.fromtimestamp(value, UTC) if isinstance(value, int) else parse_instant(value)
    except (ValueError, OverflowError, OSError):
        return [("timestamp", "must be an ISO 8601 time with a zone, or Unix seconds")]
    if instant > now + timedelta(seconds=limits.MAX_CLOCK_SKEW_SECONDS):
        return [("timestamp", "is in the future")]
    if instant < now - timedelta(days=limits.MAX_PUSH_AGE_DAYS):
        return [("timestamp", f"is more than {limits.MAX_PUSH_AGE_DAYS} days ago")]
    return []
