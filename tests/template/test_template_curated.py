"""The tables that Athena sees are those that the code writes: columns, partitions, places; compared both ways."""

from __future__ import annotations

from typing import Any

import pytest

from adweir.insight.curated.layout import FIRST_MONTH, GLUE_TYPES, MONTH_FORMAT, REPORTS, CuratedTable, tables
from adweir.platforms import REGISTRY
from support.template import deployed, template

CODE = tables(tuple(sorted(REGISTRY)))
DECLARED = {each["TableInput"]["Name"]: each for each in template().of("AWS::Glue::Table").values()}


def columns(found: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(column["Name"], column["Type"]) for column in found]


def projected(table: CuratedTable) -> dict[str, str]:
    """What Athena has to be told to compute the partitions of a table."""
    said = {"projection.enabled": "true"} if table.keys else {}
    for key in table.keys:
        at = f"projection.{key.name}"
        said |= (
            {f"{at}.type": "enum", f"{at}.values": ",".join(key.values)}
            if key.values
            else {
                f"{at}.type": "date",
                f"{at}.format": MONTH_FORMAT,
                f"{at}.range": f"{FIRST_MONTH},NOW+1YEARS",
                f"{at}.interval": "1",
                f"{at}.interval.unit": "MONTHS",
            }
        )
    return said | {"classification": "parquet"}


def test_the_template_declares_exactly_the_tables_that_the_code_writes() -> None:
    assert set(DECLARED) == set(CODE)
    assert {name for name in DECLARED if name.startswith("ad_reporting__")} == {f"ad_reporting__{r}" for r in REPORTS}


@pytest.mark.parametrize("name", CODE)
def test_a_table_has_the_columns_partitions_and_place_that_the_code_gives_it(name: str) -> None:
    table, declared = CODE[name], DECLARED[name]
    given, storage = declared["TableInput"], declared["TableInput"]["StorageDescriptor"]

    assert columns(storage["Columns"]) == [(column, GLUE_TYPES[kind]) for column, kind in table.columns.items()]
    assert columns(given.get("PartitionKeys", [])) == [(key.name, "string") for key in table.keys]
    assert given["Parameters"] == projected(table)
    assert storage["Location"] == {"Fn::Sub": f"s3://${{DataBucket}}/{table.prefix}"}
    assert given["TableType"] == "EXTERNAL_TABLE"
    assert {storage[part].rpartition(".")[2] for part in ("InputFormat", "OutputFormat")} == {
        "MapredParquetInputFormat",
        "MapredParquetOutputFormat",
    }
    assert storage["SerdeInfo"]["SerializationLibrary"].endswith("ParquetHiveSerDe")
    assert declared["DatabaseName"] == {"Ref": "CuratedDatabase"}


@pytest.mark.parametrize("name", CODE)
def test_no_partition_is_a_column_of_the_files_too_for_a_table_cannot_have_both(name: str) -> None:
    assert not {key.name for key in CODE[name].keys} & set(CODE[name].columns)


@pytest.mark.parametrize("name", CODE)
def test_an_object_lies_where_athena_computes_its_partition(name: str) -> None:
    table = CODE[name]
    values = [key.values[0] if key.values else "2026-11" for key in table.folders]

    key = table.key(values, "p1")

    place = DECLARED[name]["TableInput"]["StorageDescriptor"]["Location"]["Fn::Sub"].removeprefix("s3://${DataBucket}/")
    path = [f"{folder.name}={value}" for folder, value in zip(table.folders, values, strict=True)]
    assert key == place + "/".join([*path, "p1.parquet"])
    if not table.plain:
        keys = DECLARED[name]["TableInput"]["PartitionKeys"]
        assert [part.partition("=")[0] for part in path] == [each["Name"] for each in keys]


def test_the_database_and_the_workgroup_are_the_stacks_own() -> None:
    database = template().of("AWS::Glue::Database")["CuratedDatabase"]
    workgroup = template().of("AWS::Athena::WorkGroup")["Workgroup"]

    assert database["DatabaseInput"]["Name"] == workgroup["Name"] == {"Ref": "AWS::StackName"}


def results(of: Any) -> dict[str, Any]:
    configured: dict[str, Any] = of.of("AWS::Athena::WorkGroup")["Workgroup"]["WorkGroupConfiguration"]
    return configured


def test_a_question_reads_at_most_so_many_bytes_and_callers_cannot_say_otherwise() -> None:
    found = results(template())

    assert found["EnforceWorkGroupConfiguration"] is True
    assert found["BytesScannedCutoffPerQuery"] == {"Ref": "QueryBytes"}
    assert template().number(found["BytesScannedCutoffPerQuery"]) == 100 << 30


def test_answers_are_encrypted_and_expire_with_the_exports() -> None:
    found = results(template())["ResultConfiguration"]
    (rule,) = (
        each
        for each in template().of("AWS::S3::Bucket")["DataBucket"]["LifecycleConfiguration"]["Rules"]
        if each["Id"] == "exports-go"
    )

    assert found["OutputLocation"] == {"Fn::Sub": f"s3://${{DataBucket}}/{rule['Prefix']}athena/"}
    assert found["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}
    with_key = results(deployed(KmsKeyArn="arn:aws:kms:eu-central-1:123456789012:key/k"))["ResultConfiguration"]
    assert with_key["EncryptionConfiguration"] == {"EncryptionOption": "SSE_KMS", "KmsKey": {"Ref": "KmsKeyArn"}}


def test_replaced_objects_go_after_a_day_for_they_can_be_made_again() -> None:
    rules = template().of("AWS::S3::Bucket")["DataBucket"]["LifecycleConfiguration"]["Rules"]

    (rule,) = (each for each in rules if each.get("Prefix") == "curated/")
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
    assert rule["ExpiredObjectDeleteMarker"] is True
    assert "ExpirationInDays" not in rule
