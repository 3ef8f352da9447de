"""What somebody says of a client company: which values its fields take, whoever gives them."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from adweir.model import limits
from adweir.model.entities import Account
from adweir.model.errors import BadInput, Unprocessable
from adweir.model.media_mix import MediaMix
from adweir.model.naming import NamePattern
from adweir.model.ports import PlatformParser, platform_named
from adweir.model.times import is_zone

CompanyName = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=limits.MAX_NAME_CHARS, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$"
    ),
    Field(description="The client company's name.", examples=["Example Outfitters"]),
]
Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        max_length=limits.MAX_EMAIL_CHARS,
        pattern=r"^[^@\s\x00-\x1f\x7f-\x9f]{1,64}@[^@\s\x00-\x1f\x7f-\x9f]+\.[^@\s\x00-\x1f\x7f-\x9f]+$",
    ),
    Field(description="The e-mail address of the main contact.", examples=["ads@example.com"]),
]
Pattern = Annotated[
    str,
    StringConstraints(max_length=limits.MAX_NAME_CHARS),
    Field(examples=["{market}_{channel}_{objective}"]),
]
Currency = Annotated[
    str,
    StringConstraints(max_length=3, pattern=r"^([A-Z]{3})?$"),
    Field(
        description="Of the client's own figures, such as orders; by default its first ad account's.", examples=["EUR"]
    ),
]
Timezone = Annotated[
    str,
    StringConstraints(max_length=limits.MAX_WORD_CHARS),
    Field(
        description="Whose days the client's own figures are counted by; by default its first ad account's.",
        examples=["Europe/Berlin"],
    ),
]


def checked_changes(was: Account, changes: Mapping[str, Any], parse: PlatformParser) -> dict[str, Any]:
    """What is stored when these fields of an account are changed: of `naming` the levels that are not named stay, and
    null or an empty pattern ends one; `media_mix` is replaced, and null ends it. `parse` reads any known name of a
    platform. Raises Unprocessable that lists every fault."""
    checked, faults = dict(changes), []
    if "naming" in changes:
        for level, pattern in changes["naming"].items():
            try:
                NamePattern(pattern or "{unused}")
            except BadInput as error:
                faults.append({"field": f"naming.{level}", "message": error.message})
        named = was.naming | changes["naming"]
        checked["naming"] = {level: pattern for level, pattern in named.items() if pattern}
    if "media_mix" in changes:
        checked["media_mix"], found = _media_mix(changes["media_mix"] or {}, parse)
        faults += found
    if not is_zone(changes.get("timezone") or "UTC"):
        faults.append({"field": "timezone", "message": "is not the name of an IANA zone"})
    if faults:
        raise Unprocessable.listing("the account is refused", faults)
    return checked


def _media_mix(given: Mapping[str, Any], parse: PlatformParser) -> tuple[MediaMix, list[dict[str, str]]]:
    """The settings with each platform by its own name, and what is wrong with them."""
    mix, faults, rules = MediaMix.model_validate(given), [], []
    for place, rule in enumerate(mix.channels):
        try:
            platform = str(platform_named(rule.platform, parse)) if rule.platform else ""
            rules.append(rule.model_copy(update={"platform": platform}))
        except ValueError:
            message = f"{rule.platform[: limits.MAX_WORD_CHARS]!r} is no name of a platform"
            faults.append({"field": f"media_mix.channels.{place}.platform", "message": message})
    return mix.model_copy(update={"channels": tuple(rules)}), faults
