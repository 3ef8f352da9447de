"""The table of datasets and platforms in the docs: made of the SPECs, and current."""

from __future__ import annotations

import pytest

from adweir.platforms import REGISTRY, Platforms
from ops.dataset_table import BEGIN, END, PAGE, is_current, table, written


def test_the_table_in_the_docs_is_current() -> None:
    """If this fails: `python -m ops.dataset_table` writes it."""
    assert is_current(PAGE.read_text(), REGISTRY)


def test_given_the_specs_when_written_then_each_dataset_says_where_it_is_and_in_which_parts() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table(REGISTRY).splitlines()]
    titles = [spec.title for spec in REGISTRY.specs()]
    assert rows[0] == ["dataset", *titles]
    cells = {row[0].strip("`"): dict(zip(titles, row[1:], strict=True)) for row in rows[2:]}
    assert set(cells) == {str(dataset) for spec in REGISTRY.specs() for dataset in spec.datasets}
    amazon, meta = "Amazon Ads", "Meta Ads"
    assert (cells["ad_daily"][meta], cells["ad_daily"][amazon]) == ("yes", "yes: sp, sb, sd")
    assert cells["keyword_by_search_term_daily"][meta] == ""
    assert cells["keyword_by_search_term_daily"][amazon] == "on request: sp, sb"


def test_given_another_platform_when_the_page_is_looked_at_then_it_is_not_current_until_it_is_written() -> None:
    page = PAGE.read_text()
    fewer = Platforms({"meta_ads": "adweir.platforms.meta"})
    assert not is_current(page, fewer)
    anew = written(page, fewer)
    assert is_current(anew, fewer)
    assert "Amazon Ads |" not in anew.partition(BEGIN)[2].partition(END)[0]
    assert (anew.partition(BEGIN)[0], anew.partition(END)[2]) == (page.partition(BEGIN)[0], page.partition(END)[2])


@pytest.mark.parametrize("mark", [BEGIN, END])
def test_a_page_without_its_marks_is_refused(mark: str) -> None:
    with pytest.raises(ValueError, match="datasets"):
        written(PAGE.read_text().replace(mark, ""), REGISTRY)
