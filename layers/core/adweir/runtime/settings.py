"""Settings of a function: read once at cold start. The only place that reads the environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import from_json


def _parsed(value: object) -> object:
    return from_json(value) if isinstance(value, str) else value


def _listed(value: object) -> object:
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


class JobTarget(BaseModel):
    """Where the schedules of jobs are and what they send to: names and ARNs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: str
    queue: str
    dead_letters: str
    role: str


class BuiltInSchedules(BaseModel):
    """The built-in schedules: their zone, whether they are on (`ENABLED`), and expressions of EventBridge Scheduler."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timezone: str
    state: str
    expressions: dict[str, str]


class Settings(BaseModel):
    """What template.yaml hands to a function. Each field is the upper-case environment variable of its name.

    Tables, bucket, bus and queues are names or URLs; a function that does not need one does not get it, and its use
    fails with a clear error. `platform_urls` sends a connector somewhere else than its platform's own hosts, as the
    sandbox does: {"meta_ads": {"api": "https://…"}, "amazon_ads": {"api": "https://…", "token": "https://…"}}.
    """

    model_config = ConfigDict(frozen=True)

    catalog_table: str = ""
    metrics_table: str = ""
    ledger_table: str = ""
    findings_table: str = ""
    bucket: str = ""
    bus_name: str = ""
    runs_queue_url: str = ""
    collect_queues: str = Field(default="", description="a collect queue's URL with {platform} in it")
    reports_queue_url: str = ""
    etl_queue_url: str = ""
    curate_queue_url: str = ""
    detect_queue_url: str = ""
    learn_queue_url: str = ""
    enrich_queue_url: str = ""
    features_queue_url: str = ""
    landing_queue_url: str = ""
    stream_queue_url: str = ""
    stream_queue_arn: str = Field(default="", description="where Amazon Marketing Stream is asked to send")
    stream_accounts: Annotated[frozenset[str], BeforeValidator(_listed)] = Field(
        default=frozenset(), description="further AWS accounts whose topics are Amazon Marketing Stream's; with commas"
    )
    job_schedules: Annotated[JobTarget | None, BeforeValidator(_parsed)] = Field(
        default=None, description="JSON: the group of the jobs' schedules, and to which queue they send as which role"
    )
    schedules: Annotated[BuiltInSchedules | None, BeforeValidator(_parsed)] = Field(
        default=None, description="JSON: when the built-in workflows start, for whoever looks whether they pulled"
    )
    alarm_topic_arn: str = Field(default="", description="the SNS topic of messages about breaches; absent: the log")
    message_format: Literal["text", "slack", "pagerduty"] = "text"
    dead_letter_queues: str = Field(default="", description="a dead-letter queue's URL with {queue} in it")
    call_log_days: int = Field(default=0, description="how long the API log keeps calls; 0 logs none")
    secret_prefix: str = Field(default="adweir", description="names of secrets begin so; no slash at the end")
    secrets_key_arn: str = Field(default="", description="the KMS key of new secrets; absent: Secrets Manager's own")
    platform_urls: Annotated[dict[str, dict[str, str]], BeforeValidator(_parsed)] = Field(
        default_factory=dict, description="JSON: platform → what for → URL; absent: the platform's own"
    )
    source_hosts: str = Field(default="", description="hosts that specs may name, separated by commas")
    source_buckets: str = Field(
        default="", description="buckets that specs may read: names or ARNs, separated by commas"
    )
    athena_database: str = Field(default="", description="the Glue database of the tables of curated/")
    athena_work_group: str = Field(default="", description="where queries of these tables run")
    feature_group: str = Field(default="", description="a feature group of SageMaker that takes what is recorded")
    poll_seconds: float = Field(default=60.0, description="first wait for a report; grows to poll_max_seconds")
    poll_max_seconds: float = 300.0
    report_timeout_seconds: int = Field(default=10_800, description="a report not ready by then is given up")
    task_deadline_seconds: int = Field(default=21_600, description="a task not finished by then fails")
    function_timeout_seconds: int = Field(default=300, description="of this function; leases outlive it by 30 s")
    history_days: int = Field(default=60, description="how far back a profile's first pull reaches")
    stale_after_seconds: int = Field(default=1800, description="a planned task without progress is sent again")
    quality_threshold: float = Field(default=0.8, description="a pull scoring under it raises QualityBreached")
    anomaly_min_effect: float = Field(default=0.2, description="the least change that is an anomaly, as a share")
    anomaly_min_spend: float = Field(default=1.0, description="what has to be spent on a day for one to matter")
    anomaly_min_share: float = Field(default=0.1, description="the share of an ad account's spend that is at risk")
    aws_lambda_function_memory_size: int = Field(default=0, description="MB of this function; Lambda sets it")
    api_title: str = "adweir"
    log_level: str = "INFO"

    @property
    def margin_seconds(self) -> float:
        """Time that is left over for the end of work that goes on in another invocation."""
        return min(30.0, self.function_timeout_seconds / 10)

    @property
    def tables(self) -> tuple[str, str, str, str]:
        """The names of the four tables, as `store.dynamo.tables.bind` takes them."""
        return self.catalog_table, self.metrics_table, self.ledger_table, self.findings_table

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the environment; an empty variable counts as not set. Raises pydantic's ValidationError."""
        source = os.environ if environment is None else environment
        values = {name: source[name.upper()] for name in cls.model_fields if source.get(name.upper())}
        return cls.model_validate(values)

    def queue_urls(self, platforms: Iterable[str]) -> dict[str, str]:
        """The queues that this function was given: short name (`runs`, `collect-MetaAds`) → URL."""
        given = {name.removesuffix("_queue_url"): getattr(self, name) for name in _QUEUES}
        given |= {f"collect-{queue_part(platform)}": self.collect_queue_url(platform) for platform in platforms}
        return {name: url for name, url in given.items() if url}

    def collect_queue_url(self, platform: str) -> str:
        """The collect queue of a platform; empty when this function was given none."""
        return self.collect_queues.replace("{platform}", queue_part(platform))

    def dead_letter_urls(self, platforms: Iterable[str]) -> list[str]:
        """The dead-letter queues of `queue_urls`, and the one of what the scheduler and the bus could not deliver."""
        if not self.dead_letter_queues:
            return []
        return [self.dead_letter_queues.replace("{queue}", name) for name in [*self.queue_urls(platforms), "delivery"]]


_QUEUES = tuple(name for name in Settings.model_fields if name.endswith("_queue_url"))


def queue_part(platform: str) -> str:
    """`meta_ads` → `MetaAds`, as template.yaml writes it: `Fn::ForEach` builds alphanumeric logical ids from it."""
    return platform.title().replace("_", "")
