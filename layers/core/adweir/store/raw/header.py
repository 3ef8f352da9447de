"""What a raw object says about its pull, kept in its S3 metadata so that a replay does not need the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from adweir.model.datasets import Dataset
from adweir.model.errors import BadInput
from adweir.model.labels import DEFAULT, owner
from adweir.model.metrics import Source
from adweir.model.platforms import Platform
from adweir.model.slices import ALL
from adweir.model.tasks import Pull, Stamp, Task
from adweir.model.times import Window, parse_instant

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class PullHeader:
    """The pull behind a raw object.

    `as_of` is `model.times.iso` text: when the pull began or its report was created. `window` is None for entities.
    `profile_id` is "" for the profiles dataset; `label` names the account's credential that pulled. `complete` is set
    when the writer commits. `not_applicable`: the platform says that the profile has no such data. `parts` are those
    that were stored before this object; their pages come first.
    """

    run_id: str
    task_id: str
    generation: int
    account_id: str
    platform: Platform
    profile_id: str
    dataset: Dataset
    as_of: str
    slice: str = ALL
    window: Window | None = None
    complete: bool = False
    timezone: str = "UTC"
    currency: str = ""
    profile_kind: str = ""
    country: str = ""
    label: str = DEFAULT
    route: str = ""
    stage: str = ""
    not_applicable: bool = False
    parts: tuple[int, ...] = ()
    schema: int = SCHEMA

    @classmethod
    def of(
        cls, task: Task, *, as_of: str = "", profile_kind: str = "", country: str = "", route: str = ""
    ) -> PullHeader:
        """The header of a task's object; `as_of` replaces the task's own."""
        return cls(
            run_id=task.run_id,
            task_id=task.id,
            generation=task.generation,
            account_id=task.account_id,
            platform=task.platform,
            profile_id=task.profile_id,
            dataset=task.dataset,
            as_of=as_of or task.as_of,
            slice=task.slice,
            window=task.window,
            timezone=task.timezone,
            currency=task.currency,
            profile_kind=profile_kind,
            country=country,
            label=task.label,
            route=route,
            stage=task.stage,
            parts=task.parts,
        )

    @property
    def profile_key(self) -> str:
        """`Task.profile_key` of the pull's task."""
        return f"{self.platform}#{self.profile_id or owner(self.account_id, self.label)}"

    @property
    def key(self) -> str:
        """`raw/<platform>/<profile>/<dataset>/<task>.<generation>.gz`; `@<account>` stands for no profile."""
        profile = self.profile_id or owner(self.account_id, self.label)
        return f"{raw_prefix(self.platform, profile, self.dataset, self.task_id)}{self.generation}.gz"

    def part_key(self, part: int) -> str:
        """`parts/<task>.<generation>/<part>.gz`; no event is sent for that prefix."""
        return f"parts/{self.task_id}.{self.generation}/{part}.gz"

    @property
    def stamp(self) -> Stamp:
        """What orders this pull among others."""
        return Stamp(self.as_of, self.task_id)

    def pull(self) -> Pull:
        """The Pull that the metric store loads. Raises BadInput for a dataset without metrics or without a window."""
        grain = self.dataset.grain
        if grain is None or self.window is None:
            raise BadInput(f"{self.dataset} is not a dataset of metrics, or its window is missing")
        return Pull(
            platform=self.platform,
            profile_id=self.profile_id,
            level=self.dataset.level,
            grain=grain,
            source=Source.PULL,
            slice=self.slice,
            window=self.window,
            stamp=self.stamp,
            complete=self.complete,
            generation=self.generation,
            currency=self.currency,
            timezone=self.timezone,
            account_id=self.account_id,
            breakdown=self.dataset.breakdown,
        )

    def metadata(self) -> dict[str, str]:
        """S3 user metadata: field names with dashes, everything as ASCII text."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name.replace("_", "-"): _text(value) for name, value in values.items()}

    @classmethod
    def parse(cls, metadata: Mapping[str, str]) -> PullHeader:
        """The reverse of `metadata()`; keys it does not know are ignored. Raises BadInput."""
        found = {name.replace("-", "_"): value for name, value in metadata.items()}
        try:
            if int(found["schema"]) != SCHEMA:
                raise BadInput(f"raw object of schema {found['schema'][:10]!r}; this version reads {SCHEMA}")
            return cls(
                run_id=found["run_id"],
                task_id=found["task_id"],
                generation=int(found["generation"]),
                account_id=found["account_id"],
                platform=Platform(found["platform"]),
                profile_id=found["profile_id"],
                dataset=Dataset(found["dataset"]),
                as_of=_instant(found["as_of"]),
                slice=found["slice"],
                window=Window.parse(found["window"]) if found["window"] else None,
                complete=_flag(found["complete"]),
                timezone=found["timezone"],
                currency=found["currency"],
                profile_kind=found.get("profile_kind", ""),
                country=found.get("country", ""),
                label=found.get("label", DEFAULT),
                route=found.get("route", ""),
                stage=found.get("stage", ""),
                not_applicable=_flag(found.get("not_applicable", "false")),
                parts=tuple(int(part) for part in found.get("parts", "").split()),
            )
        except (KeyError, ValueError) as error:
            raise BadInput(f"the metadata does not describe a pull: {error!r}"[:200]) from None


def raw_prefix(platform: Platform, profile: str, dataset: Dataset, task_id: str) -> str:
    """What the keys of a task's raw objects begin with, whatever their generation."""
    return f"raw/{platform}/{profile}/{dataset}/{task_id}."


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if type(value) is tuple:  # a window is one too, and says itself how it is written
        return " ".join(map(str, value))
    return "" if value is None else str(value)


def _flag(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError(f"neither true nor false: {text[:20]!r}")
    return text == "true"


def _instant(text: str) -> str:
    parse_instant(text)
    return text
