"""What `adweir validate` says of a file is what happens to it when it is dropped."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ops.validation.command import validated
from support.clock import FrozenClock
from support.load_world import LoadWorld

OWN = (
    "platform,profile_id,level,date,campaign_id,impressions,clicks,spend,currency\n"
    "meta,1,campaign,2026-11-18,7,10,1,1.50,\n"
    "meta,1,campaign,2026-11-18,7,10,1,1.50,\n"
    "meta,1,campaign,2026-11-18,7,10,1,9,\n"
    "meta,1,campaign,2026-11-17,7,10,11,1,USD\n"
    "meta,1,campaign,2026-11-16,7,10,1,x,USD\n"
    "meta,1,campaign,1999-11-16,7,10,1,1,USD\n"
    "meta,1,campaign,2099-11-16,7,10,1,1,USD\n"
    "meta,1,campaign,2026-11-15,7,10,1,1,EUR\n"
    "meta,1,campaign,2026-11-14,,10,1,1,USD\n"
    "meta,1,campaign,2026-11-13, 7 ,10,1,1,usd\n"
    "broken\n"
)
META = (
    "Reporting starts,Reporting ends,Campaign name,Campaign ID,Account ID,Amount spent (USD),Impressions,Clicks (all)\n"
    '2026-11-18,2026-11-18,Spring,7,1,"1,234.50",1000,5\n'
    "2026-11-17,2026-11-18,Spring,7,1,2,1000,5\n"
    "2026-11-16,2026-11-16,Spring,7,1,two,1000,5\n"
    "2026-11-15,2026-11-15,Spring,7,1,2,1000.5,5\n"
)
RATES = "date,base,quote,rate\n2026-11-18,EUR,USD,1.1\n2026-11-18,EUR,USD,1.2\n2026-11-19,EUR,US,1\n"


@pytest.mark.parametrize(
    ("kind", "name", "body"),
    [
        ("adweir/metrics", "own.csv", OWN),
        ("meta_ads/campaign_performance", "meta.csv", META),
        ("ecb/rates", "rates.csv", RATES),
    ],
)
def test_the_same_rows_are_refused_for_the_same_reasons(
    kind: str, name: str, body: str, tables: None, clock: FrozenClock, tmp_path: Path
) -> None:
    # given
    world = LoadWorld(clock, "adweir-data")
    path = tmp_path / name
    path.write_text(body)

    # when
    world.arrive(f"drops/acme/{kind}/{name}", body.encode())
    found = validated(path, kind, None, None, clock.now())

    # then
    (receipt,) = world.receipts()
    reasons: Counter[str] = Counter()
    for fault in found.refused:
        reasons[fault.rule] += fault.rows
    assert (found.lines, found.bad_rows) == (receipt["rows_read"], receipt["rows_quarantined"])
    assert dict(reasons) == receipt["reasons"]
    named = {(line, fault.field) for fault in found.refused for line in fault.lines}
    assert {(each["line"], each["field"]) for each in receipt["first_quarantined"]} <= named
