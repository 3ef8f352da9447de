"""What names and landing pages do not say: those that cannot be read, with their share of the spend.

Made when it is asked, from the stored names and metrics: a pattern that was just set is judged by the days there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, PlatformObject, Profile
from adweir.model.metrics import Level, ratio
from adweir.model.money import from_micros
from adweir.model.naming import landing_page
from adweir.reporting.filters import Filters
from adweir.reporting.names import Naming
from adweir.reporting.query import Answer, Queries
from adweir.reporting.questions import Query
from adweir.reporting.ranges import TimeSpan
from adweir.store.catalog.store import Catalog

_IDS: Mapping[Level, tuple[str, ...]] = {
    Level.CAMPAIGN: ("campaign_id",),
    Level.AD_GROUP: ("ad_group_id",),
    Level.AD: ("ad_group_id", "ad_id"),
}
_DATASETS = {Level.CAMPAIGN: Dataset.CAMPAIGNS, Level.AD_GROUP: Dataset.AD_GROUPS, Level.AD: Dataset.ADS}
Key = tuple[str, ...]


class _Subject(NamedTuple):
    """What is judged: `text` of an object, None where it has none; `is_read` says whether it says what it should."""

    name: str
    pattern: str | None
    text: Callable[[PlatformObject], str | None]
    is_read: Callable[[str], bool]


@dataclass(slots=True)
class _Judged:
    """The spend of one currency, in millionths: all of it, and that of objects without a text, or with a wrong one."""

    spend: int = 0
    absent: dict[Key, int] = field(default_factory=dict)
    unread: dict[Key, int] = field(default_factory=dict)


class FoundNames(NamedTuple):
    """The findings, what their spend rests on, and a warning for each profile that is left out."""

    findings: list[dict[str, Any]]
    coverage: list[dict[str, Any]]
    warnings: list[str]


class NamingFindings:
    """Judges the names and landing pages of ad accounts."""

    def __init__(self, catalog: Catalog, queries: Queries) -> None:
        self._catalog = catalog
        self._queries = queries

    def find(self, filters: Filters, span: TimeSpan) -> FoundNames:
        """Per ad account: its names at each level that has a pattern, and its landing pages.

        Raises Unprocessable, TooLarge, Unavailable.
        """
        naming = Naming(self._catalog.accounts())
        profiles, warnings = self._queries.dated_profiles(filters)
        wanted = {Level.AD, *(lv for each in profiles for lv in _IDS if naming.pattern(each, lv.value))}
        answers = {level: self._spend(filters, span, level) for level in _IDS if level in wanted}
        findings = [
            found
            for profile in profiles
            for level, answer in answers.items()
            for found in self._of_level(profile, level, answer, naming)
        ]
        return FoundNames(findings, answers[Level.AD].coverage.answer(), warnings)

    def _spend(self, filters: Filters, span: TimeSpan, level: Level) -> Answer:
        dimensions = ("platform", "profile_id", *_IDS[level])
        return self._queries.answer(Query(span, dimensions, filters, level=level, rest=False))

    def _of_level(self, profile: Profile, level: Level, answer: Answer, naming: Naming) -> Iterator[dict[str, Any]]:
        subjects = list(_subjects(profile, level, naming))
        if not subjects:
            return
        listed = self._catalog.objects(profile.platform, profile.profile_id, _DATASETS[level])
        objects: dict[Key, PlatformObject] = {
            (each.ad_group_id, each.id) if level is Level.AD else (each.id,): each for each in listed
        }
        own = {
            key[2:]: total.slot[3] or 0
            for key, total in answer.groups.items()
            if key[:2] == (str(profile.platform), profile.profile_id)
        }
        if not (own or objects):
            return
        for subject in subjects:
            by_currency: dict[str, _Judged] = {} if own else {profile.currency: _Judged()}
            for (*ids, currency), spend in own.items():
                judged, key = by_currency.setdefault(currency, _Judged()), tuple(ids)
                item = objects.get(key)
                text = subject.text(item) if item else None
                judged.spend += spend
                if not text:
                    judged.absent[key] = spend
                elif not subject.is_read(text):
                    judged.unread[key] = spend
            for currency, judged in sorted(by_currency.items()):
                yield _finding(profile, subject, currency, judged, objects)


def _subjects(profile: Profile, level: Level, naming: Naming) -> Iterator[_Subject]:
    pattern = naming.pattern(profile, level.value)
    if pattern:
        read = pattern.read
        yield _Subject(f"{level.value}_name", pattern.text, lambda item: item.name, lambda text: read(text) is not None)
    if level is Level.AD:
        yield _Subject("landing_page", None, _url, lambda text: landing_page(text) is not None)


def _url(item: PlatformObject) -> str | None:
    return item.landing_page_url if isinstance(item, Ad) else None


def _finding(
    profile: Profile, subject: _Subject, currency: str, judged: _Judged, objects: Mapping[Key, PlatformObject]
) -> dict[str, Any]:
    unread = sum(judged.unread.values())
    worst = sorted(judged.unread.items(), key=lambda pair: (-pair[1], pair[0]))[: limits.MAX_UNPARSED_NAMED]
    return {
        "platform": str(profile.platform),
        "profile_id": profile.profile_id,
        "account_id": profile.profile_id,
        "client_account_id": profile.account_id,
        "subject": subject.name,
        "pattern": subject.pattern,
        "currency": currency,
        "spend": from_micros(judged.spend),
        "unparsed": len(judged.unread),
        "unparsed_spend": from_micros(unread),
        "share_of_spend": ratio(Decimal(unread), Decimal(judged.spend)),
        "absent": len(judged.absent),
        "absent_spend": from_micros(sum(judged.absent.values())),
        "examples": [
            {"id": key[-1], "text": subject.text(objects[key]), "spend": from_micros(spend)} for key, spend in worst
        ],
    }
