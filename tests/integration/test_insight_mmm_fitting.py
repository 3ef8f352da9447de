"""The fit step: a dataset becomes a version of coefficients, once; what is not fitted is said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adweir.insight.mmm.fit import estimate
from adweir.insight.mmm.fitting import FEWEST_DAYS, FitTime
from adweir.model import limits
from adweir.model.errors import NotReady
from adweir.model.platforms import Platform
from adweir.model.times import Window
from adweir.runtime.app import App
from adweir.runtime.settings import Settings
from adweir.store.catalog.references import ReferenceRow
from adweir.store.findings.coefficients import Coefficients, MixCoefficients
from support.clock import FrozenClock
from support.crash import Crash, Killed
from support.empty_aws import make_bucket
from support.fit_story import DAYS, FIT, LAST, PLENTY, fit_all, later, published_sets, store_sales, truth
from support.mmm_story import AMAZON, META, StoryCatalog, pull


@pytest.fixture
def app(tables: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> App:
    app = App(settings, FrozenClock())
    make_bucket(settings.bucket)
    monkeypatch.setattr(estimate, "fit", FIT)
    return app


def looks(app: App) -> dict[str, tuple[str, str]]:
    return {each.table: (each.result.value, each.reason) for each in app.findings.mix.looks("acme")}


def newest(app: App) -> Coefficients:
    (found,) = app.findings.mix.latest("acme")
    return found


def test_what_is_stored_becomes_coefficients(app: App) -> None:
    store_sales(app)

    assert fit_all(app) == {"fits": 1, "fits_refused": 0}

    found = newest(app)
    assert (found.currency, found.table, found.kpi, found.version) == ("USD", "daily", "revenue", 1)
    assert (found.last, found.periods, found.step, found.run_id) == (str(LAST), DAYS, 1, "run_1")
    for each in found.channels:
        assert each["fitted_roi"] == [each["roi"], each["roi_lo"], each["roi_hi"]]  # nothing was carried
    assert {each["channel"] for each in found.curves} == {*truth()}
    assert found.reallocation is not None
    assert looks(app) == {"daily": ("fitted", "")}


def test_the_truth_lies_in_the_intervals_of_what_is_stored(app: App) -> None:
    store_sales(app)
    fit_all(app)

    for each in newest(app).channels:
        low, high = float(each["contribution_lo"]), float(each["contribution_hi"])
        assert low <= truth()[each["channel"]] <= high


def test_the_same_numbers_give_no_new_version_and_others_give_the_next(app: App) -> None:
    store_sales(app)
    fit_all(app)
    later(app, days=1)

    assert fit_all(app, "run_2") == {"fits": 0, "fits_refused": 0}
    assert (newest(app).version, newest(app).run_id) == (1, "run_1")
    assert looks(app) == {"daily": ("unchanged", "")}

    store_sales(app, more=100)
    assert fit_all(app, "run_3") == {"fits": 1, "fits_refused": 0}
    assert [each.run_id for each in app.findings.mix.versions(newest(app).of)] == ["run_3", "run_1"]
    assert newest(app).input_hash != app.findings.mix.versions(newest(app).of)[1].input_hash


def test_a_worker_that_dies_at_a_write_leaves_nothing_that_the_next_does_not_mend(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a client for each death, when the worker dies there and another one takes over, then all that is stored is
    as if nobody had died."""
    store_sales(app)
    (manifest,) = published_sets(app)
    crash, store = Crash(), app.findings.mix
    crash.watch(MixCoefficients, "_put", "_put_together", put=monkeypatch.setattr)
    for at, after in [(1, False), (1, True), (2, False), (2, True)]:
        made = [manifest | {"account_id": f"{at}{after}"}]
        crash.arm(at, after=after)
        with pytest.raises(Killed):
            app.mix_fitter.fit(made, PLENTY, "run_1")
        app.mix_fitter.fit(made, PLENTY, "run_1")
        (found,) = store.latest(f"{at}{after}")
        assert [(each.version, each.run_id) for each in store.versions(found.of)] == [(1, "run_1")]
        assert len(store.draws(found)) == 2
        assert [(each.result.value, each.version) for each in store.looks(f"{at}{after}")] == [("fitted", 1)]


def test_too_few_days_are_said_and_the_versions_before_stay(app: App) -> None:
    store_sales(app, days=30)

    assert fit_all(app) == {"fits": 0, "fits_refused": 1}

    result, reason = looks(app)["daily"]
    assert (result, reason.partition(", and ")[0]) == ("not_fitted", f"30 days are too few: a fit needs {FEWEST_DAYS}")
    assert "the table begins on 20" in reason
    assert looks(app)["weekly"][0] == "not_fitted"
    assert app.findings.mix.latest("acme") == []


def test_a_table_of_which_a_fit_explains_nothing_is_not_fitted_and_names_the_day(app: App) -> None:
    # given a last day whose sales somebody typed with digits too many; the weeks end before it
    store_sales(app, more=10_000_000)

    # when
    fit_all(app)

    # then
    result, reason = looks(app)["daily"]
    assert result == "not_fitted"
    assert f"farthest off is {LAST}: 10,00" in reason
    assert newest(app).table == "weekly"


def test_a_table_that_its_gates_stopped_is_not_fitted_and_says_why(app: App) -> None:
    pull(app, META, "all", Window(LAST - timedelta(days=3), LAST))
    assert fit_all(app) == {"fits": 0, "fits_refused": 1}
    result, reason = looks(app)["daily"]
    assert result == "not_ready"
    assert "no channel with spend and variation" in reason


def time_left(left: float, begun: float = 600.0, whole: float = 600.0) -> FitTime:
    return FitTime(lambda: left, 30.0, whole, begun)


def test_a_fit_waits_for_an_invocation_that_has_time_for_it(app: App) -> None:
    """Given other work before it in the batch, then another invocation goes on."""
    store_sales(app)
    with pytest.raises(NotReady, match="goes on in another invocation"):
        fit_all(app, time=time_left(40.0, begun=300.0))
    assert looks(app) == {}
    fit_all(app)
    assert newest(app).version == 1


@pytest.mark.parametrize("time", [time_left(40.0), time_left(20.0, begun=10.0, whole=40.0)])
def test_a_fit_that_no_invocation_has_time_for_is_said(app: App, time: FitTime) -> None:
    store_sales(app)
    assert fit_all(app, time=time) == {"fits": 0, "fits_refused": 1}
    assert "the fit may take" in looks(app)["daily"][1]


def test_experiments_that_can_be_used_are_and_others_are_named(app: App) -> None:
    store_sales(app)
    catalog = StoryCatalog(META, AMAZON)
    test = {"test_id": "t1", "start_date": "2026-10-01", "end_date": "2026-10-14", "channel": "meta_ads"}
    effect = {"incremental_revenue": "5000", "incremental_revenue_lower": "4000", "incremental_revenue_upper": "6000"}
    rows = [ReferenceRow(Platform("lab"), "test_id=t1", test | effect)]
    catalog.said = {"lift_tests": rows}
    fit_all(app, catalog=catalog)
    assert [(each["channel"], each["effect"]) for each in newest(app).lift_tests] == [("meta_ads", "5000")]

    of_television = test | effect | {"test_id": "t2", "channel": "television"}
    catalog.said = {"lift_tests": [*rows, ReferenceRow(Platform("lab"), "test_id=t2", of_television)]}
    fit_all(app, "run_2", catalog=catalog)

    assert (newest(app).version, len(newest(app).lift_tests)) == (2, 1)
    assert any("t2" in said and "television" in said for said in newest(app).warnings)
    assert fit_all(app, "run_3", catalog=catalog)["fits"] == 0


def test_a_version_counts_the_experiments_that_its_dataset_does_not_list(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_sales(app)
    monkeypatch.setattr(limits, "MAX_LISTED_LIFT_TESTS", 1)
    catalog = StoryCatalog(META, AMAZON)
    rows = [{"test_id": f"t{day}", "start_date": "2026-10-01", "end_date": f"2026-10-1{day}"} for day in range(3)]
    catalog.said = {"lift_tests": [ReferenceRow(Platform("lab"), f"test_id={row['test_id']}", row) for row in rows]}

    fit_all(app, catalog=catalog)

    assert "2 older experiments are left out: the 1 that ended last are looked at" in newest(app).warnings


def test_two_workers_store_one_version(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given another worker that stores the same fit meanwhile, then this one stores none and says so."""
    store_sales(app)
    put = MixCoefficients.put

    def twice(store: MixCoefficients, *parts: Any) -> bool:
        assert put(store, *parts)
        return put(store, *parts)

    monkeypatch.setattr(MixCoefficients, "put", twice)
    assert fit_all(app) == {"fits": 0, "fits_refused": 0}
    assert (newest(app).version, looks(app)) == (1, {"daily": ("unchanged", "")})
