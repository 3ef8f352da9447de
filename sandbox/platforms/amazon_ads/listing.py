"""Answers to lists: media types, pages, filters, and what is refused."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from werkzeug.wrappers import Response

from sandbox.outside import Outside
from sandbox.platforms.amazon_ads.brands import creatives
from sandbox.platforms.amazon_ads.display import extended
from sandbox.platforms.amazon_ads.errors import AmazonRefusal, InvalidArgument, ServiceRefusal, bad_request
from sandbox.platforms.amazon_ads.filters import filtered, words
from sandbox.platforms.amazon_ads.lists import (
    BRAND_TARGETS,
    CREATIVE_STATUSES,
    CREATIVE_TYPES,
    CREATIVES_MEDIA,
    GOTTEN,
    POSTED,
    GottenList,
)
from sandbox.platforms.amazon_ads.population import PLATFORM
from sandbox.web import PlatformRequest, broken_off, json_answer
from sandbox.world import WorldProfile

_TYPED: dict[str, tuple[str, tuple[str, ...]]] = {
    "CREATIVE_TYPE": ("", ("productCollection", "video")),
    "TARGETING_STATE": ("state", ("enabled", "paused", "pending", "archived", "draft")),
    "CAMPAIGN_ID": ("campaignId", ()),
    "AD_GROUP_ID": ("adGroupId", ()),
}
"""Filters of Brands v3's targets: the field, and the values that it may have; none: ids."""
_ID = re.compile(r"[0-9]{1,19}")
_MOST_INDEX = 2**31 - 1
_PAGING = {"maxResults", "nextToken", "includeExtendedDataFields"}
Entities = list[dict[str, Any]]


class Lists:
    """Every list of entities. Called from many threads."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    # -- asked by POST ------------------------------------------------------------------------------------------------

    def post(self, request: PlatformRequest, profile: WorldProfile, path: str) -> Response:
        """A list of Sponsored Products v3, Brands v4 or portfolios."""
        asked = POSTED[path]
        _check_media(request, asked.contents, asked.accepts)
        body = _body(request, {*_PAGING, *asked.filters})
        found = filtered(asked.build(self._outside.world, profile), dict(asked.filters), body)
        if not (_truth(body) or asked.always_extended):
            found = [{k: v for k, v in entity.items() if k != "extendedData"} for entity in found]
        answer = {asked.total: len(found)}
        return self._page(profile, body, (asked.key, asked.media, asked.most), found, answer)

    def brand_targets(self, request: PlatformRequest, profile: WorldProfile, path: str) -> Response:
        """`POST /sb/targets/list` and `/sb/negativeTargets/list`, whose errors are version 3's."""
        try:
            return self._brand_targets(request, profile, path)
        except InvalidArgument as refusal:
            raise bad_request(refusal.detail) from None

    def _brand_targets(self, request: PlatformRequest, profile: WorldProfile, path: str) -> Response:
        key, media, build = BRAND_TARGETS[path]
        body = _body(request, {"maxResults", "nextToken", "filters"})
        found = build(self._outside.world, profile)
        for kind, wanted in _typed_filters(body.get("filters")).items():
            if kind == "CREATIVE_TYPE":
                found = [entity for entity in found if _creative_type(profile, entity) in wanted]
            else:
                found = [entity for entity in found if str(entity[_TYPED[kind][0]]) in wanted]
        return self._page(profile, body, (key, media, 5000), found, {})

    def brand_creatives(self, request: PlatformRequest, profile: WorldProfile) -> Response:
        """`POST /sb/ads/creatives/list`: the versions of one ad's creative."""
        _check_media(request, ("", "text/plain", "application/json", CREATIVES_MEDIA), (CREATIVES_MEDIA,))
        filters = {
            "creativeTypeFilter": words("creativeType", CREATIVE_TYPES),
            "creativeStatusFilter": words("creativeStatus", CREATIVE_STATUSES),
            "creativeVersionFilter": words("creativeVersion", [str(n) for n in range(1, 101)]),
        }
        body = _body(request, {"adId", "maxResults", "nextToken", *filters})
        if not isinstance(body.get("adId"), str):
            raise InvalidArgument("adId is required", "$.adId")
        every = creatives(self._outside.world, profile, body["adId"])
        if not every:
            raise ServiceRefusal(404, f"Ad {body['adId']} was not found", "NOT_FOUND")
        found = filtered(every, filters, body)
        return self._page(profile, body, ("creatives", CREATIVES_MEDIA, 100), found, {"totalResults": len(found)})

    def _page(
        self,
        profile: WorldProfile,
        body: dict[str, Any],
        named: tuple[str, str, int],
        found: Entities,
        answer: dict[str, Any],
    ) -> Response:
        """A page, with nextToken until the last one. `named`: the answer's key, its media type, the largest page."""
        key, media, most = named
        size = body.get("maxResults")
        size = most if size is None else size
        if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= most:
            limits = {"reason": "TOO_HIGH" if isinstance(size, int) and size > most else "TOO_LOW"}
            text = f"maxResults must be between 1 and {most}"
            raise InvalidArgument(text, "$.maxResults", "rangeError", **limits, lowerLimit="1", upperLimit=str(most))
        start = _start(body.get("nextToken"), len(found))
        page = found[start : start + size]
        if page and self._outside.switches.take("new_value", PLATFORM, profile.id) is not None:
            page = [{**page[0], "state": "NEVER_HEARD_OF"}, *page[1:]]
        answer |= {key: page}
        headers = {"Content-Type": media}
        if start + size >= len(found):
            return json_answer(answer, headers=headers)
        answer["nextToken"] = base64.b64encode(f"from:{start + size}".encode()).decode()
        options = self._outside.switches.take("truncated_paging", PLATFORM, profile.id)
        if options is not None and options.get("mode") == "cut":
            return broken_off(json_answer(answer, headers=headers))
        if options is not None:
            del answer["nextToken"]
        return json_answer(answer, headers=headers)

    # -- asked by GET -------------------------------------------------------------------------------------------------

    def get(self, request: PlatformRequest, profile: WorldProfile, path: str, *, more: bool = False) -> Response:
        """A list of Sponsored Display or Brands v3; with `more`, its extended form."""
        asked = GOTTEN[path]
        query = request.args.to_dict()
        start, count = (_number(query.pop(name, None), name, asked.most) for name in ("startIndex", "count"))
        if {"adGroupIdFilter", "creativeIdFilter"} <= set(query):
            raise bad_request("adGroupIdFilter cannot be used with creativeIdFilter")
        found = self._built(profile, path, more=more)
        if "stateFilter" not in query and "stateFilter" in asked.filters:
            found = [entity for entity in found if entity["state"] in asked.states]
        for name, text in query.items():
            found = _chosen(found, asked, name, text)
        first, size = start or 0, asked.most if count is None else count
        page = [_shown(asked, entity) for entity in found[first : first + size]]
        return json_answer(page, headers={"Content-Type": asked.media})

    def get_one(
        self, _request: PlatformRequest, profile: WorldProfile, path: str, entity_id: str, *, more: bool = False
    ) -> Response:
        """One entity of such a list, by its id."""
        asked = GOTTEN[path]
        for entity in self._built(profile, path, more=more):
            if str(entity[asked.id]) == entity_id:
                return json_answer(_shown(asked, entity), headers={"Content-Type": asked.media})
        raise AmazonRefusal(404, f"Could not find resource {entity_id}", "NOT_FOUND")

    def _built(self, profile: WorldProfile, path: str, *, more: bool) -> Entities:
        world, kind = self._outside.world, path.rpartition("/")[2]
        found = GOTTEN[path].build(world, profile)
        return [extended(world, kind, entity) for entity in found] if more else found


def _check_media(request: PlatformRequest, contents: tuple[str, ...], accepts: tuple[str, ...]) -> None:
    """Raise Amazon's 415 for a Content-Type or Accept that the list does not take."""
    for name, allowed in (("Content-Type", contents), ("Accept", accepts)):
        given = request.headers.get(name, "").partition(";")[0].strip().lower()
        if given not in {media.lower() for media in allowed} and not (not given and "*/*" in allowed):
            text = f"Cannot consume content type; {name.lower()} must be {allowed[-1]}"
            raise ServiceRefusal(415, text, "UNSUPPORTED_MEDIA_TYPE")


def _body(request: PlatformRequest, names: set[str]) -> dict[str, Any]:
    """The JSON object that was posted; nothing is an empty one. Raises InvalidArgument for what it may not have."""
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError:
        raise InvalidArgument("The request body cannot be read", "$") from None
    if not isinstance(body, dict):
        raise InvalidArgument("The request body must be an object", "$")
    for name in body:
        if name not in names:
            raise InvalidArgument(f"{name} is not known", f"$.{name}")
    return body


def _typed_filters(asked: Any) -> dict[str, set[str]]:
    """Brands v3's `[{"filterType", "values"}]`, each type at most once, as type → values. Raises its 400."""
    found: dict[str, set[str]] = {}
    for condition in [] if asked is None else asked if isinstance(asked, list) else [asked]:
        kind, values = (condition.get(n) for n in ("filterType", "values")) if isinstance(condition, dict) else (0, 0)
        if not isinstance(kind, str) or kind not in _TYPED or kind in found or not isinstance(values, list):
            raise bad_request(f"The filter {kind!r} is unknown, repeated, or has no values")
        allowed = _TYPED[kind][1]
        for value in values:
            if value not in allowed if allowed else not _is_id(value):
                raise bad_request(f"The filter {kind} cannot have the value {value!r}")
        found[kind] = {str(value) for value in values}
    return found


def _is_id(value: Any) -> bool:
    """Whether it is an id, as a number or a string."""
    return not isinstance(value, bool) and isinstance(value, int | str) and bool(_ID.fullmatch(str(value)))


def _truth(body: dict[str, Any]) -> bool:
    """Whether extended data are asked for; airbyte's connector writes the word as a string."""
    asked = body.get("includeExtendedDataFields")
    if not (asked is None or isinstance(asked, bool) or asked in ("true", "false")):
        raise InvalidArgument("includeExtendedDataFields must be true or false", "$.includeExtendedDataFields")
    return asked is True or asked == "true"


def _start(token: Any, count: int) -> int:
    """The place at which the page of a nextToken starts."""
    if token is None:
        return 0
    try:
        head, _, place = base64.b64decode(str(token), validate=True).decode().partition(":")
    except ValueError:
        head = place = ""
    if head == "from" and _ID.fullmatch(place) and int(place) <= count:
        return int(place)
    raise InvalidArgument("nextToken is not valid", "$.nextToken", "invalidInputError", reason="INVALID_TOKEN")


def _number(text: str | None, name: str, most: int) -> int | None:
    if text is None:
        return None
    if not _ID.fullmatch(text) or int(text) > _MOST_INDEX or (name == "count" and not 0 < int(text) <= most):
        raise bad_request(f"{name} must be a number" + (f" from 1 to {most}" if name == "count" else ""))
    return int(text)


def _chosen(found: Entities, asked: GottenList, name: str, text: str) -> Entities:
    """Those that a query parameter asks for; a name or text is one, anything else a comma-delimited list."""
    if name == "creativeType" and "keywordText" in asked.filters:
        if text not in ("productCollection", "video"):
            raise bad_request("creativeType must be productCollection or video")
        return found if text == "productCollection" else []  # video ads are targeted by products here
    if name == "locale" and "keywordText" in asked.filters:
        return found
    if name not in asked.filters:
        raise bad_request(f"The parameter {name} is not known")
    field, allowed = asked.filters[name]
    wanted = {text} if name in ("name", "keywordText") else {word.strip() for word in text.split(",")}
    if allowed and not wanted <= set(allowed):
        raise bad_request(f"{name} must be some of {', '.join(allowed)}")
    if name.endswith("IdFilter") and not all(_is_id(word) for word in wanted):
        raise bad_request(f"{name} must be a list of ids")
    return [entity for entity in found if str(entity.get(field)) in wanted]


def _shown(asked: GottenList, entity: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entity.items() if name not in asked.hidden}


def _creative_type(profile: WorldProfile, entity: dict[str, Any]) -> str:
    group = next(g for c in profile.campaigns for g in c.groups if g.id == str(entity["adGroupId"]))
    return "video" if any("video" in ad.creative for ad in group.ads) else "productCollection"
