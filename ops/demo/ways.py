"""The other ways in: files of other tools, partners' pushes, Amazon's stream, each compared with what was sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from adweir.model.metrics import METRICS
from adweir.model.money import MICRO
from ops.client import Api
from ops.demo.river import DemoFailed, Show, patience
from ops.demo.world import WorldDoors

FILES = ("shopify/orders", "ga4/web_analytics", "snapchat_ads/campaign_performance")
"""A shop's orders, what a website saw, and an ad platform that is not pulled, whose rows are hours in millionths."""
PUSHED = ("google_ads", "tiktok_ads", "trade_desk")
STREAMED = ("sp-traffic", "sp-conversion")
"""Datasets of Amazon Marketing Stream."""
_CORRECTED_DAYS = 1
"""So far back Amazon corrects here, to send less; really it is a month."""
_LOOKS = 60
"""So often what is stored of the stream may still differ: its hours come one by one."""
_PUSHED_DAYS_AGO = 20
"""Of these days no hours are pulled, which readers would take first."""
_COUNTS = METRICS[:2]

Key = tuple[str, ...]
Sums = Mapping[Key, Mapping[str, int]]
"""By day or hour and entity: numbers by name, counts and millionths. What is unknown is left out."""


class WayIn(NamedTuple):
    """What came in on one way: how many numbers were compared, and a line per difference."""

    name: str
    numbers: int
    wrong: tuple[str, ...]


def way(name: str, stored: Sums, sent: Sums) -> WayIn:
    """Compare. A key or a number that only one side has is a difference."""
    differ = [key for key in sorted({*stored, *sent}) if stored.get(key) != sent.get(key)]
    wrong = (f"{name} {' '.join(key)}: stored {_said(stored.get(key))}, sent {_said(sent.get(key))}" for key in differ)
    return WayIn(name, sum(map(len, sent.values())), tuple(wrong))


def _said(numbers: Mapping[str, int] | None) -> str:
    return " ".join(f"{name} {number}" for name, number in (numbers or {}).items()) or "nothing"


@dataclass(frozen=True)
class OtherWays:
    """Sends on every other way, with the doors of the sandbox's world, and reads back what was stored."""

    api: Api
    api_url: str
    world: WorldDoors
    show: Show

    def drop(
        self, client: Mapping[str, Any], shop: Mapping[str, Any], put: Callable[[str, bytes], object]
    ) -> list[WayIn]:
        """Files as other tools export them. `put` stores one below the prefix of the drops.

        The client's own figures have the currency and the clock of its shop: those of the ad account `shop`.
        """
        terms = {name: shop[name] for name in ("currency", "timezone")}
        self.api.patch(f"/api/v1/accounts/{client['account_id']}", terms)
        about = {"account": client["key"]}
        files = [each for each in self.world.get("exports", **about)["exports"] if each["key"].startswith(FILES)]
        for each in files:
            put(f"{client['account_id']}/{each['key']}", self.world.read("exports/file", key=each["key"], **about))
        found = []
        for each in files:
            self._await_receipt(client["account_id"], f"drops/{client['account_id']}/{each['key']}")
            found.append(self._dropped(client, each))
            self.show("files of other tools", len(found), len(files))
        return found

    def push(self, clients: Iterable[Mapping[str, Any]], profiles: Iterable[Mapping[str, Any]]) -> list[WayIn]:
        """Partners push the hours of a day, each delivery twice, to the addresses of every platform in `PUSHED`."""
        owners = {client["account_id"]: client for client in clients}
        firsts = {each["platform"]: each for each in reversed(list(profiles)) if self.world.spends(each, 7)}
        found = []
        for platform in PUSHED:
            profile = firsts[platform]
            client = owners[profile["account_id"]]
            path = f"/api/v1/accounts/{client['account_id']}/webhook-secrets/{platform}"
            self.api.put(path, {"secret": client["webhooks"]["push_secret"]})
            found.append(self._pushed(profile, client))
            self.show("pushed hours", len(found), len(PUSHED))
        return found

    def subscribe(self, profile: Mapping[str, Any], follow: Callable[[str], None]) -> None:
        """Subscribe a seller to Amazon's stream. `follow` waits for the end of a run."""
        path = f"/api/v1/profiles/amazon_ads/{profile['profile_id']}"
        self.api.patch(path, {"options": {"streams": list(STREAMED)}})
        scope = {"profiles": [f"amazon_ads#{profile['profile_id']}"], "datasets": ["streams"]}
        follow(self.api.post("/api/v1/workflows/repull/runs", {"scope": scope})["run_id"])
        for _ in patience("the confirmation of the stream's subscriptions"):
            if len(self._burst(profile)) == len(STREAMED):
                self.show("subscriptions to Amazon's stream", len(STREAMED), len(STREAMED))
                return

    def stream(self, profile: Mapping[str, Any]) -> None:
        """Amazon sends what it has not sent yet."""
        self._burst(profile)

    def streamed(self, profile: Mapping[str, Any]) -> WayIn:
        """The hours since the subscriptions began are compared. What Amazon has not sent yet, it sends first."""
        self._burst(profile)
        sent: dict[Key, dict[str, int]] = defaultdict(dict)
        for row in self.world.get("stream", level="campaign", profile_id=profile["profile_id"])["rows"]:
            if not row["before_start"]:
                numbers = {name: row[_sent_as(name)] for name in METRICS}
                _add(sent[row["date"], str(row["hour"]), row["campaign_id"]], numbers)
        days = sorted(day for day, *_ in sent)
        filters = {"profile_id": profile["profile_id"], "source": "stream"}
        filters["date_range"] = {"start": days[0], "end": days[-1]}
        stored: dict[Key, dict[str, int]] = {}
        for look, _ in enumerate(patience("the streamed hours")):
            stored = defaultdict(dict)
            for row in self.api.records("campaign_performance_hourly", filters):
                _add(stored[row["date"], str(row["hour"]), row["campaign_id"]], _figures(row))
            self.show("streamed hours", len(stored), len(sent))
            if stored == sent or look == _LOOKS:
                break
        return way("Amazon's stream", stored, sent)

    def _burst(self, profile: Mapping[str, Any]) -> list[dict[str, Any]]:
        asked = {"profile_id": profile["profile_id"], "days": _CORRECTED_DAYS}
        sent: list[dict[str, Any]] = self.world.post("stream", asked)["sent"]
        return sent

    def _await_receipt(self, account_id: str, key: str) -> None:
        for _ in patience(f"the receipt of {key}"):
            mine = [
                each
                for each in self.api.get("/api/v1/receipts", account_id=account_id)["receipts"]
                if each["key"] == key
            ]
            if mine and mine[0]["state"] != "loaded":
                raise DemoFailed(f"{key} ended {mine[0]['state']}: {mine[0].get('reason')}")
            if mine:
                return

    def _dropped(self, client: Mapping[str, Any], export: Mapping[str, Any]) -> WayIn:
        source, data_type, _ = export["key"].split("/", 2)
        sent: dict[Key, dict[str, int]] = defaultdict(dict)
        for row in export["truth"]:
            _add(sent[_key(data_type, row["date"], row["entity"])], {name: row[_sent_as(name)] for name in METRICS})
        filters = {
            "client_account_id": client["account_id"],
            "platform" if source.endswith("_ads") else "source": source,
        }
        days = sorted(key[0] for key in sent)
        filters["date_range"] = {"start": days[0], "end": days[-1]}
        stored: dict[Key, dict[str, int]] = defaultdict(dict)
        for row in self.api.records(data_type, filters):
            _add(stored[_key(data_type, row["date"], row.get("campaign_id"))], _figures(row))
        return way(f"{source} {data_type}", stored, sent)

    def _pushed(self, profile: Mapping[str, Any], client: Mapping[str, Any]) -> WayIn:
        platform, day = profile["platform"], self.world.day(_PUSHED_DAYS_AGO).isoformat()
        body = {"account": client["key"], "profile_id": profile["profile_id"], "day": day, "times": 2}
        answer = self.world.post(
            "webhooks/push", body | {"url": f"{self.api_url}/webhook/{platform}/{client['account_id']}"}
        )
        if any(each["status"] != 200 for each in answer["answers"]):
            raise DemoFailed(f"a push of {platform} was answered {answer['answers']}")
        sent: dict[Key, dict[str, int]] = defaultdict(dict)
        for metric in answer["metrics"]:
            _add(sent[(metric["campaign_id"],)], _figures(metric | {"spend": metric["cost"]}))
        filters = {"profile_id": profile["profile_id"], "date_range": {"start": day, "end": day}}
        stored: dict[Key, dict[str, int]] = {}
        for _ in patience(f"the pushed hours of {platform}"):
            stored = defaultdict(dict)
            for row in self.api.records("campaign_performance_hourly", filters):
                _add(stored[(row["campaign_id"],)], _figures(row))
            if stored:
                break
        return way(f"pushes of {platform}", stored, sent)


def _sent_as(name: str) -> str:
    return name if name in _COUNTS else f"{name}_micros"


def _key(data_type: str, day: str, entity: str | None) -> Key:
    """What of a shop and of a website is compared by day: names of campaigns are kept where a tool writes them."""
    return (day, entity or "") if data_type == "campaign_performance" else (day,)


def _figures(row: Mapping[str, Any]) -> dict[str, int | None]:
    """Counts and millionths of a record or a metric, None where unknown."""
    given = {name: row.get(name) for name in METRICS}
    given["clicks"] = row.get("sessions", given["clicks"])
    return {
        name: None if value is None else int(value if name in _COUNTS else Decimal(str(value)) * MICRO)
        for name, value in given.items()
    }


def _add(sums: dict[str, int], numbers: Mapping[str, int | None]) -> None:
    for name, number in numbers.items():
        if number is not None:
            sums[name] = sums.get(name, 0) + number
