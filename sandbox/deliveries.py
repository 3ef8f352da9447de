"""Signed webhook deliveries to adweir's doors: how they are sent, and those of a company's own partners."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import requests

from sandbox.outside import BadQuestion, Outside
from sandbox.world import Company


class Delivery(NamedTuple):
    """A POST ready to send: exactly the bytes that were signed."""

    body: bytes
    headers: dict[str, str]


class Delivered(NamedTuple):
    """What the receiver answered; status 0 when it could not be reached."""

    status: int
    body: str


def send(url: str, delivery: Delivery, *, times: int = 1, timeout: float = 10.0) -> list[Delivered]:
    """POST the same delivery `times` times, since platforms deliver at least once. Raises ValueError for a bad URL."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("a delivery's url begins with http:// or https://")
    delivered = []
    for _ in range(times):
        try:
            answer = requests.post(url, delivery.body, headers=delivery.headers, timeout=timeout, allow_redirects=False)
            delivered.append(Delivered(answer.status_code, answer.text))
        except requests.RequestException as error:
            delivered.append(Delivered(0, str(error)))
    return delivered


@dataclass(frozen=True)
class Perseverance:
    """How a platform goes on after an answer that it does not take for success: `attempts` in all, the first repetition
    `pause` seconds later, each further one after twice the time of the one before. Real platforms take hours.
    """

    attempts: int = 5
    pause: float = 0.05

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Perseverance:
        """From a door's body; at most 20 attempts."""
        return cls(min(20, int(body.get("attempts", cls.attempts))), float(body.get("pause", cls.pause)))


def persist(
    url: str, delivery: Delivery, perseverance: Perseverance, is_repeated: Callable[[Delivered], bool]
) -> list[Delivered]:
    """POST until an answer that is not repeated, or until perseverance ends."""
    answers = send(url, delivery)
    while is_repeated(answers[-1]) and len(answers) < perseverance.attempts:
        time.sleep(perseverance.pause * 2 ** (len(answers) - 1))
        answers += send(url, delivery)
    return answers


def unless_taken(answer: Delivered) -> bool:
    """Repeat what was not answered with a 2xx."""
    return not 200 <= answer.status < 300


def summary(answers: Sequence[Sequence[Delivered]], **more: Any) -> dict[str, Any]:
    """The answer of a door that sends many deliveries: how often each status came, and how many ended without a 2xx."""
    statuses = Counter(str(answer.status) for each in answers for answer in each)
    dropped = sum(1 for each in answers if unless_taken(each[-1]))
    return {**more, "deliveries": len(answers), "dropped": dropped, "statuses": dict(sorted(statuses.items()))}


def door_answer(delivered: Sequence[Delivered]) -> dict[str, Any]:
    """The answer of an endpoint under /_world that sends deliveries."""
    return {"answers": [each._asdict() for each in delivered]}


def push_secret(company: Company, seed: int) -> str:
    """The secret with which a company's partners sign metric pushes (`whsec_<base64>`)."""
    return "whsec_" + base64.b64encode(sha256(f"push {seed} {company.key}".encode()).digest()).decode()


def push_delivery(
    body: bytes, secret: str, *, message_id: str, at: float | None = None, bad_signature: bool = False
) -> Delivery:
    """A metric push signed by the Standard Webhooks scheme; `secret` is `whsec_<base64>`."""
    stamp = str(int(at or time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_")) + (b"x" if bad_signature else b"")
    signed = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, sha256).digest()
    return Delivery(
        body,
        {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
        },
    )


def send_push(outside: Outside, body: dict[str, Any]) -> dict[str, Any]:
    """`{"url", "metrics": [...], "account", "secret", "id", "times", "bad_signature"}` → a metric push, sent.

    With `profile_id` and no metrics, the world's: a total per campaign and hour of `day` (default: today there).
    """
    company = outside.company(str(body.get("account") or body.get("profile_id", "")))
    secret = str(body.get("secret") or push_secret(company, outside.world.seed))
    metrics = body["metrics"] if "metrics" in body else _world_metrics(outside, body)
    digest = sha256(json.dumps(metrics, sort_keys=True).encode()).hexdigest()[:24]
    message_id, bad = str(body.get("id") or f"msg_{digest}"), bool(body.get("bad_signature"))
    content = json.dumps({"metrics": metrics}).encode()
    delivery = push_delivery(content, secret, message_id=message_id, bad_signature=bad)
    answer = door_answer(send(str(body["url"]), delivery, times=int(body.get("times", 1))))
    return answer if "metrics" in body else answer | {"metrics": metrics}


def _world_metrics(outside: Outside, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """An ad account's campaigns by hour, as its owner would push them: money as decimal text."""
    world, wanted = outside.world, outside.bare_id(str(body["profile_id"]))
    profile = next((profile for profile in world.profiles if profile.id == wanted), None)
    if profile is None:
        raise BadQuestion(f"no ad account {wanted!r}")
    day = date.fromisoformat(body["day"]) if "day" in body else world.moment(profile).today
    metrics = []
    for row in world.truth(profile, day, day, "campaign", hourly=True):
        starts = datetime.combine(day, datetime.min.time(), ZoneInfo(profile.timezone)) + timedelta(hours=row["hour"])
        metric = {
            "campaign_id": row["campaign_id"],
            "profile_id": profile.id,
            "timestamp": starts.astimezone(UTC).isoformat(),
            "impressions": row["impressions"],
            "clicks": row["clicks"],
            "cost": _units(row["spend_micros"]),
            "currency": profile.currency,
        }
        if row["conversions_micros"] is not None:
            metric |= {"conversions": _units(row["conversions_micros"]), "revenue": _units(row["revenue_micros"])}
        metrics.append(metric)
    return metrics


def _units(micros: int) -> str:
    return f"{Decimal(micros).scaleb(-6):f}"
