"""The runner of `make contract-dbt`: it is right where dbt passes an export, and fails one whose campaigns differ."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from contract import models


def compared(_python: Path, _folder: Path, warehouse: Path) -> dict[str, str]:
    """What a dbt that works says: of the spend in the export."""
    spent = "SELECT SUM(spend) FROM read_parquet(?)"
    levels = (
        str(warehouse / f"metrics/platform=meta_ads/level={level}/**/*.parquet") for level in ("account", "campaign")
    )
    account, campaigns = (Decimal(duckdb.execute(spent, [files]).fetchall()[0][0]) for files in levels)
    return {"account_days": "success", models.COMPARES: "pass" if account == campaigns else "fail"}


@pytest.mark.parametrize(("status", "code"), [({}, 0), ({models.COMPARES: "pass"}, 1), ({"account_days": "error"}, 1)])
def test_dbt_has_to_pass_the_export_and_to_fail_on_a_campaign_that_was_changed(
    status: dict[str, str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # given dbt as it is, one that compares nothing, and one that cannot build a model
    monkeypatch.setattr(models, "interpreter", lambda *_: Path("python"))
    monkeypatch.setattr(models, "build", lambda *asked: compared(*asked) | status)

    # when
    ended = models.main()

    # then
    assert ended == code
    assert ("WRONG" in capsys.readouterr().out) is bool(code)
