"""Orders, deals, leads, visits, KPIs and controls: rows of the account's own profile, which no total of ads sums.

An entity's id says what its rows say of themselves, in the file's own words: `platform=meta_ads~campaign_id=123`. So it
does not depend on what is stored when a file is loaded; which campaign it is found by stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from adweir.model import limits
from adweir.model.columns import MetricColumns
from adweir.model.data_types import ABOUT, DataType
from adweir.model.metrics import Grain, Level, MetricRow
from adweir.model.money import MICRO
from adweir.model.series_ids import series_id
from adweir.platforms.files import cells
from adweir.platforms.files.batches import DropBatch
from adweir.platforms.files.by_column import Unusual, per_text, remembered
from adweir.platforms.files.currencies import SIGN, check_sign
from adweir.platforms.files.file_rows import ALL_IDS, FileContext, FileRows, NamedObject, Statements
from adweir.platforms.files.lines import LineFault, Record, identity
from adweir.platforms.files.mapped_columns import CanonicalRows, Convert, Figures
from adweir.platforms.files.normalize import DropRow, Target
from adweir.store.folds import counted_once
from adweir.store.register_shards import UNCOUNTED, CountedAt, EntityAbout, Stated

NOT_WON, REPEATED = "not_won", "repeated"
_ID_BYTES = 420
"""About what an id takes that is kept to know it again, and what its record said."""
_SUFFIXED, _BLOCK = 18, 5
_SUFFIXES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
"""Salesforce's ids have 15 characters, in some exports with three more that say which of them are capitals."""
_SUMMED = ("revenue", "refunded", "conversions")
_NAMED = (Level.KPI, Level.CONTROL)
_CAMPAIGN = ("platform", "campaign_id", "utm_campaign")
"""By what a row's campaign is found."""
_FLAGS = {"": True, "true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class SeriesRows(FileRows):
    """Reads files of the types stored as SERIES."""

    converts: ClassVar[Mapping[str, Convert]] = {
        "pageviews": cells.count,
        "sessions": cells.count,
        "refunded": cells.amount,
    } | dict.fromkeys(("conversions", "revenue", "value"), cells.number)

    def __init__(self, data_type: DataType, context: FileContext) -> None:
        super().__init__(context, adds_up=data_type.adds_up)
        self._type = data_type
        self._known_by = data_type.known_by
        self.by_column, self.by_id = not self._known_by, bool(self._known_by)
        self._parts_of_id = ("name", "geo") if data_type.level in _NAMED else tuple(each.name for each in ABOUT)
        self._targets: dict[str, Target] = {}
        self._campaigns: dict[tuple[str, ...], tuple[str, str]] = {}
        self._entities: dict[tuple[str, ...], str] = {}
        self._ids: dict[bytes, int | None] = {}
        """What the record of each id (`counted_once`) said; None: it was at fault, and a line with amounts may replace
        it."""
        self._stated: dict[bytes, Stated] = {}
        self._known_ids = 0
        """How many ids are in one of the two or in both: it is asked for every few hundred lines."""
        self._about: dict[str, EntityAbout] = {}
        self._places: dict[tuple[str, str], CountedAt] = {}

    @property
    def held(self) -> int:  # type: ignore[override]  # grows
        return self._known_ids * _ID_BYTES

    @property
    def statements(self) -> Statements | None:
        if not self._known_by:
            return None
        for own_id, known in self._ids.items():
            if known is None:  # of a record at fault, the file says nothing
                self._stated.pop(own_id, None)
        return Statements(self._target(""), self._stated, self._about)

    def leave_out(self, record: Record) -> None:
        """A line that counts says more than one that does not."""
        try:
            own_id = self._own_id(record.cell) if self._known_by else b""
        except LineFault:
            return  # no other line can be of such an id
        if own_id and own_id not in self._stated:
            self._known_ids += own_id not in self._ids
            self._stated[own_id] = UNCOUNTED

    def batches(self, made: CanonicalRows) -> list[DropBatch]:
        currencies = per_text(lambda text: cells.currency({"currency": text}), made.column("currency"))
        for code, sign in set(made.said("currency", SIGN)):
            self._check_sign({"currency": code, SIGN: sign})
        return [
            self._batch(code, made.at([at for at, own in enumerate(currencies) if own == code]))
            for code in dict.fromkeys(currencies)
        ]

    def _batch(self, currency: str, made: CanonicalRows) -> DropBatch:
        def entity(texts: tuple[str, ...]) -> str:
            return self._entity(dict(zip((*self._parts_of_id, "currency"), texts, strict=True)))

        def campaign(texts: tuple[str, ...]) -> tuple[str, str]:
            cell = dict(zip(_CAMPAIGN, texts, strict=True))
            found = self._campaign(cell)
            return (found.id, str(found.platform)) if found else (identity(cell, "campaign_id"), "")

        dates, most = made.column("date"), limits.MAX_KNOWN_ENTITIES
        if "" in dates:
            raise Unusual
        campaigns, products = zip(*remembered(campaign, self._campaigns, made.said(*_CAMPAIGN), most), strict=True)
        figures: dict[str, Any] = {
            "impressions": made.figures("pageviews"),
            "clicks": made.figures("sessions"),
            "conversions": self._all_conversions(made),
            "spend": [None] * made.size,
            "revenue": made.figures("revenue"),
        }
        if (None,) * len(figures) in zip(*figures.values(), strict=True):
            raise Unusual
        rows = MetricColumns(
            entity_id=remembered(entity, self._entities, made.said(*self._parts_of_id, "currency"), most),
            day=per_text(lambda text: cells.local_day(text, self._context.timezone), dates),
            **figures,
            campaign_id=campaigns,
            ad_group_id=[""] * made.size,
            hour=[-1] * made.size,
            currency=[currency] * made.size,
            ad_product=products,
            line=made.lines,
            unknown=True,
        )
        return DropBatch(self._target(currency), rows, made.texts)

    def _all_conversions(self, made: CanonicalRows) -> Figures:
        if self._type.level in _NAMED:
            found = made.figures("value")
            if None in found:
                raise Unusual
            return found
        return made.figures("conversions")

    def _row(self, record: Record) -> DropRow | None:
        cell, own_id = record.cell, b""
        if self._known_by:
            own_id = self._own_id(cell)
            if not own_id or self._is_repeated(own_id, cell):
                return None
        found = None
        if _is_won(cell):
            self._check_sign(cell)
            found = DropRow(self._target(cells.currency(cell)), self._metrics(record), record.source)
        else:
            self.left_out[NOT_WON] += 1
        if self._known_by:
            self._ids[own_id] = _amounts(cell)
            self._stated[own_id] = self._statement(found) if found else UNCOUNTED
        return found

    def _own_id(self, cell: Mapping[str, str]) -> bytes:
        """What a record is known by, b"" for one that is not read (`ids`).

        Raises LineFault for a record without one, which is of the first ids.
        """
        try:
            text = cells.text(cell, self._known_by)  # part of no key, so it may be `#1001`
        except LineFault:
            if self.ids.start:
                return b""
            raise
        if not text:
            if self.ids.start:
                return b""
            raise LineFault(self._known_by, "required", "is required")
        own_id = record_id(self._context.own, text)
        return own_id if self.ids is ALL_IDS or self.ids.has(own_id) else b""

    def _check_sign(self, cell: Mapping[str, str]) -> None:
        """Amounts of a row that does not say their currency are in the account's."""
        if cell.get(SIGN) and not cell.get("currency"):
            check_sign(cell, self._context.currency)

    def _statement(self, found: DropRow) -> Stated:
        row = found.row
        key = row.entity_id, row.day
        place = self._places.setdefault(key, CountedAt(*key))
        self._about.setdefault(row.entity_id, EntityAbout(found.target.currency, row.campaign_id, row.ad_product))
        return Stated(place, row.conversions or 0, row.revenue)

    def _is_repeated(self, own_id: bytes, cell: Mapping[str, str]) -> bool:
        """Whether a record with this id came before. Raises LineFault where that one had other amounts."""
        if own_id not in self._ids:
            self._known_ids += own_id not in self._stated
            self._ids[own_id] = None
            return False
        known = self._ids[own_id]
        if any(cell.get(name) for name in _SUMMED) and known != _amounts(cell):
            if known is None:
                return False
            raise LineFault(self._known_by, "conflict", "came before, with other amounts")
        self.left_out[REPEATED] += 1
        return True

    def _target(self, currency: str) -> Target:
        target = self._targets.get(currency)
        if target is None:
            context, level = self._context, self._type.level or Level.KPI
            target = self._targets[currency] = Target(context.source, context.own, level, Grain.DAY, currency)
        return target

    def _metrics(self, record: Record) -> MetricRow:
        cell = record.cell
        if not cell.get("date"):
            raise LineFault("date", "required", "is required")
        campaign = self._campaign(cell)
        row = MetricRow(
            entity_id=self._entity(cell),
            day=cells.local_day(cell["date"], self._context.timezone),
            impressions=cells.count(cell, "pageviews") if cell.get("pageviews") else None,
            clicks=cells.count(cell, "sessions") if cell.get("sessions") else None,
            conversions=self._conversions(cell),
            spend=None,
            revenue=cells.number(cell, "revenue") if cell.get("revenue") else None,
            campaign_id=campaign.id if campaign else identity(cell, "campaign_id"),
            ad_product=str(campaign.platform) if campaign else "",
            currency=cells.currency(cell),
            line=record.number,
        )
        if cell.get("refunded"):
            row.revenue = (row.revenue or 0) - cells.amount(cell, "refunded")
        if row.slot == (None,) * 5:
            raise LineFault("", "required", f"needs one of {', '.join(self._type.one_of)}")
        return row

    def _conversions(self, cell: Mapping[str, str]) -> int | None:
        if self._type.level in _NAMED:
            return cells.number(cell, "value")
        if cell.get("conversions"):
            return cells.number(cell, "conversions")
        return MICRO if self._known_by else None

    def _entity(self, cell: Mapping[str, str]) -> str:
        if self._type.level in _NAMED and not cell.get("name"):
            raise LineFault("name", "required", "is required")
        said = {name: self._word(name, cells.text(cell, name)) for name in self._parts_of_id}
        return series_id(said | {"currency": cells.currency(cell)})

    def _word(self, name: str, word: str) -> str:
        return self._context.platform(word) if word and name == "platform" else word

    def _campaign(self, cell: Mapping[str, str]) -> NamedObject | None:
        """The campaign that a row is found by: the one that it names, or the only one that its `utm_campaign` names."""
        platform, campaign_id = cell.get("platform", ""), identity(cell, "campaign_id")
        if platform and campaign_id:
            return NamedObject(self._context.platform(platform), campaign_id)
        named = campaign_id or cell.get("utm_campaign", "")
        if not named:
            return None
        return self._context.objects.campaign(named, self._context.platform(platform) if platform else "")


def record_id(own: str, text: str) -> bytes:
    """What an order, deal or lead with this id is known by, in the account whose own profile is `own`."""
    return counted_once(f"{own}\x1f{_plain_id(text)}")


def _plain_id(text: str) -> str:
    """An id without what one export adds to it and another leaves out."""
    if len(text) != _SUFFIXED or not (text.isascii() and text.isalnum()):
        return text
    own, given = text[:-3], text[-3:]
    blocks = (own[at : at + _BLOCK] for at in range(0, len(own), _BLOCK))
    suffix = (sum(1 << place for place, letter in enumerate(block) if letter.isupper()) for block in blocks)
    return own if given.upper() == "".join(_SUFFIXES[each] for each in suffix) else text


def _amounts(cell: Mapping[str, str]) -> int:
    return hash((*(cell.get(name, "") for name in _SUMMED), cell.get("currency", ""), cell.get("won", "")))


def _is_won(cell: Mapping[str, str]) -> bool:
    try:
        return _FLAGS[cell.get("won", "").lower()]
    except KeyError:
        raise LineFault("won", "allowed", "must be true or false") from None
