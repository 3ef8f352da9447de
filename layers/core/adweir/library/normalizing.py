"""`adweir.normalize`: what a platform sent, however it was fetched, as canonical rows."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, islice
from typing import Any, NamedTuple

import msgspec

from adweir.library.pulling import ACCOUNT
from adweir.library.rows import ad_row, metric_row, object_row, profile_of, profile_row
from adweir.model.datasets import Dataset
from adweir.model.entities import Ad, Profile
from adweir.model.errors import BadInput, Unprocessable
from adweir.model.metrics import NO_NUMBERS, BadRow, Level, MetricRow
from adweir.model.times import Clock, iso
from adweir.platforms import REGISTRY, Platforms
from adweir.platforms import options as profile_options
from adweir.platforms.base import PlatformSpec, ProfileOptions
from adweir.platforms.connector import Normalizer, PageInHand, PullContext
from adweir.runtime.clock import SystemClock
from adweir.store.metrics.brought import Parents, slot_key

_BATCH = 1000
_SHOWN = 50
_DEPTH = 10
"""How deep the rows of an answer may lie."""
_FINEST = (Level.KEYWORD, Level.AD, Level.AD_GROUP, Level.CAMPAIGN, Level.ACCOUNT)
_encode = msgspec.json.Encoder(decimal_format="number").encode


def normalize(
    data: Any,
    platform: str,
    *,
    dataset: str | None = None,
    ad_product: str | None = None,
    profile: str | int | Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Iterator[dict[str, Any]]:
    """Rows or answers of a platform, as its API or SDK gives them → canonical rows, as the client's verbs yield them.

    `data` is an iterable of rows, one row, a whole answer (a dict, a list, text or bytes), or an iterable of answers,
    such as `raw=True` yields. Rows are all of one kind, and of one ad product (`ad_product`: which one, where they look
    alike). Without `dataset` they are metrics, of the finest level that the first ones have the ids of; objects
    (`campaigns`, `ads`, …) have to be named. `profile`: a row of `get_profiles`, or an id, where the rows do not say
    currency and ad account.
    `options` are the platform's profile options.

    Raises Unprocessable for unknown names and rows of no known dataset, BadInput for rows that cannot be read.
    """
    spec = REGISTRY.spec(REGISTRY.parse(platform))
    chosen = profile_options.read(spec.options, profile_options.changed(spec, {}, options or {}))
    kinds = _kinds(spec, dataset, ad_product)
    reader = _AnyRows(REGISTRY, spec, profile_of(spec, profile or ""), chosen, SystemClock())
    return reader.rows(_pieces(data), kinds)


class _RowKind(NamedTuple):
    """What rows may be."""

    dataset: Dataset
    slice: str


def _kinds(spec: PlatformSpec, dataset: str | None, ad_product: str | None) -> list[_RowKind]:
    """What rows may be, the likeliest first. Raises Unprocessable."""
    if dataset is not None and dataset not in spec.datasets:
        known = ", ".join(spec.datasets)
        raise Unprocessable(f"{spec.name} has no dataset {str(dataset)[:60]!r}; it has: {known}")
    found = [Dataset(dataset)] if dataset else sorted(filter(_grained, spec.datasets), key=_fineness)
    kinds = [_RowKind(each, slice_) for each in found for slice_ in spec.datasets[each].slices]
    kept = [kind for kind in kinds if ad_product in (None, kind.slice)]
    if not kept:
        known = ", ".join(sorted({kind.slice for kind in kinds}))
        raise Unprocessable(f"{spec.name} has no ad product {str(ad_product)[:60]!r} here; it has: {known}")
    return kept


def _grained(dataset: Dataset) -> bool:
    return dataset.grain is not None


def _fineness(dataset: Dataset) -> tuple[bool, int, bool]:
    return (not dataset.breakdown, _FINEST.index(dataset.level), dataset.grain != "hour")


def _pieces(data: Any) -> Iterator[Any]:
    """The rows or answers of the data, one by one. Raises Unprocessable for what holds none."""
    if isinstance(data, Mapping | str | bytes):
        return iter((data,))
    if not isinstance(data, Iterable):
        raise Unprocessable(f"rows or answers are wanted, not {type(data).__name__}")
    return iter(data)


@contextmanager
def _writable() -> Iterator[None]:
    """Raises BadInput for values that no answer can hold."""
    try:
        yield
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadInput(f"a row cannot be written as JSON: {error}"[:300]) from None


class _Read(NamedTuple):
    """What a body holds, read as one kind."""

    rows: list[Any]
    bad: list[BadRow]

    @property
    def known(self) -> int:
        """The numbers that are known."""
        slots = (row.slot for row in self.rows if isinstance(row, MetricRow))
        return sum(number is not None for slot in slots for number in slot)


class _AnyRows:
    def __init__(
        self, platforms: Platforms, spec: PlatformSpec, profile: Profile, options: ProfileOptions, clock: Clock
    ) -> None:
        self._normalizer: Normalizer = platforms.normalizer(spec.name)
        self._spec, self._profile, self._options, self._clock = spec, profile, options, clock

    def rows(self, pieces: Iterator[Any], kinds: Sequence[_RowKind]) -> Iterator[dict[str, Any]]:
        """The canonical rows of all pieces: all of them are rows, or all are answers."""
        first = next(pieces, None)
        if first is None:
            return
        pieces = chain((first,), pieces)
        answers = not isinstance(first, Mapping) or self._is_answer(first, kinds)
        batches = ([piece] for piece in pieces) if answers else iter(lambda: list(islice(pieces, _BATCH)), [])
        known: _RowKind | None = None
        for batch in batches:
            bodies = self._answer(batch[0]) if answers else self._by_account(batch, known or kinds[0])
            for profile, body in bodies:
                kind = known or self._kind(profile, body, kinds)
                if kind is not None:
                    yield from self._canonical(kind, profile, body)
                known = None if answers else kind  # answers may be of several ad products

    def _is_answer(self, piece: Mapping[str, Any], kinds: Sequence[_RowKind]) -> bool:
        """Whether it is an answer and no row: it has a member that surrounds rows, or rows can be read in it."""
        ((profile, body),) = self._answer(piece)
        for kind in kinds:
            if piece.keys() & self._around(kind, profile):
                return True
            with suppress(BadInput):
                found = self._read(kind, profile, body)
                if found.rows and not found.bad:
                    return True
        return False

    def _around(self, kind: _RowKind, profile: Profile) -> set[str]:
        """The members of an answer without rows; none where that is no object."""
        empty = self._normalizer.page_of([], self._context(kind, profile))
        return set(msgspec.json.decode(empty)) if empty.startswith(b"{") else set()

    def _answer(self, piece: Any) -> list[tuple[Profile, bytes]]:
        with _writable():
            text = piece.encode() if isinstance(piece, str) else piece
            profile, body = self._profile, text if isinstance(text, bytes) else _encode(piece)
        if not profile.profile_id:
            with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                account = self._account_in(msgspec.json.decode(body))
                profile = profile.model_copy(update={"profile_id": account})
        return [(profile, body)]

    def _account_in(self, answer: Any) -> str:
        """The ad account that the first row of an answer in JSON names; one is about one."""
        for _ in range(_DEPTH):
            if isinstance(answer, list):
                answer = next(iter(answer), None)
            elif isinstance(answer, Mapping):
                account = self._normalizer.account_of(answer)
                if account:
                    return account
                answer = next((value for value in answer.values() if isinstance(value, list | dict) and value), None)
        return ""

    def _by_account(self, rows: Iterable[Mapping[str, Any]], kind: _RowKind) -> Iterator[tuple[Profile, bytes]]:
        """The rows as an answer would have them, one for each ad account."""
        by_account: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            if not isinstance(row, Mapping):
                raise BadInput(f"a row is a dict, not {type(row).__name__}")
            by_account[self._normalizer.account_of(row) or self._profile.profile_id].append(row)
        for account, own in by_account.items():
            profile = self._profile
            if account != profile.profile_id and not profile.profile_id:
                profile = profile.model_copy(update={"profile_id": account})
            with _writable():
                body = self._normalizer.page_of(own, self._context(kind, profile))
            yield profile, body

    def _kind(self, profile: Profile, body: bytes, kinds: Sequence[_RowKind]) -> _RowKind | None:
        """What the rows are: the first of the kinds as which most of them, and of their numbers, can be read.

        None where there is no row. Raises Unprocessable where they are of no kind.
        """
        best: tuple[tuple[int, int], _RowKind] | None = None
        why = ""
        for kind in kinds:
            try:
                found = self._read(kind, profile, body)
            except BadInput as error:
                why = why or error.message
                continue
            if found.bad:
                why = why or _why(found.bad)
                continue
            score = len(found.rows), found.known
            if best is None or score > best[0]:
                best = score, kind
        if best is None:
            raise Unprocessable(f"these are no rows of {self._spec.name} that can be read: {why}; {_advice(kinds)}")
        return best[1] if best[0][0] else None

    def _canonical(self, kind: _RowKind, profile: Profile, body: bytes) -> Iterator[dict[str, Any]]:
        found = self._read(kind, profile, body)
        if found.bad:
            faults = [fault for bad in found.bad[:_SHOWN] for fault in bad.errors]
            raise BadInput(f"{len(found.bad)} rows of {kind.dataset} cannot be read: {_why(found.bad)}", faults)
        for row in found.rows:
            if isinstance(row, MetricRow):
                parents = Parents(row.campaign_id, row.ad_group_id, row.ad_product)
                own = profile.model_copy(update={"currency": row.currency or profile.currency})
                yield metric_row(kind.dataset, own, (row.entity_id, slot_key(row.day, row.hour), row.slot), parents)
            elif isinstance(row, Profile):
                yield profile_row(row)
            elif isinstance(row, Ad):
                yield ad_row(row, NO_NUMBERS, profile)
            else:
                yield object_row(row, profile, self._clock)

    def _read(self, kind: _RowKind, profile: Profile, body: bytes) -> _Read:
        media = "json" if body.lstrip()[:1] in {b"[", b"{"} else "csv"
        page, context = PageInHand(1, "", media, io.BytesIO(body)), self._context(kind, profile)
        found = _Read([], [])
        if kind.dataset.grain:
            for batch in self._normalizer.metric_batches(page, context):
                found.rows.extend(batch.rows)
                found.bad.extend(batch.bad)
        else:
            for objects in self._normalizer.object_batches(page, context):
                found.rows.extend(objects.objects)
                found.bad.extend(objects.bad)
        return found

    def _context(self, kind: _RowKind, profile: Profile) -> PullContext:
        return PullContext(
            account_id=ACCOUNT,
            profile_id=profile.profile_id,
            dataset=kind.dataset,
            slice=kind.slice,
            window=None,
            as_of=iso(self._clock.now()),
            currency=profile.currency,
            timezone=profile.timezone,
            profile_kind=profile.kind,
            country=profile.country,
            route=profile.route,
            options=self._options,
        )


def _why(bad: Sequence[BadRow]) -> str:
    fault = next((fault for row in bad for fault in row.errors), {})
    return f"{fault.get('field', '')} {fault.get('message', '')}".strip()[:200]


def _advice(kinds: Sequence[_RowKind]) -> str:
    names = list(dict.fromkeys(kind.dataset for kind in kinds))
    return f"read as {names[0]}" if len(names) == 1 else f"say what they are with dataset=, tried: {', '.join(names)}"
