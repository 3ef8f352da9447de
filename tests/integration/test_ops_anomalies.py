"""`adweir anomalies` lists, shows, and takes what people say."""

from __future__ import annotations

from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from adweir.insight.anomalies.incidents import Incident
from adweir.store.findings import Findings
from ops import anomalies as commands
from support.clock import FrozenClock

FACTS = {"metric": "spend", "date": "2026-10-15", "value": "12.5", "expected": "100", "z": "-6.5"} | {
    "threshold": "3.5",
    "basis": "robust",
    "severity": "critical",
}
NAME = "ano_20261015aaaaaaaaaaaaaaaa"


def test_an_anomaly_is_listed_shown_and_said_to_be_expected(
    tables: None, clock: FrozenClock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    findings = Findings(clock)
    of: dict[str, Any] = {"account_id": "acc_1", "platform": "meta_ads", "profile_id": "1", "currency": "EUR"}
    when: dict[str, Any] = dict.fromkeys(("first_day", "last_day"), "2026-10-15") | {"days": ["2026-10-15"]}
    one = Incident(NAME, level="account", entity_id="1", **of, **when, detected_at="x", metrics=[FACTS], version=1)
    findings.anomalies.put(asdict(one))
    noted: list[object] = []
    ledger = SimpleNamespace(audit=SimpleNamespace(note=noted.append))
    app = SimpleNamespace(findings=findings, clock=clock, ledger=ledger)
    monkeypatch.setattr(commands, "app_of", lambda _context: app)
    context = typer.Context(typer.main.get_command(typer.Typer(callback=lambda: None)))

    # when
    commands.list_anomalies(context)
    commands.show_anomaly(context, NAME)
    commands.expected(context, NAME, note="a sale")

    # then
    said = capsys.readouterr().out
    assert "2026-10-15" in said
    assert f"2026-10-15  critical  open  {NAME}\n  Spend of the ad account 1 fell to 12.50 EUR on 2026-10-15;" in said
    assert "spend   2026-10-15  12.50 EUR   100 EUR  -6.5  account" in said
    assert max(map(len, said.splitlines())) <= 80
    assert f"{NAME} is expected" in said
    assert len(noted) == 1
    assert findings.anomalies.watches.expected("meta_ads#1") == {"account#1": {"spend": [NAME]}}
