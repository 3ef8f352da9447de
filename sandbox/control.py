"""`/_world`: the sandbox's own endpoints: truth, credentials, clock, switches, request log, senders of webhooks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from werkzeug.wrappers import Response

from sandbox import export_pages
from sandbox.bill_file import bill_file
from sandbox.deliveries import push_secret, send_push
from sandbox.lead_posts import lead_truth
from sandbox.outside import BadQuestion, Outside
from sandbox.platforms.base import Door, Page, PlatformApi, StandIn
from sandbox.request_log import RequestLog
from sandbox.served import ServedFault
from sandbox.web import PlatformRequest, json_answer
from sandbox.world import Company, Reading, WorldProfile
from sandbox.world.happenings import ANOMALY, KINDS
from sandbox.world.located import located_truth
from sandbox.world.mix import Mix
from sandbox.world.plan import RECENT_DAYS
from sandbox.world_page import world_page

ROOT = "/_world"
_LEVELS = ("account", "campaign", "ad_group", "ad", "keyword")
_SETTINGS = {
    "report_seconds": "every platform: new reports take `seconds` (default 0.5)",
    "url_seconds": "every platform: a report's download URL is valid for `seconds` (default 3600)",
}
"""Kinds of switches that are values of the outside world and stay as they are set."""

_BUDGET_DAYS = 184
"""Days back for which changes of budgets are listed."""


class Control:
    """Answers requests under /_world: JSON in, JSON out; a bad request gets a 400 with `{"error"}`."""

    def __init__(
        self, outside: Outside, platforms: Sequence[StandIn], apis: Mapping[str, PlatformApi], log: RequestLog
    ) -> None:
        """`apis`: by platform."""
        self._outside = outside
        self._platforms = platforms
        self._apis = apis
        self._log = log
        self._mix = Mix(outside.world)
        self._senders: dict[str, Door] = {"webhooks/push": send_push}
        self._senders |= {kind: _happening(kind) for kind in (*KINDS, ANOMALY)}
        with_forms = {stand_in.platform for stand_in in platforms if stand_in.forms}
        pages: dict[str, Page] = {"exports": export_pages.listed, "exports/file": export_pages.file}
        for stand_in in platforms:
            self._senders |= stand_in.doors
            pages |= stand_in.pages
        self._doors: dict[str, Callable[[PlatformRequest, dict[str, Any]], Any]] = {
            "": lambda _request, _body: self.overview(),
            "health": lambda _request, _body: {"status": "ok", "now": outside.world.now.isoformat()},
            "credentials": lambda _request, _body: self.credentials(),
            "truth": lambda request, _body: self._truth(request.args.to_dict()),
            "bills": lambda request, _body: self._billed(request.args.to_dict()),
            "bills/file": lambda request, _body: self._bill_file(request.args.to_dict()),
            "sales": lambda request, _body: self._sales(request.args.to_dict()),
            "mix": lambda request, _body: self._described(request.args.get("account", "")),
            "leads": lambda request, _body: lead_truth(outside, with_forms, request.args.to_dict()),
            "planted": lambda request, _body: self._planted(request.args.to_dict()),
            "driver": lambda request, body: self._driver(body if request.method == "POST" else {}),
            "requests": self._requests,
            "served": lambda request, _body: {"faults": outside.served.listing(float(request.args.get("since", "0")))},
            "clock": lambda request, body: self._clock(body) if request.method == "POST" else self._time(),
            "switches": lambda request, body: self._switch(request.method, body),
        } | {name: _page(outside, page) for name, page in pages.items()}

    def handle(self, request: PlatformRequest) -> Response:
        """Answer one request."""
        name = request.path.removeprefix(ROOT).strip("/")
        if name == "" and "html" in request.headers.get("Accept", ""):
            page = world_page(self.overview(), [door for door in self._doors if door])
            return Response(page, content_type="text/html; charset=utf-8")
        try:
            body = json.loads(request.get_data() or b"{}")
            if not isinstance(body, dict):
                raise BadQuestion("the body must be a JSON object")
            if name in self._senders and request.method == "POST":
                return json_answer(self._senders[name](self._outside, body))
            if name in self._doors:
                answer = self._doors[name](request, body)
                return answer if isinstance(answer, Response) else json_answer(answer)
        except (ValueError, KeyError, TypeError) as error:
            return json_answer({"error": f"{type(error).__name__}: {error}"}, 400)
        return json_answer({"error": f"no such door: {request.method} {ROOT}/{name}"}, 404)

    # -- reading -------------------------------------------------------------------------------------------------

    def overview(self) -> dict[str, Any]:
        """Who exists, what day it is, what is switched on."""
        world = self._outside.world
        return {
            "seed": world.seed,
            **self._time(),
            "report_seconds": self._outside.report_seconds,
            "profiles": [self._shown(c, profile) for c in world.companies for profile in c.profiles],
            "elsewhere": [self._shown(c, profile) for c in world.companies for profile in c.elsewhere.profiles],
            "happenings": list(self._outside.state.happenings),
            "switches": self._outside.switches.listing(),
            "switch_kinds": self._outside.switches.kinds | _SETTINGS,
            "doors": sorted({door for door in self._doors if door} | set(self._senders)),
        }

    def _shown(self, company: Company, profile: WorldProfile) -> dict[str, Any]:
        return {
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
            "lacking": sorted(profile.lacking),
            "today": self._outside.world.moment(profile).today.isoformat(),
        }

    def credentials(self) -> dict[str, Any]:
        """Per client company: its account's data, the credential bodies to post, profile ids, webhook secrets."""
        return {"accounts": [self._account(company) for company in self._outside.world.companies]}

    def _account(self, company: Company) -> dict[str, Any]:
        seed = self._outside.world.seed
        bodies = {}
        for name, secret in company.credentials.items():
            platform, _, label = name.partition(":")
            bodies[name] = {"platform": platform, **({"label": label} if label else {}), **secret}
        webhooks: dict[str, str] = {}
        for stand_in in self._platforms:
            webhooks |= stand_in.webhook_secrets(company, seed)
        return {
            "key": company.key,
            "company_name": company.name,
            "primary_contact_email": company.email,
            "credentials": bodies,
            "profile_ids": {s.platform: _ids(company, s.platform) for s in self._platforms if s.known},
            "elsewhere": {
                s.platform: {
                    "credentials": company.elsewhere.credentials[s.platform],
                    "profile_ids": _ids(company, s.platform),
                }
                for s in self._platforms
                if s.platform in company.elsewhere.credentials
            },
            "webhooks": {**webhooks, "push_secret": push_secret(company, seed)},
        }

    def _truth(self, query: dict[str, str]) -> dict[str, Any]:
        """Parameters, all optional: `platform`, `profile_id`, `start`, `end`, `level` (default ad), `hourly=1`,
        `forgotten=1`, `by` (region, or what a platform has alone); and which conversions count (`Reading`): `basis`,
        `window`, `view_window`, `clock`.
        """
        world = self._outside.world
        start, end = self._days(query)
        level = query.get("level", "ad")
        if level not in _LEVELS:
            raise BadQuestion(f"unknown level {level!r}")
        reading = Reading(
            query.get("basis", "default"),
            int(query.get("window", 0)),
            int(query.get("view_window", 0)),
            query.get("clock", "interaction"),
            hourly=query.get("hourly") in ("1", "true"),
            forgotten=query.get("forgotten") in ("1", "true"),
        )
        rows: list[dict[str, Any]] = []
        for profile in self._asked(query):
            rows += self._true_rows(profile, (start, end), level, reading, query.get("by", ""))
        return {"as_of": world.now.isoformat(), "level": level, "rows": rows}

    def _billed(self, query: dict[str, str]) -> dict[str, Any]:
        """The invoices and credit memos of the ad accounts that pay by invoice: `platform`, `profile_id`, and issued
        from `start` to `end` (default: all).
        """
        start, end = _issued(query)
        bills = [bill for profile in self._asked(query) for bill in self._outside.bills.truth(profile, start, end)]
        return {"as_of": self._outside.world.now.isoformat(), "bills": bills}

    def _bill_file(self, query: dict[str, str]) -> Response:
        """The same bills as a file for adweir, of one client: `account` (default: the first) too."""
        owned = self._outside.company(query.get("account", "")).profiles
        start, end = _issued(query)
        profiles = [profile for profile in self._asked(query) if profile in owned]
        bills = (bill for profile in profiles for bill in self._outside.bills.issued(profile, start, end))
        return Response(bill_file(bills), content_type="text/csv; charset=utf-8")

    def _true_rows(
        self, profile: WorldProfile, days: tuple[date, date], level: str, reading: Reading, by: str
    ) -> Iterator[dict[str, Any]]:
        world = self._outside.world
        stand_in = next(one for one in self._platforms if one.platform == profile.platform)
        if not by:
            yield from world.truth(profile, *days, level, reading=reading)
        elif by == "region" and level != "account":
            for row in located_truth(world, profile, *days, level, reading=reading):
                yield row | {"region_value": stand_in.regions.get(row["region"])}
        elif by in stand_in.truths and level == "campaign":
            yield from stand_in.truths[by](world, profile, *days, reading)
        else:
            raise BadQuestion(f"{profile.platform} has no truth of level {level!r} by {by!r}")

    def _days(self, query: dict[str, str]) -> tuple[date, date]:
        """`start` and `end`; by default the last days before the world's first today, and all since."""
        recently = self._outside.world.anchor - timedelta(days=RECENT_DAYS - 1)
        start = date.fromisoformat(query["start"]) if "start" in query else recently
        return start, date.fromisoformat(query["end"]) if "end" in query else date.max - timedelta(days=1)

    def _asked(self, query: dict[str, str]) -> list[WorldProfile]:
        """The ad accounts of a `platform`, or the one with a `profile_id`; by default all that adweir knows."""
        world, platform = self._outside.world, query.get("platform", "")
        wanted = self._outside.bare_id(query.get("profile_id", ""))
        among = [*world.profiles, *(world.elsewhere if platform or wanted else ())]
        return [one for one in among if platform in ("", one.platform) and wanted in ("", one.id)]

    def _companies(self, key: str) -> Sequence[Company]:
        return (self._outside.company(key),) if key else self._outside.world.companies

    def _sales(self, query: dict[str, str]) -> dict[str, Any]:
        """What a company (without `account`, each) sold from `start` to `end`, and what of it each channel brought."""
        start, end = self._days(query)
        days = {c.key: list(self._mix.sales(c, start, end)) for c in self._companies(query.get("account", ""))}
        return {"currency": "USD", "sales": days}

    def _described(self, key: str) -> dict[str, Any]:
        """The parameters behind the sales of a company (of all without `account`)."""
        mixes = {company.key: self._mix.described(company) for company in self._companies(key)}
        return {"currency": "USD", "driver_per_mille": self._outside.world.driver, "mix": mixes}

    def _planted(self, query: dict[str, str]) -> dict[str, Any]:
        """What moves the ad accounts of a `platform`, or that with a `profile_id`; of budgets the last half year."""
        world = self._outside.world

        def day(index: int) -> str:
            return (world.first_day + timedelta(days=index)).isoformat()

        anomalies, shifts, budgets, flights = [], [], [], []
        last = (world.now.date() - world.first_day).days
        for profile in self._asked(query):
            about, plan = {"platform": profile.platform, "profile_id": profile.id}, world.plan(profile)
            anomalies += [a._asdict() | about | {"first": day(a.first), "last": day(a.last)} for a in plan.anomalies]
            shifts += [
                about | {"metric": s.metric, "day": day(s.day), "before_per_mille": s.before} for s in plan.shifts
            ]
            for channel in sorted({profile.traits.channel_of(c.product).name for c in profile.campaigns}):
                changes = plan.budget_changes(channel, max(last - _BUDGET_DAYS, 0), last)
                budgets += [c._asdict() | about | {"day": day(c.day)} for c in changes]
            for campaign, _, ad in profile.ads():
                about_ad = about | {"campaign_id": campaign.id, "ad_id": ad.id}
                begins, ends = ad.flight
                flights += [about_ad | {"day": day(begins), "change": "begins"}] if 0 < begins <= last else []
                flights += [about_ad | {"day": day(ends + 1), "change": "has ended"}] if ends < last else []
        return {"anomalies": anomalies, "level_shifts": shifts, "budget_changes": budgets, "flights": flights}

    def _driver(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST `{"per_mille"}`: the strength of hidden demand, 0 for none; GET tells it."""
        if body:
            self._outside.drive(int(body["per_mille"]))
        return {"per_mille": self._outside.world.driver}

    def _time(self) -> dict[str, Any]:
        world = self._outside.world
        return {
            "now": world.now.isoformat(),
            "today": world.now.date().isoformat(),
            "anchor": world.anchor.isoformat(),
            "first_day": world.first_day.isoformat(),
        }

    # -- changing ------------------------------------------------------------------------------------------------

    def _requests(self, request: PlatformRequest, _body: dict[str, Any]) -> dict[str, Any]:
        """The request log; DELETE empties it."""
        if request.method == "DELETE":
            self._log.clear()
        return self._log.read(int(request.args.get("limit", "200")))

    def _clock(self, body: dict[str, Any]) -> dict[str, Any]:
        """`{"advance_days", "advance_hours"}` or `{"set": "2026-11-25" or an instant}`."""
        world = self._outside.world
        if "set" in body:
            text = str(body["set"])
            wanted = datetime.fromisoformat(text if "T" in text else f"{text}T12:00:00+00:00")
            if wanted.tzinfo is None:
                raise BadQuestion("set needs a date, or a time with its offset")
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
            self._turn_on(body)
        return {"switches": switches.listing(), "kinds": switches.kinds | _SETTINGS}

    def _turn_on(self, body: dict[str, Any]) -> None:
        kind = body.get("kind")
        if kind == "report_seconds":
            self._outside.report_seconds = float(body["seconds"])
        elif kind == "url_seconds":
            self._outside.url_seconds = int(body["seconds"])
        else:
            switch = self._outside.switches.read(body)
            switch = replace(switch, profile_id=self._outside.bare_id(switch.profile_id))
            concerned = [api for platform, api in self._apis.items() if switch.platform in ("", platform)]
            acted = [api.act_at_once(switch) for api in concerned]
            if not all(acted):
                self._outside.switches.turn_on(switch)
            elif switch.platform:
                fault = ServedFault(switch.kind, switch.platform, switch.profile_id, "", time.time())
                self._outside.served.add(fault, switch.profile_id)


def _ids(company: Company, platform: str) -> list[str]:
    return [profile.id for profile in company.on(platform)]


def _issued(query: Mapping[str, str]) -> tuple[date, date]:
    """`start` and `end` of the days of issue; without them, all."""
    start, end = query.get("start"), query.get("end")
    return date.fromisoformat(start) if start else date.min, date.fromisoformat(end) if end else date.max


def _page(outside: Outside, page: Page) -> Callable[[PlatformRequest, dict[str, Any]], Any]:
    return lambda request, _body: page(outside, request.args.to_dict())


def _happening(kind: str) -> Door:
    return lambda outside, body: outside.happen(kind, body)
