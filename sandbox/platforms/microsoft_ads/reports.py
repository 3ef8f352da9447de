"""`GenerateReport/Submit`, `GenerateReport/Poll` and the files behind download URLs.

Source: SubmitGenerateReport, PollGenerateReport, ReportRequestStatus, "Request and Download a Report": an id is valid
for a day, a URL for five minutes, only the user who submitted may poll, and a report without data has no URL.
"""

from __future__ import annotations

import hmac
import time
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.microsoft_ads.bodies import Body
from sandbox.platforms.microsoft_ads.errors import MicrosoftRefusal
from sandbox.platforms.microsoft_ads.login import MicrosoftGrant
from sandbox.platforms.microsoft_ads.population import PLATFORM
from sandbox.platforms.microsoft_ads.questions import MicrosoftQuestion, read_question
from sandbox.platforms.microsoft_ads.rows import Asked, cells, file_of
from sandbox.web import PlatformRequest, json_answer
from sandbox.world.world import Moment

STORAGE = "/microsoft-report-files"
_URL_SECONDS = 300
_VALID_SECONDS = 24 * 3600
_LONGEST_ID = 40
_SPOILING = ("empty", "bad_row", "missing_column", "broken_report")


class MicrosoftReports:
    """The reports; they outlive a restart of the sandbox."""

    def __init__(self, outside: Outside, grants: dict[str, MicrosoftGrant]) -> None:
        self._outside = outside
        self._grants = grants

    def submit(self, grant: MicrosoftGrant, body: Body) -> Response:
        """A new report of what Microsoft knows now."""
        world, take = self._outside.world, self._outside.switches.take
        question = read_question(grant, body.get("ReportRequest"), world.now)
        accounts = list(question.scope)
        for account_id in accounts:
            if take("access_denied", PLATFORM, account_id) is not None:
                raise MicrosoftRefusal(2003, account_id)
        spoilt = {kind: found for kind in _SPOILING if (found := take(kind, PLATFORM, accounts[0])) is not None}
        slow = take("slow_report", PLATFORM, accounts[0]) or {}
        moments = {one: world.moment(grant.profiles[one]) for one in accounts}
        report = {
            "platform": PLATFORM,
            "owner": grant.company.key,
            "asked": question.body,
            "now": world.now.isoformat(),
            "created": time.time(),
            "seconds": float(slow.get("seconds", self._outside.report_seconds)),
            "moments": {one: [moment.today.isoformat(), moment.hour] for one, moment in moments.items()},
            "spoilt": spoilt,
        }
        return json_answer({"ReportRequestId": self._outside.new_report(report, lambda n: f"30000000{n:010d}")})

    def poll(self, request: PlatformRequest, grant: MicrosoftGrant, body: Body) -> Response:
        """Pending, Success with a new URL (none without data), or Error."""
        report_id = body.get("ReportRequestId")
        if not isinstance(report_id, str) or not 0 < len(report_id) <= _LONGEST_ID:
            raise MicrosoftRefusal(2100)
        report = self._outside.report(PLATFORM, report_id)
        if report is None or report["owner"] != grant.company.key or time.time() - report["created"] > _VALID_SECONDS:
            raise MicrosoftRefusal(2101)
        status, url = "Pending", None
        if time.time() - report["created"] >= report["seconds"]:
            status = "Error" if "broken_report" in report["spoilt"] else "Success"
        if status == "Success" and self._file(report_id, report):
            late = self._outside.switches.take("expired_url", PLATFORM, next(iter(report["moments"]))) is not None
            expires = int(time.time()) + (-1 if late else min(_URL_SECONDS, self._outside.url_seconds))
            signature = self._signature(report_id, expires)
            url = f"{request.server_url}{STORAGE}/{report_id}.zip?se={expires}&sig={signature}"
        return json_answer({"ReportRequestStatus": {"ReportDownloadUrl": url, "Status": status}})

    def download(self, request: PlatformRequest, report_id: str) -> Response:
        """The archive, for a URL that is genuine and has not expired; otherwise the storage's own error."""
        expires, report = request.args.get("se", ""), self._outside.report(PLATFORM, report_id)
        genuine = expires.isdecimal() and hmac.compare_digest(
            request.args.get("sig", "").encode(), self._signature(report_id, int(expires)).encode()
        )
        if report is None or not genuine or time.time() > int(expires):
            text = "<Error><Code>AuthenticationFailed</Code><Message>Signature not valid.</Message></Error>"
            return Response(f'<?xml version="1.0" encoding="utf-8"?>{text}', 403, content_type="application/xml")
        return Response(self._file(report_id, report), content_type="application/x-zip-compressed")

    def _file(self, report_id: str, report: dict[str, Any]) -> bytes:
        """The archive, made once; empty where there is no row."""

        def make() -> bytes:
            question = self._question(report)
            rows = cells(self._outside.world, question, self._asked(report), report["spoilt"])
            missing = report["spoilt"].get("missing_column")
            column = "" if missing is None else str(missing.get("column", "Spend"))
            return file_of(question, rows, report_id, column) if rows else b""

        return self._outside.remember((PLATFORM, report_id), make)

    def _question(self, report: dict[str, Any]) -> MicrosoftQuestion:
        return read_question(self._grants[report["owner"]], report["asked"], datetime.fromisoformat(report["now"]))

    def _asked(self, report: dict[str, Any]) -> Asked:
        profiles = self._grants[report["owner"]].profiles
        return [
            (profiles[one], Moment(date.fromisoformat(today), int(hour)))
            for one, (today, hour) in report["moments"].items()
        ]

    def _signature(self, report_id: str, expires: int) -> str:
        key = f"microsoft files {self._outside.world.seed}".encode()
        return hmac.new(key, f"{report_id} {expires}".encode(), sha256).hexdigest()
