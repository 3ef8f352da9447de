"""Open Data Contracts: made of the code's own names, for all that others read, and broken by each planted fault."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from adweir.model.datasets import Dataset
from adweir.reporting.ads import AD_FIELDS
from adweir.reporting.records import DATA_TYPES, PERFORMANCE, data_type_of
from adweir.reporting.report_names import METRICS
from adweir.reporting.shown import INVOICE_FIELDS
from contract.odcs import breaches
from ops.contracts import DataContract, cells, contracts, type_of, write

BY_NAME = {contract.name: contract for contract in contracts()}


def test_every_data_type_with_numbers_has_a_contract_and_ads_invoices_and_exports_too() -> None:
    assert BY_NAME.keys() == PERFORMANCE.keys() | {"ads", "invoices", "campaign_report"}
    assert BY_NAME.keys() - {"campaign_report"} <= set(DATA_TYPES)
    assert {data_type_of(dataset) for dataset in Dataset if dataset.breakdown} <= BY_NAME.keys()


@pytest.mark.parametrize("contract", BY_NAME.values(), ids=BY_NAME)
def test_a_contract_has_columns_of_each_kind_and_a_key_of_its_columns(contract: DataContract) -> None:
    assert len(set(contract.columns)) == len(contract.columns)
    assert set(contract.key) | contract.required <= set(contract.columns)
    types = {name: type_of(name) for name in contract.columns}
    assert {"string", "number"} <= set(types.values())
    assert types["currency"] == "string"


def test_columns_are_those_of_the_answers() -> None:
    assert set(BY_NAME["invoices"].columns) == set(INVOICE_FIELDS) - {"replaces"}
    assert set(BY_NAME["ads"].columns) == set(AD_FIELDS) - {"name_parts", "landing_page"}
    assert BY_NAME["campaign_report"].columns == ("date", "platform", "account", "campaign", "currency", *METRICS)
    assert type_of("daily_spend") == "number"
    assert type_of("daily_clicks") == "integer"
    assert type_of("hour") == "integer"
    assert type_of("issued_on") == "date"
    assert type_of("unattributed") == "boolean"


def test_contracts_are_written_as_odcs(tmp_path: Path) -> None:
    files = write(tmp_path)
    assert [file.name.removesuffix(".odcs.yaml") for file in files] == sorted(BY_NAME)
    document = yaml.safe_load((tmp_path / "campaign_performance.odcs.yaml").read_text())
    assert (document["apiVersion"], document["kind"], document["status"]) == ("v3.1.0", "DataContract", "active")
    (table,) = document["schema"]
    properties = {each["name"]: each for each in table["properties"]}
    assert properties["date"] == {"name": "date", "logicalType": "date", "required": True}
    assert "required" not in properties["campaign_id"]  # of what is unattributed it is empty
    rules = {rule["id"]: rule for rule in table["quality"]}
    assert "unattributed IS NOT TRUE" in rules["spend_sign"]["query"]
    assert rules.keys() >= {"rows", "key", "no_future", "impressions_sign", "finite", "named", "ctr"}
    assert rules["named"]["query"].endswith(
        "unattributed IS NOT TRUE AND coalesce(CAST(campaign_id AS VARCHAR), '') = ''"
    )
    bills = yaml.safe_load((tmp_path / "invoices.odcs.yaml").read_text())["schema"][0]
    words = {rule["id"]: rule.get("query", "") for rule in bills["quality"]}
    assert "'credit_memo'" in words["document_words"]
    assert "'invalid_traffic'" in words["kind_words"]


def test_each_breach_changes_one_thing() -> None:
    contract = BY_NAME["campaign_performance"]
    record = {
        "platform": "meta_ads", "campaign_id": "c", "spend": 3, "impressions": 5, "currency": "EUR", "ctr": "0.1",
        "unattributed": "false",
    }  # fmt: skip
    rest = {**record, "campaign_id": "", "spend": -1, "unattributed": "true"}
    rows = [["" if cell is None else str(cell) for cell in row] for row in cells(contract, [rest, record])]
    table = [list(contract.columns), *rows]

    found = dict(breaches(contract, table))

    assert found["a row comes twice"] == [*table, rows[1]]
    assert found["a spend is negative"][2][table[0].index("spend")] == "-1"
    assert found["a number is a word"][3][table[0].index("impressions")] == "many"
    assert found["campaign_id is empty"][2][table[0].index("campaign_id")] == ""
    assert len(found) == 9
    assert all(content != table for content in found.values())
