"""Lists that come in pages."""

from __future__ import annotations

from itertools import islice

from ops.paging import every_item

PAGES: dict[str, tuple[list[int], str]] = {"": ([1, 2], "a"), "a": ([], "b"), "b": ([3], "")}


def test_a_page_is_read_when_it_is_needed_and_an_empty_one_is_not_the_end() -> None:
    asked: list[str] = []

    def page(token: str) -> tuple[list[int], str]:
        asked.append(token)
        return PAGES[token]

    assert list(islice(every_item(page), 2)) == [1, 2]
    assert asked == [""]
    assert list(every_item(page)) == [1, 2, 3]
    assert asked == ["", "", "a", "b"]
