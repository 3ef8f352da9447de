"""Find the odd days of a series: no ad platform and no AWS are needed."""

from __future__ import annotations

from datetime import date, timedelta

import adweir

FIRST = date(2026, 1, 5)
WEEK = [120.0, 118.0, 121.0, 125.0, 140.0, 90.0, 85.0]


def main() -> None:
    spend = {FIRST + timedelta(n): WEEK[n % 7] * (1 + 0.02 * (n * 7 % 5 - 2)) for n in range(90)}
    spend[FIRST + timedelta(60)] = 400.0
    spend[FIRST + timedelta(75)] = 0.0
    for day in adweir.detect(spend):
        if day["anomaly"]:
            print(f"{day['timestamp']} {day['value']:.2f}, expected {day['expected']:.2f}: {day['severity']}")


if __name__ == "__main__":
    main()
