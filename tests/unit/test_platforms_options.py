"""Profile options: merged, checked, and what a change means for stored days."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

import pytest

from adweir.model.datasets import Dataset
from adweir.model.errors import BadInput, Unprocessable
from adweir.platforms import REGISTRY, options
from adweir.platforms.base import Applies, DatasetSpec, PlatformSpec, ProfileOptions, datasets
from adweir.platforms.google_ads.options import GoogleOptions
from support.bounds import at_the_bound, refuses


class ShopOptions(ProfileOptions):
    basis: Literal["click", "view"] = "click"
    clock: Annotated[str, "an annotation of another kind"] = "interaction"
    actions: tuple[str, ...] = ()


SPEC: PlatformSpec = replace(
    next(REGISTRY.specs()),
    options=ShopOptions,
    datasets=datasets(
        DatasetSpec(Dataset.AD_DAILY),
        DatasetSpec(Dataset.AD_BY_COUNTRY_DAILY, on_request=True),
    ),
)


def test_given_values_replace_those_of_the_same_name_and_null_resets_one() -> None:
    stored = options.changed(SPEC, {}, {"basis": "view", "clock": "conversion"})
    assert stored == {"basis": "view", "clock": "conversion"}

    stored = options.changed(SPEC, stored, {"basis": None, "actions": ["lead"]})
    assert stored == {"clock": "conversion", "actions": ["lead"]}


def test_a_value_that_is_the_default_is_not_stored() -> None:
    assert options.changed(SPEC, {"basis": "view"}, {"basis": "click"}) == {}


def test_an_option_that_an_older_version_stored_does_not_stand_in_the_way() -> None:
    assert options.changed(SPEC, {"gone": 1}, {"basis": "view"}) == {"basis": "view"}


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"lookback_days": 0}, "options.lookback_days", "greater than or equal to 1"),
        ({"settles_after_days": "30"}, "options.settles_after_days", "valid integer"),
        (
            {"basiss": "view"},
            "options.basiss",
            "known: datasets, lookback_days, settles_after_days, basis, clock, actions",
        ),
        ({"basis": "purchase"}, "options.basis", "'click' or 'view'"),
        ({"actions": "lead"}, "options.actions", "tuple"),
        ({"datasets": ["ad_daily"]}, "options.datasets", "on request: ad_by_country_daily"),
        ({"datasets": ["nonsense"]}, "options.datasets.0", "on request: ad_by_country_daily"),
    ],
)
def test_a_refusal_says_what_is_known(change: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        options.changed(SPEC, {}, change)

    (fault,) = refused.value.details
    assert fault["field"] == field
    assert says in fault["message"]
    assert not ("datasets" in change and "campaign" in fault["message"])


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(Unprocessable) as refused:
        options.changed(SPEC, {}, {"basis": 1, "zzz": 2})

    assert [fault["field"] for fault in refused.value.details] == ["options.zzz", "options.basis"]


def test_a_change_says_how_it_reaches_stored_days() -> None:
    before = options.read(ShopOptions, {})
    after = options.read(
        ShopOptions, {"basis": "view", "clock": "conversion", "datasets": ["ad_by_country_daily"], "actions": []}
    )

    assert options.differences(ShopOptions, before, after) == {
        "datasets": Applies.NEXT_RUN,
        "basis": Applies.REPLAY,
        "clock": Applies.REPLAY,
    }


def test_what_takes_a_question_that_earlier_pulls_did_not_ask_is_pulled_again() -> None:
    # given
    def how(before: dict[str, object], after: dict[str, object]) -> dict[str, Applies]:
        read = partial(options.read, GoogleOptions)
        return options.differences(GoogleOptions, read(before), read(after))

    # then
    assert how({}, {"clock": "conversion"}) == {"clock": Applies.REPULL}
    assert how({}, {"actions": ["7"], "conversions": "all_conversions"}) == {
        "actions": Applies.REPULL,
        "conversions": Applies.REPLAY,
    }
    assert how({"actions": ["7"]}, {"actions": ["7"], "clock": "conversion"}) == {"clock": Applies.REPULL}
    assert how({"actions": ["7"]}, {"actions": ["8"]}) == {"actions": Applies.REPLAY}
    assert how({"clock": "conversion"}, {}) == {"clock": Applies.REPLAY}


def test_stored_options_of_another_version_are_bad_input_that_names_them() -> None:
    with pytest.raises(BadInput, match="basis, gone"):
        options.read(ShopOptions, {"gone": 1, "basis": "x"})


@at_the_bound("MAX_OPTIONS_BYTES")
def test_the_size_of_a_profile_s_options(size: int, fits: bool) -> None:
    around = len(json.dumps({"actions": [""]}))
    with refuses(Unprocessable, fits=fits):
        options.changed(SPEC, {}, {"actions": ["x" * (size - around)]})


@at_the_bound("MAX_LOOKBACK_DAYS")
def test_the_look_back_of_an_ad_account(size: int, fits: bool) -> None:
    with refuses(Unprocessable, fits=fits):
        assert options.changed(SPEC, {}, {"lookback_days": size}) == {"lookback_days": size}
