"""What each platform answers to a pull of one ad account's daily ads: rows of `bench.formats` in its own protocol.

The bodies are made beforehand; the server is as small as it can be, so that what is measured is the client.
"""

from __future__ import annotations

import gzip
import json
import re
import socketserver
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from bench.formats import FORMATS, Format, compact

DAYS = 7
TOKEN = "bench-access-token"  # noqa: S105
ACCOUNT = "1234567890"
"""The ad account that every platform's rows name."""

Answer = Callable[[re.Match[bytes], bytes], bytes]
"""From the matched request line and the body to the whole answer, headers included."""


def window(today: date) -> tuple[date, date]:
    """The days that are pulled: a week, so that every platform answers in its usual way."""
    return today - timedelta(days=DAYS), today - timedelta(days=1)


def rows_of(form: Format, count: int, today: date) -> Iterator[Any]:
    """Rows of the form, by day and ad."""
    start, _ = window(today)
    days = [(start + timedelta(days=number)).isoformat() for number in range(DAYS)]
    for number in range(count):
        yield form.row(number // DAYS, days[number % DAYS], number * 2_654_435_761 % 100_003)


def bodies_of(platform: str, count: int, today: date) -> list[bytes]:
    """The bodies that hold the rows: pages, or a single file."""
    form = FORMATS[platform]
    rows = list(rows_of(form, count, today))
    if not form.page:
        return [b"".join(form.whole(rows))]
    pages = [form.written(rows[at : at + form.page]) for at in range(0, len(rows), form.page)]
    return [_PAGED[platform](page, number, len(pages), len(rows)) for number, page in enumerate(pages, start=1)]


def _cursor(page: bytes, number: int, pages: int, _rows: int) -> bytes:
    """Meta: the next page is a URL, whose host the server puts in."""
    following = (
        f',"next":"@/v26.0/act_{ACCOUNT}/insights?access_token={TOKEN}&after={number}"' if number < pages else ""
    )
    return page[:-1] + f',"paging":{{"cursors":{{"after":"{number}"}}{following}}}}}'.encode()


def _numbered(page: bytes, number: int, pages: int, rows: int) -> bytes:
    """TikTok: a page's number, and how many there are."""
    about = {"total_number": rows, "page": number, "page_size": 1000, "total_page": pages}
    return re.sub(rb'"page_info":\{[^}]*\}', b'"page_info":' + compact(about), page, count=1)


def _batch(page: bytes, _number: int, _pages: int, _rows: int) -> bytes:
    return page


_PAGED = {"meta_ads": _cursor, "tiktok_ads": _numbered, "google_ads": _batch}


def http(body: bytes, media: str = "application/json") -> bytes:
    """A whole answer."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _fixed(value: Any) -> Answer:
    answer = http(compact(value))
    return lambda _match, _body: answer


def _whole(answer: bytes) -> Answer:
    return lambda _match, _body: answer


def meta(bodies: list[bytes], url: str) -> dict[str, Answer]:
    pages = [http(body.replace(b'"next":"@', f'"next":"{url}'.encode())) for body in bodies]
    return {
        r"GET \S*/insights\?(?:\S*[?&])?after=(\d+)": lambda match, _: pages[int(match[1])],
        r"GET \S*/insights\?": _whole(pages[0]),
    }


def google(bodies: list[bytes], _url: str) -> dict[str, Answer]:
    return {
        r"POST \S*/token": _fixed({"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}),
        r"POST \S*:searchStream": _whole(http(b"[" + b",\n".join(bodies) + b"]")),
    }


def tiktok(bodies: list[bytes], _url: str) -> dict[str, Answer]:
    pages = [http(body) for body in bodies]
    return {r"GET \S*/report/integrated/get/\?\S*\bpage=(\d+)": lambda match, _: pages[int(match[1]) - 1]}


def amazon(bodies: list[bytes], url: str) -> dict[str, Answer]:
    """The report of Products has the rows; those of Brands and Display are empty."""
    files = [gzip.compress(bodies[0], 6), gzip.compress(b"[]")]

    def status(number: int, state: str) -> bytes:
        found = {"reportId": f"r{number}", "status": state, "createdAt": "2026-11-22T06:00:00Z"}
        return http(compact(found | {"url": f"{url}/file/{number}", "fileSize": len(files[number])}))

    pending, ready = ([status(number, state) for number in (0, 1)] for state in ("PENDING", "COMPLETED"))
    packed = [http(file, "application/octet-stream") for file in files]
    return {
        r"POST \S*/o2/token": _fixed({"access_token": TOKEN, "expires_in": 3600, "token_type": "bearer"}),
        r"POST \S*/reporting/reports": lambda _, body: pending[b"SPONSORED_PRODUCTS" not in body],
        r"GET \S*/reporting/reports/r(\d)": lambda match, _: ready[int(match[1])],
        r"GET /file/(\d)": lambda match, _: packed[int(match[1])],
    }


def trade_desk(bodies: list[bytes], url: str) -> dict[str, Answer]:
    schedule = {"ReportScheduleId": 1, "ReportDateFormat": "Sortable", "ReportNumericFormat": "US"}
    delivery = {"DownloadURL": f"{url}/v3/file.csv"}
    done = {"ReportExecutionId": 1, "ReportScheduleId": 1, "ReportExecutionState": "Complete"}

    def listed(*entries: Any) -> bytes:
        return http(compact({"Result": entries, "ResultCount": len(entries), "TotalFilteredCount": len(entries)}))

    none, found = listed(), listed(done | {"ReportDeliveries": [delivery]})
    return {
        r"POST \S*/reporttemplateheader/query": _whole(listed({"ReportTemplateId": 1, "Name": "adweir"})),
        r"POST \S*/reportexecution/query": lambda _, body: none if b"NameContains" in body else found,
        r"(?:GET|POST|DELETE) \S*/reportschedule": _fixed(schedule),
        r"GET \S*/file\.csv": _whole(http(bodies[0], "text/csv")),
    }


_USER = {
    "client_id": "amzn1.application-oa2-client.1",
    "client_secret": "bench-client",
    "refresh_token": "bench-consent",
}
PROTOCOLS: dict[str, Callable[[list[bytes], str], dict[str, Answer]]] = {
    "meta_ads": meta,
    "amazon_ads": amazon,
    "google_ads": google,
    "tiktok_ads": tiktok,
    "trade_desk": trade_desk,
}
SECRETS = {
    "meta_ads": {"access_token": TOKEN, "app_secret": "bench-app-secret"},
    "amazon_ads": _USER,
    "google_ads": {**_USER, "developer_token": "bench-developer"},
    "tiktok_ads": {"access_token": TOKEN, "app_id": "7123456789", "secret": "bench-app-secret"},
    "trade_desk": {"token": TOKEN, "reports": "advertiser"},
}


def serve(platform: str, count: int, today: date) -> None:
    """Print the port and the bytes per row, then serve until killed."""
    bodies = bodies_of(platform, count, today)
    routes: list[tuple[re.Pattern[bytes], Answer]] = []

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            while request := self.rfile.readline():
                length = 0
                while header := self.rfile.readline().strip().lower():
                    if header.startswith(b"content-length:"):
                        length = int(header[15:])
                self.wfile.write(self._answer(request, self.rfile.read(length)))

        def _answer(self, request: bytes, body: bytes) -> bytes:
            for pattern, answer in routes:
                if match := pattern.match(request):
                    return answer(match, body)
            sys.stderr.write(f"no answer to {request!r}\n")
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        found = PROTOCOLS[platform](bodies, url)
        routes += [(re.compile(pattern.encode()), answer) for pattern, answer in found.items()]
        print(json.dumps({"url": url, "bytes_per_row": sum(map(len, bodies)) // count}), flush=True)
        server.serve_forever()
