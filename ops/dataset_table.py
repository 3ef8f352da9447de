"""The table of docs/platforms.md, which dataset each platform has: `python -m ops.dataset_table` writes it.

The SPECs of the platforms are its source; nobody writes it by hand. `make lint` and a test say when it is not current.
"""

from __future__ import annotations

from pathlib import Path

from adweir.model.datasets import Dataset
from adweir.model.slices import ALL
from adweir.platforms import REGISTRY, Platforms
from adweir.platforms.base import DatasetSpec
from ops.between_marks import replaced

PAGE = Path(__file__).parents[1] / "docs/platforms.md"
BEGIN, END = "<!-- datasets: python -m ops.dataset_table writes this -->\n", "<!-- end of datasets -->\n"


def table(platforms: Platforms) -> str:
    """A row per dataset that any platform has, a column per platform."""
    specs = list(platforms.specs())
    lines = ["| dataset |" + "".join(f" {spec.title} |" for spec in specs), "| --- |" + " --- |" * len(specs)]
    lines += [
        f"| `{dataset}` |" + "".join(f" {_cell(spec.datasets.get(dataset))} |" for spec in specs)
        for dataset in Dataset
        if any(dataset in spec.datasets for spec in specs)
    ]
    return "\n".join(lines) + "\n"


def is_current(page: str, platforms: Platforms) -> bool:
    """Whether a page has the table as it would be written."""
    return written(page, platforms) == page


def written(page: str, platforms: Platforms) -> str:
    """The page with its table. Raises ValueError for one without its two marks."""
    return replaced(page, BEGIN, table(platforms), END)


def _cell(spec: DatasetSpec | None) -> str:
    if spec is None:
        return ""
    parts = "" if spec.slices == (ALL,) else ", ".join(spec.slices)
    return ": ".join(each for each in ("on request" if spec.on_request else "yes", parts) if each)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(), REGISTRY))
