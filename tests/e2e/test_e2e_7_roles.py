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
UNSEEN = (
    # Lambda does it in the role's name; MiniStack's event sources need no permission.
    *(Unseen("*", _POLLING, queue, "Lambda's event source reads the queue") for queue in ("*Queue", "sqs collect-*")),
    # What happens only after a fault.
    Unseen("*", ("sqs:ChangeMessageVisibility",), "*", "a message comes back sooner or later after a passing fault"),
    Unseen("*", ("s3:PutObject",), "DataBucket/quarantine/messages/*", "a message that no function can work on"),
    Unseen("Etl", ("dynamodb:PutItem",), "LedgerTable", "why a message failed for the last time"),
    Unseen("Etl", ("sqs:SendMessage",), "EtlQueue", "a message that has to wait is sent again"),
    Unseen("Validate", ("sqs:SendMessage",), "LandingQueue", "an object waits while its partition is busy"),
    Unseen("Orchestrate", ("sqs:SendMessage",), "*Queue", "the sweep sends lost messages again, a replay its objects"),
    Unseen("Orchestrate", ("dynamodb:BatchGetItem",), "LedgerTable", "the sweep looks at tasks without progress"),
    Unseen(
        "Collect", ("s3:GetObject",), "DataBucket/raw/*", "an object that a killed worker had stored is gone on with"
    ),
    Unseen(
        "PollReports",
        ("s3:GetObject",),
        "DataBucket/raw/*",
        "an object that a killed worker had stored is gone on with",
    ),
    Unseen("*s", ("sqs:SendMessage",), "*", "a report is asked for again, for halves of its window, or ends its run"),
    Unseen("Validate", ("s3:GetObject",), "DataBucket/receipts/*", "a file that is loaded again has a receipt"),
    Unseen("Validate", ("dynamodb:DeleteItem",), "MetricsTable", "an answer to a question of mass_vanish deletes it"),
    # What a platform, or a load larger than the sandbox's, brings about.
    Unseen(
        "Collect", ("s3:PutObject",), "DataBucket/parts/*", "a pull that does not fit an invocation is stored in parts"
    ),
    Unseen("PollReports", ("s3:PutObject",), "DataBucket/parts/*", "a report that does not fit is stored in parts"),
    Unseen("Validate", ("s3:GetObject",), "DataBucket/parts/*", "a pull that came in parts"),
    Unseen(
        "Validate", ("s3:GetObjectVersion",), "DataBucket/*", "S3's own events name the version; MiniStack's do not"
    ),
    Unseen("PollReports", ("dynamodb:GetItem", "dynamodb:PutItem"), "CatalogTable", "the same: it is marked as broken"),
    Unseen("PollReports", ("dynamodb:Query",), "LedgerTable", "tasks that wait for the same report are looked for"),
    Unseen("PollReports", ("events:PutEvents",), "Bus", "the platform refuses the credential while a report is made"),
    # What an operator does by hand, through the API.
    Unseen("Api", ("secretsmanager:RestoreSecret",), "*", "a credential is stored again within a week of its deletion"),
    Unseen(
        "Api",
        ("s3:GetObject",),
        "DataBucket/*",
        "links to exports and datasets are followed; older states are asked for",
    ),
    Unseen("Api", ("s3:PutObject",), "DataBucket/*", "an answer larger than 1 MiB becomes an export"),
    Unseen("Api", ("sqs:SendMessage",), "*", "messages that were set aside are sent again to where they came from"),
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
