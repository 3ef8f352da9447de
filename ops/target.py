"""The target of the operator's commands: the sandbox of this folder, or a stack in an AWS account."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from adweir.runtime.app import App
from adweir.runtime.settings import JobTarget, Settings
from sandbox.lifecycle import Home, environment_of, states
from sandbox.processes import SandboxError


@dataclass(frozen=True)
class Deployment:
    """A deployed system: the stack's outputs by name. The process's environment already points there."""

    outputs: dict[str, str]

    def settings(self) -> Settings:
        """Names as the functions get them, for commands that use the core directly."""
        return Settings(
            catalog_table=self.outputs["CatalogTable"],
            metrics_table=self.outputs["MetricsTable"],
            ledger_table=self.outputs["LedgerTable"],
            findings_table=self.outputs["FindingsTable"],
            bucket=self.outputs["Bucket"],
            bus_name=self.outputs["BusName"],
            runs_queue_url=self.outputs["RunsQueueUrl"],
            secret_prefix=self.outputs["SecretPrefix"],
            job_schedules=JobTarget.model_validate_json(jobs) if (jobs := self.outputs.get("JobSchedules")) else None,
        )

    def app(self) -> App:
        """The composition root on this target."""
        return App(self.settings())


def sandbox_target(description: dict[str, Any]) -> Deployment:
    """A described sandbox. Points this process's AWS clients at it."""
    os.environ.update(environment_of(description))
    return Deployment(description["stack"])


def stack_target(stack: str) -> Deployment:
    """A stack on AWS, by name, with the credentials and region that the AWS SDK finds. Raises SandboxError."""
    try:
        found = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except (ClientError, BotoCoreError) as error:
        raise SandboxError(f"stack {stack}: {error}") from error
    return Deployment({output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]})


def open_target(stack: str, home: Home) -> Deployment:
    """The stack when one is named, else the sandbox. Raises SandboxError when that is not running."""
    if stack:
        return stack_target(stack)
    description = home.read()
    if "stopped" in states(home).values():
        raise SandboxError("the sandbox is stopped; start it with: adweir up")
    return sandbox_target(description)
