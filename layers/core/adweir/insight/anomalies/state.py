"""What the detector remembers of a series: small enough for one item, exact through JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields

from adweir.insight.anomalies.recurring import Excursion
from adweir.model.errors import BadInput

FORM = 2
"""Of the state. A state of another form is learned anew from the values."""


@dataclass(slots=True)
class SeriesState:
    """A series up to its newest value. That one waits in `pending`, so that it can still be restated.

    `level`, `season` and `spread` (a variance) are of logarithms, or of the values themselves where `linear`; `tail`
    stretches a deviation where the residuals reach far. Of a `sparse` series only what is not zero is learned. `flips`
    counts sudden zeros and ends of them, fading, `streak` the values since its last zero. `warm` holds (at, value)
    until the robust score starts. `run` holds the seasonless values of a run on one side, of the sign `side`;
    `back_level` is the level before the last shift, which counts as normal until `back_until`. `fresh` holds seasonless
    values after a long gap, None when there was none. `excursions`: the last ones, the oldest first.
    """

    form: int = FORM
    seen: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = 0.0
    whole: bool = True
    linear: bool = False
    negatives: int = 0
    sparse: bool = False
    flips: float = 0.0
    streak: int = 0
    last: int | None = None
    warm: list[tuple[int, float]] = field(default_factory=list)
    level: float = 0.0
    season: list[float] = field(default_factory=list)
    spread: float = 0.0
    tail: float = 1.0
    side: int = 0
    run: list[float] = field(default_factory=list)
    run_level: float = 0.0
    run_spread: float = 0.0
    back_level: float = 0.0
    back_until: int | None = None
    fresh: list[float] | None = None
    excursions: list[Excursion] = field(default_factory=list)
    pending: tuple[int, float] | None = None
    pending_alarm: bool = False
    alarmed: int | None = None
    expected: int = 0

    def to_json(self) -> str:
        """Compact text; `from_json` gives the same state, to the last bit."""
        return json.dumps([getattr(self, name) for name in _NAMES], separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> SeriesState:
        """Raises BadInput for what is no state of this form: learn the series anew then."""
        try:
            found = dict(zip(_NAMES, json.loads(text), strict=True))
            found["warm"] = [(at, value) for at, value in found["warm"]]
            found["excursions"] = [Excursion(*each) for each in found["excursions"]]
            found["pending"] = None if found["pending"] is None else tuple(found["pending"])
        except (TypeError, ValueError) as error:
            raise BadInput(f"this is no state of a series: {error}") from None
        if found["form"] != FORM:
            raise BadInput(f"the state of a series has form {str(found['form'])[:20]}, not {FORM}: learn it anew")
        return cls(**found)

    def copy(self) -> SeriesState:
        """One that may go on without this one changing."""
        return SeriesState.from_json(self.to_json())

    def mark_expected(self) -> None:
        """An anomaly of this series was said to be expected: its threshold is higher from now on."""
        self.expected += 1

    def unmark_expected(self) -> None:
        """Takes back one `mark_expected`."""
        self.expected = max(0, self.expected - 1)


_NAMES = [each.name for each in fields(SeriesState)]
