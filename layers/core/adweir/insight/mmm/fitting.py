"""The fit step: a stored media-mix dataset → a version of its coefficients, or the reason why there is none.

Of the national tables, and of those by region, the first is fitted that can be: the daily one tells more than the
weekly one. The same input gives no new version. A version is stored whole (`store.findings.coefficients`), the note of
what the look came to after it: a worker that dies in between leaves the note to the next one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.insight.mmm.budget import stored_responses
from adweir.insight.mmm.drops import older_left_out
from adweir.insight.mmm.published import FitFacts, Version, exact, published
from adweir.insight.mmm.stored_tables import days_of, read_table, settled_share
from adweir.model.errors import BadInput, NotReady
from adweir.model.times import Clock, iso
from adweir.store.findings.coefficients import Coefficients, LookResult, Mixed, MixLook

if TYPE_CHECKING:
    from adweir.insight.mmm.fit.frame import LiftTest, MixFrame
    from adweir.insight.mmm.wide import Wide
    from adweir.insight.mmm.wide_frame import WideFrame
    from adweir.store.findings.coefficients import MixCoefficients
    from adweir.store.raw.store import RawStore

FEWEST_DAYS = 182
"""Half a year: with fewer days a channel cannot be told from the season, whatever their number of rows."""
_GROUPS = (("daily", "weekly"), ("geo_daily", "geo_weekly"))
_LAGS = {1: 36, 7: 13}
_SECONDS, _SECONDS_PER_CELL = 25.0, 4e-5
"""A fit takes at most so long: sampling is bounded, the rest grows with rows x channels x lags. Twice as long as one
took on one core of 2.6 GHz; a fit of three years of days and 18 channels took 8 s."""
_FRESH = 0.9
"""Of its time that an invocation has when nothing was done in it before."""
_DONE = (LookResult.FITTED, LookResult.UNCHANGED, LookResult.OUTDATED)


class FitTime(NamedTuple):
    """How long a fit may take: `remaining` seconds of this invocation but for `margin`. The work on the account began
    with `begun` of them; a fresh invocation has `whole`."""

    remaining: Callable[[], float]
    margin: float
    whole: float
    begun: float


class MixFitter:
    """Fits the datasets of accounts."""

    def __init__(self, store: MixCoefficients, objects: RawStore, clock: Clock) -> None:
        self.store = store
        self.objects = objects
        self.clock = clock

    def fit(self, manifests: Iterable[Mapping[str, Any]], time: FitTime, run_id: str) -> dict[str, int]:
        """Fit what changed of some datasets, as their manifests name them; counts of what the looks came to.

        Raises NotReady when the time of this invocation is too short for a fit that a fresh one has time for: the same
        call goes on, and repeats no fit. Raises Unavailable.
        """
        work = _Fitting(self, iso(self.clock.now()), time, run_id)
        counts = {"fits": 0, "fits_refused": 0}
        for manifest in manifests:
            for group in _GROUPS:
                tables = [name for name in group if name in manifest["tables"]]
                results = [*work.looks(manifest, tables)]
                counts["fits"] += LookResult.FITTED in results
                counts["fits_refused"] += bool(results) and not set(results) & {*_DONE}
        return counts


class _NotFitted(Exception):
    """Why a table is not fitted."""

    def __init__(self, result: LookResult, reason: str) -> None:
        super().__init__(reason)
        self.result = result
        self.reason = reason


class _Fitting:
    """The fits of one call."""

    def __init__(self, fitter: MixFitter, at: str, time: FitTime, run_id: str) -> None:
        self._store = fitter.store
        self._objects = fitter.objects
        self._clock = fitter.clock
        self._at = at
        self._time = time
        self._run_id = run_id
        self._has_fitted = False

    def looks(self, manifest: Mapping[str, Any], tables: Iterable[str]) -> Iterator[LookResult]:
        """What the looks at some tables came to, until one has coefficients."""
        for table in tables:
            of, reason = mixed(manifest, table), ""
            try:
                of, framed, wide = self._framed(manifest, table)
                result, version = self._look(manifest, of, framed, wide)
            except _NotFitted as why:
                before = self._store.newest(of)
                result, reason, version = why.result, why.reason, before.version if before else 0
            look = MixLook(of.currency, of.table, of.kpi, result, self._at, self._run_id, reason, version)
            self._store.note(of.subject, look)
            yield result
            if result in _DONE:
                return

    def _framed(self, manifest: Mapping[str, Any], table: str) -> tuple[Mixed, WideFrame, Wide]:
        """Raises _NotFitted where the table cannot be fitted."""
        from adweir.insight.mmm.wide_frame import framed  # noqa: PLC0415 - numpy

        entry = manifest["tables"][table]
        if not entry["ready"]:
            errors = [each["message"] for each in entry["findings"] if each["severity"] == "error"]
            raise _NotFitted(LookResult.NOT_READY, "; ".join(errors))
        if (days := days_of(entry)) < FEWEST_DAYS:
            said = f"{days} days are too few: a fit needs {FEWEST_DAYS}"
            begin = f"the table begins on {manifest['first_date']}, when the last of its ad accounts is known"
            raise _NotFitted(LookResult.NOT_FITTED, f"{said}, and {begin}")
        wide = read_table(self._objects, entry)
        of = mixed(manifest, table, "revenue" if "revenue" in wide.columns else wide.target)
        found = framed(wide, manifest.get("lift_tests", ()), of.currency, of.kpi)
        if older := manifest.get("lift_tests_left_out", 0):
            found = found._replace(warnings=(*found.warnings, older_left_out(older)))
        try:
            return of, found._replace(frame=found.frame.checked()), wide
        except BadInput as error:
            raise _NotFitted(LookResult.NOT_FITTED, _listed(error)) from error

    def _look(self, manifest: Mapping[str, Any], of: Mixed, framed: WideFrame, wide: Wide) -> tuple[LookResult, int]:
        """The result, and the newest version."""
        hashed, before = _hashed(framed), self._store.newest(of)
        if before is not None and before.input_hash == hashed:
            is_ours = before.run_id == self._run_id != ""
            return (LookResult.FITTED if is_ours else LookResult.UNCHANGED), before.version
        self._check_time(framed.frame)
        facts = FitFacts(
            of=of,
            as_of=self._at,
            input_hash=hashed,
            run_id=self._run_id,
            settled_share=settled_share(wide, manifest["last_settled_date"]),
            kpi_value=framed.frame.kpi_value,
            lift_tests=[_shown_test(test) for test in framed.frame.lift_tests],
            warnings=framed.warnings,
        )
        begun = self._clock.monotonic()
        version = _fitted(framed.frame, facts, before)
        seconds = exact(round(self._clock.monotonic() - begun, 1))
        self._has_fitted = True
        if self._store.put(replace(version.record, seconds=seconds), stored_responses(version.responses), before):
            return LookResult.FITTED, version.record.version
        newest = self._store.newest(of)
        is_same = newest is not None and newest.input_hash == hashed
        return (LookResult.UNCHANGED if is_same else LookResult.OUTDATED), newest.version if newest else 0

    def _check_time(self, frame: MixFrame) -> None:
        """Raises NotReady when a fresh invocation has time for the fit, _NotFitted when none has."""
        needed = seconds_for(frame) + self._time.margin
        left = self._time.remaining()
        if needed <= left:
            return
        is_fresh = not self._has_fitted and self._time.begun > _FRESH * self._time.whole
        if is_fresh or needed > self._time.whole:
            raise _NotFitted(
                LookResult.NOT_FITTED,
                f"the fit may take {needed:.0f} s, more than the {left:.0f} s that it has: use fewer channels or "
                "regions",
            )
        raise NotReady("the fit of the media mix goes on in another invocation", after=1)


def _fitted(frame: MixFrame, facts: FitFacts, before: Coefficients | None) -> Version:
    """Raises _NotFitted where the numbers have no solution, or none that explains the KPI."""
    from numpy.linalg import LinAlgError  # noqa: PLC0415 - not of those who only look

    from adweir.insight.mmm.fit.estimate import fit  # noqa: PLC0415 - as above

    try:
        return published(fit(frame), facts, before)
    except BadInput as error:
        raise _NotFitted(LookResult.NOT_FITTED, _listed(error)) from error
    except LinAlgError as error:
        raise _NotFitted(LookResult.NOT_FITTED, f"the numbers of the table have no solution ({error})") from error


def mixed(manifest: Mapping[str, Any], table: str, kpi: str = "") -> Mixed:
    """Whose coefficients those of a dataset's table are. Of the last days alone they are a series of their own."""
    days, subject = manifest.get("lookback_days"), manifest.get("campaign_id") or manifest["account_id"]
    name = f"days={days}/{table}" if days else table
    return Mixed(subject, manifest["currency"], name, kpi or manifest["tables"][table]["target"])


def seconds_for(frame: MixFrame) -> float:
    """How long the fit of a frame takes at most."""
    return _SECONDS + _SECONDS_PER_CELL * frame.spend.size * _LAGS[frame.step]


def _hashed(framed: WideFrame) -> str:
    """Of what is fitted and of what was left out: a version says both, so each of them makes a new one."""
    fitted = framed.frame.hashed()
    if not framed.warnings:
        return fitted
    return hashlib.sha256("\n".join((fitted, *framed.warnings)).encode()).hexdigest()[: len(fitted)]


def _listed(error: BadInput) -> str:
    """All that is wrong, in one line."""
    faults = "; ".join(f"{each['field']}: {each['message']}" for each in error.details)
    return faults or error.message


def _shown_test(test: LiftTest) -> dict[str, Any]:
    numbers = {name: exact(getattr(test, name)) for name in ("spend", "effect", "low", "high")}
    days = {name: getattr(test, name).isoformat() for name in ("first", "last")}
    return {"channel": test.channel, **days, **numbers, "geos": list(test.geos)}
