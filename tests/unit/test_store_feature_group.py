"""What a feature group of SageMaker is asked: every request and the group's definition fit botocore's description."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from botocore.session import get_session
from botocore.stub import ANY, Stubber

from adweir.model.errors import AccessDenied, AdweirError, Throttled, Unavailable, Unprocessable
from adweir.model.feature_columns import COLUMNS
from adweir.store.feature_group import EVENT_TIME, RECORD_ID, FeatureGroup, definitions, record_of

ROW: dict[str, Any] = dict.fromkeys(COLUMNS) | {
    "level": "ad",
    "client_account_id": "acc_1",
    "platform_name": "meta_ads",
    "account_id": "111",
    "entity_id": "g1~a1",
    "as_of": "2026-11-20T06:00:00.250000Z",
    "spend_7": Decimal("2.469134"),
    "clicks_7": 20,
    "ctr_7": 0.01,
    "launch_known": False,
}


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FeatureGroup, Stubber]]:
    session = get_session()
    session.set_credentials("testing", "testing")
    client = session.create_client("sagemaker-featurestore-runtime", region_name="eu-central-1")
    with Stubber(client) as stubber:
        yield FeatureGroup(client, "adweir-features"), stubber


def test_a_row_is_a_record_of_what_it_knows(stub: tuple[FeatureGroup, Stubber]) -> None:
    group, stubber = stub
    expected = {"FeatureGroupName": "adweir-features", "Record": record_of(ROW)}
    for _ in range(2):
        stubber.add_response("put_record", {}, expected)

    group.put([ROW, ROW])

    stubber.assert_no_pending_responses()
    values = {each["FeatureName"]: each["ValueAsString"] for each in record_of(ROW)}
    assert values[RECORD_ID] == "acc_1#meta_ads#111#ad#g1~a1"
    assert values[EVENT_TIME] == "1795154400.25"
    assert [values[name] for name in ("spend_7", "clicks_7", "ctr_7", "launch_known")] == [
        "2.469134",
        "20",
        "0.01",
        "0",
    ]
    assert "revenue_7" not in values


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ThrottlingException", Throttled),
        ("ResourceNotFound", Unprocessable),
        ("ValidationError", Unprocessable),
        ("AccessForbidden", AccessDenied),
        ("ServiceUnavailable", Unavailable),
    ],
)
def test_what_sagemaker_refuses_says_whether_it_may_be_tried_again(
    stub: tuple[FeatureGroup, Stubber], code: str, error: type[AdweirError]
) -> None:
    group, stubber = stub
    stubber.add_client_error("put_record", code, expected_params={"FeatureGroupName": ANY, "Record": ANY})

    with pytest.raises(error, match="adweir-features"):
        group.put([ROW])


def test_the_definition_of_a_group_has_every_column_and_fits_sagemakers_own() -> None:
    model: Any = get_session().get_service_model("sagemaker")
    shape = model.shape_for("FeatureDefinition")
    kinds = {each["FeatureName"]: each["FeatureType"] for each in definitions()}

    assert set(kinds) == {RECORD_ID, EVENT_TIME, *COLUMNS}
    assert set(kinds.values()) <= set(shape.members["FeatureType"].enum)
    assert (kinds["spend_7"], kinds["clicks_7"], kinds["launch_known"], kinds["through"]) == (
        "Fractional",
        "Integral",
        "Integral",
        "String",
    )
    assert len(kinds) <= model.shape_for("FeatureDefinitions").metadata["max"]
