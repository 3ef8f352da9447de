"""`adweir apply` and `describe` on the command line: what is shown, asked, said of faults, and how they end."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from adweir.runtime.settings import Settings
from ops.apply import command
from support.applied import ACME, EXAMPLE, SECRETS, AppliedWorld, job
from support.clock import FrozenClock
from support.command_line import Run, commands_on

WRONG = """version: 1
acounts: []
accounts:
  - company_name: Acme
    primary_contact_email: nobody
    timzone: UTC
    credentials:
      - platform: meta
        acces_token: {env: TOKEN}
  - company_name: ACME
    primary_contact_email: a@acme.example
    naming: {ad: "no part"}
  - company_name: Other
    primary_contact_email: o@other.example
    timezone: Mars
    timezone: UTC
workflows:
  - {name: daily, stages: [{name: a, kind: etl}]}
  - name: other
    stages: [{name: a, kind: pull, dataset: [ads]}]
  - name: own
    stages:
      - {name: a, kind: pull, datasets: [adds], after: [b]}
mappings:
  - {source: agency, data_type: orders, columns: [{field: order_id, name: [Id]}]}
jobs:
  - {name: one, workflow: own, schedule: {type: daily}, lookback_days: -1}
  - {name: two, workflow: hourly, schedule: {type: daily, at: noon}, accounts: [Nobody], platforms: [metta]}
"""
SAID = [
    "adweir: file.yaml is refused, and nothing was changed:",
    "  line 2: acounts: is unknown; did you mean accounts?",
    "  line 5: accounts.0.primary_contact_email: is not an e-mail address",
    "  line 6: accounts.0.timzone: is unknown; did you mean timezone?",
    "  line 9: accounts.0.credentials.0.acces_token: is unknown; did you mean access_token?",
    "  line 10: accounts.1: is there twice: line 4 has it, too",
    "  line 15: accounts.2.timezone: is not the name of an IANA zone",
    "  line 16: accounts.2.timezone: is there twice: line 15 has it, too",
    "  line 18: workflows.0.name: daily is a built-in workflow: choose another name",
    "  line 20: workflows.1.stages.0.dataset: is unknown; did you mean datasets?",
    "  line 23: workflows.2.stages.0.after: there is no stage 'b'; there are a",
    "  line 23: workflows.2.stages.0.datasets: 'adds' is not one of account_daily",
    "  line 25: mappings.0.columns.0.name: is unknown; did you mean names?",
    "  line 25: mappings.0.columns.0.names: is required",
    "  line 27: jobs.0.lookback_days: Input should be greater than or equal to 0",
    "  line 28: jobs.1.accounts.0: there is no such client company, neither by id nor by name",
    "  line 28: jobs.1.platforms: unknown platform 'metta'",
    "  line 28: jobs.1.schedule.at: 'noon' is not a clock time such as 05:30",
]


@pytest.fixture
def world(tables: None, settings: Settings, clock: FrozenClock) -> AppliedWorld:
    return AppliedWorld(settings, clock)


@pytest.fixture
def adweir(world: AppliedWorld, monkeypatch: pytest.MonkeyPatch) -> Run:
    return commands_on(world, monkeypatch)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.yaml"


class TestTheCommand:
    def test_it_shows_what_differs_and_changes_nothing_in_a_dry_run(
        self, adweir: Run, world: AppliedWorld, file: Path
    ) -> None:
        file.write_text(ACME)
        shown = adweir("apply", str(file), "--dry-run", expect=3).stdout
        assert shown.splitlines() == [
            "+ account Acme",
            "    company_name  Acme",
            "    primary_contact_email  a@acme.example",
            "1 to add, 0 to change, 0 to remove; 0 unchanged",
        ]
        assert world.deeds() == []
        assert "done: add account Acme" in adweir("apply", str(file), "--yes").stderr
        assert adweir("apply", str(file), "--dry-run").stdout == "nothing to do; 1 unchanged\n"
        file.write_text(ACME.replace("a@", "b@"))
        assert (
            "    primary_contact_email  a@acme.example -> b@acme.example"
            in adweir("apply", str(file), "--dry-run", expect=3).stdout
        )

    def test_without_a_terminal_nobody_is_asked(self, adweir: Run, world: AppliedWorld, file: Path) -> None:
        file.write_text(ACME)

        assert "there is nobody to ask: add --yes" in adweir("apply", str(file), expect=1).stderr
        assert world.made.catalog.accounts() == []

    @pytest.mark.parametrize(
        "case",
        [("y", False, True), ("", False, False), ("y", True, False), ("remove", True, True)],
    )
    def test_somebody_at_a_terminal_is_asked_and_for_removals_by_a_word(
        self,
        adweir: Run,
        world: AppliedWorld,
        file: Path,
        monkeypatch: pytest.MonkeyPatch,
        case: tuple[str, bool, bool],
    ) -> None:
        answer, removes, done = case
        monkeypatch.setattr("ops.output.can_ask", lambda _context, _instead: True)
        monkeypatch.setattr("typer.prompt", lambda *_, **__: answer)
        monkeypatch.setattr("typer.confirm", lambda *_, **__: answer == "y")
        if removes:
            world.apply(ACME)
        file.write_text("version: 1\naccounts: []\n" if removes else ACME)

        adweir("apply", str(file), "--prune", expect=0 if done else 1)

        assert len(world.made.catalog.accounts()) == (done is not removes)

    def test_what_failed_and_what_was_not_done_is_said(self, adweir: Run, world: AppliedWorld, file: Path) -> None:
        file.write_text("version: 1\njobs:\n" + job("one") + job("two"))
        world.scheduler.refuses = "ServiceUnavailableException"

        said = adweir("apply", str(file), "--yes", expect=1).stderr

        assert said.startswith(
            "adweir: 0 of 2 were done; apply again to go on with the others:\n  failed    add job one: "
        )
        assert said.splitlines()[-1] == "  not done  add job two: not tried: AWS did not answer"

    def test_what_a_terminal_would_take_for_a_command_is_shown_as_text(self, adweir: Run, file: Path) -> None:
        file.write_text('version: 1\nworkflows: [{name: a, about: "\\e[2Jgone", stages: [{name: a, kind: etl}]}]\n')

        assert "    about  \\x1b[2Jgone" in adweir("apply", str(file), "--dry-run", expect=3).stdout

    def test_programs_get_json(self, adweir: Run, file: Path) -> None:
        file.write_text(ACME)

        dry = adweir("apply", str(file), "--dry-run", "--json", expect=3)
        planned = json.loads(dry.stdout)
        done = json.loads(adweir("apply", str(file), "--yes", "--json").stdout)

        assert "+ account Acme" in dry.stderr, "who is asked whether to do it sees what it is"
        (change,) = planned["changes"]
        assert (change["change"], change["kind"], change["name"]) == ("add", "account", "Acme")
        assert change["fields"][0] == {"field": "company_name", "before": None, "after": "Acme"}
        assert [each["name"] for each in done["done"]] == ["Acme"]
        assert done["failed"] == done["not_done"] == []

    def test_what_describe_writes_is_read_from_standard_input(
        self, adweir: Run, world: AppliedWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.apply(EXAMPLE.read_text(), SECRETS)
        described = adweir("describe")
        assert "it names 5 secrets by variables" in described.stderr
        stdin = SimpleNamespace(buffer=io.BytesIO(described.stdout.encode()))
        monkeypatch.setattr("sys.stdin", stdin)

        content = command._content("-")

        assert world.plan(content[1].decode(), prune=True).steps == []

    def test_all_faults_are_listed_with_their_lines(self, adweir: Run, file: Path) -> None:
        file.write_text(WRONG)

        said = adweir("apply", str(file), expect=1).stderr

        assert [line[: len(wanted)] for line, wanted in zip(said.splitlines(), SAID, strict=True)] == SAID
