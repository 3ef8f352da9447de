"""How far a patient stage has come with an ad account."""

from __future__ import annotations

from typing import NamedTuple


class LanePlace(NamedTuple):
    """Where a lane goes on: in this span, with this dataset and slice, with its days before `before` ("": all).

    As text it is the lane's cursor; the beginning is "".
    """

    span: int = 0
    dataset: str = ""
    slice: str = ""
    before: str = ""

    def __str__(self) -> str:
        return f"{self.span}|{self.dataset}|{self.before}|{self.slice}" if self.dataset else ""

    @classmethod
    def parse(cls, text: str) -> LanePlace:
        if not text:
            return cls()
        number, dataset, before, slice_ = text.split("|", 3)
        return cls(int(number), dataset, slice_, before)
