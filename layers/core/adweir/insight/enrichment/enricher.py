"""What `enrich` does for a client: each copy that its ads have is enriched once, and again when models or names change.

What is stored is made of the copy, the models and the names alone. So a worker that died among them leaves the rest to
the next one, and where nothing changed since all of it was stored, nothing is read but the ads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from adweir.insight.enrichment.enriching import MODELS, EnrichmentKind, enrichment_of
from adweir.insight.enrichment.text import AdCopy
from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import Account, Ad, Profile
from adweir.model.errors import NotReady
from adweir.model.log import log
from adweir.reporting.names import Naming

if TYPE_CHECKING:
    from adweir.store.catalog.store import Catalog
    from adweir.store.findings.enrichments import Enrichments

_LOOKS = 500
"""Ads between two looks at the time."""
_TOGETHER = 25
_NAMED_BY = ("brand", "product")
"""Parts of a campaign's name, by the client's own patterns, that ads may name."""
_LEGAL = frozenset({"gmbh", "ag", "kg", "inc", "llc", "ltd", "plc", "corp", "co", "sa", "bv", "ab"})
_LEAST = 3
"""Letters of a name, at least: a shorter one is in all sorts of copy."""


class EnrichParts(NamedTuple):
    """What an enricher works with."""

    catalog: Catalog
    store: Enrichments


class Enricher:
    """Enriches the ads of clients. Repeated with the same ads, it stores nothing."""

    def __init__(self, parts: EnrichParts) -> None:
        self._parts = parts

    def enrich(self, account_id: str, remaining: Callable[[], float], margin: float) -> dict[str, int]:
        """Have an enrichment of each copy that a client's ads have: counts of its `ads`, of their `copies`, of those
        that were `stored`, and of those that were `left_out`, since a client has `MAX_ENRICHED_COPIES` at most.

        Raises NotReady when less than `margin` seconds are left (the same call goes on), NotFound for a client that is
        gone, Unavailable.
        """

        def check() -> None:
            if remaining() < margin:
                raise NotReady("the enriching of ads goes on in another invocation", after=1)

        parts = self._parts
        account = parts.catalog.account(account_id)
        every = parts.catalog.profiles(account_id=account_id)
        profiles = sorted((each for each in every if each.has_ads), key=lambda each: each.key)
        names = names_of(account, profiles, self._brands(account, profiles))
        made_of = _hash([*MODELS.values(), *names])
        counts, hashes, left_out = {"ads": 0, "copies": 0, "stored": 0, "left_out": 0}, set[str](), set[str]()
        for text in self._copies(profiles, check):
            counts["ads"] += 1
            if text:
                full = len(hashes) >= limits.MAX_ENRICHED_COPIES and text.content_hash not in hashes
                (left_out if full else hashes).add(text.content_hash)
            if len(left_out) > limits.MAX_ENRICHED_COPIES:
                break
        counts |= {"copies": len(hashes), "left_out": len(left_out)}
        if left_out:
            log.warning("the ads of %s have more than %d copies", account_id, limits.MAX_ENRICHED_COPIES)
        mark = _hash([made_of, *sorted(hashes)])
        if not hashes or parts.store.mark(account_id) == mark:
            return counts
        missing = hashes.difference(parts.store.current(account_id, made_of))
        for batch in _batches(self._missing(profiles, missing, check)):
            said = {text.content_hash: stored_body(text, names) for text in batch}
            parts.store.put(account_id, made_of, said)
            counts["stored"] += len(batch)
            check()
        parts.store.put_mark(account_id, mark)
        return counts

    def _missing(self, profiles: Sequence[Profile], missing: set[str], check: Callable[[], None]) -> Iterator[AdCopy]:
        """The copies with these hashes, each once."""
        for text in self._copies(profiles, check) if missing else ():
            if text.content_hash in missing:
                missing.discard(text.content_hash)
                yield text

    def _copies(self, profiles: Sequence[Profile], check: Callable[[], None]) -> Iterator[AdCopy]:
        """What each ad says, those that are removed, too: their numbers are still reported."""
        number = 0
        for profile in profiles:
            check()
            for ad in self._parts.catalog.objects(profile.platform, profile.profile_id, Dataset.ADS):
                number += 1
                if not number % _LOOKS:
                    check()
                if isinstance(ad, Ad):
                    yield AdCopy.of({"headline": ad.headline, "description": ad.description, "cta": ad.cta})

    def _brands(self, account: Account, profiles: Iterable[Profile]) -> set[str]:
        """Brands and products, as the client's own patterns find them in the names of its campaigns."""
        naming, found = Naming([account]), set[str]()
        for profile in profiles:
            if naming.pattern(profile, "campaign"):
                for item in self._parts.catalog.objects(profile.platform, profile.profile_id, Dataset.CAMPAIGNS):
                    parts = naming.parts(profile, item) or {}
                    found.update(parts[name] for name in _NAMED_BY if name in parts)
        return found


def names_of(account: Account, profiles: Iterable[Profile], brands: Iterable[str]) -> list[str]:
    """What a client's ads may name: the company, its ad accounts, its brands and products; in order, at most
    `MAX_ENRICHED_NAMES`."""
    called = [account.company_name, *(each.name for each in profiles), *brands]
    found = {" ".join(name.split()) for each in called for name in (each, _without_form(each))}
    named = sorted(name for name in found if len(name) >= _LEAST)
    return named[: limits.MAX_ENRICHED_NAMES]


def stored_body(text: AdCopy, names: Sequence[str]) -> dict[str, Any]:
    """What models say of a copy, as JSON keeps it: amounts are texts."""
    said = enrichment_of(text, tuple(EnrichmentKind), names)
    found: dict[str, Any] = json.loads(json.dumps(said, default=str))
    return found


def _without_form(company: str) -> str:
    """A company's name without the legal form at its end."""
    begin, _, last = company.strip().rpartition(" ")
    return begin.rstrip(" ,") if last.lower().replace(".", "") in _LEGAL else company


def _batches(texts: Iterable[AdCopy]) -> Iterator[list[AdCopy]]:
    batch: list[AdCopy] = []
    for text in texts:
        batch.append(text)
        if len(batch) == _TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256(json.dumps(list(parts)).encode()).hexdigest()[:32]
