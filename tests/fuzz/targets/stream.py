"""Amazon Marketing Stream: messages as Amazon SNS delivers them, among two that are whole.

What cannot be read costs itself only. What is stored is read by the loader into hours that can be folded. SNS is asked
to confirm only what a topic of Amazon Ads asked for; that is judged here by the list of its accounts in the documents.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from pathlib import Path
from random import Random

from adweir.intake.doors.stream import StreamDoor, StreamSource
from adweir.intake.load.stream_records import RecordReader, Records
from adweir.model import limits
from adweir.model.errors import BadInput
from adweir.platforms import REGISTRY
from adweir.platforms.amazon_ads.stream import ACCOUNTS
from adweir.platforms.http import Http
from adweir.quality.quarantine import Quarantine
from fuzz import awkward, damage, pulls
from fuzz.documents import Document, mutated
from fuzz.running import Broken, Case
from fuzz.transport import Wire, http_answer
from support.clock import FrozenClock
from support.stream_world import AMAZON, KeptLines, a_profile, conversion, traffic

_EVENTS = Path(__file__).parents[3] / "events/stream"
_MINE = "555555555555"
_TOPIC = re.compile(r"arn:aws:sns:([a-z0-9-]+):(\d{12}):[\w-]+(\.fifo)?", re.ASCII)
_REGIONS = {"us-east-1": 0, "eu-west-1": 1, "us-west-2": 2}
"""Where Amazon Ads publishes, and the place of a region's account in the rows of `ACCOUNTS`."""


def _bodies(name: str) -> list[str]:
    return [str(record["body"]) for record in json.loads((_EVENTS / f"{name}.json").read_text())["Records"]]


SEEDS = tuple(
    Document.of(text.encode())
    for text in (
        *_bodies("records"),
        *_bodies("wrapped-record"),
        *_bodies("subscription-confirmation"),
        json.dumps(traffic(1, 10, 1, 0.97)),
        json.dumps(conversion(2, 1, 24.99)),
        json.dumps({"dataset_id": "campaigns", "advertiserId": "A1", "marketplaceId": "US", "campaignId": "c1"}),
    )
)
_LARGEST = 10**6 << limits.MAX_FIGURE_BITS
"""Amounts are in 10⁻¹² units, what is stored in millionths."""
WHOLE = (json.dumps(traffic(71, 5, 1, 1.5)), json.dumps(conversion(72, 1, 10)))


class StreamMessages:
    """Batches of three messages, the middle one changed."""

    name = "stream"
    most_memory = 24 << 20

    def __init__(self) -> None:
        self._wire = Wire()
        self._clock = FrozenClock(pulls.NOW)

    def make(self, rng: Random) -> Case:
        seed = rng.choice(SEEDS)
        how = rng.random()
        body = mutated(seed, rng) if how < 0.75 else damage.damaged(seed.text, rng)
        return {"body": body if how < 0.97 else awkward.value(rng)}

    def check(self, case: Case) -> str:
        asked: list[bytes] = []
        kept = KeptLines()
        body = case["body"].decode("utf-8", "replace")
        taken = self._door(kept, asked).take([("a", WHOLE[0]), ("x", body), ("b", WHOLE[1])])
        if set(taken.faults) - {"x"}:
            raise Broken(f"one message costs others: {taken.faults}"[:300])
        if "x" in taken.faults and not isinstance(taken.faults["x"], BadInput):
            raise Broken(f"a message comes again for ever: {taken.faults['x']!r}"[:300])
        if asked or taken.confirmed:
            _judge_confirmed(body, asked)
            return "confirmed"
        return _stored(kept.objects[taken.key], is_refused="x" in taken.faults)

    def close(self) -> None:
        self._wire.close()

    def _door(self, kept: KeptLines, asked: list[bytes]) -> StreamDoor:
        def answer(request: bytes) -> bytes:
            asked.append(request)
            return http_answer(200, b"<ConfirmSubscriptionResponse/>")

        http = Http(self._wire.reset(answer), self._clock, random.Random(1), sleep=lambda _: None)
        source = StreamSource(AMAZON, REGISTRY.stream(AMAZON), {_MINE}, lambda route: f"http://sns.test/{route}")
        return StreamDoor(source, kept, http, self._clock)


TARGET = StreamMessages


def _stored(body: bytes, *, is_refused: bool) -> str:
    """What the loader makes of the object. Raises Broken unless it counts both whole messages."""
    profile = a_profile()
    reader = RecordReader(REGISTRY.stream(AMAZON), {profile.alias: [profile]}, pulls.NOW)
    with Quarantine() as quarantine:
        records = reader.read(body, quarantine)
        found = _deltas(records)
        if not {"id-71", "id-72"} <= set(found):
            raise Broken(f"a whole record is lost; read: {sorted(found)}"[:300])
        if is_refused:
            return "refused"
        return "counted" if len(found) > 2 else "line quarantined" if quarantine.rows else "nothing to count"


def _deltas(records: Records) -> Mapping[str, object]:
    found = {}
    for hour, deltas in records.hours.items():
        if not 0 <= hour.hour < 48 or len(hour.day) != 10:
            raise Broken(f"an hour that is none: {hour}")
        for delta in deltas:
            if any(type(one) is not int or abs(one) >= _LARGEST for one in delta.amounts):
                raise Broken(f"counts {delta}"[:300])
            found[delta.id.rpartition("\x1f")[2]] = delta
    return found


def _judge_confirmed(body: str, asked: list[bytes]) -> None:
    """Raises Broken unless the message is of a topic of Amazon Ads and SNS was asked once, about that topic."""
    message = json.loads(body)
    topic = _TOPIC.fullmatch(str(message.get("TopicArn")))
    place = _REGIONS.get(topic[1]) if topic else None
    trusted = {_MINE} if place is None else {_MINE, *(accounts[place] for accounts in ACCOUNTS.values())}
    if topic is None or place is None or topic[2] not in trusted:
        raise Broken(f"confirms {message.get('TopicArn')!r}"[:300])
    if len(asked) != 1 or b"Action=ConfirmSubscription" not in asked[0].split(b"\r\n")[0]:
        raise Broken(f"asks SNS {asked!r}"[:300])
