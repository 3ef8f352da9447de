"""Which channel a row's campaign belongs to, by the client's own rules (`model.media_mix`); by default its platform."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from adweir.model.media_mix import ChannelRule


class CampaignFacts(NamedTuple):
    """What rules ask of a campaign. `ad_product` is the row's, which may be known where the campaign is not."""

    platform: str
    ad_product: str = ""
    objective: str = ""
    name: str = ""


class Channels:
    """The client's rules, in their order."""

    def __init__(self, rules: Sequence[ChannelRule]) -> None:
        self._rules = rules
        self._known: dict[CampaignFacts, str] = {}

    @property
    def are_platforms(self) -> bool:
        """Whether each platform is one channel: then no campaign needs to be looked at."""
        return not self._rules

    def of(self, facts: CampaignFacts) -> str:
        """The channel of the first rule that fits, else the platform."""
        found = self._known.get(facts)
        if found is None:
            fitting = (rule.channel for rule in self._rules if _fits(rule, facts))
            found = self._known[facts] = next(fitting, facts.platform)
        return found

    def names(self, platforms: Iterable[str]) -> list[str]:
        """Every channel that rows of these platforms may belong to, sorted."""
        own = set(platforms)
        return sorted(own | {rule.channel for rule in self._rules if rule.platform in {"", *own}})


def _fits(rule: ChannelRule, facts: CampaignFacts) -> bool:
    asked: Mapping[str, Sequence[str]] = {"ad_product": rule.ad_product, "objective": rule.objective}
    if rule.platform not in {"", facts.platform}:
        return False
    for field, words in asked.items():
        if words and getattr(facts, field).casefold() not in {word.casefold() for word in words}:
            return False
    return not rule.name or any(is_like(facts.name, pattern) for pattern in rule.name)


def is_like(text: str, pattern: str) -> bool:
    """Whether a text is like a pattern, where * is any text; in any case."""
    text, (first, *others) = text.casefold(), pattern.casefold().split("*")
    if not others:
        return text == first
    *between, last = others
    if not text.startswith(first):
        return False
    place = len(first)
    for piece in between:
        found = text.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    return len(text) - len(last) >= place and text.endswith(last)
