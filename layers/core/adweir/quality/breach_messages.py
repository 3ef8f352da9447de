"""A breach in words, as the formats of messages want it: plain text, Slack, PagerDuty.

Slack's is the custom notification of Amazon Q Developer in chat applications (its administrator guide, "Custom
notifications"): what the chat client shows of an SNS topic that is mapped to a channel. PagerDuty's is what its Amazon
CloudWatch integration reads from an SNS topic: the subject and `NewStateValue` say whether it opens or resolves,
`AlarmName` says of what. Beside it are the fields of PagerDuty's Events API v2, for its event orchestrations. Neither
needs code between SNS and the service.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from adweir.model.breaches import Breach, BreachKind
from adweir.model.times import parse_instant

_SUBJECT_CHARS = 100
"""Characters of a subject, which SNS wants below 100 and in ASCII."""
_KEY_CHARS = 255
"""Characters of PagerDuty's `dedup_key`, and of CloudWatch's alarm names."""
HELP: Mapping[BreachKind, str] = {
    BreachKind.FRESHNESS: "An ad account is stale",
    BreachKind.VOLUME: "Rows or values are missing",
    BreachKind.NULLS: "Rows or values are missing",
    BreachKind.SCORE: "A score dropped",
    BreachKind.BILL: "A bill is unexplained",
    BreachKind.REFUSED: "Rows were refused",
    BreachKind.ANOMALY: "An anomaly was found",
}
"""The sections of docs/operations.md."""
TITLES: Mapping[BreachKind, str] = {
    BreachKind.FRESHNESS: "no pull in time",
    BreachKind.VOLUME: "unusual number of rows",
    BreachKind.NULLS: "missing values",
    BreachKind.SCORE: "quality dropped",
    BreachKind.BILL: "unexplained bill",
    BreachKind.REFUSED: "refused rows",
    BreachKind.ANOMALY: "unusual numbers",
}


class MessageFormat(StrEnum):
    TEXT = "text"
    SLACK = "slack"
    PAGERDUTY = "pagerduty"


class BreachMessage(NamedTuple):
    """What SNS gets."""

    subject: str
    body: str


def written(breach: Breach, form: MessageFormat) -> BreachMessage:
    """The message of a breach: that it is over where `cleared_at` is set, else that it began."""
    return _FORMS[form](breach)


def _text(breach: Breach) -> BreachMessage:
    lines = [_says(breach), "", *(f"{name}: {value}" for name, value in _facts(breach).items())]
    return BreachMessage(_subject(_title(breach)), "\n".join(lines) + "\n")


def _slack(breach: Breach) -> BreachMessage:
    mark = ":white_check_mark:" if breach.cleared_at else ":warning:"
    facts = {name: value for name, value in _facts(breach).items() if name not in {"What to do", "Help"}}
    steps = [] if breach.cleared_at else [breach.do, f"docs/operations.md, {HELP[breach.kind]}"]
    body: dict[str, Any] = {
        "version": "1.0",
        "source": "custom",
        "id": f"{breach.cause}@{breach.cleared_at or breach.opened_at}",
        "content": {
            "textType": "client-markdown",
            "title": f"{mark} {_title(breach)}",
            "description": "\n".join([_says(breach), *(f"*{name}*: {value}" for name, value in facts.items())]),
            "nextSteps": [step for step in steps if step],
            "keywords": ["adweir", breach.kind.value, breach.subject.platform],
        },
        "metadata": {
            "threadId": f"{breach.cause}@{breach.opened_at}",
            "summary": _says(breach),
            "eventType": "breach-cleared" if breach.cleared_at else "breach-opened",
            "relatedResources": [breach.subject.key],
        },
    }
    return BreachMessage(_subject(_title(breach)), _json(body))


def _pagerduty(breach: Breach) -> BreachMessage:
    state, before = ("OK", "ALARM") if breach.cleared_at else ("ALARM", "OK")
    steps = "" if breach.cleared_at else f" {breach.do} Help: docs/operations.md, {HELP[breach.kind]}"
    body: dict[str, Any] = {
        "AlarmName": breach.cause[:_KEY_CHARS],
        "AlarmDescription": f"{_title(breach)}.{steps}",
        "NewStateValue": state,
        "OldStateValue": before,
        "NewStateReason": _says(breach),
        "StateChangeTime": breach.cleared_at or breach.opened_at,
        "event_action": "resolve" if breach.cleared_at else "trigger",
        "dedup_key": breach.cause[:_KEY_CHARS],
        "payload": {
            "summary": f"{_title(breach)}: {_says(breach)}"[:1024],
            "source": breach.subject.key,
            "severity": "warning",
            "timestamp": breach.cleared_at or breach.opened_at,
            "component": breach.about,
            "group": breach.subject.account_id,
            "class": breach.kind.value,
            "custom_details": _facts(breach),
        },
    }
    return BreachMessage(_subject(f'{state}: "{_title(breach)}"'), _json(body))


_FORMS: Mapping[MessageFormat, Callable[[Breach], BreachMessage]] = {
    MessageFormat.TEXT: _text,
    MessageFormat.SLACK: _slack,
    MessageFormat.PAGERDUTY: _pagerduty,
}


def _facts(breach: Breach) -> dict[str, str]:
    """The lines under the sentence; those that say nothing are left out."""
    found = {
        **_whose(breach),
        "Since": _when(breach.since),
        "Found": breach.value,
        "Expected": breach.expected,
    }
    if breach.cleared_at:
        lasted = _lasted(parse_instant(breach.opened_at), parse_instant(breach.cleared_at))
        found |= {"Over since": f"{_when(breach.cleared_at)}, {lasted} after it was reported", "It was": breach.says}
    else:
        found |= {"What to do": breach.do, "Help": f"docs/operations.md, {HELP[breach.kind]}"}
    return {name: value for name, value in (found | {"Cause": breach.cause}).items() if value}


def _whose(breach: Breach) -> dict[str, str]:
    subject = breach.subject
    if subject.profile_id:
        return {"Ad account": subject.words}
    if breach.kind is not BreachKind.REFUSED:
        return {"Ad accounts": subject.words}
    whose = f"client {subject.account_id}" if subject.account_id else "an unknown client"
    return {"Source": f"files and deliveries of {subject.platform}, {whose}"}


def _says(breach: Breach) -> str:
    return breach.cleared_because if breach.cleared_at else breach.says


def _title(breach: Breach) -> str:
    of = breach.subject.profile_id or breach.subject.account_id
    over = " over" if breach.cleared_at else ""
    return f"adweir breach{over}: {TITLES[breach.kind]}, {breach.subject.platform} {of}"


def _when(text: str) -> str:
    """A day as it is, an instant as `2026-11-21 05:30 UTC`."""
    return f"{parse_instant(text):%Y-%m-%d %H:%M} UTC" if "T" in text else text


def _lasted(since: datetime, until: datetime) -> str:
    """Two units at most: `2 days 3 hours`, `40 minutes`."""
    minutes = max((until - since) // timedelta(minutes=1), 0)
    parts = [("day", minutes // 1440), ("hour", minutes // 60 % 24), ("minute", minutes % 60)]
    named = [f"{count} {unit}{'' if count == 1 else 's'}" for unit, count in parts if count]
    return " ".join(named[:2]) or "less than a minute"


def _subject(text: str) -> str:
    """A subject as SNS takes it: ASCII without line breaks."""
    plain = "".join(char if " " <= char <= "~" else "?" for char in text)
    return plain if len(plain) < _SUBJECT_CHARS else f"{plain[: _SUBJECT_CHARS - 4]}..."


def _json(body: Mapping[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
