"""False alarms and missed drifts: the rules of quality/drift.py on made-up months of ad accounts.

Every profile lives 100 days; each day of the last 30 is looked at as the monitoring does, on the days that are settled
by then. Quiet months show how often something is told that is not there; the same months with a planted drift how often
and how fast it is told. Last line: one JSON object.

    python bench/drift.py [--profiles 2000]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "layers" / "core")]

from adweir.model.breaches import Judgement  # noqa: E402
from adweir.quality.drift import READ_DAYS, Drift, nulls_drift, rows_drift, scores_drift  # noqa: E402
from support.lived_days import KINDS, LivedDays  # noqa: E402

MONTH = 30
_PLANTED_AT = 80


def looks(lived: LivedDays, until: int) -> dict[str, Drift]:
    """What the rules say of the days before a number."""
    days = list(lived.rows)[max(until - READ_DAYS, 0) : until]
    return {
        "volume": rows_drift({day: lived.rows[day] for day in days}),
        "nulls": nulls_drift([(day, lived.nulls[day], lived.rows[day]) for day in days]),
        "score": scores_drift([(day, lived.scores[day]) for day in days if lived.rows[day]]),
    }


def openings(lived: LivedDays) -> list[tuple[str, int]]:
    """(kind, day's number) of each breach that would be told in the last month."""
    is_open, found = dict.fromkeys(("volume", "nulls", "score"), False), []
    for until in range(lived.count - MONTH, lived.count + 1):
        for kind, drift in looks(lived, until).items():
            if drift.judgement is Judgement.BAD and not is_open[kind]:
                found.append((kind, until))
            if drift.judgement in {Judgement.BAD, Judgement.GOOD}:
                is_open[kind] = drift.judgement is Judgement.BAD
    return found


def told_after(kind: str, lived: LivedDays) -> int | None:
    """After how many days a planted drift is told; None where it is not."""
    days = list(lived.rows)[_PLANTED_AT:]
    if kind == "volume":
        lived.drop(range(_PLANTED_AT, lived.count), 0.35)
    for day in days if kind == "nulls" else ():
        lived.nulls[day] = max(lived.nulls[day], round(lived.rows[day] * 0.6))
    for day in days if kind == "score" else ():
        lived.scores[day] -= 0.3
    return next((until - _PLANTED_AT for what, until in openings(lived) if what == kind and until > _PLANTED_AT), None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=2000)
    most = parser.parse_args().profiles
    alarms: Counter[str] = Counter()
    by_kind: Counter[str] = Counter()
    for seed in range(most):
        kind = KINDS[seed % len(KINDS)]
        for what, _ in openings(LivedDays(seed, kind=kind)):
            alarms[what] += 1
            by_kind[kind] += 1
    print(f"{most} quiet profile-months: {dict(alarms)} messages, by what befell the ad account {dict(by_kind)}")
    planted = min(most, 300)
    shares, waited = {}, {}
    for kind in ("volume", "nulls", "score"):
        after = sorted(each for seed in range(planted) if (each := told_after(kind, LivedDays(seed))) is not None)
        shares[kind], waited[kind] = round(len(after) / planted, 3), after[len(after) // 2]
    print(
        f"{planted} planted (rows to 35 %, 60 % nulls, score - 0.3): told {shares}, days until then (median) {waited}"
    )
    print(json.dumps({"profile_months": most, "false": sum(alarms.values()), "per_kind": alarms, "told": shares}))


if __name__ == "__main__":
    main()
