"""The words of a breach, in the formats that people's tools take."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from adweir.model.breaches import Breach, BreachKind, BreachState, Subject
from adweir.model.errors import Unavailable
from adweir.quality.breach_messages import HELP, MessageFormat, written
from adweir.runtime.alarm_topic import AlarmTopic
from support.template import ROOT

OPENED = Breach(
    cause="freshness#meta_ads#1#day",
    kind=BreachKind.FRESHNESS,
    subject=Subject("acme", "meta_ads", "1"),
    state=BreachState.OPENING,
    says="No pull of its days succeeded since 2026-11-21 05:30 UTC.",
    looked_at="2026-11-21T11:31:00.000000Z",
    opened_at="2026-11-21T11:31:00.000000Z",
    since="2026-11-21T05:30:00.000000Z",
    value="last pulled 2026-11-20 05:41 UTC",
    expected="a successful pull after 2026-11-21 05:30 UTC",
    do="GET /api/v1/pipeline/health says why it waits.",
    about="day",
)
CLEARED = replace(
    OPENED, state=BreachState.CLEARING, cleared_at="2026-11-22T12:46:00.000000Z", cleared_because="It was pulled."
)


def body(breach: Breach, form: MessageFormat) -> Any:
    return json.loads(written(breach, form).body)


def test_the_text_says_what_happened_since_when_whose_what_was_expected_and_what_to_do() -> None:
    assert written(OPENED, MessageFormat.TEXT) == (
        "adweir breach: no pull in time, meta_ads 1",
        """No pull of its days succeeded since 2026-11-21 05:30 UTC.

Ad account: meta_ads ad account 1 of client acme
Since: 2026-11-21 05:30 UTC
Found: last pulled 2026-11-20 05:41 UTC
Expected: a successful pull after 2026-11-21 05:30 UTC
What to do: GET /api/v1/pipeline/health says why it waits.
Help: docs/operations.md, An ad account is stale
Cause: freshness#meta_ads#1#day
""",
    )


def test_the_text_of_the_end_says_why_it_is_over_and_how_long_it_lasted() -> None:
    message = written(CLEARED, MessageFormat.TEXT)
    assert message.subject == "adweir breach over: no pull in time, meta_ads 1"
    assert message.body.startswith("It was pulled.\n")
    assert "Over since: 2026-11-22 12:46 UTC, 1 day 1 hour after it was reported" in message.body
    assert "It was: No pull of its days" in message.body
    assert "What to do" not in message.body


def test_slack_gets_a_custom_notification_whose_end_is_in_the_thread_of_its_beginning() -> None:
    opened, cleared = body(OPENED, MessageFormat.SLACK), body(CLEARED, MessageFormat.SLACK)
    for message in (opened, cleared):
        assert (message["version"], message["source"]) == ("1.0", "custom")
        assert set(message["content"]) == {"textType", "title", "description", "nextSteps", "keywords"}
        assert message["content"]["textType"] == "client-markdown"
    assert opened["content"]["title"] == ":warning: adweir breach: no pull in time, meta_ads 1"
    assert opened["content"]["nextSteps"][0] == OPENED.do
    assert cleared["content"]["nextSteps"] == []
    assert opened["metadata"]["threadId"] == cleared["metadata"]["threadId"]
    assert opened["id"] != cleared["id"]


@pytest.mark.parametrize(
    ("breach", "state", "action"), [(OPENED, "ALARM", "trigger"), (CLEARED, "OK", "resolve")], ids=["opened", "cleared"]
)
def test_pagerduty_gets_an_alarm_of_one_name_that_triggers_and_resolves(
    breach: Breach, state: str, action: str
) -> None:
    """The subject begins with the state that the message says, or PagerDuty's integration leaves it out."""
    message = body(breach, MessageFormat.PAGERDUTY)
    assert written(breach, MessageFormat.PAGERDUTY).subject.startswith(f"{state}: ")
    assert (message["NewStateValue"], message["event_action"]) == (state, action)
    assert message["AlarmName"] == message["dedup_key"] == breach.cause
    assert (breach.do in message["AlarmDescription"]) == (state == "ALARM"), "there is nothing to do about what is over"
    assert {"summary", "source", "severity"} <= message["payload"].keys()
    assert message["payload"]["severity"] in {"critical", "error", "warning", "info"}


@pytest.mark.parametrize("form", MessageFormat)
def test_a_subject_is_one_that_sns_takes_whatever_the_ids_are(form: MessageFormat) -> None:
    odd = replace(OPENED, subject=Subject("acme", "generic", "Zürich\n" * 30))
    subject = written(odd, form).subject
    assert len(subject) < 100
    assert subject.isascii()
    assert subject.isprintable()


@pytest.mark.parametrize("kind", BreachKind)
def test_the_help_of_every_kind_is_a_section_of_the_manual(kind: BreachKind) -> None:
    assert f"### {HELP[kind]}\n" in (ROOT / "docs/operations.md").read_text()


class Sns:
    """Takes messages, or fails as AWS does."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[dict[str, str]] = []
        self._error = error

    def publish(self, **call: str) -> None:
        if self._error:
            raise self._error
        self.calls.append(call)


def test_a_message_goes_to_the_topic_and_without_one_only_into_the_log() -> None:
    sns = Sns()
    AlarmTopic(lambda: sns, "arn:topic", MessageFormat.TEXT).send(OPENED)
    AlarmTopic(lambda: sns, "", MessageFormat.TEXT).send(OPENED)
    message = written(OPENED, MessageFormat.TEXT)
    assert sns.calls == [{"TopicArn": "arn:topic", "Subject": message.subject, "Message": message.body}]


@pytest.mark.parametrize("error", ["refused", "silent"])
def test_a_topic_that_takes_nothing_is_unavailable(error: str) -> None:
    from botocore.exceptions import ClientError, ConnectTimeoutError

    faults = {
        "refused": ClientError({"Error": {"Code": "AuthorizationError", "Message": ""}}, "Publish"),
        "silent": ConnectTimeoutError(endpoint_url="https://sns.example"),
    }
    with pytest.raises(Unavailable, match="SNS"):
        AlarmTopic(lambda: Sns(faults[error]), "arn:topic", MessageFormat.TEXT).send(OPENED)
