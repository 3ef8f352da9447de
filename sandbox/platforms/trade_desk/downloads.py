"""Files of finished reports: behind a link that expires, and since June 2026 behind the token too.

Source: clients that met the changes of 2026: without TTD-Auth an HTML log-in page comes with status 200; a link may
lead on to a storage host, which must not get the token.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Any

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.trade_desk.errors import DeskRefusal
from sandbox.platforms.trade_desk.login import DeskLogin
from sandbox.platforms.trade_desk.population import PLATFORM
from sandbox.platforms.trade_desk.rows import DeskQuestion, file_of, workbook
from sandbox.platforms.trade_desk.templates import TEMPLATES
from sandbox.web import PlatformRequest, broken_off
from sandbox.world.world import Moment

LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Log in</title></head><body>Log in to continue</body></html>"
_MEDIA = {"CSV": "text/csv; charset=utf-8", "TSV": "text/tab-separated-values; charset=utf-8"}
_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def first_of(report: Mapping[str, Any]) -> str:
    """The first advertiser of a report; "" for one whose only advertiser was refused to it."""
    return next(iter(report["advertisers"]), "")


class Downloads:
    """Links to files, and the files."""

    def __init__(self, outside: Outside, login: DeskLogin) -> None:
        self._outside = outside
        self._login = login

    def link(self, schedule_id: str, origin: str, advertiser: str) -> tuple[str, float]:
        """A link to the schedule's file, and when it expires. `advertiser`: the first in it."""
        late = self._outside.switches.take("expired_url", PLATFORM, advertiser) is not None
        expires = int(time.time()) + (-1 if late else self._outside.url_seconds)
        signed = self._signature("desk", schedule_id, expires)
        return f"{origin}/reportdownload/{schedule_id}?expires={expires}&sig={signed}", expires

    def download(self, request: PlatformRequest, schedule_id: str) -> Response:
        """The file for the token's partner; the log-in page without a valid token; 403 when the link has expired."""
        report = self._signed("desk", request, schedule_id)
        try:
            grant = self._login.grant(request)
        except DeskRefusal:
            return Response(LOGIN_PAGE, content_type="text/html; charset=utf-8")
        if report is None or report["partner"] != grant.partner.id:
            return _storage_error(403, "AccessDenied", "Request has expired")
        options = self._outside.switches.take("odd_file", PLATFORM, first_of(report))
        mode = "" if options is None else str(options.get("mode", "bom"))
        if mode == "redirect":
            host = f"{(options or {}).get('host', 'localhost')}:{request.server_url.rpartition(':')[2]}"
            expires = request.args["expires"]
            signed = self._signature("storage", schedule_id, int(expires))
            url = f"http://{host}/reportstorage/{schedule_id}?expires={expires}&sig={signed}"
            return Response(b"", 302, {"Location": url})
        return self._answer(schedule_id, report, mode)

    def stored(self, request: PlatformRequest, schedule_id: str) -> Response:
        """The file at the storage host, which refuses any other way to authenticate, as S3 does."""
        if "TTD-Auth" in request.headers or "Authorization" in request.headers:
            return _storage_error(400, "InvalidArgument", "Only one auth mechanism allowed")
        report = self._signed("storage", request, schedule_id)
        if report is None:
            return _storage_error(403, "AccessDenied", "Request has expired")
        return self._answer(schedule_id, report, "")

    def _answer(self, schedule_id: str, report: dict[str, Any], mode: str) -> Response:
        if mode == "html":
            return Response(LOGIN_PAGE, content_type="text/html; charset=utf-8")
        if mode == "excel":
            return Response(workbook(), content_type=_EXCEL)
        content = self._outside.remember((PLATFORM, schedule_id), lambda: self._file(report))
        if mode == "bom":
            content = b"\xef\xbb\xbf" + content
        whole = Response(content, content_type=_MEDIA.get(report["body"]["ReportFileFormat"], _EXCEL))
        return broken_off(whole) if mode == "cut" else whole

    def _file(self, report: dict[str, Any]) -> bytes:
        world, body = self._outside.world, report["body"]
        found = [world.profile(PLATFORM, profile) for profile in report["advertisers"]]
        question = DeskQuestion(
            TEMPLATES[int(body["ReportTemplateId"])],
            [profile for profile in found if profile is not None],
            date.fromisoformat(report["start"]),
            date.fromisoformat(report["end"]),
            body["ReportFileFormat"],
            body["ReportNumericFormat"],
            body["ReportDateFormat"],
            body.get("IncludeHeaders", True),
            report["spoilt"],
        )
        moments = {
            profile: Moment(date.fromisoformat(today), int(hour))
            for profile, (today, hour) in report["moments"].items()
        }
        return file_of(world, question, moments)

    def _signed(self, at: str, request: PlatformRequest, schedule_id: str) -> dict[str, Any] | None:
        """The report, when the link to it is genuine and has not expired."""
        expires = request.args.get("expires", "")
        if not expires.isdecimal() or time.time() > int(expires):
            return None
        if not hmac.compare_digest(
            request.args.get("sig", "").encode(), self._signature(at, schedule_id, int(expires)).encode()
        ):
            return None
        return self._outside.report(PLATFORM, schedule_id)

    def _signature(self, at: str, schedule_id: str, expires: int) -> str:
        key = f"desk files {self._outside.world.seed}".encode()
        return hmac.new(key, f"{at} {schedule_id} {expires}".encode(), sha256).hexdigest()


def _storage_error(status: int, code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(body, status, content_type="application/xml")
