"""`adweir apply`: what a file says is compared and done; `describe` writes such a file."""

from __future__ import annotations

import re
from typing import Any

import pytest

from adweir.intake.doors.webhook_secrets import FIELDS
from adweir.model.errors import AuthExpired
from adweir.platforms import REGISTRY
from adweir.runtime.settings import Settings
from support.applied import ACME, ALL, EXAMPLE, SECRETS, AppliedWorld, faults, faults_of, job, titles
from support.clock import FrozenClock
from support.command_line import Run, commands_on


@pytest.fixture
def world(tables: None, settings: Settings, clock: FrozenClock) -> AppliedWorld:
    return AppliedWorld(settings, clock)


@pytest.fixture
def adweir(world: AppliedWorld, monkeypatch: pytest.MonkeyPatch) -> Run:
    return commands_on(world, monkeypatch)


def with_token(email: str = "a@acme.example") -> str:
    return f"""
version: 1
accounts:
  - company_name: Acme
    primary_contact_email: {email}
    credentials:
      - platform: meta
        access_token: {{env: TOKEN}}
"""


def test_the_example_is_applied_in_the_order_in_which_one_thing_needs_another(world: AppliedWorld) -> None:
    outcome = world.apply(EXAMPLE.read_text(), SECRETS)

    assert titles(outcome) == ALL
    assert (outcome.failed, outcome.left) == ([], [])
    catalog = world.made.catalog
    ids = {account.company_name: account.account_id for account in catalog.accounts()}
    outfitters = catalog.account(ids["Example Outfitters"])
    assert (outfitters.currency, outfitters.timezone) == ("EUR", "Europe/Berlin")
    assert outfitters.naming == {"campaign": "{market}_{channel}_{objective*}"}
    found = {(str(one.platform), one.label): world.secrets.get(one.secret_id) for one in catalog.credentials()}
    assert found["meta_ads", "default"] == {"access_token": "EAAB-the-meta-token"}
    assert found["tiktok_ads", "eu"]["app_id"] == "7420000000000001"
    assert catalog.job("nightly").accounts == (ids["Example Outfitters"],)
    assert catalog.job("office-hours").state == "paused"
    assert {entry["State"] for entry in world.scheduler.schedules.values()} == {"ENABLED", "DISABLED"}
    assert world.secrets.stored["adweir/webhook/google"] == {"google_key": SECRETS["GOOGLE_LEAD_KEY"]}


def test_applied_again_it_changes_nothing(world: AppliedWorld) -> None:
    world.apply(EXAMPLE.read_text(), SECRETS)

    again = world.plan(EXAMPLE.read_text(), SECRETS, prune=True)

    assert (again.steps, again.same) == ([], len(ALL))


@pytest.mark.parametrize("ids", [True, False])
def test_what_describe_writes_changes_nothing_and_has_no_secret(world: AppliedWorld, *, ids: bool) -> None:
    world.apply(EXAMPLE.read_text(), SECRETS)

    text = world.describe(ids=ids)

    again = world.plan(text, prune=True)
    assert (again.steps, again.same) == ([], len(ALL))
    assert not any(value in text for value in SECRETS.values())
    assert "access_token: {env: EXAMPLE_OUTFITTERS_META_ADS_ACCESS_TOKEN}" in text
    assert "app_id: '7420000000000001'" in text, "what is no secret is written"
    assert ("account_id: acc_" in text) == ids


def test_a_described_deployment_without_ids_makes_another_one_the_same(world: AppliedWorld) -> None:
    world.apply(EXAMPLE.read_text(), SECRETS)
    text = world.describe(ids=False)
    for each in world.made.catalog.jobs():
        world.made.jobs.remove(each.name)
    for account in world.made.catalog.accounts():
        world.made.registration.forget_account(account.account_id)
    values = {
        "EXAMPLE_OUTFITTERS_META_ADS_ACCESS_TOKEN": SECRETS["OUTFITTERS_META_TOKEN"],
        "EXAMPLE_OUTFITTERS_TIKTOK_ADS_EU_ACCESS_TOKEN": SECRETS["OUTFITTERS_TIKTOK_TOKEN"],
        "EXAMPLE_OUTFITTERS_TIKTOK_ADS_EU_SECRET": SECRETS["OUTFITTERS_TIKTOK_SECRET"],
        "EXAMPLE_OUTFITTERS_WEBHOOK_META_ADS_SECRET": SECRETS["OUTFITTERS_PUSH_SECRET"],
    }

    world.apply(text, values)

    assert world.describe(ids=False) == text


@pytest.mark.parametrize(
    "value", ["EAAB-secret-value", "{env: EAAB-secret-value}", "[EAAB-secret-value]", "!EAAB-secret"]
)
def test_a_secret_that_is_written_into_the_file_is_refused_and_not_repeated(world: AppliedWorld, value: str) -> None:
    said = faults(world, with_token().replace("{env: TOKEN}", value))

    assert {line.partition(": ")[0] for line in said} == {"line 8"}
    assert "EAAB" not in str(said)


def test_neither_audit_nor_output_has_a_secret(
    world: AppliedWorld, adweir: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)

    said = adweir("apply", str(EXAMPLE), "--yes").output + adweir("describe").output
    said += adweir("apply", str(EXAMPLE), "--yes", "--json").output

    assert "access_token" in said
    assert [value for value in SECRETS.values() if value in said + repr(world.deeds())] == []


class TestSecrets:
    def test_one_that_changed_is_asked_for_and_stored(self, world: AppliedWorld) -> None:
        world.apply(with_token(), {"TOKEN": "old-token-1"})
        (stored,) = world.made.catalog.credentials()

        plan = world.plan(with_token(), {"TOKEN": "new-token-1"})

        (step,) = plan.steps
        assert [tuple(field) for field in step.fields] == [("access_token", "(secret)", "(secret)")]
        assert step.write() == "works: lists 0 ad accounts"
        assert world.secrets.get(stored.secret_id) == {"access_token": "new-token-1"}
        assert world.made.catalog.credentials()[0].version == 2

    def test_a_variable_that_is_not_set_leaves_the_secret_as_it_is_stored(self, world: AppliedWorld) -> None:
        world.apply(with_token(), {"TOKEN": "old-token-1"})

        plan = world.plan(with_token("b@acme.example"), {"TOKEN": ""})

        assert titles(plan) == ["change account Acme"]
        assert plan.notes == ["TOKEN is not set in the environment: that secret stays as it is stored"]

    def test_many_variables_that_are_not_set_are_one_note(self, world: AppliedWorld) -> None:
        world.apply(EXAMPLE.read_text(), SECRETS)

        (note,) = (each for each in world.plan(EXAMPLE.read_text(), {}).notes if "not set" in each)

        assert re.match(r"\d+ secrets stay as they are stored; .* environment: \w+, \w+, \w+ and \d+ more$", note)

    def test_a_variable_that_is_not_set_is_a_fault_where_nothing_is_stored(self, world: AppliedWorld) -> None:
        assert faults(world, with_token()) == [
            "line 8: accounts.0.credentials.0.access_token: the variable TOKEN is not set in the environment"
        ]

    def test_what_comes_from_the_environment_is_not_shown_whatever_field_it_is_for(self, world: AppliedWorld) -> None:
        file = with_token() + "        app_id: {env: APP}\n"

        (_, step) = world.plan(file, {"TOKEN": "a-token-12345", "APP": "of-another-program"}).steps

        assert [tuple(field) for field in step.fields] == [
            ("access_token", None, "(secret)"),
            ("app_id", None, "(secret)"),
        ]

    def test_a_credential_whose_secret_is_gone_is_described_and_stays(self, world: AppliedWorld) -> None:
        world.apply(with_token(), {"TOKEN": "old-token-1"})
        world.secrets.stored.clear()

        text = world.describe()

        assert "credentials:\n  - platform: meta_ads\n" in text
        assert world.plan(text, prune=True).steps == []
        assert titles(world.apply(with_token(), {"TOKEN": "old-token-1"})) == ["change credential meta_ads of Acme"]

    def test_one_that_the_platform_refuses_is_not_stored_and_the_rest_is(
        self, world: AppliedWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any) -> None:
            raise AuthExpired("the token is dead")

        monkeypatch.setattr(world.made, "_connect", refuse)

        outcome = world.apply(EXAMPLE.read_text(), SECRETS)

        assert titles(outcome) == [title for title in ALL if "credential" not in title]
        assert [message for _, message in outcome.failed] == [
            "the platform refuses the credential, nothing was stored: the token is dead"
        ] * 2
        assert world.made.catalog.credentials() == []

    def test_weak_webhook_secrets_are_refused_and_no_secret_is_repeated(self, world: AppliedWorld) -> None:
        file = "version: 1\nwebhooks:\n  meta:\n    secret: {env: WEAK}\n    secrets: {env: WEAK}\n  metta: {}\n"

        assert faults(world, file, WEAK="abc123") == [
            "line 4: webhooks.meta.secret: is refused: at least 16 bytes are needed, after whsec_ as base64",
            f"line 5: webhooks.meta.secrets: is unknown; did you mean secret? known: {', '.join(FIELDS)}",
            f"line 6: webhooks.metta: unknown platform 'metta'; known: {', '.join(REGISTRY.names())}",
        ]


class TestCompanies:
    def test_one_is_found_by_its_name_in_any_case_and_keeps_what_the_file_leaves_out(self, world: AppliedWorld) -> None:
        created = world.made.catalog.create_account("acc_1", "ACME", "a@acme.example")
        world.made.catalog.update_account("acc_1", timezone="Europe/Berlin")

        outcome = world.apply("version: 1\naccounts: [{company_name: Acme, currency: EUR}]")

        assert titles(outcome) == ["change account ACME"]
        account = world.made.catalog.account("acc_1")
        assert (account.company_name, account.currency, account.timezone) == ("Acme", "EUR", "Europe/Berlin")
        assert account.primary_contact_email == created.primary_contact_email

    def test_with_its_id_another_name_is_a_rename(self, world: AppliedWorld) -> None:
        world.made.catalog.create_account("acc_1", "Acme", "a@acme.example")

        world.apply("version: 1\naccounts: [{account_id: acc_1, company_name: Acme Europe}]")

        assert [account.company_name for account in world.made.catalog.accounts()] == ["Acme Europe"]

    def test_of_several_of_one_name_the_id_says_which(self, world: AppliedWorld) -> None:
        for account_id in ("acc_1", "acc_2"):
            world.made.catalog.create_account(account_id, "Acme", "a@acme.example")
        file = "version: 1\naccounts:\n  - {company_name: acme, currency: EUR}\njobs:\n" + job("one", accounts="[Acme]")

        assert faults(world, file) == [
            "line 3: accounts.0.company_name: several are called so: say which with account_id, acc_1 or acc_2",
            "line 5: jobs.0.accounts.0: several client companies are called so: name one by its id, acc_1 or acc_2",
        ]

    def test_one_that_is_named_by_its_id_is_not_meant_by_a_name_too(self, world: AppliedWorld) -> None:
        for account_id in ("acc_1", "acc_2"):
            world.made.catalog.create_account(account_id, "Acme", "a@acme.example")
        file = (
            "version: 1\naccounts: [{account_id: acc_2, company_name: Acme Asia}, {company_name: Acme, currency: EUR}]"
        )

        world.apply(file)

        found = {each.account_id: (each.company_name, each.currency) for each in world.made.catalog.accounts()}
        assert found == {"acc_1": ("Acme", "EUR"), "acc_2": ("Acme Asia", "")}

    def test_a_new_one_may_have_the_name_of_one_that_is_named_by_its_id(self, world: AppliedWorld) -> None:
        world.made.catalog.create_account("acc_1", "Old", "a@acme.example")
        file = (
            "version: 1\naccounts:\n  - {account_id: acc_1, company_name: Acme}\n"
            "  - {company_name: acme, primary_contact_email: b@acme.example}\n"
        )

        assert world.apply(file).failed == []

        assert sorted(each.company_name for each in world.made.catalog.accounts()) == ["Acme", "acme"]

    def test_an_id_that_is_not_there_and_a_company_without_an_address_are_refused(self, world: AppliedWorld) -> None:
        file = "version: 1\naccounts:\n  - {account_id: acc_9}\n  - {company_name: New}\n  - {currency: EUR}\n"

        assert [text.partition(": ")[2][:60] for text in faults(world, file)] == [
            "accounts.0.account_id: there is no such client company here;",
            "accounts.1.primary_contact_email: is required: there is no s",
            "accounts.2: has neither company_name nor account_id",
        ]

    def test_a_part_of_the_names_pattern_can_be_ended(self, world: AppliedWorld) -> None:
        world.made.catalog.create_account("acc_1", "Acme", "a@acme.example")
        world.made.catalog.update_account("acc_1", naming={"ad": "{a}", "campaign": "{b}"})

        world.apply("version: 1\naccounts: [{company_name: Acme, naming: {ad: null}}]")

        assert world.made.catalog.account("acc_1").naming == {"campaign": "{b}"}


class TestJobs:
    def test_what_the_file_leaves_out_of_a_job_is_usual_again_but_not_its_state(self, world: AppliedWorld) -> None:
        world.apply("version: 1\njobs:\n" + job("one", lookback_days="7", platforms="[meta]"))
        world.made.jobs.pause("one")

        outcome = world.apply("version: 1\njobs:\n" + job("one", platforms="[meta]"))

        assert titles(outcome) == ["change job one"]
        found = world.made.catalog.job("one")
        assert (found.lookback_days, found.platforms, found.state) == (0, ("meta_ads",), "paused")
        world.apply("version: 1\njobs:\n" + job("one", platforms="[meta]", state="active"))
        assert world.made.catalog.job("one").state == "active"

    def test_one_may_name_a_workflow_and_a_company_that_the_same_file_makes(self, world: AppliedWorld) -> None:
        file = ACME + "workflows: [{name: own, stages: [{name: a, kind: etl}]}]\njobs:\n"
        file += job("one", workflow="own", accounts="[acme]")

        assert titles(world.apply(file)) == ["add account Acme", "add workflow own", "add job one"]
        assert world.made.catalog.job("one").accounts == (world.made.catalog.accounts()[0].account_id,)

    def test_a_pipeline_s_argument_may_name_a_company_too(self, world: AppliedWorld) -> None:
        file = ACME + "jobs:\n" + job("one", workflow="ad", args="{account_id: acme}")

        assert faults_of(world, file.replace("acme}", "nobody}")) == [
            "line 5: jobs.0.args.account_id: there is no account nobody"
        ]
        world.apply(file)

        assert world.made.catalog.job("one").args["account_id"] == world.made.catalog.accounts()[0].account_id
        assert world.plan(world.describe(ids=False), prune=True).steps == []

    def test_one_whose_company_was_deleted_is_described_and_stays(self, world: AppliedWorld) -> None:
        world.apply(ACME + "jobs:\n" + job("one", accounts="[Acme]"))
        world.made.registration.forget_account(world.made.catalog.accounts()[0].account_id)

        assert world.plan(world.describe(), prune=True).steps == []

    def test_a_change_that_broke_off_is_completed(self, world: AppliedWorld) -> None:
        file = "version: 1\njobs:\n" + job("one")
        world.apply(file)
        world.scheduler.refuses = "ServiceUnavailableException"
        broken = world.apply(file.replace("12:30", "13:30"))
        assert titles(broken) == []
        assert len(broken.failed) == 1
        world.scheduler.refuses = ""

        outcome = world.apply(file.replace("12:30", "13:30"))

        assert titles(outcome) == ["change job one"]
        assert world.made.catalog.job("one").under_way == ""
        assert world.plan(file.replace("12:30", "13:30")).steps == []

    def test_one_that_cannot_run_can_be_paused(self, world: AppliedWorld) -> None:
        file = "version: 1\nworkflows: [{name: own, stages: [{name: a, kind: etl}]}]\njobs:\n" + job(
            "one", workflow="own"
        )
        world.apply(file)
        world.made.catalog.delete_workflow("own")
        only = "version: 1\njobs:\n" + job("one", workflow="own", state="paused")

        assert titles(world.apply(only)) == ["change job one"]
        assert "pause job" in {deed.action for deed in world.deeds()}
        assert "unknown workflow 'own'" in faults_of(world, only.replace("12:30", "13:30"))[0]
