"""What the environment of a function means."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from adweir.runtime.settings import Settings

BASE = "https://sqs.eu-central-1.amazonaws.com/123456789012/adweir"


def test_each_variable_is_a_field_and_an_empty_one_counts_as_not_set() -> None:
    given = Settings.from_environment({"BUCKET": "data", "HISTORY_DAYS": "", "POLL_SECONDS": "2.5", "HOME": "/root"})
    assert (given.bucket, given.history_days, given.poll_seconds) == ("data", Settings().history_days, 2.5)


def test_platform_urls_are_json_by_platform_and_purpose() -> None:
    text = '{"meta_ads": {"api": "http://127.0.0.1:1"}, "amazon_ads": {"token": "http://127.0.0.1:1/t"}}'
    assert Settings.from_environment({"PLATFORM_URLS": text}).platform_urls == {
        "meta_ads": {"api": "http://127.0.0.1:1"},
        "amazon_ads": {"token": "http://127.0.0.1:1/t"},
    }
    assert Settings.from_environment({"PLATFORM_URLS": ""}).platform_urls == {}


@pytest.mark.parametrize("text", ["http://127.0.0.1:1", '{"meta_ads": "http://127.0.0.1:1"}', "[]", "{"])
def test_platform_urls_of_another_shape_are_refused_at_cold_start(text: str) -> None:
    with pytest.raises(ValidationError, match="platform_urls"):
        Settings.from_environment({"PLATFORM_URLS": text})


def test_one_variable_names_the_collect_queue_of_every_platform() -> None:
    given = Settings(runs_queue_url=f"{BASE}-runs", collect_queues=BASE + "-collect-{platform}")
    assert given.collect_queue_url("trade_desk") == f"{BASE}-collect-TradeDesk"
    assert given.queue_urls(["meta_ads", "tiktok_ads"]) == {
        "runs": f"{BASE}-runs",
        "collect-MetaAds": f"{BASE}-collect-MetaAds",
        "collect-TiktokAds": f"{BASE}-collect-TiktokAds",
    }


def test_a_function_without_collect_queues_has_none() -> None:
    assert Settings(runs_queue_url=f"{BASE}-runs").queue_urls(["meta_ads"]) == {"runs": f"{BASE}-runs"}


def test_every_queue_has_its_dead_letters_and_so_has_what_could_not_be_delivered() -> None:
    given = Settings(
        etl_queue_url=f"{BASE}-etl",
        collect_queues=BASE + "-collect-{platform}",
        dead_letter_queues=BASE + "-dead-letters-{queue}",
    )
    assert given.dead_letter_urls(["meta_ads"]) == [
        f"{BASE}-dead-letters-etl",
        f"{BASE}-dead-letters-collect-MetaAds",
        f"{BASE}-dead-letters-delivery",
    ]
    assert Settings(etl_queue_url=f"{BASE}-etl").dead_letter_urls(["meta_ads"]) == []


@pytest.mark.parametrize(("timeout", "margin"), [(600, 30.0), (20, 2.0), (10, 1.0)])
def test_work_that_goes_on_elsewhere_leaves_a_tenth_of_its_time_and_has_some_itself(
    timeout: int, margin: float
) -> None:
    assert Settings(function_timeout_seconds=timeout).margin_seconds == margin
