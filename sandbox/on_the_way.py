"""What happens to answers between a platform and its caller, whatever the platform: they are late, lost or replaced."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from sandbox.switches import HALF_ANSWER, PROXY_PAGE, SLOW_ANSWER
from sandbox.web import PlatformRequest, broken_off

if TYPE_CHECKING:
    from sandbox.outside import Outside
    from sandbox.platforms.base import PlatformApi

_PAGE = "<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>Try again later</h1></body></html>"


def delivered(outside: Outside, platform: str, api: PlatformApi, request: PlatformRequest) -> tuple[Response, str]:
    """The platform's answer as it arrives, and the ad account that the request is about."""
    profile_id, take = api.profile_id(request), outside.switches.take
    page = take(PROXY_PAGE, platform, profile_id, request.path)
    if page is not None:
        answer = Response(_PAGE, int(page.get("status", 200)), content_type="text/html; charset=utf-8")
    else:
        answer = api.handle(request)
    if take(HALF_ANSWER, platform, profile_id, request.path) is not None:
        answer = broken_off(answer)
    slow = take(SLOW_ANSWER, platform, profile_id)
    if slow is not None:
        time.sleep(float(slow.get("seconds", 1)))
    return answer, profile_id
