"""The language of specs: one JSON object that says how a reporting API is asked, and what its answers mean.

A spec has no secret: `auth` names fields of the credential. It has no code: placeholders and paths are all there is.
docs/specs.md shows each part by an example.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any, NamedTuple, Self

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from adweir.model import limits
from adweir.model.datasets import Dataset
from adweir.model.errors import TooMuchData, Unprocessable
from adweir.model.metrics import METRICS, Grain, Level
from adweir.model.times import Window, is_zone
from adweir.platforms.described import paths, templates
from adweir.platforms.described.fields import FieldRule
from adweir.platforms.described.parts import (
    CURRENCY,
    FORMS,
    AsyncReport,
    Days,
    ForEach,
    Header,
    HeaderText,
    RecordPath,
    Sign,
    SpecPart,
    SpecRequest,
    Tempo,
    Text,
    WrittenForm,
)
from adweir.platforms.described.ways import BUCKET, Auth, HttpsOrBucket, LoginForToken, OAuth2, Paging

PULLED = (
    Dataset.CAMPAIGNS, Dataset.AD_GROUPS, Dataset.ADS,
    Dataset.ACCOUNT_DAILY, Dataset.CAMPAIGN_DAILY, Dataset.AD_GROUP_DAILY, Dataset.AD_DAILY,
    Dataset.ACCOUNT_HOURLY, Dataset.CAMPAIGN_HOURLY, Dataset.AD_GROUP_HOURLY, Dataset.AD_HOURLY,
)  # fmt: skip
"""The datasets that a spec may describe, besides its ad accounts."""
DATES = ("start", "end", "until")
"""Placeholders of the first and the last day that is asked for, and of the day after it."""
ABOUT = ("profile", "currency", "timezone")
"""Placeholders of the ad account: its id on the platform, currency and time zone."""
_IDS = {
    Level.ACCOUNT: (),
    Level.CAMPAIGN: ("campaign_id",),
    Level.AD_GROUP: ("ad_group_id",),
    Level.AD: ("ad_id",),
}
_OBJECT = ("status", "start_date", "end_date", "campaign_id", "ad_group_id")
_OF_OBJECTS = {
    Dataset.CAMPAIGNS: ("budget", "budget_type", "objective"),
    Dataset.AD_GROUPS: ("bid",),
    Dataset.ADS: ("headline", "description", "cta", "image_url", "video_url", "landing_page_url"),
}


class _Fields(NamedTuple):
    needed: tuple[str, ...]
    known: tuple[str, ...]


def fields_of(dataset: Dataset) -> _Fields:
    """The canonical fields that the records of a dataset have to have, and all that they may have."""
    if dataset is Dataset.PROFILES:
        return _Fields(("id", "currency", "timezone"), ("id", "name", "currency", "timezone", "country", "status"))
    if dataset.grain is None:
        above = {Dataset.AD_GROUPS: ("campaign_id",), Dataset.ADS: ("ad_group_id",)}.get(dataset, ())
        return _Fields(("id", *above), ("id", "name", *_OBJECT, *_OF_OBJECTS[dataset]))
    ids = _IDS[dataset.level]
    known = ("date", "hour", "account_id", "currency", *METRICS, "campaign_id", "ad_group_id", "ad_id")
    return _Fields((*ids, "impressions", "spend"), known)


class DescribedList(SpecPart):
    """Records of an API: the request, where they are, and what their values mean.

    `where`: by path, the words of which one has to be there; other records are left out.
    """

    request: SpecRequest | None = None
    paging: Paging | None = None
    form: WrittenForm = WrittenForm()
    records: RecordPath = ""
    null_is_empty: bool = False
    where: dict[Text, tuple[Text, ...]] = Field(default={}, max_length=10)
    fields: dict[str, FieldRule] = Field(min_length=1, max_length=50)

    @field_validator("fields", mode="before")
    @classmethod
    def _paths_are_rules(cls, fields: Any) -> Any:
        """A text alone is the path of a value."""
        if not isinstance(fields, dict):
            return fields
        return {name: {"path": rule} if isinstance(rule, str) else rule for name, rule in fields.items()}

    @model_validator(mode="after")
    def _fits_its_form(self) -> Self:
        if self.form.type == "csv" and (self.records or self.paging):
            raise ValueError("a CSV has neither records nor paging: its rows are the records")
        if self.form.type == "csv" and self.request is not None:
            self.request.check_file()
        if self.form.type == "json":
            read = [(name, path) for name, rule in self.fields.items() for path in rule.paths]
            for name, path in [*read, *(("where", path) for path in self.where)]:
                if not paths.is_value(path):
                    raise ValueError(f"{name}: {path[:60]!r} is no path, such as stats.spend, ^.id or 0")
        return self

    def check(self, dataset: Dataset, names: tuple[str, ...]) -> None:
        """Raises ValueError where a field or placeholder is not one of the dataset's."""
        needed, known = fields_of(dataset)
        unknown, missing = sorted(set(self.fields) - set(known)), [name for name in needed if name not in self.fields]
        if unknown:
            raise ValueError(f"fields: {', '.join(unknown)[:100]} unknown; {dataset} has {', '.join(known)}")
        if missing:
            raise ValueError(f"fields: {', '.join(missing)} missing; {dataset} needs {', '.join(needed)}")
        if self.request is not None:
            check_texts(self.request, DATES if dataset.grain else (), names)


def check_texts(question: SpecRequest, dates: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Raises ValueError for a placeholder that a request cannot have."""
    for text in question.texts():
        templates.check(text, dates, names)


class Described(DescribedList):
    """A dataset: objects of an ad account, or its numbers by day or hour.

    `window`: of numbers. `for_each`: one request per so many objects. `report`: it comes by an asynchronous report and
    not by `request`. `add_up`: records of one object and day are parts of its number. `sums_to_parent`: the numbers add
    up to what the API shows one level higher.
    """

    window: Days = Days()
    for_each: ForEach | None = None
    report: AsyncReport | None = None
    add_up: bool = False
    sums_to_parent: bool = False

    @model_validator(mode="after")
    def _has_one_way(self) -> Self:
        if (self.request is None) == (self.report is None):
            raise ValueError("needs either request or report")
        if self.report is not None and (self.paging or self.for_each):
            raise ValueError("a report has neither paging nor for_each")
        if self.add_up and self.paging:
            raise ValueError(
                "add_up adds what is in one answer: parts on several pages would be lost; leave out paging"
            )
        return self

    def check(self, dataset: Dataset, names: tuple[str, ...] = ABOUT) -> None:
        super().check(dataset, (*names, "ids") if self.for_each else names)
        if self.report is not None:
            dates = DATES if dataset.grain else ()
            check_texts(self.report.create, dates, names)
            for question in (self.report.poll, self.report.download):
                if question is not None:
                    check_texts(question, dates, (*names, "report"))
        if dataset.grain is None:
            if self.report is not None or self.add_up:
                raise ValueError("a list of objects has neither report nor add_up")
        elif "date" not in self.fields and self.window.max_days > 1:
            raise ValueError("fields: date missing; without it window.max_days has to be 1")
        elif self.window.max_days > 1 and self._names_one_day():
            raise ValueError(
                "names one end of the days alone: name {start} and {end} or {until}, or set window.max_days to 1"
            )
        if dataset.grain is Grain.HOUR and ("date" not in self.fields or self.add_up):
            raise ValueError("an hourly dataset needs the field date, and has no add_up")
        if (
            self.add_up
            and self.for_each
            and list(Level).index(dataset.level) < list(Level).index(Dataset(self.for_each.dataset).level)
        ):
            raise ValueError(f"add_up adds what is in one answer: for_each {self.for_each.dataset} brings parts apart")

    def check_window(self, days: Window | None) -> None:
        """Raises TooMuchData for more days than one request is for: the spec was replaced since they were planned."""
        if days is not None and days.length > self.window.max_days:
            raise TooMuchData(f"the spec asks for at most {self.window.max_days} days at a time")

    def _names_one_day(self) -> bool:
        """Whether the days are asked for by their first or last one only: the others would count as without rows."""
        question = self.request or (self.report.create if self.report else SpecRequest(path=""))
        named = {name for text in question.texts() for name in templates.names(text)} & set(DATES)
        return bool(named) and not ("start" in named and len(named) > 1)


class NamedAccount(SpecPart):
    """An ad account that the spec itself names."""

    id: Text = Field(min_length=1)
    name: Text = ""
    currency: Annotated[str, StringConstraints(pattern=CURRENCY)]
    timezone: Text
    country: Annotated[str, StringConstraints(pattern=r"^(?:[A-Z]{2})?$")] = ""

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        if not is_zone(name):
            raise ValueError(f"{name[:60]!r} is no time zone, such as Europe/Berlin")
        return name


class AdAccounts(SpecPart):
    """The ad accounts: those that a request lists, or that are named here."""

    named: tuple[NamedAccount, ...] = Field(default=(), max_length=limits.MAX_SPEC_ACCOUNTS)
    listed: DescribedList | None = None

    @model_validator(mode="after")
    def _has_one_way(self) -> Self:
        if bool(self.named) == (self.listed is not None):
            raise ValueError("needs either named (a list of ad accounts) or listed (a request that lists them)")
        if self.listed is not None:
            if self.listed.request is None:
                raise ValueError("listed needs a request")
            self.listed.check(Dataset.PROFILES, ())
        return self


def own_columns(name: str, given: Any) -> Any:
    """A dataset whose file has adweir's own columns, with its fields; any other as it is."""
    if not isinstance(given, dict) or given.get("columns") != "adweir":
        return given
    level, _, grain = name.rpartition("_")
    ids = {"account": [], "campaign": ["campaign_id"], "ad_group": ["ad_group_id"], "ad": ["ad_group_id", "ad_id"]}
    fields: dict[str, Any] = {"account_id": "profile_id"}
    fields |= {column: column for column in ("date", "impressions", "clicks", "spend", *ids.get(level, []))}
    others = {"conversions", "revenue", "currency", "campaign_id"} - set(fields)
    fields |= {column: {"path": column, "absent": "unknown"} for column in sorted(others)}
    fields |= {"hour": "hour"} if grain == "hourly" else {}
    kept = {member: value for member, value in given.items() if member != "columns"}
    return {"where": {"level": [level]}, "form": {"type": "csv"}, "fields": fields} | kept


class Spec(SpecPart):
    """One API. `file_hosts`: hosts besides its own that files of reports may come from; they get no credential."""

    title: Text = ""
    base_url: HttpsOrBucket
    auth: tuple[Auth, ...] = Field(default=(), max_length=4)
    headers: dict[Header, HeaderText] = Field(default={}, max_length=50)
    pace: Tempo = Tempo()
    signs: tuple[Sign, ...] = Field(default=(), max_length=50)
    file_hosts: tuple[Text, ...] = Field(default=(), max_length=20)
    accounts: AdAccounts
    datasets: dict[Dataset, Described] = Field(min_length=1)

    @field_validator("datasets", mode="before")
    @classmethod
    def _own_columns(cls, datasets: Any) -> Any:
        """`"columns": "adweir"` stands for adweir's own columns (docs/data-model.md)."""
        if not isinstance(datasets, dict):
            return datasets
        return {name: own_columns(name, given) for name, given in datasets.items()}

    @field_validator("auth", mode="before")
    @classmethod
    def _one_is_a_list(cls, auth: Any) -> Any:
        return (auth,) if isinstance(auth, dict) else auth

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        for dataset, described in self.datasets.items():
            if dataset not in PULLED:
                raise ValueError(f"datasets: {dataset} cannot be described; there are {', '.join(PULLED)}")
            try:
                described.check(dataset)
            except ValueError as error:
                raise ValueError(f"datasets.{dataset}: {error}") from None
            of = described.for_each
            if of and not self._lists(Dataset(of.dataset)):
                raise ValueError(
                    f"datasets.{dataset}: for_each needs the dataset {of.dataset}, listed in JSON without for_each"
                )
            ids = {"ad_group_id", "ad_id"} & set(described.fields)
            if dataset.grain and ids == {"ad_id"} and Dataset.ADS not in self.datasets:
                raise ValueError(f"datasets.{dataset}: fields: ad_group_id missing, and no dataset ads to find it in")
        if self.bucket:
            self._check_bucket()
        return self

    def _lists(self, dataset: Dataset) -> bool:
        """Whether the ids of these objects can be asked for."""
        found = self.datasets.get(dataset)
        return found is not None and found.for_each is None and found.form.type == "json"

    def _check_bucket(self) -> None:
        """Raises ValueError for what objects of a bucket do not have."""
        if self.auth or self.accounts.listed is not None:
            raise ValueError("a bucket needs no auth, and its accounts are named")
        for dataset, described in self.datasets.items():
            asked = described.request
            plain = asked is not None and asked == SpecRequest(path=asked.path)
            if described.window.max_days > 1 and asked and set(templates.names(asked.path)) & set(DATES):
                raise ValueError(f"datasets.{dataset}: keys have days in them: set window.max_days to 1")
            if not plain or described.paging or described.for_each:
                raise ValueError(
                    f"datasets.{dataset}: of a bucket a request has a path alone, and no paging or for_each"
                )

    @property
    def bucket(self) -> str:
        """The bucket of S3 that it reads; "" for an API over HTTP."""
        return self.base_url.removeprefix(BUCKET).partition("/")[0] if self.base_url.startswith(BUCKET) else ""

    @property
    def prefix(self) -> str:
        """What the keys of that bucket begin with."""
        return self.base_url.removeprefix(BUCKET).partition("/")[2].rstrip("/")

    def urls(self) -> Iterator[tuple[str, str]]:
        """Every URL that is asked, by the name of its field."""
        if not self.bucket:
            yield "base_url", self.base_url
        for way in self.auth:
            if isinstance(way, OAuth2):
                yield "auth.token_url", way.token_url
            if isinstance(way, LoginForToken):
                yield "auth.login_url", way.login_url
        for host in self.file_hosts:
            yield "file_hosts", f"https://{host.removeprefix('*.')}/"

    def credential_fields(self) -> list[str]:
        """The fields that a credential has to have."""
        return list(dict.fromkeys(field for way in self.auth for field in way.needs))


@lru_cache(maxsize=16)
def read_spec(text: str) -> Spec:
    """A spec as it is stored. Raises Unprocessable."""
    return checked_spec(json.loads(text))


def checked_spec(given: Mapping[str, Any]) -> Spec:
    """A spec as somebody wrote it. Raises Unprocessable that names each field and says what is wrong with it."""
    try:
        return Spec.model_validate(given)
    except ValidationError as error:
        faults = [
            {"field": ".".join(str(step) for step in fault["loc"])[:200] or "spec", "message": _message(fault)}
            for fault in error.errors(include_url=False, include_input=False)
        ]
    shown = faults[: limits.MAX_REQUEST_FAULTS]
    raise Unprocessable(f"the spec is refused: {shown[0]['field']}: {shown[0]['message']}"[:500], shown)


def _message(fault: Mapping[str, Any]) -> str:
    said = {"missing": "is required", "extra_forbidden": "is unknown"}.get(fault["type"])
    if fault["type"] == "union_tag_invalid":
        said = f"type is one of {fault['ctx']['expected_tags']}"
    elif fault["type"] == "string_pattern_mismatch":
        said = FORMS.get(fault["ctx"]["pattern"])
    elif len(fault["loc"]) == 3 and (fault["loc"][0], fault["loc"][2]) == ("datasets", "[key]"):
        said = f"cannot be described; there are {', '.join(PULLED)}"
    elif fault["type"] == "too_short":
        said = "is empty"
    text = said or str(fault["msg"]).removeprefix("Value error, ")
    return f"{text[:1].lower()}{text[1:]}"[:400]
