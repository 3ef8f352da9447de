"""Meta's answers through its connector, over the product's own HTTP session, and through its normalizer.

Pages of lists and insights with a second page behind the first, images and videos that ads name, asynchronous reports,
errors: one answer of a pull is changed, its JSON, its bytes, its headers or all of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any, NamedTuple

import requests

from adweir.model.datasets import Dataset
from adweir.model.entities import Credential
from adweir.model.tasks import Task
from adweir.model.times import Window
from adweir.platforms import guarded
from adweir.platforms.connector import Connector
from adweir.platforms.meta import MetaCredential, client
from adweir.platforms.meta.options import MetaOptions
from fuzz import awkward, corpus, damage, pulls, recorded
from fuzz.documents import Document, mutated
from fuzz.pulls import SECRETS, Pulled
from fuzz.running import Broken, Case
from fuzz.transport import Wire, http_answer
from support.clock import FrozenClock
from support.platforms import META_ADS, wiring

BASE = "http://graph.test"
ACCOUNT = "1010035716096012"
_SECRET = {"access_token": SECRETS[0], "app_secret": SECRETS[1], "app_id": "1"}
_MOST_REQUESTS = 150
_NEXT = f"{BASE}/v26.0/act_{ACCOUNT}/%s?access_token={SECRETS[0]}&limit=500&after=MjQZD"
_SAMPLES = {
    Dataset.PROFILES: "adaccounts",
    Dataset.CAMPAIGNS: "campaigns",
    Dataset.AD_GROUPS: "adsets",
    Dataset.ADS: "ads",
    Dataset.CREATIVES: "adcreatives",
    Dataset.ACCOUNT_DAILY: "insights_account",
    Dataset.AD_DAILY: "insights_ad",
    Dataset.AD_BY_AGE_GENDER_DAILY: "insights_age_gender",
    Dataset.AD_BY_COUNTRY_DAILY: "insights_country",
    Dataset.AD_BY_REGION_DAILY: "insights_region",
    Dataset.AD_BY_DEVICE_DAILY: "insights_device",
    Dataset.AD_BY_PLACEMENT_DAILY: "insights_placement",
    Dataset.CAMPAIGN_HOURLY: "insights_hourly",
}
_OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"basis": "click_or_view"},
    {"conversions": ["leads", "onsite_conversion.lead_grouped"]},
)
_USAGE = ("x-business-use-case-usage", "x-ad-account-usage", "x-fb-ads-insights-throttle", "x-app-usage", "Retry-After")


class Question(NamedTuple):
    """A pull: its dataset, whether as a report, and which of the profile's options hold.

    `recorded`: the answers are those of the sandbox instead of the samples.
    """

    dataset: Dataset
    report: bool = False
    options: int = 0
    recorded: bool = False

    def task(self) -> Task:
        """The task; its window is that of the rows."""
        if self.recorded:
            return recorded.task_of(META_ADS, self.dataset)
        days = [row["date_start"] for row in _rows(self.dataset)] if self.dataset.grain else []
        window = Window.parse(f"{min(days)}..{max(days)}") if days else None
        if window and self.report:  # longer than what Meta answers at once
            window = Window.parse(f"{window.start.replace(day=1)}..{window.end}")
        profile = "" if self.dataset is Dataset.PROFILES else ACCOUNT
        return Task(
            "r", "m", "acme", META_ADS, profile, self.dataset, "all", window, 0,
            as_of=pulls.AS_OF, timezone="America/Los_Angeles", currency="USD",
        )  # fmt: skip


def _rows(dataset: Dataset) -> list[Any]:
    found: list[Any] = corpus.answer("meta", _SAMPLES[dataset])["data"]
    return found * 2 if len(found) < 3 else found


@cache
def _honest(question: Question) -> dict[str, Document]:
    """What Meta answers to each request of a pull, by its route."""
    dataset = question.dataset
    if question.recorded:
        bodies = recorded.record(question.task(), _route_of, _connected)
        return {route: Document.of(recorded.shortened(body, "data")) for route, body in bodies.items()}
    edge = "insights" if dataset.grain else corpus.sample("meta", _SAMPLES[dataset])["request"].split("/")[-1]
    rows, cursors = _rows(dataset), {"before": "MAZDZD", "after": "MjQZD"}
    runs = [document for _, document in corpus.answers("meta", "report_runs")]
    return {
        "page": Document.of({"data": rows, "paging": {"cursors": cursors, "next": _NEXT % edge.partition("?")[0]}}),
        "page2": Document.of({"data": rows[:1], "paging": {"cursors": cursors}}),
        "adimages": Document.of(corpus.answer("meta", "adimages")),
        "videos": Document.of(corpus.answer("meta", "videos")),
        "create": runs[0],
        "run": runs[3],
    }


QUESTIONS = (
    *(Question(dataset) for dataset in _SAMPLES),
    Question(Dataset.AD_DAILY, report=True),
    Question(Dataset.AD_BY_COUNTRY_DAILY, report=True),
    Question(Dataset.AD_DAILY, options=1),
    Question(Dataset.AD_DAILY, options=2),
    Question(Dataset.CAMPAIGN_HOURLY, options=2),
    *(
        Question(dataset, recorded=True)
        for dataset in (Dataset.PROFILES, Dataset.CAMPAIGNS, Dataset.AD_GROUPS, Dataset.ADS, Dataset.AD_DAILY)
    ),
)


class Meta:
    """Pulls of one ad account."""

    name = "meta"
    most_memory = 24 << 20

    def __init__(self) -> None:
        self._wire = Wire()
        self._clock = FrozenClock(pulls.NOW)

    def make(self, rng: Random) -> Case:
        number = rng.randrange(len(QUESTIONS))
        question = QUESTIONS[number]
        honest = _honest(question)
        route = rng.choice([name for name in _routes(question) if name in honest])
        about: dict[str, Any] = {"question": number, "spoiled": 0}
        answer = rng.random()
        if route == "page" and answer < 0.5:
            items = sum(len(place.path) == 2 and place.path[0] == "data" for place in honest[route].places)
            about["spoiled"] = rng.randint(1, items)
            spoiled = mutated(honest[route], rng, within=("data", about["spoiled"] - 1))
            changed = http_answer(200, spoiled)
        else:
            changed = _changed(honest[route], rng)
        parts = {name: http_answer(200, document.text) for name, document in honest.items()}
        return {"about": json.dumps(about).encode(), **parts, route: changed}

    def check(self, case: Case) -> str:
        return pulls.checked(case, QUESTIONS, self._read, self._expected)

    def close(self) -> None:
        self._wire.close()

    @cache  # noqa: B019  a target lives as long as its process
    def _expected(self, question: Question) -> Pulled:
        honest = _honest(question)
        return self._read(question, {name: http_answer(200, document.text) for name, document in honest.items()})

    def _read(self, question: Question, answers: Mapping[str, bytes]) -> Pulled:
        task = question.task()
        options = MetaOptions.model_validate(_OPTIONS[question.options])
        return pulls.read(self._connector(answers), task, pulls.context_of(task, options=options))

    def _connector(self, answers: Mapping[str, bytes]) -> Connector:
        session = self._wire.reset(_Graph(answers))
        wired = wiring(META_ADS, session, self._clock, urls={"api": BASE})
        credential = Credential(account_id="acme", platform=META_ADS, secret_id="s")
        return guarded.connect(client.connect, MetaCredential, credential, _SECRET, wired)


TARGET = Meta


def _routes(question: Question) -> list[str]:
    if question.report:
        return ["page", "create", "run", "run"]
    if question.dataset in {Dataset.ADS, Dataset.CREATIVES}:
        return ["page", "page", "page2", "adimages", "videos"]
    return ["page", "page", "page", "page2"]


class _Graph:
    """Answers a request with the answer for its route; every page after the second is empty."""

    def __init__(self, answers: Mapping[str, bytes]) -> None:
        self._answers = answers
        self._requests = self._later = 0

    def __call__(self, request: bytes) -> bytes:
        self._requests += 1
        if self._requests > _MOST_REQUESTS:
            raise Broken(f"asks over {_MOST_REQUESTS} times")
        route = _route_of(request)
        self._later += route == "page2"
        return self._answers[route] if route in self._answers and self._later < 5 else http_answer(200, b'{"data":[]}')


def _route_of(request: bytes) -> str:
    """Which of a pull's requests it is."""
    method, _, rest = request.partition(b" ")
    path, _, query = rest.partition(b" ")[0].partition(b"?")
    if method == b"POST":
        return "create"
    if path.endswith(b"/adimages"):
        return "adimages"
    if b"ids=" in query:
        return "videos"
    if path.rpartition(b"/")[2].isdigit():
        return "run"
    return "page2" if b"after=" in query else "page"


def _connected(session: requests.Session) -> Connector:
    """The connector of the sandbox's client."""
    company, _ = recorded.owner("meta_ads")
    wired = wiring(META_ADS, session, FrozenClock(pulls.NOW), urls={"api": BASE})
    credential = Credential(account_id="acme", platform=META_ADS, secret_id="s")
    return client.connect(credential=credential, secret=company.credentials["meta_ads"], wiring=wired)


def _changed(honest: Document, rng: Random) -> bytes:
    """An answer with its JSON changed, or its bytes, or an error instead, or its headers, or all of its bytes."""
    kind = rng.random()
    if kind < 0.4:
        return http_answer(200, mutated(honest, rng), _headers(rng, 0.2))
    if kind < 0.6:
        return http_answer(rng.choice((200, 200, 201, 206)), damage.damaged(honest.text, rng))
    if kind < 0.8:
        status, error = rng.choice(corpus.answers("meta", "errors"))
        body = mutated(error, rng) if rng.random() < 0.6 else damage.digits(error.text, rng)
        return http_answer(rng.choice((status, status, 200, 400, 429, 500, 503)), body, _headers(rng, 0.5))
    if kind < 0.9:
        return http_answer(200, honest.text, _headers(rng, 1.0))
    return damage.damaged(http_answer(200, damage.packed(honest.text, rng), {"Content-Encoding": "gzip"}), rng)


def _headers(rng: Random, share: float) -> dict[str, str]:
    """Usage headers with odd values, in a share of all answers."""
    found = {}
    for name in _USAGE:
        if rng.random() < share:
            found[name] = _usage(rng)
    if rng.random() < share / 5:
        found[rng.choice(("Location", "Content-Length", "Content-Encoding", "Transfer-Encoding"))] = _usage(rng)
    return found


def _usage(rng: Random) -> str:
    if rng.random() < 0.3:
        text = awkward.plain(rng)
    else:
        seed = Document.of(
            {"1": [{"type": "ads_insights", "call_count": 96, "estimated_time_to_regain_access": 5}], "call_count": 50,
             "acc_id_util_pct": 97.5, "app_id_util_pct": 99, "reset_time_duration": 100}
        )  # fmt: skip
        text = mutated(seed, rng, most=2).decode("latin-1")
    return text.replace("\r", " ").replace("\n", " ")[:20_000]
