"""A partner's file is stored once: each of its advertisers keeps its own rows, and no others."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adweir.model.errors import RequestRejected
from adweir.platforms.trade_desk.own_rows import NotTold, own_rows

HEADER = b"\xef\xbb\xbfDate, Advertiser ID,Campaign,Impressions\r\n"
ROWS = [
    b'2026-11-01,abc1234,Spring,"1,411"\r\n',
    b"2026-11-01,xyz9876,Autumn,7\r\n",
    b"2026-11-02,abc1234,Spring,2\r\n",
]
ADVERTISERS = ["abc1234", "xyz9876", "abc12345"]


def chunked(data: bytes, size: int = 1 << 16) -> Iterator[bytes]:
    return iter([data[at : at + size] for at in range(0, len(data), size)])


def kept(data: bytes, advertiser: str, size: int = 1 << 16) -> bytes:
    return b"".join(own_rows(chunked(data, size), advertiser))


def cells(data: bytes) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(data.decode(), newline="")) if row]


@pytest.mark.parametrize("size", [1, 7, 1 << 16])
def test_an_advertiser_keeps_the_header_and_its_own_rows(size: int) -> None:
    data = HEADER + b"".join(ROWS)
    header = ["Date", " Advertiser ID", "Campaign", "Impressions"]
    own = [["2026-11-01", "abc1234", "Spring", "1,411"], ["2026-11-02", "abc1234", "Spring", "2"]]
    assert cells(kept(data, "abc1234", size)) == [header, *own]
    assert cells(kept(data, "xyz9876", size)) == [header, ["2026-11-01", "xyz9876", "Autumn", "7"]]
    assert cells(kept(data, "nobody12", size)) == [header]


def test_rows_without_quotes_stay_as_they_are_written() -> None:
    data = HEADER + b"".join(ROWS[1:])
    assert kept(data, "xyz9876") == HEADER.removeprefix(b"\xef\xbb\xbf") + ROWS[1]


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6)
RECORDS = st.lists(st.tuples(st.sampled_from(ADVERTISERS), TEXTS), max_size=12)


@settings(max_examples=60, deadline=None)
@given(RECORDS, st.sampled_from([3, 40, 1 << 16]), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_together_the_advertisers_keep_each_row_once(
    records: list[tuple[str, str]], size: int, ends: str, quoted: bool
) -> None:
    # given a file of a partner, with any names in it
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=ends, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    writer.writerows([["Name", "Advertiser ID"], *([name, advertiser] for advertiser, name in records)])
    data = text.getvalue().encode()
    # when each advertiser keeps its rows
    found = {one: cells(kept(data, one, size))[1:] for one in ADVERTISERS}
    # then they are those of the file, in its order
    for one, rows in found.items():
        assert rows == [[name, advertiser] for advertiser, name in records if advertiser == one]


def test_a_row_that_is_cut_off_is_kept_because_nobody_knows_whose_it_is() -> None:
    data = HEADER + ROWS[2] + b"2026-11-02,xyz"
    assert cells(kept(data, "xyz9876"))[1:] == [["2026-11-02", "xyz"]]


def test_an_empty_report_stays_empty() -> None:
    assert kept(b"", "abc1234") == b""
    assert kept(b"\xef\xbb\xbf", "abc1234") == b""


def test_a_partner_s_file_that_does_not_say_whose_its_rows_are_is_refused() -> None:
    with pytest.raises(NotTold, match="Advertiser ID"):
        own_rows(chunked(b"Date,Advertiser\n2026-11-01,Acme\n"), "abc1234")


@pytest.mark.parametrize("body", [b"Date,Advertiser ID\n\xff\xfe,x\n", b'Date,Advertiser ID\n"a"b,x\n'])
def test_what_is_no_csv_fails_the_pull_with_the_reason(body: bytes) -> None:
    with pytest.raises(RequestRejected, match="the partner's report: the report is not"):
        kept(body, "abc1234")
