"""After runs full of faults on platforms that repeat what they were sent, no secret is in what was stored or logged."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.wrappers import Response

from adweir.model.messages import Message, Scope, StartRun
from adweir.model.platforms import Platform
from adweir.model.scrubbing import REDACTED
from adweir.platforms import REGISTRY
from adweir.platforms.credentials import FieldKind
from adweir.runtime.settings import Settings
from sandbox.outside import Outside
from sandbox.platforms import population, stand_ins
from sandbox.server import PlatformServer
from sandbox.web import PlatformRequest
from support.clock import FrozenClock
from support.left_behind import left_behind
from support.machine import Machine
from support.outlets import MemoryQueue
from support.platform_server import ANCHOR

COMPANY = "acc_1"
TOGETHER = (("meta_ads", "amazon_ads"), ("google_ads",), ("tiktok_ads",), ("trade_desk",), ("microsoft_ads",))
"""The platforms of one run each."""
FEW = ("campaigns", "ads", "ad_daily", "campaign_daily")
"""What is asked for while a platform answers nothing else than that it is broken."""
SECRET_PARAMETERS = (
    "access_token", "appsecret_proof", "client_secret", "refresh_token", "secret", "Password", "Token"
)  # fmt: skip
SECRET_HEADERS = ("Authorization", "developer-token", "DeveloperToken", "Access-Token", "TTD-Auth")
NEVER_SENT = {("meta_ads", "app_secret")}
"""It signs the proof."""
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "server_error", "times": 2, "skip": 3},
    {"kind": "throttle", "times": 2, "skip": 12},
    {"kind": "truncated_paging", "mode": "cut", "times": 1},
    {"kind": "bad_row", "times": 2, "mode": "text"},
    {"kind": "broken_report", "times": 1, "reason": "the token ran out"},
    {"kind": "expired_token", "platform": "amazon_ads", "times": 1},
    {"kind": "passing_401", "platform": "amazon_ads", "times": 2},
    {"kind": "data_limit", "platform": "meta_ads", "times": 2},
    {"kind": "access_denied", "platform": "meta_ads", "times": 1, "skip": 30},
)


class Echo(PlatformServer):
    """Some of the sandbox's platforms, whose JSON answers and errors also contain all that was sent to them."""

    def __init__(self, platforms: Collection[str]) -> None:
        present = [each for each in stand_ins() if each.platform in platforms]
        self.present = present
        outside = Outside(anchor=ANCHOR, report_seconds=0.02, population=population(present))
        self.secrets: set[str] = set()
        self.broken = False
        super().__init__(outside, present)

    def answer(self, request: PlatformRequest) -> Response:
        sent = {**request.args.to_dict(), **request.form.to_dict(), **_texts(request)}
        tokens = [request.headers.get(name, "").removeprefix("Bearer ") for name in SECRET_HEADERS]
        self.secrets |= {value for name, value in sent.items() if name in SECRET_PARAMETERS} | {*tokens} - {""}
        answer = super().answer(request)
        if not answer.is_json or answer.is_streamed:
            return answer
        body = json.loads(answer.get_data())
        values = [*sent.values(), *tokens]
        said = f"Malformed access token {' '.join(values)} {quote(' '.join(values))} ({json.dumps(values)})"
        if self.broken:
            return Response(f"<html>{said}", 200)
        if answer.status_code >= 400 or (isinstance(body, dict) and body.get("code")):
            body = _with_words(body, said)
        elif isinstance(body, dict):
            self.secrets |= {value for name, value in body.items() if name in SECRET_PARAMETERS}
            body["sent"] = said
        answer.set_data(json.dumps(body))
        return answer


def _texts(request: PlatformRequest) -> dict[str, str]:
    body = request.get_json(silent=True)
    return {name: value for name, value in body.items() if isinstance(value, str)} if isinstance(body, dict) else {}


def _with_words(body: Any, said: str) -> Any:
    """An error's body whose texts for people begin with `said`, as Meta's do."""
    if isinstance(body, dict):
        return {name: _with_words(value, said) for name, value in body.items()} | {
            name: f"{value} {said}"
            for name, value in body.items()
            if name in {"message", "Message", "details", "detail", "error_description", "error_user_msg"}
            and isinstance(value, str)
        }
    return [_with_words(each, said) for each in body] if isinstance(body, list) else body


class Restless(Machine):
    """A machine whose failed messages come back four times, as SQS has it; it keeps all messages ever sent."""

    def __init__(self, settings: Settings, clock: FrozenClock) -> None:
        super().__init__(settings, clock, REGISTRY)
        self.sent: list[str] = []
        self.received: dict[str, int] = {}
        for queue in self.queues.every():
            queue.send = self._kept(queue)  # type: ignore[method-assign]
            queue.keep_hidden = lambda *_: None  # type: ignore[attr-defined]

    def _kept(self, queue: MemoryQueue) -> Any:
        send = queue.send

        def keeping(message: Message, *, delay: int = 0, group: str = "") -> None:
            self.sent.append(message.model_dump_json())
            send(message, delay=delay, group=group)

        return keeping

    def _deliver(self, queue: str, message: Message) -> None:
        try:
            super()._deliver(queue, message)
        except AssertionError:
            body = message.model_dump_json()
            self.received[body] = self.received.get(body, 1) + 1
            if self.received[body] <= 5:
                self.clock.advance(30)
                self.queues.named()[queue].send(message)


def test_every_platform_is_looked_at() -> None:
    own = sorted(
        str(spec.name) for spec in REGISTRY.specs() if not spec.described
    )  # others: test_platforms_described_*
    assert sorted(name for names in TOGETHER for name in names) == own


@pytest.fixture(params=TOGETHER, ids="-".join)
def echo(request: pytest.FixtureRequest) -> Iterator[Echo]:
    with Echo(request.param) as server:
        yield server


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> io.StringIO:
    caplog.set_level(logging.INFO)
    return io.StringIO()


@pytest.fixture
def machine(tables: None, settings: Settings, echo: Echo, log: io.StringIO) -> Iterator[Restless]:
    names = {each.platform: each.base_urls(echo.url) for each in echo.present}
    made = Restless(
        settings.model_copy(
            update={"platform_urls": names, "history_days": 3, "call_log_days": 30, "task_deadline_seconds": 7200}
        ),
        FrozenClock(),
    )
    made.app.logger.handlers[0].setStream(log)  # type: ignore[attr-defined]
    made.app.logger.setLevel(logging.DEBUG)
    yield made
    made.app.http.close()


def test_no_secret_is_in_what_a_run_full_of_faults_leaves(
    machine: Restless, echo: Echo, log: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    """Given platforms with faults that repeat every request, when a client is pulled daily, when its platforms break
    down, and when they refuse its credentials, then the secrets are nowhere but in the requests.
    """
    app, switches = machine.app, echo.outside.switches
    company = max(echo.control.credentials()["accounts"], key=lambda one: len(one["credentials"]))
    app.catalog.create_account(COMPANY, "Company", "a@company.example")
    for body in company["credentials"].values():
        values = {name: value for name, value in body.items() if name not in ("platform", "label")}
        app.registration.register(COMPANY, body["platform"], values, body.get("label", ""))
    for fault in FAULTS:
        if any(
            fault["kind"] in each.switches and fault.get("platform", each.platform) == each.platform
            for each in echo.present
        ):
            switches.turn_on(fault)
    machine.run(StartRun(workflow="daily", scheduled_at=machine.clock.now(), run_id="run_1"))
    switches.clear()
    echo.broken = True
    few = Scope(datasets=FEW)
    machine.run(StartRun(workflow="daily", scheduled_at=machine.clock.now(), run_id="run_2", scope=few))
    echo.broken = False
    switches.turn_on({"kind": "revoked_credential"})
    machine.run(StartRun(workflow="daily", scheduled_at=machine.clock.now(), run_id="run_3", scope=few))

    stored = dict(left_behind(machine, machine.sent)) | {
        "log": log.getvalue().encode(),
        "other logs": caplog.text.encode(),
    }
    for secret in echo.secrets:
        for spelled in {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}:
            assert [where for where, body in stored.items() if spelled.encode() in body] == []
    _check_that_all_was_sent_and_said(echo, company, stored)


def _check_that_all_was_sent_and_said(echo: Echo, company: dict[str, Any], stored: dict[str, bytes]) -> None:
    """The test looks for all secrets, and where they would be without the boundary there is something else instead."""
    for body in company["credentials"].values():
        platform = Platform(body["platform"])
        for name in REGISTRY.spec(platform).credential.named(FieldKind.SECRET):
            if (platform, name) not in NEVER_SENT and body.get(name):
                assert body[name] in echo.secrets, name
    marked = {where.split(" ")[0].split("/")[0] for where, body in stored.items() if REDACTED.encode() in body}
    assert marked >= {"raw", "log", "events", "adweir-ledger", "adweir-catalog"}, marked
    called = {
        where.split("#")[2] for where, body in stored.items() if " api-log#" in where and REDACTED.encode() in body
    }
    assert called == {str(each.platform) for each in echo.present}
