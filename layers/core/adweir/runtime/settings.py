"""Settings of a function: read once at cold start. The only place that reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """What template.yaml hands to a function. Each field is the upper-case environment variable of its name.

    Tables, bucket, bus and queues are names or URLs; a function that does not need one does not get it, and its use
    fails with a clear error. `*_base_url` point a connector somewhere else than its platform (the sandbox does).
    """

    model_config = ConfigDict(frozen=True)

    catalog_table: str = ""
    metrics_table: str = ""
    ledger_table: str = ""
    findings_table: str = ""
    bucket: str = ""
    bus_name: str = ""
    runs_queue_url: str = ""
    collect_meta_queue_url: str = ""
    collect_amazon_queue_url: str = ""
    reports_queue_url: str = ""
    etl_queue_url: str = ""
    landing_queue_url: str = ""
    dead_letter_queue_urls: str = Field(default="", description="comma-separated, for the health report")
    secret_prefix: str = Field(default="adweir", description="names of secrets begin so; no slash at the end")
    meta_base_url: str = "https://graph.facebook.com"
    meta_api_version: str = "v26.0"
    amazon_ads_base_url: str = Field(default="", description="empty: the host of the credential's region")
    amazon_ads_token_url: str = Field(default="", description="empty: the LwA host of the credential's region")
    poll_seconds: float = Field(default=60.0, description="first wait for a report; grows to poll_max_seconds")
    poll_max_seconds: float = 300.0
    report_timeout_seconds: int = Field(default=10_800, description="a report not ready by then is given up")
    task_deadline_seconds: int = Field(default=21_600, description="a task not finished by then fails")
    function_timeout_seconds: int = Field(default=300, description="of this function; leases outlive it by 30 s")
    history_days: int = Field(default=60, description="how far back a profile's first pull reaches")
    stale_after_seconds: int = Field(default=1800, description="a planned task without progress is sent again")
    quality_threshold: float = Field(default=0.8, description="a pull scoring under it raises QualityBreached")
    api_title: str = "adweir"
    log_level: str = "INFO"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the environment; an empty variable counts as not set. Raises pydantic's ValidationError."""
        source = os.environ if environment is None else environment
        values = {name: source[name.upper()] for name in cls.model_fields if source.get(name.upper())}
        return cls.model_validate(values)
