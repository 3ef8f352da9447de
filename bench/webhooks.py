"""Webhooks: a signed delivery through the API door, against a function that puts the same body to S3 and answers.

Both are functions behind the HTTP API of one sandbox, with the same memory. One client sends them the same bytes in
turns, one request at a time over a connection that stays open, to workers that are warm; the time until the answer
counts. Each delivery has a body of its own and becomes an object of its own. There are two kinds: `push`, ten metrics
signed by the Standard Webhooks scheme, and `notification`, which Meta signs and which names a campaign that changed.

The functions that read queues are paused meanwhile: what they load comes after the answer, and MiniStack, which answers
all of AWS in one thread, would do it in between. A request to DynamoDB takes about as long there as a put to S3; on
AWS a put takes several times as long, so what the door reads first weighs more here. Last line: one JSON object.

    python bench/webhooks.py [--rounds 300]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

import requests  # noqa: E402

from adweir.model.messages import Scope, StartRun  # noqa: E402
from bench.on_a_sandbox import register, run_to_end, sandbox  # noqa: E402
from ops.client import Api  # noqa: E402
from ops.demo.world import WorldDoors  # noqa: E402
from ops.target import sandbox_target  # noqa: E402
from sandbox.deliveries import Delivery, push_delivery  # noqa: E402
from sandbox.lifecycle import Options  # noqa: E402
from sandbox.ministack import client_factory  # noqa: E402
from sandbox.package import package  # noqa: E402
from sandbox.platforms.meta.webhooks import signed  # noqa: E402

LIMIT = 1.5
WARM_UP = 20
METRICS = 10
SETTLE_SECONDS = 2.0
"""What the paused functions were doing has ended by then."""
BASELINE = "put-and-answer"
Make = Callable[[int], Delivery]
"""The delivery of a number, which no other number has."""


class Address(NamedTuple):
    """The two URLs of a kind of deliveries: the door's and the baseline's."""

    door: str
    baseline: str


def connected(description: dict[str, Any], api: Api, world: WorldDoors) -> tuple[str, dict[str, Make]]:
    """A client whose Meta campaigns are listed: its account's id, and by kind how its deliveries are made."""
    client = world.get("credentials")["accounts"][0]
    (account_id,) = register(api, [client])
    wanted = StartRun(
        workflow="daily", scheduled_at=world.now, scope=Scope(platforms=("meta_ads",)), run_id="bench-webhooks"
    )
    run, _ = run_to_end(sandbox_target(description), wanted)
    if run.state != "succeeded":
        raise SystemExit(f"the run ended {run.state}: {run.reason}")
    push_secret, app_secret = (client["webhooks"][name] for name in ("push_secret", "meta_app_secret"))
    secrets = {"secret": push_secret, "app_secret": app_secret}
    api.put(f"/api/v1/accounts/{account_id}/webhook-secrets/meta", secrets)
    asked = {"account_id": account_id, "platform": "meta", "fields": "campaign_id,profile_id"}
    campaigns = api.get("/api/v1/platform-campaigns", **asked)["platform_campaigns"]

    def push(number: int) -> Delivery:
        metrics = [
            {
                "campaign_id": campaigns[each % len(campaigns)]["campaign_id"],
                "timestamp": int(time.time()) - 3600 * (each // len(campaigns)),
                "impressions": 1000 + number,
                "clicks": each,
                "cost": f"{number}.25",
            }
            for each in range(METRICS)
        ]
        return push_delivery(json.dumps({"metrics": metrics}).encode(), push_secret, message_id=f"msg_{number}")

    def notification(number: int) -> Delivery:
        campaign = campaigns[number % len(campaigns)]
        about = {"object_id": campaign["campaign_id"], "object_type": "CAMPAIGN", "changed_fields": [f"field_{number}"]}
        changes = [{"field": "field_changed", "value": about}]
        entry = {"id": campaign["profile_id"], "time": int(time.time()), "changes": changes}
        return signed("ad_account", [entry], app_secret)

    return account_id, {"push": push, "notification": notification}


def deploy_baseline(description: dict[str, Any], aws: Callable[[str], Any], prefix: str) -> str:
    """Put the baseline behind the sandbox's HTTP API, with the settings of `webhooks`; its URL."""
    functions, gateway, outputs = aws("lambda"), aws("apigatewayv2"), description["stack"]
    like = functions.get_function_configuration(FunctionName=f"{outputs['SecretPrefix']}-webhooks")
    made = functions.create_function(
        FunctionName=BASELINE,
        Handler="put_and_answer.handler",
        Code={"ZipFile": package(ROOT / "bench" / "baseline").body},
        Environment={"Variables": {"BUCKET": outputs["Bucket"], "PREFIX": prefix}},
        **{name: like[name] for name in ("Runtime", "Role", "MemorySize", "Timeout")},
    )
    integration = gateway.create_integration(
        ApiId=outputs["ApiId"],
        IntegrationType="AWS_PROXY",
        IntegrationUri=made["FunctionArn"],
        PayloadFormatVersion="2.0",
    )
    target = f"integrations/{integration['IntegrationId']}"
    gateway.create_route(ApiId=outputs["ApiId"], RouteKey=f"POST /{BASELINE}", Target=target)
    return f"{description['api_url']}/{BASELINE}"


def pause_readers(aws: Callable[[str], Any]) -> None:
    """Have no function read a queue any more."""
    functions = aws("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    time.sleep(SETTLE_SECONDS)


def measured(address: Address, kinds: dict[str, Make], rounds: int) -> dict[str, tuple[list[float], list[float]]]:
    """By kind the seconds of each delivery at the door and at the baseline. Raises SystemExit where one is not
    stored."""
    seconds: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    with requests.Session() as session:

        def sent(url: str, delivery: Delivery) -> float:
            begin = time.perf_counter()
            answer = session.post(url, delivery.body, headers=delivery.headers, timeout=30)
            took = time.perf_counter() - begin
            if answer.status_code != 200 or answer.json() != {"status": "stored"}:
                raise SystemExit(f"{url} answered {answer.status_code}: {answer.text[:500]}")
            return took

        for number in range(WARM_UP + rounds):
            for kind, make in kinds.items():
                delivery = make(number)
                # Each comes first in every second round.
                took = {url: sent(url, delivery) for url in (address if number % 2 else address[::-1])}
                if number >= WARM_UP:
                    for times, url in zip(seconds[kind], address, strict=True):
                        times.append(took[url])
    return seconds


def figures(door: list[float], baseline: list[float]) -> dict[str, float]:
    """Milliseconds at both, and their ratios."""
    found: dict[str, float] = {}
    for name, of in (("median", statistics.median), ("p95", lambda times: statistics.quantiles(times, n=20)[-1])):
        ours, theirs = of(door), of(baseline)
        found |= {f"{name}_ms": round(ours * 1000, 2), f"baseline_{name}_ms": round(theirs * 1000, 2)}
        found[f"{name}_ratio"] = round(ours / theirs, 2)
    return found


def main() -> int:
    """Measure and print. Returns 1 when a ratio misses the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    with sandbox(Options(parameters={"HistoryDays": "2"})) as description:
        api, world = Api(description["api_url"], description["api_key"]), WorldDoors(description["platforms_url"])
        aws = client_factory(description["aws_endpoint_url"])
        account_id, kinds = connected(description, api, world)
        # Where the door stores too, so that S3 announces what either puts.
        prefix = f"webhooks/{BASELINE}/"
        door = f"{description['api_url']}/webhook/meta/{account_id}"
        address = Address(door, deploy_baseline(description, aws, prefix))
        pause_readers(aws)
        seconds = measured(address, kinds, rounds)
        pages = aws("s3").get_paginator("list_objects_v2")
        stored = {
            place: sum(page["KeyCount"] for page in pages.paginate(Bucket=description["stack"]["Bucket"], Prefix=place))
            for place in (f"webhooks/meta_ads/{account_id}/", prefix)
        }
    sent = len(kinds) * (WARM_UP + rounds)
    if set(stored.values()) != {sent}:
        raise SystemExit(f"{sent} deliveries were sent to each, and stored: {stored}")
    found = {kind: figures(*times) for kind, times in seconds.items()}
    for kind, each in found.items():
        parts = [
            f"{name} {each[f'{name}_ms']:.1f} ms, baseline {each[f'baseline_{name}_ms']:.1f} ms:"
            f" {each[f'{name}_ratio']:.2f} x"
            for name in ("median", "p95")
        ]
        print(f"{kind:<13} {'; '.join(parts)}")
    passed = all(each[f"{name}_ratio"] <= LIMIT for each in found.values() for name in ("median", "p95"))
    print(json.dumps({"bench": "webhooks", "rounds": rounds, **found, "limit_ratio": LIMIT, "passed": passed}))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
