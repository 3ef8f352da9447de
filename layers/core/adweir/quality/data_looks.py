"""Looks at what is stored of an ad account for breaches: rows per day, missing values, scores of days, bills.

It reads what loads and `quality.days` left, a few items per ad account, and is repeated after each scoring.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import chain
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from adweir.model import limits
from adweir.model.breaches import Breach, BreachKind, Judgement, Look, Subject
from adweir.model.entities import Profile
from adweir.model.invoices import month_of
from adweir.model.metrics import Source
from adweir.model.tasks import Stamp
from adweir.model.times import DAY, Clock, first_of_month, is_zone, local_date, parse_instant
from adweir.quality.bills import EXPLAINED, UNEXPLAINED
from adweir.quality.day_tallies import ABSENT
from adweir.quality.drift import (
    HISTORY_DAYS,
    NO_DRIFT,
    READ_DAYS,
    RUN,
    SHORT_HISTORY_DAYS,
    Drift,
    nulls_drift,
    rows_drift,
    scores_drift,
)
from adweir.quality.rules import NULL
from adweir.quality.score import WEIGHTS
from adweir.store.findings.tallies import DayTally, TallyKey

if TYPE_CHECKING:
    from adweir.quality.monitor import Monitor
    from adweir.store.catalog.store import Catalog
    from adweir.store.findings import Findings
    from adweir.store.findings.breaches import KeptBreach

_SETTLED = DAY
"""A day is settled when it was pulled again so long after its end: until then the platform may still add rows."""
_SURELY_SETTLED = timedelta(days=4)
"""Days that are older are settled in any case: their platform is not asked for them again."""
_PULLED = timedelta(days=21)
"""What no day of so many was pulled of is not pulled any more: `pipeline.freshness` reports it long before that."""
_FELL = 0.05
"""By so much a dimension falls to be named as a reason."""
Known = Mapping[str, "KeptBreach"]


class _SeriesDrift(NamedTuple):
    """What one series says."""

    where: str
    drift: Drift


class DataLooks:
    """Looks at the ad accounts of a client. Repeated, it finds the same, and nothing is told twice."""

    def __init__(self, catalog: Catalog, findings: Findings, monitor: Monitor, clock: Clock) -> None:
        self._catalog = catalog
        self._findings = findings
        self._monitor = monitor
        self._clock = clock

    def look(self, account_id: str) -> None:
        """Look at a client's ad accounts. Raises Unavailable: the same call again finds the same."""
        at = self._clock.now()
        known = self._monitor.known()
        profiles = (
            profile
            for profile in self._catalog.profiles(account_id=account_id)
            if profile.has_ads and is_zone(profile.timezone)
        )
        looks = chain.from_iterable(self._looks(profile, known, at) for profile in profiles)
        self._monitor.settle(looks, known, at)  # all at once, so that the limit of breaches holds for all together

    def _looks(self, profile: Profile, known: Known, now: datetime) -> Iterator[Look]:
        subject = Subject(profile.account_id, profile.platform, profile.profile_id)
        today = local_date(now, profile.timezone)
        first = today - timedelta(days=READ_DAYS)
        told = [kept.breach for kept in known.values() if kept.breach.subject == subject]
        series = self._series(profile, first, today)
        yield _volume(subject, series) if series else _ended(subject, BreachKind.VOLUME)
        nulls = list(_nulls(subject, series, told))
        yield from nulls
        has_nulls = any(each.judgement is Judgement.BAD for each in nulls)
        days = self._findings.scores.days(profile.key, first.isoformat(), (today - 2 * DAY).isoformat())
        whole = [day for day in days if day["score"] is not None and not day["missing"]]
        yield _score(subject, whole, has_nulls=has_nulls)
        yield from self._bills(subject, profile, today, told)

    def _series(self, profile: Profile, first: date, today: date) -> dict[TallyKey, dict[str, DayTally]]:
        """The settled days of what is still pulled, in order."""
        found: dict[TallyKey, dict[str, DayTally]] = {}
        zone = ZoneInfo(profile.timezone)
        for key, days in self._findings.tallies.months(profile.key, month_of(first), month_of(today)):
            if key.source == Source.PULL:
                settled = {day: tally for day, tally in days.items() if _is_settled(day, tally, today, zone)}
                found.setdefault(key, {}).update(settled)
        pulled = {key: days for key, days in found.items() if max(days, default="") >= (today - _PULLED).isoformat()}
        return {key: dict(sorted(days.items())) for key, days in pulled.items()}

    def _bills(self, subject: Subject, profile: Profile, today: date, told: Iterable[Breach]) -> Iterator[Look]:
        first, last = month_of(first_of_month(today, -limits.MAX_CHECKED_BILL_MONTHS)), month_of(today)
        looked = set()
        for bill in self._findings.scores.bills(profile.key, first, last):
            look = _bill(subject, bill)
            looked.add(look.cause)
            yield look
        for breach in told:
            if breach.kind is BreachKind.BILL and breach.cause not in looked:
                says = "The bill is too old to be compared any more."
                yield Look(BreachKind.BILL, subject, Judgement.GOOD, says, breach.about)


def _is_settled(day: str, tally: DayTally, today: date, zone: ZoneInfo) -> bool:
    at = date.fromisoformat(day)
    over = datetime.combine(at + DAY, datetime.min.time(), zone)
    return at <= today - _SURELY_SETTLED or parse_instant(Stamp.parse(tally.stamp).as_of) - over >= _SETTLED


def _ended(subject: Subject, kind: BreachKind, about: str = "") -> Look:
    """A breach of days that nobody pulls any more is over: their dataset was switched off."""
    return Look(kind, subject, Judgement.GOOD, f"None of the last {_PULLED.days} days was pulled.", about)


def _volume(subject: Subject, series: Mapping[TallyKey, Mapping[str, DayTally]]) -> Look:
    found = [
        _SeriesDrift(_named(key), rows_drift({day: tally.rows for day, tally in days.items()}))
        for key, days in series.items()
    ]
    judgement, worst = _together(found, lambda drift: abs(drift.value - drift.expected) / max(drift.expected, 1.0))
    if judgement is not Judgement.BAD:
        idle = found and all(each.drift.is_idle for each in found)
        says = "Nothing is delivered any more." if idle else "The number of rows per day is as usual, or the new usual."
        return Look(BreachKind.VOLUME, subject, judgement, says)
    drift = worst.drift
    verb = "fell" if drift.value < drift.expected else "rose"
    return Look(
        BreachKind.VOLUME,
        subject,
        judgement,
        f"The rows of {worst.where} per day {verb} to about {drift.value:.0f}; about {drift.expected:.0f} are usual.",
        value=f"{drift.value:.0f} rows of {worst.where} per day",
        expected=f"about {drift.expected:.0f}, from the {HISTORY_DAYS} days before",
        since=drift.since,
        do="Compare the days with the platform's own page. Where it has more rows than are stored, pull the days again"
        " (a run of the workflow repull). Where campaigns were ended or started on purpose, there is nothing to do.",
    )


def _nulls(
    subject: Subject, series: Mapping[TallyKey, Mapping[str, DayTally]], told: Iterable[Breach]
) -> Iterator[Look]:
    columns = {
        column
        for days in series.values()
        for tally in days.values()
        for rule in (NULL, ABSENT)
        for column in tally.failures.get(rule, ())
    }
    columns |= {breach.about for breach in told if breach.kind is BreachKind.NULLS}  # no day may lack them any more
    for column in sorted(columns):
        if not series:
            yield _ended(subject, BreachKind.NULLS, column)
            continue
        found = [
            _SeriesDrift(
                _named(key), nulls_drift([(day, _missing(tally, column), tally.rows) for day, tally in days.items()])
            )
            for key, days in series.items()
        ]
        judgement, worst = _together(found, lambda drift: drift.value - drift.expected)
        if judgement is not Judgement.BAD:
            says = f"{column} is there as often as usual, or as has become usual."
            yield Look(BreachKind.NULLS, subject, judgement, says, column)
            continue
        drift = worst.drift
        yield Look(
            BreachKind.NULLS,
            subject,
            judgement,
            f"{drift.value:.0%} of the rows of {worst.where} have no {column}; {drift.expected:.1%} are usual.",
            column,
            value=f"{drift.value:.1%} of the rows of {worst.where} without {column}",
            expected=f"about {drift.expected:.1%}, from the {SHORT_HISTORY_DAYS} days before",
            since=drift.since,
            do=f"Look whether the platform's own page has {column} on these days. Where it has, pull the days again (a"
            " run of the workflow repull); where it does not, ask the platform, or check the conversion settings.",
        )


def _missing(tally: DayTally, column: str) -> int:
    return sum(tally.failures.get(rule, {}).get(column, 0) for rule in (NULL, ABSENT))


def _score(subject: Subject, days: list[dict[str, Any]], *, has_nulls: bool) -> Look:
    """`has_nulls`: a breach of missing values is open, which alone explains a lower completeness."""
    drift = scores_drift([(day["date"], day["score"]) for day in days])
    if drift.judgement is not Judgement.BAD:
        return Look(BreachKind.SCORE, subject, drift.judgement, "The days score as usual, or as has become usual.")
    fell = [name for name in WEIGHTS if _fell(days, name)]
    judgement = Judgement.UNSURE if has_nulls and set(fell) <= {"completeness"} else Judgement.BAD
    gates = sorted({gate for day in days[-RUN:] for gate in day["gates"]})
    reasons = ", ".join(fell or gates) or "several dimensions"
    return Look(
        BreachKind.SCORE,
        subject,
        judgement,
        f"The score of the days fell to {drift.value:.2f}; {drift.expected:.2f} is usual. It fell in: {reasons}.",
        value=f"{drift.value:.2f}" + (f" (limited by {', '.join(gates)})" if gates else ""),
        expected=f"about {drift.expected:.2f}, from the {SHORT_HISTORY_DAYS} days before",
        since=drift.since,
        do=f"`adweir quality {subject.platform} {subject.profile_id}` names for each day what is wrong; `--json` has"
        " all of it (worst, reconciliation).",
    )


def _fell(days: list[dict[str, Any]], name: str) -> bool:
    """Whether a dimension of the newest days is below what it was before."""
    now = [day["dimensions"].get(name) for day in days[-RUN:]]
    then = [day["dimensions"].get(name) for day in days[:-RUN]]
    new, old = ([value for value in values if value is not None] for values in (now, then))
    return bool(new and old) and median(new) < median(old) - _FELL


def _bill(subject: Subject, bill: Mapping[str, Any]) -> Look:
    month, currency = bill["month"], bill["currency"]
    judgements = {UNEXPLAINED: Judgement.BAD, EXPLAINED: Judgement.GOOD}
    judgement = judgements.get(bill["state"], Judgement.UNSURE)
    about = f"{month}#{currency}"
    if judgement is not Judgement.BAD:
        return Look(BreachKind.BILL, subject, judgement, f"The bill of {month} in {currency} is explained.", about)
    return Look(
        BreachKind.BILL,
        subject,
        judgement,
        f"The bill of {month} differs from the measured spend by {bill['unexplained']} {currency} that no line of it"
        " explains.",
        about,
        value=f"billed {bill['billed']} {currency}, measured {bill['measured']}; {_explained(bill)}",
        expected="lines that explain the difference, all but 0.01 of it",
        since=f"{month}-01",
        do="As a rule the platform corrects it with a later bill, which ends this. Else ask the platform, with the"
        f" month's documents of GET /api/v1/invoices (platform {subject.platform}).",
    )


def _explained(bill: Mapping[str, Any]) -> str:
    """What the lines of a bill explain, by kind."""
    parts = [f"{kind} {amount}" for kind, amount in bill["explained"].items()]
    return f"its lines explain: {', '.join(parts)}" if parts else "no line of it explains anything"


def _together(found: list[_SeriesDrift], size: Callable[[Drift], float]) -> tuple[Judgement, _SeriesDrift]:
    """What several series say together: bad where one is, good where all are that say something; and the worst."""
    said = [each for each in found if each.drift is not NO_DRIFT]
    bad = [each for each in said if each.drift.judgement is Judgement.BAD]
    if bad:
        return Judgement.BAD, max(bad, key=lambda each: size(each.drift))
    good = bool(said) and all(each.drift.judgement is Judgement.GOOD for each in said)
    return Judgement.GOOD if good else Judgement.UNSURE, _SeriesDrift("", NO_DRIFT)


def _named(key: TallyKey) -> str:
    return key.level if key.slice == "all" else f"{key.level} ({key.slice})"
