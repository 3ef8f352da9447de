"""Parts of documents that a command writes: what stands between two marks is replaced."""

from __future__ import annotations


def replaced(page: str, begin: str, content: str, end: str) -> str:
    """The page with this content between its marks. Raises ValueError for a page without its two marks."""
    before, found_begin, rest = page.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"the page has no {begin.strip()} or no {end.strip()}")
    return before + begin + "\n" + content + "\n" + end + after
