"""A morning with a generated client: `generated_client_story.py API_URL API_KEY` and, on standard input, a company.

It registers the company with its Meta credential, pulls it, asks how the last days compare with those before, and
deletes it. What came is on standard output as JSON. `adweir_client` is what openapi-python-client made.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any, TypeVar

import httpx
from adweir_client import AuthenticatedClient
from adweir_client.api.accounts import create_account, delete_account, get_account
from adweir_client.api.ad_accounts import list_profiles
from adweir_client.api.credentials import create_credential
from adweir_client.api.ingestion import sync_account
from adweir_client.api.lists import list_platform_campaigns
from adweir_client.api.reports import create_report
from adweir_client.api.runs import get_run
from adweir_client.models.created_account import CreatedAccount
from adweir_client.models.meta_ads import MetaAds
from adweir_client.models.named_dimension import NamedDimension
from adweir_client.models.named_metric import NamedMetric
from adweir_client.models.new_account import NewAccount
from adweir_client.models.new_report import NewReport
from adweir_client.models.platform_campaigns_answer import PlatformCampaignsAnswer
from adweir_client.models.profile_list import ProfileList
from adweir_client.models.refusal import Refusal
from adweir_client.models.report_answer import ReportAnswer
from adweir_client.models.run_details import RunDetails
from adweir_client.models.started_run import StartedRun
from adweir_client.models.stored_credential import StoredCredential

_SECONDS, _ANSWER_SECONDS = 240, 30
Answer = TypeVar("Answer")


def expect(kind: type[Answer], answer: object) -> Answer:
    """The answer, which has to be of this kind."""
    if not isinstance(answer, kind):
        raise SystemExit(f"{kind.__name__} was expected, and this came: {answer}")
    return answer


def main(url: str, key: str, company: dict[str, Any]) -> dict[str, Any]:
    """The story; what it saw."""
    client = AuthenticatedClient(base_url=url, token=key, timeout=httpx.Timeout(_ANSWER_SECONDS))
    new = NewAccount(company_name=company["company_name"], primary_contact_email=company["primary_contact_email"])
    account = expect(CreatedAccount, create_account.sync(client=client, body=new))
    credential = MetaAds.from_dict(company["credentials"]["meta_ads"])
    stored = expect(StoredCredential, create_credential.sync(account.account_id, client=client, body=credential))
    started = expect(StartedRun, sync_account.sync(account.account_id, client=client))
    run = ended(client, started.run_id)
    report = expect(
        ReportAnswer,
        create_report.sync(
            client=client,
            body=NewReport(
                time_range="last_3_days",
                compare="previous_period",
                metrics=[NamedMetric.from_dict({"name": name}) for name in ("impressions", "spend")],
                dimensions=[NamedDimension.from_dict({"name": "account"})],
                names=True,
                order=["-spend"],
            ),
        ),
    )
    campaigns = expect(
        PlatformCampaignsAnswer,
        list_platform_campaigns.sync(
            client=client, account_id=account.account_id, order="-totals.last_7_days.spend", limit=2
        ),
    )
    profiles = expect(ProfileList, list_profiles.sync(client=client)).profiles
    delete_account.sync_detailed(account.account_id, client=client)
    gone = expect(Refusal, get_account.sync(account.account_id, client=client))
    return {
        "credential": stored.state,
        "run": run.state,
        "zones": {profile.profile_id: profile.timezone for profile in profiles},
        "report": report.to_dict(),
        "campaigns": [each.to_dict() for each in campaigns.platform_campaigns],
        "after_deletion": gone.error.code,
    }


def ended(client: AuthenticatedClient, run_id: str) -> RunDetails:
    """The run when it has ended."""
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        found = get_run.sync(run_id, client=client)
        if not (isinstance(found, Refusal) and found.error.code == "not_found"):  # it was asked for, and has not begun
            run = expect(RunDetails, found)
            if run.ended_at:
                return run
        time.sleep(0.5)
    raise SystemExit(f"run {run_id} has not ended in {_SECONDS} s")


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], json.load(sys.stdin)), default=str))
