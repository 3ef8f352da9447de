"""What the demonstration shows: the comparison, the terminal's table and progress, the page, the queries."""

from __future__ import annotations

import io
import re
import shlex
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from ops.demo import charts
from ops.demo.display import Stages, table
from ops.demo.money import ratio, shown
from ops.demo.page import write_page
from ops.demo.queries import queries
from ops.demo.show import farewell
from ops.demo.truth import Compared, Figures
from ops.demo.verdict import Verdict
from sandbox.home import Home

FIRST = date(2026, 11, 1)
MADE = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
WIDEST = Figures(13_644_008, 214_088, 12_201_500_000, 16_543_333_000_000, 41_053_644_000_000)


def account(platform: str, name: str, currency: str, days: int = 9, spend: int = 1000) -> Compared:
    """An ad account with two ads in two campaigns: the first spends `spend` and a cent more every day."""
    result = Compared(platform, "1042017731", name, currency, score=1.0)
    result.campaign_of = {"1~10": "100", "2~20": "200"}
    result.campaign_names = {"100": "Brand", "200": "Prospecting"}
    for number in range(days):
        day = (FIRST + timedelta(days=number)).isoformat()
        cents = (spend * 100 + number) * 10_000
        result.stored["1~10", day] = Figures(100, 10, 2_500_000, cents, 3 * cents)
        result.stored["2~20", day] = Figures(50, 5, 1_000_000, cents // 2, cents)
    result.truth = dict(result.stored)
    return result


@pytest.fixture
def results() -> list[Compared]:
    return [
        account("amazon_ads", "Mori 日本", "JPY", spend=90_000),
        account("amazon_ads", "Halden", "USD"),
        account("meta_ads", "Halden <US>", "USD", spend=700),
    ]


class Page(HTMLParser):
    """What a browser would find: tags with their attributes, texts by tag, tables by row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.titles: list[str] = []
        self.tables: list[list[list[str]]] = []
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in = tag
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")
        elif tag == "title":
            self.titles.append("")

    def handle_data(self, data: str) -> None:
        if self._in in {"td", "th"}:
            self.tables[-1][-1][-1] += data.strip()
        elif self._in == "title":
            self.titles[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._in = ""


@pytest.fixture
def text(results: list[Compared], tmp_path: Path) -> str:
    write_page(tmp_path / "report.html", Verdict(results, 18.4), MADE)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


# -- the page --------------------------------------------------------------------------------------------------------


def test_given_a_comparison_when_the_page_is_written_then_it_is_a_whole_document(text: str) -> None:
    # when
    page = Page(text)

    # then
    assert text.startswith("<!doctype html>")
    assert page.tags[0] == ("html", {"lang": "en"})
    assert page.titles[0] == "adweir demo: every number is right"
    assert ("meta", {"charset": "utf-8"}) in page.tags
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in page.tags
    assert "Made on 2026-11-21 at 12:30 UTC." in text


def test_given_a_page_when_read_without_a_network_then_nothing_is_missing(text: str) -> None:
    # when
    page = Page(text)

    # then
    assert not [tag for tag, _ in page.tags if tag in {"script", "link", "img", "iframe"}]
    assert not [value for _, given in page.tags for name, value in given.items() if name in {"src", "href"}]
    assert "@import" not in text
    assert "url(" not in text


def test_given_a_page_when_read_then_it_has_no_escape_codes_and_no_frames_of_progress(text: str) -> None:
    assert "\x1b" not in text
    assert not re.search(r"[━╸⠋⠙⠹]", text)


def test_given_a_page_when_read_then_it_has_three_charts_with_their_numbers(text: str) -> None:
    # when
    page = Page(text)

    # then
    assert [tag for tag, _ in page.tags].count("svg") == 3
    assert len(page.tables) == 4
    assert [given["id"] for tag, given in page.tags if tag == "section" and "id" in given] == [
        "spend-by-day",
        "roas-by-day",
        "spend-by-campaign",
    ]


def test_given_what_is_stored_when_the_page_is_written_then_its_tables_have_the_same_numbers(
    results: list[Compared], text: str
) -> None:
    # when
    accounts, spend, roas, campaigns = (rows[1:] for rows in Page(text).tables)

    # then
    assert accounts[1] == [
        "Halden", "Amazon Ads", "1042017731", "18", "13,500.54 USD", "135", "31.5", "2.67", "1.000"
    ]  # fmt: skip
    assert spend[0] == ["2026-11-01", "135,000 JPY", "1,500.00 USD", "1,050.00 USD"]
    assert spend[-1] == ["2026-11-09", "135,000 JPY", "1,500.12 USD", "1,050.12 USD"]
    assert [row[0] for row in roas] == ["2026-11-07", "2026-11-08", "2026-11-09"]
    assert campaigns[2] == ["Amazon Ads: Halden: Brand", "9,000.36 USD", "27,001.08 USD", "22.5", "3.00"]
    assert len(campaigns) == sum(len(result.by_campaign()) for result in results)


def test_given_what_is_stored_when_drawn_then_each_mark_says_its_exact_value(results: list[Compared]) -> None:
    # when
    labels = [set(re.findall(r"<title>([^<]*)</title>", drawn(results))) for drawn in (
        charts.spend_by_day, charts.roas_by_day, charts.spend_by_campaign)]  # fmt: skip

    # then
    assert {
        f"{day}, {charts.title(result.platform)}: {shown(sums.spend, result.currency)}"
        for result in results
        for day, sums in result.by_day().items()
    } <= labels[0]
    assert "2026-11-09, Meta Ads, Halden &lt;US&gt; (USD): 2.67" in labels[1]
    assert {
        f"{shown(sums.spend, result.currency)}, ROAS {ratio(sums.roas)}"
        for result in results
        for sums in result.by_campaign().values()
    } <= labels[2]


def test_given_several_currencies_when_spend_is_drawn_then_each_has_an_axis_of_its_own(results: list[Compared]) -> None:
    # when
    drawn = charts.spend_by_day(results)

    # then
    assert re.findall(r"Y-axis titled '(\w+)'", drawn) == ["USD", "JPY"]


def test_given_names_with_markup_when_the_page_is_written_then_they_are_only_text(text: str) -> None:
    assert "Halden <US>" not in text
    assert "Halden &lt;US&gt;" in text


def test_given_a_difference_when_the_page_is_written_then_it_says_which(
    results: list[Compared], tmp_path: Path
) -> None:
    # given
    results[1].stored["1~10", "2026-11-02"] = Figures(1, 2, 3, 4, 5)

    # when
    write_page(tmp_path / "report.html", Verdict(results, 18.4), MADE)

    # then
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<title>adweir demo: numbers differ</title>" in text
    assert "1 of 54 rows and daily totals differ from what the platforms say." in text
    assert (
        "amazon_ads 1042017731 1~10 2026-11-02: stored 1 2 3 4 5, platform 100 10 2500000 1000010000 3000030000" in text
    )


def test_given_ads_that_do_not_sum_to_their_account_then_the_day_differs_at_that_level_alone(
    results: list[Compared],
) -> None:
    # given
    found = results[0]
    found.account = found.by_day()
    found.levels = {"ad": dict(found.account), "campaign": dict(found.account)}
    assert Verdict([found], 1.0).right
    assert "(ad, campaign)" in Verdict([found], 1.0).totals_text

    # when
    found.levels["ad"]["2026-11-03"] = Figures(1)

    # then
    (wrong,) = found.differences
    assert (wrong.name, wrong.day, wrong.stored) == ("all of level ad", "2026-11-03", Figures(1))


def test_given_fewer_than_seven_days_when_the_page_is_written_then_it_has_no_roas_of_seven_days(tmp_path: Path) -> None:
    # when
    write_page(tmp_path / "report.html", Verdict([account("meta_ads", "Halden", "USD", days=6)], 1.0), MADE)

    # then
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count("<svg") == 2
    assert 'id="roas-by-day"' not in text


def test_given_nothing_stored_when_the_page_is_written_then_it_says_that_numbers_are_missing(tmp_path: Path) -> None:
    # given
    empty = account("meta_ads", "Halden", "USD")
    empty.stored = {}

    # when
    write_page(tmp_path / "report.html", Verdict([empty], 1.0), MADE)

    # then
    assert "18 of 18 rows and daily totals differ" in (tmp_path / "report.html").read_text(encoding="utf-8")


# -- values ----------------------------------------------------------------------------------------------------------


def test_given_days_when_roas_is_asked_then_it_is_the_revenue_over_the_spend_of_seven_days() -> None:
    # given
    by_day = {f"2026-11-{day:02}": Figures(0, 0, 0, spend=day, revenue=10) for day in range(1, 9)}

    # when
    found = charts.trailing_roas(by_day)

    # then
    assert found == {"2026-11-07": Decimal(70) / 28, "2026-11-08": Decimal(70) / 35}


@pytest.mark.parametrize(
    ("micros", "currency", "text"),
    [
        (1_234_567_890_000, "USD", "1,234,567.89 USD"),
        (1_234_567_890_000, "JPY", "1,234,568 JPY"),
        (0, "EUR", "0.00 EUR"),
    ],
)
def test_given_an_amount_when_shown_then_it_has_its_currency_and_that_currencys_decimals(
    micros: int, currency: str, text: str
) -> None:
    assert shown(micros, currency) == text


def test_given_stored_and_true_rows_when_compared_then_missing_extra_and_changed_ones_differ() -> None:
    # given
    one, two = Figures(1), Figures(2)
    result = Compared("meta_ads", "1", "n", "USD")
    result.truth = {("a", "d1"): one, ("a", "d2"): one, ("a", "d3"): one}
    result.stored = {("a", "d1"): one, ("a", "d2"): two, ("a", "d4"): one}

    # then
    assert [found[:2] for found in result.differences] == [("a", "d2"), ("a", "d3"), ("a", "d4")]
    assert not Verdict([result], 1.0).right
    assert not Verdict([], 1.0).right


# -- the terminal ----------------------------------------------------------------------------------------------------


def printed(width: int, *, terminal: bool, results: list[Compared]) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, color_system=None, legacy_windows=False)
    console.print(table(results, console.width))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_given_large_numbers_when_the_table_is_printed_then_nothing_is_cut(width: int) -> None:
    # given
    result = Compared("amazon_ads", "7208815530417702", "n", "JPY", score=1.0)
    result.stored = {("1~1", "2026-11-01"): WIDEST, **{(f"1~{n}", "2026-11-02"): Figures() for n in range(2999)}}

    # when
    lines = printed(width, terminal=True, results=[result]).splitlines()

    # then
    assert max(len(line) for line in lines) <= width
    assert lines[0].split() == ["platform", "profile", "rows", "spend", "clicks", "conv.", "ROAS", "score"]
    assert lines[2].split() == [
        "amazon_ads", "7208815530417702", "3,000", "16,543,333", "JPY", "214,088", "12,201.5", "2.48", "1.000"
    ]  # fmt: skip


def test_given_an_id_that_is_too_long_when_the_table_is_printed_then_it_is_folded() -> None:
    # given
    result = account("meta_ads", "n", "USD")
    result.profile_id = "7208815530417702" * 3

    # when
    text = printed(80, terminal=True, results=[result])

    # then
    assert "…" not in text
    assert all(len(line) <= 80 for line in text.splitlines())
    assert sum(text.count(digit) for digit in "8") >= result.profile_id.count("8")


def test_given_output_to_a_pipe_when_stages_advance_then_each_complete_one_is_a_plain_line() -> None:
    # given
    out = io.StringIO()
    stages = Stages(Console(file=out, force_terminal=False, width=80))

    # when
    with stages.shown():
        for done in range(4):
            stages.show("daily: ads", done, 3)
        stages.show("daily: ads", 3, 3)

    # then
    assert out.getvalue() == "daily: ads: 3 of 3\n"


def test_given_a_terminal_when_stages_advance_then_progress_is_live() -> None:
    # given
    out = io.StringIO()
    stages = Stages(Console(file=out, force_terminal=True, width=80))

    # when
    with stages.shown():
        stages.show("daily: ads", 1, 3)

    # then
    assert "\x1b[" in out.getvalue()
    assert "1/3" in out.getvalue()


# -- how to go on ----------------------------------------------------------------------------------------------------


def test_given_a_sandbox_when_queries_are_printed_then_a_shell_reads_them_as_three_calls_with_its_url_and_key() -> None:
    # when
    lines = queries({"api_url": "http://127.0.0.1:1/api", "api_key": "adw_key"}, "2026-11-01", "2026-11-09")

    # then
    assert lines[:2] == ["API=http://127.0.0.1:1/api", "KEY=adw_key"]
    calls = [shlex.split(line) for line in lines[2:]]
    assert [call[0] for call in calls] == ["curl"] * 3
    assert [call[4].partition("/api/v1/")[2] for call in calls] == [
        "reports", "data_pipeline/retrieve", "pipeline/health"
    ]  # fmt: skip


@pytest.mark.parametrize(("kept", "verb"), [(True, " down"), (False, " up")])
def test_given_the_end_when_it_says_how_to_go_on_then_the_command_names_this_sandbox(
    results: list[Compared], tmp_path: Path, kept: bool, verb: str
) -> None:
    # when
    lines = farewell(Home(tmp_path), {"api_url": "http://127.0.0.1:1", "api_key": "k"}, results, kept=kept)

    # then
    assert any(line.endswith(f"--home {tmp_path}{verb}") for line in lines)
    assert sum(line.startswith("curl ") for line in lines) == 3


def test_given_an_empty_dataset_when_all_numbers_are_right_then_the_verdict_is_not(results: list[Compared]) -> None:
    verdict = Verdict(results, 1.0, ["meta_ads ad_daily"])
    assert not verdict.right
    assert verdict.text == "Every number is right, but 1 datasets are empty."
    assert verdict.wrong_lines == ["nothing is stored of meta_ads ad_daily"]
