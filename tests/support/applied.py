"""A deployment that files are applied to: the real App on the tests' tables; queues, secrets, schedules in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import pytest

from adweir.model.deeds import Deed
from adweir.runtime.app import App
from adweir.runtime.job_schedules import JobSchedules
from adweir.runtime.settings import Settings
from adweir.store.secrets import SecretStore, Values
from ops.apply.described import Description
from ops.apply.plan import ApplyPlan, FileRefused, Outcome, carry_out, plan
from ops.apply.text import written
from support.clock import FrozenClock
from support.job_world import TARGET, MemoryScheduler
from support.outlets import MemoryQueues
from support.template import ROOT

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

EXAMPLE = ROOT / "docs/examples/deployment.yaml"
SECRETS = {
    "OUTFITTERS_META_TOKEN": "EAAB-the-meta-token",
    "OUTFITTERS_TIKTOK_TOKEN": "the-tiktok-token-1",
    "OUTFITTERS_TIKTOK_SECRET": "the-tiktok-secret-1",
    "OUTFITTERS_PUSH_SECRET": "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "GOOGLE_LEAD_KEY": "lead-key-0123456789abcdef",
}
ALL = [
    "add account Example Outfitters",
    "add account Example Travel",
    "add credential meta_ads of Example Outfitters",
    "add credential tiktok_ads (eu) of Example Outfitters",
    "add webhook secrets meta_ads of Example Outfitters",
    "add webhook secrets google_ads of the deployment",
    "add mapping agency/campaign_performance of Example Outfitters",
    "add mapping shop/orders of the deployment",
    "add workflow two-platforms",
    "add job nightly",
    "add job office-hours",
]
ACME = "version: 1\naccounts:\n  - {company_name: Acme, primary_contact_email: a@acme.example}\n"


class MemorySecrets(SecretStore):
    """Secrets Manager's part is a dictionary: the current values by name."""

    def __init__(self, clock: FrozenClock) -> None:
        super().__init__(cast("SecretsManagerClient", None), "adweir", clock)  # it is asked nothing
        self.stored: dict[str, Values] = {}

    def put(self, secret_id: str, values: Mapping[str, str], *, alone: bool = False) -> None:
        self.stored[secret_id] = dict(values)
        self.forget(secret_id)

    def delete(self, secret_id: str) -> None:
        self.stored.pop(secret_id, None)
        self.forget(secret_id)

    def _read(self, secret_id: str) -> list[Values]:
        return [self.stored[secret_id]] if secret_id in self.stored else []


class AppliedWorld:
    """`app()` and `app_of_api()` as `ops.target.Deployment` has them."""

    def __init__(self, settings: Settings, clock: FrozenClock) -> None:
        self.scheduler = MemoryScheduler(clock)
        self.secrets = MemorySecrets(clock)
        self.made = App(settings, clock)
        schedules = JobSchedules(lambda: self.scheduler, TARGET)
        self.made.__dict__.update(queues=MemoryQueues(), secrets=self.secrets, schedules=schedules)

    def app(self) -> App:
        return self.made

    app_of_api = app

    def plan(self, file: str, environ: Mapping[str, str] | None = None, *, prune: bool = False) -> ApplyPlan:
        return plan(self.made, file.encode(), environ or {}, prune=prune, reason="adweir apply test")

    def apply(self, file: str, environ: Mapping[str, str] | None = None, *, prune: bool = False) -> Outcome:
        return carry_out(self.plan(file, environ, prune=prune).steps, lambda _step, _found: None)

    def describe(self, *, ids: bool = True) -> str:
        return written(Description(self.made, ids=ids).document())

    def deeds(self) -> list[Deed]:
        """The audit, the oldest first."""
        found, _ = self.made.ledger.audit.page(1000, "")
        return found[::-1]


def titles(found: ApplyPlan | Outcome) -> list[str]:
    """`add account Acme`, step by step; of an outcome what was done."""
    steps: list[Any] = found.steps if isinstance(found, ApplyPlan) else [step for step, _ in found.done]
    return [f"{step.verb} {step.title}" for step in steps]


def faults_of(world: AppliedWorld, file: str, **environ: str) -> list[str]:
    with pytest.raises(FileRefused) as refused:
        world.plan(file, environ)
    return [fault.text for fault in refused.value.faults]


def faults(world: AppliedWorld, file: str, **environ: str) -> list[str]:
    """What is refused of a first file."""
    found = faults_of(world, file, **environ)
    assert world.deeds() == []
    return found


def job(name: str, **fields: str) -> str:
    given = {"workflow": "daily", "schedule": "{type: daily, at: 12:30}"} | fields
    return f"  - {{name: {name}, {', '.join(f'{key}: {value}' for key, value in given.items())}}}\n"
