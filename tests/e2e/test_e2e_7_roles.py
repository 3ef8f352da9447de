"""Least privilege: what the stories saw the functions do is what the template grants to them.

The sandbox of the stories holds functions to their roles (`adweir up --audit`) and writes down each kind of call. A
grant that no story used has to be in UNSEEN, with the reason why it is there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.grants import Unseen, called, denied, granted
from support.river import River

STORIES = Path(__file__).parent
_POLLING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_PULLERS = ("Collect", "PollReports")
UNSEEN = (
    # Lambda does it in the role's name; MiniStack's event sources need no permission.
    *(Unseen("*", _POLLING, queue, "Lambda's event source reads the queue") for queue in ("*Queue", "sqs collect-*")),
    Unseen(
        "Validate", ("s3:GetObjectVersion",), "DataBucket/*", "S3's own events name the version; MiniStack's do not"
    ),
    Unseen("Validate", ("s3:PutObjectVersionTagging",), "DataBucket/*", "the same of the tags by which files expire"),
    Unseen(
        "Validate",
        ("s3:PutObjectTagging",),
        "DataBucket/quarantine/*",
        "refused rows of such files are put with their tag; MiniStack asks only whether they may be put",
    ),
    # What happens only after a fault, or when two workers meet.
    Unseen("*", ("sqs:ChangeMessageVisibility",), "*", "a message comes back sooner or later after a passing fault"),
    Unseen("*", ("s3:PutObject",), "DataBucket/quarantine/messages/*", "a message that no function can work on"),
    *(
        row
        for worker in ("Etl", "Curate", "Detect", "Learn", "Enrich", "Features")
        for row in (
            Unseen(worker, ("dynamodb:PutItem",), "LedgerTable", "why a message failed for the last time"),
            Unseen(worker, ("sqs:SendMessage",), f"{worker}Queue", "work waits for another run's, or for more time"),
        )
    ),
    *(
        Unseen(worker, ("dynamodb:GetItem",), "MetricsTable", "Etl's, which shares a policy with it")
        for worker in ("Curate", "Detect", "Learn", "Enrich", "Features")
    ),
    Unseen("Enrich", ("dynamodb:BatchGetItem", "dynamodb:Query"), "MetricsTable", "the same"),
    *(Unseen(worker, ("dynamodb:GetItem",), "CatalogTable", "the same") for worker in ("Detect", "Learn", "Features")),
    Unseen("Curate", ("s3:DeleteObject",), "DataBucket/curated/*", "a month or an ad account that is gone"),
    Unseen("Features", ("s3:ListBucket",), "DataBucket", "is there an object of the month? 404, not 403"),
    Unseen("Detect", ("events:PutEvents",), "Bus", "an anomaly is told, and the stories' days have none"),
    Unseen("Detect", ("sns:Publish",), "AlarmTopic", "the same"),
    Unseen("Detect", ("dynamodb:BatchGetItem",), "FindingsTable", "what was learned before of days that go on"),
    Unseen("Validate", ("sqs:SendMessage",), "LandingQueue", "an object waits while its partition is busy"),
    Unseen("Validate", ("s3:GetObject",), "DataBucket/receipts/*", "a file that is loaded again has a receipt"),
    Unseen(
        "Validate", ("dynamodb:DeleteItem",), "MetricsTable", "a question of mass_vanish that was answered is deleted"
    ),
    Unseen(
        "Orchestrate", ("sqs:SendMessage",), "ReportsQueue", "the sweep sends the messages of waiting reports again"
    ),
    Unseen("Orchestrate", ("dynamodb:BatchGetItem",), "LedgerTable", "the sweep looks at tasks without progress"),
    Unseen(
        "Orchestrate", ("dynamodb:GetItem",), "CatalogTable", "a run of one account, which may be deleted meanwhile"
    ),
    *(
        Unseen(puller, ("s3:GetObject",), "DataBucket/raw/*", "what a killed worker had stored is gone on with")
        for puller in _PULLERS
    ),
    Unseen(
        "Webhooks", ("s3:GetObject", "s3:ListBucket"), "DataBucket*", "was this delivery stored before? 404, not 403"
    ),
    # What a platform, or more data than the sandbox has, brings about.
    *(
        Unseen(puller, ("s3:PutObject",), "DataBucket/parts/*", "a pull that does not fit an invocation comes in parts")
        for puller in _PULLERS
    ),
    Unseen("Validate", ("s3:GetObject",), "DataBucket/parts/*", "a pull that came in parts is read from them"),
    Unseen("PollReports", ("sqs:SendMessage",), "sqs collect-*", "a report that failed is asked for again, in halves"),
    Unseen(
        "PollReports", ("dynamodb:DeleteItem", "dynamodb:Query"), "LedgerTable", "a shared report is let go by its last"
    ),
    Unseen("PollReports", ("dynamodb:PutItem",), "LedgerTable", "a task is parked when its credential is refused"),
    Unseen(
        "PollReports", ("dynamodb:GetItem", "dynamodb:PutItem"), "CatalogTable", "a refused credential is marked broken"
    ),
    Unseen("PollReports", ("events:PutEvents",), "Bus", "a refused credential is told"),
    Unseen("Etl", ("s3:*",), "DataBucket/exports/*", "a report too large for an answer is made in parts"),
    Unseen("Etl", ("dynamodb:GetItem", "dynamodb:UpdateItem"), "LedgerTable", "an export's state"),
    Unseen("Etl", ("s3:GetObject", "s3:ListBucket"), "DataBucket*", "an export of an earlier state (as_known_at)"),
    *(
        Unseen("Etl", actions, resource, "Athena makes a report too large for an answer, in this role's name")
        for actions, resource in (
            (("athena:*", "glue:*"), "*"),
            (("s3:GetObject",), "DataBucket/curated/*"),
            (("s3:GetBucketLocation",), "DataBucket"),
        )
    ),
    *(
        Unseen(reader, ("dynamodb:GetItem",), "MetricsTable", "an earlier state (as_known_at)")
        for reader in ("Api", "Etl")
    ),
    # What a person asks the API for.
    Unseen("Api", ("s3:GetObject",), "DataBucket/changes/*", "an earlier state (as_known_at)"),
    Unseen("Api", ("s3:GetObject",), "DataBucket/exports/*", "the link to an export is signed with this role"),
    Unseen("Api", ("s3:GetObject",), "DataBucket/mmm/*", "the link to a dataset is signed with this role"),
    Unseen("Api", ("s3:GetObject",), "DataBucket/quarantine/*", "what was refused or set aside is looked at"),
    Unseen("Api", ("s3:GetObject",), "DataBucket/registers/*", "orders that may not be there yet are looked for"),
    Unseen("Api", ("s3:PutObject", "s3:PutObjectTagging"), "DataBucket/drops/*/records/*", "records handed over"),
    Unseen("Api", ("s3:PutObject",), "DataBucket/exports/*", "an answer larger than 1 MiB comes as a link"),
    Unseen(
        "Api",
        ("s3:ListBucket",),
        "DataBucket",
        "datasets, messages that were set aside and objects to replay are listed",
    ),
    Unseen("Api", ("iam:PassRole",), "SchedulerRole", "MiniStack asks nobody whether a role may be passed"),
    Unseen("Api", ("sqs:SendMessage",), "*", "dead letters and messages that were set aside are sent again"),
    Unseen("Api", _POLLING, "sqs dead-letters-*", "dead letters are read, sent again or dropped"),
    Unseen(
        "Api",
        ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
        "FindingsTable",
        "the quality of an ad account's pulls, and a replay of the quarantine",
    ),
    Unseen("Api", ("dynamodb:UpdateItem",), "LedgerTable", "a brake is released by hand"),
    Unseen("Api", ("secretsmanager:DeleteSecret",), "*", "credentials and webhook secrets are deleted"),
    Unseen("Api", ("secretsmanager:RestoreSecret",), "*", "they are set again within a week"),
    Unseen("Api", ("secretsmanager:PutSecretValue",), "secretsmanager webhook/*", "webhook secrets are rotated"),
)


@pytest.fixture
def whole(request: pytest.FixtureRequest) -> None:
    """All stories are told in this session; of some of them alone nothing follows."""
    told = {item.path.name for item in request.session.items}
    if not {path.name for path in STORIES.glob("test_e2e_*.py")} <= told:
        pytest.skip("not all stories are told")


def test_given_all_stories_then_no_function_asked_for_what_its_role_does_not_allow(sandbox: River) -> None:
    calls = called(sandbox.home.path / "logs/calls.jsonl")

    assert denied(calls) == []
    assert {call.grant for call in calls} <= granted()


def test_given_all_stories_then_what_is_granted_was_used_or_has_a_reason(sandbox: River, whole: None) -> None:
    used = {call.grant for call in called(sandbox.home.path / "logs/calls.jsonl")}

    unused = sorted(grant for grant in granted() - used if not any(row.covers(grant) for row in UNSEEN))
    assert unused == []


def test_every_reason_is_about_something_that_is_granted() -> None:
    stale = [row for row in UNSEEN if not any(row.covers(grant) for grant in granted())]
    assert stale == []
