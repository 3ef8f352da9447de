"""Amazon Ads over the world: Login with Amazon, profiles, entity lists, asynchronous reports and their downloads."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import time
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sandbox.platforms.amazon_objects import GETS, LISTS, objects, profile_entry, select
from sandbox.platforms.amazon_reports import Refused, check, packed, rows
from sandbox.web import Request, Response
from sandbox.world import Company, Profile
from sandbox.world.catalog import AMAZON
from sandbox.world.world import Moment

if TYPE_CHECKING:
    from sandbox.outside import Outside

TOKEN_SECONDS = 3600
URL_SECONDS = 3600
_REPORT_MEDIA = {"application/vnd.createasyncreportrequest.v3+json", "application/json"}
_REGION_HOSTS = {"advertising-api": "NA", "advertising-api-eu": "EU", "advertising-api-fe": "FE"}
_MOST_RESULTS = 1000


class AmazonApi:
    """Answers one request as Amazon's token host, API host or report storage does.

    A path may begin with /na, /eu or /fe to stand for one region's host; without it every region answers.
    """

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._reports: dict[str, dict[str, Any]] = outside.state.reports

    def handle(self, request: Request) -> Response:
        """Reporting's errors carry `detail`, the others `details`."""
        head, _, rest = request.path.lstrip("/").partition("/")
        path, region = request.path, _REGION_HOSTS.get(request.headers.get("host", "").split(".")[0], "")
        if head.upper() in ("NA", "EU", "FE"):
            path, region = f"/{rest}", head.upper()
        if path == "/auth/o2/token":
            return self._token(request)
        if path.startswith("/report-files/"):
            return self._download(request, path.rsplit("/", 1)[1])
        try:
            return self._route(request, path, region)
        except Refused as refused:
            key = "detail" if path.startswith("/reporting") else "details"
            return Response.json({"code": refused.code, key: refused.detail}, refused.status, refused.headers)

    # -- Login with Amazon ---------------------------------------------------------------------------------------

    def _token(self, request: Request) -> Response:
        form = request.form()
        company = next(
            (c for c in self._outside.world.companies if c.amazon["client_id"] == form.get("client_id")), None
        )
        if company is None or form.get("client_secret") != company.amazon["client_secret"]:
            return Response.json({"error": "invalid_client", "error_description": "Client authentication failed"}, 401)
        if form.get("grant_type") != "refresh_token":
            text = "The authorization grant type is not supported by the authorization server"
            return Response.json({"error": "unsupported_grant_type", "error_description": text}, 400)
        if form.get("refresh_token") != company.amazon["refresh_token"] or self._revoked(company):
            text = "The request has an invalid grant parameter : refresh_token"
            return Response.json({"error": "invalid_grant", "error_description": text}, 400)
        issued = time.time_ns() // 1_000_000
        token = f"Atza|{company.key}.{issued}.{self._mac(company, issued)}"
        answer = {"access_token": token, "refresh_token": form["refresh_token"], "token_type": "bearer"}
        return Response.json(answer | {"expires_in": TOKEN_SECONDS})

    def _mac(self, company: Company, issued: int) -> str:
        text = f"{company.key}.{issued}".encode()
        return hmac.new(company.amazon["client_secret"].encode(), text, sha256).hexdigest()[:40]

    def _revoked(self, company: Company) -> bool:
        switches = self._outside.switches
        owned = [p.id for p in company.profiles if p.platform == AMAZON]
        return any(switches.take("revoked_credential", AMAZON, p) is not None for p in owned)

    def _company(self, request: Request) -> Company:
        """Whose token it is. Tokens carry their issue time and a MAC, so they outlive a restart of the sandbox."""
        unauthorized = Refused(401, "HTTP 401 Unauthorized", "UNAUTHORIZED")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        key, _, rest = token.removeprefix("Atza|").partition(".")
        issued, _, mac = rest.partition(".")
        company = next((c for c in self._outside.world.companies if c.key == key), None)
        if company is None or not issued.isdigit():
            raise unauthorized
        if not hmac.compare_digest(mac.encode(), self._mac(company, int(issued)).encode()):
            raise unauthorized
        age = time.time() - int(issued) / 1000
        if age > TOKEN_SECONDS or int(issued) <= self._outside.tokens_void_until.get(company.key, 0):
            raise unauthorized
        if request.headers.get("amazon-advertising-api-clientid") != company.amazon["client_id"]:
            raise Refused(401, "Not authorized: the client id does not match the token", "UNAUTHORIZED")
        if self._revoked(company):
            raise unauthorized
        return company

    # -- the API -------------------------------------------------------------------------------------------------

    def _route(self, request: Request, path: str, region: str) -> Response:
        company = self._company(request)
        if path == "/v2/profiles" and request.method == "GET":
            owned = [p for p in company.profiles if p.platform == AMAZON and region in ("", p.region)]
            kinds = request.query.get("profileTypeFilter", "seller,vendor,agency").split(",")
            return Response.json([profile_entry(p) for p in owned if p.kind in kinds])
        profile = self._scope(company, request, region)
        self._misbehave(profile.id)
        if path == "/reporting/reports" and request.method == "POST":
            return self._create(request, profile)
        if path.startswith("/reporting/reports/"):
            return self._report(request, profile, path.rsplit("/", 1)[1])
        if path in LISTS:
            if request.method != "POST":
                raise Refused(405, "Method Not Allowed", "METHOD_NOT_ALLOWED")
            return self._list(request, profile, *LISTS[path])
        if path in GETS and request.method == "GET":
            items = select(objects(self._outside.world, profile, *GETS[path]), {})
            if "stateFilter" in request.query:
                states = request.query["stateFilter"].lower().split(",")
                items = [item for item in items if str(item["state"]).lower() in states]
            start = int(request.query.get("startIndex", "0"))
            return Response.json(items[start : start + int(request.query.get("count", "5000"))])
        raise Refused(404, f"Method {request.method} of {path} is not known", "NOT_FOUND")

    def _scope(self, company: Company, request: Request, region: str) -> Profile:
        scope = request.headers.get("amazon-advertising-api-scope", "")
        if not scope:
            raise Refused(400, "Missing 'Amazon-Advertising-API-Scope' header", "INVALID_ARGUMENT")
        if not scope.isdigit():
            raise Refused(400, "Malformed 'Amazon-Advertising-API-Scope' header", "INVALID_ARGUMENT")
        profile = self._outside.world.profile(AMAZON, scope)
        if profile is None or profile not in company.profiles or region not in ("", profile.region):
            raise Refused(401, f"Not authorized to access scope {scope}", "UNAUTHORIZED")
        if self._outside.switches.take("access_denied", AMAZON, scope) is not None:
            raise Refused(403, f"Not authorized to manage this profile {scope}", "UNAUTHORIZED")
        return profile

    def _misbehave(self, profile_id: str) -> None:
        options = self._outside.switches.take("throttle", AMAZON, profile_id)
        if options is not None:
            wait = options.get("retry_after")
            headers = {} if wait is None else {"Retry-After": str(wait)}
            raise Refused(429, "Too Many Requests", "429", headers)
        options = self._outside.switches.take("server_error", AMAZON, profile_id)
        if options is not None:
            raise Refused(int(options.get("status", 503)), "Internal error. Please try again", "INTERNAL_ERROR")

    def _list(self, request: Request, profile: Profile, product: str, key: str, media: str) -> Response:
        """A v3/v4 list: both media types enforced, filters, nextToken until the last page."""
        for name in ("content-type", "accept"):
            if request.headers.get(name, "").partition(";")[0].strip().lower() != media.lower():
                raise Refused(415, f"Cannot consume content type; {name} must be {media}", "UNSUPPORTED_MEDIA_TYPE")
        try:
            body = json.loads(request.body) if request.body else {}
            most = int(body.get("maxResults", 100))
            start = (
                int(base64.b64decode(body["nextToken"]).decode().removeprefix("from:")) if body.get("nextToken") else 0
            )
            items = select(objects(self._outside.world, profile, product, key), body)
        except (ValueError, AttributeError, TypeError, binascii.Error):
            raise Refused(400, "The request body cannot be read", "INVALID_ARGUMENT") from None
        if not 1 <= most <= _MOST_RESULTS:
            raise Refused(400, f"maxResults must be between 1 and {_MOST_RESULTS}", "INVALID_ARGUMENT")
        answer: dict[str, Any] = {key: items[start : start + most], "totalResults": len(items)}
        if start + most < len(items):
            answer["nextToken"] = base64.b64encode(f"from:{start + most}".encode()).decode()
            options = self._outside.switches.take("truncated_paging", AMAZON, profile.id)
            if options is not None and options.get("mode") != "cut":
                del answer["nextToken"]
            elif options is not None:
                response = Response.json(answer, headers={"Content-Type": media})
                response.cut = True
                return response
        return Response.json(answer, headers={"Content-Type": media})

    # -- reports -------------------------------------------------------------------------------------------------

    def _create(self, request: Request, profile: Profile) -> Response:
        media = request.headers.get("content-type", "").partition(";")[0].strip()
        if media not in _REPORT_MEDIA:
            raise Refused(415, f"Unsupported content type {media}")
        try:
            body = json.loads(request.body)
            moment = self._outside.world.moment(profile)
            check(body, moment.today)
        except (ValueError, AttributeError, TypeError):
            raise Refused(400, "The request body cannot be read") from None
        asked = json.dumps([body["startDate"], body["endDate"], body["configuration"]], sort_keys=True)
        for report_id, held in list(self._reports.items()):
            same = held["kind"] == "amazon" and held["profile_id"] == profile.id and held["asked"] == asked
            if same and self._status(held) in ("PENDING", "PROCESSING"):
                raise Refused(425, f"The Request is a duplicate of : {report_id}")
        slow = self._outside.switches.take("slow_report", AMAZON, profile.id) or {}
        report = {
            "kind": "amazon",
            "profile_id": profile.id,
            "body": {k: body.get(k) for k in ("name", "startDate", "endDate", "configuration")},
            "asked": asked,
            "created": time.time(),
            "seconds": float(slow.get("seconds", self._outside.report_seconds)),
            "broken": self._outside.switches.take("broken_report", AMAZON, profile.id),
            "empty": self._outside.switches.take("empty", AMAZON, profile.id) is not None,
            "bad_row": self._outside.switches.take("bad_row", AMAZON, profile.id),
            "today": moment.today.isoformat(),
            "hour": moment.hour,
        }
        report_id = self._outside.new_report(report, lambda n: f"f1e2d3c4-0000-4000-8000-{n:012d}")
        return Response.json(self._describe(report_id, report, request.base_url))

    def _report(self, request: Request, profile: Profile, report_id: str) -> Response:
        report = self._reports.get(report_id)
        if report is None or report["kind"] != "amazon" or report["profile_id"] != profile.id:
            raise Refused(404, f"Report {report_id} was not found")
        if request.method == "DELETE":
            self._reports.pop(report_id, None)
            return Response.json({"reportId": report_id})
        return Response.json(self._describe(report_id, report, request.base_url))

    @staticmethod
    def _status(report: dict[str, Any]) -> str:
        elapsed = time.time() - report["created"]
        if elapsed < report["seconds"]:
            return "PENDING" if elapsed < report["seconds"] / 4 else "PROCESSING"
        return "FAILED" if report["broken"] is not None else "COMPLETED"

    def _describe(self, report_id: str, report: dict[str, Any], base_url: str) -> dict[str, Any]:
        status, done = self._status(report), report["created"] + report["seconds"]
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
            expires = int(time.time()) + self._outside.url_seconds
            signed = f"Expires={expires}&Signature={self._sign(report_id, expires)}"
            url = f"{base_url}/report-files/{report_id}.json.gz?{signed}"
            answer |= {"generatedAt": _stamp(done), "fileSize": len(self._file(report_id, report)), "url": url}
            answer["urlExpiresAt"] = _stamp(expires)
        return answer

    def _sign(self, report_id: str, expires: int) -> str:
        return hmac.new(
            f"files {self._outside.world.seed}".encode(), f"{report_id}{expires}".encode(), sha256
        ).hexdigest()

    def _file(self, report_id: str, report: dict[str, Any]) -> bytes:
        """The gzip file, made once: what the world knew when the report was asked for."""

        def make() -> bytes:
            profile = self._outside.world.profile(AMAZON, report["profile_id"])
            assert profile is not None  # noqa: S101 - reports are made for known profiles
            moment = Moment(datetime.fromisoformat(report["today"]).date(), int(report["hour"]))
            found = [] if report["empty"] else rows(self._outside.world, profile, report["body"], moment)
            return packed(found if report["bad_row"] is None else spoil(found, report["bad_row"]))

        return self._outside.remember(("amazon", report_id), make)

    def _download(self, request: Request, name: str) -> Response:
        """The pre-signed file: refuses an Authorization header, a wrong signature and a late call, as S3 does."""
        report_id, expires = name.removesuffix(".json.gz"), request.query.get("Expires", "0")
        if "authorization" in request.headers:
            return _xml(400, "InvalidArgument", "Only one auth mechanism allowed")
        if not expires.isdigit() or request.query.get("Signature") != self._sign(report_id, int(expires)):
            return _xml(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")
        if time.time() > int(expires):
            return _xml(403, "AccessDenied", "Request has expired")
        report = self._reports.get(report_id)
        if report is None:
            return _xml(404, "NoSuchKey", "The specified key does not exist.")
        return Response(200, self._file(report_id, report), {"Content-Type": "binary/octet-stream"})


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(seconds * 1000) % 1000:03d}Z"


def _xml(status: int, code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(status, body.encode(), {"Content-Type": "application/xml"})


def spoil(report_rows: list[dict[str, Any]], options: dict[str, Any]) -> list[dict[str, Any]]:
    """Copy the rows with one made malformed: a negative count, text for a number, or no key."""
    wanted, mode = str(options.get("ad_id", "")), str(options.get("mode", "negative"))
    at = next((i for i, row in enumerate(report_rows) if not wanted or str(row.get("adId")) == wanted), None)
    if at is None:
        return report_rows
    row = dict(report_rows[at])
    if mode == "no_key":
        row["adId" if "adId" in row else "campaignId"] = None
    else:
        row["impressions"] = -5 if mode == "negative" else "many"
    return [*report_rows[:at], row, *report_rows[at + 1 :]]
