"""`/_world`: the doors of the sandbox itself. Truth, credentials, clock, switches, request log, webhook senders."""

from __future__ import annotations

import base64
import html
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from sandbox.outside import Outside
from sandbox.senders import Answer, meta_change, meta_delivery, push_delivery, send
from sandbox.switches import KINDS, UnknownSwitch
from sandbox.web import Request, Response
from sandbox.world import Company
from sandbox.world.catalog import AMAZON, META
from sandbox.world.mix import BASE, CHANNELS, sales

_LOGGED = 5000
_DOORS = (
    "health", "credentials", "truth", "sales", "requests", "clock", "switches", "webhooks/meta", "webhooks/push"
)  # fmt: skip


class RequestLog:
    """The last requests to the platforms, and counts by endpoint since the start."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent: deque[dict[str, Any]] = deque(maxlen=_LOGGED)
        self._counts: Counter[str] = Counter()

    def add(self, method: str, path: str, status: int, profile: str) -> None:
        shape = "/".join(
            "{id}" if any(c.isdigit() for c in p) and not p.startswith("v") else p for p in path.split("/")
        )
        with self._lock:
            self._counts[f"{method} {shape} {status}"] += 1
            self._recent.append(
                {"at": time.time(), "method": method, "path": path, "status": status, "profile": profile}
            )

    def read(self, limit: int) -> dict[str, Any]:
        with self._lock:
            return {"counts": dict(sorted(self._counts.items())), "requests": list(self._recent)[-limit:]}

    def clear(self) -> None:
        with self._lock:
            self._recent.clear()
            self._counts.clear()


class BadQuestion(ValueError):
    """A control request that cannot be answered; becomes a 400."""


def push_secret(company: Company, seed: int) -> str:
    """The secret with which a company's partners sign metric pushes (`whsec_<base64>`)."""
    return "whsec_" + base64.b64encode(sha256(f"push {seed} {company.key}".encode()).digest()).decode()


class Control:
    """Answers requests under /_world."""

    def __init__(self, outside: Outside, log: RequestLog) -> None:
        self._outside = outside
        self._log = log

    def handle(self, request: Request) -> Response:
        """JSON in, JSON out; a mistake answers 400 with `{"error"}`."""
        name = request.path.removeprefix("/_world").strip("/")
        try:
            body = json.loads(request.body) if request.body else {}
            if not isinstance(body, dict):
                raise BadQuestion("the body must be a JSON object")
            return self._route(request.method, name, request.query, body, "html" in request.headers.get("accept", ""))
        except (ValueError, KeyError, TypeError) as error:
            return Response.json({"error": f"{type(error).__name__}: {error}"}, 400)

    def _route(
        self,
        method: str,
        name: str,
        query: dict[str, str],
        body: dict[str, Any],
        page: bool,  # noqa: FBT001 - a browser asks
    ) -> Response:
        if name == "" and page:
            return Response(200, _page(self.overview()), {"Content-Type": "text/html; charset=utf-8"})
        doors: dict[str, Callable[[], Any]] = {
            "": self.overview,
            "health": lambda: {"status": "ok", "now": self._outside.world.now.isoformat()},
            "credentials": self.credentials,
            "truth": lambda: self._truth(query),
            "sales": lambda: self._sales(query.get("account", "")),
            "requests": lambda: self._requests(method, query),
            "clock": lambda: self._clock(body) if method == "POST" else self._time(),
            "switches": lambda: self._switch(method, body),
        }
        if method == "POST":
            doors["webhooks/meta"] = lambda: {"answers": [a._asdict() for a in self._send_meta(body)]}
            doors["webhooks/push"] = lambda: {"answers": [a._asdict() for a in self._send_push(body)]}
        if name not in doors:
            return Response.json({"error": f"no such door: {method} /_world/{name}"}, 404)
        return Response.json(doors[name]())

    def _requests(self, method: str, query: dict[str, str]) -> dict[str, Any]:
        if method == "DELETE":
            self._log.clear()
        return self._log.read(int(query.get("limit", "200")))

    # -- reading -------------------------------------------------------------------------------------------------

    def overview(self) -> dict[str, Any]:
        """Who exists, what day it is, what is switched on."""
        world = self._outside.world
        return {
            "seed": world.seed,
            **self._time(),
            "report_seconds": self._outside.report_seconds,
            "profiles": [
                {
                    "account": company.key,
                    "company_name": company.name,
                    "platform": profile.platform,
                    "profile_id": profile.id,
                    "name": profile.name,
                    "currency": profile.currency,
                    "timezone": profile.timezone,
                    "kind": profile.kind,
                    "campaigns": len(profile.campaigns),
                    "ads": len(profile.ads()),
                    "today": world.moment(profile).today.isoformat(),
                }
                for company in world.companies
                for profile in company.profiles
            ],
            "switches": self._outside.switches.listing(),
            "switch_kinds": KINDS,
            "doors": list(_DOORS),
        }

    def credentials(self) -> dict[str, Any]:
        """Per client company: what its account is called, its credential bodies, profile ids, webhook secrets."""
        accounts = []
        for company in self._outside.world.companies:
            ids: dict[str, list[str]] = {META: [], AMAZON: []}
            for profile in company.profiles:
                ids[profile.platform].append(profile.id)
            accounts.append(
                {
                    "key": company.key,
                    "company_name": company.name,
                    "primary_contact_email": company.email,
                    "credentials": {
                        META: {"platform": META, **company.meta},
                        AMAZON: {"platform": AMAZON, **company.amazon},
                    },
                    "profile_ids": ids,
                    "webhooks": {
                        "meta_app_secret": company.meta["app_secret"],
                        "meta_verify_token": f"verify-{company.key}-{self._outside.world.seed}",
                        "push_secret": push_secret(company, self._outside.world.seed),
                    },
                }
            )
        return {"accounts": accounts}

    def _truth(self, query: dict[str, str]) -> dict[str, Any]:
        """All four parameters are optional; `level` (default ad), `hourly=1`."""
        world = self._outside.world
        start = date.fromisoformat(query["start"]) if "start" in query else world.first_day
        end = date.fromisoformat(query["end"]) if "end" in query else date.max - timedelta(days=1)
        level = query.get("level", "ad")
        if level not in ("account", "campaign", "ad_group", "ad", "keyword"):
            raise BadQuestion(f"unknown level {level!r}")
        rows: list[dict[str, Any]] = []
        for profile in world.profiles:
            if query.get("platform", profile.platform) != profile.platform:
                continue
            if query.get("profile_id", profile.id).removeprefix("act_") != profile.id:
                continue
            rows += world.truth(profile, start, end, level, hourly=query.get("hourly") in ("1", "true"))
        return {"as_of": world.now.isoformat(), "level": level, "rows": rows}

    def _sales(self, key: str) -> dict[str, Any]:
        """The media-mix truth of a company (all when no `account`), with the parameters that made it."""
        companies = [c for c in self._outside.world.companies if key in ("", c.key)]
        if not companies:
            raise BadQuestion(f"unknown account {key!r}")
        channels = {name: channel._asdict() for name, channel in CHANNELS.items()}
        days = {c.key: list(sales(self._outside.world, c)) for c in companies}
        return {"currency": "USD", "base_micros": BASE, "channels": channels, "sales": days}

    def _time(self) -> dict[str, Any]:
        world = self._outside.world
        return {
            "now": world.now.isoformat(),
            "today": world.now.date().isoformat(),
            "anchor": world.anchor.isoformat(),
            "first_day": world.first_day.isoformat(),
        }

    # -- changing ------------------------------------------------------------------------------------------------

    def _clock(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{"advance_days", "advance_hours"}` or `{"set": "2026-11-25" or an instant}`."""
        world = self._outside.world
        if "set" in body:
            text = str(body["set"])
            wanted = datetime.fromisoformat(text if "T" in text else f"{text}T12:00:00+00:00")
            if wanted.tzinfo is None:
                raise BadQuestion("set needs a time with a zone, or a date")
            offset = wanted - (world.now - world.offset)
        else:
            unknown = set(body) - {"advance_days", "advance_hours"}
            if unknown or not body:
                raise BadQuestion("give advance_days, advance_hours or set")
            moved = timedelta(days=int(body.get("advance_days", 0)), hours=int(body.get("advance_hours", 0)))
            offset = world.offset + moved
        self._outside.move(offset)
        return self._time()

    def _switch(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST a switch, or `{"clear": true | kind}`; DELETE clears all; GET lists."""
        switches = self._outside.switches
        if method == "DELETE" or body.get("clear") is True:
            switches.clear()
        elif "clear" in body:
            switches.clear(str(body["clear"]))
        elif method == "POST":
            if body.get("kind") == "report_seconds":
                self._outside.report_seconds = float(body["seconds"])
            elif body.get("kind") == "url_seconds":
                self._outside.url_seconds = int(body["seconds"])
            elif body.get("kind") == "expired_token" and body.get("platform") != META:
                self._expire_amazon(str(body.get("profile_id", "")))
                if body.get("platform") != AMAZON:
                    switches.turn_on(body | {"platform": META})
            else:
                switches.turn_on(body)
        return {"switches": switches.listing(), "kinds": KINDS}

    def _expire_amazon(self, profile_id: str) -> None:
        """Every access token issued so far stops working; the next refresh brings a good one."""
        for company in self._outside.world.companies:
            if not profile_id or any(p.id == profile_id for p in company.profiles):
                self._outside.tokens_void_until[company.key] = time.time_ns() // 1_000_000

    def _company(self, key: str) -> Company:
        for company in self._outside.world.companies:
            if key in ("", company.key) or any(p.id == key for p in company.profiles):
                return company
        raise BadQuestion(f"unknown account {key!r}")

    def _send_meta(self, body: dict[str, Any]) -> list[Answer]:
        """`{"url", "change": {"field", "value"} | "changes": [...], "account", "times", "bad_signature"}`."""
        company = self._company(str(body.get("account", "")))
        profile = next(p for p in company.profiles if p.platform == META)
        ad = profile.ads()[0][2]
        usual = {"object_id": ad.id, "object_type": "ad", "changed_fields": ["effective_status"]}
        changes = body.get("changes") or [body.get("change") or {"field": "field_changed", "value": usual}]
        entries = [meta_change(str(c.get("account_id", profile.id)), c["field"], c["value"]) for c in changes]
        bad = bool(body.get("bad_signature"))
        delivery = meta_delivery(entries, company.meta["app_secret"], bad_signature=bad)
        return send(str(body["url"]), delivery, times=int(body.get("times", 1)))

    def _send_push(self, body: dict[str, Any]) -> list[Answer]:
        """`{"url", "metrics": [...], "account", "secret", "id", "times", "bad_signature"}`."""
        company = self._company(str(body.get("account", "")))
        secret = str(body.get("secret") or push_secret(company, self._outside.world.seed))
        metrics = body["metrics"]
        digest = sha256(json.dumps(metrics, sort_keys=True).encode()).hexdigest()[:24]
        delivery = push_delivery(
            metrics,
            secret,
            message_id=str(body.get("id") or f"msg_{digest}"),
            bad_signature=bool(body.get("bad_signature")),
        )
        return send(str(body["url"]), delivery, times=int(body.get("times", 1)))


def _page(overview: dict[str, Any]) -> bytes:
    """A plain page for a browser."""
    columns = ("company_name", "platform", "profile_id", "name", "currency", "timezone", "campaigns", "ads", "today")
    head = "".join(f"<th>{html.escape(c)}</th>" for c in columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(profile[c]))}</td>" for c in columns) + "</tr>"
        for profile in overview["profiles"]
    )
    doors = "".join(f'<li><a href="/_world/{door}">/_world/{door}</a></li>' for door in overview["doors"][:7])
    return (
        "<!doctype html><meta charset=utf-8><title>adweir: the sandbox's world</title>"
        "<style>body{font:15px system-ui;margin:2rem}td,th{padding:.2rem .8rem;text-align:left}</style>"
        f"<h1>The sandbox's world</h1><p>Seed {overview['seed']}, now {html.escape(overview['now'])}, "
        f"days since {overview['first_day']}.</p><table><tr>{head}</tr>{rows}</table><ul>{doors}</ul>"
    ).encode()


__all__ = ["BadQuestion", "Control", "RequestLog", "UnknownSwitch", "push_secret"]
