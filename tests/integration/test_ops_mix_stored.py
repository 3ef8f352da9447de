"""`adweir mmm show|history|reallocate` on a deployment: read by people and by programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from typer.testing import CliRunner, Result

from adweir.runtime.settings import Settings
from adweir.store.findings.coefficients import LookResult, MixLook
from ops import cli
from ops.target import Deployment
from support.deployment import deployed
from support.mix_versions import effect, outcome, put_version

Adweir = Callable[..., Result]


@pytest.fixture
def adweir(tables: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Adweir:
    target = deployed(settings, RunsQueueUrl="none")
    monkeypatch.setattr("ops.target.stack_target", lambda _where: target)
    monkeypatch.setattr(Deployment, "app_of_api", Deployment.app)
    app = target.app()
    app.catalog.create_account("acc_1", "Halden", "a@halden.example")
    refused = MixLook("USD", "weekly", "revenue", LookResult.NOT_READY, "2026-11-20T00:00:00Z", "run_1", "no channel")
    app.findings.mix.note("acc_1", refused)
    doubtful = replace(effect("amazon_ads", 5_000.0, 1.0), warnings=("its spend hardly varies",))
    for roi in (2.0, 3.0):
        put_version(app.findings.mix, "acc_1", outcome(effect("meta_ads", 10_000.0, roi), doubtful))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli.app, ["mmm", *arguments, "--stack", "adweir"], prog_name="adweir")

    return run


def test_what_channels_brought_is_shown_with_warnings_and_why_a_table_has_none(adweir: Adweir) -> None:
    result = adweir("show", "acc_1")

    assert "meta_ads    10,000  30,000 (15,000 to 45,000)  3.00 (1.50 to 4.50)" in result.stdout
    assert "version 2 of revenue in USD, daily, 2025-11-20 to 2026-11-19: hill saturation" in result.stderr
    assert "warning: amazon_ads: its spend hardly varies" in result.stderr
    assert "weekly in USD is not fitted: no channel" in result.stderr
    (printed,) = map(json.loads, adweir("show", "acc_1", "--json").stdout.splitlines())
    assert (printed["version"], printed["channels"][0]["roi"]["estimate"]) == (2, 3)
    others = adweir("show", "acc_1", "currency=eur").stderr
    assert others.startswith("acc_1 has no coefficients of this series")
    assert "weekly in USD" not in others


def test_what_was_said_of_weeks_is_not_shown_once_days_are_fitted(
    adweir: Adweir, tables: None, settings: Settings
) -> None:
    # given weeks that could not be fitted on the day before days could
    mix = deployed(settings, RunsQueueUrl="none").app().findings.mix
    days = MixLook("USD", "daily", "revenue", LookResult.FITTED, "2026-11-21T00:00:00Z", "run_2", version=1)
    mix.note("acc_1", days)

    # when, then
    assert "is not fitted" not in adweir("show", "acc_1").stderr

    # and when days cannot be fitted any more, weeks count again
    mix.note("acc_1", days._replace(result=LookResult.NOT_READY, at="2026-11-22T00:00:00Z", reason="a gap"))
    assert "weekly in USD is not fitted: no channel" in adweir("show", "acc_1").stderr


def test_versions_are_listed_and_one_is_shown(adweir: Adweir) -> None:
    result = adweir("history", "acc_1")
    assert result.exit_code == 0, (result.output, result.exception)
    lines = result.stdout.splitlines()

    assert [line.split()[0] for line in lines] == ["VERSION", "2", "2", "1", "1"]
    assert "2.00 (1.00 to 3.00)" in lines[3]
    assert "T" not in lines[3].split("meta_ads")[0]
    assert [json.loads(line)["version"] for line in adweir("history", "acc_1", "--json").stdout.splitlines()] == [2, 1]
    assert "20,000 (10,000 to 30,000)" in adweir("history", "acc_1", "--version", "1").stdout
    gone = adweir("history", "acc_1", "--version", "9")
    assert (gone.exit_code, "has no version 9" in gone.stderr) == (1, True)


def test_a_budget_is_distributed_within_bounds(adweir: Adweir) -> None:
    asked = ("reallocate", "acc_1", "--days", "73", "--budget", "3000", "meta_ads=2100..2200")

    result, printed = adweir(*asked), json.loads(adweir(*asked, "--json").stdout)

    assert {each["channel"]: each["proposed"] for each in printed["moves"]} == {"meta_ads": 2200, "amazon_ads": 800}
    assert "2,200.00" in result.stdout
    assert "3,000.00 USD over 73 days would bring" in result.stderr
    assert "by version 2" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("reallocate", "acc_1", "meta_ads"), "is not CHANNEL=LEAST..MOST"),
        (("reallocate", "acc_1", "meta_ads=x.."), "'x' is no amount"),
        (("reallocate", "acc_1", "--budget", "-5"), "'-5' is no amount"),
        (("reallocate", "acc_1", "--budget", "1"), "does not lie between"),
        (("reallocate", "acc_1", "--budget", "NaN"), "'NaN' is no amount"),
        (("reallocate", "acc_1", "--budget", "1e30"), "'1e30' is no amount such as 20000 or 1250.50, from 0 to 1,000"),
        (("reallocate", "acc_1", "meta_ads=..1e30"), "'1e30' is no amount"),
        (("reallocate", "acc_1", "--days", "0"), "greater than or equal to 1"),
        (("reallocate", "acc_1", "meta_ads=.."), "is not CHANNEL=LEAST..MOST"),
        (("reallocate", "acc_1", "meta_ads=..9", "meta_ads=5.."), "meta_ads is named twice"),
        (("show", "acc_1", "colour=red"), "is none of currency=CODE"),
        (("show", "acc_2"), "there is no account acc_2"),
        (("show", "cmp_2"), "cmp_2"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(adweir: Adweir, arguments: tuple[str, ...], says: str) -> None:
    result = adweir(*arguments)
    assert result.exit_code in {1, 2}
    assert says in " ".join(result.stderr.split())
