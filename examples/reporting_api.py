"""Ask for reports: dimensions, segments, a range of days, CSV and totals.

`report` takes what `POST /api/v1/reports` of a deployment takes, and makes the same numbers.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import adweir
from sandbox.playground import playground


def main() -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    week = (yesterday - timedelta(days=6), yesterday)
    with playground() as made_up, adweir.local(urls=made_up.urls, history_days=10) as system:
        system.connect("google_ads", **made_up.credential("google_ads"))
        system.run("ad")

        days = system.report(["spend", "clicks", "cpc"], ["date", "campaign"], week)
        best = max(days["data"], key=lambda row: row["clicks"] or 0)
        print(f"most clicks of a day: {best['clicks']}, campaign {best['campaign']}, {best['date']}")

        only = [{"name": "campaign", "values": [best["campaign"]]}]
        print(system.report(["spend", "clicks", "cpc"], ["date"], week, segments=only, format="csv"))

        (total,) = system.report(["spend", "roas", "cpa"], date_range=week)["totals"]
        print(f"the week: {total['spend']} {total['currency']}, ROAS {total['roas']}, {total['cpa']} per conversion")


if __name__ == "__main__":
    main()
