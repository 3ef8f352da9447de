"""What `adweir apply` removes, what it does not overwrite, and what it leaves when something fails."""

from __future__ import annotations

from typing import Any

import pytest

from adweir.model.errors import Conflict, Unavailable
from adweir.runtime.settings import Settings
from ops.apply.plan import FileRefused
from support.applied import ACME, ALL, EXAMPLE, SECRETS, AppliedWorld, faults, job, titles
from support.clock import FrozenClock


@pytest.fixture
def world(tables: None, settings: Settings, clock: FrozenClock) -> AppliedWorld:
    return AppliedWorld(settings, clock)


class TestPrune:
    def test_only_sections_of_the_file_lose_what_they_do_not_have(self, world: AppliedWorld) -> None:
        world.apply(EXAMPLE.read_text(), SECRETS)
        file = """
version: 1
accounts:
  - company_name: Example Outfitters
    credentials: []
    webhooks: {}
jobs: []
"""
        assert world.plan(file).steps == []

        outcome = world.apply(file, prune=True)

        assert titles(outcome) == [
            "remove job nightly",
            "remove job office-hours",
            "remove webhook secrets meta_ads of Example Outfitters",
            "remove credential meta_ads (default) of Example Outfitters",
            "remove credential tiktok_ads (eu) of Example Outfitters",
            "remove account Example Travel",
        ]
        assert world.plan(file, prune=True).steps == []
        assert [each.name for each in world.made.catalog.stored_workflows()] == ["two-platforms"]
        assert sorted(world.secrets.stored) == ["adweir/webhook/google"]
        assert world.scheduler.schedules == {}

    def test_which_doors_there_are_is_read_once_for_all_companies(
        self, world: AppliedWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found: list[int] = []
        read = world.made.catalog.doors

        def doors() -> list[tuple[str, str]]:
            found.append(1)
            return read()

        monkeypatch.setattr(world.made.catalog, "doors", doors)
        for name in ("one", "two"):
            world.made.catalog.create_account(f"acc_{name}", name, "a@acme.example")

        listed = "{company_name: one, webhooks: {}}, {company_name: two, webhooks: {}}"
        world.plan(f"version: 1\naccounts: [{listed}]", prune=True)

        assert len(found) == 1

    def test_what_goes_with_a_company_is_shown(self, world: AppliedWorld) -> None:
        world.apply(EXAMPLE.read_text(), SECRETS)

        steps = world.plan("version: 1\naccounts: []", prune=True).steps

        assert {step.name: [tuple(field) for field in step.fields] for step in steps} == {
            "Example Outfitters": [("credentials", "meta_ads default, tiktok_ads eu", None)],
            "Example Travel": [],
        }

    def test_all_of_it_goes(self, world: AppliedWorld) -> None:
        world.apply(EXAMPLE.read_text(), SECRETS)
        nothing = "version: 1\naccounts: []\nwebhooks: {}\nmappings: []\nworkflows: []\njobs: []\n"

        assert len(world.apply(nothing, prune=True).done) == 7

        assert world.describe() == nothing

    def test_what_would_go_cannot_be_named_by_a_job(self, world: AppliedWorld) -> None:
        world.apply(ACME + "workflows: [{name: own, stages: [{name: a, kind: etl}]}]")
        file = "version: 1\naccounts: []\nworkflows: []\njobs:\n" + job("one", workflow="own", accounts="[Acme]")
        assert len(world.plan(file).steps) == 1

        with pytest.raises(FileRefused) as refused:
            world.plan(file, prune=True)

        assert [fault.where for fault in refused.value.faults] == ["jobs.0.accounts.0", "jobs.0.workflow"]

    def test_a_section_without_anything_behind_its_name_is_refused(self, world: AppliedWorld) -> None:
        assert faults(world, "version: 1\njobs:\nwebhooks:\n") == [
            "line 2: jobs: has nothing behind it: write jobs: [] where there is none, or leave it out",
            "line 3: webhooks: has nothing behind it: write webhooks: {} where there is none, or leave it out",
        ]


class TestMeanwhile:
    """Somebody else changes something after the differences were shown."""

    CHANGED = """
version: 1
accounts:
  - company_name: Acme
    currency: EUR
    credentials: [{platform: meta, access_token: {env: TOKEN}}]
    webhooks: {meta: {secret: {env: PUSH}}}
    mappings: [{source: agency, data_type: orders, columns: [{field: order_id, names: [Id]}]}]
workflows: [{name: own, stages: [{name: b, kind: etl}]}]
jobs:
  - {name: one, workflow: daily, schedule: {type: hourly}}
"""

    def theirs(self, world: AppliedWorld) -> None:
        """What somebody else makes of the same things."""
        file = self.CHANGED.replace("EUR", "USD").replace("[Id]", "[Nr]").replace("b, kind", "c, kind")
        outcome = world.apply(file.replace("hourly", "hourly, minute: 7"), {"TOKEN": "their-token-1", "PUSH": "p" * 32})
        assert len(outcome.done) == 6

    @pytest.mark.parametrize("removed", [False, True])
    def test_each_change_is_noticed_and_none_is_overwritten(self, world: AppliedWorld, *, removed: bool) -> None:
        first = self.CHANGED.replace("EUR", "CHF").replace("[Id]", "[No]").replace("b, kind", "a, kind")
        environ = {"TOKEN": "our-token-1", "PUSH": "o" * 32}
        world.apply(ACME)
        world.apply(first.replace("hourly", "hourly, minute: 3"), {"TOKEN": "first-token-1", "PUSH": "f" * 32})
        own = "version: 1\naccounts: [{company_name: Acme, credentials: [], webhooks: {}, mappings: []}]\n"
        file = own + "workflows: []\njobs: []\n" if removed else self.CHANGED
        plan = world.plan(file, environ, prune=removed)
        self.theirs(world)
        before = world.describe(), dict(world.secrets.stored)

        messages = []
        for step in plan.steps:
            with pytest.raises(Conflict) as noticed:
                step.write()
            messages.append(noticed.value.message)

        assert len(messages) == (5 if removed else 6)
        assert all("someone else" in message for message in messages)
        assert (world.describe(), world.secrets.stored) == before

    def test_what_somebody_else_made_first_is_not_overwritten(self, world: AppliedWorld) -> None:
        world.apply(ACME)
        plan = world.plan(self.CHANGED, {"TOKEN": "our-token-1", "PUSH": "o" * 32})
        assert world.apply(self.CHANGED, {"TOKEN": "their-token-1", "PUSH": "p" * 32}).failed == []

        for step in plan.steps:
            with pytest.raises(Conflict):
                step.write()

    def test_a_company_that_somebody_else_made_meanwhile_is_not_made_twice(self, world: AppliedWorld) -> None:
        (step,) = world.plan(ACME).steps
        world.made.catalog.create_account("acc_1", "ACME", "a@acme.example")

        with pytest.raises(Conflict, match="someone else made a client company Acme"):
            step.write()

        assert len(world.made.catalog.accounts()) == 1

    def test_a_company_that_was_changed_is_not_removed(self, world: AppliedWorld) -> None:
        world.apply(ACME)
        (step,) = world.plan("version: 1\naccounts: []", prune=True).steps
        world.apply("version: 1\naccounts: [{company_name: Acme, currency: EUR}]")

        with pytest.raises(Conflict, match="since it was read"):
            step.write()

        assert len(world.made.catalog.accounts()) == 1


class TestFailures:
    def test_what_needs_a_company_that_failed_is_kept_back_and_a_second_apply_goes_on(
        self, world: AppliedWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any) -> None:
            raise Conflict("no room")

        with monkeypatch.context() as broken:
            broken.setattr(world.made.catalog, "create_account", refuse)
            outcome = world.apply(EXAMPLE.read_text(), SECRETS)
        kept = [f"{step.verb} {step.title}" for step, _ in outcome.left]
        assert titles(outcome) == [
            title for title in ALL if "deployment" in title or "workflow" in title or "office" in title
        ]
        assert kept == [title for title in ALL if "of Example Outfitters" in title or "nightly" in title]
        assert {why for _, why in outcome.left} == {"not tried: it needs what was not done"}

        assert titles(world.apply(EXAMPLE.read_text(), SECRETS)) == [
            title for title in ALL if title not in titles(outcome)
        ]
        assert world.plan(EXAMPLE.read_text(), SECRETS).steps == []

    def test_nothing_is_removed_after_something_failed(self, world: AppliedWorld) -> None:
        world.apply("version: 1\njobs:\n" + job("one"))
        world.scheduler.refuses = "ValidationException"

        outcome = world.apply("version: 1\njobs:\n" + job("two"), prune=True)

        assert len(outcome.failed) == 1
        assert [why for _, why in outcome.left] == ["not tried: nothing is removed after something failed"]
        assert [each.name for each in world.made.catalog.jobs()] == ["one"]

    @pytest.mark.parametrize("end", [Unavailable("the catalog does not answer"), KeyboardInterrupt()])
    def test_where_aws_does_not_answer_nothing_more_is_tried(
        self, world: AppliedWorld, monkeypatch: pytest.MonkeyPatch, end: BaseException
    ) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise end

        monkeypatch.setattr(world.made.catalog, "put_mapping", fail)

        outcome = world.apply(EXAMPLE.read_text(), SECRETS)

        assert (len(outcome.done), len(outcome.failed), len(outcome.left)) == (6, 1, 4)
        assert outcome.interrupted == isinstance(end, KeyboardInterrupt)

    def test_who_did_what_and_why_is_in_the_audit(self, world: AppliedWorld) -> None:
        world.apply(EXAMPLE.read_text(), SECRETS)
        world.apply("version: 1\naccounts: []\nwebhooks: {}\nmappings: []\nworkflows: []\njobs: []\n", prune=True)

        deeds = world.deeds()

        assert {deed.who[:4] for deed in deeds} == {"cli:"}
        assert {deed.reason for deed in deeds} == {"adweir apply test"}
        assert sorted({(deed.action, deed.kind) for deed in deeds}) == [
            ("create account", "account"),
            ("create credential", "credential"),
            ("create job", "job"),
            ("delete account", "account"),
            ("delete mapping", "mapping"),
            ("delete webhook secrets", "credential"),
            ("delete workflow", "workflow"),
            ("put account webhook secrets", "credential"),
            ("put mapping", "mapping"),
            ("put webhook secrets", "credential"),
            ("remove job", "job"),
            ("store workflow", "workflow"),
            ("update account", "account"),
        ]
