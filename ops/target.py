"""The target of the operator's commands: the sandbox of this folder, or a stack in an AWS account."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, ProfileNotFound

from adweir.runtime.app import App
from adweir.runtime.settings import JobTarget, Settings
from ops.errors import CommandFailed
from ops.where import Where
from sandbox.home import Home, environment_of, states_of
from sandbox.processes import SandboxError

_PATIENCE = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 4})
_RUNS = "runs"
_QUEUE_URL = "_queue_url"
_OF_THE_API = ("platform_urls", "secrets_key_arn", "source_hosts", "source_buckets")


@dataclass(frozen=True)
class Deployment:
    """A deployed system: the stack's outputs by name. The process's environment already points there.

    `urls`: platform → what for → URL, where the platforms are not at their own; `logs`: the sandbox's folder of logs.
    """

    outputs: dict[str, str]
    urls: Mapping[str, dict[str, str]] = field(default_factory=dict)
    logs: Path | None = None

    def settings(self) -> Settings:
        """Names as the functions get them, for commands that use the core directly.

        The Glue database (in small letters, as Glue keeps names), the work group and secrets are called like the stack.
        """
        return Settings(
            catalog_table=self.outputs["CatalogTable"],
            metrics_table=self.outputs["MetricsTable"],
            ledger_table=self.outputs["LedgerTable"],
            findings_table=self.outputs["FindingsTable"],
            bucket=self.outputs["Bucket"],
            bus_name=self.outputs["BusName"],
            runs_queue_url=self.outputs["RunsQueueUrl"],
            **_queues(self.outputs["RunsQueueUrl"]),
            secret_prefix=self.outputs["SecretPrefix"],
            athena_database=self.outputs["SecretPrefix"].lower(),
            athena_work_group=self.outputs["SecretPrefix"],
            job_schedules=JobTarget.model_validate_json(jobs) if (jobs := self.outputs.get("JobSchedules")) else None,
            platform_urls=dict(self.urls),
        )

    def app(self) -> App:
        """The composition root on this target: one for all that a command does, since its clients take time to make."""
        return self._app

    @cached_property
    def _app(self) -> App:
        return App(self.settings())

    def app_of_api(self) -> App:
        """The same for who stores credentials and secrets: with the hosts, the buckets and the key of the function api.

        Asks Lambda for that function's environment.
        """
        import boto3

        name = f"{self.outputs['SecretPrefix']}-api"
        found = boto3.client("lambda", config=_PATIENCE).get_function_configuration(FunctionName=name)
        theirs = Settings.from_environment(found.get("Environment", {}).get("Variables", {}))
        return App(self.settings().model_copy(update={each: getattr(theirs, each) for each in _OF_THE_API}))


def _queues(runs: str) -> dict[str, str]:
    """The other queues: the template calls each by the stack's name and the name of its setting."""
    if not runs.endswith(f"-{_RUNS}"):
        return {}
    stem = runs.removesuffix(_RUNS)
    given = [name for name in Settings.model_fields if name.endswith(_QUEUE_URL) and name != f"{_RUNS}{_QUEUE_URL}"]
    named = {name: stem + name.removesuffix(_QUEUE_URL) for name in given}
    return named | {
        "collect_queues": f"{stem}collect-{{platform}}",
        "dead_letter_queues": f"{stem}dead-letters-{{queue}}",
    }


def sandbox_target(description: dict[str, Any]) -> Deployment:
    """A described sandbox. Points this process's AWS clients at it."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):  # one that this machine does not have would be an error
        os.environ.pop(name, None)
    os.environ.update(environment_of(description))
    return Deployment(
        description["stack"],
        description.get("platform_urls", {}),
        Path(description["logs"]) if "logs" in description else None,
    )


def stack_target(where: Where) -> Deployment:
    """A stack on AWS, by name, with the credentials and region that the AWS SDK finds. Raises CommandFailed."""
    import boto3

    if where.profile:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            os.environ.pop(name, None)  # the SDK takes these before a profile that the environment names
        os.environ["AWS_PROFILE"] = where.profile
    if where.region:
        os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = where.region
    stack, region = where.stack, "this region"
    try:
        client = boto3.client("cloudformation", config=_PATIENCE)
        region = client.meta.region_name
        found = client.describe_stacks(StackName=stack)["Stacks"][0]
    except NoRegionError:
        raise CommandFailed(f"stack {stack}: in which region? Add --region NAME, or set AWS_REGION") from None
    except NoCredentialsError:
        raise CommandFailed(f"stack {stack}: there are no AWS credentials. Log in, or add --profile NAME") from None
    except ProfileNotFound as error:
        raise CommandFailed(f"stack {stack}: {error}. `aws configure list-profiles` names yours") from None
    except (ClientError, BotoCoreError) as error:
        if "does not exist" in str(error):
            message = f"there is no stack {stack} in {region}: is it another --stack, --region or --profile?"
            raise CommandFailed(message) from None
        raise CommandFailed(f"stack {stack} in {region}: {error}") from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    if "CatalogTable" not in outputs:
        state = found["StackStatus"]
        raise CommandFailed(f"stack {stack} in {region} has no output CatalogTable: it is {state}, or none of adweir")
    return Deployment(outputs)


def open_target(where: Where) -> Deployment:
    """The stack when one is named, else the sandbox. Raises SandboxError when that is not running."""
    if where.stack:
        return stack_target(where)
    if where.profile or where.region:
        raise CommandFailed("--profile and --region say where a stack on AWS is: add --stack NAME")
    home = Home(where.home)
    description = home.read()
    if "stopped" in states_of(home).values():
        raise SandboxError("the sandbox is stopped; start it with: adweir up")
    if "platform_urls" not in description:
        raise SandboxError("another version of adweir started the sandbox; bring it up to date with: adweir up")
    return sandbox_target(description)
