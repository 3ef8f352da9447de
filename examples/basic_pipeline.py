"""Pull ad accounts, check every row, and print what was spent: the whole pipeline in one process, in memory.

It runs on made-up ad platforms. For your own ad accounts leave out `urls`, and connect a credential of yours
(docs/platforms.md says how to get one).
"""

from __future__ import annotations

import adweir
from sandbox.playground import playground


def main() -> None:
    with playground() as made_up, adweir.local(urls=made_up.urls, history_days=7) as system:
        connected = system.connect("google_ads", **made_up.credential("google_ads"))
        for ad_account in connected["ad_accounts"]:
            print(f"connected: {ad_account['name']}")

        run = system.sync()
        print(f"{run['workflow']} {run['state']}: {run['tasks_done']} of {run['tasks_total']} tasks")

        report = system.report(["impressions", "clicks", "spend", "roas"], ["date"])
        for row in report["data"]:
            print(f"{row['date']} {row['spend']:>12} {row['currency']}  ROAS {row['roas']}")


if __name__ == "__main__":
    main()
