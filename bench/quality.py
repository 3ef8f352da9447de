"""Checking rows: the time per row of the documented schema of an ad, eleven fields, beside a bare look at the fields.

Rows are as `GET /api/v1/ads` has them; of the second set, 885 of 10,000 have a fault. The baseline looks the eleven
fields up and compares their classes in a loop that is written by hand, and says nothing of what it finds. Where
Cerberus is installed, it checks a hundredth of the rows (nothing here needs it; it was measured at 333 us per row).
Last line: one JSON object.

    python bench/quality.py [--rows 10000]
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core"), str(ROOT / "tests")]

from adweir.platforms import REGISTRY  # noqa: E402
from adweir.quality import schema  # noqa: E402
from support.ad_schema import AD, PLATFORMS  # noqa: E402

NOW = datetime(2026, 11, 20, tzinfo=UTC)
REPEATS = 7
FAULTY = 0.0885
MOST_US, MOST_RATIO = 2.0, 3.0
"""At most: a row's time, and that time over the baseline's; the second holds on any machine."""
COMPARED = ["clicks_over_impressions", "conversions_over_clicks", "spend_without_impressions", "ctr_differs"]
Rows = list[dict[str, Any]]


def ads(count: int, share: float) -> Rows:
    """Ads, of which a share has one fault each."""
    rng = random.Random(7)
    found = []
    for number in range(count):
        impressions = rng.randrange(1, 100_000)
        clicks = rng.randrange(impressions)
        found.append({
            "ad_id": str(number), "headline": f"Headline {number}", "description": "Free returns, 30 days",
            "platform": rng.choice(PLATFORMS), "impressions": impressions, "clicks": clicks,
            "ctr": clicks / impressions, "spend": rng.random() * 100, "conversions": rng.randrange(clicks + 1),
            "start_date": f"2026-10-{1 + number % 28:02}", "end_date": f"2026-11-{1 + number % 28:02}",
        })  # fmt: skip
    for at in rng.sample(range(count), int(count * share)):
        found[at][rng.choice(list(AD))] = rng.choice([None, -1, "x" * 300, True, float("nan")])
    return found


def bare(rows: Rows) -> None:
    """The fields of each row and their classes."""
    names, classes = tuple(AD), {str, int, float}
    for row in rows:
        for name in names:
            if row.get(name).__class__ not in classes:
                pass


def microseconds(what: Callable[[Rows], object], rows: Rows) -> float:
    """CPU time per row, the best of some."""
    best = float("inf")
    for _ in range(REPEATS):
        begin = time.process_time()
        what(rows)
        best = min(best, time.process_time() - begin)
    return round(best / len(rows) * 1e6, 3)


def cerberus(rows: Rows) -> float | None:
    """The same by Cerberus, None where it is not installed."""
    try:
        validator = importlib.import_module("cerberus").Validator
    except ImportError:
        return None
    said = {
        name: {rule.replace("max_length", "maxlength"): value for rule, value in each.items()}
        for name, each in AD.items()
    }
    found = validator({**said, "start_date": {"type": "string"}, "end_date": {"type": "string"}}, allow_unknown=True)
    return microseconds(lambda some: [found.validate(row) for row in some], rows[: max(len(rows) // 100, 1)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    count: int = parser.parse_args().rows
    good, faulty = ads(count, 0), ads(count, FAULTY)
    compiled, comparing = schema.compile(AD, REGISTRY.parse), schema.compile({**AD, "rules": COMPARED}, REGISTRY.parse)
    found: dict[str, float] = {
        "bare_us": microseconds(bare, good),
        "good_us": microseconds(lambda rows: compiled.validate(rows, NOW), good),
        "faulty_us": microseconds(lambda rows: compiled.validate(rows, NOW), faulty),
        "rules_us": microseconds(lambda rows: comparing.validate(rows, NOW), good),
    }
    beside = cerberus(good)
    ratio = round(found["faulty_us"] / found["bare_us"], 2)
    errors = compiled.validate(faulty, NOW)["errors_found"]
    passed = ratio <= MOST_RATIO and max(found["good_us"], found["faulty_us"]) <= MOST_US
    figures = {**found, "cerberus_us": beside}
    for name, value in figures.items():
        print(f"{name:12} {value}")
    print(
        json.dumps({"bench": "quality", "passed": passed, "rows": count, "errors": errors, "ratio": ratio, **figures})
    )
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
