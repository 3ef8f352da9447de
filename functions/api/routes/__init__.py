"""The routes of the API, one file per resource.

Files with models do not use `from __future__ import annotations`: pydantic would have to compile each annotation, which
takes 13 ms of a cold start.
"""

from __future__ import annotations

from adweir.runtime.routes import Resource
from routes.accounts import accounts
from routes.agents import agents
from routes.anomalies import anomalies
from routes.api_logs import api_logs
from routes.audit import audit
from routes.brakes import brakes
from routes.campaigns import campaigns
from routes.coverage import coverage
from routes.credentials import credentials
from routes.datasets import datasets
from routes.dead_letters import dead_letters
from routes.describe import description
from routes.etl import etl
from routes.exports import exports
from routes.features import features
from routes.ingestion import ingestion
from routes.jobs import jobs
from routes.keys import keys
from routes.lift_tests import lift_tests
from routes.lists import lists
from routes.mappings import mappings
from routes.media_mix import media_mix
from routes.pipeline import pipeline
from routes.profiles import profiles
from routes.quality import quality
from routes.quarantine import quarantine
from routes.receipts import receipts
from routes.records import data_pipeline
from routes.replay import replay
from routes.reports import reports
from routes.runs import runs
from routes.specs import specs
from routes.workflows import workflows

RESOURCES: tuple[Resource, ...] = (
    accounts,
    credentials,
    profiles,
    specs,
    ingestion,
    workflows,
    runs,
    jobs,
    replay,
    brakes,
    dead_letters,
    quarantine,
    receipts,
    mappings,
    campaigns,
    agents,
    lists,
    data_pipeline,
    reports,
    exports,
    coverage,
    pipeline,
    quality,
    datasets,
    features,
    media_mix,
    etl,
    anomalies,
    lift_tests,
    keys,
    audit,
    api_logs,
    description,
)
