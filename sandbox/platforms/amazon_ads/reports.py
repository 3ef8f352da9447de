"""Reporting v3's reports: created, polled, downloaded from storage, deleted."""

from __future__ import annotations

import hmac
import json
import time
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.amazon_ads.errors import AmazonRefusal, PassingRefusal, ProductRefusal, storage_error
from sandbox.platforms.amazon_ads.population import PLATFORM
from sandbox.platforms.amazon_ads.questions import check
from sandbox.platforms.amazon_ads.rows import packed, report_rows
from sandbox.web import PlatformRequest, json_answer
from sandbox.world import WorldProfile
from sandbox.world.world import Moment

_REPORT_MEDIA = {"application/vnd.createasyncreportrequest.v3+json", "application/json"}


class Reports:
    """The platform's reports; they outlive a restart of the sandbox."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def create(self, request: PlatformRequest, profile: WorldProfile) -> Response:
        """A new report of what the world knows now. The same request while its report is pending is a duplicate."""
        if request.mimetype not in _REPORT_MEDIA:
            raise AmazonRefusal(415, f"Unsupported content type {request.mimetype}")
        moment = self._outside.world.moment(profile)
        try:
            body = json.loads(request.get_data())
            kind = check(body, moment.today)
        except (ValueError, AttributeError, TypeError):
            raise AmazonRefusal(400, "The request body cannot be read") from None
        if kind.product in profile.lacking:
            raise ProductRefusal(kind.product)
        asked = json.dumps([body["startDate"], body["endDate"], body["configuration"]], sort_keys=True)
        for report_id, held in self._outside.reports(PLATFORM).items():
            same = held["profile_id"] == profile.id and held["asked"] == asked
            if same and _status(held) in ("PENDING", "PROCESSING"):
                raise AmazonRefusal(425, f"The Request is a duplicate of : {report_id}")
        switches = self._outside.switches
        slow = switches.take("slow_report", PLATFORM, profile.id) or {}
        lost = switches.take("missing_column", PLATFORM, profile.id)
        report = {
            "platform": PLATFORM,
            "profile_id": profile.id,
            "body": {k: body.get(k) for k in ("name", "startDate", "endDate", "configuration")},
            "asked": asked,
            "created": time.time(),
            "seconds": float(slow.get("seconds", self._outside.report_seconds)),
            "broken": switches.take("broken_report", PLATFORM, profile.id),
            "empty": switches.take("empty", PLATFORM, profile.id) is not None,
            "bad_row": switches.take("bad_row", PLATFORM, profile.id),
            "lacks": "" if lost is None else str(lost.get("column", "cost")),
            "today": moment.today.isoformat(),
            "hour": moment.hour,
        }
        report_id = self._outside.new_report(report, lambda n: f"f1e2d3c4-0000-4000-8000-{n:012d}")
        return json_answer(self._described(report_id, report, request.server_url))

    def describe(self, request: PlatformRequest, profile: WorldProfile, report_id: str) -> Response:
        """The report as it is now; now and then a 401 that means nothing."""
        if self._outside.switches.take("passing_401", PLATFORM, profile.id) is not None:
            raise PassingRefusal
        return json_answer(self._described(report_id, self._owned(profile, report_id), request.server_url))

    def delete(self, _request: PlatformRequest, profile: WorldProfile, report_id: str) -> Response:
        """Cancel or delete a report."""
        self._owned(profile, report_id)
        self._outside.forget_report(report_id)
        return json_answer({"code": "200", "detail": "Report deleted", "reportId": report_id})

    def _owned(self, profile: WorldProfile, report_id: str) -> dict[str, Any]:
        report = self._outside.report(PLATFORM, report_id)
        if report is None or report["profile_id"] != profile.id:
            raise AmazonRefusal(404, "Not Found")
        return report

    def download(self, request: PlatformRequest, report_id: str) -> Response:
        """The pre-signed file: refuses an Authorization header, a wrong signature and a late call, as S3 does."""
        expires = request.args.get("Expires", "0")
        if "Authorization" in request.headers:
            return storage_error(400, "InvalidArgument", "Only one auth mechanism allowed")
        if not expires.isdecimal() or request.args.get("Signature") != self._signature(report_id, int(expires)):
            return storage_error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")
        if time.time() > int(expires):
            return storage_error(403, "AccessDenied", "Request has expired")
        report = self._outside.report(PLATFORM, report_id)
        if report is None:
            return storage_error(404, "NoSuchKey", "The specified key does not exist.")
        return Response(self._file(report_id, report), content_type="binary/octet-stream")

    def _described(self, report_id: str, report: dict[str, Any], origin: str) -> dict[str, Any]:
        status, done = _status(report), report["created"] + report["seconds"]
        body = report["body"]
        answer = {
            "reportId": report_id,
            "status": status,
            "name": body["name"],
            "startDate": body["startDate"],
            "endDate": body["endDate"],
            "configuration": {"filters": None} | body["configuration"],
            "createdAt": _stamp(report["created"]),
            "updatedAt": _stamp(min(time.time(), done)),
            "generatedAt": None,
            "failureReason": None,
            "fileSize": None,
            "url": None,
            "urlExpiresAt": None,
        }
        if status == "FAILED":
            answer["failureReason"] = str(report["broken"].get("reason", "Internal error while generating the report"))
        if status == "COMPLETED":
            late = self._outside.switches.take("expired_url", PLATFORM, report["profile_id"]) is not None
            expires = int(time.time()) + (-1 if late else self._outside.url_seconds)
            signed = f"Expires={expires}&Signature={self._signature(report_id, expires)}"
            url = f"{origin}/report-files/{report_id}.json.gz?{signed}"
            answer |= {"generatedAt": _stamp(done), "fileSize": len(self._file(report_id, report)), "url": url}
            answer["urlExpiresAt"] = _stamp(expires)
        return answer

    def _signature(self, report_id: str, expires: int) -> str:
        key = f"files {self._outside.world.seed}".encode()
        return hmac.new(key, f"{report_id}{expires}".encode(), sha256).hexdigest()

    def _file(self, report_id: str, report: dict[str, Any]) -> bytes:
        """The gzip file, made once: what the world knew when the report was requested."""

        def make() -> bytes:
            profile = self._outside.world.profile(PLATFORM, report["profile_id"])
            if profile is None or report["empty"]:
                return packed([])
            moment = Moment(date.fromisoformat(report["today"]), int(report["hour"]))
            found = report_rows(self._outside.world, profile, report["body"], moment)
            if report["lacks"]:
                found = [{name: value for name, value in row.items() if name != report["lacks"]} for row in found]
            return packed(found if report["bad_row"] is None else _spoiled(found, report["bad_row"]))

        return self._outside.remember((PLATFORM, report_id), make)


def _status(report: dict[str, Any]) -> str:
    elapsed = time.time() - report["created"]
    if elapsed < report["seconds"]:
        return "PENDING" if elapsed < report["seconds"] / 4 else "PROCESSING"
    return "FAILED" if report["broken"] is not None else "COMPLETED"


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(seconds * 1000) % 1000:03d}Z"


def _spoiled(rows: list[dict[str, Any]], options: dict[str, Any]) -> list[dict[str, Any]]:
    """A copy of the rows with a malformed one: a negative count, text for a number, or no key."""
    wanted, mode = str(options.get("ad_id", "")), str(options.get("mode", "negative"))
    at = next((i for i, row in enumerate(rows) if not wanted or str(row.get("adId")) == wanted), None)
    if at is None:
        return rows
    row = dict(rows[at])
    if mode == "no_key":
        row["adId" if "adId" in row else "campaignId"] = None
    else:
        row["impressions"] = -5 if mode == "negative" else "many"
    return [*rows[:at], row, *rows[at + 1 :]]
