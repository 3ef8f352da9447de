"""docs/library.md: its examples run as they stand, against the sandbox's platforms instead of the real ones."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

import adweir
from adweir.library.client import Client
from adweir.library.local import LocalSystem
from adweir.library.rows import GROUPS
from adweir.library.validating import DUPLICATE
from adweir.model.datasets import Dataset
from adweir.platforms import REGISTRY
from adweir.quality import schema
from adweir.quality.repairs import RULES
from adweir.quality.row_rules import KNOWN_RULES
from sandbox.platforms import platform_urls
from sandbox.server import PlatformServer
from support.documents import blocks, code, rows
from support.local_system import quick
from support.platform_server import owner, running
from support.template import ROOT

EXAMPLES = [block for block in blocks(ROOT / "docs/library.md") if block.language == "python"]


@pytest.fixture(scope="module")
def server() -> Iterator[PlatformServer]:
    with running(anchor=datetime.now(UTC).date()) as started:  # the examples ask for the last days
        yield started


def test_given_the_examples_when_they_are_run_one_after_another_then_they_find_what_they_ask_for(
    server: PlatformServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # given
    real = adweir.client

    def here(platform: str, *, requests_per_minute: float | None = None, **secret: str) -> Client:
        """The example's client, with the sandbox's credential and hosts; what it was given is checked."""
        spec = REGISTRY.spec(REGISTRY.parse(platform))
        spec.credential.read(secret)
        company, _ = owner(server, platform)
        made: dict[str, Any] = dict(company.credentials[platform])
        return real(platform, requests_per_minute=requests_per_minute and 60_000, urls=urls[platform], **made)

    def local_here(*, history_days: int) -> LocalSystem:
        """The example's system, with the sandbox's hosts and credentials."""
        system = quick("memory", urls=urls, history_days=history_days)
        connect = system.connect
        kept = server.outside.world.companies[0].credentials
        monkeypatch.setattr(system, "connect", lambda platform, **_: connect(platform, **kept[platform]))
        return system

    urls = platform_urls(server.url)
    monkeypatch.setattr(adweir, "client", here)
    monkeypatch.setattr(adweir, "local", local_here)
    monkeypatch.setattr("adweir.library.waiting._FIRST_POLL", 0.05)
    said: dict[str, Any] = {}

    # when
    for block in EXAMPLES:
        exec(compile(block.text, f"docs/library.md:{block.line}", "exec"), said)  # noqa: S102  our own document

    # then
    assert "Halden Outdoor" in capsys.readouterr().out
    assert said["spend"] > 0
    assert said["by_currency"]["USD"] > said["spend"]
    assert said["row"]["campaign_id"] == "23851773110000001"
    assert said["campaigns"]
    assert said["checked"]["valid"]
    assert said["checked"]["rows"] > 1
    assert said["spent"]
    assert sum(row["spend"] for row in said["weeks"]) > 0
    assert (said["valid"], said["record"]["spend"], said["record"]["ctr"]) == (True, Decimal("12.50"), Decimal("0.024"))
    assert (said["cleaned"].set_aside, len(said["cleaned"].rows)) == ([], said["checked"]["rows"])
    assert said["quality"]["scores"]["uniqueness"] == 1
    assert said["rows"]
    assert said["run"]["state"] == "succeeded"
    assert sum(row["spend"] for row in said["report"]["data"]) > 0


def test_given_the_table_of_verbs_then_it_names_each_verb_with_its_arguments() -> None:
    named = {call.partition("(")[0]: call for (verb, _) in rows("library.md", "The verbs") for call in code(verb)}
    verbs = {name for name in vars(Client) if name.startswith(("get_", "create_", "download_"))}

    assert set(named) == verbs
    for name, call in named.items():
        arguments = [argument.strip() for argument in call.partition("(")[2].rstrip(")").split(",") if argument]
        taken = getattr(Client, name).__annotations__
        assert arguments == [argument for argument in taken if argument not in {"return", "raw"}]


def test_given_the_tables_of_rules_and_repairs_then_they_name_each_one() -> None:
    checking = {name: cells[2:] for cells in rows("library.md", "Checking rows") for name in code(cells[0])}
    of_fields = {name for name, more in checking.items() if not more}
    severities = {name: more[0] for name, more in checking.items() if more}
    repairs = {name for cells in rows("library.md", "Repairing rows") for name in code(cells[0])}

    assert of_fields == schema._KNOWN
    assert severities == {name: each.rule.severity for name, each in KNOWN_RULES.items()}
    assert repairs == {*RULES, DUPLICATE}


def test_given_what_the_document_says_of_fields_and_datasets_then_it_is_so() -> None:
    text = (ROOT / "docs/library.md").read_text()

    assert all(f"`{name}`" in text for name in GROUPS["creative"])
    assert f"`{Dataset.AD_DAILY}`" in text


def test_given_the_table_of_a_systems_methods_then_it_names_each_one_with_its_arguments() -> None:
    named = {
        call.partition("(")[0]: call.partition("(")[2].rstrip(")")
        for (methods, _) in rows("library.md", "A whole system")
        for call in code(methods)
    }
    methods = {name: method for name, method in vars(LocalSystem).items() if callable(method) and name[0] != "_"}

    assert set(named) == set(methods)
    for name, given in named.items():
        taken = [argument for argument in inspect.signature(methods[name]).parameters if argument != "self"]
        assert [each.strip().lstrip("*") for each in given.split(",") if each] == taken
