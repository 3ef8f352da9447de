"""MiniStack's S3, which finds files quicker: where a path leads is what Python says, now and later."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandbox import aws_objects

PATHS = (
    "",
    "folder",
    "folder/",
    "folder/file",
    "folder/none",
    "none/of/these",
    "folder/.",
    "folder/..",
    "folder/../outside/file",
    "inside/file",
    "outside",
    "outside/file",
    "folder/link",
    "folder/dangling",
    "folder/round",
    "folder//file",
    "./folder/file",
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a file, and links: to a folder in it and out of it, to a file, to nothing, to itself."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/file").write_text("2")
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "folder/file").write_text("1")
    for name, target in {
        "inside": root / "folder",
        "outside": tmp_path / "elsewhere",
        "folder/link": root / "folder/file",
        "folder/dangling": root / "nowhere",
        "folder/round": root / "folder/round",
    }.items():
        (root / name).symlink_to(target)
    return root


@pytest.mark.parametrize("path", PATHS)
def test_a_path_leads_where_python_says_also_the_second_time(place: Path, path: str) -> None:
    real, given = aws_objects.followed(os.path.realpath), os.path.join(place, path)  # noqa: PTH118

    assert [real(given) for _ in range(2)] == [os.path.realpath(given)] * 2


def test_a_file_that_comes_and_goes_is_found_where_it_is(place: Path) -> None:
    # given
    real, given = aws_objects.followed(os.path.realpath), place / "new/folder/file"
    before = real(given)

    # when
    given.parent.mkdir(parents=True)
    given.write_text("3")
    there = real(given)
    given.unlink()
    given.symlink_to(place / "folder/file")

    # then
    assert (before, there, real(given)) == (str(given), str(given), str(place / "folder/file"))


def test_the_folders_of_a_path_are_followed_once(place: Path) -> None:
    asked: list[str] = []

    def follow(path: str) -> str:
        asked.append(path)
        return os.path.realpath(path)

    real = aws_objects.followed(follow)

    for name in ("one", "two", "one"):
        real(f"{place}/outside/{name}")
    assert asked == [f"{place}/outside"]
