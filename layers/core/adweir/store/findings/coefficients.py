"""Versions of media-mix coefficients: what each channel brings, by client, currency, table and KPI.

`mmm#<subject>` / `latest#<currency>#<table>#<kpi>` is the newest version of a series, `looked#…` what the last look at
its dataset came to, and `draws#…` what only a reallocation of the budget reads.
`mmm#<subject>#<currency>#<table>#<kpi>` / `<place>` are the last versions, each in the place that its number gives it:
a new one takes that of the oldest.

A version and the newest are put together, on the condition that the newest is the one that was read. So of two workers
that fitted the same dataset one stores it, and one that dies has stored all of a version or nothing.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from adweir.model import limits
from adweir.model.times import Clock, epoch
from adweir.store.dynamo.keyed import Keyed
from adweir.store.dynamo.tables import FindingsItem, JsonText

KEEP = timedelta(days=400)
_PLACES = len(str(limits.MAX_COEFFICIENT_VERSIONS))


class Mixed(NamedTuple):
    """What coefficients are of: a client account or a cross-platform campaign, a currency, one of its tables and KPIs.

    `table` is the manifest's name of it, such as `weekly`.
    """

    subject: str
    currency: str
    table: str
    kpi: str

    @property
    def series(self) -> str:
        """Its name among those of the subject."""
        return "#".join(self[1:])


class LookResult(StrEnum):
    """What a look at a dataset came to.

    FITTED: a new version. UNCHANGED: the newest version is of the same input. NOT_READY: the gates stopped the table.
    NOT_FITTED: there is a table, and it cannot be fitted. OUTDATED: somebody stored a later one meanwhile.
    """

    FITTED = "fitted"
    UNCHANGED = "unchanged"
    NOT_READY = "not_ready"
    NOT_FITTED = "not_fitted"
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True)
class Coefficients:
    """A version. Numbers of channels, curves and of what is carried are texts of exact decimals.

    `as_of`: when the dataset was read (`model.times.iso`), which orders versions. `input_hash`: of all that was fitted,
    the method with it. `first` and `last`: the first days of the first and last period, of `step` days each.
    `settled_share`: the share of the periods that no platform restates any more. `carried`: what earlier versions say
    of days that this one no longer has, by channel (`insight.mmm.carried`).
    """

    subject: str
    currency: str
    table: str
    kpi: str
    version: int
    as_of: str
    input_hash: str
    run_id: str
    method: str
    first: str
    last: str
    step: int
    periods: int
    settled_share: str
    channels: Sequence[Mapping[str, Any]]
    fit: Mapping[str, Any]
    curves: Sequence[Mapping[str, Any]] = field(default_factory=list)
    geos: Sequence[Mapping[str, Any]] = field(default_factory=list)
    reallocation: Mapping[str, Any] | None = None
    lift_tests: Sequence[Mapping[str, Any]] = field(default_factory=list)
    carried: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = field(default_factory=list)
    seconds: str = "0"

    @property
    def of(self) -> Mixed:
        """What it is of."""
        return Mixed(self.subject, self.currency, self.table, self.kpi)


class MixLook(NamedTuple):
    """What the last look at a dataset came to, and why; `version` is the newest one then, 0 without any."""

    currency: str
    table: str
    kpi: str
    result: LookResult
    at: str
    run_id: str
    reason: str = ""
    version: int = 0


class CoefficientsItem(FindingsItem):
    """A version, a look, or draws (`text`: packed JSON)."""

    version = NumberAttribute(null=True)
    as_of = UnicodeAttribute(null=True)
    body = JsonText(null=True)
    text = UnicodeAttribute(null=True)
    expires = NumberAttribute(null=True)


class MixCoefficients(Keyed[CoefficientsItem]):
    """The coefficients of a deployment. Every call may be repeated. All raise Unavailable."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(CoefficientsItem, "findings", clock)

    def latest(self, subject: str) -> list[Coefficients]:
        """The newest version of each series of a client or campaign, by currency, table and KPI: one request."""
        return list(self._readable(self._query(_pk(subject), "latest#"), _coefficients))

    def newest(self, of: Mixed) -> Coefficients | None:
        """The newest version of a series; None without any."""
        found = self._query(_pk(of.subject), f"latest#{of.series}", up_to=f"latest#{of.series}")
        return next((self._parsed(item, _coefficients) for item in found), None)

    def version(self, of: Mixed, version: int) -> Coefficients | None:
        """One of the last versions; None where it is none of them."""
        place = _place(version)
        items = self._query(_pk(*of), place, up_to=place)
        return next((self._parsed(item, _coefficients) for item in items if item.version == version), None)

    def versions(self, of: Mixed) -> list[Coefficients]:
        """The last versions of a series, the newest first."""
        found = self._readable(self._query(_pk(*of)), _coefficients)
        return sorted(found, key=lambda each: each.version, reverse=True)

    def draws(self, found: Coefficients) -> Any:
        """What was stored with a version for reallocations; None unless it is the newest."""
        key = f"draws#{found.of.series}"
        items = self._query(_pk(found.subject), key, up_to=key)
        return next((_unpacked(item.text) for item in items if item.version == found.version and item.text), None)

    def put(self, fresh: Coefficients, draws: Any, before: Coefficients | None) -> bool:
        """Store a version after the one that was read, None where there was none.

        False when another is the newest by now, or one that is of a later time, or as new and of the same input: then
        nothing is stored.
        """
        if before is not None and (fresh.as_of < before.as_of or fresh.input_hash == before.input_hash):
            return False
        pk, series, body = _pk(fresh.subject), fresh.of.series, asdict(fresh)
        facts: dict[str, Any] = {"version": fresh.version, "as_of": fresh.as_of}
        facts["expires"] = epoch(self._clock.now() + KEEP)
        latest = CoefficientsItem(pk, f"latest#{series}", body=body, **facts)
        entry = CoefficientsItem(_pk(*fresh.of), _place(fresh.version), body=body, **facts)
        packed = CoefficientsItem(pk, f"draws#{series}", text=_packed(draws), **facts)
        absent = CoefficientsItem.pk.does_not_exist() | (CoefficientsItem.expires <= epoch(self._clock.now()))
        as_read = absent if before is None else CoefficientsItem.version == before.version
        older = absent | (CoefficientsItem.version < fresh.version)
        return self._put_together([(latest, as_read), (entry, older), (packed, older)])

    def note(self, subject: str, look: MixLook) -> None:
        """Keep what a look came to, in place of the one before."""
        of = Mixed(subject, look.currency, look.table, look.kpi)
        body = look._asdict() | {"reason": look.reason[: limits.MAX_REASON_CHARS]}
        item = CoefficientsItem(_pk(subject), f"looked#{of.series}", as_of=look.at, body=body)
        item.expires = epoch(self._clock.now() + KEEP)
        absent = CoefficientsItem.pk.does_not_exist()
        self._put(item, absent | (CoefficientsItem.as_of <= look.at))

    def looks(self, subject: str) -> list[MixLook]:
        """What the last looks at the datasets of a client or campaign came to."""
        return list(self._readable(self._query(_pk(subject), "looked#"), _look))

    def _is_there(self, item: CoefficientsItem) -> bool:
        return (item.expires or 0) > epoch(self._clock.now())


def _pk(*names: str) -> str:
    return "#".join(("mmm", *names))


def _place(version: int) -> str:
    return f"{version % limits.MAX_COEFFICIENT_VERSIONS:0{_PLACES}}"


def _coefficients(item: CoefficientsItem) -> Coefficients:
    known = {name: value for name, value in item.body.items() if name in Coefficients.__dataclass_fields__}
    return Coefficients(**known)


def _look(item: CoefficientsItem) -> MixLook:
    known = {name: value for name, value in item.body.items() if name in MixLook._fields}
    return MixLook(**known | {"result": LookResult(known["result"])})


def _packed(draws: Any) -> str:
    return b64encode(zlib.compress(json.dumps(draws, separators=(",", ":")).encode(), 9)).decode()


def _unpacked(text: str) -> Any:
    return json.loads(zlib.decompress(b64decode(text)))
